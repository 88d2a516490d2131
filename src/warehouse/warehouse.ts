/**
 * warehouse: datasets and their immutable snapshots.
 *
 * A dataset never changes; it gets a new snapshot by one catalog transaction that compares and sets its head. A commit's files lie
 * in a folder of their own, first staged, then renamed, then named by the transaction; what no transaction names is swept.
 */
import type {Stores} from '../catalog/catalog.ts';
import type {Viewer} from '../core/viewer.ts';
import type {StagedFile, Table} from '../engines/engine.ts';
import type {SchemaChange} from '../schemas/compatibility.ts';
import type {Contract, Fate} from '../schemas/contract.ts';
import type {Renames} from '../schemas/evolve.ts';
import type {ColumnProfile, Schema} from '../schemas/schema.ts';
import type {PreparedBatch, WriteBatch} from '../writes/writes.ts';

/**
 * How rows come into a dataset. overwrite: only these; append: the parent's and these; merge: these instead of the parent's of the
 * same key (an upsert); delete: the parent's whose key is not among these; overwrite_partitions: these, and the parent's of the
 * partitions that have none of these.
 */
export type WriteMode = 'overwrite' | 'append' | 'merge' | 'delete' | 'overwrite_partitions';

/** What made a snapshot of its parent; replace: the same rows in other files. */
export type Operation = WriteMode | 'replace';

/** Each file holds rows of one partition: of one day, one month (of a date or timestamp) or one value of the column. */
export interface PartitionBy {
  readonly column: string;
  readonly grain: 'day' | 'month' | 'value';
}

/** How a merge decides between rows of the same key. */
export interface MergeBy {
  /** The row with the greatest value wins, in the input and against what is there; null is the least. Of equals, and by default, the last of the input. */
  readonly latestBy?: string;
  /** SQL of the input's columns: a row for which it is true deletes the row of its key instead of replacing it. */
  readonly deletedWhen?: string;
}

export interface DatasetRecord {
  readonly id: string;
  readonly name: string;
  readonly contract: Contract;
  readonly createdAt: Date;
}

/** Where a snapshot came from, to the column where it is known. */
export interface SnapshotLineage {
  /** Raw files read, with their checksums. */
  readonly files?: readonly {readonly name: string; readonly sha256: string; readonly bytes: number}[];
  /** Snapshots read, by the name the step knew them by. */
  readonly inputs?: Readonly<Record<string, string>>;
  readonly modelVersions?: readonly string[];
  /** Output column → `dataset.column` it was computed from. */
  readonly columns?: Readonly<Record<string, readonly string[]>>;
  readonly sql?: string;
  /** What clients wrote, where no run made the snapshot. */
  readonly writes?: WriteLineage;
}

/** Mutations that were committed together. Rows given, chosen or deleted are those written, superseded, deleted, quarantined and dropped. */
export interface WriteLineage {
  readonly requests: number;
  /** Who wrote. */
  readonly by: readonly string[];
  readonly rows: RowOutcome & {readonly quarantined: number; readonly dropped: number};
}

export interface SnapshotRecord {
  readonly id: string;
  readonly datasetId: string;
  readonly datasetName: string;
  readonly sequence: number;
  readonly parentId: string | null;
  readonly operation: Operation;
  readonly schema: Schema;
  readonly schemaVersion: number;
  readonly runId: string | null;
  readonly stepName: string | null;
  readonly rowCount: bigint;
  readonly bytes: bigint;
  readonly fileCount: number;
  readonly nextRowId: bigint;
  /** SHA-256 over the schema and the checksums of its files, in order: same content, same hash. */
  readonly contentHash: string;
  readonly profile: readonly ColumnProfile[];
  readonly lineage: SnapshotLineage;
  readonly committedAt: Date;
  /** Since when its rows are not kept any more: it has no files and no profile, and cannot be read. */
  readonly expiredAt: Date | null;
}

