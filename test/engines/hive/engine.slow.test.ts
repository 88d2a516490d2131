import {mkdir, mkdtemp, readdir, rename, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {tableFromIPC} from 'apache-arrow';
import {createDuckDbEngine} from '../../../src/engines/duckdb/engine.ts';
import type {Engine, Table} from '../../../src/engines/engine.ts';
import {createHiveEngine} from '../../../src/engines/hive/engine.ts';
import type {NativeQuery, RemoteEngine} from '../../../src/engines/remote-engine.ts';
import {parseTypeName} from '../../../src/schemas/parse-type.ts';
import type {Schema} from '../../../src/schemas/schema.ts';
import {startTestHive} from '../../support/hive.ts';
import type {TestHive} from '../../support/hive.ts';
import {proxyTo} from '../../support/tcp-proxy.ts';

let folder: string;
let server: TestHive;
let duck: Engine;
let hive: RemoteEngine;
let made = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-hive-'));
  duck = createDuckDbEngine({allowedFolders: [folder], threads: 2, tempFolder: join(folder, 'tmp'), maxQueries: 3});
  // Its clock is far from UTC: no result may depend on that.
  [server] = await Promise.all([startTestHive({zone: 'America/New_York'}), duck.start()]);
  hive = createHiveEngine({url: server.url, sessions: 4, scratchFolder: join(folder, 'scratch')});
});
afterAll(async () => {
  await hive?.stop();
  await Promise.all([server?.close(), duck?.stop()]);
  await rm(folder, {recursive: true, force: true});
});

const newFolder = async (): Promise<string> => {
  const path = join(folder, `out-${++made}`);
  await mkdir(path);
  return path;
};
const schemaOf = (types: Readonly<Record<string, string>>): Schema => ({fields: Object.entries(types).map(([name, type], index) => ({id: index + 1, name, type: parseTypeName(type)!, nullable: true}))});
const native = (sql: string, relations: NativeQuery['relations'] = {}): NativeQuery => ({sql, relations});

/** A snapshot as the embedded engine writes it. */
async function tableOf(sql: string, types: Readonly<Record<string, string>>, rowsPerFile?: number): Promise<Table> {
  const schema = schemaOf(types);
  const files = await duck.materialize({sql, relations: {}}, {folder: await newFolder(), schema, rowsPerFile});
  return {kind: 'table', schema, files: files.map(file => ({...file, firstRowId: 0, rowIds: 'positional'}))};
}

/** What Hive makes of a statement, read back by the embedded engine. */
async function written(query: NativeQuery, types: Readonly<Record<string, string>>, sql = 'select * from t'): Promise<unknown> {
  const schema = schemaOf(types);
  const files = await hive.materialize(query, {folder: await newFolder(), schema});
  const raw = {kind: 'raw', format: 'parquet', files, options: {}} as const;
  return duck.rows({sql, relations: {t: raw}});
}

async function arrow(query: NativeQuery) {
  const pieces: Uint8Array[] = [];
  for await (const {bytes} of hive.arrow(query)) pieces.push(bytes);
  return tableFromIPC(Buffer.concat(pieces));
}

