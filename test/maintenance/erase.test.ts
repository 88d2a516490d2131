import {readFile, readdir, rename} from 'node:fs/promises';
import {join} from 'node:path';
import type {Viewer} from '../../src/core/viewer.ts';
import {newId} from '../../src/core/ids.ts';
import {doctor} from '../../src/maintenance/doctor.ts';
import {eraseRows} from '../../src/maintenance/erase.ts';
import {collectGarbage} from '../../src/maintenance/garbage.ts';
import type {EraseInput} from '../../src/maintenance/maintenance.ts';
import {rebuild} from '../../src/maintenance/rebuild.ts';
import type {Schema} from '../../src/schemas/schema.ts';
import type {SnapshotRecord, WriteMode} from '../../src/warehouse/warehouse.ts';
import {openWorld, writeRows} from '../support/warehouse-world.ts';
import type {WarehouseWorld} from '../support/warehouse-world.ts';

const viewer: Viewer = {name: 'keeper', roles: ['admin'], limits: {depth: 1, fields: 1, rows: 1, bytes: 1, cost: 1, seconds: 1, scanBytes: 1, queries: 1, streamRows: 1, streamSeconds: 1}};

/** Found nowhere by chance. */
const secret = 'Zebulon Quartermain';
const people = (ids: string) => `select id, case id when 3 then '${secret}' else 'name ' || id end as name from (values ${ids}) as people (id)`;

