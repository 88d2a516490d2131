import {createRandom} from '../../../support/random.ts';
import {TestGraph} from '../../../support/data-graph.ts';

let graph: TestGraph;
beforeAll(async () => {
  graph = await TestGraph.start();
});
afterAll(() => graph.stop());

const spread = 'stddev {x} stddev_samp {x} stddev_pop {x} variance {x} var_samp {x} var_pop {x}';
const aggregate = async (dataset: string, selection: string, where = '{}') => (await graph.ask(`{ ${dataset}_aggregate(where: ${where}) { aggregate { ${selection} } } }`))[`${dataset}_aggregate`].aggregate;

/** Of scaled integers, exactly: `n²·variance` as a fraction of integers, divided at the end. */
function exactSpread(values: readonly bigint[], unit: number) {
  const n = BigInt(values.length);
  const sum = values.reduce((a, b) => a + b, 0n);
  const top = n * values.reduce((a, b) => a + b * b, 0n) - sum * sum;
  const divide = (bottom: bigint) => Number((top * 10n ** 40n) / bottom) / 1e40 / unit / unit;
  const samp = values.length > 1 ? divide(n * (n - 1n)) : null;
  const pop = values.length > 0 ? divide(n * n) : null;
  const root = (x: number | null) => (x === null ? null : Math.sqrt(x));
  return {stddev: {x: root(samp)}, stddev_samp: {x: root(samp)}, stddev_pop: {x: root(pop)}, variance: {x: samp}, var_samp: {x: samp}, var_pop: {x: pop}};
}

const near = (value: unknown): unknown => (typeof value === 'number' ? expect.closeTo(value, 6) : value);
const expectNear = (actual: Record<string, {x: number | null}>, expected: Record<string, {x: number | null}>, tolerance = 1e-13) => {
  for (const [name, {x}] of Object.entries(expected)) {
    if (x === null || x === 0) expect([name, actual[name]!.x]).toEqual([name, x]);
    else expect(Math.abs(actual[name]!.x! / x - 1)).toBeLessThan(tolerance);
  }
};

describe('variances', () => {
  it.each(['TINYINT', 'SMALLINT', 'INTEGER', 'UINTEGER', 'BIGINT', 'UBIGINT', 'DECIMAL(9,3)', 'DECIMAL(18,4)'])('of %s are those of exact sums', async type => {
    const random = createRandom(type.length * 7);
    const scale = Number(/,(\d)/.exec(type)?.[1] ?? 0);
    const [low, high] = {TINYINT: [-128n, 127n], SMALLINT: [-32768n, 32767n], INTEGER: [-(2n ** 31n), 2n ** 31n - 1n], UINTEGER: [0n, 2n ** 32n - 1n], BIGINT: [-(2n ** 63n), 2n ** 63n - 1n], UBIGINT: [0n, 2n ** 64n - 1n], 'DECIMAL(9,3)': [-999999999n, 999999999n], 'DECIMAL(18,4)': [-999999999999999999n, 999999999999999999n]}[type]! as [bigint, bigint];
    const all: bigint[][] = [[], [low], [high, high, high], [low, high], [low, high, low, high, high], [high, high - 1n, high - 3n], Array.from({length: 200}, () => low + BigInt(Math.floor(random.next() * 2 ** 53)) * (high - low) / (2n ** 53n))];
    const one = (value: bigint) => `'${scale ? decimal(value, scale) : value}'::${scale ? type : `DECIMAL(38,0)::${type}`}`;
    const rows = all.flatMap((values, g) => (values.length === 0 ? [`(${g}, NULL)`] : values.map(value => `(${g}, ${one(value)})`)));
    await graph.commit('ints', `SELECT g, x::${type} AS x FROM (VALUES ${rows.join(', ')}) t(g, x)`, {filesOf: 60, schema: await graph.engine.describe({sql: `SELECT 1 AS g, NULL::${type} AS x`, relations: {}})});
    const {ints_groups: groups} = await graph.ask(`{ ints_groups { key { g } aggregate { ${spread} } } }`);
    expect(groups).toHaveLength(all.length);
    all.forEach((values, g) => expectNear(groups[g].aggregate, exactSpread(values, 10 ** scale)));
  });

  it('of floats lose nothing to a great mean, and are the same however the rows lie', async () => {
    const random = createRandom(5);
    const values = Array.from({length: 3000}, () => 1e9 + random.next() / 1000);
    const sql = (list: readonly number[]) => `SELECT unnest([${list.join(', ')}]::DOUBLE[]) AS x`;
    await graph.commit('floats', sql(values), {filesOf: 700});
    const answer = await aggregate('floats', `${spread} avg {x} sum {x}`);
    const scaled = values.map(value => BigInt(value * 2 ** 23));
    expectNear(answer, exactSpread(scaled, 2 ** 23), 1e-12);
    await graph.commit('floats', sql([...values].reverse()), {filesOf: 200});
    expect(await aggregate('floats', `${spread} avg {x} sum {x}`)).toEqual(answer);
  });

  it('of what is not finite are NaN', async () => {
    await graph.commit('odd', "SELECT * FROM (VALUES (1, 'inf'::DOUBLE), (1, 1), (1, 2), (2, 'nan'), (2, 1), (3, 4.5), (4, NULL)) t(g, x)");
    const {odd_groups: groups} = await graph.ask('{ odd_groups { key { g } aggregate { var_pop {x} var_samp {x} stddev_pop {x} count(columns: x) } } }');
    expect(groups.map(({aggregate: {var_pop, var_samp, stddev_pop, count}}: any) => [var_pop.x, var_samp.x, stddev_pop.x, count])).toEqual([['NaN', 'NaN', 'NaN', 3], ['NaN', 'NaN', 'NaN', 2], [0, null, 0, 1], [null, null, null, 0]]);
  });
});

