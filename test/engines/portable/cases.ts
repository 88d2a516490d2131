/** Statements of the portable core over three small tables of edge values. Each is run on every engine that has it. */
import type {Relation} from '../../../src/engines/engine.ts';
import type {Schema} from '../../../src/schemas/schema.ts';
import {parseTypeName} from '../../../src/schemas/parse-type.ts';

/** Columns and rows of a table, as SQL that makes them. */
interface TestTable {
  readonly columns: Readonly<Record<string, string>>;
  readonly rows: string;
}

export const testTables: Readonly<Record<string, TestTable>> = {
  /** A row is an extreme of each type. */
  edges: {
    columns: {
      id: 'int32', i8: 'int8', i16: 'int16', i32: 'int32', i64: 'int64', f32: 'float32', f64: 'float64', d: 'decimal(10,2)', s: 'utf8', b: 'bool', dt: 'date', ts: 'timestamp', tz: 'timestamptz',
    },
    rows: `VALUES
      (1, 1, 2, 3, 4, '1.5', '2.5', 1.25, 'abc', true, '2001-02-03', '2001-02-03 04:05:06.789', '2001-02-03 04:05:06+00'),
      (2, -128, -32768, -2147483648, -9223372036854775808, '-0.0', '-0.0', -99999999.99, 'ÄÖü ß', false, '1969-12-31', '1969-12-31 23:59:59.999999', '1899-01-01 00:00:00+00'),
      (3, 127, 32767, 2147483647, 9223372036854775807, 'nan', 'nan', 99999999.99, '', null, '2024-02-29', '2024-02-29 12:00:00', '2024-02-29 23:59:59.999999+00'),
      (4, 0, 0, 0, 0, 'inf', 'inf', 0, '  spaced  ', true, '2000-12-31', '2000-12-31 00:00:00', '2000-12-31 00:00:00+00'),
      (5, null, null, null, null, null, null, null, null, null, null, null, null),
      (6, -7, -7, -7, -7, '-inf', '-inf', -7.5, 'a%b_c\\d', false, '1582-10-10', '1582-10-10 01:02:03', '1582-10-10 01:02:03+00'),
      (7, 10, 10, 10, 10, '0.5', '3.5', 10.05, '🎉 x''y\${z}', true, '9999-12-31', '9999-12-31 23:59:59.999999', '9999-12-31 23:59:59.999999+00'),
      (8, 3, 3, 3, 4, '0.1', '0.1', 0.01, 'abc', true, '2001-02-03', '2001-02-03 04:05:06.789', '2001-02-03 04:05:06+00')`,
  },
  names: {columns: {id: 'int32', name: 'utf8', n: 'int32'}, rows: "VALUES (1, 'one', 10), (2, 'two', 20), (2, 'zwei', 21), (null, 'none', 0), (9, 'nine', 90)"},
  many: {
    columns: {id: 'int32', k: 'int32', v: 'int32', x: 'float64', c: 'utf8', day: 'date', moment: 'timestamp'},
    rows: `SELECT i, i % 3, CASE WHEN i % 7 = 0 THEN NULL ELSE i * 37 % 11 END, i % 5 / 4, chr(CAST(97 + i % 4 AS INTEGER)), date '2001-01-01' + CAST(i * 3 AS INTEGER), timestamp '2001-01-01' + to_minutes(i * 97) FROM range(60) AS r(i)`,
  },
};

export const testSchema = (name: string): Schema =>
  ({fields: Object.entries(testTables[name]!.columns).map(([column, type], index) => ({id: index + 1, name: column, type: parseTypeName(type)!, nullable: true}))});

export const testRelations: Readonly<Record<string, Relation>> = Object.fromEntries(Object.keys(testTables).map(name => [name, {kind: 'table', schema: testSchema(name), files: []}]));

