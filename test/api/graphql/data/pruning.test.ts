import {Explanation} from '../../../../src/api/graphql/data/explanation.ts';
import {TestGraph} from '../../../support/data-graph.ts';

let graph: TestGraph;

/** 10 files of 100 rows: n from 0 to 999, and what follows of it; the last file has nothing but nulls in `some`. */
beforeAll(async () => {
  graph = await TestGraph.start();
  await graph.commit('rows', `SELECT i::INTEGER AS n, (i - 500)::BIGINT * 10000000000 AS big, DATE '2001-01-01' + i::INTEGER AS day, TIMESTAMP '2001-01-01 00:00:00' + INTERVAL (i) HOUR AS at, CASE WHEN i < 900 THEN i END::INTEGER AS some,
    'text ' || i AS txt, i / 7 AS x FROM range(1000) t(i) ORDER BY i`, {filesOf: 100, contract: {key: ['n']}});
});
afterAll(() => graph.stop());

async function explained(query: string, variables?: Record<string, unknown>) {
  graph.explanation = new Explanation();
  try {
    const data = await graph.ask(query, variables);
    const {fields} = (await graph.explanation.shown()) as {fields: Record<string, {statements: {sql: string; datasets: {rows: number; files: object}[]; estimated: {rows: number; bytes: number}; real: {rows: number; files: number}}[]; time: Record<string, number>}>};
    return {data, field: Object.values(fields)[0]!};
  } finally {
    graph.explanation = undefined;
  }
}

test.each([
  ['{n: {_eq: 250}}', 1, 1],
  ['{n: {_gt: 899}}', 1, 100],
  ['{n: {_gte: 899}}', 2, 101],
  ['{n: {_lt: 100}}', 1, 100],
  ['{n: {_lte: 100}}', 2, 101],
  ['{n: {_in: [5, 505, 5000]}}', 2, 2],
  ['{n: {_neq: 5}}', 10, 999],
  ['{_and: [{n: {_gt: 200}}, {n: {_lt: 250}}]}', 1, 49],
  ['{_or: [{n: {_lt: 50}}, {n: {_gt: 950}}]}', 2, 99],
  ['{_or: [{n: {_lt: 50}}, {txt: {_eq: "text 700"}}]}', 10, 51],
  ['{_not: {n: {_gt: 50}}}', 10, 51],
  ['{big: {_gt: "4900000000000"}}', 1, 9],
  ['{day: {_eq: "2001-04-12"}}', 1, 1],
  ['{at: {_gte: "2001-02-11T00:00:00"}}', 1, 16],
  ['{_row_id: {_gte: "950"}}', 1, 50],
  ['{some: {_is_null: true}}', 1, 100],
  ['{some: {_is_null: false}}', 9, 900],
  ['{some: {_gt: 850}}', 1, 49],
  ['{x: {_gt: 142}}', 10, 5],
  ['{n: {_gt: 5000}}', 0, 0],
])('of %s %i files are read', async (where, read, count) => {
  const {data, field} = await explained(`{ rows(where: ${where}) { n } }`);
  expect(data.rows).toHaveLength(count);
  expect(field.statements[0]).toMatchObject({datasets: [{dataset: 'rows', snapshot: 'rows-0', rows: read * 100, files: {read, pruned: 10 - read}}], estimated: {rows: read * 100}});
  expect(field.statements[0]!.real.files).toBeLessThanOrEqual(read);
});

test('one row by its key opens one file, and only the columns read count', async () => {
  const one = await explained('query ($n: Int!) { rows_by_pk(n: $n) { day } }', {n: 777});
  expect(one.data).toEqual({rows_by_pk: {day: '2003-02-17'}});
  expect(one.field).toMatchObject({statements: [{datasets: [{files: {read: 1, pruned: 9}}], real: {cpuMilliseconds: expect.any(Number), memory: expect.any(Number)}}], time: {engine: expect.any(Number), snapshots: expect.any(Number)}});
  const all = await explained('{ rows { n big day at some txt x } }');
  expect(one.field.statements[0]!.estimated.bytes).toBeGreaterThan(0);
  expect(all.field.statements[0]!.estimated.bytes).toBeGreaterThan(15 * one.field.statements[0]!.estimated.bytes);
  // An engine may read files twice, to find rows and to fetch them.
  expect(all.field.statements[0]!.real.rows).toBeGreaterThanOrEqual(1000);
});

test('what a statement may read is limited before it runs, after the files that do not matter are left out', async () => {
  const {viewer} = graph;
  try {
    graph.viewer = {...viewer, limits: {...viewer.limits, cost: 300}};
    expect((await graph.ask('{ rows_aggregate(where: {n: {_lt: 300}}) { aggregate { count } } }')).rows_aggregate.aggregate.count).toBe(300);
    await expect(graph.ask('{ rows_aggregate(where: {n: {_lte: 300}}) { aggregate { count } } }')).rejects.toMatchObject({code: 'QUERY_TOO_COSTLY', message: 'The query would read 400 rows; 300 is allowed.'});
    graph.viewer = {...viewer, limits: {...viewer.limits, scanBytes: 2000}};
    expect((await graph.ask('{ rows_by_pk(n: 5) { n } }')).rows_by_pk).toEqual({n: 5});
    await expect(graph.ask('{ rows { txt big } }')).rejects.toMatchObject({code: 'QUERY_TOO_COSTLY', details: {estimate: expect.stringMatching(/^\d+ bytes$/), limit: 2000}});
  } finally {
    graph.viewer = viewer;
  }
});

test('older snapshots with other columns are read whole', async () => {
  const schema = {fields: (await graph.engine.describe({sql: 'SELECT 1::BIGINT AS n, 2 AS m', relations: {}})).fields};
  await graph.commit('wider', 'SELECT i::INTEGER AS n FROM range(20) t(i)', {filesOf: 10});
  await graph.commit('wider', 'SELECT i::BIGINT AS n, 2::INTEGER AS m FROM range(20) t(i)', {filesOf: 10, schema});
  const {data, field} = await explained('{ wider(as_of: {snapshot: "wider-0"}, where: {n: {_gt: 15}}) { n m } }');
  expect([data.wider.length, data.wider[0]]).toEqual([4, {n: '16', m: null}]);
  expect(field.statements[0]!.datasets[0]!.files).toEqual({read: 2, pruned: 0});
});
