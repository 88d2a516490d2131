/**
 * writes: rows that clients insert, update and delete, one request at a time, in datasets whose contract allows it.
 *
 * What waits while a commit of its dataset is under way goes together into the next one: a batch. Each request is atomic and has its own
 * answer; those of one batch touch different rows, so a batch is the same as its requests one after another.
 */
import type {MillraceError} from '../core/errors.ts';
import type {Viewer} from '../core/viewer.ts';
import type {SqlValue} from '../engines/engine.ts';
import type {PreparedCommit} from '../warehouse/warehouse.ts';

/** A value: the text of a leaf as the engine reads it; lists; members of a struct by the names engines know. A map is a list of `{key, value}`. */
export type GivenValue = string | null | readonly GivenValue[] | {readonly [member: string]: GivenValue};

/** By column. */
export type GivenRow = Readonly<Record<string, GivenValue>>;

/** Rows of a dataset for which a condition holds: a SELECT of their `_row_id`. */
export interface RowCondition {
  readonly sql: string;
  readonly params: readonly SqlValue[];
  /** The relations it reads: newest snapshots, by name. */
  readonly datasets: readonly string[];
}

/** By keys of the contract (values of all its columns), by `_row_id`, or by a condition. */
export type RowSelection = {readonly keys: readonly GivenRow[]} | {readonly rowIds: readonly string[]} | {readonly where: RowCondition};

/** What becomes of a row whose key is there already: these columns are taken from it (none: it is ignored), where the row that is there fulfils the condition. */
export interface OnConflict {
  readonly update: readonly string[];
  readonly where?: RowCondition;
}

export type RowWrite =
  /** Columns that a row does not have are null. Without `onConflict` a key that is there already is a bad row. */
  | {readonly kind: 'insert'; readonly rows: readonly GivenRow[]; readonly onConflict?: OnConflict}
  /** `increase`: what is added to numbers. */
  | {readonly kind: 'update'; readonly rows: RowSelection; readonly set: GivenRow; readonly increase: GivenRow}
  | {readonly kind: 'delete'; readonly rows: RowSelection};

export interface WriteRequest {
  readonly dataset: string;
  readonly write: RowWrite;
  /** The rows are to be answered: refuses to change more. */
  readonly mostReturned?: number;
  /** A request that is sent again with its key is answered as the first time. `content` tells it from another request. */
  readonly idempotency?: {readonly key: string; readonly content: string};
  /** Gives the request up while it still waits. */
  readonly signal?: AbortSignal;
}

/** A row that the contract kept aside. */
export interface AsideRow {
  /** Its place among the rows given or chosen, from 0. */
  readonly index: number;
  readonly reasons: readonly string[];
}

/** What became of the rows of a request: those read are those written, superseded, deleted, quarantined and dropped. */
export interface WriteOutcome {
  /** Inserted, updated or deleted. */
  readonly affected: number;
  /** Their `_row_id`s, in the order in which they were given or, where a condition chose them, of the dataset. */
  readonly rowIds: readonly number[];
  readonly quarantined: readonly AsideRow[];
  readonly dropped: number;
  /** Rows that lost to one of the same key, by `onConflict`. */
  readonly superseded: number;
}

export interface WriteAnswer extends WriteOutcome {
  /** The newest snapshot with the rows as the request left them. */
  readonly snapshotId: string;
  /** The one before: deleted rows are there. */
  readonly parentId: string;
}

/** What clients write by. */
export interface Writes {
  /**
   * Resolves when the rows are committed and on the disk.
   * @throws DATASET_NOT_FOUND, DATASET_NOT_WRITABLE, ARGUMENT_INVALID (a value that is none of its column), WRITE_TOO_LARGE, CHECK_FAILED, CHECK_BROKEN,
   *   KEY_VIOLATED, FOREIGN_KEY_VIOLATED, IDEMPOTENCY_CONFLICT, COMMIT_CONFLICT (after many tries)
   */
  write(viewer: Viewer, request: WriteRequest): Promise<WriteAnswer>;
}

/** Requests that are written together, and the dataset's head they are worked out on. */
export interface WriteBatch {
  readonly dataset: string;
  readonly branch: string;
  readonly requests: readonly {readonly write: RowWrite; readonly mostRows: number}[];
  /** Who wrote, for the snapshot's lineage. */
  readonly by: readonly string[];
}

export type WriteDecision =
  | {readonly kind: 'accepted'; readonly outcome: WriteOutcome}
  | {readonly kind: 'refused'; readonly error: MillraceError}
  /** It touches rows that one before it touches: it is for the next batch. */
  | {readonly kind: 'deferred'};

export interface PreparedBatch {
  /** One for each request. */
  readonly decisions: readonly WriteDecision[];
  /** The head it was worked out on. */
  readonly parentId: string;
  /** Null where no row of the dataset changes. */
  readonly commit: PreparedCommit | null;
  /** Of the quarantine. */
  readonly aside: PreparedCommit | null;
}

/** A request that was answered, as the catalog remembers it. */
export interface WriteRecord {
  readonly requestedBy: string;
  readonly key: string;
  /** SHA-256 of what was asked. */
  readonly content: string;
  readonly answer: WriteAnswer;
}

export interface WriteStore {
  /** Those of these keys that are remembered. */
  answered(keys: readonly {readonly requestedBy: string; readonly key: string}[]): Promise<WriteRecord[]>;
  /** @throws the database's unique violation where a key is there already */
  remember(records: readonly WriteRecord[]): Promise<void>;
  /** Forgets those answered so many hours ago; answers how many. */
  forget(hours: number): Promise<number>;
}
