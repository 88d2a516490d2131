import {mkdtemp, readdir, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {createDuckDbEngine} from '../../src/engines/duckdb/engine.ts';
import {withoutTrailer} from '../../src/engines/sql-text.ts';
import type {Engine, Query} from '../../src/engines/engine.ts';
import {engineConformance, schemaOf} from '../conformance/engine.ts';

engineConformance('duckdb', folder => createDuckDbEngine({allowedFolders: [folder], threads: 2, tempFolder: join(folder, 'tmp'), maxQueries: 3}));

describe('DuckDB itself is locked', () => {
  let folder: string;
  let engine: Engine;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-locked-'));
    await writeFile(join(folder, 'mine.csv'), 'a\n1\n');
    engine = createDuckDbEngine({allowedFolders: [folder, '/dev'], threads: 1, tempFolder: join(folder, 'tmp'), maxQueries: 2});
    await engine.start();
  });
  afterAll(async () => {
    await engine.stop();
    await rm(folder, {recursive: true});
  });
  // The SQL goes to DuckDB without analysis, as if that had been bypassed.
  const bypassed = (sql: string) => engine.rows({sql, relations: {}});

  test.each([
    "select * from read_text('/etc/passwd')",
    "from '/etc/passwd.csv'",
    "select * from read_csv('http://127.0.0.1:1/x.csv')",
    "select * from glob('/etc/*')",
    "select * from read_text('%FOLDER%/../../etc/passwd')",
    "select * from read_parquet('s3://bucket/x.parquet')",
  ])('%s', async sql => {
    await expect(bypassed(sql.replace('%FOLDER%', folder))).rejects.toMatchObject({code: expect.stringMatching(/SQL_NOT_ALLOWED|SQL_FAILED|SQL_INVALID/)});
  });

  test.each(["attach '/tmp/x.db'", 'install httpfs', 'set threads = 4', 'select 1) ; attach \'x\' ; (select 1', "copy (select 1) to '/tmp/millrace-never.csv'"])('no other statement: %s', async sql => {
    await expect(bypassed(sql)).rejects.toMatchObject({code: expect.stringMatching(/SQL_INVALID|SQL_FAILED|SQL_NOT_ALLOWED/)});
  });

  test('its own folders stay readable', async () => {
    expect(await bypassed(`select a from read_csv('${folder}/mine.csv')`)).toEqual([{a: 1n}]);
  });

  test('settings are locked', async () => {
    expect(await bypassed("select value from duckdb_settings() where name in ('enable_external_access', 'lock_configuration', 'autoload_known_extensions') order by name")).toEqual([
      {value: 'false'}, {value: 'false'}, {value: 'true'},
    ]);
  });

  test('a full disk is DISK_FULL', async () => {
    await expect(engine.publish({sql: 'select range as a from range(1000000)', relations: {}}, {path: '/dev/full', format: 'csv'})).rejects.toMatchObject({code: 'DISK_FULL'});
  });
});

describe('life', () => {
  test('stop interrupts what runs, refuses what waits, and removes nothing of others', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-stop-'));
    const engine = createDuckDbEngine({allowedFolders: [folder], threads: 1, tempFolder: join(folder, 'tmp'), maxQueries: 1});
    await engine.start();
    const slow: Query = {sql: 'select count(*) from range(1000000000) a, range(100000) b where (a.range + b.range) % 7 = 8', relations: {}};
    const running = engine.rows(slow);
    const waiting = engine.rows(slow);
    const settled = Promise.allSettled([running, waiting]);
    await new Promise(resolve => setTimeout(resolve, 100));
    await engine.stop();
    for (const result of await settled) expect(result).toMatchObject({status: 'rejected', reason: {code: 'SHUTTING_DOWN'}});
    await expect(engine.rows(slow)).rejects.toMatchObject({code: 'SHUTTING_DOWN'});
    await engine.start();
    expect(await engine.rows({sql: 'select 1 as a', relations: {}})).toEqual([{a: 1}]);
    await engine.stop();
    expect(await readdir(folder)).toEqual(['tmp']);
    await rm(folder, {recursive: true});
  });

  test('stop does not wait for a reader that has gone to sleep', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-stop-'));
    const engine = createDuckDbEngine({allowedFolders: [folder], threads: 1, tempFolder: join(folder, 'tmp'), maxQueries: 1});
    await engine.start();
    const batches = engine.columns({sql: 'select range as a from range(1000000)', relations: {}}, {batchRows: 10})[Symbol.asyncIterator]();
    await batches.next();
    await engine.stop();
    await expect((async () => { for (;;) if ((await batches.next()).done) return; })()).rejects.toMatchObject({code: 'SHUTTING_DOWN'});
    await rm(folder, {recursive: true});
  });

  test('progress goes up to one at most', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-progress-'));
    const engine = createDuckDbEngine({allowedFolders: [folder], threads: 1, tempFolder: join(folder, 'tmp'), maxQueries: 1});
    await engine.start();
    const [file] = await engine.materialize({sql: 'select range as a from range(4000000)', relations: {}}, {folder, schema: schemaOf({a: 'int64'})});
    const seen: number[] = [];
    const table = {kind: 'table', schema: schemaOf({a: 'int64'}), files: [{path: file!.path, rowCount: file!.rowCount, bytes: file!.bytes, firstRowId: 0, rowIds: 'positional'}]} as const;
    await engine.rows({sql: 'select sum(sin(a) * cos(a) * tan(a + 0.5) + length(sha256(a::varchar))) as s from t', relations: {t: table}}, {onProgress: fraction => seen.push(fraction)});
    await engine.stop();
    await rm(folder, {recursive: true});
    expect(seen.length).toBeGreaterThan(0);
    expect([...seen].sort((a, b) => a - b)).toEqual(seen);
    expect(seen.at(-1)).toBeLessThanOrEqual(1);
  });
});

test('a value that does not fit the memory is told as such, and harms nothing else', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-small-'));
  const engine = createDuckDbEngine({allowedFolders: [folder], threads: 1, tempFolder: join(folder, 'tmp'), maxQueries: 2, memoryLimit: '40MB'});
  await engine.start();
  await expect(engine.rows({sql: 'select length(list(i)::varchar) as n from range(30000000) t(i)', relations: {}})).rejects.toMatchObject({code: 'ENGINE_OUT_OF_MEMORY'});
  expect(await engine.rows({sql: 'select count(*)::INTEGER as n from range(10)', relations: {}})).toEqual([{n: 10}]);
  await engine.stop();
  await rm(folder, {recursive: true});
});

test.each([
  ['select 1', 'select 1'],
  ['select 1;', 'select 1'],
  ['select 1 ; -- done', 'select 1'],
  ["select ';' ; ;", "select ';'"],
  ['select 1 /* ; */', 'select 1'],
  ["select '--' as a -- x", "select '--' as a"],
  ['select $$ -- ; $$', 'select $$ -- ; $$'],
  ['select $a$ ; $b$ ; $a$ ; -- $b$', 'select $a$ ; $b$ ; $a$'],
  ['select $a ; $b$', 'select $a ; $b$'],
  ['select $1;', 'select $1'],
])('withoutTrailer %j', (sql, expected) => {
  expect(withoutTrailer(sql)).toBe(expected);
});

test('withoutTrailer does not look for the end of each dollar quote to the end of the text', () => {
  const letters = (index: number): string => [...String(index)].map(digit => 'abcdefghij'[Number(digit)]).join('');
  const sql = Array.from({length: 200_000}, (_, index) => `$${letters(index)}$`).join(' ');
  expect(withoutTrailer(`${sql} ; `)).toBe(sql);
});
