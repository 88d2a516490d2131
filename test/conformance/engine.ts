import {mkdir, mkdtemp, readdir, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {Engine, Query, StagedFile, Table, TableFile} from '../../src/engines/engine.ts';
import {parseTypeName} from '../../src/schemas/parse-type.ts';
import {typeName} from '../../src/schemas/schema.ts';
import type {Field, Schema} from '../../src/schemas/schema.ts';

/** What every engine must do. `create` makes one that may read and write below `folder`; the suite starts and stops it. */
export function engineConformance(name: string, create: (folder: string) => Engine): void {
  describe(`engine ${name}`, () => {
    let folder: string;
    let engine: Engine;
    let folders = 0;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'millrace-engine-'));
      engine = create(folder);
      await engine.start();
    });
    afterAll(async () => {
      await engine.stop();
      await rm(folder, {recursive: true});
    });

    const newFolder = async () => {
      const path = join(folder, `out-${++folders}`);
      await mkdir(path);
      return path;
    };
    const select = (sql: string, relations: Query['relations'] = {}, params: Query['params'] = []): Query => ({sql, relations, params});
    const rows = (sql: string, relations?: Query['relations'], params?: Query['params']) => engine.rows(select(sql, relations, params));
    const write = async (sql: string, schema: Schema, relations: Query['relations'] = {}, more: {rowsPerFile?: number; storeRowIds?: boolean} = {}) =>
      engine.materialize(select(sql, relations), {folder: await newFolder(), schema, ...more});
    const positional = (files: readonly StagedFile[], firstRowId = 0): TableFile[] => {
      let next = firstRowId;
      return files.map(file => {
        const first = next;
        next += file.rowCount;
        return {path: file.path, rowCount: file.rowCount, bytes: file.bytes, firstRowId: first, rowIds: 'positional'};
      });
    };

    describe('analyze', () => {
      const relationsOf = async (sql: string) => (await engine.analyze(sql)).relations;

      test.each([
        ['select * from flights', ['flights']],
        ['from a join b using (x), (select * from c) where exists (select 1 from d) and y in (from e)', ['a', 'b', 'c', 'd', 'e']],
        ['with a as (select * from b) select * from a', ['b']],
        ['with a as (select * from a) select * from a', ['a']],
        ['with a as (from b), b as (from c) from a, b', ['b', 'c']],
        ['with recursive r as (select 1 as i union all select i + 1 from r where i < 3) from r', []],
        ['with x as (with y as (from z) from y) select * from x, y', ['z', 'y']],
        ['select (with t as (from u) select count(*) from t) from T', ['u', 'T']],
        ['from t union all from v order by 1', ['t', 'v']],
        ['select unnest([1]) from range(3), generate_series(1, 2) g, unnest([1, 2]) u', []],
        ['select 1;  -- done\n', []],
      ])('finds what %s reads', async (sql, expected) => {
        expect([...(await relationsOf(sql))].sort()).toEqual([...expected].sort());
      });

      test.each([
        ['select random(), now(), 1', ['now', 'random']],
        ['select current_date, a from t', ['current_date']],
        ['select current_timestamp, uuid() from t where x > today()', ['current_timestamp', 'today', 'uuid']],
        ['select sum(a) over (order by random()) from t', ['random']],
        ['select lower(a), date_trunc(\'day\', b) from t', []],
      ])('finds what is volatile in %s', async (sql, expected) => {
        expect([...(await engine.analyze(sql)).volatile].sort()).toEqual(expected);
      });

      test.each([
        'drop table x', 'insert into x values (1)', "copy x to '/tmp/y'", "copy (select 1) to 'y.csv'", "attach 'x.db'", 'install httpfs', 'load httpfs',
        'set threads = 1', 'pragma version', 'create table t as select 1', 'select 1; select 2', 'call pragma_version()', "export database '/tmp/x'",
        "from 'x.csv'", 'from "data/x.parquet"', "select * from read_csv('/etc/passwd')", "select * from read_text('/etc/passwd')", "from glob('/*')",
        "select * from query('select 1')", "select * from query_table('t')", 'from main.t', 'from memory.main.t', 'from information_schema.tables',
        'from duckdb_settings()', 'from pragma_version()', "select current_setting('threads')", "select getenv('HOME')", "select getvariable('x')",
        'summarize t', 'describe t', 'show tables', 'select * from (show tables)', "select * from t at (version => 1)", "select pg_sleep(1)", 'select sleep_ms(1)',
        "from 'http://127.0.0.1/x.parquet'", "with a as (from read_parquet('x')) from a", "select (select content from read_text('/etc/passwd'))",
        "select * from parquet_metadata('x')", "from sniff_csv('x')", "from json_execute_serialized_sql('x')", "select main.getenv('x')",
        "select write_log('x')", 'vacuum', 'checkpoint', 'explain analyze select 1', 'prepare p as select 1', 'begin', "from read_duckdb('x')",
      ])('refuses %s', async sql => {
        await expect(engine.analyze(sql)).rejects.toMatchObject({code: 'SQL_NOT_ALLOWED'});
      });

      test.each([
        ['select from from', /syntax error/],
        ["select\n 1 as a,\n  'x", /unterminated/],
        ['', /empty/],
        ['-- nothing', /empty/],
      ])('says what is wrong with %j', async (sql, message) => {
        await expect(engine.analyze(sql)).rejects.toMatchObject({code: 'SQL_INVALID', message: expect.stringMatching(message)});
      });

      test('names the place', async () => {
        await expect(engine.analyze('select 1,\n  2 frm x y z')).rejects.toThrow(/line 2, column \d+/);
      });
    });

    describe('queries', () => {
      test('parameters are bound, values come back exactly', async () => {
        expect(await rows("select $1 as s, $2 as i, $3 as b, $4 as f, $5 as n, 9007199254740993 as big, 1.10::decimal(9, 2) as d, date '2001-02-03' as t", {}, ["it's", 7, true, 0.5, null])).toEqual([
          {s: "it's", i: 7, b: true, f: 0.5, n: null, big: 9007199254740993n, d: '1.10', t: '2001-02-03'},
        ]);
      });

      test('text is the one value, null without a row', async () => {
        expect(await engine.text(select("select 'a' || $1", {}, ['b']))).toBe('ab');
        expect(await engine.text(select("select 'a' where false"))).toBeNull();
      });

      test('a statement with its own WITH, a trailing semicolon and a comment', async () => {
        const table: Table = {kind: 'table', schema: schemaOf({a: 'int32'}), files: []};
        expect(await rows('with t as (select count(*) as n from t) select n from t; -- that is all', {t: table})).toEqual([{n: 0n}]);
        expect(await rows('with recursive r as (select 1 as i union all select i + 1 from r where i < 3) select max(i) as m from r', {})).toEqual([{m: 3}]);
      });

      test('describe makes names legal and keeps the original', async () => {
        const described = await engine.describe(select('select 1 as "Cost Total $", \'x\' as b, 2::hugeint as "B", [1] as l, {x: 1.5::double} as s'));
        expect(described.fields.map(field => [field.name, field.sourceName, typeName(field.type)])).toEqual([
          ['cost_total', 'Cost Total $', 'int32'],
          ['b', undefined, 'utf8'],
          ['B_1', undefined, 'decimal(38,0)'],
          ['l', undefined, 'list<int32>'],
          ['s', undefined, 'struct<x: float64>'],
        ]);
      });

      test('an unknown column is named with its place', async () => {
        const table: Table = {kind: 'table', schema: schemaOf({a: 'int32'}), files: []};
        await expect(engine.describe(select('select\n  bb from t', {t: table}))).rejects.toMatchObject({code: 'SQL_INVALID', message: expect.stringMatching(/"bb".*\(line 2, column 3\)/)});
      });

      test('a failure while running is SQL_FAILED', async () => {
        await expect(rows("select cast(x as integer) from (values ('1'), ('x')) t(x)")).rejects.toMatchObject({code: 'SQL_FAILED'});
      });

      test('abort interrupts and rejects with the reason', async () => {
        const reason = new Error('enough');
        const controller = new AbortController();
        const started = performance.now();
        setTimeout(() => controller.abort(reason), 100);
        await expect(engine.rows(select('select count(*) from range(100000000) a, range(100000) b where a.range * b.range % 7 = 3'), {signal: controller.signal})).rejects.toBe(reason);
        expect(performance.now() - started).toBeLessThan(5000);
        expect(await rows('select 1 as a')).toEqual([{a: 1}]);
        await expect(engine.rows(select('select 1'), {signal: AbortSignal.abort(reason)})).rejects.toBe(reason);
      });

      test('many at once all finish', async () => {
        const answers = await Promise.all(Array.from({length: 40}, (_, index) => rows('select $1 + 1 as n', {}, [index])));
        expect(answers.map(([row]) => row!.n)).toEqual(Array.from({length: 40}, (_, index) => index + 1));
      });
    });

    describe('materialize', () => {
      const schema = schemaOf({a: 'int64', b: 'utf8'});

      test('rows come back in order, with statistics', async () => {
        const files = await write("select range as a, case when range % 10 = 0 then null else 'v' || range end as b from range(300000)", schema);
        expect(files).toHaveLength(1);
        expect(files[0]).toMatchObject({rowCount: 300_000, columns: [{name: 'a', nulls: 0, min: '0', max: '299999'}, {name: 'b', nulls: 30_000}]});
        expect(files[0]!.bytes).toBeGreaterThan(1000);
        const table: Table = {kind: 'table', schema, files: positional(files)};
        expect(await rows('select a from t limit 2 offset 250000', {t: table})).toEqual([{a: 250_000n}, {a: 250_001n}]);
        expect(await rows('select * from t where a = 20', {t: table})).toEqual([{a: 20n, b: null}]);
      });

      test('rowsPerFile splits to the row and keeps the order', async () => {
        const files = await write("select range as a, 'x' as b from range(250001)", schema, {}, {rowsPerFile: 100_000});
        expect(files.map(file => file.rowCount)).toEqual([100_000, 100_000, 50_001]);
        const table: Table = {kind: 'table', schema, files: positional(files), rowIds: true};
        expect(await rows('select count(*) as n, count(*) filter (a = _row_id) as same from t', {t: table})).toEqual([{n: 250_001n, same: 250_001n}]);
      });

      test('no row, no file', async () => {
        const target = await newFolder();
        expect(await engine.materialize(select("select 1::bigint as a, 'x' as b where false"), {folder: target, schema})).toEqual([]);
        expect(await readdir(target)).toEqual([]);
        expect(await rows('select * from t', {t: {kind: 'table', schema, files: [], rowIds: true}})).toEqual([]);
      });

      test('columns are taken by name, cast to the schema, and null where the query has none', async () => {
        const files = await write("select 'x' as b", schema);
        expect(await rows('select * from t', {t: {kind: 'table', schema, files: positional(files)}})).toEqual([{a: null, b: 'x'}]);
      });

      test('older files are read by field id: renamed, widened, added and dropped columns', async () => {
        const old: Schema = {fields: [field(1, 'a', 'int32'), field(2, 'gone', 'utf8'), field(3, 'keep', 'utf8')]};
        const now: Schema = {fields: [field(4, 'fresh', 'float64'), field(1, 'renamed', 'int64'), field(3, 'keep', 'utf8')]};
        const older = await write("select 1::int as a, 'g' as gone, 'k1' as keep", old);
        const newer = await write("select 2.5::double as fresh, 9000000000 as renamed, 'k2' as keep", now);
        const table: Table = {kind: 'table', schema: now, files: positional([...older, ...newer]), rowIds: true};
        expect(await rows('select * from t', {t: table})).toEqual([
          {fresh: null, renamed: 1n, keep: 'k1', _row_id: 0n},
          {fresh: 2.5, renamed: 9000000000n, keep: 'k2', _row_id: 1n},
        ]);
      });

      test('row ids: stored, positional and mixed, and hidden unless asked for', async () => {
        const first = await write("select range as a, 'p' as b from range(3)", schema);
        const base: Table = {kind: 'table', schema, files: positional(first, 100), rowIds: true};
        const compacted = await write('select * from t where a <> 101 order by a desc', schema, {t: base}, {storeRowIds: true});
        const stored: TableFile[] = compacted.map(file => ({path: file.path, rowCount: file.rowCount, bytes: file.bytes, firstRowId: 0, rowIds: 'stored'}));
        expect(await rows('select a, _row_id from t', {t: {kind: 'table', schema, files: stored, rowIds: true}})).toEqual([
          {a: 2n, _row_id: 102n}, {a: 1n, _row_id: 101n}, {a: 0n, _row_id: 100n},
        ]);
        const later = await write("select 7::bigint as a, 'q' as b", schema);
        const mixed: Table = {kind: 'table', schema, files: [...stored, ...positional(later, 500)], rowIds: true};
        expect((await rows('select _row_id from t', {t: mixed})).map(row => row._row_id)).toEqual([102n, 101n, 100n, 500n]);
        expect(Object.keys((await rows('select * from t', {t: {...mixed, rowIds: false}}))[0]!)).toEqual(['a', 'b']);
        await expect(engine.describe(select('select _row_id from t', {t: {...mixed, rowIds: false}}))).rejects.toMatchObject({code: 'SQL_INVALID'});
        expect(await rows('select * from t where _row_id = 500', {t: mixed})).toEqual([{a: 7n, b: 'q', _row_id: 500n}]);
      });

      test('hundreds of files plan quickly', async () => {
        const files = positional(await write("select range as a, 'x' as b from range(2000)", schema, {}, {rowsPerFile: 10}));
        expect(files).toHaveLength(200);
        for (const uniform of [true, false]) {
          const table: Table = {kind: 'table', schema, files, rowIds: true, uniform};
          await rows('select 1 from t limit 1', {t: table});
          const started = performance.now();
          expect(await rows('select a from t where _row_id = 1234', {t: table})).toEqual([{a: 1234n}]);
          expect(performance.now() - started).toBeLessThan(500);
        }
      });

      test('every type survives', async () => {
        const types: Record<string, [type: string, sql: string]> = {
          c_bool: ['bool', 'true'], c_i8: ['int8', '(-128)::tinyint'], c_i16: ['int16', '(-32768)::smallint'], c_i32: ['int32', '(-2147483648)::int'], c_i64: ['int64', '(-9223372036854775808)::bigint'],
          c_u8: ['uint8', '255::utinyint'], c_u16: ['uint16', '65535::usmallint'], c_u32: ['uint32', '4294967295::uinteger'], c_u64: ['uint64', '18446744073709551615::ubigint'],
          c_f32: ['float32', '1.5::float'], c_f64: ['float64', '0.1::double'], c_dec: ['decimal(38,10)', "'1234567890123456789012345678.0123456789'::decimal(38, 10)"],
          c_text: ['utf8', "'ünï' || chr(0) || 'x'"], c_bin: ['binary', "'\\x00\\xFF'::blob"], c_uuid: ['uuid', "'6b4c9a0e-58d4-4b4a-9c39-0d0f5cf1f0d3'::uuid"], c_json: ['json', "'{\"a\": 1}'::json"],
          c_date: ['date', "date '0001-01-01'"], c_time: ['time', "time '23:59:59.999999'"], c_ts: ['timestamp', "timestamp '2001-06-01 01:02:03.456789'"],
          c_tz: ['timestamptz', "timestamptz '2001-06-01 01:02:03.456789+02'"], c_iv: ['interval', "interval '1 month 2 days'"],
          c_list: ['list<int32>', '[1, null, 3]'], c_struct: ['struct<x: int32, y: list<utf8>>', "{x: 1, y: ['a']}"], c_map: ['map<utf8, int32>', "map {'k': 1}"],
        };
        const sql = `select ${Object.entries(types).map(([name, [, value]]) => `${value} as ${name}`).join(', ')}`;
        const described = await engine.describe(select(sql));
        expect(described.fields.map(field => [field.name, typeName(field.type)])).toEqual(Object.entries(types).map(([name, [type]]) => [name, type]));
        const numbered: Schema = numberFields(described);
        const files = await write(sql, numbered);
        for (const uniform of [false, true]) {
          const table: Table = {kind: 'table', schema: numbered, files: positional(files), uniform};
          expect(await rows('select * from t', {t: table})).toEqual(await rows(sql));
          expect((await engine.describe(select('select * from t', {t: table}))).fields.map(field => typeName(field.type))).toEqual(Object.values(types).map(([type]) => type));
        }
      });

      test('a broken raw file is SOURCE_UNREADABLE and leaves the others alone', async () => {
        const path = join(folder, 'broken.parquet');
        await writeFile(path, 'PAR1 this is no parquet PAR1');
        const raw = {kind: 'raw', format: 'parquet', files: [path], options: {}} as const;
        await expect(write('select * from raw', schema, {raw})).rejects.toMatchObject({code: 'SOURCE_UNREADABLE'});
      });
    });
  });
}

/** A field by its type's name. */
export const field = (id: number, name: string, type: string): Field => ({id, name, type: parseTypeName(type)!, nullable: true});

/** A schema of nullable columns, numbered from 1. */
export const schemaOf = (columns: Readonly<Record<string, string>>): Schema => ({fields: Object.entries(columns).map(([name, type], index) => field(index + 1, name, type))});

/** Ids for all fields: top-level ones first, then nested ones. */
export function numberFields(schema: Schema): Schema {
  let next = schema.fields.length;
  const inner = (part: Field): Field => ({...part, id: ++next, type: nested(part)});
  const nested = ({type}: Field): Field['type'] => {
    if (type.kind === 'list') return {...type, element: inner(type.element)};
    if (type.kind === 'struct') return {...type, fields: type.fields.map(inner)};
    return type.kind === 'map' ? {...type, key: inner(type.key), value: inner(type.value)} : type;
  };
  return {fields: schema.fields.map((top, index) => ({...top, id: index + 1, type: nested(top)}))};
}
