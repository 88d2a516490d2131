import type {Stores} from '../catalog/catalog.ts';
import {MillraceError} from '../core/errors.ts';
import type {PipelineDefinition, PipelineRecord} from '../pipelines/pipeline.ts';
import {quarantineOf} from '../schemas/contract.ts';
import {cronTimes} from './cron.ts';
import type {CronTimes} from './cron.ts';
import {scheduledParam} from './schedule.ts';
import type {CronRule, ScheduleRule} from './schedule.ts';

/** The times of a rule. @throws an Error */
export const timesOf = ({cron, timeZone = 'UTC'}: CronRule): CronTimes => cronTimes(cron, timeZone);

/**
 * Keeps what a definition that was just stored says of its runs, in the same unit of work. Times count from now on, and so do
 * snapshots of datasets that the last rule did not name.
 * @throws SCHEDULE_INVALID, TRIGGER_CYCLE
 */
export async function keepSchedule(stores: Stores, {id, definition}: PipelineRecord): Promise<void> {
  const {schedule, when} = definition;
  const rule: ScheduleRule = {...(schedule && {schedule}), ...(when && {when})};
  if (!schedule && !when) return stores.schedules.remove(id);
  const known = await stores.schedules.lock(id);
  // Also under the same rule: parameters and what is written may be others.
  checkParams(definition);
  if (when) {
    await stores.schedules.lockTriggers();
    const others = (await stores.runs.pipelines()).map(pipeline => pipeline.definition).filter(({name}) => name !== definition.name);
    refuseCycles(definition, others);
  }
  if (known && sameRule(known.rule, rule)) return;
  const nextAt = schedule ? firstTime(definition.name, schedule, await stores.schedules.now()) : null;
  const datasets = when?.datasets ?? [];
  const newest = await stores.schedules.sequences(datasets);
  await stores.schedules.put(id, {rule, nextAt, seen: Object.fromEntries(datasets.map(name => [name, known?.seen[name] ?? newest[name] ?? 0]))});
}

/** JSONB keeps no order of keys. */
function sameRule(a: ScheduleRule, b: ScheduleRule): boolean {
  const text = ({schedule, when}: ScheduleRule): string => JSON.stringify([schedule?.cron, schedule?.timeZone, schedule?.catchUp, when?.datasets, when?.mode]);
  return text(a) === text(b);
}

function firstTime(pipeline: string, rule: CronRule, now: Date): Date {
  try {
    return timesOf(rule).next(now);
  } catch (error) {
    throw new MillraceError('SCHEDULE_INVALID', {pipeline, reason: (error as Error).message});
  }
}

/** Nobody is there to give parameters to a run that a schedule starts. */
function checkParams({name: pipeline, params = {}}: PipelineDefinition): void {
  const refuse = (reason: string): never => {
    throw new MillraceError('SCHEDULE_INVALID', {pipeline, reason});
  };
  const missing = Object.entries(params).filter(([name, {default: initial}]) => initial === undefined && name !== scheduledParam).map(([name]) => `'${name}'`);
  if (missing.length > 0) refuse(`its parameters ${missing.join(', ')} have no default`);
  const type = params[scheduledParam]?.type ?? 'string';
  if (type !== 'string' && type !== 'date') refuse(`the parameter '${scheduledParam}' is of type ${type}, and must be string (a time in UTC) or date (a day in the schedule's time zone)`);
}

/** @throws TRIGGER_CYCLE when a pipeline is started by what it writes, itself or by way of others it starts */
function refuseCycles(definition: PipelineDefinition, others: readonly PipelineDefinition[]): void {
  const started = Map.groupBy(others.flatMap(pipeline => (pipeline.when?.datasets ?? []).map(dataset => ({dataset, pipeline}))), ({dataset}) => dataset);
  const seen = new Set<string>();
  const follow = (at: PipelineDefinition, path: readonly string[]): void => {
    seen.add(at.name);
    for (const dataset of at.steps.flatMap(step => ('into' in step ? [step.into, quarantineOf(step.into)] : []))) {
      const way = [...path, at.name, dataset];
      if (definition.when!.datasets.includes(dataset)) throw new MillraceError('TRIGGER_CYCLE', {path: [...way, definition.name].join(' → ')});
      // What was followed from one that was seen led to no circle.
      for (const {pipeline} of started.get(dataset) ?? []) if (!seen.has(pipeline.name)) follow(pipeline, way);
    }
  };
  follow(definition, []);
}
