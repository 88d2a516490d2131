import type {Catalog} from '../catalog/catalog.ts';
import {MillraceError} from '../core/errors.ts';
import {newId} from '../core/ids.ts';
import type {Viewer} from '../core/viewer.ts';
import {startPartitions} from './backfill.ts';
import type {BackfillGrain, BackfillPartition, BackfillRecord, Backfills, StartBackfill} from './backfill.ts';
import {canonicalJson, parseParams} from './definition.ts';
import {letGo} from './move-run-on.ts';
import type {OutputSettings, ParamValue, PipelineDefinition, Pipelines} from './pipeline.ts';

/** Partitions of one backfill: 27 years of days. */
const mostPartitions = 10_000;

/** Backfills looked at for one that is the same and goes on. */
const looked = 20;

export class BackfillService implements Backfills {
  constructor(
    private readonly catalog: Catalog,
    private readonly pipelines: Pick<Pipelines, 'get' | 'starter' | 'cancel'>,
  ) {}

  async start(viewer: Viewer, input: StartBackfill): Promise<{backfill: BackfillRecord; deduplicated: boolean}> {
    await this.pipelines.get(viewer, input.pipeline); // takes over what changed in the jobs folder
    const {pipeline: {definition, definitionId}, steps} = await this.pipelines.starter(input.pipeline);
    const {param, grain} = partitioning(definition, input);
    const partitions = partitionsBetween(input.from, input.to, grain);
    const [first, last] = [partitions[0]!, partitions.at(-1)!];
    const params: Record<string, ParamValue> = parseParams(definition.params ?? {}, {...input.params, [param]: first});
    delete params[param];

    return this.catalog.transaction(async stores => {
      await stores.backfills.lockPipeline(definitionId);
      const same = (await stores.backfills.list({definitionId, limit: looked})).filter(one =>
        one.cancelledAt === null && canonicalJson([one.param, one.grain, one.first, one.last, one.params]) === canonicalJson([param, grain, first, last, params]));
      const parts = await stores.backfills.partitionsOf(same.map(one => one.id));
      const running = same.find(one => parts.get(one.id)!.some(isOnItsWay));
      if (running) return {backfill: running, deduplicated: true};

      const known = input.again ? new Map<string, string>() : await stores.backfills.runsOf(definitionId, param, params, partitions);
      const id = newId();
      await stores.backfills.create({id, definitionId, param, grain, first, last, params, steps, requestedBy: viewer.name}, partitions.map(partition => ({partition, runId: known.get(partition) ?? null})));
      const backfill = (await stores.backfills.byId(id))!;
      const made = await startPartitions(stores, backfill);
      if (made.length > 0) {
        await letGo(stores, await stores.runs.admit(made[0]!));
        await stores.jobs.wake(made[0]!);
      }
      return {backfill, deduplicated: false};
    });
  }

  async get(_viewer: Viewer, id: string): Promise<BackfillRecord> {
    const backfill = await this.catalog.read(stores => stores.backfills.byId(id));
    if (!backfill) throw new MillraceError('BACKFILL_NOT_FOUND', {id});
    return backfill;
  }

  list(_viewer: Viewer, filter: {readonly pipeline?: string; readonly limit: number}): Promise<BackfillRecord[]> {
    return this.catalog.read(stores => stores.backfills.list(filter));
  }

  partitionsOf(_viewer: Viewer, ids: readonly string[]): Promise<Map<string, BackfillPartition[]>> {
    return this.catalog.read(stores => stores.backfills.partitionsOf(ids));
  }

  async cancel(viewer: Viewer, id: string): Promise<BackfillRecord> {
    await this.get(viewer, id);
    // First no more runs are made; then those that are there end one by one, as a run's own row is held before its backfill's.
    await this.catalog.transaction(stores => stores.backfills.cancel(id));
    for (const {runId} of (await this.partitionsOf(viewer, [id])).get(id)!.filter(isActive)) {
      await this.pipelines.cancel(viewer, runId!).catch(error => {
        if (!(error instanceof MillraceError) || error.code !== 'RUN_FINISHED') throw error;
      });
    }
    return this.get(viewer, id);
  }
}

const isActive = ({runStatus}: BackfillPartition): boolean => runStatus === 'queued' || runStatus === 'waiting' || runStatus === 'running';
const isOnItsWay = (partition: BackfillPartition): boolean => partition.runId === null || isActive(partition);

/** The parameter and the grain, as asked for or as the steps say. @throws PARAMS_INVALID, ARGUMENT_INVALID */
function partitioning({params = {}, steps}: PipelineDefinition, asked: StartBackfill): {param: string; grain: BackfillGrain} {
  const said = steps.flatMap(step => (step as Partial<OutputSettings>).partitionBy ?? []);
  const one = <T>(values: readonly T[]): T | undefined => (new Set(values).size === 1 ? values[0] : undefined);
  const param = asked.param ?? one(said.flatMap(by => by.param ?? [])) ?? 'partition';
  if (params[param]?.type !== 'date') {
    const issue = `'${param}', which says what partition a run is for, is no parameter of type date`;
    throw new MillraceError('PARAMS_INVALID', {issues: issue, list: [issue]});
  }
  if (asked.params && param in asked.params) throw new MillraceError('ARGUMENT_INVALID', {name: 'params', reason: `'${param}' is each run's own`});
  const grain = asked.grain ?? one(said.map(by => by.grain).filter(by => by !== 'value'));
  if (!grain) throw new MillraceError('ARGUMENT_INVALID', {name: 'grain', reason: 'the steps do not say it: day or month'});
  return {param, grain};
}

/** The first days of the partitions from one day to another, both included. @throws ARGUMENT_INVALID */
export function partitionsBetween(from: string, to: string, grain: BackfillGrain): string[] {
  for (const [name, value] of [['from', from], ['to', to]] as const) {
    const isDay = /^\d{4}-\d\d-\d\d$/.test(value) && !Number.isNaN(Date.parse(value)) && new Date(value).toISOString().startsWith(value);
    if (!isDay) throw new MillraceError('ARGUMENT_INVALID', {name, reason: `'${value}' is no day such as 2001-06-30`});
  }
  if (to < from) throw new MillraceError('ARGUMENT_INVALID', {name: 'to', reason: 'it is before `from`'});
  const partitions: string[] = [];
  const day = new Date(from);
  if (grain === 'month') day.setUTCDate(1);
  for (;;) {
    const text = day.toISOString().slice(0, 10);
    if (text > to) return partitions;
    if (partitions.length === mostPartitions) throw new MillraceError('ARGUMENT_INVALID', {name: 'to', reason: `that is more than ${mostPartitions} partitions`});
    partitions.push(text);
    if (grain === 'day') day.setUTCDate(day.getUTCDate() + 1);
    else day.setUTCMonth(day.getUTCMonth() + 1);
  }
}
