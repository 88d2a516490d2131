/** What the engine tells of queries from statistics alone: it must say what follows, and never what real rows contradict. */
import fc from 'fast-check';
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {createDuckDbEngine} from '../../src/engines/duckdb/engine.ts';
import type {Engine, RelationFacts, Table} from '../../src/engines/engine.ts';
import {boundOf, compareBounds, isLess} from '../../src/schemas/bounds.ts';
import type {ColumnProfile, Schema} from '../../src/schemas/schema.ts';

let folder: string;
let engine: Engine;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'foresee-'));
  engine = createDuckDbEngine({allowedFolders: [folder], threads: 1, tempFolder: join(folder, 'tmp'), maxQueries: 2});
  await engine.start();
});
afterAll(async () => {
  await engine.stop();
  await rm(folder, {recursive: true, force: true});
});

const factsFrom = (schema: Schema, profile: readonly ColumnProfile[], rows: number, key?: readonly string[]): RelationFacts => ({
  columns: schema.fields.map(({name, type}, index) => {
    const {min, max, nulls, distinct} = profile[index]!;
    return {name, type, min, max, attained: true, nulls: rows === 0 ? 'unknown' : nulls === 0 ? 'none' : nulls === rows ? 'all' : 'some', distinct};
  }),
  least: rows, most: rows, keys: key ? [key] : [], repeats: [],
});

let files = 0;
/** A table of what a SELECT gives, and its facts from a profile. */
async function tableOf(sql: string, relations: Readonly<Record<string, Table>> = {}, key?: readonly string[]): Promise<{table: Table; facts: RelationFacts; rows: number; profile: readonly ColumnProfile[]}> {
  const query = {sql, relations};
  const described = await engine.describe(query);
  const schema = {fields: described.fields.map((field, index) => ({...field, id: index + 1}))};
  const target = await mkdtemp(join(folder, `t${files++}-`));
  const written = await engine.materialize(query, {folder: target, schema});
  const rows = written.reduce((sum, file) => sum + file.rowCount, 0);
  const table: Table = {kind: 'table', schema, uniform: true, files: written.map(file => ({...file, firstRowId: 0, rowIds: 'positional'}))};
  const profile = await engine.profile(table);
  return {table, facts: factsFrom(schema, profile, rows, key), rows, profile};
}

const flights = "SELECT TIMESTAMP '2001-01-01 00:05:00' + to_minutes(i * 500) AS date, i::INTEGER AS id, (i % 60)::SMALLINT AS delay, 'AP' || (i % 7) AS origin FROM range(1000) t(i)";
const weather = "SELECT DATE '2012-01-01' + (i % 1461)::INTEGER AS date, (i % 40)::DOUBLE AS wind, (['Seattle', 'New York'])[1 + i // 1461] AS location FROM range(2922) t(i)";
const airports = "SELECT 'AP' || i AS iata, NULL::INTEGER AS closed FROM range(7) t(i)";

const made = async () => ({flights: await tableOf(flights), weather: await tableOf(weather), airports: await tableOf(airports, {}, ['iata'])});
let once: ReturnType<typeof made> | undefined;

async function foresee(sql: string, params: readonly string[] = []) {
  const tables = await (once ??= made());
  const relations = Object.fromEntries(Object.entries(tables).map(([name, {table}]) => [name, table]));
  return engine.foresee({sql, relations, params}, Object.fromEntries(Object.entries(tables).map(([name, {facts}]) => [name, facts])));
}

