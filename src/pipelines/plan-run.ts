import type {Foresight, RelationFacts} from '../engines/engine.ts';
import {changeSays} from '../schemas/compatibility.ts';
import type {Contract} from '../schemas/contract.ts';
import type {Schema} from '../schemas/schema.ts';
import type {NextSchema, SnapshotRecord} from '../warehouse/warehouse.ts';
import {factsKept, factsOfSnapshot} from './dataset-facts.ts';
import {modeOf, outputOf, schemaRulesOf} from './output-settings.ts';
import type {PlanWarning, PlannedStep, RunPlan, RunRecord, Step} from './pipeline.ts';
import {unknownVersion} from './breakages.ts';
import {emptyColumns, keyWarnings, modelWarnings} from './plan-warnings.ts';
import {decide, engineOf, futureTable, newest, look, prepareStep} from './prepare-step.ts';
import type {ReadyStep, StepWorld} from './prepare-step.ts';
import type {StepInput} from './steps/step-kind.ts';

/** What a run would do and why, and what it warns of. Prepares every step, reads no dataset's rows and writes nothing. */
export async function planRun(world: StepWorld, pipeline: string, run: PlannedRun, steps: readonly {readonly step: Step; readonly reads: readonly string[]}[]): Promise<RunPlan> {
  const planner = new Planner(world, run);
  for (const {step, reads} of steps) await planner.add(step, reads);
  return {pipeline, params: run.params, steps: planner.steps, warnings: planner.warnings, affectedModels: await planner.affectedModels()};
}

export type PlannedRun = Pick<RunRecord, 'definition' | 'params' | 'branch' | 'engine'>;

/** A dataset as a step of the run will have made it. */
interface Made {
  readonly schema: Schema;
  /** Null where only running the step would tell. */
  readonly facts: RelationFacts | null;
}

class Planner {
  readonly steps: PlannedStep[] = [];
  readonly warnings: PlanWarning[] = [];
  private readonly made = new Map<string, Made>();
  private readonly scoring = new Set<string>();

  constructor(
    private readonly world: StepWorld,
    private readonly run: PlannedRun,
  ) {}

  async add(step: Step, reads: readonly string[]): Promise<void> {
    const {warehouse} = this.world;
    const inputs: Record<string, StepInput> = {};
    for (const name of reads) {
      const future = this.made.get(name);
      const snapshot = future ? null : await newest(warehouse, step, name, this.run.branch);
      inputs[name] = snapshot ? {snapshot, table: await warehouse.table(snapshot)} : {snapshot: null, table: futureTable(future!.schema)};
    }
    const opened = await prepareStep(this.world, this.run, step, inputs, new AbortController().signal);
    try {
      const ready = await look(opened);
      const {action, reason} = await decide(this.world, this.run, step, ready);
      if (action === 'execute') await ready.prepared.check?.();
      const {rowsIn, bytesIn, described, notices = []} = ready.prepared;
      const engine = engineOf(ready.prepared);
      const into = 'into' in step ? step.into : null;
      const next = into && described ? await warehouse.schemaFor(into, described, modeOf(step), this.run.branch, schemaRulesOf(step, ready.contract)) : null;
      this.steps.push({
        name: step.name, kind: step.kind, action, reason, into, engine: engine.name, engineReason: engine.why,
        rowsIn: rowsIn === null ? null : BigInt(rowsIn), bytesIn: bytesIn === null ? null : BigInt(bytesIn),
        schemaChanges: action === 'reuse' || !next ? [] : (next.changes?.map(changeSays) ?? ['new dataset']),
        notices: notices.map(notice => notice.message),
      });
      if (action === 'reuse') return;
      if (step.kind === 'predict') this.scoring.add(step.model);
      await this.warn(step, ready, next);
    } finally {
      await opened.close();
    }
  }

