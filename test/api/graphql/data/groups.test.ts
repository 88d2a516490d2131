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
  await graph.commit('times', `
    SELECT * FROM (VALUES
      (TIMESTAMPTZ '2001-10-28 00:30:00Z', TIMESTAMP '2001-01-03 10:20:30', DATE '2001-02-15', TIME '10:20:30', -7::SMALLINT, -7.5::DOUBLE, -7.25::DECIMAL(9,2), (-9223372036854775807 - 1)::BIGINT, {'a': 1, 'at': DATE '2001-05-05'}),
      (TIMESTAMPTZ '2001-10-28 01:30:00Z', TIMESTAMP '2001-01-07 10:40:00', DATE '2001-03-31', TIME '23:00:00',  7::SMALLINT,  7.5::DOUBLE,  7.25::DECIMAL(9,2),  9223372036854775807::BIGINT, {'a': 1, 'at': DATE '2001-05-06'}),
      (TIMESTAMPTZ '2001-06-30 22:30:00Z', NULL, NULL, NULL, 0::SMALLINT, '-0'::DOUBLE, 0::DECIMAL(9,2), 0::BIGINT, NULL),
      (NULL, NULL, NULL, NULL, NULL, 0::DOUBLE, NULL, NULL, NULL)
    ) t(instant, wall, day, clock, small, float, price, big, place)`);
}, 60_000);
afterAll(() => graph.stop());

const groups = async (source: string, variables?: Record<string, unknown>) => Object.values(await graph.ask(source, variables))[0];

describe('groups', () => {
  it('are made by the keys of the selection, with aggregates and rows, in one statement', async () => {
    const before = graph.statements.length;
    const answer = await groups('{ flights_groups(where: {delay: {_gt: 30}}) { key { origin } aggregate { count sum { delay } avg { delay } max { date } } nodes { delay } } }');
    expect(graph.statements.length - before).toBe(1);
    const {flights} = await graph.ask('{ flights(where: {delay: {_gt: 30}}) { delay origin date } }');
    const by = Map.groupBy(flights as {delay: number; origin: string; date: string}[], ({origin}) => origin);
    expect(answer).toEqual(
      [...by].sort(([a], [b]) => (a < b ? -1 : 1)).map(([origin, rows]) => ({
        key: {origin},
        aggregate: {
          count: rows.length,
          sum: {delay: String(rows.reduce((sum, {delay}) => sum + delay, 0))},
          avg: {delay: rows.reduce((sum, {delay}) => sum + delay, 0) / rows.length},
          max: {date: rows.map(({date}) => date).sort().at(-1)},
        },
        nodes: rows.map(({delay}) => ({delay})),
      })),
    );
  });

  it('are ordered by aggregates and keys, chosen by aggregates, and limited', async () => {
    const all = await groups('{ flights_groups { key { origin destination } aggregate { count avg { delay } } } }');
    const shown = await groups('query ($n: Int!) { flights_groups(having: {count: {_gte: $n}, _not: {avg: {delay: {_lt: 0}}}}, order_by: [{count: desc}, {key: {destination: desc, origin: asc}}], limit: 5, offset: 1) { key { origin destination } aggregate { count avg { delay } } } }', {n: 3});
    const expected = all.filter((group: any) => group.aggregate.count >= 3 && !(group.aggregate.avg.delay < 0));
    const text = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
    expected.sort((a: any, b: any) => b.aggregate.count - a.aggregate.count || text(a.key.origin, b.key.origin) || text(b.key.destination, a.key.destination));
    expect(shown).toHaveLength(5);
    expect(shown).toEqual(expected.slice(1, 6));
  });

  it('are one without a key, also of no rows', async () => {
    expect(await groups('{ flights_groups { aggregate { count } nodes(limit: 2) { _row_id } } }')).toEqual([{aggregate: {count: 20000}, nodes: [{_row_id: '0'}, {_row_id: '1'}]}]);
    expect(await groups('{ flights_groups(where: {origin: {_eq: "?"}}) { aggregate { count sum { delay } } nodes { _row_id } } }')).toEqual([{aggregate: {count: 0, sum: {delay: null}}, nodes: []}]);
    expect(await groups('{ flights_groups(where: {origin: {_eq: "?"}}) { key { origin } nodes { _row_id } } }')).toEqual([]);
  });

  it('have keys of related rows, and rows of their own order with related rows', async () => {
    const answer = await groups(`{ flights_groups(order_by: [{key: {origin_airport: {state: desc}}}, {key: {arrives_at: {state: asc}}}], limit: 3) {
      __typename key { __typename from: origin_airport { state __typename } arrives_at { state } }
      aggregate { count }
      latest: nodes(order_by: [{date: desc}], limit: 2, offset: 1) { date arrives_at { state } origin_airport { state } }
      nodes { _row_id date }
    } }`);
    expect(answer).toHaveLength(3);
    for (const {key, aggregate, latest, nodes, __typename} of answer) {
      expect([__typename, key.__typename, key.from.__typename]).toEqual(['flights_group', 'flights_group_key', 'airports_group_key']);
      expect(nodes).toHaveLength(aggregate.count);
      const dates = nodes.map(({date}: {date: string}) => date).sort().reverse();
      expect(latest.map(({date}: {date: string}) => date)).toEqual(dates.slice(1, 3));
      for (const row of latest) expect([row.origin_airport.state, row.arrives_at.state]).toEqual([key.from.state, key.arrives_at.state]);
    }
    expect(new Set(answer.map(({key}: any) => key.from.state)).size).toBe(1);
  });

  it('have the same key under several names', async () => {
    const answer = await groups('query ($no: Boolean!) { flights_groups(limit: 1, order_by: [{count: desc}]) { a: key { o: origin destination @include(if: $no) } b: key { origin month: date(trunc: MONTH) } aggregate { count } } }', {no: false});
    expect(answer).toEqual([{a: {o: answer[0].b.origin}, b: {origin: expect.any(String), month: '2001-01-01T00:00:00'}, aggregate: {count: expect.any(Number)}}]);
  });

  it('are refused where there are too many, or too many rows in them', async () => {
    const {viewer} = graph;
    try {
      graph.viewer = {...viewer, limits: {...viewer.limits, rows: 20}};
      await expect(graph.ask('{ flights_groups { key { origin } } }')).rejects.toMatchObject({code: 'RESULT_TOO_LARGE'});
      await expect(graph.ask('{ flights_groups(limit: 2) { key { origin } nodes { delay } } }')).rejects.toMatchObject({code: 'RESULT_TOO_LARGE'});
      expect(await groups('{ flights_groups(limit: 2) { key { origin } nodes(limit: 3) { delay } } }')).toHaveLength(2);
    } finally {
      graph.viewer = viewer;
    }
  });
});

