import {existsSync} from 'node:fs';
import {mkdir, readFile, readdir, utimes, writeFile} from 'node:fs/promises';
import {manifestPath} from '../../src/warehouse/manifest.ts';
import {openWorld} from '../support/warehouse-world.ts';
import type {WarehouseWorld} from '../support/warehouse-world.ts';

let world: WarehouseWorld;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

let count = 0;
const fresh = () => `t${++count}`;
const values = async (name: string, sql = `select * from ${name}`, asOf?: Parameters<WarehouseWorld['rows']>[2]) =>
  (await world.rows(name, sql, asOf)).map(row => Object.values(row).map(value => (typeof value === 'bigint' ? Number(value) : value)));

describe('commits', () => {
  test('overwrite and append make snapshots; every earlier one stays as it was', async () => {
    const name = fresh();
    const first = await world.write(name, 'select range::int as a from range(2)');
    const second = await world.write(name, 'select 10 as a', {mode: 'append'});
    const third = await world.write(name, 'select 20 as a');
    expect(await values(name)).toEqual([[20, 3]]);
    expect(await values(name, undefined, {snapshot: second.id})).toEqual([[0, 0], [1, 1], [10, 2]]);
    expect(await values(name, undefined, {snapshot: first.id})).toEqual([[0, 0], [1, 1]]);
    expect(await values(name, undefined, {time: second.committedAt})).toEqual([[0, 0], [1, 1], [10, 2]]);
    expect(third).toMatchObject({sequence: 3, parentId: second.id, operation: 'overwrite', rowCount: 1n, fileCount: 1});
    await expect(world.warehouse.resolve(name, {time: new Date(first.committedAt.getTime() - 1)})).rejects.toMatchObject({code: 'SNAPSHOT_NOT_FOUND'});
    await expect(world.warehouse.resolve(name, {snapshot: 'nonsense'})).rejects.toMatchObject({code: 'SNAPSHOT_NOT_FOUND'});
    await expect(world.warehouse.resolve(`${name}x`)).rejects.toMatchObject({code: 'DATASET_NOT_FOUND'});
    await expect(world.warehouse.resolve(name, {run: 'nonsense'})).rejects.toMatchObject({code: 'RUN_NOT_FOUND'});
  });

  test("a snapshot of another dataset is not found by this one's name", async () => {
    const [one, two] = [fresh(), fresh()];
    const snapshot = await world.write(one, 'select 1 as a');
    await world.write(two, 'select 1 as a');
    await expect(world.warehouse.resolve(two, {snapshot: snapshot.id})).rejects.toMatchObject({code: 'SNAPSHOT_NOT_FOUND'});
  });

  test('the same content has the same hash, and other content another', async () => {
    const name = fresh();
    const first = await world.write(name, 'select 1 as a, 2 as b');
    expect((await world.write(name, 'select 1 as a, 2 as b')).contentHash).toBe(first.contentHash);
    expect((await world.write(name, 'select 1 as a, 3 as b')).contentHash).not.toBe(first.contentHash);
  });

  test('of several at once one lands and the others conflict, leaving nothing behind', async () => {
    const name = fresh();
    const outcomes = await Promise.allSettled(Array.from({length: 4}, (_, index) => world.write(name, `select ${index} as a`)));
    const failures = outcomes.filter(outcome => outcome.status === 'rejected').map(outcome => outcome.reason.code);
    expect(new Set(failures)).toEqual(new Set(['COMMIT_CONFLICT']));
    const snapshots = outcomes.flatMap(outcome => (outcome.status === 'fulfilled' ? [outcome.value.id] : []));
    expect(snapshots.length + failures.length).toBe(4);
    const base = await world.warehouse.resolve(name);
    const again = await Promise.allSettled(Array.from({length: 4}, (_, index) => world.write(name, `select ${index} as a`, {mode: 'append'})));
    const landed = again.flatMap(outcome => (outcome.status === 'fulfilled' ? [outcome.value.id] : []));
    expect(landed.length).toBeGreaterThanOrEqual(1);
    expect((await world.warehouse.resolve(name)).sequence).toBe(base.sequence + landed.length);
    expect((await readdir(world.warehouse.pathOf(`data/${name}`))).filter(id => !snapshots.includes(id) && !landed.includes(id))).toEqual([]);
    expect((await readdir(world.warehouse.pathOf('staging'))).length).toBe(0);
  });

  test('a schema made on another head is refused', async () => {
    const name = fresh();
    await world.write(name, 'select 1 as a');
    const next = await world.warehouse.schemaFor(name, await world.engine.describe({sql: 'select 1 as a, 2 as b', relations: {}}), 'append', 'main');
    await world.write(name, "select 1 as a, 'other' as c", {mode: 'append'});
    const stage = await world.warehouse.stage('test', 'late', 1);
    const files = await world.engine.materialize({sql: 'select 1 as a, 2 as b', relations: {}}, {folder: stage.folder, schema: next.written});
    await expect(world.warehouse.prepare({
      dataset: name, branch: 'main', operation: 'append', stage, files, schema: next.schema, parentId: next.parentId, runId: null, stepName: null, lineage: {},
    })).rejects.toMatchObject({code: 'COMMIT_CONFLICT'});
    await stage.discard();
    expect(existsSync(stage.folder)).toBe(false);
  });

  test('a commit that stands keeps its files when it is abandoned by mistake', async () => {
    const name = fresh();
    await world.write(name, 'select 1 as a');
    const prepared = await world.prepare(name, 'select 2 as a');
    const snapshot = await world.catalog.transaction(stores => prepared.commit(stores));
    await prepared.abandon();
    expect(snapshot.id).toBe(prepared.snapshotId);
    expect(await values(name)).toEqual([[2, 1]]);
    const dropped = await world.prepare(name, 'select 3 as a');
    await dropped.abandon();
    expect(existsSync(world.warehouse.pathOf(`data/${name}/${dropped.snapshotId}`))).toBe(false);
  });

  test('writes a manifest that says what the catalog says', async () => {
    const name = fresh();
    const snapshot = await world.write(name, 'select 1::hugeint::bigint as a');
    const manifest = JSON.parse(await readFile(world.warehouse.pathOf(manifestPath(snapshot)), 'utf8'));
    expect(manifest).toMatchObject({dataset: {name}, snapshot: {id: snapshot.id, rowCount: '1'}, files: [{rowCount: '1', firstRowId: '0'}]});
  });

  test('an empty result is a snapshot without rows', async () => {
    const name = fresh();
    expect(await world.write(name, 'select 1 as a where false')).toMatchObject({rowCount: 0n});
    expect(await values(name)).toEqual([]);
    await world.write(name, 'select 1 as a', {mode: 'append'});
    expect(await values(name)).toEqual([[1, 0]]);
  });

  test.each([['select 1 as a', '1bad', 'NAME_INVALID'], ['select 1 as a', 'pipelines', 'NAME_RESERVED']])('%s into %s is refused', async (sql, name, code) => {
    await expect(world.write(name, sql)).rejects.toMatchObject({code});
  });
});

