import {createHash} from 'node:crypto';
import type {Catalog, Stores} from '../catalog/catalog.ts';
import {Wake} from '../core/async.ts';
import {boundary} from '../core/boundaries.ts';
import {asMillraceError} from '../core/errors.ts';
import type {Logger} from '../core/logging.ts';
import type {Pipelines, RunRecord, RunStarter} from '../pipelines/pipeline.ts';
import {zoneOffset} from './cron.ts';
import {isTriggered, missed} from './due.ts';
import {scheduledParam} from './schedule.ts';
import type {ScheduleRecord, Sequences} from './schedule.ts';

/** Milliseconds after which schedules are looked at without a reason: a wake-up may be lost, another process may have changed them. */
const backstop = 5_000;

/** Milliseconds between two looks, however much there is to do. */
const shortest = 100;

/** Characters of the snapshots in a run's idempotency key; more of them stand there as their hash. */
const longestKey = 900;

/** Who asks for the runs. */
const requestedBy = 'schedule';

/** Codes that say nothing about the schedule: the next look tries again. */
const passing: readonly string[] = ['CATALOG_UNAVAILABLE', 'INTERNAL'];

export interface SchedulerOptions {
  readonly catalog: Catalog;
  readonly pipelines: Pick<Pipelines, 'starter'>;
  readonly logger: Logger;
  /** Default: the database's. */
  readonly clock?: (stores: Stores) => Promise<Date>;
}

/**
 * Starts the runs that schedules ask for. Any number of processes may do so: who holds a schedule's row decides, and the next one
 * finds it decided.
 */
export class Scheduler {
  private readonly wake = new Wake();
  private stopped = false;
  private loop: Promise<void> | undefined;
  private quiet: (() => void) | undefined;

  constructor(private readonly options: SchedulerOptions) {}

  start(): void {
    this.quiet = this.options.catalog.listen('data', () => this.wake.signal());
    this.loop = this.lookForever();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.quiet?.();
    this.wake.signal();
    await this.loop;
  }

  private async lookForever(): Promise<void> {
    while (!this.stopped) {
      const pause = await this.look().catch(error => {
        this.options.logger.warn({err: error}, 'cannot look at schedules; trying again');
        return backstop;
      });
      await this.wake.wait(Math.min(backstop, Math.max(shortest, pause)));
    }
  }

  /** Starts what is due; answers the milliseconds after which there is more to do. */
  async look(): Promise<number> {
    const {catalog} = this.options;
    const {now, schedules} = await catalog.read(async stores => ({now: await this.now(stores), schedules: (await stores.schedules.list()).filter(({paused}) => !paused)}));
    let decided = 0;
    for (const schedule of schedules) if (!this.stopped && isDue(schedule, now) && (await this.begin(schedule))) decided++;
    // Of what was due, there may be more than is decided at once; what failed has time.
    return decided > 0 ? 0 : Math.min(Infinity, ...schedules.flatMap(({nextAt}) => (nextAt && nextAt > now ? [nextAt.getTime() - now.getTime()] : [])));
  }

  private now(stores: Stores): Promise<Date> {
    return this.options.clock?.(stores) ?? stores.schedules.now();
  }

  /** False: it could not be decided, and is looked at again. */
  private async begin(seen: ScheduleRecord): Promise<boolean> {
    const {catalog, pipelines, logger} = this.options;
    try {
      const starter = await pipelines.starter(seen.pipeline);
      const runs = await catalog.transaction(async stores => {
        const schedule = await stores.schedules.lock(seen.pipelineId);
        // Whoever came first decided; a definition that came meanwhile is looked at next.
        if (!schedule || schedule.paused || schedule.definitionId !== starter.pipeline.definitionId) return [];
        return this.decide(stores, schedule, starter);
      });
      boundary('schedule decided');
      for (const run of runs) logger.info({pipeline: seen.pipeline, runId: run.id}, 'a schedule started a run');
      return true;
    } catch (error) {
      const {code, message, hint} = asMillraceError(error);
      logger.error({err: error, pipeline: seen.pipeline}, 'a schedule could not start its run');
      if (passing.includes(code)) return false;
      await this.letGo(seen, {code, message, hint});
      return true;
    }
  }

