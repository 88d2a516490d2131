import {resolve} from 'node:path';
import {TestGraph} from '../../../support/data-graph.ts';

const data = resolve('node_modules/vega-datasets/data');

let graph: TestGraph;
beforeAll(async () => {
  graph = await TestGraph.start({allow: [data]});
  await graph.commit('airports', `SELECT * FROM read_csv('${data}/airports.csv')`, {contract: {key: ['iata']}});
  await graph.commit('flights', `SELECT date, delay::INT AS delay, distance::INT AS distance, origin, destination FROM '${data}/flights-3m.parquet' LIMIT 20000`, {
    filesOf: 6000,
    contract: {foreignKeys: [{column: 'origin', references: 'airports'}, {column: 'destination', references: 'airports', as: 'arrives_at'}]},
  });
}, 60_000);
afterAll(() => graph.stop());

describe('rows', () => {
  it('come in the order of the files, with ids', async () => {
    const {flights} = await graph.ask('{ flights(limit: 3, offset: 5999) { _row_id date delay origin } }');
    expect(flights.map((row: {_row_id: string}) => row._row_id)).toEqual(['5999', '6000', '6001']);
    expect(flights[0].date).toMatch(/^2001-01-01T\d\d:\d\d:00$/);
  });

  it('are filtered and ordered', async () => {
    const {flights} = await graph.ask(
      'query ($least: Int!, $from: [String!]) { flights(where: {delay: {_gte: $least}, _or: [{origin: {_in: $from}}, {destination: {_eq: "ATL"}}]}, order_by: [{delay: desc}, {origin: asc}], limit: 50) { _row_id delay origin destination } }',
      {least: 60, from: ['LAX', 'JFK']},
    );
    expect(flights).toHaveLength(50);
    for (const row of flights) expect(['LAX', 'JFK'].includes(row.origin) || row.destination === 'ATL').toBe(true);
    const sorted = [...flights].sort((a, b) => b.delay - a.delay || (a.origin < b.origin ? -1 : a.origin > b.origin ? 1 : Number(a._row_id) - Number(b._row_id)));
    expect(flights).toEqual(sorted);
  });

  it('show related rows and filter by them, in one statement', async () => {
    const before = graph.statements.length;
    const {flights} = await graph.ask('{ flights(where: {origin_airport: {state: {_eq: "GA"}}}, order_by: {arrives_at: {city: asc}}, limit: 5) { origin from: origin_airport { __typename iata state } to: arrives_at { city } } }');
    expect(flights).toHaveLength(5);
    for (const row of flights) expect(row.from).toEqual({__typename: 'airports', iata: row.origin, state: 'GA'});
    expect(graph.statements.length - before).toBe(1);
  });

  it('keep the order of the files also where a filter is a join', async () => {
    const where = '{_or: [{origin_airport: {state: {_eq: "GA"}}}, {arrives_at: {state: {_eq: "TX"}}}]}';
    const ids = async (paging: string) => (await graph.ask(`{ flights(where: ${where}${paging}) { _row_id } }`)).flights.map((row: {_row_id: string}) => Number(row._row_id));
    const all: number[] = await ids('');
    expect(all).toEqual([...all].sort((a, b) => a - b));
    for (let offset = 0; offset < 2000; offset += 200) expect(await ids(`, offset: ${offset}, limit: 7`)).toEqual(all.slice(offset, offset + 7));
  });

  it('show lists of related rows, in one statement', async () => {
    const before = graph.statements.length;
    const {airports} = await graph.ask('{ airports(where: {iata: {_in: ["ATL", "JFK"]}}, order_by: [{iata: asc}]) { iata late: flights_by_origin(where: {delay: {_gt: 100}}, order_by: {delay: desc}, limit: 2) { delay arrives_at { iata } } second: flights_by_origin(where: {delay: {_gt: 100}}, order_by: {delay: desc}, offset: 1, limit: 1) { delay arrives_at { iata } } none: flights_by_origin(where: {delay: {_gt: 100000}}) { delay } } }');
    expect(airports.map((row: {iata: string}) => row.iata)).toEqual(['ATL', 'JFK']);
    expect(airports[0].late).toHaveLength(2);
    expect(airports[0].second).toEqual([airports[0].late[1]]);
    expect(airports[0].late[0].arrives_at.iata).toMatch(/^[A-Z]{3}$/);
    expect(airports[0].none).toEqual([]);
    expect(graph.statements.length - before).toBe(1);
  });

  it('are found by key or by row id', async () => {
    const answer = await graph.ask('{ airports_by_pk(iata: "ATL") { city } none: airports_by_pk(iata: "???") { city } flights_by_pk(_row_id: "7000") { _row_id } }');
    expect(answer).toEqual({airports_by_pk: {city: 'Atlanta'}, none: null, flights_by_pk: {_row_id: '7000'}});
  });

  it('are aggregated', async () => {
    const {flights_aggregate: answer} = await graph.ask('{ flights_aggregate(where: {origin: {_eq: "ATL"}}) { aggregate { count places: count(columns: destination, distinct: true) sum { delay } avg { delay } min { date } max { delay destination } } nodes { delay } } }');
    const delays: number[] = answer.nodes.map((row: {delay: number}) => row.delay);
    expect(answer.aggregate.count).toBe(delays.length);
    expect(answer.aggregate.sum.delay).toBe(String(delays.reduce((a, b) => a + b, 0)));
    expect(answer.aggregate.max.delay).toBe(Math.max(...delays));
  });

  it('keep one plan for each shape of variables', async () => {
    const source = 'query ($n: Int) { flights(limit: $n) { delay } }';
    await graph.ask(source, {n: 1});
    const plans = graph.graph.planCount;
    expect((await graph.ask(source, {n: 7})).flights).toHaveLength(7);
    expect(graph.graph.planCount).toBe(plans);
  });

  it('keep apart response keys that differ in case only', async () => {
    expect(await graph.ask('{ flights(limit: 1) { a: origin A: destination } }')).toEqual({flights: [{a: expect.any(String), A: expect.any(String)}]});
  });
});