test.each([
  ['SELECT f.id, w.wind FROM flights f JOIN weather w ON w.date = f.date::DATE', /^no row of the inner join can match: .*weather.date is from 2012-01-01 to 2015-12-31/],
  ["WITH days AS (SELECT *, date_trunc('day', date) AS day FROM flights) SELECT * EXCLUDE (wind) FROM days LEFT JOIN weather ON days.day = weather.date", 'left join can match'],
  ['SELECT * FROM (SELECT id, CAST(date AS DATE) AS date FROM flights) JOIN weather USING (date)', 'flights.date is from 2001-01-01 to 2001-12-13, weather.date'],
  ['SELECT id FROM (SELECT id, CAST(date AS DATE) AS date FROM flights) a NATURAL JOIN weather', 'inner join can match'],
  ['SELECT id FROM flights SEMI JOIN weather ON year(flights.date) = year(weather.date)', 'flights.date is 2001, weather.date is from 2012 to 2015'],
  ['SELECT f.id FROM flights f, weather w WHERE f.date::DATE = w.date', 'no row can pass the filter: flights.date is from 2001-01-01 to 2001-12-13, weather.date is'],
  ['SELECT id FROM flights JOIN airports ON airports.closed = flights.id', 'airports.closed is null in every row'],
  ["SELECT id FROM flights WHERE date >= DATE '2002-01-01'", 'no row can pass the filter'],
  ["SELECT id FROM flights WHERE date < '2001-01-01'", 'it is compared with 2001-01-01'],
  ['SELECT id FROM flights WHERE date <= CAST($1 AS DATE)', 'it is compared with 2000-06-30'],
  ["SELECT id FROM flights WHERE origin = 'ZZZ' AND delay > 3", "flights.origin is from AP0 to AP6"],
  ['SELECT id FROM flights WHERE delay BETWEEN 100 AND 200', 'flights.delay is from 0 to 59'],
  ['SELECT id FROM flights WHERE delay > 59', 'flights.delay is from 0 to 59'],
])('%s: nothing comes', async (sql, says) => {
  const {findings} = await foresee(sql, ['2000-06-30']);
  expect(findings).toEqual([{kind: expect.stringMatching(/without_match$/), certainty: 'proven', detail: expect.stringMatching(says)}]);
});

test.each([
  ['SELECT f.id, w.wind FROM flights f JOIN weather w ON w.date = f.date::DATE + INTERVAL 11 YEAR'],
  ['SELECT f.id FROM flights f JOIN weather w ON w.date <> f.date::DATE'],
  ['SELECT f.id FROM flights f LEFT JOIN weather w ON w.date > f.date::DATE'],
  ['SELECT f.id FROM flights f JOIN airports a ON a.iata = f.origin'],
  ['SELECT f.id FROM flights f JOIN (SELECT iata FROM airports UNION ALL SELECT location FROM weather) a ON a.iata = f.origin'],
  ['SELECT f.id FROM flights f JOIN weather w ON w.date IS NOT DISTINCT FROM f.date::DATE'],
  ['SELECT f.id FROM flights f JOIN weather w ON w.date = f.date::DATE OR w.wind = f.delay'],
  ['SELECT id FROM flights WHERE delay >= 59'],
  ["SELECT id FROM flights WHERE date >= '2001-12-01' AND delay < 1"],
  ['SELECT id FROM flights WHERE NOT (delay > 100)'],
  ['SELECT id FROM flights WHERE delay > 100 OR id = 3'],
])('%s: something may come', async sql => {
  expect((await foresee(sql)).findings.filter(({kind}) => kind !== 'join_multiplies')).toEqual([]);
});

test('days of the first century are before all others', async () => {
  const old = await tableOf("SELECT unnest([DATE '0001-01-01', DATE '1955-06-01']) AS day");
  const of = (sql: string) => engine.foresee({sql, relations: {old: old.table}}, {old: old.facts});
  expect((await of("SELECT day FROM old WHERE day < DATE '1800-01-01'")).findings).toEqual([]);
  expect((await of("SELECT date_trunc('month', day) AS month FROM old")).result!.columns).toMatchObject([{min: '0001-01-01 00:00:00', max: '1955-06-01 00:00:00'}]);
});

