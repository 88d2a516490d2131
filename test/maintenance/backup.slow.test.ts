import {createHash} from 'node:crypto';
import {mkdir, readFile, readdir, rm, stat, writeFile} from 'node:fs/promises';
import {basename, join} from 'node:path';
import {newId} from '../../src/core/ids.ts';
import {backup} from '../../src/maintenance/backup.ts';
import {doctor} from '../../src/maintenance/doctor.ts';
import {restore} from '../../src/maintenance/restore.ts';
import type {Field} from '../../src/schemas/schema.ts';
import {openWorld} from '../support/warehouse-world.ts';
import type {WarehouseWorld} from '../support/warehouse-world.ts';

const field: Field = {id: 0, name: 'x', type: {kind: 'utf8'}, nullable: true};

/** Fills a world with one of everything. */
async function fill(world: WarehouseWorld) {
  const {catalog, places} = world;
  await world.write('trips', "select range as id, 'a\u2028b' as note from range(100)", {contract: {key: ['id']}});
  const second = await world.write('trips', "select 100 + range as id, 'later' as note from range(10)", {mode: 'append'});
  await world.write('wide', "select 18446744073709551615::ubigint as big, {x: [1, 2]} as nested, timestamptz '2001-06-01 01:02:03.456789+02' as at");

  const bytes = Buffer.from('an artifact');
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const versionId = newId();
  await mkdir(join(places.models, versionId));
  await writeFile(join(places.models, versionId, 'm.onnx'), bytes);
  const uploadId = newId();
  const uploadPath = join(places.uploads, `${uploadId}-mine.csv`);
  await writeFile(uploadPath, bytes);
  const runId = await catalog.transaction(async stores => {
    const model = await stores.models.create('late', 'says who is late');
    const version = await stores.models.addVersion({
      id: versionId, modelId: model.id, artifact: {folder: versionId, model: 'm.onnx', files: [{name: 'm.onnx', bytes: bytes.length, sha256}]},
      signature: {inputs: [field], outputs: [field]}, settings: {} as never, metrics: {auc: 0.75}, gate: {} as never, trainedOn: [second.id], fingerprint: 'f', createdBy: 'me',
    });
    await stores.models.setAlias(model.id, 'champion', version.id);
    await stores.uploads.add({id: uploadId, name: 'mine.csv', path: uploadPath, bytes: BigInt(bytes.length), sha256});
    await stores.uploads.add({id: newId(), name: 'gone.csv', path: join(places.uploads, 'gone.csv'), bytes: 1n, sha256});
    const pipeline = await stores.runs.putPipeline({name: 'p', steps: [{kind: 'sql', name: 's', sql: 'select 1', into: 'one'}]}, 'hash', 'graph');
    const run = await stores.runs.createRun({
      definitionId: pipeline.definitionId, params: {day: '2001-06-30'}, requestedBy: 'me', branch: 'main', steps: [{name: 's', position: 0, kind: 'sql', needs: []}],
    });
    await stores.runs.admit(run.id);
    await stores.runs.advance(run.id);
    await stores.runs.appendEvents(run.id, [{kind: 'run_started'}]);
    return run.id;
  });
  const claimed = await catalog.read(stores => stores.runs.claim('a worker that dies', 3_600));
  expect(claimed?.run.id).toBe(runId);
  return {runId, versionId, uploadId};
}

/** Everything the catalog has, as text that does not depend on order. */
async function contentOf(world: WarehouseWorld): Promise<Record<string, string[]>> {
  const content: Record<string, string[]> = {};
  await world.catalog.dump(async ({table, rows}) => {
    content[table] = [...(content[table] ?? []), ...rows.map(row => JSON.stringify(Object.entries(JSON.parse(row) as object).filter(([name]) => !['lease_until', 'path'].includes(name)).sort()))].sort();
  });
  return content;
}

describe.each([['PGlite', 'PGlite'], ['PGlite', 'PostgreSQL'], ['PostgreSQL', 'PGlite']])('a backup from %s restored into %s', (from, into) => {
  let source: WarehouseWorld;
  let target: WarehouseWorld;
  beforeAll(async () => {
    [source, target] = await Promise.all([openWorld({database: from}), openWorld({database: into})]);
  });
  afterAll(async () => {
    await source.close();
    await target.close();
  });

  test('has the same catalog, the same rows, and a run that a worker takes over', async () => {
    const {runId, versionId, uploadId} = await fill(source);
    const folder = join(source.folder, 'backup');
    const seen: number[] = [];
    const summary = await backup(source.places, folder, ({files, ofFiles}) => seen.push(files / ofFiles));
    expect(summary).toMatchObject({folder, datasets: 2, snapshots: 3, files: 5});
    expect(seen.at(-1)).toBeLessThanOrEqual(1);

    expect(await restore(target.places, folder)).toMatchObject({datasets: 2, snapshots: 3, files: 5});
    expect(await contentOf(target)).toEqual(await contentOf(source));
    for (const dataset of ['trips', 'wide']) expect(await target.rows(dataset)).toEqual(await source.rows(dataset));
    const findings = await doctor(target.places, {deep: true});
    expect(findings.filter(finding => finding.status !== 'ok')).toEqual([]);
    expect((await target.catalog.read(stores => stores.uploads.byId(uploadId)))!.path).toBe(join(target.places.uploads, `${uploadId}-mine.csv`));
    expect(await readFile(join(target.places.models, versionId, 'm.onnx'), 'utf8')).toBe('an artifact');
    expect(await target.catalog.read(stores => stores.runs.claim('another worker', 60))).toMatchObject({run: {id: runId}, fence: 2});
    await target.write('trips', "select 1000 as id, 'new' as note", {mode: 'append'});
    expect((await target.rows('trips', 'select max(_row_id) as n from trips'))[0]).toEqual({n: 110n});

    await expect(restore(target.places, folder)).rejects.toMatchObject({code: 'TARGET_NOT_EMPTY'});
  });
});

