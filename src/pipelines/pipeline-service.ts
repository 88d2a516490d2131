import type {Stores} from '../catalog/catalog.ts';
import {Wake, patiently} from '../core/async.ts';
import {MillraceError, didYouMean} from '../core/errors.ts';
import type {Viewer} from '../core/viewer.ts';
import {checkName} from '../schemas/check-name.ts';
import {quarantineOf} from '../schemas/contract.ts';
import type {Contract} from '../schemas/contract.ts';
import {canonicalJson, definitionHash, parseDefinition, parseParams, topologicalOrder} from './definition.ts';
import {isJobsFile} from './jobs-folder.ts';
import type {JobsFolder} from './jobs-folder.ts';
import {moveRunOn} from './move-run-on.ts';
import type {
  EngineChoice, IngestStep, PipelineDefinition, PipelineRecord, Pipelines, ReplayStep, RunEventRecord, RunPlan, RunRecord, RunStarter, RunStatus, StartRun, Step, StepRecord, StepVerification, VerifyStep,
} from './pipeline.ts';
import {planRun} from './plan-run.ts';
import type {StepWorld} from './prepare-step.ts';
import {kindOf} from './steps/kinds.ts';
import {verifyStep} from './verify-step.ts';

/** Milliseconds after which a subscriber looks for events without having been woken: a wake-up may be lost. */
const backstop = 2_000;
const eventsAtOnce = 500;

/** Seconds that a subscriber waits for a database that is away. */
const patience = 60;

const branch = 'main';

interface Needs {
  readonly ordered: Step[];
  readonly needs: Map<string, string[]>;
  readonly reads: Map<string, readonly string[]>;
}

const stepsOf = ({ordered, needs}: Needs): RunStarter['steps'] => ordered.map((step, position) => ({name: step.name, position, kind: step.kind, needs: needs.get(step.name)!}));

type Startable = Pick<PipelineRecord, 'definition' | 'definitionId' | 'name' | 'origin'>;
type MoreOfRun = {readonly idempotencyKey?: string; readonly retryOfId?: string; readonly engine?: EngineChoice};
type Started = {readonly run: RunRecord; readonly deduplicated: boolean};

export class PipelineService implements Pipelines {
  constructor(
    private readonly world: StepWorld,
    private readonly jobs: JobsFolder,
    /** Called in the unit of work that stores a definition. */
    private readonly keepSchedule: (stores: Stores, pipeline: PipelineRecord) => Promise<void>,
    private readonly stepTimeoutSeconds: number,
  ) {}

  async list(_viewer: Viewer): Promise<PipelineRecord[]> {
    await this.refresh();
    return this.world.catalog.read(stores => stores.runs.pipelines());
  }

  async get(_viewer: Viewer, name: string): Promise<PipelineRecord> {
    await this.refresh();
    return this.world.catalog.read(async stores => {
      const found = await stores.runs.pipeline(name);
      if (found) return found;
      const names = (await stores.runs.pipelines()).map(pipeline => pipeline.name);
      const problems = this.jobs.problems.map(({error}) => error.message).join(' ');
      throw new MillraceError('PIPELINE_NOT_FOUND', {name, didYouMean: didYouMean(name, names), problems});
    });
  }

  /** Takes over what changed in the jobs folder. A file that cannot be loaded keeps its last good definition; one that is gone keeps its pipelines, which nothing starts by itself any more. */
  async refresh(): Promise<void> {
    const {jobs, contracts, files} = await this.jobs.changed();
    for (const {file, dataset, contract} of contracts) await this.world.warehouse.setContract(dataset, contract).catch(error => this.jobs.failed(file, error));
    for (const {file, definition} of jobs) {
      try {
        await this.store(definition, file);
      } catch (error) {
        this.jobs.failed(file, error);
      }
    }
    if (files) await this.endSchedules(new Set(files));
  }