/** A raw file whose rows are in a dataset, as it was when it was last read. */
export interface IngestedFile {
  /** As lineage shows it. */
  readonly name: string;
  readonly sha256: string;
  readonly bytes: number;
}

export interface FileRecord {
  readonly id: string;
  /** Relative to the warehouse, with forward slashes. */
  readonly path: string;
  readonly addedAt: number;
  readonly removedAt: number | null;
  readonly firstRowId: bigint;
  readonly rowIds: 'positional' | 'stored';
  readonly rowCount: bigint;
  readonly bytes: bigint;
  readonly sha256: string;
  readonly columns: StagedFile['columns'];
  /** The dataset's schema version it was written with. */
  readonly schemaVersion: number;
  /** Of all its rows, as `date_day=2001-06-30`; null where it was written without partitions. */
  readonly partition: string | null;
}

/** Exactly one of the three; none means the newest. `time` is commit time. */
export interface AsOf {
  readonly snapshot?: string;
  readonly time?: Date;
  readonly run?: string;
}

/** What a commit adds to a dataset. `parentId` is the head it was prepared on; null for the first. */
export interface CommitRecord {
  readonly id: string;
  readonly datasetId: string;
  readonly branch: string;
  readonly parentId: string | null;
  /** Its content hash then: rows may have been erased from it since. */
  readonly parentHash?: string | null;
  readonly operation: Operation;
  readonly schema: Schema;
  readonly files: readonly Omit<FileRecord, 'addedAt' | 'removedAt' | 'firstRowId' | 'schemaVersion'>[];
  /** Ids of the parent's files that are no part of this; default: all of them, and none for an append. */
  readonly removes?: readonly string[];
  readonly runId: string | null;
  readonly stepName: string | null;
  readonly contentHash: string;
  readonly profile: readonly ColumnProfile[];
  readonly lineage: SnapshotLineage;
  /** True: the raw files were chosen because the dataset had not read them; if it has since, that is a conflict. */
  readonly onlyNewFiles?: boolean;
}

/** Datasets in the catalog. */
export interface DatasetStore {
  list(): Promise<DatasetRecord[]>;
  byName(name: string): Promise<DatasetRecord | null>;
  /** @throws NAME_TAKEN */
  create(name: string, contract: Contract): Promise<DatasetRecord>;
  setContract(id: string, contract: Contract): Promise<void>;

  /** Field ids never come again. */
  nextFieldId(datasetId: string): Promise<number>;

  /** What the graph's types are made of, of every dataset with a head: small, because profiles and lineage are left out. */
  schemas(branch: string, known: readonly string[]): Promise<DatasetSchema[]>;

  /** Heads of a branch by dataset name: one consistent set, in one statement. */
  heads(branch: string): Promise<Map<string, SnapshotRecord>>;
  head(branch: string, name: string): Promise<SnapshotRecord | null>;
  /** What tells whether a dataset is still as it was: its head and its contract, in one small statement. */
  standing(branch: string, name: string): Promise<{readonly snapshotId: string; readonly contentHash: string; readonly contract: Contract} | null>;
  snapshot(id: string): Promise<SnapshotRecord | null>;
  /** By id; ids that are none are left out. */
  snapshotsById(ids: readonly string[]): Promise<Map<string, SnapshotRecord>>;
  /** Newest first. */
  snapshots(datasetId: string, limit: number, before?: number): Promise<SnapshotRecord[]>;
  /** From a sequence on, oldest first; those that have expired as well. */
  snapshotsFrom(datasetId: string, sequence: number, limit: number): Promise<SnapshotRecord[]>;
  /** Newest first, at most `limit` of each dataset; an entry for every id asked for. */
  snapshotsOf(datasetIds: readonly string[], limit: number): Promise<Map<string, SnapshotRecord[]>>;
  /** What each run committed, in order of commits; an entry for every id asked for. */
  snapshotsOfRuns(runIds: readonly string[]): Promise<Map<string, SnapshotRecord[]>>;
  /** The snapshot of each dataset as of a time (commit time), by name. */
  headsAt(branch: string, time: Date): Promise<Map<string, SnapshotRecord>>;
  /** Raw files read into a dataset since it was last overwritten; none when there is no such dataset. */
  ingestedFiles(dataset: string): Promise<IngestedFile[]>;
  /** Versions of datasets' columns, newest first, at most `limit` of each; an entry for every id asked for. */
  schemaVersionsOf(datasetIds: readonly string[], limit: number): Promise<Map<string, SchemaVersionRecord[]>>;
  /** The files of a snapshot that has not expired, in row order. */
  files(snapshot: Pick<SnapshotRecord, 'datasetId' | 'sequence'>): Promise<FileRecord[]>;
  /** The same for several snapshots, by id; an entry for every id asked for, empty for one that has expired. */
  filesOf(snapshotIds: readonly string[]): Promise<Map<string, FileRecord[]>>;
  /** Ids of all snapshots: their files' folders are named so. */
  allSnapshotIds(): Promise<Set<string>>;