describe('backups', () => {
  let world: WarehouseWorld;
  let empty: WarehouseWorld;
  beforeAll(async () => {
    [world, empty] = await Promise.all([openWorld(), openWorld({database: 'PostgreSQL'})]);
    await fill(world);
  });
  afterAll(async () => {
    await world.close();
    await empty.close();
  });
  let count = 0;
  const place = () => join(world.folder, `backup-${++count}`);

  test('taken while commits go on is of one moment', async () => {
    let going = true;
    let commits = 0;
    const committing = (async () => {
      while (going) {
        await world.write('trips', `select ${1_000 + commits} as id, 'more' as note`, {mode: 'append'});
        commits++;
      }
    })();
    const folder = place();
    while (commits < 2) await new Promise(resolve => setTimeout(resolve, 10));
    const summary = await backup(world.places, folder);
    const before = commits;
    while (commits < before + 1) await new Promise(resolve => setTimeout(resolve, 10));
    going = false;
    await committing;
    await restore(empty.places, folder);
    const head = await empty.warehouse.resolve('trips');
    expect(summary.snapshots).toBe((await empty.catalog.read(stores => stores.datasets.allSnapshotIds())).size);
    expect((await empty.rows('trips', 'select count(*) as n from trips'))[0]).toEqual({n: head.rowCount});
    expect(head.sequence).toBeLessThan((await world.warehouse.resolve('trips')).sequence);
    expect((await doctor(empty.places, {deep: true})).filter(finding => finding.status === 'failed')).toEqual([]);
  });

  test('takes no space on the same disk', async () => {
    const folder = place();
    await backup(world.places, folder);
    const snapshot = await world.warehouse.resolve('wide');
    const [file] = await world.catalog.read(stores => stores.datasets.files(snapshot));
    expect((await stat(join(folder, 'warehouse', file!.path))).ino).toBe((await stat(world.warehouse.pathOf(file!.path))).ino);
  });

  test('refuses a folder with something in it', async () => {
    const folder = place();
    await mkdir(folder);
    await writeFile(join(folder, 'mine.txt'), 'x');
    await expect(backup(world.places, folder)).rejects.toMatchObject({code: 'TARGET_NOT_EMPTY'});
    expect(await readdir(folder)).toEqual(['mine.txt']);
  });

  describe('restoring what is not whole', () => {
    let target: WarehouseWorld;
    beforeAll(async () => {
      target = await openWorld({database: 'PostgreSQL'});
    });
    afterAll(() => target.close());

    const fileIn = async (folder: string): Promise<string> => {
      const entries = await readdir(join(folder, 'warehouse'), {recursive: true});
      return join(folder, 'warehouse', entries.find(entry => entry.endsWith('.parquet'))!);
    };
    test.each<[string, (folder: string) => Promise<unknown>, RegExp]>([
      ['without a manifest', folder => rm(join(folder, 'manifest.json')), /not written to its end/],
      ['with half a manifest', folder => writeFile(join(folder, 'manifest.json'), '{"format": "mill'), /cannot be read/],
      ['with a damaged table', folder => writeFile(join(folder, 'catalog/snapshot.ndjson'), '{}\n'), /snapshot.ndjson is damaged/],
      ['without a table', folder => rm(join(folder, 'catalog/run.ndjson')), /run.ndjson is missing/],
      ['without a file', async folder => rm(await fileIn(folder)), /it is missing/],
      ['with a damaged file', async folder => {
        const path = await fileIn(folder);
        const content = await readFile(path);
        content[content.length >> 1]! ^= 1;
        await rm(path); // the link: the warehouse keeps its own
        await writeFile(path, content);
      }, /its checksum differs/],
      ['from a later version', async folder => {
        const path = join(folder, 'manifest.json');
        const manifest = JSON.parse(await readFile(path, 'utf8')) as {migrations: string[]};
        await writeFile(path, JSON.stringify({...manifest, migrations: [...manifest.migrations, '29990101000000_later']}));
      }, /later version/],
    ])('%s leaves the target empty', async (_name, harm, message) => {
      const folder = place();
      await backup(world.places, folder);
      await harm(folder);
      await expect(restore(target.places, folder)).rejects.toMatchObject({code: 'BACKUP_INVALID', message: expect.stringMatching(message)});
      expect(await target.catalog.isEmpty()).toBe(true);
      expect(await readdir(target.places.models)).toEqual([]);
      expect(await readdir(target.places.warehouse, {recursive: true})).toEqual(expect.not.arrayContaining([expect.stringMatching(/parquet/)]));
    });
  });

  test('refuses to back up a damaged warehouse, and leaves no manifest', async () => {
    const snapshot = await world.warehouse.resolve('wide');
    const [file] = await world.catalog.read(stores => stores.datasets.files(snapshot));
    const path = world.warehouse.pathOf(file!.path);
    const content = await readFile(path);
    await rm(path);
    await writeFile(path, content.subarray(0, -1));
    const folder = place();
    await expect(backup(world.places, folder)).rejects.toMatchObject({code: 'FILE_DAMAGED', message: expect.stringContaining(basename(path))});
    await expect(restore(empty.places, folder)).rejects.toMatchObject({code: 'BACKUP_INVALID'});
  });
});
