import {existsSync} from 'node:fs';
import {mkdir, readdir, rename, rm, stat} from 'node:fs/promises';
import {basename, join} from 'node:path';
import {isDeepStrictEqual} from 'node:util';
import type {Catalog, Stores} from '../catalog/catalog.ts';
import {patiently} from '../core/async.ts';
import {MillraceError} from '../core/errors.ts';
import {syncPath} from '../core/files.ts';
import {sha256OfFile, sha256OfFiles} from '../core/sha256.ts';
import {newId} from '../core/ids.ts';
import type {Engine, Query, StagedFile, Table} from '../engines/engine.ts';
import {checkName} from '../schemas/check-name.ts';
import {schemaChanges} from '../schemas/compatibility.ts';
import {parseContract} from '../schemas/contract-shape.ts';
import {quarantineOf} from '../schemas/contract.ts';
import type {Contract} from '../schemas/contract.ts';
import {evolve} from '../schemas/evolve.ts';
import {quarantineSchema} from '../schemas/quarantine.ts';
import {renamedColumn, renamedContract, renamedProfile} from '../schemas/rename-column.ts';
import type {Schema} from '../schemas/schema.ts';
import type {PreparedBatch, WriteBatch} from '../writes/writes.ts';
import {BatchCommits} from './batch-commits.ts';
import {checkKeys, checkUnique} from './check-keys.ts';
import {datasetNotFound} from './datasets.ts';
import {hashContent, tableOf} from './content.ts';
import {snapshotExpired} from './expired.ts';
import {fileChanges} from './file-changes.ts';
import type {AddedFile} from './file-changes.ts';
import {contractOfInput, deletingSchema} from './merge-rows.ts';
import {manifestName, manifestPath, writeManifest} from './manifest.ts';
import {asideQuery, replayedQuery} from './quarantine.ts';
import {refuseIncompatible} from './refuse-incompatible.ts';
import type {FindBreakages} from './refuse-incompatible.ts';
import {rowRules} from './row-rules.ts';
import {siftRows, stagedTable} from './sift.ts';
import type {Sifting} from './sift.ts';
import {checkWhole, fitWholeChecks} from './whole-checks.ts';
import type {
  AsOf, ColumnRenamed, CommitRecord, FileRecord, Finding, NextSchema, PrepareInput, PreparedCommit, SchemaRules, SiftInput, Sifted, SnapshotRecord, Stage, Warehouse, WriteMode,
} from './warehouse.ts';

export interface WarehouseOptions {
  /** Holds `data/<dataset>/<snapshot>/` and `staging/`. */
  readonly folder: string;
  readonly catalog: Catalog;
  readonly engine: Engine;
  /** Default: no reader is known. */
  readonly breakages?: FindBreakages;
}

/** Seconds that the removal of a failed commit's files waits for a catalog that is away. */
const patience = 10;

/** Snapshots that a distribution is compared with. */
const comparedSnapshots = 3;

/** Files smaller than this are small: compaction merges runs of them. */
const smallFileBytes = 64n * 2n ** 20n;

/** The warehouse in a local folder. */
export function createWarehouse(options: WarehouseOptions): Warehouse {
  return new LocalWarehouse(options);
}

class LocalWarehouse implements Warehouse {
  private readonly folder: string;
  private readonly catalog: Catalog;
  private readonly engine: Engine;
  /** By snapshot id and content hash, so an entry is right for ever; the oldest go first. */
  private readonly tables = new Map<string, Table>();

  private readonly breakages: FindBreakages;
  private readonly batches: BatchCommits;

  constructor({folder, catalog, engine, breakages = async () => []}: WarehouseOptions) {
    this.folder = folder;
    this.catalog = catalog;
    this.engine = engine;
    this.breakages = breakages;
    this.batches = new BatchCommits({
      folder, catalog, engine, warehouse: this, referenced: (name, branch) => this.referenced(name, branch), checkAll: (...input) => this.checkAll(...input),
      moveHome: (...place) => this.moveHome(...place), abandon: (...place) => this.abandon(...place), nextSchema: (...input) => this.nextSchema(...input),
    });
  }