  /** Whether a snapshot was committed, after commits of its dataset that are under way have ended; null when there is no such dataset. In a transaction. */
  committed(dataset: string, snapshotId: string): Promise<boolean | null>;
  /** Path, size and checksum of every file of a dataset that a kept snapshot names. */
  everyFile(datasetId: string): Promise<Pick<FileRecord, 'path' | 'bytes' | 'sha256'>[]>;
  /** Writes a lost dataset again: its record, its snapshots with their files (oldest first), its head. */
  rebuild(dataset: DatasetRecord, snapshots: readonly {readonly snapshot: SnapshotRecord; readonly files: readonly FileRecord[]}[]): Promise<void>;

  /** Inserts snapshot and files, notes the raw files read, and moves the head. @throws COMMIT_CONFLICT when the head is not `parentId`, or a file was read meanwhile */
  commit(record: CommitRecord): Promise<SnapshotRecord>;

  /** Ids of the snapshots that somebody holds now: nothing of them may expire. */
  pinned(): Promise<Set<string>>;
  /** @throws SNAPSHOT_NOT_FOUND where it does not exist or has expired */
  pin(snapshotId: string, owner: string, seconds: number): Promise<string>;
  unpin(id: string): Promise<void>;
  /** What somebody holds, in the order in which it was pinned. */
  pinsOf(owner: string): Promise<readonly {readonly id: string; readonly snapshotId: string}[]>;
  renewPin(id: string, seconds: number): Promise<void>;
}

/** A private folder for one attempt of one step. Files written there are nothing until a commit names them. */
export interface Stage {
  readonly folder: string;
  /** Removes the folder and what is in it, unless it was published. */
  discard(): Promise<void>;
}

/** Rows of an input by what became of them. */
export interface RowOutcome {
  readonly written: number;
  /** Lost to another row of the same key, of the input or of the dataset. */
  readonly superseded: number;
  /** Told that a row is no more, whether or not there was one. */
  readonly deleted: number;
}

/** A prepared commit: everything slow (hashing, profiling, checking, moving files) is done; `record` waits for its transaction. */
export interface PreparedCommit {
  readonly snapshotId: string;
  /** What became of the staged rows. */
  readonly outcome: RowOutcome;
  /** What the contract says of all rows together, does not hold and is only a warning. */
  readonly findings: readonly Finding[];
  /** Commits, in the caller's unit of work, and wakes those who follow the dataset or the graph. @throws COMMIT_CONFLICT */
  commit(stores: Stores): Promise<SnapshotRecord>;
  /** Writes the fsynced manifest beside the data, after the unit of work succeeded. */
  published(snapshot: SnapshotRecord): Promise<void>;
  /** Removes the moved files, after it failed; where the commit may stand after all, it leaves them to a sweep. */
  abandon(): Promise<void>;
}

