import {TestGraph} from '../../../support/data-graph.ts';

let graph: TestGraph;
beforeAll(async () => {
  graph = await TestGraph.start();
  await graph.commit('areas', "SELECT i AS id, CASE WHEN i <> 2 THEN 'area ' || i % 3 END AS name FROM range(5) t(i)", {contract: {key: ['id']}});
  await graph.commit('things', `
    SELECT i AS n, i % 6 AS area, CASE WHEN i % 7 > 0 THEN i % 5 END AS rank, CASE i % 4 WHEN 0 THEN 'nan'::DOUBLE WHEN 1 THEN -0.5 WHEN 2 THEN NULL ELSE i / 3.0::DOUBLE END AS weight,
      TIMESTAMPTZ '2001-01-01 00:00:00Z' + to_minutes(i % 9) AS at, 'w''"' || i % 4 AS word, {'a': i % 2} AS box
    FROM range(100) t(i)`, {filesOf: 30, contract: {foreignKeys: [{column: 'area', references: 'areas', as: 'in'}]}});
});
afterAll(() => graph.stop());

const orders = [
  '[]',
  '[{rank: asc}]',
  '[{rank: desc}, {weight: asc}]',
  '[{weight: desc_nulls_last}, {word: asc}]',
  '[{rank: asc_nulls_first}, {at: desc}]',
  '[{in: {name: desc}}, {box: {a: asc}}, {_row_id: desc}]',
  '[{in: {things_aggregate: {count: desc}}}, {rank: desc_nulls_last}]',
];

describe('cursors', () => {
  it.each(orders)('page through %s', async order => {
    const all: string[] = (await graph.ask(`{ things(where: {n: {_lt: "80"}}, order_by: ${order}) { n } }`)).things.map(({n}: {n: string}) => n);
    const seen: string[] = [];
    let cursor: string | null = null;
    for (let page = 0; page < 8; page++) {
      const {things}: Record<string, {n: string; _cursor: string}[]> = await graph.ask(`query ($c: String) { things(where: {n: {_lt: "80"}}, order_by: ${order}, limit: 13, after: $c) { n _cursor } }`, {c: cursor});
      seen.push(...things!.map(({n}) => n));
      cursor = things!.at(-1)?._cursor ?? cursor;
    }
    expect(seen).toEqual(all);
  });

  it('go backward from a row to the first', async () => {
    for (const order of orders) {
      const {things} = await graph.ask(`{ things(order_by: ${order}) { n _cursor } }`);
      const at = 37;
      const page = async (rest: string) => (await graph.ask(`query ($c: String) { things(order_by: ${order}, ${rest}) { n } }`, {c: things[at]._cursor})).things.map(({n}: {n: string}) => n);
      const names = things.map(({n}: {n: string}) => n);
      expect(await page('before: $c, limit: 10')).toEqual(names.slice(at - 10, at));
      expect(await page('before: $c, limit: 10, offset: 4')).toEqual(names.slice(at - 14, at - 4));
      expect(await page('before: $c')).toEqual(names.slice(0, at));
      expect(await page('after: $c')).toEqual(names.slice(at + 1));
      expect(await page('after: $c, limit: 3, offset: 2')).toEqual(names.slice(at + 3, at + 6));
    }
  });

  it('hold when their row is gone', async () => {
    const {things} = await graph.ask('{ things(order_by: [{rank: asc}], limit: 5) { n _cursor } }');
    const after = await graph.ask('query ($c: String, $n: bigint) { things(where: {n: {_neq: $n}}, order_by: [{rank: asc}], after: $c, limit: 4) { n } }', {c: things[0]._cursor, n: things[0].n});
    expect(after.things).toEqual(things.slice(1).map(({n}: {n: string}) => ({n})));
  });

  it('are refused where they belong to another order, or are none', async () => {
    const {things} = await graph.ask('{ things(order_by: [{rank: asc}], limit: 1) { _cursor } }');
    await expect(graph.ask('query ($c: String) { things(order_by: [{rank: desc}], after: $c) { n } }', {c: things[0]._cursor})).rejects.toMatchObject({code: 'ARGUMENT_INVALID'});
    await expect(graph.ask('{ things(after: "?") { n } }')).rejects.toMatchObject({code: 'ARGUMENT_INVALID'});
  });
});

