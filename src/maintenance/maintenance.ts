/**
 * maintenance: looking after everything Millrace keeps: the catalog, the warehouse, the models' artifacts and the uploads.
 *
 * A backup is a folder: `catalog/<table>.ndjson`, the files under `warehouse/`, `models/` and `uploads/` by the names the catalog
 * has for them, and `manifest.json`, which is written last: a folder without it is no backup.
 *
 * What the retention of datasets lets go of goes in two steps. The catalog first: a unit of work marks snapshots as expired, and the
 * files that no other snapshot has become leftovers. The disk after: leftovers are removed when they are due, by whichever server
 * comes by, and again if it died over it. So a kill at any moment leaves no snapshot that names a missing file.
 */
import type {Catalog} from '../catalog/catalog.ts';
import type {Viewer} from '../core/viewer.ts';
import type {Engine} from '../engines/engine.ts';
import type {Retention} from '../schemas/contract.ts';
import type {ColumnProfile, Schema} from '../schemas/schema.ts';
import type {FileRecord} from '../warehouse/warehouse.ts';

/** Where everything is. The catalog is started; the folders may not exist yet. */
export interface Places {
  readonly catalog: Catalog;
  readonly warehouse: string;
  readonly models: string;
  readonly uploads: string;
}

export interface BackupProgress {
  readonly files: number;
  readonly ofFiles: number;
  readonly bytes: number;
}

export interface BackupSummary extends Pick<BackupProgress, 'files' | 'bytes'> {
  readonly folder: string;
  readonly datasets: number;
  readonly snapshots: number;
}

export type FindingStatus = 'ok' | 'warn' | 'failed';

/** One thing `doctor` looked at. */
export interface Finding {
  readonly check: 'catalog' | 'heads' | 'files' | 'manifests' | 'models' | 'left over' | 'workers' | 'disk';
  readonly status: FindingStatus;
  readonly detail: string;
  /** What to do, unless it is ok. */
  readonly hint: string | null;
}

export interface Rebuilt {
  readonly datasets: number;
  readonly snapshots: number;
  /** Manifests that could not be used, with the reason. */
  readonly skipped: readonly string[];
}

/** A snapshot that has not expired, with what speaks for it. */
export interface PastSnapshot {
  readonly id: string;
  readonly sequence: number;
  readonly rowCount: bigint;
  readonly committedAt: Date;
  /** Days since it was followed by another; null while it is the newest. */
  readonly daysPast: number | null;
  /** Of some branch. */
  readonly isHead: boolean;
  readonly pinnedBy: string | null;
  /** `model@number` of a version that was trained on it. */
  readonly trained: string | null;
  /** A run that is under way and has read or made it. */
  readonly runId: string | null;
}

/** Something that the catalog has let go of: a file to be removed or, with `snapshotId`, that snapshot's manifest to be written anew. */
export interface Leftover {
  /** Relative to the warehouse. */
  readonly path: string;
  readonly bytes: bigint;
  readonly snapshotId: string | null;
}

export interface Amount {
  readonly files: number;
  readonly bytes: bigint;
}

/** What has come to its end, in the catalog. */
export interface ExpiryStore {
  /** Holds off commits to the dataset and pins of its snapshots until the unit of work ends. */
  lock(datasetId: string): Promise<void>;
  /** Newest first. */
  past(datasetId: string): Promise<PastSnapshot[]>;
  /** The files of a dataset that no snapshot but these has. */
  freed(datasetId: string, snapshotIds: readonly string[]): Promise<Amount>;
  /** Marks snapshots as expired; the files that no other has become leftovers, due after the grace. */
  expire(datasetId: string, snapshotIds: readonly string[], graceHours: number): Promise<void>;
  /** Leftovers that are due, manifests first. */
  due(limit: number): Promise<Leftover[]>;
  /** Files that are leftovers, without manifests. */
  waiting(): Promise<{readonly due: Amount; readonly later: Amount}>;
  /** Files that nothing names, to be removed after so many hours (default: now); drafts are of somebody who will name them. */
  leave(leftovers: readonly Pick<Leftover, 'path' | 'bytes'>[], options?: {readonly hours?: number; readonly isDraft?: boolean}): Promise<void>;
  forget(paths: readonly string[]): Promise<void>;
  /** Makes those that are drafts due now; answers how many. */
  giveUp(paths: readonly string[]): Promise<number>;
  /** Whether this is the one to do something that is done once in so many hours. */
  takeTurn(of: string, hours: number): Promise<boolean>;
}

/** Why a snapshot stays although its dataset has a rule. */
export type KeptBy = 'newest' | 'rule' | 'pin' | 'model' | 'run';

export interface DatasetGarbage {
  readonly dataset: string;
  readonly retention: Retention;
  readonly expires: readonly PastSnapshot[];
  /** Of them alone. */
  readonly freed: Amount;
  readonly keeps: readonly {readonly snapshot: PastSnapshot; readonly by: KeptBy; /** The pin's owner, the version, the run. */ readonly detail: string | null}[];
}

/** What a collection did or, as a plan, would do. */
export interface Garbage {
  /** Datasets with a rule, by name. */
  readonly datasets: readonly DatasetGarbage[];
  /** Files removed now. */
  readonly removed: Amount;
  /** Files that stay until their grace is over. */
  readonly waiting: Amount;
  /** Folders of runs and commits that died, removed. */
  readonly folders: number;
  readonly uploads: Amount;
  /** Of runs that finished long ago. */
  readonly events: number;
}