export interface NextSchema {
  /** The dataset's schema after the commit. */
  readonly schema: Schema;
  /** What new files are written with: `schema` without the columns that the described ones lack. */
  readonly written: Schema;
  /** Empty when nothing changes, null for a dataset's first schema. */
  readonly changes: readonly SchemaChange[] | null;
  /** The snapshot it was worked out from; null for a dataset's first schema. */
  readonly parentId: string | null;
}

/** What schemas have to keep to. */
export interface SchemaRules {
  /** Whose compatibility counts; default: the dataset's own. */
  readonly contract?: Contract;
  /** Columns that have new names and stay the same columns. */
  readonly renames?: Renames;
}

/** Something that reads a dataset and would not work, or give other columns, if the dataset had other columns. */
export interface Breakage {
  readonly kind: 'pipeline' | 'model' | 'relationship';
  /** `pipeline.step`, the model, `dataset.column`. */
  readonly name: string;
  readonly detail: string;
}

export interface ColumnRenamed {
  readonly snapshot: SnapshotRecord;
  /** What reads the column by its old name. */
  readonly breaks: readonly Breakage[];
}

/** A version of a dataset's columns, from the first snapshot that has them. */
export interface SchemaVersionRecord {
  readonly datasetId: string;
  readonly version: number;
  readonly schema: Schema;
  readonly createdAt: Date;
  /** Null when none of its snapshots is kept any more. */
  readonly firstSnapshotId: string | null;
}

export interface PrepareInput {
  readonly dataset: string;
  readonly branch: string;
  readonly operation: WriteMode;
  /** For a merge. */
  readonly mergeBy?: MergeBy;
  readonly partitionBy?: PartitionBy;
  /** For overwrite_partitions: the only partition the rows may be of, replaced also when there are none. A date or a value of the column. */
  readonly partition?: string;
  readonly stage: Stage;
  readonly files: readonly StagedFile[];
  /** What the files were written with; default: `schema`. */
  readonly written?: Schema;
  /** The dataset's schema after the commit, and the snapshot it was worked out from: from `schemaFor`. */
  readonly schema: Schema;
  readonly parentId: string | null;
  /** Default: the dataset's. */
  readonly contract?: Contract;
  /** False: the contract is the dataset's as it was read, which a commit leaves alone. Default: a contract that is given becomes the dataset's. */
  readonly setsContract?: boolean;
  readonly runId: string | null;
  readonly stepName: string | null;
  readonly lineage: SnapshotLineage;
  /** See CommitRecord. */
  readonly onlyNewFiles?: boolean;
  readonly signal?: AbortSignal;
}

/** Rows that came from one raw file. */
export interface Origin {
  readonly file: string;
  readonly rows: number;
}

/** Rows of a quarantine that are given to its dataset again. */
export interface Replayed {
  readonly quarantine: SnapshotRecord;
  /** An expression of the quarantine's columns. */
  readonly where: string;
}

export interface SiftInput {
  readonly dataset: string;
  readonly branch: string;
  readonly operation: PrepareInput['operation'];
  readonly contract: Contract;
  readonly files: readonly StagedFile[];
  /** What the files were written with; it may have the marks of rows that are known to be bad. */
  readonly staged: Schema;
  /** The rows' own columns. */
  readonly written: Schema;
  readonly runId: string;
  readonly stepName: string;
  readonly fence: number;
  readonly origins?: () => Promise<readonly Origin[]>;
  readonly replays?: Replayed;
  readonly signal?: AbortSignal;
}

/** A rule that rows broke. */
export interface Finding {
  readonly says: string;
  readonly fate: Fate | 'warn';
  /** Null: it is about all rows together. */
  readonly rows: number | null;
  /** What there is to see of one such row. */
  readonly example: string;
}

export interface Sifted {
  /** Rows that were looked at; those that are neither quarantined nor dropped are kept. */
  readonly read: number;
  readonly quarantined: number;
  readonly dropped: number;
  readonly findings: readonly Finding[];
  /** The rows to keep, staged anew; null: the files are kept as they are. */
  readonly kept: {readonly stage: Stage; readonly files: readonly StagedFile[]} | null;
  /** The commit of the quarantine that belongs to the dataset's own; null where it stays as it is. */
  readonly quarantine: PrepareInput | null;
}