describe('schemas that change', () => {
  test('appending adds, keeps and widens columns; old files are read by field id', async () => {
    const name = fresh();
    const first = await world.write(name, "select 1::int as a, 'x' as b");
    const second = await world.write(name, "select 2.5 as c, 5000000000 as a", {mode: 'append'});
    expect(second.schema.fields.map(field => [field.name, field.id, field.nullable])).toEqual([['a', 1, expect.any(Boolean)], ['b', 2, true], ['c', 3, true]]);
    expect(await values(name)).toEqual([[1, 'x', null, 0], [5000000000, null, '2.5', 1]]);
    expect(await values(name, undefined, {snapshot: first.id})).toEqual([[1, 'x', 0]]);
    const third = await world.write(name, 'select 7::int as a', {mode: 'append'});
    expect(third.schemaVersion).toBe(second.schemaVersion);
    expect(await values(name, `select a, _row_id from ${name} where a = 7`)).toEqual([[7, 2]]);
  });

  test('a column that comes back after an overwrite is another column', async () => {
    const name = fresh();
    const first = await world.write(name, 'select 1 as a, 2 as b');
    await world.write(name, 'select 1 as a');
    const third = await world.write(name, "select 1 as a, 'text' as b");
    expect(third.schema.fields.find(field => field.name === 'b')!.id).not.toBe(first.schema.fields.find(field => field.name === 'b')!.id);
    expect(new Set(third.schema.fields.map(field => field.id)).size).toBe(2);
    await world.write(name, 'select 2 as a', {mode: 'append'});
    expect(await values(name)).toEqual([[1, 'text', expect.any(Number)], [2, null, expect.any(Number)]]);
  });

  test.each([
    ['select 1 as a', "select 'x' as a", 'a: int32 → utf8'],
    ['select 1 as a', 'select 1 as A', 'a → A'],
    ['select {x: 1} as a', "select {x: 'y'} as a", 'struct'],
  ])('%s, then appending %s', async (before, after, message) => {
    const name = fresh();
    await world.write(name, before);
    await expect(world.write(name, after, {mode: 'append'})).rejects.toMatchObject({code: 'SCHEMA_INCOMPATIBLE', message: expect.stringContaining(message)});
    expect((await world.warehouse.resolve(name)).sequence).toBe(1);
  });

  test('the graph hears of new columns and new datasets, not of new rows', async () => {
    const name = fresh();
    const version = () => world.catalog.read(stores => stores.changes.count('graph'));
    const start = await version();
    const contract = {key: ['a'], foreignKeys: []};
    await world.write(name, 'select 1 as a', {contract});
    expect(await version()).toBe(start + 1n);
    await world.write(name, 'select 2 as a', {mode: 'append', contract: {foreignKeys: [], key: ['a']}});
    expect(await version()).toBe(start + 1n);
    await world.write(name, 'select 3 as a, 4 as b', {mode: 'append', contract});
    expect(await version()).toBe(start + 2n);
  });
});