const everyType = {
  i8: 'int8', i16: 'int16', i32: 'int32', i64: 'int64', f32: 'float32', f64: 'float64', d18: 'decimal(18,4)', d38: 'decimal(38,9)', b: 'bool', s: 'utf8', bin: 'binary', day: 'date', moment: 'timestamp',
};
const extremes = `values
  ('-128'::tinyint, '-32768'::smallint, '-2147483648'::integer, '-9223372036854775808'::bigint, '-0.0'::float, '-0.0'::double, '-99999999999999.9999'::decimal(18,4), '-99999999999999999999999999999.999999999'::decimal(38,9), false, '', ''::blob, date '0001-01-01', timestamp '0001-01-01 00:00:00'),
  (127, 32767, 2147483647, 9223372036854775807, 'nan', 'nan', 99999999999999.9999, 99999999999999999999999999999.999999999, true, 'Zażółć 山 😀 ''"\\', '\\x00\\xFF'::blob, date '9999-12-31', timestamp '9999-12-31 23:59:59.999999'),
  (0, 0, 0, 0, 'inf', '-inf', 0.0001, 0.000000001, null, e'a\\nb\\tc', null, date '1582-10-10', timestamp '1969-12-31 23:59:59.123456'),
  (null, null, null, null, 3.4028235e38, 1.7976931348623157e308, null, null, null, null, null, date '1900-03-01', timestamp '2001-03-11 02:30:00'),
  (1, 1, 1, 1, 1.1, 4.9e-324, 1.5, -1.5, true, ' ', ' '::blob, null, null)`;

describe('values', () => {
  let table: Table;
  let expected: readonly unknown[];
  beforeAll(async () => {
    table = await tableOf(`select * from (${extremes}) as v(${Object.keys(everyType).join(', ')})`, everyType);
    expected = await duck.rows({sql: 'select * from t', relations: {t: table}});
  });

  test('are read from a snapshot, written, and the same', async () => {
    expect(await written(native('select * from t', {t: table}), everyType)).toEqual(expected);
    // toEqual takes both zeros for one.
    expect(await written(native('select * from t', {t: table}), everyType, 'select 1 / f64 as a, 1 / f32 as b from t limit 1')).toEqual([{a: -Infinity, b: -Infinity}]);
  });

  test('come as Arrow exactly', async () => {
    const rows = await arrow(native('select * from t', {t: table}));
    const column = (name: string) => rows.getChild(name)!;
    expect([...column('i64')]).toEqual([-9223372036854775808n, 9223372036854775807n, 0n, null, 1n]);
    expect([...column('i8')]).toEqual([-128, 127, 0, null, 1]);
    expect([...column('i16')]).toEqual([-32768, 32767, 0, null, 1]);
    expect([...column('i32')]).toEqual([-2147483648, 2147483647, 0, null, 1]);
    expect([...column('f32')].map(value => (Object.is(value, -0) ? '-0' : value))).toEqual(['-0', NaN, Infinity, Math.fround(3.4028235e38), Math.fround(1.1)]);
    expect([...column('f64')].map(value => (Object.is(value, -0) ? '-0' : value))).toEqual(['-0', NaN, -Infinity, Number.MAX_VALUE, Number.MIN_VALUE]);
    expect([...column('b')]).toEqual([false, true, null, null, true]);
    expect([...column('s')]).toEqual(['', `Zażółć 山 😀 '"\\`, 'a\nb\tc', null, ' ']);
    expect([...column('bin')].map(value => value && Buffer.from(value as Uint8Array).toString('hex'))).toEqual(['', '00ff', null, null, '20']);
    expect(String(column('d38').type)).toBe('Decimal[38e+9]');
    const unscaled = (name: string) => [...column(name)].map(value => value && wide(value as Uint32Array));
    expect(unscaled('d18')).toEqual([-999999999999999999n, 999999999999999999n, 1n, null, 15000n]);
    expect(unscaled('d38')).toEqual([-99999999999999999999999999999999999999n, 99999999999999999999999999999999999999n, 1n, null, -1500000000n]);
    expect([...(column('day').data[0]!.values as Int32Array)].slice(0, 4)).toEqual([-719162, 2932896, -141_432, -25_508]);
    expect([...(column('moment').data[0]!.values as BigInt64Array)].slice(0, 4)).toEqual([-62135596800000000n, 253402300799999999n, -876544n, 984277800000000n]);
  });

  test('nested ones are read from a snapshot and written', async () => {
    const types = {id: 'int64', l: 'list<struct<a: int64, b: list<utf8>>>', m: 'map<utf8, decimal(38,9)>'};
    const nested = await tableOf(
      `select * from (values (1::bigint, [{a: 9223372036854775807::bigint, b: ['x', null, '']}, null], map {'k': 1.5::decimal(38,9)}), (2, [], map {}), (3, null, null)) v(id, l, m)`, types);
    expect(await written(native('select * from t', {t: nested}), types)).toEqual(await duck.rows({sql: 'select * from t', relations: {t: nested}}));
  });
});

