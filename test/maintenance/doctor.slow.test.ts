import {mkdir, readFile, rename, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {doctor} from '../../src/maintenance/doctor.ts';
import {rebuild} from '../../src/maintenance/rebuild.ts';
import {manifestPath} from '../../src/warehouse/manifest.ts';
import {openWorld} from '../support/warehouse-world.ts';
import type {WarehouseWorld} from '../support/warehouse-world.ts';

describe('doctor', () => {
  let world: WarehouseWorld;
  beforeEach(async () => {
    world = await openWorld({database: 'PostgreSQL'});
    await world.write('trips', 'select range as id from range(10)', {contract: {key: ['id']}});
    await world.write('trips', 'select 10 + range as id from range(10)');
  });
  afterEach(() => world.close());
  const findings = async (deep = false) => Object.fromEntries((await doctor(world.places, {deep})).map(finding => [finding.check, finding]));
  const fileOf = async (sequence: number) => {
    const snapshot = (await world.catalog.read(async stores => stores.datasets.snapshots((await stores.datasets.byName('trips'))!.id, 9))).find(of => of.sequence === sequence)!;
    return world.warehouse.pathOf((await world.catalog.read(stores => stores.datasets.files(snapshot)))[0]!.path);
  };

  test('finds nothing where all is well', async () => {
    expect(Object.values(await findings(true)).map(finding => [finding.check, finding.status])).toEqual(
      ['catalog', 'heads', 'files', 'manifests', 'models', 'left over', 'workers', 'disk'].map(check => [check, 'ok']));
  });

  test.each<[string, (path: string) => Promise<unknown>, RegExp]>([
    ['missing', path => rm(path), /it is missing/],
    ['cut off', async path => writeFile(path, (await readFile(path)).subarray(1)), /bytes instead of/],
    ['changed', async path => {
      const content = await readFile(path);
      content[10]! ^= 1;
      await writeFile(path, content);
    }, /its checksum differs/],
  ])('a file that is %s', async (_name, harm, detail) => {
    await harm(await fileOf(2));
    expect((await findings()).files).toMatchObject({status: 'failed', detail: expect.stringMatching(/^FILE_DAMAGED/), hint: expect.stringContaining('backup')});
    expect((await findings()).files!.detail).toMatch(detail);
  });

  test('a file of an old snapshot, looked at deeply only', async () => {
    await rm(await fileOf(1));
    expect((await findings()).files).toMatchObject({status: 'ok'});
    expect((await findings(true)).files).toMatchObject({status: 'failed'});
  });

  test('a manifest that is missing is written again; one that differs is told', async () => {
    const head = await world.warehouse.resolve('trips');
    const path = world.warehouse.pathOf(manifestPath(head));
    const text = await readFile(path, 'utf8');
    await rm(path);
    expect((await findings()).manifests).toMatchObject({status: 'warn'});
    // The database keeps no order of members.
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual(JSON.parse(text));
    await writeFile(path, text.replace('"rowCount":"10"', '"rowCount":"11"'));
    expect((await findings()).manifests).toMatchObject({status: 'failed', detail: expect.stringContaining(head.id)});
  });

  test('folders that no snapshot names, and committed ones that the catalog lost', async () => {
    await mkdir(world.warehouse.pathOf('data/trips/unnamed'), {recursive: true});
    expect((await findings())['left over']).toMatchObject({status: 'warn', detail: '0 staged and 1 unnamed folders'});
    await writeFile(world.warehouse.pathOf('data/trips/unnamed/manifest.json'), '{}');
    expect((await findings())['left over']).toMatchObject({status: 'failed', hint: expect.stringContaining('--rebuild')});
  });

  test('a step that nobody does', async () => {
    await world.catalog.transaction(async stores => {
      const pipeline = await stores.runs.putPipeline({name: 'p', steps: []}, 'h', 'graph');
      const run = await stores.runs.createRun({definitionId: pipeline.definitionId, params: {}, requestedBy: 'me', branch: 'main', steps: [{name: 's', position: 0, kind: 'sql', needs: []}]});
      await stores.runs.admit(run.id);
      await stores.runs.advance(run.id);
    });
    await world.catalog.read(stores => stores.runs.claim('dead', -3_600));
    expect((await findings()).workers).toMatchObject({status: 'warn', detail: expect.stringMatching(/36\d\d s/)});
  });
});

describe('rebuilding', () => {
  test('datasets whose catalog was lost, from the manifests beside their data', async () => {
    let world = await openWorld();
    await world.write('trips', "select range as id, {a: 'x'} as nested from range(10)", {contract: {key: ['id']}, rowsPerFile: 4});
    await world.write('trips', "select 10 + range as id, {a: 'y'} as nested, 1.5 as extra from range(5)", {mode: 'append', lineage: {sql: 'select …'}});
    await world.warehouse.compact('trips');
    await world.write('trips', "select 99 as id, {a: 'z'} as nested", {mode: 'append'});
    await world.write('other', 'select 1 as one');
    await world.write('other', 'select 2 as one, 3 as two');
    const state = async () => {
      const snapshots = await world.catalog.read(async stores => stores.datasets.snapshotsOf((await stores.datasets.list()).map(dataset => dataset.id), 100));
      const files = await world.catalog.read(stores => stores.datasets.filesOf([...snapshots.values()].flat().map(snapshot => snapshot.id)));
      const history = await Promise.all([...snapshots.values()].flat().map(({id, datasetName}) => world.rows(datasetName, undefined, {snapshot: id})));
      return {datasets: await world.catalog.read(stores => stores.datasets.list()), snapshots, files, history};
    };
    const before = await state();
    const {folder} = world;
    await expect(rebuild(world.places)).rejects.toMatchObject({code: 'TARGET_NOT_EMPTY'});
    const kept = `${folder}-kept`;
    await world.engine.stop();
    await world.catalog.stop();
    await rename(folder, kept);
    await rm(join(kept, 'catalog'), {recursive: true});
    await rename(kept, folder);

    world = await openWorld({folder});
    try {
      expect(await world.warehouse.sweep(0)).toBe(0);
      expect((await doctor(world.places)).find(finding => finding.check === 'left over')).toMatchObject({status: 'failed'});
      expect(await rebuild(world.places)).toEqual({datasets: 2, snapshots: 6, skipped: []});
      expect(await state()).toEqual(before);
      expect((await doctor(world.places, {deep: true})).filter(finding => finding.status !== 'ok')).toEqual([]);
      const next = await world.write('trips', "select 100 as id, {a: 'n'} as nested, true as flag", {mode: 'append'});
      expect(next.sequence).toBe(5);
      const ids = next.schema.fields.map(field => field.id);
      expect(new Set(ids).size).toBe(ids.length);
      await expect(world.write('trips', "select 100 as id, {a: 'n'} as nested", {mode: 'append'})).rejects.toMatchObject({code: 'KEY_VIOLATED'});
    } finally {
      await world.close();
    }
  });

  test('leaves out a snapshot whose files are gone', async () => {
    let world = await openWorld();
    await world.write('trips', 'select 1 as id');
    const second = await world.write('trips', 'select 2 as id');
    const [file] = await world.catalog.read(stores => stores.datasets.files(second));
    await rm(world.warehouse.pathOf(file!.path));
    await world.engine.stop();
    await world.catalog.stop();
    await rm(join(world.folder, 'catalog'), {recursive: true});
    world = await openWorld({folder: world.folder});
    try {
      expect(await rebuild(world.places)).toMatchObject({snapshots: 1, skipped: [expect.stringContaining('is missing')]});
      expect(await world.rows('trips')).toEqual([{id: 1, _row_id: 0n}]);
    } finally {
      await world.close();
    }
  });
});