const decimal = (value: bigint, scale: number): string => {
  const digits = String(value < 0n ? -value : value).padStart(scale + 1, '0');
  return `${value < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
};

describe('aggregates', () => {
  beforeAll(() => graph.commit('rows', "SELECT i % 2 AS g, i AS n, (i * 37 % 101)::DOUBLE AS f, i > 3 AS b, i >= 0 AS c, 'w' || i % 7 AS w, DATE '2001-01-01' + (i % 11)::INT AS d FROM range(40) t(i)"));

  it('are booleans of all and any', async () => {
    expect(await aggregate('rows', 'bool_and {b c __typename} bool_or {b c}')).toEqual({bool_and: {b: false, c: true, __typename: 'rows_bool_and_fields'}, bool_or: {b: true, c: true}});
    expect(await aggregate('rows', 'bool_and {b} bool_or {b}', '{n: {_lt: "0"}}')).toEqual({bool_and: {b: null}, bool_or: {b: null}});
  });

  it('are quantiles, between values and of values', async () => {
    const {rows} = await graph.ask('{ rows { f d } }');
    const sorted = rows.map(({f}: {f: number}) => f).sort((a: number, b: number) => a - b);
    const at = (q: number) => {
      const place = q * (sorted.length - 1);
      return sorted[Math.floor(place)] + (sorted[Math.ceil(place)] - sorted[Math.floor(place)]) * (place - Math.floor(place));
    };
    for (const q of [0, 0.1, 0.5, 0.77, 1]) {
      const answer = (await graph.ask('query ($q: Float!) { rows_aggregate { aggregate { quantile(q: $q) {f} quantile_disc(q: $q) {f d w} median: quantile(q: 0.5) {f n} } } }', {q})).rows_aggregate.aggregate;
      expect(answer.quantile.f).toEqual(near(at(q)));
      expect(answer.quantile_disc.f).toBe(sorted[Math.max(Math.ceil(q * sorted.length) - 1, 0)]);
      expect(answer.median).toEqual({f: near(at(0.5)), n: 19.5});
    }
    await expect(graph.ask('{ rows_aggregate { aggregate { quantile(q: 1.5) {f} } } }')).rejects.toMatchObject({code: 'ARGUMENT_INVALID'});
  });

  it('count different values about', async () => {
    expect(await aggregate('rows', 'approx_count_distinct {w d n}')).toEqual({approx_count_distinct: {w: 7, d: 11, n: expect.closeTo(40, -1)}});
  });

  it('choose and order groups', async () => {
    const {rows_groups: groups} = await graph.ask('{ rows_groups(order_by: [{stddev: {f: desc}}, {bool_and: {b: asc}}], having: {var_pop: {f: {_gt: 0}}, bool_or: {b: {_eq: true}}, approx_count_distinct: {w: {_eq: 7}}}) { key { g } aggregate { stddev {f} } } }');
    expect(groups).toHaveLength(2);
    expect(groups[0].aggregate.stddev.f).toBeGreaterThan(groups[1].aggregate.stddev.f);
  });

  it('sum past 64 bits, and say when even 38 digits are too few', async () => {
    await graph.commit('great', "SELECT 9223372036854775807 AS i, 18446744073709551615::UBIGINT AS u, 99999999999999999999999999999999999999::DECIMAL(38,0) AS d FROM range(3)");
    expect(await aggregate('great', 'sum {i u} avg {i}')).toEqual({sum: {i: String(3n * (2n ** 63n - 1n)), u: String(3n * (2n ** 64n - 1n))}, avg: {i: 2 ** 63}});
    await expect(aggregate('great', 'sum {d}')).rejects.toMatchObject({code: 'SUM_TOO_LARGE'});
  });

  it('of parts can be put together', async () => {
    // What subscriptions keep for each file: partials with the same values as those of all rows.
    const whole = await aggregate('rows', 'count sum {n f} avg {n f} var_samp {n f} min {d} max {w} bool_and {b}');
    const halves = await Promise.all(['"0"', '"1"'].map(g => aggregate('rows', 'count sum {n}', `{g: {_eq: ${g}}}`)));
    expect(halves.reduce((sum, {count}) => sum + count, 0)).toBe(whole.count);
    expect(String(halves.reduce((sum, half) => sum + BigInt(half.sum.n), 0n))).toBe(whole.sum.n);
  });
});
