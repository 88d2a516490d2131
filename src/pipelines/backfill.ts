/** Backfills: one run of a pipeline for each partition of a range, as many at once as the pipeline allows, each until it has succeeded once. */
import type {Stores} from '../catalog/catalog.ts';
import type {Viewer} from '../core/viewer.ts';
import type {ParamValue, RunStatus, RunStore} from './pipeline.ts';

export type BackfillGrain = 'day' | 'month';

/** cancelled: asked for, or by itself when nobody waits any more; failed: some of its runs did, and none is left. */
export type BackfillStatus = 'running' | 'succeeded' | 'failed' | 'cancelled';

export interface BackfillRecord {
  readonly id: string;
  readonly pipeline: string;
  readonly definitionId: string;
  /** Runs at once. */
  readonly concurrency: number;
  /** The parameter (a date) that says which partition a run is for. */
  readonly param: string;
  readonly grain: BackfillGrain;
  /** The first days of its first and last partition, as `2001-06-01`. */
  readonly first: string;
  readonly last: string;
  /** The other parameters of all its runs. */
  readonly params: Readonly<Record<string, ParamValue>>;
  readonly steps: Parameters<RunStore['createRun']>[0]['steps'];
  readonly requestedBy: string;
  readonly cancelledAt: Date | null;
  readonly createdAt: Date;
}

export interface BackfillPartition {
  /** Its first day. */
  readonly partition: string;
  /** Null until its run is made. */
  readonly runId: string | null;
  readonly runStatus: RunStatus | null;
}

export interface BackfillView {
  readonly backfill: BackfillRecord;
  readonly partitions: readonly BackfillPartition[];
}

/** Backfills in the catalog. */
export interface BackfillStore {
  /** Holds the pipeline's row, so that of two that ask at once the second finds what the first made. */
  lockPipeline(definitionId: string): Promise<void>;
  create(backfill: Omit<BackfillRecord, 'pipeline' | 'concurrency' | 'cancelledAt' | 'createdAt'>, partitions: readonly {readonly partition: string; readonly runId: string | null}[]): Promise<void>;
  /** Newest first. */
  list(filter: {readonly pipeline?: string; readonly definitionId?: string; readonly limit: number}): Promise<BackfillRecord[]>;
  byId(id: string): Promise<BackfillRecord | null>;
  /** In order; an entry for every id asked for. */
  partitionsOf(ids: readonly string[]): Promise<Map<string, BackfillPartition[]>>;
  /** Runs of a definition with these parameters, by partition: the newest that succeeded, else one that has not ended. */
  runsOf(definitionId: string, param: string, params: BackfillRecord['params'], partitions: readonly string[]): Promise<Map<string, string>>;
  /** The backfills that wait for a run, their rows held; without those that were cancelled. */
  lockByRun(runId: string): Promise<BackfillRecord[]>;
  /** Runs that have not ended, and the first partitions that have none. */
  state(id: string, limit: number): Promise<{readonly active: number; readonly waiting: readonly string[]}>;
  assign(id: string, partition: string, runId: string): Promise<void>;
  cancel(id: string): Promise<void>;
}

export interface StartBackfill {
  readonly pipeline: string;
  /** Days, as `2001-06-30`; both partitions are part of it. */
  readonly from: string;
  readonly to: string;
  /** Default: that of the steps' `partitionBy`. */
  readonly grain?: BackfillGrain;
  /** Default: that of the steps' `partitionBy`, else `partition`. */
  readonly param?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  /** True: partitions that succeeded are run once more. */
  readonly again?: boolean;
}

/** What the APIs and the command line call. */
export interface Backfills {
  /**
   * Partitions that succeeded with the same definition and parameters are not run again. The same range again, while it runs, is the
   * one that runs. @throws PIPELINE_NOT_FOUND, PARAMS_INVALID, ARGUMENT_INVALID
   */
  start(viewer: Viewer, input: StartBackfill): Promise<{backfill: BackfillRecord; deduplicated: boolean}>;
  /** @throws BACKFILL_NOT_FOUND */
  get(viewer: Viewer, id: string): Promise<BackfillRecord>;
  list(viewer: Viewer, filter: {readonly pipeline?: string; readonly limit: number}): Promise<BackfillRecord[]>;
  partitionsOf(viewer: Viewer, ids: readonly string[]): Promise<Map<string, BackfillPartition[]>>;
  /** Makes no more runs, and cancels those that have not ended. @throws BACKFILL_NOT_FOUND */
  cancel(viewer: Viewer, id: string): Promise<BackfillRecord>;
}

const ended: readonly (RunStatus | null)[] = ['succeeded', 'failed', 'cancelled'];

export function backfillStatus({cancelledAt}: BackfillRecord, partitions: readonly BackfillPartition[]): BackfillStatus {
  if (partitions.every(one => one.runStatus === 'succeeded')) return 'succeeded';
  if (cancelledAt !== null) return 'cancelled';
  return partitions.every(one => ended.includes(one.runStatus)) ? 'failed' : 'running';
}

/** Makes the runs that may run now, in the unit of work that ended one or made the backfill; answers their ids. */
export async function startPartitions(stores: Stores, backfill: BackfillRecord): Promise<string[]> {
  const {active, waiting} = await stores.backfills.state(backfill.id, backfill.concurrency);
  const made: string[] = [];
  for (const partition of waiting.slice(0, Math.max(0, backfill.concurrency - active))) {
    const {definitionId, requestedBy, params, param, steps} = backfill;
    const run = await stores.runs.createRun({definitionId, requestedBy, params: {...params, [param]: partition}, steps, branch: 'main'});
    await stores.backfills.assign(backfill.id, partition, run.id);
    made.push(run.id);
  }
  return made;
}