describe('keys and foreign keys', () => {
  test('a key is unique and never null, over old rows and new', async () => {
    const name = fresh();
    await world.write(name, 'select range as id, range % 2 as half from range(4)', {contract: {key: ['id', 'half']}});
    await expect(world.write(name, 'select 3 as id, 1 as half', {mode: 'append'})).rejects.toMatchObject({code: 'KEY_VIOLATED', details: {example: '3, 1', key: 'id, half'}});
    await expect(world.write(name, 'select 3 as id, null::bigint as half', {mode: 'append'})).rejects.toMatchObject({code: 'KEY_NULL', details: {column: 'half'}});
    await world.write(name, 'select 3 as id, 0 as half', {mode: 'append'});
    await expect(world.write(name, 'select 3 as id', {contract: {key: ['none']}})).rejects.toMatchObject({code: 'CONTRACT_INVALID'});
    await expect(world.write(name, 'select 3 as id')).rejects.toMatchObject({code: 'CONTRACT_INVALID'});
    expect((await world.warehouse.resolve(name)).rowCount).toBe(5n);
  });

  test('a foreign key is in the other dataset, or null', async () => {
    const [airports, flights] = [fresh(), fresh()];
    await world.write(airports, "select unnest(['JFK', 'LAX']) as iata", {contract: {key: ['iata']}});
    const contract = {foreignKeys: [{column: 'origin', references: airports, as: 'airport'}]};
    await world.write(flights, "select unnest(['JFK', null]) as origin", {contract});
    await expect(world.write(flights, "select unnest(['ORD', 'JFK', 'XXX']) as origin", {mode: 'append'})).rejects.toMatchObject({
      code: 'FOREIGN_KEY_VIOLATED', details: {column: 'origin', references: airports, count: 2n, example: 'ORD'},
    });
    await expect(world.write(flights, 'select 5 as origin')).rejects.toMatchObject({code: 'CONTRACT_INVALID'});
    await expect(world.write(airports, 'select 1 as a', {contract: {foreignKeys: [{column: 'a', references: flights}]}})).rejects.toMatchObject({code: 'CONTRACT_INVALID'});
    await expect(world.write(fresh(), 'select 1 as a', {contract: {foreignKeys: [{column: 'a', references: 'nowhere'}]}})).rejects.toMatchObject({code: 'DATASET_NOT_FOUND'});
  });

  test('a dataset may refer to itself', async () => {
    const name = fresh();
    const contract = {key: ['id'], foreignKeys: [{column: 'boss', references: name}]};
    await world.write(name, 'select * from (values (1, null), (2, 1)) as t(id, boss)', {contract});
    await expect(world.write(name, 'select 3 as id, 9 as boss', {mode: 'append'})).rejects.toMatchObject({code: 'FOREIGN_KEY_VIOLATED'});
  });
});