  private async warn(step: Step, {prepared, inputs, contract}: ReadyStep, next: NextSchema | null): Promise<void> {
    const tell = (warnings: readonly Omit<PlanWarning, 'step'>[]): void => {
      this.warnings.push(...warnings.map(warning => ({step: step.name, ...warning})));
    };
    const facts = await this.factsOf(inputs);
    const {result, findings}: Foresight = (await prepared.foresee?.(facts)) ?? {result: null, findings: []};
    tell(findings.map(({kind, certainty, detail}) => ({code: kind, certainty, detail, column: null})));
    if (prepared.scores && step.kind === 'predict') {
      const {version} = prepared.scores;
      const schema = inputs[step.input]!.table.schema;
      const trainedOn = await this.snapshots(version.trainedOn);
      const before = trainedOn.at(-1)?.schema ?? null;
      tell(await modelWarnings(this.world.services, {version, dataset: step.input, features: step.features ?? {}, schema, before, facts: facts[step.input] ?? null, trainedOn}));
    }
    if (!next || !('into' in step)) return;

    const head = next.parentId === null ? null : await this.world.catalog.read(stores => stores.datasets.snapshot(next.parentId!));
    const {operation, partition} = outputOf(step, this.run.params);
    // What stays of the rows that are there is not foreseen.
    const whole = operation === 'overwrite' && partition === undefined;
    const output = result && prepared.described?.fields.length === result.columns.length
      ? named(result, prepared.described.fields.map(({name}) => name)) : null;
    const missing = whole ? [] : next.schema.fields.filter(field => !next.written.fields.includes(field)).map(({name}) => name);
    // Of rows with the same key a merge keeps one.
    if (output) tell([...emptyColumns(output, head, missing), ...(operation === 'merge' ? [] : keyWarnings(output, contract))]);
    const kept = output && whole ? factsKept(output, contract) : null;
    this.made.set(step.into, {schema: next.schema, facts: kept});
    await this.warnServed(step.into, next.schema, head, kept, tell);
  }

  /** Models that are served over a dataset the step writes. */
  private async warnServed(dataset: string, schema: Schema, head: SnapshotRecord | null, facts: RelationFacts | null, tell: (warnings: readonly Omit<PlanWarning, 'step'>[]) => void): Promise<void> {
    const {models} = this.world.services;
    for (const {datasetName, enabled, modelName, alias, features} of await models.deployments()) {
      if (datasetName !== dataset || !enabled) continue;
      const version = await models.resolve(modelName, {alias}).catch(unknownVersion);
      if (!version) continue;
      tell(await modelWarnings(this.world.services, {version, dataset, features, schema, before: head?.schema ?? null, facts, trainedOn: await this.snapshots(version.trainedOn)}));
    }
  }

  private async snapshots(ids: readonly string[]): Promise<SnapshotRecord[]> {
    return ids.length === 0 ? [] : [...(await this.world.catalog.read(stores => stores.datasets.snapshotsById(ids))).values()];
  }

  /** Of what the step reads: statistics of manifests, or what was foreseen of an earlier step. */
  private async factsOf(inputs: Readonly<Record<string, StepInput>>): Promise<Record<string, RelationFacts>> {
    const facts: Record<string, RelationFacts> = {};
    for (const [name, {snapshot}] of Object.entries(inputs)) {
      const known = snapshot ? factsOfSnapshot(snapshot, await this.contractOf(name)) : this.made.get(name)?.facts;
      if (known) facts[name] = known;
    }
    return facts;
  }

  private async contractOf(name: string): Promise<Contract> {
    return (await this.world.catalog.read(stores => stores.datasets.byName(name)))?.contract ?? {};
  }

  async affectedModels(): Promise<string[]> {
    const changed = new Set(this.steps.filter(step => step.action === 'execute' && step.into).map(step => step.into));
    const served = (await this.world.services.models.deployments()).filter(deployment => changed.has(deployment.datasetName)).map(deployment => deployment.modelName);
    return [...new Set([...this.scoring, ...served])].sort();
  }
}

/** The same facts under the names that the columns will have. */
function named(facts: RelationFacts, names: readonly string[]): RelationFacts {
  const renamed = (column: string): string => names[facts.columns.findIndex(({name}) => name === column)]!;
  return {
    ...facts, columns: facts.columns.map((column, index) => ({...column, name: names[index]!})),
    keys: facts.keys.map(key => key.map(renamed)), repeats: facts.repeats.map(({columns, why}) => ({columns: columns.map(renamed), why})),
  };
}
