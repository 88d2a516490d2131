/** Datasets as tables of a real Hive. */
import {readdirSync} from 'node:fs';
import {join} from 'node:path';
import {tableFromIPC} from 'apache-arrow';
import type {App} from '../../src/compose.ts';
import {startTestHive} from '../support/hive.ts';
import type {TestHive} from '../support/hive.ts';
import {createProject, data, startApp} from '../support/project.ts';
import type {Project} from '../support/project.ts';
import {runner} from '../support/runs.ts';

let hive: TestHive;
let project: Project;
let app: App;
const {put, run, plan} = runner(() => app);

beforeAll(async () => {
  hive = await startTestHive({zone: 'UTC'});
  project = createProject();
  app = await startApp(project, {set: [`hive.url=${hive.url}`, 'warehouse.graceHours=0']});
  await hive.run(`create database shop location 'file:${join(project.folder, 'shop')}'`, 'create table shop.theirs (id int)');
}, 300_000);
afterAll(async () => {
  await app?.lifecycle.stop();
  await hive?.close();
  project?.remove();
});

const make = (into: string, sql: string, more: object = {}): object => ({kind: 'sql', name: into, into, sql, ...more});
const publish = (input: string, table: string, more: object = {}): object => ({kind: 'publish', name: 'publish', input, to: {hive: {table, ...more}}});
/** Makes a dataset of a statement and publishes it. */
async function published(dataset: string, sql: string, more: object = {}, target: object = {}): ReturnType<typeof run> {
  await put(`of_${dataset}`, [make(dataset, sql, more), publish(dataset, `shop.${dataset}`, target)]);
  return run(`of_${dataset}`);
}

/** As Hive reads it in a session of our engine. */
async function read(sql: string): Promise<Record<string, unknown>[]> {
  const chunks: Uint8Array[] = [];
  for await (const {bytes} of app.services.hive.arrow({sql, relations: {}})) chunks.push(bytes);
  return tableFromIPC(chunks).toArray().map(row => ({...row!.toJSON()}));
}
/** A sort in Hive is a job of its own. */
const byFirst = (rows: readonly Record<string, unknown>[]) => rows.toSorted((a, b) => Number(Object.values(a)[0]) - Number(Object.values(b)[0]));
const head = async (dataset: string) => app.services.warehouse.resolve(dataset);
const nameOf = (dataset: string, {id}: {readonly id: string}): string => `${dataset}__${id.slice(-12)}`;
const unpublish = async (table: string) => (await data(app.http.url, `mutation($table: String!) { unpublishDataset(table: $table) { __typename ... on DatasetUnpublished { dropped } ... on Failure { code } } }`, {table})).unpublishDataset;

test('a dataset is read in Hive as it is, over its own files', async () => {
  const sql = `SELECT * FROM (VALUES
    (9223372036854775807, 1.50::DECIMAL(20,4), 'ß', TIMESTAMP '1969-12-31 23:59:59.999999', DATE '2001-01-01', [1, NULL, 3], TIMESTAMPTZ '2001-01-01 12:00:00+02'),
    (-9223372036854775808, NULL, '', NULL, NULL, NULL, NULL)) AS t (id, price, "größe", at_moment, day, numbers, instant)`;
  await put('of_exact', [make('exact', sql), publish('exact', 'shop.exact')]);
  const {run: done, steps} = await run('of_exact');
  expect(done).toMatchObject({status: 'succeeded'});
  expect(steps.publish).toMatchObject({rowsWritten: 2n});
  expect((await plan('of_exact'))[1]!.notices).toEqual(['1 file (0.0 MB) is linked, not copied', "Hive shows 'instant' as timestamps in UTC"]);
  const column = Object.keys((await read('select * from shop.exact'))[0]!)[2]!;
  expect(await hive.run('select concat_ws("|", cast(id as string), nvl(cast(price as string), "null"), cast(at_moment as string), cast(day as string), cast(instant as string)) from shop.exact where id > 0'))
    .toEqual(['9223372036854775807|1.5000|1969-12-31 23:59:59.999999|2001-01-01|2001-01-01 10:00:00']);
  expect(await read(`select id, \`${column}\` as text, size(numbers) as n, price is null as empty from shop.exact where id < 0`)).toEqual([
    {id: -9223372036854775808n, text: '', n: -1, empty: true},
  ]);
  const {statistics, location} = await app.services.hive.metastore.table('shop', nameOf('exact', await head('exact')));
  expect(statistics).toMatchObject({rows: 2});
  expect(location).toContain('hive-tables');
});

test('who reads while others are published sees all rows of one snapshot; earlier ones stay', async () => {
  const version = (number: number): string => `SELECT ${number}::INTEGER AS version, range::BIGINT AS id FROM range(${number * 1000})`;
  expect((await published('editions', version(1))).run).toMatchObject({status: 'succeeded'});
  const first = await head('editions');
  const seen = new Map<number, number>();
  let over = false;
  const reading = (async () => {
    while (!over) {
      const rows = await read('select version from shop.editions');
      const [{version: number}] = rows as [{version: number}];
      expect(rows.every(row => row.version === number)).toBe(true);
      expect(rows).toHaveLength(number * 1000);
      seen.set(number, (seen.get(number) ?? 0) + 1);
    }
  })();
  try {
    for (const number of [2, 3, 4]) expect((await published('editions', version(number))).run).toMatchObject({status: 'succeeded'});
  } finally {
    over = true;
    await reading;
  }
  expect(seen.size).toBeGreaterThan(1);
  expect(await read('select version from shop.editions')).toHaveLength(4000);
  expect(await read(`select version from shop.${nameOf('editions', first)}`)).toHaveLength(1000);
});