describe('keys', () => {
  const keys = async (selection: string) => (await groups(`{ times_groups { key { ${selection} } aggregate { count } } }`)).map(({key, aggregate}: any) => [...Object.values(key), aggregate.count]);

  it.each([
    ['instant(trunc: HOUR, time_zone: "Europe/Berlin")', [['2001-06-30T22:00:00Z', 1], ['2001-10-28T00:00:00Z', 1], ['2001-10-28T01:00:00Z', 1], [null, 1]]],
    ['instant(trunc: HOUR, time_zone: "Asia/Kathmandu")', [['2001-06-30T22:15:00Z', 1], ['2001-10-28T00:15:00Z', 1], ['2001-10-28T01:15:00Z', 1], [null, 1]]],
    ['instant(trunc: DAY, time_zone: "europe/berlin")', [['2001-06-30T22:00:00Z', 1], ['2001-10-27T22:00:00Z', 2], [null, 1]]],
    ['instant(trunc: MONTH)', [['2001-06-01T00:00:00Z', 1], ['2001-10-01T00:00:00Z', 2], [null, 1]]],
    ['instant_part(part: HOUR, time_zone: "Europe/Berlin")', [[0, 1], [2, 2], [null, 1]]],
    ['instant_part(part: HOUR)', [[0, 1], [1, 1], [22, 1], [null, 1]]],
    ['wall(trunc: WEEK)', [['2001-01-01T00:00:00', 2], [null, 2]]],
    ['h: wall_part(part: HOUR) d: wall_part(part: DOW) i: wall_part(part: ISODOW)', [[10, 0, 7, 1], [10, 3, 3, 1], [null, null, null, 2]]],
    ['day(trunc: QUARTER) day_part(part: MONTH)', [['2001-01-01', 2, 1], ['2001-01-01', 3, 1], [null, null, 2]]],
    ['clock_part(part: HOUR)', [[10, 1], [23, 1], [null, 2]]],
    ['small(bin: 5)', [[-10, 1], [0, 1], [5, 1], [null, 1]]],
    ['float(bin: 5)', [[-10, 1], [0, 2], [5, 1]]],
    ['float', [[-7.5, 1], [0, 2], [7.5, 1]]],
    ['price(bin: "0.5")', [['-7.50', 1], ['0.00', 1], ['7.00', 1], [null, 1]]],
    ['big(bin: "10")', [['-9223372036854775808', 1], ['0', 1], ['9223372036854775800', 1], [null, 1]]],
    ['place { at(trunc: MONTH) at_part(part: DAY) }', [[{at: '2001-05-01', at_part: 5}, 1], [{at: '2001-05-01', at_part: 6}, 1], [{at: null, at_part: null}, 2]]],
  ])('%s', async (selection, expected) => {
    expect(await keys(selection)).toEqual(expected);
  });

  it.each([
    ['small(bin: 0)', /wider than 0/],
    ['float(bin: -1)', /wider than 0/],
    ['instant(trunc: DAY, time_zone: "Mars/Olympus")', /no time zone/],
    ['instant(trunc: DAY, time_zone: "+02:00")', /no time zone/],
    ['instant(time_zone: "Europe/Berlin")', /trunc/],
    ['clock_part(part: YEAR)', /time of day/],
    ['small order: place { a }', /no key/],
  ])('%s is refused', async (selection, message) => {
    const order = selection.includes('order:') ? '(order_by: [{key: {price: asc}}])' : '';
    const {errors} = await graph.execute(`{ times_groups${order} { key { ${selection} } } }`);
    expect(errors?.[0]!.message).toMatch(message);
    expect(errors?.[0]!.extensions.code).toBe('ARGUMENT_INVALID');
  });

  it('order groups by what is made of a column', async () => {
    const answer = await groups('{ times_groups(order_by: [{key: {wall: desc_nulls_last}}]) { key { wall_part(part: DAY) wall(trunc: MONTH) } aggregate { count } } }');
    expect(answer.map(({key}: any) => Object.values(key))).toEqual([[7, '2001-01-01T00:00:00'], [3, '2001-01-01T00:00:00'], [null, null]]);
  });
});
