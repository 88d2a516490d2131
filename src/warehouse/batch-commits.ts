import {mkdir, rename, rm} from 'node:fs/promises';
import {basename, join} from 'node:path';
import {isDeepStrictEqual} from 'node:util';
import type {Catalog} from '../catalog/catalog.ts';
import {MillraceError} from '../core/errors.ts';
import {syncPath} from '../core/files.ts';
import {newId} from '../core/ids.ts';
import {sha256OfFiles} from '../core/sha256.ts';
import type {Engine, Query, Table} from '../engines/engine.ts';
import {quarantineOf} from '../schemas/contract.ts';
import type {Contract} from '../schemas/contract.ts';
import {quarantineSchema} from '../schemas/quarantine.ts';
import type {Schema} from '../schemas/schema.ts';
import type {PreparedBatch, WriteBatch} from '../writes/writes.ts';
import {hashContent, tableOf} from './content.ts';
import {manifestPath, writeManifest} from './manifest.ts';
import {prepareBatch, writesAlone} from './prepare-batch.ts';
import type {BatchFiles} from './prepare-batch.ts';
import {profileAfter} from './profile-after.ts';
import type {CommitRecord, DatasetRecord, FileRecord, Finding, NextSchema, PrepareInput, PreparedCommit, SnapshotRecord, Stage, Warehouse, WriteLineage, WriteMode} from './warehouse.ts';

export interface BatchWorld {
  /** Of the warehouse. */
  readonly folder: string;
  readonly catalog: Catalog;
  readonly engine: Engine;
  readonly warehouse: Pick<Warehouse, 'resolve' | 'stage' | 'prepare'>;
  readonly referenced: (dataset: string, branch: string) => Promise<{table: Table; key: readonly string[]}>;
  readonly checkAll: (of: Pick<PrepareInput, 'dataset' | 'branch' | 'operation'>, contract: Contract, table: Table, head: SnapshotRecord) => Promise<readonly Finding[]>;
  readonly moveHome: (stage: Stage, dataset: string, id: string) => Promise<void>;
  readonly abandon: (dataset: string, id: string) => Promise<void>;
  readonly nextSchema: (dataset: string, described: Schema, mode: WriteMode, branch: string) => Promise<NextSchema>;
}

/** A dataset as it was when a batch last looked. */
interface Place {
  readonly record: DatasetRecord;
  readonly head: SnapshotRecord;
  readonly files: readonly FileRecord[];
}

/** Datasets whose state is remembered between batches. */
const mostPlaces = 50;

/** Batches of writes as commits. What a commit made is remembered, so that the next batch reads no more than whether it still stands. */
export class BatchCommits {
  private readonly places = new Map<string, Place>();

  constructor(private readonly world: BatchWorld) {}

  async prepare(batch: WriteBatch): Promise<PreparedBatch> {
    const {dataset, branch} = batch;
    const {folder, engine, warehouse} = this.world;
    const place = await this.placeOf(dataset, branch);
    const {record: {contract}, head, files} = place;
    const requests = writesAlone(dataset, contract) ? batch.requests.slice(0, 1) : batch.requests;
    const stage = await warehouse.stage(newId(), 'write', 0);
    const written: string[] = [];
    let commit: PreparedCommit | null = null;
    try {
      const made = await prepareBatch({
        ...batch, requests, contract, head, files, engine, referenced: name => this.world.referenced(name, branch), tableOf: some => tableOf(folder, head, some),
        write: async (query, target) => {
          const own = join(stage.folder, `.rows-${written.length}`);
          await mkdir(own);
          const staged = await engine.materialize(query, {...target, folder: own});
          for (const file of staged) {
            const path = join(stage.folder, `part-${String(written.length).padStart(5, '0')}.parquet`);
            await rename(file.path, path);
            written.push(path);
          }
          await rm(own, {recursive: true});
          return staged.map((file, index) => ({...file, path: written.at(index - staged.length)!}));
        },
      });
      const {decisions, outcome, quarantined, dropped} = made;
      const writes: WriteLineage = {requests: decisions.filter(({kind}) => kind === 'accepted').length, by: batch.by, rows: {...outcome, quarantined, dropped}};
      if (made.added.length + made.removed.length > 0) commit = await this.commitOf(batch, place, stage, made, writes);
      return {
        decisions: [...decisions, ...batch.requests.slice(requests.length).map(() => ({kind: 'deferred'} as const))], parentId: head.id, commit,
        aside: made.aside && await this.asideOf(made.aside, place, branch, writes),
      };
    } catch (error) {
      await commit?.abandon();
      throw error;
    } finally {
      await stage.discard();
    }
  }