describe('limits', () => {
  it.each([
    ['{ flights(limit: -1) { delay } }', 'ARGUMENT_INVALID'],
    ['{ flights(offset: -1) { delay } }', 'ARGUMENT_INVALID'],
    ['{ flights(where: {delay: {_eq: null}}) { delay } }', 'ARGUMENT_INVALID'],
    ['{ flights_by_pk(_row_id: "x") { delay } }', 'ARGUMENT_INVALID'],
  ])('%s → %s', async (source, code) => {
    await expect(graph.ask(source)).rejects.toMatchObject({code});
  });

  it('refuse what is too large, too costly or too deep', async () => {
    const {viewer} = graph;
    try {
      graph.viewer = {...viewer, limits: {...viewer.limits, rows: 10}};
      await expect(graph.ask('{ flights { delay } }')).rejects.toMatchObject({code: 'RESULT_TOO_LARGE'});
      expect((await graph.ask('{ flights(limit: 10) { delay } }')).flights).toHaveLength(10);
      graph.viewer = {...viewer, limits: {...viewer.limits, cost: 10_000}};
      await expect(graph.ask('{ flights(limit: 1) { delay } }')).rejects.toMatchObject({code: 'QUERY_TOO_COSTLY'});
      graph.viewer = {...viewer, limits: {...viewer.limits, bytes: 1000}};
      await expect(graph.ask('{ flights(limit: 100) { delay } }')).rejects.toMatchObject({code: 'RESULT_TOO_LARGE'});
      graph.viewer = {...viewer, limits: {...viewer.limits, depth: 2}};
      await expect(graph.ask('{ flights(limit: 1) { origin_airport { iata } } }')).rejects.toMatchObject({code: 'QUERY_TOO_DEEP'});
    } finally {
      graph.viewer = viewer;
    }
  });
});