/** What readers and runners use. */
export interface Warehouse {
  /** @throws DATASET_NOT_FOUND, SNAPSHOT_NOT_FOUND, SNAPSHOT_EXPIRED */
  resolve(name: string, asOf?: AsOf, branch?: string): Promise<SnapshotRecord>;
  /** What an engine reads for a snapshot that has not expired. Cached: the same content has the same files. */
  table(snapshot: SnapshotRecord): Promise<Table>;
  stage(runId: string, step: string, fence: number): Promise<Stage>;
  /**
   * The schema a dataset would have after a commit of such columns: its own field ids for those it has, new ones for new columns.
   * @throws SCHEMA_INCOMPATIBLE, NAME_RESERVED, NAME_INVALID; DATASET_NOT_FOUND for a delete
   */
  schemaFor(dataset: string, described: Schema, mode: WriteMode, branch: string, rules?: SchemaRules): Promise<NextSchema>;
  /**
   * Takes staged rows apart by a contract: to keep, to keep aside, to drop.
   * @throws CONTRACT_INVALID, CHECK_FAILED, CHECK_BROKEN
   */
  sift(input: SiftInput): Promise<Sifted>;
  /** Works out which files the staged rows make and unmake; hashes, profiles and checks them against key and foreign keys, and moves them to their place. @throws COMMIT_CONFLICT, KEY_VIOLATED, KEY_NULL, FOREIGN_KEY_VIOLATED, CONTRACT_INVALID, PARTITION_INVALID, PARTITION_OUTSIDE, DISK_FULL */
  prepare(input: PrepareInput): Promise<PreparedCommit>;
  /**
   * Works out what a batch of writes makes of a dataset, and moves the files to their place. Of requests that can only be judged by all rows
   * the first is decided, the others deferred. @throws DATASET_NOT_FOUND, COMMIT_CONFLICT, CHECK_FAILED, CHECK_BROKEN, FOREIGN_KEY_VIOLATED (of all rows), DISK_FULL
   */
  prepareBatch(batch: WriteBatch): Promise<PreparedBatch>;
  /**
   * Sets what a dataset has to keep to from its next commit on; one that does not exist yet is made, without a snapshot. It must fit
   * the columns there are, and key and foreign keys must hold. Checks are for the rows to come.
   * @throws CONTRACT_INVALID, NAME_RESERVED, NAME_INVALID, NAME_TAKEN, KEY_NULL, KEY_VIOLATED, FOREIGN_KEY_VIOLATED
   */
  setContract(dataset: string, contract: unknown, branch?: string): Promise<void>;
  /**
   * Gives a column another name, in its schema and contract; no file is written, and earlier snapshots keep the old name.
   * @throws SCHEMA_INCOMPATIBLE, ARGUMENT_INVALID, NAME_INVALID, NAME_TAKEN, CONTRACT_INVALID, COMMIT_CONFLICT
   */
  renameColumn(dataset: string, from: string, to: string, branch?: string): Promise<ColumnRenamed>;
  /** Rewrites many small files as few; the same rows with the same ids. Null when there was nothing to do. */
  compact(dataset: string, branch?: string): Promise<SnapshotRecord | null>;
  /** Removes folders older than some hours that no snapshot names, and writes the manifests that heads lack. Answers how many were removed. Zero hours: only while nothing else writes. */
  sweep(graceHours: number): Promise<number>;
  /** The absolute path of a file of the warehouse. */
  pathOf(relative: string): string;
}


/** A dataset as the graph shows it: its record and its newest snapshot, if it has one. */
export interface DatasetView {
  readonly dataset: DatasetRecord;
  readonly head: SnapshotRecord | null;
}

/** A dataset's columns now, and its contract. */
export interface DatasetSchema {
  readonly name: string;
  /** The schema's version, the same for as long as the columns are. */
  readonly schemaId: string;
  /** Null where the asker said that it knows this version. */
  readonly schema: Schema | null;
  readonly contract: Contract;
}

