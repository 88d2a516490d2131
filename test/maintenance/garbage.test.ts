import {existsSync} from 'node:fs';
import {readFile, rename, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {doctor} from '../../src/maintenance/doctor.ts';
import {collectGarbage, planGarbage, whatExpires} from '../../src/maintenance/garbage.ts';
import type {GarbageOptions} from '../../src/maintenance/garbage.ts';
import type {PastSnapshot} from '../../src/maintenance/maintenance.ts';
import {rebuild} from '../../src/maintenance/rebuild.ts';
import {newId} from '../../src/core/ids.ts';
import type {Retention} from '../../src/schemas/contract.ts';
import {manifestPath, readManifest} from '../../src/warehouse/manifest.ts';
import type {SnapshotRecord} from '../../src/warehouse/warehouse.ts';
import {openWorld} from '../support/warehouse-world.ts';
import type {WarehouseWorld} from '../support/warehouse-world.ts';

describe('what expires', () => {
  const past = (fields: Partial<PastSnapshot>[]): PastSnapshot[] => fields.map((one, index) => ({
    id: `s${fields.length - index}`, sequence: fields.length - index, rowCount: 1n, committedAt: new Date(), daysPast: index === 0 ? null : index, isHead: index === 0,
    pinnedBy: null, trained: null, runId: null, ...one,
  }));
  const expired = (fields: Partial<PastSnapshot>[], rule: Retention) => whatExpires(past(fields), rule).expires.map(({id}) => id);

  test.each<[string, Retention, string[]]>([
    ['no rule', {}, []],
    ['the last two', {snapshots: 2}, ['s3', 's2', 's1']],
    ['what was the newest within two days', {days: 2}, ['s3', 's2', 's1']],
    ['a snapshot that either keeps stays', {snapshots: 3, days: 4}, ['s1']],
    ['nothing but the newest', {snapshots: 1, days: 0}, ['s4', 's3', 's2', 's1']],
  ])('%s', (_name, rule, ids) => {
    expect(expired([{}, {}, {}, {}, {}], rule)).toEqual(ids);
  });

  test('pins, heads of branches, models and runs stand above the rule, and are told', () => {
    const found = whatExpires(past([{}, {isHead: true}, {pinnedBy: 'me'}, {trained: 'm@1'}, {runId: 'r'}, {}]), {snapshots: 1});
    expect(found.expires.map(({id}) => id)).toEqual(['s1']);
    expect(found.keeps.map(({by, detail}) => [by, detail])).toEqual([['newest', null], ['newest', null], ['pin', 'me'], ['model', 'm@1'], ['run', 'r']]);
  });
});

describe('a collection', () => {
  const database = 'PostgreSQL';
  let world: WarehouseWorld;
  beforeEach(async () => {
    world = await openWorld({database});
  });
  afterEach(() => world.close());

  const options: GarbageOptions = {graceHours: 0, uploadDays: 0, eventDays: 30, sweep: () => world.warehouse.sweep(24)};
  const collect = (more: Partial<GarbageOptions> = {}) => collectGarbage(world.places, {...options, ...more});
  /** One row more in each. */
  const append = async (times: number, retention: Retention = {snapshots: 1}): Promise<SnapshotRecord[]> => {
    const made: SnapshotRecord[] = [];
    for (let n = 0; n < times; n++) made.push(await world.write('trips', `select ${n} as id`, {mode: 'append', contract: {retention}}));
    return made;
  };
  const pathsOf = (snapshot: SnapshotRecord) => world.catalog.read(async stores => (await stores.datasets.files(snapshot)).map(file => world.warehouse.pathOf(file.path)));
  const ids = async () => (await world.rows('trips')).map(({id}) => id);
  const problems = async () => (await doctor(world.places, {deep: true})).filter(finding => finding.status !== 'ok' && finding.check !== 'disk');

  test('a plan says what expires and changes nothing; a collection does that', async () => {
    const [first, second] = [await world.write('trips', 'select 1 as id', {contract: {retention: {snapshots: 1}}}), await world.write('trips', 'select 2 as id')];
    const [path] = await pathsOf(first!);
    const planned = await planGarbage(world.places, options);
    expect(planned).toMatchObject({datasets: [{dataset: 'trips', retention: {snapshots: 1}, expires: [{id: first.id}], keeps: [{snapshot: {id: second.id}, by: 'newest'}], freed: {files: 1, bytes: first.bytes}}], removed: {files: 1}});
    expect(await world.rows('trips', undefined, {snapshot: first.id})).toHaveLength(1);
    const collected = await collect();
    expect(collected.datasets).toMatchObject([{expires: [{id: first.id}]}]);
    expect(collected).toMatchObject({removed: planned.removed, waiting: {files: 0}});
    expect(existsSync(path!)).toBe(false);
    await expect(world.warehouse.resolve('trips', {snapshot: first.id})).rejects.toMatchObject({code: 'SNAPSHOT_EXPIRED', hint: expect.stringContaining('the newest snapshot')});
    await expect(world.warehouse.resolve('trips', {time: first.committedAt})).rejects.toMatchObject({code: 'SNAPSHOT_EXPIRED'});
    await expect(world.warehouse.table(first)).resolves.toBeDefined(); // known from before: who began to read goes on, for as long as the grace
    expect(await ids()).toEqual([2]);
    expect(await problems()).toEqual([]);
    expect(await collect()).toMatchObject({removed: {files: 0}, datasets: [{expires: []}]});
  });

  test('files that newer snapshots have as well stay, and rows keep their ids', async () => {
    const made = await append(4);
    const before = await world.rows('trips');
    expect(await collect()).toMatchObject({removed: {files: 0, bytes: 0n}, datasets: [{expires: made.slice(0, 3).reverse().map(({id}) => ({id}))}]});
    expect(await world.rows('trips')).toEqual(before);
    await world.write('trips', 'select 9 as id', {mode: 'append'});
    expect((await world.rows('trips')).map(row => row._row_id)).toEqual([0n, 1n, 2n, 3n, 4n]);
    expect(await problems()).toEqual([]);
  });

  test('compaction leaves small files behind, which go with the snapshots that had them', async () => {
    await append(3);
    const before = await world.rows('trips');
    const small = await pathsOf(await world.warehouse.resolve('trips'));
    await world.warehouse.compact('trips');
    expect(await collect()).toMatchObject({removed: {files: 3}});
    expect(small.filter(path => existsSync(path))).toEqual([]);
    expect(await world.rows('trips')).toEqual(before);
    expect(await problems()).toEqual([]);
  });

  test('a pin, a version that was trained on it and a run under way keep a snapshot', async () => {
    const [pinned, trained, read, gone] = await append(5);
    const pin = await world.catalog.read(stores => stores.datasets.pin(pinned!.id, 'a reader', 60));
    await world.catalog.transaction(async stores => {
      const model = await stores.models.create('m', '');
      await stores.models.addVersion({id: newId(), modelId: model.id, artifact: {folder: 'x', files: []} as never, signature: {inputs: [], outputs: []}, settings: {} as never, metrics: {}, gate: {} as never, trainedOn: [trained!.id], fingerprint: 'f', createdBy: 'me'});
      const pipeline = await stores.runs.putPipeline({name: 'p', steps: []}, 'h', 'graph');
      const run = await stores.runs.createRun({definitionId: pipeline.definitionId, params: {}, requestedBy: 'me', branch: 'main', steps: [{name: 's', position: 0, kind: 'sql', needs: []}]});
      await stores.runs.note(run.id, 's', {inputs: {trips: read!.id}});
    });
    const {datasets: [kept]} = await collect();
    expect(kept!.expires.map(({id}) => id)).toEqual([gone!.id]);
    expect(kept!.keeps.map(({by, detail}) => [by, by === 'run' ? '' : detail])).toEqual([['newest', null], ['run', ''], ['model', 'm@1'], ['pin', 'a reader']]);
    for (const snapshot of [pinned, trained, read]) expect(await world.rows('trips', undefined, {snapshot: snapshot!.id})).toHaveLength(snapshot!.sequence);
    await expect(world.catalog.read(stores => stores.datasets.pin(gone!.id, 'too late', 60))).rejects.toMatchObject({code: 'SNAPSHOT_NOT_FOUND'});
    await world.catalog.read(stores => stores.datasets.unpin(pin));
    expect((await collect()).datasets[0]!.expires.map(({id}) => id)).toEqual([pinned!.id]);
  });

  test('within the grace files stay for those who read them; a snapshot that expires between look-up and reading is refused', async () => {
    const first = await world.write('trips', 'select 1 as id', {contract: {retention: {snapshots: 1}}});
    await world.write('trips', 'select 2 as id');
    const [path] = await pathsOf(first);
    expect(await collect({graceHours: 1})).toMatchObject({removed: {files: 0}, waiting: {files: 1, bytes: first.bytes}});
    expect(existsSync(path!)).toBe(true);
    await expect(world.warehouse.table(first)).rejects.toMatchObject({code: 'SNAPSHOT_EXPIRED'});
    expect(await world.warehouse.sweep(0)).toBe(0);
    expect(await problems()).toEqual([]);
  });

  test('lineage of what has expired stays, and a rebuild does not bring it back', async () => {
    const [first] = await append(2);
    const last = await world.write('trips', 'select 7 as id');
    await collect({graceHours: 1});
    const manifest = await readManifest(world.warehouse.pathOf(manifestPath(first!)));
    expect(manifest).toMatchObject({files: [], snapshot: {id: first!.id, profile: [], expiredAt: expect.any(Date)}});
    const again = await openWorld({database});
    try {
      await rename(join(world.folder, 'warehouse/data'), join(again.folder, 'warehouse/data'));
      expect(await rebuild(again.places)).toMatchObject({snapshots: 3, skipped: []});
      expect((await again.rows('trips')).map(({id}) => id)).toEqual([7]);
      expect((await again.warehouse.resolve('trips')).id).toBe(last.id);
      await expect(again.warehouse.resolve('trips', {snapshot: first!.id})).rejects.toMatchObject({code: 'SNAPSHOT_EXPIRED'});
      // The catalog that knew of the files is lost: nobody reads them any more.
      expect(await collectGarbage(again.places, {...options, sweep: async () => 0})).toMatchObject({removed: {files: 2}});
      expect((await doctor(again.places, {deep: true})).filter(finding => finding.status === 'failed')).toEqual([]);
    } finally {
      await again.close();
    }
  });

  test('old uploads go, the others stay', async () => {
    const place = async (name: string) => {
      const path = join(world.places.uploads, name);
      await writeFile(path, 'a,b\n');
      await world.catalog.transaction(stores => stores.uploads.add({id: newId(), name, path, bytes: 4n, sha256: 'x'}));
      return path;
    };
    const path = await place('one.csv');
    expect(await collect({uploadDays: 1})).toMatchObject({uploads: {files: 0}});
    expect(await readFile(path, 'utf8')).toBe('a,b\n');
    expect(await world.catalog.transaction(stores => stores.uploads.expire(0))).toMatchObject([{path, bytes: 4n}]);
  });

  test('only one takes a turn', async () => {
    const take = (hours: number) => world.catalog.transaction(stores => stores.expiry.takeTurn('gc', hours));
    expect([await take(1), await take(1), await take(0)]).toEqual([true, false, true]);
  });
});