  async resolve(name: string, asOf: AsOf = {}, branch = 'main'): Promise<SnapshotRecord> {
    return this.catalog.read(async stores => {
      const found = await snapshotAsOf(stores, name, asOf, branch);
      if (found?.expiredAt) throw await snapshotExpired(stores, found);
      if (found) return found;
      const datasets = await stores.datasets.list();
      if (!datasets.some(dataset => dataset.name === name)) throw datasetNotFound(name, datasets);
      throw new MillraceError('SNAPSHOT_NOT_FOUND', {id: asOf.snapshot ?? asOf.run ?? asOf.time?.toISOString() ?? `the newest of ${name}`});
    });
  }

  async table(snapshot: SnapshotRecord): Promise<Table> {
    const key = `${snapshot.id} ${snapshot.contentHash}`;
    const known = this.tables.get(key);
    if (known) return known;
    const files = await this.catalog.read(async stores => {
      const found = await stores.datasets.files(snapshot);
      // It may have expired since it was looked up, and be left with some of its files.
      const now = found.length === snapshot.fileCount ? snapshot : await stores.datasets.snapshot(snapshot.id);
      if (now?.expiredAt) throw await snapshotExpired(stores, now);
      return found;
    });
    const table = tableOf(this.folder, snapshot, files);
    this.tables.set(key, table);
    if (this.tables.size > 2_000) this.tables.delete(this.tables.keys().next().value!);
    return table;
  }

  pathOf(relative: string): string {
    return join(this.folder, relative);
  }

  async stage(runId: string, step: string, fence: number): Promise<Stage> {
    const folder = join(this.folder, 'staging', `${runId}-${step}-${fence}-${newId().slice(-6)}`);
    await mkdir(folder, {recursive: true});
    return {folder, discard: () => rm(folder, {recursive: true, force: true})};
  }

  async schemaFor(dataset: string, described: Schema, mode: WriteMode, branch: string, rules: SchemaRules = {}): Promise<NextSchema> {
    checkName(dataset);
    return this.nextSchema(dataset, described, mode, branch, rules);
  }

  private async nextSchema(dataset: string, described: Schema, mode: WriteMode, branch: string, {contract, renames}: SchemaRules = {}): Promise<NextSchema> {
    const {record, head, nextId} = await this.catalog.read(async stores => {
      const record = await stores.datasets.byName(dataset);
      if (!record) await refuseTwin(stores, dataset);
      return {record, head: await stores.datasets.head(branch, dataset), nextId: record ? await stores.datasets.nextFieldId(record.id) : 1};
    });
    if (mode === 'delete') {
      if (!head) throw new MillraceError('DATASET_NOT_FOUND', {name: dataset});
      return {schema: head.schema, written: deletingSchema(head.schema, described), changes: [], parentId: head.id};
    }
    const schema = evolve(dataset, head?.schema ?? null, described, mode === 'overwrite' ? 'overwrite' : 'append', nextId, renames);
    if (head) await refuseIncompatible({catalog: this.catalog, breakages: this.breakages}, head, schema, (contract ?? record?.contract)?.compatibility ?? 'none');
    const names = new Set(described.fields.map(field => field.name));
    return {
      schema, written: {fields: schema.fields.filter(field => names.has(field.name))}, changes: head ? schemaChanges(head.schema, schema) : null, parentId: head?.id ?? null,
    };
  }

  async setContract(dataset: string, given: unknown, branch = 'main'): Promise<void> {
    checkName(dataset);
    const contract = parseContract(dataset, given);
    const head = await this.catalog.read(stores => stores.datasets.head(branch, dataset));
    const referenced = (name: string) => this.referenced(name, branch);
    if (head) {
      await rowRules(dataset, contract, head.schema, this.engine, referenced);
      fitWholeChecks(dataset, contract, head.schema);
      await checkKeys({dataset, contract, table: await this.table(head), engine: this.engine, referenced});
    }
    await this.catalog.transaction(async stores => {
      const {record} = await this.datasetFor(stores, dataset, contract);
      await stores.datasets.setContract(record.id, contract);
      await stores.changes.tell('graph', '');
    });
  }