describe('compaction', () => {
  test('keeps rows, their ids and their order, and the snapshots before', async () => {
    const name = fresh();
    await world.write(name, 'select range::int as a from range(5)', {rowsPerFile: 2});
    await world.write(name, "select 5 as a, 'new' as b", {mode: 'append'});
    const before = await world.warehouse.resolve(name);
    const rows = await values(name);
    const compacted = (await world.warehouse.compact(name))!;
    expect(compacted).toMatchObject({operation: 'replace', rowCount: 6n, fileCount: 1, nextRowId: 6n, parentId: before.id});
    expect(await values(name)).toEqual(rows);
    expect(await values(name, undefined, {snapshot: before.id})).toEqual(rows);
    expect(await world.warehouse.compact(name)).toBeNull();
    await world.write(name, 'select 6 as a', {mode: 'append'});
    await world.write(name, 'select 7 as a', {mode: 'append'});
    const more = await values(name);
    expect(more.map(row => row.at(-1))).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    await world.warehouse.compact(name);
    expect(await values(name)).toEqual(more);
    expect(await values(name, `select a from ${name} where _row_id = 6`)).toEqual([[6]]);
  });

  test('of which one and a commit at once do not both land', async () => {
    const name = fresh();
    for (let n = 0; n < 4; n++) await world.write(name, `select ${n} as a`, {mode: 'append'});
    const outcomes = await Promise.allSettled([world.warehouse.compact(name), world.write(name, 'select 4 as a', {mode: 'append'})]);
    const refusals = outcomes.flatMap(outcome => (outcome.status === 'rejected' ? [(outcome.reason as {code: string}).code] : []));
    expect(refusals.filter(code => code !== 'COMMIT_CONFLICT')).toEqual([]);
    const landed = outcomes[1]!.status === 'fulfilled' ? [0, 1, 2, 3, 4] : [0, 1, 2, 3];
    expect((await values(name)).map(row => row[0])).toEqual(landed);
  });
});

describe('sweeping', () => {
  test('removes old folders that nothing names, and nothing else', async () => {
    const name = fresh();
    const kept = await world.write(name, 'select 1 as a');
    const old = new Date(Date.now() - 5 * 3_600_000);
    const make = async (path: string, time?: Date) => {
      await mkdir(world.warehouse.pathOf(path), {recursive: true});
      if (time) await utimes(world.warehouse.pathOf(path), time, time);
    };
    await make('staging/dead', old);
    await make('staging/alive');
    await make(`data/${name}/dead`, old);
    await make(`data/${name}/alive`);
    await make(`data/${name}/lost`);
    await writeFile(world.warehouse.pathOf(`data/${name}/lost/manifest.json`), '{}');
    await utimes(world.warehouse.pathOf(`data/${name}/lost`), old, old);
    await utimes(world.warehouse.pathOf(`data/${name}/${kept.id}`), old, old);
    expect(await world.warehouse.sweep(4)).toBe(2);
    expect((await readdir(world.warehouse.pathOf(`data/${name}`))).sort()).toEqual([kept.id, 'alive', 'lost'].sort());
    expect(await readdir(world.warehouse.pathOf('staging'))).toEqual(['alive']);
    expect(await world.warehouse.sweep(0)).toBe(2);
    expect(await values(name)).toEqual([[1, 0]]);
  });
});

describe('pins', () => {
  test('are taken, renewed and given back', async () => {
    const snapshot = await world.write(fresh(), 'select 1 as a');
    await world.catalog.read(async stores => {
      const {datasets} = stores;
      const pin = await datasets.pin(snapshot.id, 'a reader', 60);
      const other = await datasets.pin(snapshot.id, 'another', 0);
      expect(await datasets.pinned()).toEqual(new Set([snapshot.id]));
      await datasets.renewPin(other, 60);
      await datasets.unpin(pin);
      expect(await datasets.pinned()).toEqual(new Set([snapshot.id]));
      await datasets.renewPin(other, -1);
      expect(await datasets.pinned()).toEqual(new Set());
      await datasets.unpin(pin);
    });
  });
});
