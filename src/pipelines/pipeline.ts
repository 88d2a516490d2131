/**
 * pipelines: what turns raw data into datasets.
 *
 * A pipeline is a DAG of steps, pure data (JSON), made by the builder of a jobs file or by a mutation. Each step writes at most one
 * dataset; its inputs are snapshots. A run is one execution: durable, leased step by step to workers, its events numbered.
 */
import type {Stores} from '../catalog/catalog.ts';
import type {Viewer} from '../core/viewer.ts';
import type {Certainty, EngineName, RawOptions} from '../engines/engine.ts';
import type {EngineProgress, RemoteName} from '../engines/remote-engine.ts';
import type {CronRule, DatasetRule} from '../schedules/schedule.ts';
import type {Contract} from '../schemas/contract.ts';
import type {Renames} from '../schemas/evolve.ts';
import type {SourceSpec} from '../sources/source.ts';
import type {MergeBy, PartitionBy, WriteMode} from '../warehouse/warehouse.ts';

export type ParamType = 'string' | 'int' | 'float' | 'bool' | 'date';
export type ParamValue = string | number | boolean;

export interface ParamSpec {
  readonly type: ParamType;
  readonly default?: ParamValue;
  readonly description?: string;
}

/** Which engine runs SQL; `auto`: by the bytes that it reads. */
export type EngineChoice = EngineName | 'auto';

/** Settings every step may carry. */
export interface StepCommon {
  readonly name: string;
  /** Steps to wait for beyond those whose outputs it reads. */
  readonly after?: readonly string[];
  /** Tries in all, the first included; default 1. Waits 1 s, 2 s, 4 s … (60 s at most) between them. */
  readonly attempts?: number;
  /** Default: the setting `pipelines.stepTimeoutSeconds`. */
  readonly timeoutSeconds?: number;
}

/** How a step's rows come into its dataset. `merge` and `delete` need the contract's key, `overwrite_partitions` needs `partitionBy`. */
export interface OutputSettings extends MergeBy {
  /** Default: `overwrite`. */
  readonly mode?: WriteMode;
  /** Old name → new name: columns that the step gives under another name now and that stay the same columns. For the mode `overwrite`; may stand there afterwards. */
  readonly renames?: Renames;
  /** `param`: the parameter (a date, or for the grain `value` a text) that says which partition a run is for: the only one that it replaces, and may write. */
  readonly partitionBy?: PartitionBy & {readonly param?: string};
}

/** Reads a source into a dataset. */
export interface IngestStep extends StepCommon, OutputSettings {
  readonly kind: 'ingest';
  readonly source: SourceSpec;
  readonly into: string;
  /** Reads only the files of the pattern that the dataset has not read, by name and content. Not with the mode `overwrite`. */
  readonly incremental?: boolean;
  /** For incremental: what becomes of a file that was read and has another content now. Default: `reread` with the mode `merge`, else `fail`. */
  readonly onChanged?: 'fail' | 'reread' | 'ignore';
  readonly options?: RawOptions;
  readonly contract?: Contract;
}

/** Runs one SELECT; the tables it names are datasets or outputs of earlier steps. `$name` is a parameter. */
export interface SqlStep extends StepCommon, OutputSettings {
  readonly kind: 'sql';
  readonly sql: string;
  /** Default: the pipeline's. */
  readonly engine?: EngineChoice;
  /** What an engine runs instead of a translation of `sql`, with the same columns as its result. */
  readonly variants?: Readonly<Partial<Record<RemoteName, string>>>;
  readonly into: string;
  readonly contract?: Contract;
}

/** Scores a dataset's rows with a model version; writes the columns kept and the version's outputs. */
export interface PredictStep extends StepCommon {
  readonly kind: 'predict';
  readonly input: string;
  readonly model: string;
  /** Default: the alias `champion`. */
  readonly alias?: string;
  readonly version?: number;
  /** Model inputs that are expressions of the input's columns. */
  readonly features?: Readonly<Record<string, string>>;
  /** Columns of the input to keep; default: all. */
  readonly keep?: readonly string[];
  readonly into: string;
  readonly contract?: Contract;
}