test('instants are refused where Hive reads them by another clock', async () => {
  const instants = await tableOf("select timestamptz '2001-07-01 12:00:00+00' as moment", {moment: 'timestamptz'});
  await expect(hive.check(native('select * from t', {t: instants}))).rejects.toMatchObject({code: 'ENGINE_UNSUPPORTED', message: expect.stringContaining('America/New_York')});
});

const wide = (words: Uint32Array): bigint => BigInt.asIntN(128, [...words].reduceRight((sum, word) => (sum << 32n) | BigInt(word), 0n));

describe('a statement', () => {
  test('keeps its order over many rows and files, and CTEs and aggregates work', async () => {
    const many = await tableOf('select range as id, range % 7 as k from range(200000)', {id: 'int64', k: 'int64'}, 30_000);
    expect(many.files.length).toBeGreaterThan(3);
    const query = native('with odd as (select id, k from t where id % 2 = 1) select id, k from odd order by id desc', {t: many});
    const files = await hive.materialize(query, {folder: await newFolder(), schema: schemaOf({id: 'int64', k: 'int64'})});
    const read = {t: {kind: 'raw', format: 'parquet', files, options: {}}} as const;
    expect(await duck.rows({sql: 'select count(*) as n, sum(id) as s, first(id) as first, last(id) as last from t', relations: read})).toEqual([{n: 100_000n, s: 10_000_000_000n, first: 199_999n, last: 1n}].map(row => expect.objectContaining({n: row.n, first: row.first, last: row.last})));
    expect((await arrow(native('select k, count(*) as n, sum(id) as s from t group by k order by k', {t: many}))).toArray().map(row => [row!.k, row!.n])).toEqual(
      Array.from({length: 7}, (_, k) => [BigInt(k), k < 3 ? 28572n : 28571n]));
  });

  test('without rows gives none', async () => {
    const none = await tableOf('select 1::bigint as id where false', {id: 'int64'});
    expect((await arrow(native('select * from t', {t: none}))).numRows).toBe(0);
    const files = await hive.materialize(native('select * from t', {t: none}), {folder: await newFolder(), schema: schemaOf({id: 'int64'})});
    for (const file of files) expect(await duck.rows({sql: 'select count(*) as n from t', relations: {t: {kind: 'raw', format: 'parquet', files: [file], options: {}}}})).toEqual([{n: 0n}]);
  });

  test.each([
    ['select * from nothing', 'SQL_INVALID', /Table not found 'nothing'/],
    ['selec 1', 'SQL_INVALID', /line 1:0/],
    ['select nosuch(1)', 'SQL_INVALID', /Invalid function nosuch/],
    ['select assert_true(1 = 2)', 'SQL_FAILED', /assertion failed/],
  ])('%s is %s', async (sql, code, message) => {
    await expect(arrow(native(sql))).rejects.toMatchObject({code, message: expect.stringMatching(message)});
  });

  test('is checked without being run', async () => {
    const table = await tableOf('select 1::bigint as id', {id: 'int64'});
    await expect(hive.check(native('select id + 1 from t', {t: table}))).resolves.toBeUndefined();
    await expect(hive.check(native('select other from t', {t: table}))).rejects.toMatchObject({code: 'SQL_INVALID', message: expect.stringContaining('other')});
  });

  test('that reads files from before a rename, or files that are gone, is refused', async () => {
    const table = await tableOf('select 1::bigint as id', {id: 'int64'});
    const renamed = {...table, schema: schemaOf({number: 'int64'})};
    await expect(hive.check(native('select * from t', {t: renamed}))).rejects.toMatchObject({code: 'ENGINE_FILES_UNREACHABLE', message: expect.stringContaining('by name')});
    await rename(table.files[0]!.path, `${table.files[0]!.path}.gone`);
    await expect(hive.check(native('select * from t', {t: table}))).rejects.toMatchObject({code: 'ENGINE_FILES_UNREACHABLE'});
  });

  test('is cancelled in Hive, tells of its progress, and its session goes on', async () => {
    const numbers = await tableOf('select range as id from range(3000)', {id: 'int64'});
    const abort = new AbortController();
    const slow = native('select count(*) from t a cross join t b cross join t c where a.id * b.id % 7 = c.id', {t: numbers});
    const seen: number[] = [];
    const running = hive.materialize(slow, {folder: await newFolder(), schema: schemaOf({n: 'int64'})}, {
      signal: abort.signal, label: 'slow one', onProgress: (_fraction, progress) => {
        if (!progress) return;
        seen.push(progress.tasks);
        expect(progress.tasksDone).toBeLessThanOrEqual(progress.tasks);
        abort.abort(new Error('enough'));
      },
    });
    await expect(running).rejects.toThrow('enough');
    expect(seen.length).toBeGreaterThan(0);
    expect((await hive.status()).running).toEqual([]);
    expect((await arrow(native('select count(*) as n from t', {t: numbers}))).toArray().map(row => row!.n)).toEqual([3000n]);
  });

  test('and nineteen others at once share the sessions', async () => {
    const table = await tableOf('select range as id from range(100)', {id: 'int64'});
    const answers = await Promise.all(Array.from({length: 20}, async (_, index) => (await arrow(native(`select id from t where id = ${index}`, {t: table}))).toArray().map(row => row!.id)));
    expect(answers).toEqual(Array.from({length: 20}, (_, index) => [BigInt(index)]));
    expect((await hive.status()).sessions).toBeLessThanOrEqual(4);
  });

  test('leaves nothing in the scratch folder', async () => {
    expect(await readdir(join(folder, 'scratch'))).toEqual([]);
  });
});