  async sift(input: SiftInput): Promise<Sifted> {
    const {dataset, branch, operation, contract, files, staged, written, signal} = input;
    const head = operation === 'append' ? await this.catalog.read(stores => stores.datasets.head(branch, dataset)) : null;
    const table = stagedTable(files, staged);
    const stages: Stage[] = [];
    const write = async (query: Query, schema: Schema) => {
      const stage = await this.stage(input.runId, input.stepName, input.fence);
      stages.push(stage);
      return {stage, files: await this.engine.materialize(query, {folder: stage.folder, schema}, {signal})};
    };
    const scratch: Stage[] = [];
    const keep = async (query: Query, schema: Schema) => {
      const {stage, files: kept} = await write(query, schema);
      scratch.push(stage);
      return kept;
    };
    try {
      const sifting = await siftRows({
        dataset, contract: contractOfInput(contract, operation), staged: table, before: head && await this.table(head), engine: this.engine, referenced: name => this.referenced(name, branch), keep, signal,
      });
      const {queries, findings, read, quarantined, dropped} = sifting;
      const kept = queries && await write({sql: queries.kept, relations: queries.relations, params: queries.params}, written);
      return {read, quarantined, dropped, findings, kept, quarantine: await this.siftAside(input, sifting, write)};
    } catch (error) {
      await Promise.all(stages.map(stage => stage.discard()));
      throw error;
    } finally {
      await Promise.all(scratch.map(stage => stage.discard()));
    }
  }

  /** What a quarantine will hold: with an overwrite the rows refused now, with an append those as well. */
  private async siftAside(
    {dataset, branch, operation, contract, written, runId, stepName, origins, replays}: SiftInput, {queries, quarantined}: Sifting,
    write: (query: Query, schema: Schema) => Promise<{stage: Stage; files: readonly StagedFile[]}>,
  ): Promise<PrepareInput | null> {
    const name = quarantineOf(dataset);
    const head = await this.catalog.read(stores => stores.datasets.head(branch, name));
    const leavesIt = operation !== 'overwrite' ? quarantined === 0 : quarantined === 0 && (head === null || head.rowCount === 0n);
    if (leavesIt && !replays) return null;
    const query = replays
      ? replayedQuery(replays.where, {...(await this.table(replays.quarantine)), rowIds: true}, queries)
      : asideQuery(queries, quarantined > 0 && origins ? await origins() : [], runId, written);
    const mode = replays || operation === 'overwrite' ? 'overwrite' : 'append';
    const next = await this.nextSchema(name, quarantineSchema(replays ? replays.quarantine.schema : written), mode, branch);
    if (replays && next.parentId !== replays.quarantine.id) throw new MillraceError('COMMIT_CONFLICT', {dataset: name});
    return {
      dataset: name, branch, operation: mode, ...(await write(query, next.written)), schema: next.schema, parentId: next.parentId,
      contract: contract.retention ? {retention: contract.retention} : {}, runId, stepName, lineage: replays ? {inputs: {[name]: replays.quarantine.id}} : {},
    };
  }

  async prepare(input: PrepareInput): Promise<PreparedCommit> {
    const {dataset, branch, operation, stage, schema, signal} = input;
    const id = newId();
    const head = await this.catalog.read(stores => stores.datasets.head(branch, dataset));
    // Another commit may have changed the columns since, or given the same field ids to others.
    if ((head?.id ?? null) !== input.parentId) throw new MillraceError('COMMIT_CONFLICT', {dataset});
    const contract = input.contract ?? (await this.catalog.read(stores => stores.datasets.byName(dataset)))?.contract ?? {};
    const before = head ? await this.catalog.read(stores => stores.datasets.files(head)) : [];
    const {added, removed, outcome} = await fileChanges({
      ...input, written: input.written ?? schema, key: contract.key, before, schemaVersion: head?.schemaVersion, engine: this.engine, tableOf: files => tableOf(this.folder, {schema, schemaVersion: -1}, files),
    });
    const gone = new Set(removed);
    const kept = before.filter(file => !gone.has(file));
    const table: Table = {
      kind: 'table',
      schema,
      files: [...tableOf(this.folder, {schema, schemaVersion: -1}, kept).files, ...added.map(({path, rowCount, bytes, rowIds}) => ({path, rowCount, bytes, firstRowId: 0, rowIds}))],
      uniform: kept.length === 0 && added.every(file => file.columns.length === schema.fields.length),
    };
    // The checksums are made in a thread of their own, beside the engine's.
    const [hashes, [findings, profile]] = await Promise.all([
      sha256OfFiles(added.map(file => file.path)),
      this.checkAll(input, contract, table, head).then(async found => [found, await this.engine.profile(table, {signal, known: kept.length === 0 && added.length === 1 ? added[0]!.columns : []})] as const),
    ]);
    const files = added.map((file, index) => toCommit(file, `data/${dataset}/${id}`, hashes[index]!));
    const contentHash = hashContent(schema, [...kept, ...files]);

    await this.moveHome(stage, dataset, id);

    const setsContract = input.setsContract ?? input.contract !== undefined;
    return {
      snapshotId: id,
      outcome,
      findings,
      commit: async stores => {
        const {record, isNew} = await this.datasetFor(stores, dataset, contract);
        const snapshot = await stores.datasets.commit({
          id, datasetId: record.id, branch, parentId: head?.id ?? null, parentHash: head?.contentHash ?? null, operation, schema, files, removes: removed.map(file => file.id), runId: input.runId,
          stepName: input.stepName, contentHash, profile, lineage: input.lineage, onlyNewFiles: input.onlyNewFiles,
        });
        const contractChanged = !isDeepStrictEqual(record.contract, JSON.parse(JSON.stringify(contract)));
        // It was set anew while the rows were checked by the old one.
        if (contractChanged && !setsContract) throw new MillraceError('COMMIT_CONFLICT', {dataset});
        if (contractChanged) await stores.datasets.setContract(record.id, contract);
        if (isNew || contractChanged || snapshot.schemaVersion !== head?.schemaVersion) await stores.changes.tell('graph', '');
        await stores.changes.tell('data', dataset);
        return snapshot;
      },
      published: snapshot => this.writeManifest(snapshot),
      abandon: () => this.abandon(dataset, id),
    };
  }

