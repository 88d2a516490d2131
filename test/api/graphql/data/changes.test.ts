import {TestGraph} from '../../../support/data-graph.ts';

let graph: TestGraph;
beforeAll(async () => {
  graph = await TestGraph.start();
  await graph.commit('areas', "SELECT * FROM (VALUES (1, 'north'), (2, 'south')) t(id, name)", {contract: {key: ['id']}, committedAt: new Date('2000-01-01')});
  const contract = {key: ['id', 'part'], foreignKeys: [{column: 'area', references: 'areas', as: 'in'}]};
  await graph.commit('items', "SELECT i AS id, 'p' || i % 2 AS part, i % 3 AS area, CASE i % 4 WHEN 0 THEN 'nan'::DOUBLE WHEN 1 THEN NULL ELSE i / 2.0::DOUBLE END AS weight, {'a': i % 2} AS box FROM range(20) t(i)", {contract, committedAt: new Date('2001-01-01')});
  // Two are gone, one has another weight, one another struct, one is new.
  await graph.commit('items', "SELECT * REPLACE (CASE WHEN id = 5 THEN 1.5 ELSE weight END AS weight, CASE WHEN id = 7 THEN {'a': 9} ELSE box END AS box) FROM (SELECT i AS id, 'p' || i % 2 AS part, i % 3 AS area, CASE i % 4 WHEN 0 THEN 'nan'::DOUBLE WHEN 1 THEN NULL ELSE i / 2.0::DOUBLE END AS weight, {'a': i % 2} AS box FROM range(2, 21) t(i))", {contract, committedAt: new Date('2001-02-01')});
});
afterAll(() => graph.stop());

const changes = async (rest = '', selection = 'change before { id weight box { a } } after { id weight box { a } in { name } }') => (await graph.ask(`{ items_changes(from: {snapshot: "items-0"}${rest}) { ${selection} } }`)).items_changes;

describe('changes', () => {
  it('are the rows inserted, updated and deleted between two states, in the order of their key, in one statement', async () => {
    const before = graph.statements.length;
    const expected = [
      {change: 'deleted', before: {id: '0', weight: 'NaN', box: {a: '0'}}, after: null},
      {change: 'deleted', before: {id: '1', weight: null, box: {a: '1'}}, after: null},
      {change: 'updated', before: {id: '5', weight: null, box: {a: '1'}}, after: {id: '5', weight: 1.5, box: {a: '1'}, in: {name: 'south'}}},
      {change: 'updated', before: {id: '7', weight: 3.5, box: {a: '1'}}, after: {id: '7', weight: 3.5, box: {a: '9'}, in: {name: 'north'}}},
      {change: 'inserted', before: null, after: {id: '20', weight: 'NaN', box: {a: '0'}, in: {name: 'south'}}},
    ];
    expect(await changes()).toEqual(expected);
    expect(graph.statements.length - before).toBe(1);
    expect(await changes(', to: {snapshot: "items-1"}, limit: 2, offset: 1')).toEqual(expected.slice(1, 3));
    expect(await changes(', to: {snapshot: "items-0"}')).toEqual([]);
  });

  it('go backward in time as well', async () => {
    const {items_changes: back} = await graph.ask('{ items_changes(from: {time: "2001-02-02"}, to: {time: "2001-01-02"}) { __typename change after { id } } }');
    expect(back.map(({change}: {change: string}) => change)).toEqual(['inserted', 'inserted', 'updated', 'updated', 'deleted']);
  });

  it('read only files that the states do not have in common', async () => {
    const {snapshots} = graph;
    const second = snapshots.get('items')!.at(-1);
    const table = await graph.context().table(second!);
    await changes();
    const query = graph.statements.at(-1)!;
    expect(Object.entries(query.relations).filter(([name]) => name.startsWith('items~')).map(([, relation]) => relation.files.length)).toEqual([1, table.files.length]);
    await changes(', to: {snapshot: "items-0"}');
    expect(Object.entries(graph.statements.at(-1)!.relations).filter(([name]) => name.startsWith('items~')).map(([, relation]) => relation.files.length)).toEqual([0, 0]);
  });

  it('are refused where they are more than may be, or the states unknown', async () => {
    const {viewer} = graph;
    try {
      graph.viewer = {...viewer, limits: {...viewer.limits, rows: 3}};
      await expect(changes()).rejects.toMatchObject({code: 'RESULT_TOO_LARGE'});
      expect(await changes(', limit: 3')).toHaveLength(3);
    } finally {
      graph.viewer = viewer;
    }
    await expect(changes(', limit: -1')).rejects.toMatchObject({code: 'ARGUMENT_INVALID'});
  });

  it('are told where there is a key only', async () => {
    await graph.commit('keyless', 'SELECT 1 AS a');
    expect(graph.graph.graph.schema.getQueryType()!.getFields().keyless_changes).toBeUndefined();
    expect(graph.graph.graph.schema.getQueryType()!.getFields().items_changes).toBeDefined();
  });
});
