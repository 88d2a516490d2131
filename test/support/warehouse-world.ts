import {mkdir, mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {Catalog} from '../../src/catalog/catalog.ts';
import {createCatalog} from '../../src/catalog/create-catalog.ts';
import {createDuckDbEngine} from '../../src/engines/duckdb/engine.ts';
import type {Engine, SqlValue} from '../../src/engines/engine.ts';
import type {Places} from '../../src/maintenance/maintenance.ts';
import type {Contract} from '../../src/schemas/contract.ts';
import {createWarehouse} from '../../src/warehouse/local-warehouse.ts';
import type {AsOf, MergeBy, PartitionBy, PreparedCommit, SnapshotLineage, SnapshotRecord, Warehouse, WriteMode} from '../../src/warehouse/warehouse.ts';
import {databases} from './catalog-places.ts';

export interface WriteOptions {
  readonly mode?: WriteMode;
  readonly contract?: Contract;
  readonly lineage?: SnapshotLineage;
  readonly rowsPerFile?: number;
  readonly mergeBy?: MergeBy;
  readonly partitionBy?: PartitionBy;
  readonly partition?: string;
}

/** Everything of a commit but itself: what a SELECT gives, staged and prepared as a step does. */
export async function prepareRows({warehouse, engine}: {warehouse: Warehouse; engine: Engine}, dataset: string, sql: string, options: WriteOptions = {}): Promise<PreparedCommit> {
  const {mode = 'overwrite', contract, lineage = {}, rowsPerFile, mergeBy, partitionBy, partition} = options;
  const query = {sql, relations: {}};
  const {schema, written, parentId} = await warehouse.schemaFor(dataset, await engine.describe(query), mode, 'main');
  const stage = await warehouse.stage('test', dataset, 1);
  try {
    const files = await engine.materialize(query, {folder: stage.folder, schema: written, rowsPerFile});
    return await warehouse.prepare({dataset, branch: 'main', operation: mode, mergeBy, partitionBy, partition, stage, files, written, schema, parentId, contract, runId: null, stepName: null, lineage});
  } finally {
    await stage.discard();
  }
}

export async function commitPrepared(catalog: Catalog, prepared: PreparedCommit): Promise<SnapshotRecord> {
  try {
    const snapshot = await catalog.transaction(stores => prepared.commit(stores));
    await prepared.published(snapshot);
    return snapshot;
  } catch (error) {
    await prepared.abandon();
    throw error;
  }
}

/** Commits what a SELECT gives. */
export async function writeRows(services: {warehouse: Warehouse; engine: Engine; catalog: Catalog}, dataset: string, sql: string, options?: WriteOptions): Promise<SnapshotRecord> {
  return commitPrepared(services.catalog, await prepareRows(services, dataset, sql, options));
}

/** A real warehouse: catalog, DuckDB and folders, all its own. */
export interface WarehouseWorld {
  readonly folder: string;
  readonly catalog: Catalog;
  readonly engine: Engine;
  readonly warehouse: Warehouse;
  readonly places: Places;
  /** Everything up to the commit. */
  prepare(dataset: string, sql: string, options?: WriteOptions): Promise<PreparedCommit>;
  /** Commits what a SELECT gives, as a step does. */
  write(dataset: string, sql: string, options?: WriteOptions): Promise<SnapshotRecord>;
  commit(prepared: PreparedCommit): Promise<SnapshotRecord>;
  /** Rows of a dataset; the relation's name is the dataset's. */
  rows(dataset: string, sql?: string, asOf?: AsOf): Promise<readonly Readonly<Record<string, SqlValue>>[]>;
  close(): Promise<void>;
}

/** @param database which of `databases`; or `folder`, of an earlier world on PGlite, to be opened again */
export async function openWorld({database = 'PGlite', folder: again}: {database?: string; folder?: string} = {}): Promise<WarehouseWorld> {
  const folder = again ?? (await mkdtemp(join(tmpdir(), 'world-')));
  const place = database === 'PGlite' ? null : await databases.find(([name]) => name === database)![1]();
  const options = place?.options ?? {url: null, folder: join(folder, 'catalog'), poolSize: 5};
  const places = {warehouse: join(folder, 'warehouse'), models: join(folder, 'models'), uploads: join(folder, 'uploads')};
  for (const path of Object.values(places)) await mkdir(path, {recursive: true});
  const catalog = createCatalog(options);
  await catalog.start();
  const engine = createDuckDbEngine({allowedFolders: [folder], threads: 2, tempFolder: join(folder, 'tmp'), maxQueries: 2});
  await engine.start();
  const warehouse = createWarehouse({folder: places.warehouse, catalog, engine});

  const world: WarehouseWorld = {
    folder, catalog, engine, warehouse, places: {...places, catalog},
    prepare: (dataset, sql, options) => prepareRows(world, dataset, sql, options),
    commit: prepared => commitPrepared(catalog, prepared),
    write: (dataset, sql, options) => writeRows(world, dataset, sql, options),
    async rows(dataset, sql = `select * from ${dataset}`, asOf) {
      const table = await warehouse.table(await warehouse.resolve(dataset, asOf));
      return engine.rows({sql, relations: {[dataset]: {...table, rowIds: true}}});
    },
    async close() {
      await engine.stop();
      await catalog.stop();
      await place?.remove();
      await rm(folder, {recursive: true, force: true});
    },
  };
  return world;
}