  prepareBatch(batch: WriteBatch): Promise<PreparedBatch> {
    return this.batches.prepare(batch);
  }

  private async checkAll({dataset, branch, operation, signal}: Pick<PrepareInput, 'dataset' | 'branch' | 'operation' | 'signal'>, contract: Contract, table: Table, head: SnapshotRecord | null): Promise<readonly Finding[]> {
    await checkKeys({dataset, contract, table, engine: this.engine, referenced: name => this.referenced(name, branch), signal});
    if (operation === 'merge' || operation === 'overwrite_partitions') await checkUnique({dataset, contract, table, engine: this.engine, signal});
    return checkWhole({dataset, contract, table, rowsBefore: head && Number(head.rowCount), before: () => this.lastTables(head), engine: this.engine, now: Date.now(), signal});
  }

  /** The newest snapshots, for comparison. */
  private async lastTables(head: SnapshotRecord | null): Promise<readonly Table[]> {
    if (head === null) return [];
    const last = await this.catalog.read(stores => stores.datasets.snapshots(head.datasetId, comparedSnapshots));
    return Promise.all(last.filter(snapshot => snapshot.expiredAt === null).map(snapshot => this.table(snapshot)));
  }

  /** Gives staged files their place, on the disk when this returns. */
  private async moveHome(stage: Stage, dataset: string, id: string): Promise<void> {
    const home = this.pathOf(`data/${dataset}`);
    const created = await mkdir(home, {recursive: true});
    await rename(stage.folder, join(home, id));
    await syncPath(home);
    if (created !== undefined) await syncPath(this.pathOf('data'));
  }

  /** A COMMIT whose answer was lost may stand: only files of which the catalog says that they are nobody's are removed. */
  private async abandon(dataset: string, id: string): Promise<void> {
    // Null is a dataset that does not exist: then its first commit does not stand either. Whoever calls has waited for that to end.
    const committed = await patiently(() => this.catalog.transaction(stores => stores.datasets.committed(dataset, id)), patience).catch(() => true);
    if (committed !== true) await rm(this.pathOf(`data/${dataset}/${id}`), {recursive: true, force: true});
  }

  private async referenced(name: string, branch: string): Promise<{table: Table; key: readonly string[]}> {
    const snapshot = await this.resolve(name, {}, branch);
    const record = await this.catalog.read(stores => stores.datasets.byName(name));
    return {table: await this.table(snapshot), key: record?.contract.key ?? []};
  }