/** By what they are about. */
export const cases: Readonly<Record<string, readonly string[]>> = {
  columns: ['SELECT * FROM edges', 'SELECT * EXCLUDE (f32) REPLACE (i8 + 1 AS i8) FROM edges WHERE id <> 3', 'SELECT x AS y, y + 1 AS z FROM many WHERE y > 0.5', 'SELECT DISTINCT k, c FROM many ORDER BY k, c'],
  integers: [
    'SELECT id, i8 + 1 AS a, i32 * 2::BIGINT AS b, i64 // 3 AS c, i32 % 4 AS d, -i16 AS e FROM edges WHERE id NOT IN (2, 3)',
    'SELECT id, i32 // 0 AS a, i32 % 0 AS b, i64 // nullif(i32, 3) AS c FROM edges',
    'SELECT 9223372036854775807 AS most, -9223372036854775808 AS least, 170141183460469231 * 10 AS big FROM names',
  ],
  decimals: ['SELECT id, d + 1.5 AS a, d * d AS b, d - id AS c, d % 3 AS e FROM edges', 'SELECT d::INTEGER AS i, d::DECIMAL(12, 1) AS one FROM edges'],
  division: ['SELECT id, d / 3 AS a, f64 / 2 AS b, i32 / i16 AS c, f64 / f32 AS e, i32 / 0 AS f, f64 / 0 AS g, 1 / f64 AS h FROM edges'],
  rounding: ['SELECT f64::INTEGER AS i, f64::DECIMAL(10, 2) AS d, round(f64) AS r, floor(f64) AS f, ceil(f64) AS c FROM edges WHERE id IN (1, 7, 8)', 'SELECT round(d) AS r, abs(d) AS a, abs(f64) AS b FROM edges'],
  conditions: [
    "SELECT id IN (1, 2, 3) AS a, id NOT IN (1, NULL) AS c, id BETWEEN 2 AND 4 AS e, NOT b AS f, b AND id > 3 AS g, b OR id IS NULL AS h FROM edges",
    "SELECT CASE WHEN i32 > 3 THEN 'big' WHEN i32 IS NULL THEN 'none' ELSE 'small' END AS size, coalesce(i8, 0) AS i8, nullif(i32, 3) AS i32, greatest(i8, i16) AS g, least(f64, i32) AS l FROM edges",
    "SELECT id FROM edges WHERE tz > '2001-01-01 00:00:00+01' OR ts <= '1969-12-31 23:59:59.999999' OR dt = '2024-02-29'",
    'SELECT id, f64 = f32 AS a, f64 > 1 AS c, i32 IS NOT DISTINCT FROM NULL AS e FROM edges',
  ],
  text: [
    "SELECT s, length(s) AS l, contains(s, 'b') AS c, strpos(s, 'c') AS p, s || 'x' AS x, concat(s, 'y') AS y, starts_with(s, 'a') AS a FROM edges",
    "SELECT id, s LIKE 'a%' AS a, s LIKE '%\\d' AS b, s LIKE '%\\%' AS c, s LIKE 'a_c' AS d, s NOT LIKE '%b%' AS e, s LIKE name AS f FROM edges LEFT JOIN names USING (id)",
    `SELECT id FROM edges WHERE s = '🎉 x''y\${z}' OR s = 'a%b_c\\d' OR s < 'a'`,
    'SELECT CAST(id AS VARCHAR) AS i, CAST(d AS VARCHAR) AS d, CAST(dt AS VARCHAR) AS dt, CAST(ts AS VARCHAR) AS ts, CAST(tz AS VARCHAR) AS tz, CAST(b AS VARCHAR) AS b FROM edges',
  ],
  times: [
    'SELECT id, year(dt) AS y, month(ts) AS m, day(dt) AS d, quarter(dt) AS q, dayofweek(dt) AS w, isodow(dt) AS i, week(dt) AS k, dayofyear(dt) AS o, hour(ts) AS h, minute(ts) AS n, second(ts) AS s, extract(year FROM tz) AS z, isoyear(dt) AS e FROM edges',
    "SELECT id, date_trunc('month', dt) AS m, date_trunc('week', ts) AS w, date_trunc('hour', ts) AS h, date_trunc('day', tz) AS d FROM edges",
    "SELECT id, dt + 1 AS a, dt - 1 AS b, dt - date '2000-01-01' AS c, last_day(dt) AS d FROM edges WHERE id <> 7",
    "SELECT id, date_diff('day', dt, date '2001-01-01') AS d, date_diff('month', ts, timestamp '2001-01-01') AS m, date_diff('hour', ts, timestamp '2001-01-01') AS h, date_diff('second', ts, timestamp '1960-01-01') AS s, epoch_us(ts) AS u, epoch(tz) AS e FROM edges",
  ],
  groups: [
    'SELECT k, count(*) AS n, sum(v) AS s, avg(v) AS m, min(c) AS lo, max(c) AS hi, count(DISTINCT c) AS dc, count(*) FILTER (WHERE v > 3) AS f FROM many GROUP BY k ORDER BY k',
    'SELECT k, c, sum(x) AS s FROM many GROUP BY ALL HAVING sum(x) > 0.5 ORDER BY 3 DESC, 1, 2 LIMIT 5',
    'SELECT k * 2 AS twice, count(*) AS n FROM many GROUP BY 1 ORDER BY 2 DESC, twice',
    'SELECT k, c, count(*) AS n FROM many GROUP BY ROLLUP (k, c)',
    'SELECT k, c, count(*) AS n FROM many GROUP BY GROUPING SETS ((k), (c), ())',
    'SELECT sum(d) AS a, avg(d) AS b, sum(i64) AS c, avg(i64) AS e, bool_and(b) AS f, bool_or(b) AS g, min(ts) AS h, max(dt) AS i FROM edges',
    'SELECT stddev(x) AS a, var_pop(x) AS b, sum(x) AS c, avg(x) AS d, count_if(v > 3) AS e FROM many WHERE id > 3',
    'SELECT count(*) AS n, sum(v) AS s, min(c) AS c FROM many WHERE id < 0',
  ],
  joins: [
    'SELECT edges.id, name, n FROM edges JOIN names ON edges.id = names.id ORDER BY n', 'SELECT id, name, n FROM edges LEFT JOIN names USING (id)', 'SELECT * FROM names JOIN many USING (id)', 'SELECT id, name FROM edges FULL JOIN names USING (id)',
    'SELECT id FROM edges SEMI JOIN names USING (id)', 'SELECT id FROM edges ANTI JOIN names USING (id)', 'SELECT a.id, b.name FROM names AS a CROSS JOIN names AS b', 'SELECT a.n, b.n AS m FROM names AS a RIGHT JOIN names AS b ON a.n < b.n AND b.id > 1',
  ],
  sets: ['SELECT id FROM edges UNION SELECT n FROM names', 'SELECT id FROM edges UNION ALL SELECT n FROM names ORDER BY id NULLS FIRST', 'SELECT i64 FROM edges EXCEPT SELECT id FROM names', 'SELECT id FROM edges INTERSECT SELECT id FROM names'],
  subqueries: [
    'WITH a AS (SELECT id, v FROM many WHERE v > 5), b AS (SELECT * FROM a WHERE id > 20) SELECT a.id, b.v FROM a LEFT JOIN b ON a.id = b.id',
    'WITH names AS (SELECT id + 1 AS id FROM names) SELECT id FROM names', 'SELECT q.total FROM (SELECT k, sum(v) AS total FROM many GROUP BY k) AS q WHERE q.k > 0',
  ],
  intervals: [
    `select id, dt + interval 1 month a, ts + interval '1 day 2 hours' b, ts - interval 90 minute c, tz + to_hours(id) d, interval 1 day + dt e from edges where id not in (7)`,
    `select id, ts + interval (id) day, dt + 3 * interval 1 week, ts - to_seconds(id), epoch(ts - timestamp '2000-01-01') from edges where id < 7`,
  ],
  windows: [
    'select k, id, v from many qualify row_number() over (partition by k order by v desc, id) <= 2 order by k, v desc',
    'select id, k, row_number() over (partition by k order by v desc, id) r, rank() over (order by k) a, dense_rank() over (order by k) b, ntile(4) over (order by id) n, percent_rank() over (order by k) p, cume_dist() over (order by k) c from many',
    'select id, lag(v) over (order by id) a, lead(v, 2, 0) over (partition by k order by id) b, first_value(c) over (partition by k order by v nulls first, id) e, last_value(v ignore nulls) over (order by id) f, nth_value(v, 2) over (order by id) g from many',
    'select id, sum(v) over (partition by k order by id) a, avg(v) over (order by id rows between 3 preceding and 1 following) b, count(*) over () n, max(v) over (partition by c) m, sum(v) filter (where v > 3) over (order by id) f, min(x) over (order by k range between current row and unbounded following) z from many',
    'select k, sum(v) s, rank() over (order by sum(v) desc) r from many group by k',
  ],
  rows: [
    `select * from range(5) r(i), generate_series(1, 3) cross join (values (1, 'a'), (2, null)) v(x, y)`,
    `values (1, 'a'), (2, 'b')`,
  ],
  nested: [
    'select id from edges where id not in (select n from names) and id in (select id from names where id is not null)',
    'select id, (select count(*) from names n where n.id = edges.id) c, (select max(n) from names) m from edges',
    'select id from many m where v > (select avg(v) from many where k = m.k)',
    'select id from edges where not exists (select 1 from names n where n.id = edges.id) and (id in (select id from names) or id > 3)',
  ],
  numbers: [
    'select f32::real, (f64 * 2)::float, f32 * 2, f32 / 2, round(f32), f32 + f64, i32 + f32, f32 / i32 from edges',
    'select floor(f64), ceil(f32), round(f64), round(f32), floor(d), ceil(d), round(d, 1), round(d, -1), round(i32) from edges',
    'select round(f64, 1), round(x * 1.005, 2), sign(f64), sign(d), isnan(f64), isinf(f32), isfinite(f64) from edges left join many using (id)',
    'select exp(x), ln(x + 1), log10(x + 1), log2(x+1), x ** 2, pow(x, 0.5), sin(x), cbrt(x), degrees(x), sqrt(x) from many',
    'select sqrt(f64) from edges',
    'select ln(x) from many',
  ],
  ordered: [
    `select k, string_agg(c, '-' order by id desc), string_agg(distinct c, ',' order by c) from many group by k`,
    'select count(), max(v order by id) from many',
  ],
  parts: [
    `select substring(s, 2, 3), substring(s, 1, 0), substr(s, 3), left(s, 2), left(s, 0), right(s, 2), right(s, 0), right(s, 100) from edges`,
    `select trim(s), ltrim(s), rtrim(s), trim(s, 'ac'), ltrim(s, 'a'), lower(s), repeat(s, 2), lpad(s, 6, 'xy'), rpad(s, 2, '-'), lpad(s, 8, '🎉') from edges`,
    `select md5(s), sha256(s), translate(s, 'ab', 'x') from edges`,
    `select monthname(dt), dayname(ts), strftime(ts, '%Y-%m-%d %H:%M:%S.%f'), strftime(dt, '%j %y %b %B %a %A it''s %%'), strftime(ts, '%I%p'), epoch_ms(ts) from edges`,
  ],
  /** What every engine has, and nothing else. */
  plain: [
    "SELECT year(dt) AS a, quarter(ts) AS b, month(dt) AS c, day(ts) AS d, dayofweek(dt) AS e, isodow(dt) AS f, week(dt) AS g, hour(ts) AS h, minute(ts) AS i, second(ts) AS j, date_part('year', ts) AS k, weekofyear(ts) AS l, weekday(dt) AS m FROM edges",
    "SELECT length(s) AS a, strlen(s) AS b, concat(s, 'y', NULL) AS c, concat_ws('-', s, 'a') AS d, contains(s, 'b') AS e, s LIKE 'a%' AS f, s NOT LIKE '%b_' AS g, s || 'x' AS h FROM edges",
    'SELECT floor(f64) AS a, ceil(f64) AS b, ceiling(f32) AS c, floor(i32) AS d, ceil(i16) AS e, round(i32) AS h, nullif(i32, 3) AS i, ifnull(i8, i16) AS j FROM edges',
    'SELECT exp(x) AS a, power(x, 2) AS b, x ^ 0.5 AS c, pi() AS d, x * 2 + 1 AS e, i32 % 4 AS f FROM many JOIN edges USING (id)',
    "SELECT dt + 1 AS a, dt - 1 AS b, dt - date '2000-01-01' AS c, last_day(dt) AS d FROM edges WHERE id <> 7",
    'SELECT k, count(*) AS a, sum(v) AS b, avg(x) AS c, min(day) AS d, max(moment) AS e, sum(x) AS f, count(v) FILTER (WHERE v > 3) AS g, count(DISTINCT c) AS h FROM many GROUP BY k',
  ],
};

