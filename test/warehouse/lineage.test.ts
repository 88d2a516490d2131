import type {Catalog} from '../../src/catalog/catalog.ts';
import {createCatalog} from '../../src/catalog/create-catalog.ts';
import {newId} from '../../src/core/ids.ts';
import type {Viewer} from '../../src/core/viewer.ts';
import type {Field} from '../../src/schemas/schema.ts';
import {createLineage} from '../../src/warehouse/lineage.ts';
import type {CommitRecord, Lineage, LineageGraph, SnapshotRecord} from '../../src/warehouse/warehouse.ts';
import {databases} from '../support/catalog-places.ts';
import type {CatalogPlace} from '../support/catalog-places.ts';

const viewer: Viewer = {name: 'me', roles: ['admin'], limits: {depth: 1, fields: 1, rows: 1, bytes: 1, cost: 1, seconds: 1, scanBytes: 1, queries: 1, streamRows: 1, streamSeconds: 1}};
const field = (name: string, id: number): Field => ({id, name, type: {kind: 'utf8'}, nullable: true});

describe('lineage', () => {
  let place: CatalogPlace;
  let catalog: Catalog;
  let lineage: Lineage;
  const made: Record<string, SnapshotRecord> = {};
  let versionId: string;
  const runId = newId();

  const commit = async (dataset: string, columns: string[], more: Partial<CommitRecord>): Promise<SnapshotRecord> =>
    catalog.transaction(async stores => {
      const record = (await stores.datasets.byName(dataset)) ?? (await stores.datasets.create(dataset, {}));
      return stores.datasets.commit({
        id: newId(), datasetId: record.id, branch: 'main', parentId: (await stores.datasets.head('main', dataset))?.id ?? null, operation: 'overwrite',
        schema: {fields: columns.map(field)}, files: [], runId, stepName: dataset, contentHash: 'x', profile: [], lineage: {}, ...more,
      });
    });

  beforeAll(async () => {
    place = await databases[0]![1]();
    catalog = createCatalog(place.options);
    await catalog.start();
    lineage = createLineage({catalog});
    const raw = (name: string) => ({name, sha256: `sha of ${name}`, bytes: 7});
    made.airports = await commit('airports', ['iata', 'city'], {lineage: {files: [raw('airports.csv')], columns: {iata: ['airports.csv.iata'], city: ['airports.csv.city']}}});
    made.may = await commit('flights', ['origin', 'delay'], {lineage: {files: [raw('may.csv')], columns: {origin: ['may.csv.Origin'], delay: ['may.csv.Delay']}}});
    made.june = await commit('flights', ['origin', 'delay'], {operation: 'append', lineage: {files: [raw('june.csv')], columns: {origin: ['june.csv.Origin'], delay: ['june.csv.Delay']}}});
    made.joined = await commit('joined', ['town', 'delay', 'odd', 'one'], {
      lineage: {
        inputs: {airports: made.airports!.id, flights: made.june!.id}, sql: 'select …',
        columns: {town: ['airports.city'], delay: ['flights.delay'], one: []},
      },
    });
    versionId = newId();
    await catalog.transaction(async stores => {
      const model = await stores.models.create('late', '');
      await stores.models.addVersion({
        id: versionId, modelId: model.id, artifact: {folder: 'x', model: 'm.onnx', files: []}, signature: {inputs: [field('town', 0)], outputs: [field('p', 0)]},
        settings: {} as never, metrics: {}, gate: {} as never, trainedOn: [made.may!.id], fingerprint: 'f', createdBy: 'me',
      });
    });
    made.scored = await commit('scored', ['town', 'p'], {
      lineage: {inputs: {joined: made.joined.id}, modelVersions: [versionId], columns: {town: ['joined.town'], p: ['joined.delay', 'joined.upper(town)']}},
    });
  });
  afterAll(async () => {
    await catalog.stop();
    await place.remove();
  });

  /** A graph as people read it: `from -kind-> to [columns]`. */
  const drawn = ({nodes, edges}: LineageGraph): string[] => {
    const names = new Map(nodes.map(node => [node.id, node.kind === 'raw_file' ? node.path : node.kind === 'snapshot' ? Object.entries(made).find(([, of]) => of.id === node.snapshot.id)![0] : node.kind]));
    return edges.map(edge => `${names.get(edge.from)} -${edge.kind}-> ${names.get(edge.to)} [${edge.columns.join('; ')}]`).sort();
  };
  const of = async (ref: Parameters<Lineage['of']>[1], depth = 10) => lineage.of(viewer, ref, depth);

  test('a snapshot comes from raw files, snapshots, runs, model versions and what those were trained on', async () => {
    const graph = await of({snapshot: made.scored!.id});
    expect(drawn(graph).filter(edge => !edge.startsWith('run -made->'))).toEqual([
      'airports -read-> joined [town = airports.city]',
      'airports.csv -read-> airports [city = airports.csv.city; iata = airports.csv.iata]',
      'joined -read-> scored [p = joined.delay; p = joined.upper(town); town = joined.town]',
      'june -read-> joined [delay = flights.delay]',
      'june.csv -read-> june [delay = june.csv.Delay; origin = june.csv.Origin]',
      'may -read-> june [delay = flights.delay; origin = flights.origin]',
      'may -trained-> model_version []',
      'may.csv -read-> may [delay = may.csv.Delay; origin = may.csv.Origin]',
      'model_version -scored-> scored [p = late@1]',
    ]);
    expect(graph.nodes.filter(node => node.kind === 'run')).toEqual([{kind: 'run', id: `run:${runId}`, runId}]);
    expect(drawn(graph).filter(edge => edge.startsWith('run -made->'))).toHaveLength(5);
  });

  test('a column comes from some columns only', async () => {
    expect(drawn(await of({column: 'scored.town'})).filter(edge => !edge.startsWith('run'))).toEqual([
      'airports -read-> joined [town = airports.city]',
      'airports.csv -read-> airports [city = airports.csv.city]',
      'joined -read-> scored [town = joined.town]',
    ]);
    expect(drawn(await of({column: 'joined.delay'})).filter(edge => !edge.startsWith('run'))).toEqual([
      'june -read-> joined [delay = flights.delay]',
      'june.csv -read-> june [delay = june.csv.Delay]',
      'may -read-> june [delay = flights.delay]',
      'may.csv -read-> may [delay = may.csv.Delay]',
    ]);
    // A constant comes from nothing; a column that could not be traced may come from anything.
    expect(drawn(await of({column: 'joined.one'}))).toEqual(['run -made-> joined []']);
    expect((await of({column: 'joined.odd'})).nodes.filter(node => node.kind === 'snapshot')).toHaveLength(4);
  });

  test('a model version comes from what it was trained on', async () => {
    expect(drawn(await of({modelVersion: 'late@1'}))).toEqual(['may -trained-> model_version []', 'may.csv -read-> may [delay = may.csv.Delay; origin = may.csv.Origin]', 'run -made-> may []']);
  });

  test('stops at its depth, with whole edges only', async () => {
    const graph = await of({snapshot: made.scored!.id}, 1);
    expect(graph.nodes.filter(node => node.kind === 'snapshot').map(node => node.snapshot.datasetName).sort()).toEqual(['flights', 'joined', 'scored']);
    const ids = new Set(graph.nodes.map(node => node.id));
    expect(graph.edges.every(edge => ids.has(edge.from) && ids.has(edge.to))).toBe(true);
  });

  test.each([
    [{}, 'ARGUMENT_INVALID'],
    [{snapshot: 'a', column: 'b.c'}, 'ARGUMENT_INVALID'],
    [{snapshot: 'nonsense'}, 'SNAPSHOT_NOT_FOUND'],
    [{column: 'flights'}, 'ARGUMENT_INVALID'],
    [{column: 'flights.nothing'}, 'ARGUMENT_INVALID'],
    [{column: 'fligths.delay'}, 'DATASET_NOT_FOUND'],
    [{modelVersion: 'late'}, 'ARGUMENT_INVALID'],
    [{modelVersion: 'late@9'}, 'MODEL_VERSION_NOT_FOUND'],
    [{modelVersion: 'none@1'}, 'MODEL_VERSION_NOT_FOUND'],
  ])('refuses %j: %s', async (ref, code) => {
    await expect(of(ref)).rejects.toMatchObject({code});
  });

  test('refuses a depth out of bounds', async () => {
    await expect(of({column: 'flights.delay'}, 51)).rejects.toMatchObject({code: 'ARGUMENT_INVALID'});
  });
});