/** Gives rows of a dataset's quarantine to it again, mended or under another contract; what is refused again stays there. */
export interface ReplayStep extends StepCommon {
  readonly kind: 'replay';
  /** The dataset. */
  readonly into: string;
  /** An expression of the quarantine's columns that is true for the rows to give; default: all. */
  readonly where?: string;
  /** Column → expression of the quarantine's columns that is its value now. */
  readonly setSql?: Readonly<Record<string, string>>;
}

/** Writes a dataset to a file for people and programs outside, under the project's `published` folder. */
export interface PublishFileStep extends StepCommon {
  readonly kind: 'publish';
  readonly input: string;
  readonly format: 'csv' | 'parquet' | 'json' | 'ndjson' | 'arrow';
  /** Relative to the published folder. */
  readonly file: string;
}

/** Shows a dataset as a view of Hive, over a table for each snapshot that was published. */
export interface PublishTableStep extends StepCommon {
  readonly kind: 'publish';
  readonly input: string;
  readonly to: {readonly hive: HiveTarget};
}

export interface HiveTarget {
  /** The view, as `database.name`. */
  readonly table: string;
  /** How many snapshots stay readable by names of their own; default: all. The others are dropped from Hive. */
  readonly keep?: number;
}

export type PublishStep = PublishFileStep | PublishTableStep;

export type Step = IngestStep | SqlStep | PredictStep | ReplayStep | PublishStep;
export type StepKindName = Step['kind'];

export interface PipelineDefinition {
  readonly name: string;
  readonly description?: string;
  readonly params?: Readonly<Record<string, ParamSpec>>;
  /** Runs of this pipeline at once; default 1: others wait and say so. */
  readonly concurrency?: number;
  /** Of steps that do not say one. Default: the setting `pipelines.engine`. */
  readonly engine?: EngineChoice;
  /** Times at which it is run. */
  readonly schedule?: CronRule;
  /** Datasets whose new snapshots it is run for. With `schedule` as well, either of the two starts runs. */
  readonly when?: DatasetRule;
  readonly steps: readonly Step[];
}

/** queued → running → succeeded | failed | cancelled; waiting: something named in `waitingFor` must come first. */
export type RunStatus = 'queued' | 'waiting' | 'running' | 'succeeded' | 'failed' | 'cancelled';
export type StepStatus = 'pending' | 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled' | 'skipped';

export interface PipelineRecord {
  readonly id: string;
  readonly name: string;
  readonly definitionId: string;
  readonly definition: PipelineDefinition;
  readonly hash: string;
  /** The jobs file it came from, or `graph`. */
  readonly origin: string;
  readonly createdAt: Date;
}