test('what is published does not expire, until it is dropped', async () => {
  const more = {contract: {retention: {snapshots: 1}}};
  for (const number of [1, 2, 3]) await published('kept', `SELECT ${number} AS version`, more, {keep: 2});
  const viewer = app.services.system;
  const {dataset} = await app.services.datasets.get(viewer, 'kept');
  const snapshots = (await app.services.datasets.snapshotsOf(viewer, [dataset.id], 10)).get(dataset.id)!;
  await app.services.maintenance.collectGarbage();
  expect((await app.services.datasets.snapshotsOf(viewer, [dataset.id], 10)).get(dataset.id)!.map(({expiredAt}) => expiredAt === null)).toEqual([true, true, false]);
  expect(await read(`select version from shop.${nameOf('kept', snapshots[1]!)}`)).toEqual([{version: 2}]);
  expect((await hive.run("show tables in shop like 'kept%'")).toSorted()).toEqual(['kept', ...snapshots.slice(0, 2).map(one => nameOf('kept', one))].toSorted());

  expect((await unpublish('shop.kept')).dropped).toHaveLength(3);
  expect(await hive.run("show tables in shop like 'kept%'")).toEqual([]);
  expect(readdirSync(join(project.folder, '.millrace/hive-tables'))).not.toContain('shop.kept');
  await app.services.maintenance.collectGarbage();
  expect((await app.services.datasets.snapshotsOf(viewer, [dataset.id], 10)).get(dataset.id)!.map(({expiredAt}) => expiredAt === null)).toEqual([true, false, false]);
  expect(await unpublish('shop.kept')).toEqual({__typename: 'NotFound', code: 'PUBLICATION_NOT_FOUND'});
});

test('files from before a rename are rewritten, the others linked, and the plan says so', async () => {
  await published('renamed', 'SELECT 1::BIGINT AS old, 10::INTEGER AS other', {mode: 'append'});
  await app.services.datasets.renameColumn(app.services.system, 'renamed', 'old', 'fresh');
  await put('of_renamed', [make('renamed', 'SELECT 2::BIGINT AS fresh, 20::INTEGER AS other', {mode: 'append'}), publish('renamed', 'shop.renamed')]);
  expect((await run('of_renamed')).logs).toContainEqual(expect.stringMatching(/1 file .* is linked, not copied; 1 file .*, written when columns had other names or types, is rewritten/));
  expect(byFirst(await read('select fresh, other from shop.renamed'))).toEqual([{fresh: 1n, other: 10}, {fresh: 2n, other: 20}]);
});

test('files of which a merge keeps some, and files with ids of rows', async () => {
  const more = {mode: 'merge', contract: {key: ['id']}};
  await published('merged', 'SELECT range::BIGINT AS id, 0::INTEGER AS v FROM range(3)', more);
  await published('merged', 'SELECT 1::BIGINT AS id, 1::INTEGER AS v UNION ALL SELECT 9, 9', more);
  expect(byFirst(await read('select * from shop.merged'))).toEqual([{id: 0n, v: 0}, {id: 1n, v: 1}, {id: 2n, v: 0}, {id: 9n, v: 9}]);
});

test('after an erasure Hive has the other rows, of files that are linked and of files that were rewritten', async () => {
  await published('erased', 'SELECT range::BIGINT AS id, 0 AS v FROM range(3)', {contract: {key: ['id']}});
  const linked = await head('erased');
  await app.services.datasets.renameColumn(app.services.system, 'erased', 'v', 'w');
  await put('again', [publish('erased', 'shop.erased')]);
  await run('again');
  const rewritten = await head('erased');
  await app.services.maintenance.erase(app.services.system, {dataset: 'erased', keys: [{id: 1}], reason: 'asked for'});
  for (const table of ['erased', nameOf('erased', linked), nameOf('erased', rewritten)]) expect(byFirst(await read(`select id from shop.${table}`))).toEqual([{id: 0n}, {id: 2n}]);
  expect((await run('again')).run).toMatchObject({status: 'succeeded'});
  expect(byFirst(await read('select id from shop.erased'))).toEqual([{id: 0n}, {id: 2n}]);
});

test.each([
  ['SELECT 1::UBIGINT AS big', 'shop.refused', 'ENGINE_UNSUPPORTED', "'big'"],
  ['SELECT uuid() AS u', 'shop.refused', 'ENGINE_UNSUPPORTED', 'UUID'],
  ["SELECT TIME '01:02:03' AS t", 'shop.refused', 'ENGINE_UNSUPPORTED', 'time of day'],
  ['SELECT 1 AS id', 'nowhere.refused', 'SOURCE_NOT_FOUND', 'nowhere'],
  ['SELECT 1 AS id', 'shop.theirs', 'NAME_TAKEN', 'a table of others'],
  ['SELECT 1 AS id', 'shop.exact', 'NAME_TAKEN', "'exact'"],
])('%s to %s is %s, in the plan as well', async (sql, table, code, message) => {
  await put('refusing', [make('refused', sql)]);
  await run('refusing');
  await put('refused', [publish('refused', table)]);
  await expect(plan('refused')).rejects.toMatchObject({code, message: expect.stringContaining(message)});
  expect((await run('refused')).steps.publish).toMatchObject({status: 'failed', error: {code}});
  expect(await hive.run("show tables in shop like 'refused%'")).toEqual([]);
});