/** Which rows to erase: exactly one of the three. */
export interface RowSelection {
  /** Each the values of some columns, which must be the contract's key where there is one. */
  readonly keys?: readonly Readonly<Record<string, unknown>>[];
  readonly rowIds?: readonly bigint[];
  /** An expression of one row's columns. */
  readonly where?: string;
}

export interface EraseInput extends RowSelection {
  readonly dataset: string;
  /** Why; kept in the record, so it must not say what was erased. */
  readonly reason: string;
}

/** What else may hold, or was made from, rows that were erased. It is told, not changed. */
export interface Affected {
  /** Datasets that were computed from a touched snapshot, however far, with how many snapshots. */
  readonly datasets: readonly {readonly name: string; readonly snapshots: number}[];
  /** `model@number` of versions that were trained on any of those. */
  readonly modelVersions: readonly string[];
  /** Raw files that were read, as lineage names them: `upload:…`, `package:…`, paths of the project. */
  readonly rawFiles: readonly string[];
  /** Runs that made or read a touched snapshot and still have events, whose lines may quote values. */
  readonly runs: readonly string[];
  /** Rows of the quarantine without a value in a column of the key, because none could be read: whether they are meant, only a look tells. Absent: none. */
  readonly keylessRows?: number;
}

/** The record that rows were erased from every snapshot of a dataset and of its quarantine. It does not say which. */
export interface ErasureRecord {
  readonly id: string;
  readonly datasetId: string;
  readonly selectedBy: 'key' | 'row_ids' | 'where';
  readonly columns: readonly string[];
  /** SHA-256 of `salt` and the JSON of each key's values, of the row ids or of the expression: proves what was erased to who knows it. */
  readonly salt: string;
  readonly hashes: readonly string[];
  readonly requestedBy: string;
  readonly reason: string;
  readonly erasedAt: Date;
  readonly rows: bigint;
  /** Those that had such rows. */
  readonly snapshotIds: readonly string[];
  readonly affected: Affected;
}

/** A file without the rows that were erased from it; null: none was left. */
export interface Rewritten {
  readonly fileId: string;
  readonly file: Pick<FileRecord, 'id' | 'path' | 'rowCount' | 'bytes' | 'sha256' | 'columns'> | null;
}

/** What a snapshot is after rows were erased from it. */
export interface ErasedSnapshot {
  readonly id: string;
  readonly rowCount: bigint;
  readonly bytes: bigint;
  readonly fileCount: number;
  readonly contentHash: string;
  readonly profile: readonly ColumnProfile[];
}

export interface ErasureStore {
  /** Every file of a dataset, each in some snapshot that is kept, in row order. */
  files(datasetId: string): Promise<FileRecord[]>;
  schemas(datasetId: string): Promise<Map<number, Schema>>;
  /** What follows from these snapshots. */
  affected(datasetIds: readonly string[], snapshotIds: readonly string[]): Promise<Affected>;
  /** In one unit of work with `ExpiryStore.lock`. The old files are leftovers, due now; so are the dataset's other ones. @throws COMMIT_CONFLICT where a new file's draft is gone */
  erase(record: Omit<ErasureRecord, 'erasedAt'>, datasetIds: readonly string[], files: readonly Rewritten[], snapshots: readonly ErasedSnapshot[]): Promise<ErasureRecord>;
  /** Newest first. */
  of(datasetId: string): Promise<ErasureRecord[]>;
  /** Those that touched any of these snapshots, newest first; since a time, where it is given. */
  touching(snapshotIds: readonly string[], since?: Date): Promise<ErasureRecord[]>;
}

export interface ErasePlaces extends Pick<Places, 'catalog' | 'warehouse'> {
  readonly engine: Engine;
}

export type OnProgress = (done: BackupProgress) => void;

/** What a running server does for its keeper. */
export interface Maintenance {
  /** Into an empty or new folder of the server's machine, while runs commit. @throws TARGET_NOT_EMPTY, FILE_DAMAGED, DISK_FULL */
  backup(folder: string): Promise<BackupSummary>;
  /** @param options.deep every snapshot instead of the newest of each dataset */
  doctor(options: {readonly deep: boolean}): Promise<readonly Finding[]>;
  /** What a collection would do now. */
  planGarbage(): Promise<Garbage>;
  /** Expires what the datasets' rules let go of and removes what is due; may be done by several at once, and again after a kill. */
  collectGarbage(): Promise<Garbage>;
  /**
   * Removes rows from every snapshot of a dataset and of its quarantine; what had them is gone from the disk when this returns.
   * @throws DATASET_NOT_FOUND, ARGUMENT_INVALID, SQL_INVALID, SQL_NOT_ALLOWED, COMMIT_CONFLICT, FILE_DAMAGED, DISK_FULL
   */
  erase(viewer: Viewer, input: EraseInput): Promise<ErasureRecord>;
  /** What was erased from a dataset, newest first. @throws DATASET_NOT_FOUND */
  erasures(viewer: Viewer, dataset: string): Promise<ErasureRecord[]>;
  /** What was erased from any of these snapshots, newest first. */
  erasuresTouching(viewer: Viewer, snapshotIds: readonly string[]): Promise<ErasureRecord[]>;
}