export interface StoredError {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

export interface RunRecord {
  readonly id: string;
  readonly pipeline: string;
  readonly definitionId: string;
  readonly definition: PipelineDefinition;
  readonly branch: string;
  readonly params: Readonly<Record<string, ParamValue>>;
  /** For all its SQL steps; null: as these or the pipeline say. */
  readonly engine: EngineChoice | null;
  readonly status: RunStatus;
  readonly waitingFor: string | null;
  readonly requestedBy: string;
  readonly idempotencyKey: string | null;
  readonly retryOfId: string | null;
  readonly cancelRequested: boolean;
  readonly error: StoredError | null;
  readonly lastSeq: bigint;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
}

export interface StepRecord {
  readonly runId: string;
  readonly name: string;
  readonly position: number;
  readonly kind: StepKindName;
  readonly status: StepStatus;
  readonly attempt: number;
  readonly fence: number;
  readonly worker: string | null;
  readonly needs: readonly string[];
  /** Snapshots read, by dataset name. */
  readonly inputs: Readonly<Record<string, string>> | null;
  readonly fingerprint: string | null;
  readonly reused: boolean;
  /** Why it was executed or reused, in words. */
  readonly reason: string | null;
  /** What did its work: an engine, or `inference`; null before it began. */
  readonly engine: string | null;
  readonly outputId: string | null;
  readonly rowsRead: bigint;
  readonly rowsWritten: bigint;
  /** Lost to another row of the same key. */
  readonly rowsSuperseded: bigint;
  /** Told that a row is no more. */
  readonly rowsDeleted: bigint;
  readonly rowsQuarantined: bigint;
  readonly rowsDropped: bigint;
  readonly error: StoredError | null;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
}

/** A step that a worker has claimed: it may commit while the fence is its own. */
export interface ClaimedStep {
  readonly run: RunRecord;
  readonly step: Step;
  readonly fence: number;
  readonly attempt: number;
  /** Workers that fell silent while they had it. */
  readonly deaths: number;
}

/** Everything that can happen in a run. `data` of each kind is what GraphQL shows of it. */
export type RunEventData =
  | {readonly kind: 'run_started'}
  | {readonly kind: 'step_started'; readonly step: string; readonly attempt: number; readonly reason: string}
  | {readonly kind: 'step_progress'; readonly step: string; readonly fraction: number | null; readonly rowsDone: string; readonly rowsPerSecond: number; readonly tasks?: EngineProgress}
  | {readonly kind: 'log'; readonly step: string | null; readonly level: 'info' | 'warn' | 'error'; readonly message: string}
  | {readonly kind: 'snapshot_committed'; readonly step: string; readonly dataset: string; readonly snapshotId: string; readonly rowCount: string; readonly reused: boolean}
  | {readonly kind: 'file_published'; readonly step: string; readonly path: string; readonly rowCount: string; readonly bytes: string}
  | {readonly kind: 'step_retrying'; readonly step: string; readonly attempt: number; readonly error: StoredError; readonly waitSeconds: number}
  | {readonly kind: 'step_finished'; readonly step: string; readonly status: StepStatus; readonly error: StoredError | null}
  | {readonly kind: 'run_finished'; readonly status: RunStatus; readonly error: StoredError | null};

export interface RunEventRecord {
  readonly runId: string;
  readonly seq: bigint;
  readonly at: Date;
  readonly data: RunEventData;
}

/** What became of the rows a step read: rowsRead is the sum of the others wherever rows are taken one to one. */
export type RowCounts = Pick<StepRecord, 'rowsRead' | 'rowsWritten' | 'rowsSuperseded' | 'rowsDeleted' | 'rowsQuarantined' | 'rowsDropped'>;

/** Pipelines, runs and their events in the catalog. */
export interface RunStore {
  pipelines(): Promise<PipelineRecord[]>;
  pipeline(name: string): Promise<PipelineRecord | null>;
  /** Stores a definition and makes it current; the same hash again is no change. */
  putPipeline(definition: PipelineDefinition, hash: string, origin: string): Promise<PipelineRecord>;

  /** A run begins `waiting`, its steps `pending`; `admit` lets it go. */
  createRun(input: {
    definitionId: string; params: Readonly<Record<string, ParamValue>>; requestedBy: string; idempotencyKey?: string; retryOfId?: string; branch: string; engine?: EngineChoice;
    steps: readonly {name: string; position: number; kind: StepKindName; needs: readonly string[]}[];
  }): Promise<RunRecord>;
  runByIdempotencyKey(requestedBy: string, key: string): Promise<RunRecord | null>;
  run(id: string): Promise<RunRecord | null>;
  runsById(ids: readonly string[]): Promise<RunRecord[]>;
  runs(filter: {pipeline?: string; status?: RunStatus; limit: number; before?: Date}): Promise<RunRecord[]>;
  steps(runId: string): Promise<StepRecord[]>;
  stepsOf(runIds: readonly string[]): Promise<Map<string, StepRecord[]>>;
  /** The newest succeeded step with this fingerprint. */
  stepByFingerprint(fingerprint: string): Promise<StepRecord | null>;

  /** Appends events, numbered without gaps in commit order. Last statement before commit. */
  appendEvents(runId: string, events: readonly RunEventData[]): Promise<bigint>;
  events(runId: string, after: bigint, limit: number): Promise<RunEventRecord[]>;
  /** Deletes the events of runs that ended that many days ago; answers how many. */
  expireEvents(days: number): Promise<number>;
  /** How many those are. */
  oldEvents(days: number): Promise<number>;

