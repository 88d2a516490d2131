import type {Viewer} from '../../src/core/viewer.ts';
import {newId} from '../../src/core/ids.ts';
import {createDatasets} from '../../src/warehouse/datasets.ts';
import type {Datasets, SnapshotRecord} from '../../src/warehouse/warehouse.ts';
import {openWorld} from '../support/warehouse-world.ts';
import type {WarehouseWorld} from '../support/warehouse-world.ts';

const viewer: Viewer = {name: 'me', roles: ['viewer'], limits: {depth: 1, fields: 1, rows: 1, bytes: 1, cost: 1, seconds: 1, scanBytes: 1, queries: 1, streamRows: 1, streamSeconds: 1}};

describe('datasets', () => {
  let world: WarehouseWorld;
  let datasets: Datasets;
  let flights: SnapshotRecord[];

  beforeAll(async () => {
    world = await openWorld({database: 'PostgreSQL'});
    datasets = createDatasets(world);
    flights = [];
    for (let n = 0; n < 3; n++) flights.push(await world.write('flights', `select ${n} as delay, 'JFK' as origin`, {mode: 'append'}));
    await world.write('airports', "select 'JFK' as iata, 'New York' as \"City Name\"");
    await world.catalog.transaction(stores => stores.datasets.create('bare', {}));
  });
  afterAll(() => world.close());

  test('are listed with their heads, by name, and found by words of names and columns', async () => {
    expect((await datasets.list(viewer)).map(view => [view.dataset.name, view.head?.sequence ?? null])).toEqual([['airports', 1], ['bare', null], ['flights', 3]]);
    const found = async (search: string) => (await datasets.list(viewer, search)).map(view => view.dataset.name);
    expect(await found('FLI')).toEqual(['flights']);
    expect(await found('  origin delay ')).toEqual(['flights']);
    expect(await found('city name')).toEqual(['airports']);
    expect(await found('nothing')).toEqual([]);
  });

  test('one by its name', async () => {
    expect(await datasets.get(viewer, 'flights')).toMatchObject({dataset: {name: 'flights'}, head: {id: flights[2]!.id}});
    expect(await datasets.get(viewer, 'bare')).toMatchObject({head: null});
    await expect(datasets.get(viewer, 'fligths')).rejects.toMatchObject({code: 'DATASET_NOT_FOUND', details: {didYouMean: "Did you mean 'flights'?"}});
  });

  test('what belongs to several at once', async () => {
    const ids = (await datasets.list(viewer)).map(view => view.dataset.id);
    expect([...(await datasets.snapshotsOf(viewer, ids, 2)).values()].map(of => of.map(snapshot => snapshot.sequence))).toEqual([[1], [], [3, 2]]);
    expect([...(await datasets.snapshotsById(viewer, [flights[0]!.id, newId()])).values()]).toEqual([flights[0]]);
    const files = await datasets.filesOf(viewer, flights.map(snapshot => snapshot.id));
    expect([...files.values()].map(of => of.length)).toEqual([1, 2, 3]);
    expect(await datasets.files(viewer, flights[1]!.id)).toEqual(files.get(flights[1]!.id));
    expect([...(await datasets.snapshotsOfRuns(viewer, [newId()])).values()]).toEqual([[]]);
    expect(await datasets.snapshotsOf(viewer, [], 5)).toEqual(new Map());
  });

  test('are compacted', async () => {
    expect(await datasets.compact(viewer, 'flights')).toMatchObject({operation: 'replace', fileCount: 1, rowCount: 3n});
    expect(await datasets.compact(viewer, 'flights')).toBeNull();
  });
});