describe('an erasure', () => {
  let world: WarehouseWorld;
  beforeEach(async () => {
    world = await openWorld({database: 'PostgreSQL'});
  });
  afterEach(() => world.close());

  const erase = (input: Omit<EraseInput, 'dataset' | 'reason'>, dataset = 'people') => eraseRows({...world.places, engine: world.engine}, viewer, {dataset, reason: 'was asked to', ...input});
  const key = {keys: [{id: 3}]};
  /** A catalog where something happens just before the second unit of work: the first noted a file's draft. */
  const meeting = (work: () => Promise<void>): typeof world.catalog => {
    let times = 0;
    return Object.create(world.catalog, {
      transaction: {
        value: async (own: Parameters<typeof world.catalog.transaction>[0]) => {
          if (++times === 2) await work();
          return world.catalog.transaction(own);
        },
      },
    }) as typeof world.catalog;
  };
  /** In three snapshots, compacted once and overwritten with another schema once. */
  const write = async (): Promise<SnapshotRecord[]> => [
    await world.write('people', people('(1), (2), (3)'), {contract: {key: ['id']}}),
    await world.write('people', people('(4)'), {mode: 'append'}),
    (await world.warehouse.compact('people'))!,
    await world.write('people', people('(5)'), {mode: 'append'}),
    await world.write('people', `select id::bigint as id, name, 'x' as added from (${people('(3), (6)')})`),
  ];
  const ids = async (snapshot?: string) => (await world.rows('people', undefined, {snapshot})).map(row => Number(row.id));
  const problems = async (of = world) => (await doctor(of.places, {deep: true})).filter(finding => finding.status !== 'ok' && finding.check !== 'disk');
  /** Whatever lies in the warehouse and in the catalog. */
  const everything = async () => {
    const files = (await readdir(world.folder, {recursive: true, withFileTypes: true})).filter(entry => entry.isFile());
    const texts = await Promise.all(files.map(async entry => readFile(join(entry.parentPath, entry.name), 'latin1')));
    await world.catalog.dump(async ({rows}) => void texts.push(...rows));
    return texts.join('\n');
  };

  test('takes the rows out of every snapshot, whose other rows stay as they were, with their ids', async () => {
    const made = await write();
    const before = await Promise.all(made.map(snapshot => world.rows('people', undefined, {snapshot: snapshot.id})));
    // The file's own text is compressed; what the statistics and the profile say is not.
    expect(await everything()).toContain(secret);
    const record = await erase(key);
    expect(record).toMatchObject({rows: 2n, requestedBy: 'keeper', reason: 'was asked to', selectedBy: 'key', columns: ['id']});
    expect([...record.snapshotIds].sort()).toEqual(made.map(({id}) => id).sort());
    for (const [index, snapshot] of made.entries()) {
      expect(await world.rows('people', undefined, {snapshot: snapshot.id})).toEqual(before[index]!.filter(row => Number(row.id) !== 3));
      const now = await world.warehouse.resolve('people', {snapshot: snapshot.id});
      expect(now.contentHash).not.toBe(snapshot.contentHash);
      expect(now).toMatchObject({id: snapshot.id, sequence: snapshot.sequence, rowCount: snapshot.rowCount - 1n, committedAt: snapshot.committedAt});
      expect(JSON.stringify(now.profile)).not.toContain(secret);
    }
    expect(await everything()).not.toContain(secret);
    expect(await problems()).toEqual([]);
    expect(JSON.stringify(record, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value))).not.toMatch(/"3"|\b3\b.*id/);
  });

  test('what was appended, compacted or rebuilt afterwards has them no more', async () => {
    await write();
    await erase(key);
    await world.write('people', "select 7::bigint as id, 'name 7' as name, 'x' as added", {mode: 'append'});
    expect(await ids()).toEqual([6, 7]);
    await world.warehouse.compact('people');
    expect(await world.rows('people')).toMatchObject([{id: 6n, _row_id: 6n}, {id: 7n, _row_id: 7n}]);
    const again = await openWorld({database: 'PostgreSQL'});
    try {
      await rename(join(world.folder, 'warehouse/data'), join(again.folder, 'warehouse/data'));
      expect(await rebuild(again.places)).toMatchObject({skipped: []});
      expect((await again.rows('people')).map(row => Number(row.id))).toEqual([6, 7]);
      expect(await problems(again)).toEqual([]);
    } finally {
      await again.close();
    }
  });

  test('by row ids and by an expression, where there is no key', async () => {
    const first = await world.write('notes', "select * from (values ('a', 1), ('b', 2), ('c', 3)) as notes (text, n)");
    await expect(erase({keys: [{text: 'a'}]}, 'notes')).rejects.toMatchObject({code: 'ARGUMENT_INVALID', message: expect.stringContaining('has no key')});
    expect(await erase({rowIds: [0n]}, 'notes')).toMatchObject({rows: 1n, columns: ['_row_id']});
    expect(await erase({where: "text = 'b' -- and no more"}, 'notes')).toMatchObject({rows: 1n, columns: []});
    expect(await world.rows('notes', undefined, {snapshot: first.id})).toMatchObject([{text: 'c', _row_id: 2n}]);
    expect(await erase({where: 'n > 0'}, 'notes')).toMatchObject({rows: 1n});
    expect(await world.rows('notes')).toEqual([]);
    expect(await world.warehouse.resolve('notes')).toMatchObject({id: first.id, rowCount: 0n, fileCount: 0});
    expect(await problems()).toEqual([]);
    await world.write('notes', "select 'd' as text, 4 as n", {mode: 'append'});
    expect(await world.rows('notes')).toMatchObject([{text: 'd', _row_id: 3n}]);
  });

  test('what matches nothing changes nothing, and is on record', async () => {
    const made = await write();
    expect(await erase({keys: [{id: 99}]})).toMatchObject({rows: 0n, snapshotIds: []});
    expect((await world.warehouse.resolve('people')).contentHash).toBe(made.at(-1)!.contentHash);
    const {id} = (await world.catalog.read(stores => stores.datasets.byName('people')))!;
    expect(await world.catalog.read(stores => stores.erasures.of(id))).toHaveLength(1);
  });

  const refused: readonly [string, Omit<EraseInput, 'dataset' | 'reason'>, string, RegExp][] = [
    ['nothing said', {}, 'ARGUMENT_INVALID', /exactly one/],
    ['two things said', {...key, where: 'true'}, 'ARGUMENT_INVALID', /exactly one/],
    ['no keys', {keys: []}, 'ARGUMENT_INVALID', /from 1 to/],
    ['another column', {keys: [{name: 'x'}]}, 'ARGUMENT_INVALID', /lacks id/],
    ['a column more', {keys: [{id: 1, name: 'x'}]}, 'ARGUMENT_INVALID', /'name' is no column of the key/],
    ['a value of another type', {keys: [{id: 'one'}]}, 'ARGUMENT_INVALID', /a value of id is no int32/],
    ['a number that would be rounded', {keys: [{id: '3.4'}]}, 'ARGUMENT_INVALID', /a value of id is not exactly an int32/],
    ['a number that was rounded', {keys: [{id: 2 ** 53 + 2}]}, 'ARGUMENT_INVALID', /as text/],
    ['a subquery', {where: 'id in (select 3)'}, 'SQL_NOT_ALLOWED', /./],
    ['an expression that differs each time', {where: 'random() > 0.5'}, 'ARGUMENT_INVALID', /random/],
    ['an expression that is none', {where: 'id ='}, 'SQL_INVALID', /./],
    ['a column that is not there', {where: 'idd = 3'}, 'SQL_INVALID', /idd/],
  ];

  test('what cannot be meant is refused, and changes nothing', async () => {
    const made = await world.write('people', people('(1), (3)'), {contract: {key: ['id']}});
    for (const [name, input, code, message] of refused) {
      expect([name, await erase(input).catch(error => error as unknown)]).toMatchObject([name, {code, message: expect.stringMatching(message)}]);
    }
    expect((await world.warehouse.resolve('people')).contentHash).toBe(made.contentHash);
    expect(await problems()).toEqual([]);
  });

  test('reaches files that wait for their grace', async () => {
    const {id} = await world.write('people', people('(1), (3)'), {contract: {key: ['id'], retention: {snapshots: 1}}});
    await world.write('people', people('(2)'));
    await collectGarbage(world.places, {graceHours: 24, uploadDays: 0, eventDays: 1, sweep: async () => 0});
    expect(await readdir(world.warehouse.pathOf(`data/people/${id}`))).toHaveLength(2);
    expect(await erase(key)).toMatchObject({rows: 0n});
    expect(await readdir(world.warehouse.pathOf(`data/people/${id}`))).toEqual(['manifest.json']);
    expect(await everything()).not.toContain(secret);
  });

  test('tells what was made from the rows: datasets however far, models, raw files', async () => {
    const [first] = [await world.write('people', people('(1), (3)'), {contract: {key: ['id']}, lineage: {files: [{name: 'data/people.csv', sha256: 'x', bytes: 1}]}})];
    const names = await world.write('names', 'select 1 as n', {lineage: {inputs: {people: first!.id}}});
    await world.write('counts', 'select 1 as n', {lineage: {inputs: {names: names.id}}});
    await world.write('others', 'select 1 as n');
    await world.catalog.transaction(async stores => {
      const model = await stores.models.create('m', '');
      await stores.models.addVersion({id: newId(), modelId: model.id, artifact: {folder: 'x', files: []} as never, signature: {inputs: [], outputs: []}, settings: {} as never, metrics: {}, gate: {} as never, trainedOn: [names.id], fingerprint: 'f', createdBy: 'me'});
    });
    expect((await erase(key)).affected).toEqual({
      datasets: [{name: 'counts', snapshots: 1}, {name: 'names', snapshots: 1}], modelVersions: ['m@1'], rawFiles: ['data/people.csv'], runs: [],
    });
  });

  test('a commit that was prepared on the rows gives way', async () => {
    await world.write('people', people('(1), (3)'), {contract: {key: ['id']}});
    const prepared = await world.prepare('people', people('(4)'), {mode: 'append'});
    await erase(key);
    await expect(world.commit(prepared)).rejects.toMatchObject({code: 'COMMIT_CONFLICT'});
    await world.write('people', people('(4)'), {mode: 'append'});
    expect(await ids()).toEqual([1, 4]);
  });

  test('commits that come in between are looked at as well', async () => {
    await world.write('people', people('(1), (3)'), {contract: {key: ['id']}});
    // The first unit of work that looks, and none after it, meets a commit that has the rows again.
    const catalog = meeting(async () => void (await world.write('people', people('(3), (5)'))));
    const record = await eraseRows({...world.places, catalog, engine: world.engine}, viewer, {dataset: 'people', reason: 'r', ...key});
    expect(record).toMatchObject({rows: 2n});
    expect(await ids()).toEqual([5]);
    expect(await everything()).not.toContain(secret);
    expect(await problems()).toEqual([]);
  });

  test('a quarantine that comes in between is looked at as well', async () => {
    await world.write('people', people('(1), (3)'), {contract: {key: ['id']}});
    // As a step does it: the name is nobody's to choose.
    const warehouse = Object.create(world.warehouse, {
      schemaFor: {value: (_: string, ...given: [Schema, WriteMode, string]) => world.warehouse.schemaFor('aside', ...given)},
    }) as typeof world.warehouse;
    const catalog = meeting(async () => void (await writeRows({...world, warehouse}, 'people_quarantine', people('(3)'))));
    await eraseRows({...world.places, catalog, engine: world.engine}, viewer, {dataset: 'people', reason: 'r', ...key});
    expect(await world.rows('people_quarantine')).toEqual([]);
    expect(await everything()).not.toContain(secret);
  });

  test('rows of the quarantine whose key could not be read are told of', async () => {
    await world.write('people', people('(1), (3)'), {contract: {key: ['id']}});
    const warehouse = Object.create(world.warehouse, {
      schemaFor: {value: (_: string, ...given: [Schema, WriteMode, string]) => world.warehouse.schemaFor('aside', ...given)},
    }) as typeof world.warehouse;
    await writeRows({...world, warehouse}, 'people_quarantine', people('(3), (NULL), (7), (NULL), (NULL)'));
    const record = await erase(key);
    expect(record).toMatchObject({rows: 2n, affected: {keylessRows: 3}});
    expect((await world.rows('people_quarantine')).length).toBe(4);
    expect((await erase({keys: [{id: 7}]})).affected).toMatchObject({keylessRows: 3});
    expect((await erase({where: 'id IS NULL'})).affected.keylessRows).toBeUndefined();
    expect((await erase({keys: [{id: 1}]})).affected.keylessRows).toBeUndefined();
  });

  test('a name that another column had before says nothing of that one', async () => {
    await world.write('people', "select 1 as id, 'a' as old, 'b' as name union all select 2, 'b', 'a'");
    await world.warehouse.renameColumn('people', 'old', 'former');
    await world.write('people', "select 1 as id, 'a' as former, 'b' as name, 'none' as old", {mode: 'append'});
    expect(await erase({where: "old = 'a'"})).toMatchObject({rows: 0n});
    expect(await erase({where: "former = 'a'"})).toMatchObject({rows: 2n});
  });

  test('two at once, of different rows of the same files', async () => {
    await world.write('people', people('(1), (2), (3)'), {contract: {key: ['id']}});
    await Promise.all([erase(key), erase({keys: [{id: 1}]})]);
    expect(await ids()).toEqual([2]);
    expect(await problems()).toEqual([]);
  });
});