  /** Claims one step that may run now (or whose lease ran out), with a new fence; null when there is none. */
  claim(worker: string, leaseSeconds: number): Promise<ClaimedStep | null>;
  /** Prolongs the lease. False when the fence is old (the step was taken over) ; `cancel` when the run is to stop. */
  heartbeat(runId: string, step: string, fence: number, leaseSeconds: number): Promise<{owned: boolean; cancel: boolean}>;
  /** Locks the step's row and proves the fence. @throws LEASE_LOST. To be called first in the transaction that ends a step. */
  prove(runId: string, step: string, fence: number): Promise<void>;
  note(runId: string, step: string, fields: {reason?: string; engine?: string; fingerprint?: string; reused?: boolean; inputs?: Readonly<Record<string, string>>; outputId?: string | null} & Partial<RowCounts>): Promise<void>;
  finishStep(runId: string, step: string, status: StepStatus, error: StoredError | null): Promise<void>;
  /** Puts a failed try back, not before some seconds from now. */
  retryStep(runId: string, step: string, error: StoredError, waitSeconds: number): Promise<void>;
  /** Lets another worker take a step that was not ended; the try does not count. */
  giveBack(runId: string, step: string): Promise<void>;
  /** Marks a queued run as running; false when it already was. */
  beginRun(runId: string): Promise<boolean>;
  /** Moves the run on after a step ended: queues what may run now, skips what cannot, ends the run. Answers the events that follow. */
  advance(runId: string): Promise<RunEventData[]>;
  /** Lets waiting runs of this run's pipeline go, as many as its concurrency allows, and notes for the others what they wait for. */
  admit(runId: string): Promise<string[]>;
  requestCancel(runId: string): Promise<void>;
  /** Seconds until the next lease runs out or a retry is due; null when nothing waits. */
  nextDue(): Promise<number | null>;
}

export interface StartRun {
  readonly pipeline: string;
  readonly params?: Readonly<Record<string, unknown>>;
  /** For all its SQL steps, whatever these and the pipeline say. */
  readonly engine?: EngineChoice;
  /** The same key again answers the run it started; with other arguments IDEMPOTENCY_CONFLICT. */
  readonly idempotencyKey?: string;
}

/** A pipeline whose definition was checked, ready to be started. */
export interface RunStarter {
  readonly pipeline: PipelineRecord;
  /** Those of each run. */
  readonly steps: Parameters<RunStore['createRun']>[0]['steps'];
  /** The same key again answers the run it started. @throws PARAMS_INVALID, IDEMPOTENCY_CONFLICT */
  start(stores: Stores, requestedBy: string, params: Readonly<Record<string, unknown>>, idempotencyKey: string): Promise<RunRecord>;
}

export interface PlannedStep {
  readonly name: string;
  readonly kind: StepKindName;
  readonly action: 'execute' | 'reuse';
  readonly reason: string;
  /** What does its work: an engine, or `inference`; and why. */
  readonly engine: string;
  readonly engineReason: string;
  /** Null where an earlier step of the same run must run first to know. */
  readonly rowsIn: bigint | null;
  readonly bytesIn: bigint | null;
  /** How the output's schema would change, in words: `+ delay_class utf8`, `delay: int32 → int64`; 'new dataset' for a first one. */
  readonly schemaChanges: readonly string[];
  /** What is worth knowing before: files that changed or vanished. */
  readonly notices: readonly string[];
  readonly into: string | null;
}

export type PlanWarningCode =
  | 'join_without_match' | 'filter_without_match' | 'join_multiplies' | 'column_all_null' | 'key_not_unique' | 'key_null'
  | 'model_input_unfit' | 'model_input_retyped' | 'model_input_out_of_range';

/** What a run would do that nobody can want, as statistics tell. */
export interface PlanWarning {
  readonly code: PlanWarningCode;
  /** proven: no data within the statistics could make it otherwise; likely: estimates say so. */
  readonly certainty: Certainty;
  readonly step: string;
  /** Of the step's output, or the model's input; null where it is about more. */
  readonly column: string | null;
  readonly detail: string;
}

export interface RunPlan {
  readonly pipeline: string;
  readonly params: Readonly<Record<string, ParamValue>>;
  readonly steps: readonly PlannedStep[];
  readonly warnings: readonly PlanWarning[];
  /** Names of models that read or are served over a dataset the run would change. */
  readonly affectedModels: readonly string[];
}

export interface VerifyStep {
  readonly pipeline: string;
  readonly step: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly engines: readonly [EngineName, EngineName];
  /** How much two floats may differ, relative to the larger of them and 1. Default: 1e-9. */
  readonly tolerance?: number;
}

export interface VerifiedEngine {
  readonly name: EngineName;
  /** Engine and version, as in fingerprints. */
  readonly version: string;
  readonly rowCount: bigint;
  readonly seconds: number;
}

/** The results of one step on two engines, compared as multisets of rows. */
export interface StepVerification {
  readonly step: string;
  /** Snapshots read, by dataset name. */
  readonly inputs: Readonly<Record<string, string>>;
  readonly engines: readonly [VerifiedEngine, VerifiedEngine];
  readonly tolerance: number;
  readonly equal: boolean;
  /** Rows of either engine without an equal one of the other; of two that differ in floats only, one is counted. */
  readonly differing: bigint;
  /** Some of these, as JSON; null on the side that has no such row. */
  readonly examples: readonly {readonly left: string | null; readonly right: string | null}[];
}

/** Datasets that are shown in a warehouse of others. */
export interface Publications {
  /** Drops the view and the tables that publishing made there; answers their names. @throws PUBLICATION_NOT_FOUND, ENGINE_UNAVAILABLE */
  unpublish(viewer: Viewer, table: string): Promise<readonly string[]>;
}

/** What the APIs and the command line call. */
export interface Pipelines {
  list(viewer: Viewer): Promise<PipelineRecord[]>;
  get(viewer: Viewer, name: string): Promise<PipelineRecord>;
  /** Validates and stores a definition. @throws PIPELINE_INVALID, PIPELINE_CYCLE, SQL_*, NAME_* */
  put(viewer: Viewer, definition: unknown, origin: string): Promise<PipelineRecord>;
  /** @throws PIPELINE_NOT_FOUND, PARAMS_INVALID, IDEMPOTENCY_CONFLICT */
  start(viewer: Viewer, input: StartRun): Promise<{run: RunRecord; deduplicated: boolean}>;
  /** Checks a definition and what its SQL reads; what it answers makes a run of it in somebody's unit of work. @throws PIPELINE_NOT_FOUND, SQL_* */
  starter(pipeline: string): Promise<RunStarter>;
  plan(viewer: Viewer, input: StartRun): Promise<RunPlan>;
  /** Runs an SQL step on two engines over the same snapshots and compares the results; commits nothing. @throws PIPELINE_NOT_FOUND, ARGUMENT_INVALID, SQL_*, ENGINE_* */
  verify(viewer: Viewer, input: VerifyStep): Promise<StepVerification>;
  /** Ends a run: what runs is interrupted, what waits is skipped. @throws RUN_NOT_FOUND, RUN_FINISHED */
  cancel(viewer: Viewer, id: string): Promise<RunRecord>;
  /** A new run of the same definition and parameters that reuses the steps that succeeded. @throws RUN_NOT_FOUND, NOTHING_TO_RETRY */
  retry(viewer: Viewer, id: string): Promise<RunRecord>;
  /**
   * Ingests one source into a dataset: a run of a pipeline of one step, made for it.
   * @param amends what else its contract says; without a contract of its own, that of the dataset with these changes
   */
  ingest(viewer: Viewer, step: Omit<IngestStep, 'kind' | 'name'>, amends?: Contract, idempotencyKey?: string): Promise<RunRecord>;
  /** Gives rows of a quarantine to their dataset again: a run of a pipeline of one step. @throws DATASET_NOT_FOUND, QUARANTINE_EMPTY */
  replay(viewer: Viewer, step: Omit<ReplayStep, 'kind' | 'name'>, idempotencyKey?: string): Promise<RunRecord>;
  run(viewer: Viewer, id: string): Promise<RunRecord>;
  runs(viewer: Viewer, filter: {pipeline?: string; status?: RunStatus; limit: number; before?: Date}): Promise<RunRecord[]>;
  /** By id, of several at once; ids that are none are left out. */
  runsById(viewer: Viewer, ids: readonly string[]): Promise<Map<string, RunRecord>>;
  /** Steps of several runs by one statement. */
  stepsOf(viewer: Viewer, runIds: readonly string[]): Promise<Map<string, StepRecord[]>>;
  /** Each event after a number, once, in order, until the run has ended. @throws RUN_NOT_FOUND, EVENTS_EXPIRED */
  events(viewer: Viewer, runId: string, after: bigint, signal: AbortSignal): AsyncIterable<RunEventRecord>;
}
