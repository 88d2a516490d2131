/**
 * catalog: what Millrace knows, durably.
 *
 * One PostgreSQL dialect: PGlite embedded, a server past one process. Stores reach the database only through the argument of
 * `transaction` (or of `read`, for statements that need none): nothing slow and no engine call happens inside.
 */
import type {ErasureStore, ExpiryStore} from '../maintenance/maintenance.ts';
import type {ModelStore} from '../models/models.ts';
import type {BackfillStore} from '../pipelines/backfill.ts';
import type {RunStore} from '../pipelines/pipeline.ts';
import type {ProposalStore} from '../proposals/proposals.ts';
import type {ScheduleStore} from '../schedules/schedule.ts';
import type {RelationshipStore} from '../warehouse/relationship.ts';
import type {DatasetStore} from '../warehouse/warehouse.ts';
import type {WebhookStore} from '../webhooks/webhook.ts';
import type {WriteStore} from '../writes/writes.ts';

export interface UploadRecord {
  readonly id: string;
  readonly name: string;
  /** Absolute. */
  readonly path: string;
  readonly bytes: bigint;
  readonly sha256: string;
}

export interface UploadStore {
  add(upload: UploadRecord): Promise<void>;
  byId(id: string): Promise<UploadRecord | null>;
  /** Paths of all. */
  paths(): Promise<Set<string>>;
  /** Forgets those that came in so many days ago; answers them. */
  expire(days: number): Promise<UploadRecord[]>;
  /** How many that would be, and their bytes. */
  old(days: number): Promise<{count: number; bytes: bigint}>;
}

/** Work for workers, sent in the same transaction as what it is about. A job only wakes: the run's rows are the truth. */
export interface Jobs {
  wake(runId: string): Promise<void>;
}

/** What others keep copies of: whoever changes it says so, and they compare the number or wait to be woken. */
export interface Changes {
  /** `graph`: datasets' schemas and contracts, relationships, aliases, deployments; `data`: heads of datasets. */
  count(of: 'graph' | 'data'): Promise<bigint>;
  /** Raises the number, and wakes listeners of the channel in every process when the transaction commits: a hint that may be lost. */
  tell(of: 'graph' | 'data', payload: string): Promise<void>;
}

export interface Stores {
  readonly datasets: DatasetStore;
  readonly runs: RunStore;
  readonly schedules: ScheduleStore;
  readonly webhooks: WebhookStore;
  readonly backfills: BackfillStore;
  readonly models: ModelStore;
  readonly uploads: UploadStore;
  readonly expiry: ExpiryStore;
  readonly proposals: ProposalStore;
  readonly erasures: ErasureStore;
  readonly writes: WriteStore;
  readonly relationships: RelationshipStore;
  readonly jobs: Jobs;
  readonly changes: Changes;
}

/**
 * `run`: a run has new events (payload: its id); `work`: a step may be there to be claimed (its run's id); `graph`: the graph's version
 * rose; `data`: a dataset has a new snapshot (its name); `webhook`: there is something to send.
 */
export type Channel = 'run' | 'work' | 'graph' | 'data' | 'webhook';

/** Rows of one table, each as the text of a JSON object. */
export interface TableRows {
  readonly table: string;
  readonly rows: readonly string[];
}

export interface CatalogDump {
  readonly tables: readonly string[];
  /** Names of the migrations that made them. */
  readonly migrations: readonly string[];
}

export interface Catalog {
  /** One unit of work: all or nothing. Retried once when the database reports a serialization failure or deadlock. @throws CATALOG_UNAVAILABLE */
  transaction<T>(work: (stores: Stores) => Promise<T>): Promise<T>;
  /** Single statements, each by itself. */
  read<T>(work: (stores: Stores) => Promise<T>): Promise<T>;
  /** Calls back for each notification; answers how to stop. Listeners poll as a backstop: a wake may be lost. */
  listen(channel: Channel, listener: (payload: string) => void): () => void;
  /** Runs `wake` when a job asks for workers, in this process too. */
  work(wake: () => void): Promise<() => Promise<void>>;
  /** Gives every row as of one moment, table by table. An embedded database serves nobody else meanwhile: take them quickly. */
  dump(take: (rows: TableRows) => Promise<void>): Promise<CatalogDump>;
  isEmpty(): Promise<boolean>;
  /** Fills an empty catalog with dumped rows, all or nothing; steps that were running wait to be taken over. @throws TARGET_NOT_EMPTY, BACKUP_INVALID */
  load(rows: AsyncIterable<TableRows>): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}