test('bounds that are rounded alike are not taken for equal', () => {
  const type = {kind: 'decimal', precision: 38, scale: 20} as const;
  const [low, high] = [{type, min: '0.1', max: '0.1'}, {type, min: '0.10000000000000000001', max: '0.10000000000000000001'}];
  expect([isLess(high, low, true), isLess({type, min: '3', max: '3'}, {type, min: '3', max: '4'}, true)]).toEqual([false, true]);
});

test('columns that will be null, keys and repeated rows', async () => {
  const left = await foresee("SELECT f.id, w.wind, w.wind * 2 AS twice, coalesce(w.wind, 0) AS calm, TRY_CAST(f.origin AS INTEGER) AS number, NULL AS later FROM flights f LEFT JOIN weather w ON w.date = f.date::DATE");
  expect(left.result!.columns.filter(({nulls}) => nulls === 'all').map(({name, why}) => [name, why !== undefined])).toEqual([['wind', true], ['twice', true], ['number', true], ['later', false]]);
  expect(left.result).toMatchObject({least: 1000, most: 1000});
  const many = await foresee('SELECT f.id, f.origin, w.location FROM flights f JOIN weather w ON w.wind = f.delay');
  expect(many.findings).toMatchObject([{kind: 'join_multiplies', certainty: 'likely'}]);
  expect(many.result!.repeats.map(({columns}) => columns)).toEqual([['id', 'origin'], ['location']]);
  expect((await foresee("SELECT f.id FROM flights f JOIN (SELECT * FROM weather WHERE location = 'Seattle') w ON w.wind = f.delay")).findings).toEqual([]);
  const keyed = await foresee('SELECT f.*, a.iata FROM airports a JOIN flights f ON a.iata = f.origin');
  expect(keyed).toMatchObject({findings: [], result: {most: 1000, keys: []}});
  expect((await foresee('SELECT origin, count(*) AS n FROM flights GROUP BY origin')).result).toMatchObject({keys: [['origin']], least: 1});
  expect((await foresee('SELECT iata, max(delay) AS worst FROM airports LEFT JOIN flights ON origin = iata GROUP BY ALL')).result).toMatchObject({keys: [['iata']], columns: [{name: 'iata', min: 'AP0', max: 'AP6'}, {name: 'worst', min: '0', max: '59'}]});
});