/** Statements that are refused, and what of them. */
export const refused: readonly (readonly [sql: string, construct: string, place: string])[] = [
  ['SELECT reverse(s) FROM edges', "the function 'reverse'", 'line 1, column 8'],
  ['SELECT id\nFROM edges\nLIMIT 1', 'LIMIT without ORDER BY', 'line 3, column 7'],
  ["SELECT 'ä', reverse(s) FROM edges", "the function 'reverse'", 'line 1, column 13'],
  ['SELECT id FROM edges USING SAMPLE 3', 'SAMPLE', ''],
  ['SELECT DISTINCT ON (k) k, c FROM many', 'DISTINCT ON', ''],
  ['SELECT id IN (SELECT id FROM names) AS i FROM edges', 'IN', 'line 1, column 11'],
  ['SELECT row_number() OVER () AS r FROM edges', "the function 'row_number'", 'line 1, column 8'],
  ['SELECT INTERVAL 1 DAY AS i', 'a column of intervals', ''],
  ["SELECT TRY_CAST(s AS INTEGER) AS i FROM edges", 'TRY_CAST', ''],
  ['SELECT CAST(f64 AS VARCHAR) AS t FROM edges', 'CAST', ''],
  ['SELECT f64 // 2 AS x FROM edges', 'the operator //', ''],
];
