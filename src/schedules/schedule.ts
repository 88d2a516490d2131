/**
 * schedules: when pipelines are run by themselves.
 *
 * A definition may name times (`schedule`) and datasets (`when`); either starts runs. The catalog decides: one transaction makes the
 * run, and notes the time or the snapshots it was made for, so that each starts one run however many servers look, and whenever
 * they are killed. Times are those of the database's clock.
 */
import type {Viewer} from '../core/viewer.ts';
import type {StoredError} from '../pipelines/pipeline.ts';

/** Of times that passed while no server ran: none is made up for; the last of them is; each is, the oldest first. */
export type CatchUp = 'none' | 'last' | 'all';

export interface CronRule {
  /** Minute, hour, day of the month, month, day of the week: `15 6 * * 1-5`. */
  readonly cron: string;
  /** IANA's name of it; default: UTC. */
  readonly timeZone?: string;
  /** Default: `last`. */
  readonly catchUp?: CatchUp;
}

export interface DatasetRule {
  readonly datasets: readonly string[];
  /** all (the default): each of them has a new snapshot; any: one of them has. */
  readonly mode?: 'any' | 'all';
}

/** What a pipeline's definition says of its runs. */
export interface ScheduleRule {
  readonly schedule?: CronRule;
  readonly when?: DatasetRule;
}

/** Sequence of a dataset's snapshot, by name; 0 where there is none yet. */
export type Sequences = Readonly<Record<string, number>>;

export interface ScheduleRecord {
  readonly pipelineId: string;
  readonly pipeline: string;
  /** The pipeline's current definition. */
  readonly definitionId: string;
  readonly rule: ScheduleRule;
  /** The next time that nothing was decided about; null: it follows no clock. */
  readonly nextAt: Date | null;
  /** The time that its last run was made for. */
  readonly lastAt: Date | null;
  readonly lastRunId: string | null;
  /** The snapshots its last run was made for; of datasets it was not made for yet, those there were when the rule came. */
  readonly seen: Sequences;
  /** The newest snapshots. */
  readonly newest: Sequences;
  /** Datasets that have snapshots since `seen` whose rows differ from those before. */
  readonly fresh: readonly string[];
  readonly paused: boolean;
  /** Times that passed without a run. */
  readonly skipped: number;
  /** Why the last time made no run. */
  readonly error: StoredError | null;
}

export interface ScheduleStore {
  /** The database's clock. */
  now(): Promise<Date>;
  list(): Promise<ScheduleRecord[]>;
  ofPipelines(names: readonly string[]): Promise<ScheduleRecord[]>;
  /** The schedule, held until the unit of work ends, as is its pipeline; null when there is none. */
  lock(pipelineId: string): Promise<ScheduleRecord | null>;
  put(pipelineId: string, state: {readonly rule: ScheduleRule; readonly nextAt: Date | null; readonly seen: Sequences}): Promise<void>;
  remove(pipelineId: string): Promise<void>;
  note(pipelineId: string, fields: Partial<Pick<ScheduleRecord, 'nextAt' | 'lastAt' | 'lastRunId' | 'seen' | 'paused' | 'skipped' | 'error'>>): Promise<void>;
  /** Sequences of the newest snapshots of datasets. */
  sequences(datasets: readonly string[]): Promise<Sequences>;
  /** Holds back others that change what pipelines start each other, until the unit of work ends. */
  lockTriggers(): Promise<void>;
}

/** A schedule, and what it waits for in words: `a new snapshot of airports`. Null: for its next time. */
export type ScheduleView = ScheduleRecord & {readonly waitingFor: string | null};

/** What the APIs and the command line call. */
export interface Schedules {
  /** By pipeline; those that have none are left out. */
  ofPipelines(viewer: Viewer, names: readonly string[]): Promise<Map<string, ScheduleView>>;
  /** No run is made until it is resumed. @throws SCHEDULE_NOT_FOUND */
  pause(viewer: Viewer, pipeline: string): Promise<ScheduleView>;
  /** Times that passed meanwhile are not made up for; new snapshots are. @throws SCHEDULE_NOT_FOUND */
  resume(viewer: Viewer, pipeline: string): Promise<ScheduleView>;
}

/** The parameter that tells a run the time it was made for, where a pipeline declares it. */
export const scheduledParam = 'scheduledFor';