  /** Ends the schedules of pipelines whose jobs file is gone. */
  private async endSchedules(files: ReadonlySet<string>): Promise<void> {
    await this.world.catalog.transaction(async stores => {
      const gone = (await stores.runs.pipelines()).filter(({origin, definition}) => isJobsFile(origin) && !files.has(origin) && (definition.schedule ?? definition.when));
      for (const pipeline of gone) await this.keepSchedule(stores, {...pipeline, definition: {...pipeline.definition, schedule: undefined, when: undefined}});
    });
  }

  async put(_viewer: Viewer, definition: unknown, origin: string): Promise<PipelineRecord> {
    return this.store(definition, origin);
  }

  private async store(value: unknown, origin: string): Promise<PipelineRecord> {
    const definition = parseDefinition(value);
    checkName(definition.name);
    for (const step of definition.steps) if ('into' in step) checkName(step.into);
    await this.needs(definition); // refuses bad SQL and circles
    return this.world.catalog.transaction(async stores => {
      const pipeline = await stores.runs.putPipeline(definition, definitionHash(definition), origin);
      await this.keepSchedule(stores, pipeline);
      return pipeline;
    });
  }

  /** Which steps each step waits for: those whose outputs it reads, and those it names. @throws SQL_*, PIPELINE_INVALID, PIPELINE_CYCLE */
  private async needs(definition: PipelineDefinition): Promise<Needs> {
    // Who writes a dataset writes its quarantine; a name of their own comes first.
    const written = definition.steps.flatMap(step => ('into' in step ? [[step.into, step.name] as const] : []));
    const producers = new Map([...written.map(([dataset, step]) => [quarantineOf(dataset), step] as const), ...written]);
    const names = new Set(definition.steps.map(step => step.name));
    const needs = new Map<string, string[]>();
    const reads = new Map<string, readonly string[]>();
    for (const step of definition.steps) {
      const read = await kindOf(step).reads(step, this.world.services, definition.params ?? {});
      reads.set(step.name, read);
      const missing = step.after?.find(name => !names.has(name));
      if (missing) throw new MillraceError('PIPELINE_INVALID', {reason: `step '${step.name}' waits for '${missing}', which is no step`});
      const own = read.flatMap(name => {
        const producer = producers.get(name);
        return producer === undefined || (producer === step.name && step.kind === 'replay') ? [] : [producer];
      });
      const referenced = ('contract' in step ? step.contract?.foreignKeys ?? [] : []).flatMap(({references}) => {
        const producer = producers.get(references);
        return producer === undefined || producer === step.name ? [] : [producer];
      });
      needs.set(step.name, [...new Set([...own, ...referenced, ...(step.after ?? [])])]);
    }
    return {ordered: topologicalOrder(definition.steps, needs), needs, reads};
  }

  async start(viewer: Viewer, input: StartRun): Promise<Started> {
    const pipeline = await this.get(viewer, input.pipeline);
    const params = parseParams(pipeline.definition.params ?? {}, input.params ?? {});
    return this.create(viewer, pipeline, params, {idempotencyKey: input.idempotencyKey, engine: input.engine});
  }

  async starter(name: string): Promise<RunStarter> {
    const pipeline = await this.world.catalog.read(stores => stores.runs.pipeline(name));
    if (!pipeline) throw new MillraceError('PIPELINE_NOT_FOUND', {name});
    const needed = await this.needs(pipeline.definition);
    return {
      pipeline,
      steps: stepsOf(needed),
      start: async (stores, requestedBy, given, idempotencyKey) => {
        const params = parseParams(pipeline.definition.params ?? {}, given);
        return (await this.createIn(stores, requestedBy, pipeline, needed, params, {idempotencyKey})).run;
      },
    };
  }

  private async create(viewer: Viewer, pipeline: Startable, params: RunRecord['params'], more: MoreOfRun = {}): Promise<Started> {
    const needed = await this.needs(pipeline.definition);
    return this.world.catalog.transaction(stores => this.createIn(stores, viewer.name, pipeline, needed, params, more));
  }