/** Statements over a(i, s, d, b) and c(i, s, t), key c.i. */
const statements = [
  'SELECT * FROM a', 'SELECT i + 1 AS j, i, -i AS n, i - 3 AS m FROM a', 'SELECT * FROM a WHERE i > 2 AND i <= 5', 'SELECT * FROM a WHERE i BETWEEN 1 AND 4', 'SELECT * FROM a WHERE 3 >= i',
  'SELECT i, s FROM a WHERE s IS NOT NULL', 'SELECT i FROM a WHERE i = 3', 'SELECT DISTINCT i FROM a', 'SELECT i, count(*) AS n, min(d) AS first, max(s) AS last, sum(i) AS sum FROM a GROUP BY i',
  'SELECT i AS g, s FROM a GROUP BY ALL', 'SELECT i % 2 AS odd, any_value(s) AS s FROM a GROUP BY 1', 'SELECT count(*) AS n, min(i) AS low FROM a', 'SELECT count(*) AS n FROM a GROUP BY i HAVING count(*) > 1',
  'SELECT i, sum(i) AS n FROM a GROUP BY ROLLUP (i)', 'SELECT a.i, c.t, c.i AS ci FROM a JOIN c ON a.i = c.i', 'SELECT a.*, c.t FROM a LEFT JOIN c ON a.i = c.i', 'SELECT a.i, a.s, c.t FROM a RIGHT JOIN c ON a.i = c.i',
  'SELECT a.i, c.i AS ci, c.t FROM a FULL JOIN c ON a.i = c.i', 'SELECT * FROM a JOIN c USING (i)', 'SELECT i, t FROM a LEFT JOIN c USING (i)', 'SELECT * FROM a NATURAL JOIN c', 'SELECT a.i, c.i AS j FROM a, c WHERE a.i = c.i',
  'SELECT a.i, c.t FROM a CROSS JOIN c', 'SELECT * FROM a SEMI JOIN c ON a.i = c.i', 'SELECT * FROM a ANTI JOIN c ON a.i = c.i', 'SELECT i FROM a UNION ALL SELECT i FROM c', 'SELECT i FROM a UNION SELECT i FROM c', 'SELECT i FROM a EXCEPT SELECT i FROM c',
  'SELECT i FROM a INTERSECT SELECT i FROM c', 'SELECT * FROM a ORDER BY i LIMIT 2', 'SELECT d::DATE AS day, year(d) AS y, date_trunc(\'month\', d) AS m, d FROM a', 'SELECT TRY_CAST(i AS UTINYINT) AS u, i::DOUBLE AS f, i::VARCHAR AS t, TRY_CAST(s AS INTEGER) AS n FROM a',
  'SELECT coalesce(i, 7) AS i, CASE WHEN b THEN i ELSE 9 END AS c, coalesce(s, \'zz\') AS s, lower(s) AS l FROM a', 'WITH w AS (SELECT i AS k, d FROM a WHERE i < 4) SELECT w.k, c.t FROM w LEFT JOIN c ON w.k = c.i',
  'SELECT x.k FROM (SELECT i FROM a) x(k) WHERE x.k < 3', 'SELECT a.i, c.i AS j FROM a LEFT JOIN c ON a.i < c.i', 'SELECT i, row_number() OVER (ORDER BY i) AS r FROM a QUALIFY r < 3', 'SELECT i, unnest([1, 2]) AS u FROM a',
  'SELECT DISTINCT ON (i) i, s FROM a', 'SELECT a.i FROM a JOIN c ON a.s = c.s', 'SELECT c.i, a.d FROM c LEFT JOIN a ON a.s = c.s AND a.i = c.i', 'SELECT i FROM a WHERE d < \'2001-01-05\'', 'SELECT 5 AS five, \'x\' AS x, NULL AS n, true AS t FROM a',
  'SELECT i, t FROM a RIGHT JOIN c USING (i)', 'SELECT * FROM a FULL JOIN c USING (i)', 'SELECT i FROM a FULL JOIN c USING (i) WHERE i > 4', 'SELECT i, s FROM a NATURAL RIGHT JOIN c', 'SELECT c.i, a.i AS j FROM a RIGHT JOIN c USING (i)',
  'SELECT i, unnest([1, 2]) + 1 AS u FROM a', 'SELECT i, unnest({x: s, y: i}) FROM a', 'SELECT max(COLUMNS(*)) FROM a', 'SELECT o.* FROM (SELECT {x: s, y: i} AS o FROM a)', 'SELECT COLUMNS(*) + 0 FROM (SELECT i, i + 1 AS j FROM a)',
  'SELECT unnest(CASE WHEN b THEN [i] ELSE [] END) AS u FROM a', 'SELECT d FROM a WHERE d < \'1800-01-01\'', 'SELECT i FROM a INTERSECT ALL SELECT i FROM c', 'SELECT i FROM a EXCEPT ALL SELECT i FROM c', 'SELECT min(i, 2) AS least FROM a', 'SELECT i AS s, s AS i FROM a WHERE i > 3',
  'SELECT i FROM a WHERE i IN (SELECT i FROM c)', 'SELECT x.i FROM a x, LATERAL (SELECT x.i + c.i AS i FROM c) y WHERE y.i > 3', 'SELECT i, sum(i) FILTER (WHERE i > 5) AS n, count(s) AS k FROM a GROUP BY GROUPING SETS ((i), ())', 'SELECT i::DATE AS x FROM (SELECT d AS i FROM a)',
];