describe('the server', () => {
  const engineOf = (url: string | null) => createHiveEngine({url, sessions: 2, scratchFolder: join(folder, 'scratch')});

  test('tells what it is', async () => {
    expect(await hive.fingerprint()).toBe('hive 4.0.1');
    expect(hive.address).toBe(server.url);
    expect(await hive.status()).toMatchObject({health: 'ready', version: '4.0.1', detail: null});
  });

  test.each([
    [null, 'unset', 'ENGINE_UNAVAILABLE'],
    ['hive2://127.0.0.1:1/default', 'unreachable', 'ENGINE_UNAVAILABLE'],
  ])('at %s is %s', async (url, health, code) => {
    const engine = engineOf(url);
    expect(await engine.status()).toMatchObject({health, detail: expect.any(String)});
    await expect(engine.fingerprint()).rejects.toMatchObject({code});
    await engine.stop();
  });

  test('that is cut off in the middle fails the fetch, and the next statement works', async () => {
    const table = await tableOf('select range as id from range(300000)', {id: 'int64'});
    const proxy = await proxyTo(server.url);
    const engine = engineOf(proxy.url);
    const read = async () => {
      let rows = 0;
      for await (const {rowCount} of engine.arrow(native('select id from t', {t: table}))) {
        if (rows === 0 && rowCount > 0) await proxy.cut();
        rows += rowCount;
      }
      return rows;
    };
    await expect(read()).rejects.toMatchObject({code: 'ENGINE_UNAVAILABLE'});
    await proxy.restore();
    let rows = 0;
    for await (const {rowCount} of engine.arrow(native('select id from t', {t: table}))) rows += rowCount;
    expect(rows).toBe(300_000);
    await engine.stop();
    await proxy.close();
  });
});