  private async createIn(
    stores: Stores, requestedBy: string, pipeline: Startable, needed: Needs, params: RunRecord['params'], {idempotencyKey, retryOfId, engine}: MoreOfRun,
  ): Promise<Started> {
    if (idempotencyKey !== undefined) {
      const existing = await stores.runs.runByIdempotencyKey(requestedBy, idempotencyKey);
      if (existing) {
        // A pipeline's definition may have changed since; that of an ingest is the request itself.
        const changed = existing.pipeline !== pipeline.name || ((pipeline.origin === 'ingest' || pipeline.origin === 'replay') && existing.definitionId !== pipeline.definitionId);
        if (changed || canonicalJson(existing.params) !== canonicalJson(params) || existing.engine !== (engine ?? null)) {
          throw new MillraceError('IDEMPOTENCY_CONFLICT', {key: idempotencyKey});
        }
        return {run: existing, deduplicated: true};
      }
    }
    const {id} = await stores.runs.createRun({
      definitionId: pipeline.definitionId, params, requestedBy, idempotencyKey, retryOfId, branch, engine,
      steps: stepsOf(needed),
    });
    await stores.runs.admit(id);
    await moveRunOn(stores, id, []);
    return {run: (await stores.runs.run(id))!, deduplicated: false};
  }

  async plan(viewer: Viewer, input: StartRun): Promise<RunPlan> {
    const {definition, name} = await this.get(viewer, input.pipeline);
    const params = parseParams(definition.params ?? {}, input.params ?? {});
    const {ordered, reads} = await this.needs(definition);
    return planRun(this.world, name, {definition, params, branch, engine: input.engine ?? null}, ordered.map(step => ({step, reads: reads.get(step.name)!})));
  }

  async verify(viewer: Viewer, {pipeline, step: name, params: given = {}, engines, tolerance = 1e-9}: VerifyStep): Promise<StepVerification> {
    const {definition} = await this.get(viewer, pipeline);
    const step = definition.steps.find(one => one.name === name);
    if (step?.kind !== 'sql') throw new MillraceError('ARGUMENT_INVALID', {name: 'step', reason: step ? `'${name}' is no SQL step` : `'${pipeline}' has no step '${name}'`});
    if (engines[0] === engines[1]) throw new MillraceError('ARGUMENT_INVALID', {name: 'engines', reason: 'name two different ones'});
    const params = parseParams(definition.params ?? {}, given);
    const reads = await kindOf(step).reads(step, this.world.services, definition.params ?? {});
    const seconds = step.timeoutSeconds ?? this.stepTimeoutSeconds;
    return verifyStep(this.world, {definition, params, branch, engine: null}, step, reads, engines, tolerance, AbortSignal.timeout(seconds * 1_000)).catch(error => {
      throw (error as Error).name === 'TimeoutError' ? new MillraceError('STEP_TIMEOUT', {step: name, seconds}) : error;
    });
  }

  async cancel(_viewer: Viewer, id: string): Promise<RunRecord> {
    return this.world.catalog.transaction(async stores => {
      const run = await stores.runs.run(id);
      if (!run) throw new MillraceError('RUN_NOT_FOUND', {id});
      if (run.finishedAt) throw new MillraceError('RUN_FINISHED', {id, status: run.status});
      await stores.runs.requestCancel(id);
      await moveRunOn(stores, id, [{kind: 'log', step: null, level: 'info', message: 'cancellation was asked for'}]);
      return (await stores.runs.run(id))!;
    });
  }

  async retry(viewer: Viewer, id: string): Promise<RunRecord> {
    const run = await this.run(viewer, id);
    if (run.status !== 'failed' && run.status !== 'cancelled') throw new MillraceError('NOTHING_TO_RETRY', {id, status: run.status});
    return (await this.create(viewer, {definition: run.definition, definitionId: run.definitionId, name: run.pipeline, origin: 'retry'}, run.params, {retryOfId: id, engine: run.engine ?? undefined})).run;
  }