  /** @throws DATASET_NOT_FOUND */
  private async placeOf(dataset: string, branch: string): Promise<Place> {
    const known = this.places.get(`${branch} ${dataset}`);
    if (known) {
      const now = await this.world.catalog.read(stores => stores.datasets.standing(branch, dataset));
      if (now?.snapshotId === known.head.id && now.contentHash === known.head.contentHash && isDeepStrictEqual(now.contract, known.record.contract)) return known;
    }
    const head = await this.world.warehouse.resolve(dataset, {}, branch);
    return this.world.catalog.read(async stores => ({record: (await stores.datasets.byName(dataset))!, head, files: await stores.datasets.files(head)}));
  }

  private remember(branch: string, place: Place): void {
    const name = `${branch} ${place.record.name}`;
    this.places.delete(name);
    this.places.set(name, place);
    if (this.places.size > mostPlaces) this.places.delete(this.places.keys().next().value!);
  }

  /** A commit of files that are worked out already. */
  private async commitOf({dataset, branch}: WriteBatch, {record, head, files: before}: Place, stage: Stage, {added, removed, outcome}: BatchFiles, writes: WriteLineage): Promise<PreparedCommit> {
    const {folder, engine} = this.world;
    const {contract} = record;
    const {schema} = head;
    const id = newId();
    const gone = new Set(removed);
    const kept = before.filter(file => !gone.has(file));
    const addedTable: Table = {kind: 'table', schema, uniform: false, files: added.map(({path, rowCount, bytes, rowIds}) => ({path, rowCount, bytes, firstRowId: 0, rowIds}))};
    const table: Table = {...addedTable, files: [...tableOf(folder, head, kept).files, ...addedTable.files]};
    if (writesAlone(dataset, contract)) await this.world.checkAll({dataset, branch, operation: 'merge'}, contract, table, head);
    await syncPath(stage.folder);
    const [hashes, profile] = await Promise.all([
      sha256OfFiles(added.map(file => file.path)), profileAfter({engine, head, key: contract.key ?? [], removesRows: removed.length > 0, added, addedTable, table}),
    ]);
    const files = added.map((file, index): CommitRecord['files'][number] => ({
      id: newId(), path: `data/${dataset}/${id}/${basename(file.path)}`, rowIds: file.rowIds, rowCount: BigInt(file.rowCount), bytes: BigInt(file.bytes), sha256: hashes[index]!,
      columns: file.columns.filter(column => column.name !== '_row_id'), partition: file.partition,
    }));
    await this.world.moveHome(stage, dataset, id);
    return {
      snapshotId: id, outcome, findings: [],
      commit: async stores => {
        const now = await stores.datasets.standing(branch, dataset);
        // It was set anew while the rows were judged by the old one.
        if (!now || !isDeepStrictEqual(now.contract, contract)) throw new MillraceError('COMMIT_CONFLICT', {dataset});
        const snapshot = await stores.datasets.commit({
          id, datasetId: record.id, branch, parentId: head.id, parentHash: head.contentHash, operation: removed.length === 0 ? 'append' : outcome.written === 0 ? 'delete' : 'merge', schema, files,
          removes: removed.map(file => file.id), runId: null, stepName: null, contentHash: hashContent(schema, [...kept, ...files]), profile, lineage: {writes},
        });
        await stores.changes.tell('data', dataset);
        return snapshot;
      },
      published: async snapshot => {
        const place = {record, head: snapshot, files: [...kept, ...numbered(files, head, snapshot)]};
        this.remember(branch, place);
        await writeManifest(join(folder, manifestPath(snapshot)), {dataset: record, snapshot, files: place.files});
      },
      abandon: () => this.world.abandon(dataset, id),
    };
  }

  /** The rows that a batch keeps aside. */
  private async asideOf(rows: Query, {record: {contract}, head}: Place, branch: string, writes: WriteLineage): Promise<PreparedCommit> {
    const {warehouse, engine} = this.world;
    const dataset = quarantineOf(head.datasetName);
    const next = await this.world.nextSchema(dataset, quarantineSchema(head.schema), 'append', branch);
    const stage = await warehouse.stage(newId(), 'write', 0);
    try {
      const files = await engine.materialize(rows, {folder: stage.folder, schema: next.written});
      return await warehouse.prepare({
        dataset, branch, operation: 'append', stage, files, written: next.written, schema: next.schema, parentId: next.parentId, contract: contract.retention ? {retention: contract.retention} : {}, runId: null, stepName: null,
        lineage: {writes},
      });
    } finally {
      await stage.discard();
    }
  }
}

/** The files that a commit added, as the catalog numbers them. */
function numbered(files: CommitRecord['files'], head: SnapshotRecord, {sequence, schemaVersion}: SnapshotRecord): FileRecord[] {
  let next = head.nextRowId;
  return files.map(file => {
    const firstRowId = file.rowIds === 'stored' ? 0n : next;
    if (file.rowIds === 'positional') next += file.rowCount;
    return {...file, addedAt: sequence, removedAt: null, firstRowId, schemaVersion};
  });
}