  private async datasetFor(stores: Stores, name: string, contract: PrepareInput['contract']) {
    const existing = await stores.datasets.byName(name);
    if (existing) return {record: existing, isNew: false};
    await refuseTwin(stores, name);
    const model = await stores.models.byName(name);
    if (model) throw new MillraceError('NAME_TAKEN', {name, by: 'a model', suggestion: `${name}_data`});
    try {
      return {record: await stores.datasets.create(name, contract ?? {}), isNew: true};
    } catch (cause) {
      // Somebody else made it a moment ago.
      if (cause instanceof MillraceError && cause.code === 'NAME_TAKEN') throw new MillraceError('COMMIT_CONFLICT', {dataset: name}, {cause});
      throw cause;
    }
  }

  private async writeManifest(snapshot: SnapshotRecord): Promise<void> {
    const {dataset, files} = await this.catalog.read(async stores => ({
      dataset: (await stores.datasets.byName(snapshot.datasetName))!,
      files: await stores.datasets.files(snapshot),
    }));
    await writeManifest(this.pathOf(manifestPath(snapshot)), {dataset, snapshot, files});
  }

  async renameColumn(dataset: string, from: string, to: string, branch = 'main'): Promise<ColumnRenamed> {
    const head = await this.resolve(dataset, {}, branch);
    const {record, files, aside} = await this.catalog.read(async stores => ({
      record: (await stores.datasets.byName(dataset))!, files: await stores.datasets.files(head), aside: await stores.datasets.head(branch, quarantineOf(dataset)),
    }));
    const schema = renamedColumn(dataset, head.schema, from, to);
    // They lie there under the old name, and would come back with it.
    if (aside && aside.rowCount > 0n) throw new MillraceError('ARGUMENT_INVALID', {name: 'dataset', reason: `${aside.rowCount} rows of '${dataset}' are in quarantine under its columns as they are: replay them first.`});
    const contract = renamedContract(record.contract, from, to);
    await rowRules(dataset, contract, schema, this.engine, name => this.referenced(name, branch));
    await refuseIncompatible({catalog: this.catalog, breakages: this.breakages}, head, schema, contract.compatibility ?? 'none');
    const breaks = await this.breakages(dataset, head.schema, schema);
    const snapshot = await this.catalog.transaction(async stores => {
      const committed = await stores.datasets.commit({
        id: newId(), datasetId: head.datasetId, branch, parentId: head.id, parentHash: head.contentHash, operation: 'replace', schema, files: [], removes: [], runId: null, stepName: null,
        contentHash: hashContent(schema, files), profile: renamedProfile(head.profile, from, to), lineage: {inputs: {[dataset]: head.id}, columns: {[to]: [`${dataset}.${from}`]}},
      });
      await stores.datasets.setContract(record.id, contract);
      await stores.changes.tell('graph', '');
      await stores.changes.tell('data', dataset);
      return committed;
    });
    await this.writeManifest(snapshot);
    return {snapshot, breaks};
  }

  async compact(dataset: string, branch = 'main'): Promise<SnapshotRecord | null> {
    const head = await this.resolve(dataset, {}, branch);
    const files = await this.catalog.read(stores => stores.datasets.files(head));
    const runs = [...Map.groupBy(files, file => file.partition).values()].map(lastSmallFiles).filter(run => run.length > 1);
    if (runs.length === 0) return null;
    const gone = new Set(runs.flat());
    const kept = files.filter(file => !gone.has(file));

    const stage = await this.stage(newId(), 'compact', 0);
    const id = newId();
    let snapshot: SnapshotRecord;
    try {
      const records: CommitRecord['files'][number][] = [];
      for (const [index, run] of runs.entries()) {
        const folder = join(stage.folder, `.run-${index}`);
        await mkdir(folder);
        const written = await this.engine.materialize(
          {sql: 'SELECT * FROM merged', relations: {merged: {...tableOf(this.folder, head, run), rowIds: true}}},
          {folder, schema: head.schema, storeRowIds: true},
        );
        for (const file of written) {
          const path = join(stage.folder, `part-${String(records.length).padStart(5, '0')}.parquet`);
          await rename(file.path, path);
          records.push(toCommit({...file, path, rowIds: 'stored', partition: run[0]!.partition}, `data/${dataset}/${id}`, await sha256OfFile(path)));
        }
        await rm(folder, {recursive: true});
      }
      await syncPath(stage.folder);
      await this.moveHome(stage, dataset, id);
      snapshot = await this.catalog.transaction(async stores => {
        const committed = await stores.datasets.commit({
          id, datasetId: head.datasetId, branch, parentId: head.id, parentHash: head.contentHash, operation: 'replace', schema: head.schema, files: records, removes: [...gone].map(file => file.id),
          runId: null, stepName: null, contentHash: hashContent(head.schema, [...kept, ...records]), profile: head.profile,
          lineage: {inputs: {[dataset]: head.id}},
        });
        await stores.changes.tell('data', dataset);
        return committed;
      });
    } catch (error) {
      await this.abandon(dataset, id);
      throw error;
    } finally {
      await stage.discard();
    }
    await this.writeManifest(snapshot);
    return snapshot;
  }