/** What the APIs and the command line call. */
export interface Datasets {
  /** All datasets with their heads, by name, in two statements however many. */
  list(viewer: Viewer, search?: string): Promise<DatasetView[]>;
  /** The columns and contracts of all datasets that have rows or had some. @param known schema ids whose columns need not be read */
  schemas(viewer: Viewer, known?: readonly string[]): Promise<DatasetSchema[]>;
  /** @throws DATASET_NOT_FOUND */
  get(viewer: Viewer, name: string): Promise<DatasetView>;
  /** Newest first, of several datasets at once. */
  snapshotsOf(viewer: Viewer, datasetIds: readonly string[], limit: number): Promise<Map<string, SnapshotRecord[]>>;
  /** From a sequence on, oldest first; those that have expired as well. */
  snapshotsFrom(viewer: Viewer, datasetId: string, sequence: number, limit: number): Promise<SnapshotRecord[]>;
  /** Versions of the columns, newest first, of several datasets at once. */
  schemaVersionsOf(viewer: Viewer, datasetIds: readonly string[], limit: number): Promise<Map<string, SchemaVersionRecord[]>>;
  /** By id, of several at once; ids that are none are left out. */
  snapshotsById(viewer: Viewer, ids: readonly string[]): Promise<Map<string, SnapshotRecord>>;
  /** Ids of the snapshots each run committed. */
  snapshotsOfRuns(viewer: Viewer, runIds: readonly string[]): Promise<Map<string, SnapshotRecord[]>>;
  files(viewer: Viewer, snapshotId: string): Promise<FileRecord[]>;
  /** The same for several snapshots, by id. */
  filesOf(viewer: Viewer, snapshotIds: readonly string[]): Promise<Map<string, FileRecord[]>>;
  /** @throws CONTRACT_INVALID, NAME_*, KEY_*, FOREIGN_KEY_VIOLATED */
  setContract(viewer: Viewer, name: string, contract: unknown): Promise<void>;
  /** Gives a column another name. @throws as Warehouse.renameColumn */
  renameColumn(viewer: Viewer, name: string, from: string, to: string): Promise<ColumnRenamed>;
  /** Merges small files; null when there was nothing to do. */
  compact(viewer: Viewer, name: string): Promise<SnapshotRecord | null>;
}

export type LineageNode =
  | {readonly kind: 'raw_file'; readonly id: string; readonly path: string; readonly sha256: string; readonly bytes: number}
  | {readonly kind: 'snapshot'; readonly id: string; readonly snapshot: SnapshotRecord}
  | {readonly kind: 'run'; readonly id: string; readonly runId: string}
  | {readonly kind: 'model_version'; readonly id: string; readonly versionId: string};

export interface LineageEdge {
  /** Node ids, in the direction the data flows. */
  readonly from: string;
  readonly to: string;
  /** read: a run or snapshot was made from it; made: a run made it; trained: a version was trained on it; scored: its predictions are in it. */
  readonly kind: 'read' | 'made' | 'trained' | 'scored';
  /** `output = dataset.column` pairs as far as they are known. */
  readonly columns: readonly string[];
}

export interface LineageGraph {
  readonly nodes: readonly LineageNode[];
  readonly edges: readonly LineageEdge[];
}

/** What something came from. Exactly one place is given. */
export interface LineageRef {
  readonly snapshot?: string;
  /** `dataset.column` of the newest snapshot: only what that column came from. */
  readonly column?: string;
  /** `model@number`. */
  readonly modelVersion?: string;
}

export interface Lineage {
  /** Walks upstream, breadth first, one statement a level. @throws SNAPSHOT_NOT_FOUND, DATASET_NOT_FOUND, MODEL_VERSION_NOT_FOUND, ARGUMENT_INVALID */
  of(viewer: Viewer, ref: LineageRef, depth: number): Promise<LineageGraph>;
}