  /** Makes the runs of the times that have come and of the snapshots that are new, and notes what they were made for. */
  private async decide(stores: Stores, schedule: ScheduleRecord, starter: RunStarter): Promise<RunRecord[]> {
    const now = await this.now(stores);
    const {pipelineId, pipeline, rule, newest, seen, lastRunId} = schedule;
    const runs: RunRecord[] = [];
    const start = async (at: Date, key: string): Promise<void> => void runs.push(await starter.start(stores, requestedBy, paramsFor(starter, schedule, at), key));
    // A run that waits for earlier ones has read nothing yet: what is new by now is what it will read, so no second one queues behind it.
    const isWaiting = lastRunId !== null && (await stores.runs.run(lastRunId))?.status === 'waiting';
    const {starts, skipped, nextAt} = missed(schedule, now);
    const wanted = isWaiting && rule.schedule?.catchUp !== 'all' ? [] : starts;
    for (const at of wanted) await start(at, `${pipeline} at ${at.toISOString()}`);
    const triggered = isTriggered(schedule);
    if (triggered && !isWaiting) await start(now, keyOf(pipeline, {...seen, ...newest}));
    const passed = skipped + starts.length - wanted.length;
    await stores.schedules.note(pipelineId, {
      nextAt, skipped: schedule.skipped + passed,
      ...(triggered ? {seen: {...seen, ...newest}} : {}),
      ...(runs.length > 0 ? {lastAt: triggered && !isWaiting ? now : wanted.at(-1)!, lastRunId: runs.at(-1)!.id, error: null} : {}),
    });
    if (passed > 0) this.options.logger.warn({pipeline, skipped: passed, catchUp: rule.schedule?.catchUp ?? 'last'}, 'scheduled times passed without a run');
    return runs;
  }

  /** Notes that a time, or snapshots, made no run, and why; the next ones are tried again. */
  private async letGo({pipelineId}: ScheduleRecord, error: NonNullable<ScheduleRecord['error']>): Promise<void> {
    await this.options.catalog.transaction(async stores => {
      const schedule = await stores.schedules.lock(pipelineId);
      if (!schedule) return;
      const now = await this.now(stores);
      const {starts, skipped, nextAt} = missed(schedule, now);
      await stores.schedules.note(pipelineId, {nextAt, skipped: schedule.skipped + skipped + starts.length, error, ...(isTriggered(schedule) ? {seen: {...schedule.seen, ...schedule.newest}} : {})});
    });
  }
}

/** Tells each set of snapshots from every other, however many datasets there are. */
function keyOf(pipeline: string, sequences: Sequences): string {
  const text = Object.entries(sequences).sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, sequence]) => `${name}@${sequence}`).join(' ');
  return `${pipeline} on ${text.length <= longestKey ? text : createHash('sha256').update(text).digest('hex')}`;
}

const isDue = (schedule: ScheduleRecord, now: Date): boolean => (schedule.nextAt !== null && schedule.nextAt <= now) || isTriggered(schedule);

/** The time a run is made for, where its pipeline asks for it: in UTC, or the day in the schedule's time zone. */
function paramsFor({pipeline: {definition}}: RunStarter, {rule}: ScheduleRecord, at: Date): Record<string, string> {
  switch (definition.params?.[scheduledParam]?.type) {
    case undefined:
      return {};
    case 'date':
      return {[scheduledParam]: new Date(at.getTime() + zoneOffset(rule.schedule?.timeZone ?? 'UTC')(at.getTime())).toISOString().slice(0, 10)};
    default:
      return {[scheduledParam]: at.toISOString()};
  }
}