  async ingest(viewer: Viewer, given: Omit<IngestStep, 'kind' | 'name'>, amends: Contract = {}, idempotencyKey?: string): Promise<RunRecord> {
    await this.refresh();
    const known = async (): Promise<Contract> => (await this.world.catalog.read(stores => stores.datasets.byName(given.into)))?.contract ?? {};
    // Nothing said: the dataset's own stays.
    const step = Object.keys(amends).length === 0 ? given : {...given, contract: {...(given.contract ?? (await known())), ...amends}};
    const definition: PipelineDefinition = {name: `ingest_${step.into}`.slice(0, 63), description: `Reads a source into ${step.into}`, steps: [{...step, kind: 'ingest', name: step.into}]};
    const pipeline = await this.store(definition, 'ingest');
    return (await this.create(viewer, pipeline, {}, {idempotencyKey})).run;
  }

  async replay(viewer: Viewer, step: Omit<ReplayStep, 'kind' | 'name'>, idempotencyKey?: string): Promise<RunRecord> {
    await this.refresh();
    await this.world.warehouse.resolve(step.into, {}, branch);
    const quarantine = await this.world.catalog.read(stores => stores.datasets.head(branch, quarantineOf(step.into)));
    if (quarantine === null || quarantine.rowCount === 0n) throw new MillraceError('QUARANTINE_EMPTY', {dataset: step.into});
    const definition: PipelineDefinition = {name: `replay_${step.into}`.slice(0, 63), description: `Gives quarantined rows to ${step.into} again`, steps: [{...step, kind: 'replay', name: step.into}]};
    const pipeline = await this.store(definition, 'replay');
    return (await this.create(viewer, pipeline, {}, {idempotencyKey})).run;
  }

  async run(_viewer: Viewer, id: string): Promise<RunRecord> {
    const run = await this.world.catalog.read(stores => stores.runs.run(id));
    if (!run) throw new MillraceError('RUN_NOT_FOUND', {id});
    return run;
  }

  async runsById(_viewer: Viewer, ids: readonly string[]): Promise<Map<string, RunRecord>> {
    const runs = await this.world.catalog.read(stores => stores.runs.runsById(ids));
    return new Map(runs.map(run => [run.id, run]));
  }

  runs(_viewer: Viewer, filter: {pipeline?: string; status?: RunStatus; limit: number; before?: Date}): Promise<RunRecord[]> {
    return this.world.catalog.read(stores => stores.runs.runs(filter));
  }

  stepsOf(_viewer: Viewer, runIds: readonly string[]): Promise<Map<string, StepRecord[]>> {
    return this.world.catalog.read(stores => stores.runs.stepsOf(runIds));
  }

  async *events(viewer: Viewer, runId: string, after: bigint, signal: AbortSignal): AsyncIterable<RunEventRecord> {
    await this.run(viewer, runId);
    const wake = new Wake();
    const quiet = this.world.catalog.listen('run', id => (id === runId || id === '') && wake.signal());
    const left = (): void => wake.signal();
    signal.addEventListener('abort', left, {once: true});
    try {
      let last = after;
      let ended: bigint | null = null;
      while (!signal.aborted) {
        const events = await patiently(() => this.world.catalog.read(stores => stores.runs.events(runId, last, eventsAtOnce)), patience, signal);
        if (events.length > 0 && events[0]!.seq !== last + 1n) throw new MillraceError('EVENTS_EXPIRED', {seq: events[0]!.seq - 1n});
        for (const event of events) {
          yield event;
          last = event.seq;
          if (event.data.kind === 'run_finished') return;
        }
        if (events.length === eventsAtOnce) continue;
        if (events.length === 0) {
          if (ended !== null) throw new MillraceError('EVENTS_EXPIRED', {seq: ended});
          ended = await this.lastIfEnded(runId);
          if (ended !== null && last >= ended) return;
          // It may have ended since the events were read: then the rest is there now.
          if (ended !== null) continue;
        }
        await wake.wait(backstop);
      }
    } finally {
      quiet();
      signal.removeEventListener('abort', left);
    }
  }

  /** The number of a run's last event, once it has ended. */
  private async lastIfEnded(runId: string): Promise<bigint | null> {
    const run = await patiently(() => this.world.catalog.read(stores => stores.runs.run(runId)), patience);
    return run?.finishedAt ? run.lastSeq : null;
  }
}