const value = fc.oneof({weight: 1, arbitrary: fc.constant(null)}, {weight: 6, arbitrary: fc.integer({min: -3, max: 9})});
type Row = readonly [number | null, number | null, number | null, number | null];
const literals = (rows: readonly Row[], columns: (row: Row) => string): string => rows.map(columns).join(' UNION ALL ');
const text = (n: number | null): string => (n === null ? 'NULL::VARCHAR' : `'${'pqrstuvwxyz0123'[n + 3]}${n}'`);

test('whatever it says holds for real rows', async () => {
  const rowsOf = fc.array(fc.tuple(value, value, value, value), {minLength: 1, maxLength: 6});
  await fc.assert(fc.asyncProperty(rowsOf, rowsOf, fc.uniqueArray(fc.integer({min: 0, max: statements.length - 1}), {minLength: 9, maxLength: 9}), async (as, cs, chosen) => {
    const unique = [...new Map(cs.filter(([i]) => i !== null).map(row => [row[0], row])).values()];
    const a = await tableOf(literals(as, ([i, s, d, b]) => `SELECT ${i}::INTEGER AS i, ${text(s)} AS s, ${d === null ? 'NULL::TIMESTAMP' : `TIMESTAMP '2001-01-04 10:30:00' + to_days(${d})`} AS d, ${b === null ? 'NULL::BOOLEAN' : b > 3} AS b`));
    const c = await tableOf(unique.length === 0 ? 'SELECT 1 AS i, NULL::VARCHAR AS s, 2.5::DOUBLE AS t WHERE false' : literals(unique, ([i, s, t]) => `SELECT ${i}::INTEGER AS i, ${text(s)} AS s, ${t}::DOUBLE AS t`), {}, ['i']);
    for (const sql of chosen.map(index => statements[index]!)) {
      const {result, findings} = await engine.foresee({sql, relations: {a: a.table, c: c.table}}, {a: a.facts, c: c.facts});
      const real = await tableOf(sql, {a: a.table, c: c.table});
      if (result === null) continue;
      const claim = {sql, result};
      expect({...claim, rows: real.rows >= result.least && real.rows <= result.most}).toEqual({...claim, rows: true});
      for (const [index, column] of result.columns.entries()) {
        const {min, max, nulls} = real.profile[index]!;
        const {type} = real.table.schema.fields[index]!;
        const within = (own: string | null, other: string | null, sign: 1 | -1): boolean => {
          const [limit, met] = [boundOf(column.type, own), boundOf(type, other)];
          return limit === null || met === null || compareBounds(limit, met) * sign <= 0;
        };
        const holds = {
          low: within(column.min, min, 1), high: within(column.max, max, -1),
          nulls: column.nulls === 'none' ? nulls === 0 : column.nulls === 'some' ? nulls > 0 : column.nulls !== 'all' || nulls === real.rows,
          attained: !column.attained || real.rows === 0 || column.min === null || min === null || compareBounds(boundOf(column.type, column.min)!, boundOf(type, min)!) === 0,
        };
        expect({...claim, column: column.name, real: real.profile[index], ...holds}).toEqual({...claim, column: column.name, real: real.profile[index], low: true, high: true, nulls: true, attained: true});
      }
      for (const key of result.keys) {
        const list = key.map(name => `"${name}"`).join(', ');
        const [{n}] = (await engine.rows({sql: `SELECT count(*) - (SELECT count(*) FROM (SELECT DISTINCT ${list} FROM r)) AS n FROM r`, relations: {r: real.table}})) as [{n: bigint}];
        expect({...claim, key, n}).toEqual({...claim, key, n: 0n});
      }
      const nothing = result.most === 0 || (findings.some(({kind}) => kind === 'filter_without_match') && !sql.includes(' UNION '));
      expect({...claim, empty: nothing && real.rows > 0}).toEqual({...claim, empty: false});
    }
  }), {numRuns: 8});
}, 120_000);
