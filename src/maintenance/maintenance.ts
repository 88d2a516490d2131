/**
 * maintenance: looking after everything Millrace keeps: the catalog, the warehouse, the models' artifacts and the uploads.
 *
 * A backup is a folder: `catalog/<table>.ndjson`, the files under `warehouse/`, `models/` and `uploads/` by the names the catalog
 * has for them, and `manifest.json`, which is written last: a folder without it is no backup.
 */
import type {Catalog} from '../catalog/catalog.ts';

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

export type OnProgress = (done: BackupProgress) => void;

/** What a running server does for its keeper. */
export interface Maintenance {
  /** Into an empty or new folder of the server's machine, while runs commit. @throws TARGET_NOT_EMPTY, FILE_DAMAGED, DISK_FULL */
  backup(folder: string): Promise<BackupSummary>;
  /** @param options.deep every snapshot instead of the newest of each dataset */
  doctor(options: {readonly deep: boolean}): Promise<readonly Finding[]>;
}
