import {mkdir, mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {tableFromIPC} from 'apache-arrow';
import type {Beside, Column, ColumnBatch, ColumnName, Engine, Query, RawFiles, SqlValue, StagedFile, Table, TableFile} from '../../src/engines/engine.ts';
import {parseTypeName} from '../../src/schemas/parse-type.ts';
import {typeName} from '../../src/schemas/schema.ts';
import type {Field, Schema} from '../../src/schemas/schema.ts';

const endMark = [255, 255, 255, 255, 0, 0, 0, 0];

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

    const bytesOf = async (query: Query) => {
      const pieces: Uint8Array[] = [];
      let rowCount = 0;
      for await (const lines of engine.lines(query)) {
        pieces.push(lines.bytes);
        rowCount += lines.rowCount;
      }
      return {rowCount, text: Buffer.concat(pieces).toString()};
    };

    describe('an expression', () => {
      test.each(['distance > 1000', 'hour("date")', "CASE WHEN a THEN 'x' ELSE 'y' END", '(a + b) / 2 -- half', 'round(a, 2)', "'a), (b'"])('%s is one of the row alone', async expression => {
        await expect(engine.analyzeExpression(expression)).resolves.toBeUndefined();
      });

      test.each([
        ['a second column', 'a), (b'], ['another table', 'a) FROM secrets -- '], ['a condition', 'a) FROM this_row WHERE (true'], ['an alias and more', 'a) AS x, (b'],
        ['an aggregate', 'max(a)'], ['a window', 'row_number() over ()'], ['a subquery', '(select max(a) from this_row)'], ['a file', "(select content from read_text('/etc/passwd'))"],
        ['the environment', "getenv('HOME')"], ['a star', '*'], ['nothing', ''], ['an open comment', 'a /*'], ['a union', 'a) FROM this_row UNION ALL SELECT (b'],
      ])('with %s is refused', async (_what, expression) => {
        await expect(engine.analyzeExpression(expression)).rejects.toMatchObject({code: expect.stringMatching(/^SQL_(NOT_ALLOWED|INVALID)$/)});
      });
    });

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

      test('texts of any length come as lines, in order', async () => {
        const texts = Array.from({length: 20_000}, (_, i) => (i % 5 === 0 ? '' : i % 5 === 1 ? `é${i}` : `${'long … '.repeat(i % 40)}${i}`));
        const sql = "SELECT CASE i % 5 WHEN 0 THEN '' WHEN 1 THEN 'é' || i ELSE repeat('long … ', i % 40) || i END FROM range($1) t(i)";
        expect(await bytesOf(select(sql, {}, [20_000]))).toEqual({rowCount: 20_000, text: texts.map(text => `${text}\n`).join('')});
        expect(await bytesOf(select(sql, {}, [0]))).toEqual({rowCount: 0, text: ''});
        await expect(bytesOf(select("SELECT error('no') || i FROM range(5) t(i)"))).rejects.toMatchObject({code: 'SQL_FAILED'});
      });

      test('lines that nobody takes keep no query waiting, and end when they are left or the work is aborted', async () => {
        const endless = select("SELECT i || repeat('x', 500) FROM range(1000000000) t(i)");
        const abort = new AbortController();
        const open = Array.from({length: 4}, () => engine.lines(endless, {signal: abort.signal})[Symbol.asyncIterator]());
        for (const lines of open) expect((await lines.next()).done).toBe(false);
        expect(await engine.text(select("select 'ok'"))).toBe('ok');
        await open[0]!.return!();
        expect((await bytesOf(select("SELECT 'next'"))).text).toBe('next\n');
        abort.abort(new Error('enough'));
        for (const lines of open.slice(1)) await expect((async () => { while (!(await lines.next()).done); })()).rejects.toThrow('enough');
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

      test('describe tells what cannot be null', async () => {
        const table: Table = {kind: 'table', schema: {fields: [{...field(1, 'a', 'int32'), nullable: false}, field(2, 'b', 'utf8')]}, files: [], rowIds: true};
        const nullable = async (sql: string) => (await engine.describe(select(sql, {t: table}))).fields.map(field => field.nullable);
        expect(await nullable('from t')).toEqual([false, true, false]);
        expect(await nullable("select x.a, b, count(*) as n, 1 as one, a + 1 as more, null as nothing from t x group by all")).toEqual([false, true, false, false, true, true]);
        expect(await nullable('select a, count(*) as n from t group by rollup (a)')).toEqual([true, true]);
        expect(await nullable('select y.a from t x left join t y on x.a = y.a')).toEqual([true]);
        expect(await nullable('select * exclude (b) from t')).toEqual([true, true]);
        expect(await nullable('with t as (select null as a from t) select a from t')).toEqual([true]);
        expect(await nullable('select a from t union all select null')).toEqual([true]);
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
        expect(performance.now() - started).toBeLessThan(20_000);
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

      test('columns beside a table: of files row for row, and of some rows by their ids', async () => {
        if (!engine.capabilities.besides) return;
        const own = await write("select range as a, 'x' as b from range(250001)", schema, {}, {rowsPerFile: 100_000});
        const twice: Schema = {fields: [field(1, 'twice', 'float64')]};
        const beside = await write('select range * 2 as twice from range(250001)', twice, {}, {rowsPerFile: 100_000});
        const float64: Field['type'] = {kind: 'float', bits: 64};
        const file: Beside = {kind: 'files', files: beside.map(({path}) => path), columns: [{name: '~p', from: 'twice', type: float64}]};
        const table: Table = {kind: 'table', schema, files: positional(own, 1000), rowIds: true, beside: [file]};
        expect(await rows('select count(*) as n, count(*) filter ("~p" = 2 * a and _row_id = a + 1000) as same from t', {t: table})).toEqual([{n: 250_001n, same: 250_001n}]);
        expect(await rows('select a, "~p" as p from t where a % 100000 = 99999 and "~p" > 200000 order by a', {t: table})).toEqual([{a: 199_999n, p: 399_998}]);
        expect(await rows('select count(*) as n, min(_row_id) as least from t where "~p" >= 500000', {t: {...table, schema: {fields: []}}})).toEqual([{n: 1n, least: 251_000n}]);
        expect(await rows('select * from t', {t: {...table, files: [], beside: [{...file, files: []}]}})).toEqual([]);

        const values = Float64Array.from([1, 2, 3]);
        const some: Beside = {kind: 'rows', rowIds: BigInt64Array.from([1000n, 101_000n, 251_000n]), columns: [{name: '~q', from: '', type: float64, values: {kind: 'numbers', type: float64, values, validity: Uint8Array.of(5)}}]};
        const both = {t: {...table, beside: [file, some]}};
        const expected = [{a: 0n, p: 0, q: 1}, {a: 100_000n, p: 200_000, q: null}, {a: 250_000n, p: 500_000, q: 3}];
        const query = 'select a, "~p" as p, "~q" as q from t order by a';
        expect(await rows(query, both)).toEqual(expected);
        const found: number[] = [];
        for await (const {rowCount} of engine.columns(select(query, both), {batchRows: 10})) found.push(rowCount);
        expect(found).toEqual([3]);
        expect(await engine.text(select('select string_agg(a, \',\' order by a) from t', both))).toBe('0,100000,250000');
        expect((await bytesOf(select('select a::varchar from t order by a', both))).text).toBe('0\n100000\n250000\n');

        const [compacted] = await write('select * from t where a >= 250000 order by a', schema, {t: {...table, beside: undefined}}, {storeRowIds: true});
        const stored: Table = {...table, files: [{path: compacted!.path, rowCount: 1, bytes: compacted!.bytes, firstRowId: 0, rowIds: 'stored'}], beside: [{...some, columns: some.columns}]};
        expect(await rows('select a, _row_id, "~q" as q from t', {t: stored})).toEqual([{a: 250_000n, _row_id: 251_000n, q: 3}]);
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
          expect(performance.now() - started).toBeLessThan(5_000);
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

      test('a missing or damaged file of a table is FILE_DAMAGED', async () => {
        const gone: TableFile = {path: join(folder, 'gone.parquet'), rowCount: 1, bytes: 10, firstRowId: 0, rowIds: 'positional'};
        await expect(rows('from t', {t: {kind: 'table', schema, files: [gone]}})).rejects.toMatchObject({code: 'FILE_DAMAGED'});
        await writeFile(gone.path, 'PAR1 damaged PAR1');
        await expect(rows('from t', {t: {kind: 'table', schema, files: [gone]}})).rejects.toMatchObject({code: 'FILE_DAMAGED'});
      });

      test('a broken raw file is SOURCE_UNREADABLE and leaves the others alone', async () => {
        const path = join(folder, 'broken.parquet');
        await writeFile(path, 'PAR1 this is no parquet PAR1');
        const raw = {kind: 'raw', format: 'parquet', files: [path], options: {}} as const;
        await expect(write('select * from raw', schema, {raw})).rejects.toMatchObject({code: 'SOURCE_UNREADABLE'});
      });
    });

    describe('columns', () => {
      const collect = async (query: Query, batchRows: number) => {
        const batches: ColumnBatch[] = [];
        for await (const batch of engine.columns(query, {batchRows})) batches.push(batch);
        return batches;
      };

      test('a statement that fails after many rows fails its reader', async () => {
        const failing = select("SELECT CASE WHEN i < 200000 THEN i ELSE error('after many') END AS i FROM range(300000) t(i)");
        await expect(collect(failing, 1000)).rejects.toMatchObject({code: 'SQL_FAILED', message: expect.stringContaining('after many')});
        await expect(bytesOf({...failing, sql: `SELECT i::VARCHAR FROM (${failing.sql})`})).rejects.toMatchObject({code: 'SQL_FAILED', message: expect.stringContaining('after many')});
      });

      test('batches have exactly the rows asked for, in order', async () => {
        const batches = await collect(select('select range as a from range(10000)'), 3000);
        expect(batches.map(batch => batch.rowCount)).toEqual([3000, 3000, 3000, 1000]);
        const all = batches.flatMap(batch => plainColumn(batch.columns[0]!, batch.rowCount));
        expect(all).toEqual(Array.from({length: 10_000}, (_, index) => BigInt(index)));
      });

      test('every value and every null, across the bounds of batches', async () => {
        const sql = `select range::int as i, case when range % 3 = 0 then null else range / 4 end as f, case when range % 5 = 0 then null else 'v' || range % 7 end as s,
          case when range % 11 = 0 then null else repeat('long text ', 2) || range % 100 end as l, range % 2 = 0 as b, date '2001-01-01' + range::int as d, (range / 10)::decimal(9, 1) as m
          from range(5000) where range % 13 <> 1`;
        const expected = await engine.rows(select(`select i, f, s, l, b, d - date '1970-01-01' as d, m::double as m from (${sql})`));
        for (const batchRows of [1, 7, 1000, 2048, 5000, 9000].slice(1)) {
          const batches = await collect(select(sql), batchRows);
          const got = batches.flatMap(batch => {
            const columns = batch.columns.map(column => plainColumn(column, batch.rowCount));
            return Array.from({length: batch.rowCount}, (_, row) => columns.map(column => column[row]));
          });
          expect(got).toEqual(expected.map(row => [row.i, row.f, row.s, row.l, row.b, typeof row.d === 'bigint' ? Number(row.d) : row.d, row.m]));
        }
      });

      test('strings come as places in a dictionary without repeats', async () => {
        const [batch] = await collect(select("select case when range % 2 = 0 then 'even' else 'an odd number of some length' end as s from range(4000)"), 4000);
        const column = batch!.columns[0]!;
        expect(column).toMatchObject({kind: 'strings', dictionary: ['even', 'an odd number of some length'], validity: null});
      });

      test('more strings than a dictionary keeps', async () => {
        const batches = await collect(select("select 'row number ' || range as s from range(150000)"), 10_000);
        const all = batches.flatMap(batch => plainColumn(batch.columns[0]!, batch.rowCount));
        expect(all).toHaveLength(150_000);
        expect(all[149_999]).toBe('row number 149999');
        expect(new Set(all).size).toBe(150_000);
      });

      test('a reader that leaves early gives its place back', async () => {
        for (let n = 0; n < 8; n++) {
          for await (const batch of engine.columns(select('select range as a from range(1000000)'), {batchRows: 100})) {
            expect(batch.rowCount).toBe(100);
            break;
          }
        }
        expect(await rows('select 1 as a')).toEqual([{a: 1}]);
      });

      test('abort rejects with the reason, also while the reader is slow', async () => {
        const reason = new Error('enough');
        const controller = new AbortController();
        const read = async () => {
          for await (const batch of engine.columns(select('select range as a from range(10000000)'), {batchRows: 1000, signal: controller.signal})) {
            expect(batch.rowCount).toBe(1000);
            await new Promise(resolve => setTimeout(resolve, 20));
            controller.abort(reason);
          }
        };
        await expect(read()).rejects.toBe(reason);
      });
    });

    describe('materializeScored', () => {
      const schema = schemaOf({a: 'int64', s: 'utf8', twice: 'float64', label: 'utf8'});
      const outputs = schema.fields.slice(2);
      const score = async (batch: ColumnBatch) => {
        const [values] = batch.columns as [Extract<Column, {kind: 'numbers'}>];
        // Later batches answer first.
        await new Promise(resolve => setTimeout(resolve, Math.random() * 5));
        const twice = Float64Array.from(values.values as BigInt64Array, value => Number(value) * 2);
        const validity = new Uint8Array(Math.ceil(batch.rowCount / 8)).fill(0xff);
        validity[0]! &= ~1;
        const label: Column = {kind: 'strings', dictionary: ['low', 'high'], indices: Uint32Array.from(twice, value => (value > 10_000 ? 1 : 0)), validity};
        return [{kind: 'numbers', type: {kind: 'float', bits: 64}, values: twice, validity: null}, label] satisfies Column[];
      };
      const scored = async (sql: string, relations: Query['relations'], work = {}) =>
        engine.materializeScored(select(sql, relations), {features: ['a'], outputs, batchRows: 1000, concurrency: 4, score}, {folder: await newFolder(), schema}, work);

      test.each([
        ['rows of files', 'select a, s from t where a % 2 = 1'],
        ['an order of its own', "select a, s from t order by hash(a)"],
        ['groups', 'select a, any_value(s) as s from t group by a'],
        ['random rows', "select a, s from t where random() < 0.5"],
      ])('scores stand beside their rows: %s', async (_, sql) => {
        const base = schemaOf({a: 'int64', s: 'utf8'});
        const table: Table = {kind: 'table', schema: base, files: positional(await write("select range as a, 's' || range as s from range(20000)", base))};
        const files = await scored(sql, {t: table});
        const result: Table = {kind: 'table', schema, files: positional(files)};
        const [told] = await rows("select count(*) as n, count(*) filter (twice = a * 2 and s = 's' || a) as fit, count(*) filter (label is null) as nulls, count(*) filter (label = case when a > 5000 then 'high' else 'low' end) as labels from t", {t: result});
        expect(told!.n).toBeGreaterThan(5000n);
        expect(told!.fit).toBe(told!.n);
        expect(told!.nulls).toBe((BigInt(told!.n as bigint) + 999n) / 1000n);
        expect(told!.labels).toBe(BigInt(told!.n as bigint) - BigInt(told!.nulls as bigint));
      });

      test('no row, no file', async () => {
        expect(await scored('select a, s from t', {t: {kind: 'table', schema: schemaOf({a: 'int64', s: 'utf8'}), files: []}})).toEqual([]);
      });

      test('a failing model fails the step, and nothing stays behind', async () => {
        const broken = engine.materializeScored(select("select range as a, 'x' as s from range(10000)"), {features: ['a'], outputs, batchRows: 100, concurrency: 3, score: async () => Promise.reject(new Error('no answer'))}, {folder: await newFolder(), schema});
        await expect(broken).rejects.toThrow('no answer');
        const entries = await readdir(join(folder, 'tmp')).catch(() => []);
        expect(entries.filter(entry => entry.startsWith('scratch-'))).toEqual([]);
      });
    });

    describe('publish', () => {
      const query = select("select range::int as a, case when range = 1 then null else 'x,' || range end as s, timestamp '2001-01-01 00:00:00.000001' as t from range(3)");

      test.each([
        ['csv', 'a,s,t\n0,"x,0",2001-01-01 00:00:00.000001\n1,,2001-01-01 00:00:00.000001\n2,"x,2",2001-01-01 00:00:00.000001\n'],
        ['ndjson', '{"a":0,"s":"x,0","t":"2001-01-01 00:00:00.000001"}\n{"a":1,"s":null,"t":"2001-01-01 00:00:00.000001"}\n{"a":2,"s":"x,2","t":"2001-01-01 00:00:00.000001"}\n'],
      ] as const)('%s', async (format, expected) => {
        const path = join(folder, `published.${format}`);
        expect(await engine.publish(query, {path, format})).toEqual({rowCount: 3, bytes: expected.length});
        expect(await readFile(path, 'utf8')).toBe(expected);
      });

      test('json is an array', async () => {
        const path = join(folder, 'published.json');
        await engine.publish(query, {path, format: 'json'});
        expect(JSON.parse(await readFile(path, 'utf8'))).toHaveLength(3);
      });

      test('arrow goes out and comes in again, exactly', async () => {
        const sql = `select range as a, case when range % 3 = 0 then null else 'é' || range % 50 end as s, range % 2 = 0 as b, timestamp '2001-01-01 00:00:00.000001' + interval (range) second as t,
          date '1969-12-31' + range::int as d, time '01:02:03.000004' as c, (range / 3)::float as f, timestamptz '2001-01-01 00:00:00.5+00' as z from range(40000)`;
        const path = join(folder, 'published.arrow');
        expect((await engine.publish(select(sql), {path, format: 'arrow'})).rowCount).toBe(40_000);
        const back = join(folder, 'back.parquet');
        await engine.importArrow(path, back);
        const raw = {kind: 'raw', format: 'parquet', files: [back], options: {}} as const;
        expect((await engine.describe(select('from r', {r: raw}))).fields).toEqual((await engine.describe(select(sql))).fields);
        expect(await rows(`select count(*) as n from (${sql} except all from r)`, {r: raw})).toEqual([{n: 0n}]);
        expect(await rows('select count(*) as n from r', {r: raw})).toEqual([{n: 40_000n}]);
      });

      test('an arrow stream has values of every type, nested ones too, by the names given', async () => {
        const plain = `SELECT i AS n, CASE WHEN i % 3 > 0 THEN (i % 256)::UTINYINT END AS tiny, (i * 3.25)::DECIMAL(9, 2) AS d32, (-(i % 600) * 1.5)::DECIMAL(4, 1) AS d16, (i * 1e9)::DECIMAL(18, 3) AS d64,
            CASE WHEN i % 6 > 0 THEN (-i)::DECIMAL(38, 10) END AS d128, i % 2 = 0 AS even, CASE WHEN i % 7 > 0 THEN 'bytes ' || i END::BLOB AS bin, TIMESTAMPTZ '2001-01-01 00:00:00.000001+00' AS at, repeat('é', i % 30) AS txt
          FROM range(5000) t(i) WHERE i % 11 <> 0`;
        const nested = `SELECT n, CASE WHEN n % 5 > 0 THEN {'a': n, 'b': CASE WHEN n % 2 = 0 THEN repeat('long', n % 20) END, 'u': '00000000-0000-0000-0000-00000000000a'::UUID} END AS s,
            CASE WHEN n % 4 > 0 THEN [{'x': j, 'y': ['t' || j, NULL]} FOR j IN range(n % 4)] END AS l, MAP {'k' || n: n, 'z': NULL} AS m, n::HUGEINT AS h, INTERVAL (n) MONTH + INTERVAL 2 DAY + INTERVAL 3 SECOND AS span FROM (${plain})`;
        const read = async (sql: string, names?: readonly ColumnName[]) => {
          const pieces: Uint8Array[] = [];
          let rowCount = 0;
          for await (const piece of engine.arrow(select(sql), {names})) {
            pieces.push(piece.bytes);
            rowCount += piece.rowCount;
          }
          return {rowCount, stream: Buffer.concat(pieces)};
        };

        const {rowCount, stream} = await read(plain);
        const path = join(folder, 'stream.arrow');
        await writeFile(path, stream);
        const back = join(folder, 'stream.parquet');
        await engine.importArrow(path, back);
        const raw = {kind: 'raw', format: 'parquet', files: [back], options: {}} as const;
        expect((await engine.describe(select('from r', {r: raw}))).fields).toEqual((await engine.describe(select(plain))).fields);
        expect(await rows(`select (select count(*) from r) as read, (select count(*) from (${plain} except all from r)) as other`, {r: raw})).toEqual([{read: BigInt(rowCount), other: 0n}]);
        // The mark of the end, which a stream that fails has not.
        expect([...stream.subarray(-8)]).toEqual(endMark);

        const table = tableFromIPC((await read(nested, [{name: 'N'}, {name: 's', members: [{name: 'A'}, {name: 'a'}]}])).stream);
        expect(table.schema.fields.map(({name, type}) => `${name}: ${type}`)).toEqual([
          'N: Int64', 's: Struct<{A:Int64, a:Utf8, u:Utf8}>', 'l: List<Struct<{x:Int64, y:List<Utf8>}>>', 'm: List<Struct<{key:Utf8, value:Int64}>>', 'h: Decimal[38e0]', 'span: Interval<MONTH_DAY_NANO>',
        ]);
        const shown = (index: number) => JSON.stringify(table.get(index), (_, part: unknown) => (typeof part === 'bigint' ? Number(part) : part));
        expect(JSON.parse(shown(2))).toMatchObject({N: 3, s: {A: 3, a: null, u: '00000000-0000-0000-0000-00000000000a'}, l: [{x: 0, y: ['t0', null]}, {x: 1, y: ['t1', null]}, {x: 2, y: ['t2', null]}], m: [{key: 'k3', value: 3}, {key: 'z', value: null}], h: '"3"'});
        expect(JSON.parse(shown(4))).toMatchObject({N: 5, s: null});
        const sums = {n: 0n, texts: 0, items: 0n};
        for (const {N, s, l} of table) {
          sums.n += N as bigint;
          sums.texts += (s as {a: string | null} | null)?.a?.length ?? 0;
          for (const {x, y} of (l ?? []) as Iterable<{x: bigint; y: {get(index: number): string}}>) sums.items += x + BigInt(y.get(0).slice(1));
        }
        expect([sums]).toEqual(await rows(`SELECT sum(n)::BIGINT AS n, sum(length(s.b))::INTEGER AS texts, sum(list_sum([2 * e.x FOR e IN l]))::BIGINT AS items FROM (${nested})`));
      });

      test('an arrow stream that fails has no end mark; one without rows has a schema', async () => {
        const pieces: Uint8Array[] = [];
        const failing = async () => {
          for await (const {bytes} of engine.arrow(select("SELECT CASE WHEN i < 200000 THEN i ELSE error('no')::BIGINT END AS i FROM range(300000) t(i)"))) pieces.push(bytes);
        };
        await expect(failing()).rejects.toMatchObject({code: 'SQL_FAILED'});
        expect(pieces.length).toBeGreaterThan(1);
        expect([...Buffer.concat(pieces).subarray(-8)]).not.toEqual(endMark);
        pieces.length = 0;
        for await (const {bytes} of engine.arrow(select("SELECT 1 AS a, 'x' AS b WHERE false"))) pieces.push(bytes);
        expect(tableFromIPC(Buffer.concat(pieces)).schema.fields.map(({name, type}) => `${name}: ${type}`)).toEqual(['a: Int32', 'b: Utf8']);
      });

      test('a broken arrow file is SOURCE_UNREADABLE', async () => {
        const path = join(folder, 'broken.arrow');
        await writeFile(path, Buffer.concat([Buffer.from('ARROW1\0\0'), Buffer.alloc(100, 7)]));
        await expect(engine.importArrow(path, join(folder, 'never.parquet'))).rejects.toMatchObject({code: 'SOURCE_UNREADABLE'});
      });
    });

    test('lineage tells the columns that each column is made of', async () => {
      const flights: Table = {kind: 'table', schema: schemaOf({day: 'date', delay: 'int32', origin: 'utf8'}), files: []};
      const airports: Table = {kind: 'table', schema: schemaOf({iata: 'utf8', city: 'utf8'}), files: []};
      const lineage = (sql: string) => engine.lineage(select(sql, {flights, airports}));
      expect(await lineage('select f.*, a.city as "City Name" from flights f join airports a on f.origin = a.iata;')).toEqual({
        day: ['flights.day'], delay: ['flights.delay'], origin: ['flights.origin'], city_name: ['airports.city'],
      });
      expect(await lineage('with x as (select origin, avg(delay) as d, count(*) as n from flights group by 1) select upper(origin) as o, d * 2 + n as m, n, 1 as one from x')).toEqual({
        o: ['flights.origin'], m: ['flights.delay'], n: [], one: [],
      });
      expect(await lineage("select delay // 60 as hours, '//' as slashes from flights -- //")).toEqual({hours: ['flights.delay'], slashes: []});
      expect(await lineage('select origin as o from flights union all select iata from airports')).toEqual({o: ['airports.iata', 'flights.origin']});
      // What is not known for sure is left out.
      expect(['flights.origin', undefined]).toContain((await lineage('select * exclude (delay) from flights')).origin?.[0]);
    });

    test('profile tells nulls, distinct values, bounds and examples', async () => {
      const schema = schemaOf({a: 'int64', b: 'utf8', l: 'list<int32>'});
      const files = await write("select range as a, case when range % 4 = 0 then null else 'v' || range % 3 end as b, [1::int] as l from range(4000)", schema);
      const [a, b, l] = await engine.profile({kind: 'table', schema, files: positional(files)});
      expect(a).toMatchObject({name: 'a', nulls: 0, min: '0', max: '3999'});
      expect(Math.abs(a!.distinct - 4000)).toBeLessThan(400);
      expect(b).toMatchObject({name: 'b', nulls: 1000, distinct: 3, min: 'v0', max: 'v2'});
      expect([...b!.examples].sort()).toEqual(['v0', 'v1', 'v2']);
      expect(l).toMatchObject({nulls: 0, min: null, max: null});
      expect(await engine.profile({kind: 'table', schema, files: positional(files)}, {known: files[0]!.columns})).toEqual([a, b, l]);
      expect((await engine.profile({kind: 'table', schema, files: []}))[0]).toEqual({name: 'a', nulls: 0, distinct: 0, min: null, max: null, examples: []});
    });

    describe('sniff', () => {
      const sniff = async (name: string, content: string, options: RawFiles['options'] = {}) => {
        const path = join(folder, name);
        await writeFile(path, content);
        const format = name.endsWith('.ndjson') ? 'ndjson' : name.endsWith('.json') ? 'json' : 'csv';
        const {schema, raw} = await engine.sniff({kind: 'raw', format, files: [path], options});
        return {raw, types: Object.fromEntries(schema.fields.map(field => [field.name, `${typeName(field.type)}${field.nullable ? '?' : ''}`])), rows: await rows('from r', {r: raw})};
      };

      test('csv: codes stay text, integers are narrow, None is a value, empty is null', async () => {
        const {types, rows} = await sniff('a.csv', 'Zip Code,n,Cost Total $,big,huge,f,day,none\n00501,1,,3000000000,12345678901234567890,1.5,2001-02-03,None\n10001,-2,7,1,2,2,2001-02-04,x\n');
        expect(types).toEqual({zip_code: 'utf8', n: 'int32', cost_total: 'int32?', big: 'int64', huge: 'decimal(38,0)', f: 'float64', day: 'date', none: 'utf8'});
        expect(rows[0]).toMatchObject({'Zip Code': '00501', 'Cost Total $': null, none: 'None', day: '2001-02-03'});
      });

      test('csv: a type holds for the last row too', async () => {
        const lines = Array.from({length: 60_000}, (_, index) => `${index},${index}`);
        const {types, rows} = await sniff('late.csv', `a,b\n${lines.join('\n')}\nx,1.5\n`);
        expect(types).toEqual({a: 'utf8', b: 'float64'});
        expect(rows).toHaveLength(60_001);
      });

      test('csv: other delimiters, dates and quotes that come late', async () => {
        const lines = Array.from({length: 3000}, (_, index) => `${index};${String((index % 28) + 1).padStart(2, '0')}/12/2001;t`);
        const {types, rows} = await sniff('semi.csv', `a;d;t\n${lines.join('\n')}\n9;31/12/2001;"semi;colon"\n`);
        expect(types).toEqual({a: 'int32', d: 'date', t: 'utf8'});
        expect(rows.at(-1)).toEqual({a: 9, d: '2001-12-31', t: 'semi;colon'});
      });

      test('csv: types may be said', async () => {
        const {types} = await sniff('said.csv', 'a,b\n1,2\n', {types: {a: 'decimal(9,2)'}});
        expect(types).toEqual({a: 'decimal(9,2)', b: 'int32'});
      });

      test('csv: a row of the wrong length is never dropped', async () => {
        const lines = Array.from({length: 30_000}, (_, index) => `${index},x`);
        await expect(sniff('ragged.csv', `a,b\n${lines.join('\n')}\n1,2,3,4\n`)).rejects.toMatchObject({code: 'SOURCE_UNREADABLE'});
      });

      test('csv: files of one pattern must have one header', async () => {
        await writeFile(join(folder, 'one.csv'), 'a,b\n1,2\n');
        await writeFile(join(folder, 'two.csv'), 'b,a\n1,2\n');
        const both = engine.sniff({kind: 'raw', format: 'csv', files: [join(folder, 'one.csv'), join(folder, 'two.csv')], options: {}});
        await expect(both).rejects.toMatchObject({code: 'SOURCE_UNREADABLE', message: expect.stringContaining('two.csv')});
      });

      test('json and ndjson: nested, missing and narrow', async () => {
        const {types, rows} = await sniff('a.ndjson', '{"a": 1, "b": {"x": [1]}, "n": -1}\n{"a": 3000000000, "c": "t", "n": 18446744073709551}\n');
        expect(types).toEqual({a: 'int64', b: 'struct<x: list<int64>>?', c: 'utf8?', n: 'int64'});
        expect(rows).toHaveLength(2);
        expect((await sniff('a.json', '[{"a": 1}, {"a": null}]')).types).toEqual({a: 'int32?'});
      });

      test('empty and broken', async () => {
        await expect(sniff('empty.csv', '')).rejects.toMatchObject({code: 'SOURCE_EMPTY'});
        await expect(sniff('cut.json', '[{"a": 1}, {"a":')).rejects.toMatchObject({code: 'SOURCE_UNREADABLE'});
      });
    });
  });
}

/** A column's values one by one; null where it says so. */
function plainColumn(column: Column, rowCount: number): SqlValue[] {
  return Array.from({length: rowCount}, (_, row) => {
    if (column.validity && (column.validity[row >> 3]! & (1 << (row & 7))) === 0) return null;
    if (column.kind === 'strings') return column.dictionary[column.indices[row]!]!;
    return column.kind === 'booleans' ? column.values[row] === 1 : column.values[row]!;
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