  async sweep(graceHours: number): Promise<number> {
    const named = await this.catalog.read(stores => stores.datasets.allSnapshotIds());
    const oldest = Date.now() - graceHours * 3_600_000;
    let removed = 0;
    const sweepFolder = async (folder: string, keep: (name: string) => boolean): Promise<void> => {
      for (const name of await listFolder(folder)) {
        const path = join(folder, name);
        // A manifest is written after its commit only: where the catalog does not know it, the catalog lost it.
        if (keep(name) || existsSync(join(path, manifestName))) continue;
        // Another process may sweep too.
        if (((await stat(path).catch(() => null))?.mtimeMs ?? Infinity) > oldest) continue;
        await rm(path, {recursive: true, force: true});
        removed++;
      }
    };
    await sweepFolder(join(this.folder, 'staging'), () => false);
    for (const dataset of await listFolder(join(this.folder, 'data'))) {
      await sweepFolder(join(this.folder, 'data', dataset), name => named.has(name));
    }
    const heads = await this.catalog.read(stores => stores.datasets.heads('main'));
    for (const head of heads.values()) if (!existsSync(this.pathOf(manifestPath(head)))) await this.writeManifest(head);
    return removed;
  }
}

/** A file as a commit tells of it, under its folder to be. */
const toCommit = (file: AddedFile, folder: string, sha256: string): CommitRecord['files'][number] => ({
  id: newId(), path: `${folder}/${basename(file.path)}`, rowIds: file.rowIds, rowCount: BigInt(file.rowCount), bytes: BigInt(file.bytes), sha256,
  columns: file.columns.filter(column => column.name !== '_row_id'), partition: file.partition,
});

/** Only the last files in a row, so that the order of rows stays. */
const lastSmallFiles = (files: readonly FileRecord[]): readonly FileRecord[] => files.slice(files.findLastIndex(file => file.bytes >= smallFileBytes) + 1);

/** SQL does not tell names apart by their case. */
async function refuseTwin(stores: Stores, name: string): Promise<void> {
  const twin = (await stores.datasets.list()).find(other => other.name.toLowerCase() === name.toLowerCase());
  if (twin && twin.name !== name) throw new MillraceError('NAME_TAKEN', {name, by: `the dataset '${twin.name}', since SQL does not tell them apart`, suggestion: `${name}_2`});
}

async function listFolder(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** The snapshot of a dataset as of a snapshot id, a time, a run; or its head. Null when there is none. */
export async function snapshotAsOf(stores: Stores, name: string, asOf: AsOf, branch: string): Promise<SnapshotRecord | null> {
  if (asOf.snapshot !== undefined) {
    const snapshot = await stores.datasets.snapshot(asOf.snapshot);
    return snapshot?.datasetName === name ? snapshot : null;
  }
  if (asOf.time !== undefined) return (await stores.datasets.headsAt(branch, asOf.time)).get(name) ?? null;
  if (asOf.run !== undefined) {
    const run = await stores.runs.run(asOf.run);
    if (!run) throw new MillraceError('RUN_NOT_FOUND', {id: asOf.run});
    // What the run wrote or, for a step whose output was reused, what it kept; else what it read; else what was newest when it ended.
    const steps = await stores.runs.steps(run.id);
    const into = new Map(run.definition.steps.map(step => [step.name, 'into' in step ? step.into : null]));
    const output = steps.findLast(step => into.get(step.name) === name && step.outputId !== null)?.outputId;
    const input = steps.find(step => step.inputs?.[name] !== undefined)?.inputs?.[name];
    const id = output ?? input;
    if (id) return stores.datasets.snapshot(id);
    return (await stores.datasets.headsAt(branch, run.finishedAt ?? new Date())).get(name) ?? null;
  }
  return stores.datasets.head(branch, name);
}