describe('distinct_on', () => {
  it('keeps the first of equal rows, before limits count', async () => {
    const {things: all} = await graph.ask('{ things(order_by: [{word: desc}, {n: desc}]) { n word rank } }');
    const firsts = (key: (row: any) => unknown) => all.filter((row: any, index: number) => all.findIndex((other: any) => JSON.stringify(key(other)) === JSON.stringify(key(row))) === index);
    const ask = async (rest: string) => (await graph.ask(`{ things(order_by: [{word: desc}, {n: desc}], ${rest}) { n word rank } }`)).things;
    expect(await ask('distinct_on: word')).toEqual(firsts(({word}) => word));
    expect(await ask('distinct_on: [rank, word], limit: 5, offset: 2')).toEqual(firsts(({rank, word}) => [rank, word]).slice(2, 7));
    expect((await graph.ask('{ things_aggregate(distinct_on: [rank]) { aggregate { count } } }')).things_aggregate.aggregate.count).toBe(6);
  });

  it('keeps the first of equal related rows', async () => {
    const {areas} = await graph.ask('{ areas { id things(distinct_on: [word], order_by: [{n: desc}], limit: 2) { n word } things_aggregate(distinct_on: [word]) { aggregate { count } } } things(order_by: [{n: desc}]) { n area word } }');
    const {things} = await graph.ask('{ things(order_by: [{n: desc}]) { n area word } }');
    for (const area of areas) {
      const own = things.filter((row: any) => row.area === area.id);
      const firsts = own.filter((row: any, index: number) => own.findIndex((other: any) => other.word === row.word) === index);
      expect(area.things).toEqual(firsts.slice(0, 2).map(({n, word}: any) => ({n, word})));
      expect(area.things_aggregate.aggregate.count).toBe(firsts.length);
    }
  });
});

describe('operators', () => {
  it('of lists and JSON', async () => {
    await graph.commit('docs', `SELECT * FROM (VALUES (1, [1, 2], '{"a": 1, "b": {"c": [1, 2]}}'::JSON), (2, [2, NULL], '{"b": 2}'::JSON), (3, NULL, NULL), (4, []::INT[], '[1]'::JSON)) t(id, list, doc)`, {
      schema: {fields: [{id: 1, name: 'id', type: {kind: 'int', bits: 32, signed: true}, nullable: true}, {id: 2, name: 'list', type: {kind: 'list', element: {id: 0, name: 'element', type: {kind: 'int', bits: 32, signed: true}, nullable: true}}, nullable: true}, {id: 3, name: 'doc', type: {kind: 'json'}, nullable: true}]},
    });
    const ids = async (where: string) => (await graph.ask(`{ docs(where: ${where}) { id } }`)).docs.map(({id}: {id: number}) => id);
    expect(await ids('{list: {_has: 2}}')).toEqual([1, 2]);
    expect(await ids('{list: {_has_any: [1, 9]}}')).toEqual([1]);
    expect(await ids('{_not: {list: {_has: 1}}}')).toEqual([2, 4]);
    expect(await ids('{doc: {_has_keys_any: ["a", "z"]}}')).toEqual([1]);
    expect(await ids('{doc: {_has_keys_all: ["a", "b"]}}')).toEqual([1]);
    expect(await ids('{doc: {_contained_in: {a: 1, b: 2, c: 3}}}')).toEqual([2]);
    expect(await ids('{doc: {_contains: {b: {c: [2]}}}}')).toEqual([1]);
  });

  it('of times reach from the request backward and forward', async () => {
    graph.now = new Date('2001-06-15T12:00:00Z');
    await graph.commit('times', "SELECT i AS id, TIMESTAMP '2001-06-15 12:00:00' + to_hours(i) AS wall, TIMESTAMPTZ '2001-06-15 12:00:00Z' + to_hours(i) AS instant, (TIMESTAMP '2001-06-15 12:00:00' + to_hours(i))::DATE AS day FROM range(-48, 49) t(i)");
    const ids = async (where: string, variables = {}) => (await graph.ask(`query ${where.includes('$d') ? '($d: String!)' : ''} { times(where: ${where}, order_by: [{id: asc}]) { id } }`, variables)).times.map(({id}: {id: string}) => Number(id));
    const hours = (from: number, to: number) => Array.from({length: to - from + 1}, (_, index) => from + index);
    expect(await ids('{wall: {_within: {last: "PT3H"}}}')).toEqual(hours(-2, 0));
    expect(await ids('{instant: {_within: {last: $d}}}', {d: 'P1D'})).toEqual(hours(-23, 0));
    expect(await ids('{instant: {_within: {next: "P1DT2H"}}}')).toEqual(hours(0, 25));
    expect(await ids('{day: {_within: {last: "P1D"}}}')).toEqual(hours(-12, 11));
    for (const length of ['7 days', 'P', 'PT', 'P1H', '']) await expect(ids('{wall: {_within: {last: $d}}}', {d: length})).rejects.toMatchObject({code: 'ARGUMENT_INVALID'});
  });
});
