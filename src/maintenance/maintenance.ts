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
import type {Retention} from '../schemas/contract.ts';

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
  /** Files that nothing names, to be removed. */
  leave(leftovers: readonly Pick<Leftover, 'path' | 'bytes'>[]): Promise<void>;
  forget(paths: readonly string[]): Promise<void>;
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
}
