import {mkdir, rm} from 'node:fs/promises';
import {join} from 'node:path';
import type {Catalog, Stores} from '../catalog/catalog.ts';
import {MillraceError} from '../core/errors.ts';
import {newId} from '../core/ids.ts';
import type {Table} from '../engines/engine.ts';
import type {Contract} from '../schemas/contract.ts';
import {guardedSchema} from '../schemas/guarded-schema.ts';
import type {SnapshotRecord, Warehouse} from '../warehouse/warehouse.ts';
import {canonicalJson, definitionHash} from './definition.ts';
import type {RunRecord, Step, StepRecord} from './pipeline.ts';
import {modeOf, outputOf} from './output-settings.ts';
import {kindOf} from './steps/kinds.ts';
import type {Ahead, PreparedStep, StepInput, StepServices} from './steps/step-kind.ts';
import {inputIds} from './steps/step-kind.ts';

/** What preparing and running steps needs. */
export interface StepWorld {
  readonly catalog: Catalog;
  readonly warehouse: Warehouse;
  readonly services: StepServices;
  /** Scratch folders of tries lie here. */
  readonly scratchFolder: string;
}

export interface ReadyStep {
  readonly prepared: PreparedStep;
  readonly inputs: Readonly<Record<string, StepInput>>;
  /** What the output has to keep to: the step's own, else the dataset's. */
  readonly contract: Contract;
  /** SHA-256 of everything that decides the result; null when nothing can. */
  readonly fingerprint: string | null;
  /** Seconds-long resources of the try: an opened source, a scratch folder. */
  close(): Promise<void>;
}

/** Prepares a step over given inputs. Nothing is written but scratch. */
export async function prepareStep(
  world: StepWorld,
  run: Pick<RunRecord, 'definition' | 'params' | 'engine'>,
  step: Step,
  inputs: Readonly<Record<string, StepInput>>,
  signal: AbortSignal,
): Promise<ReadyStep> {
  const scratch = join(world.scratchFolder, newId());
  await mkdir(scratch, {recursive: true});
  let opened: PreparedStep | null = null;
  const close = async (): Promise<void> => {
    await opened?.close();
    await rm(scratch, {recursive: true, force: true});
  };
  try {
    const contract = await contractOf(world.catalog, step);
    const prepared = await kindOf(step).prepare(step, {
      services: world.services, params: run.params, definition: run.definition, engine: run.engine, inputs, contract, scratch, signal,
    });
    opened = prepared;
    return {
      prepared: guarded(prepared, contract),
      inputs,
      contract,
      fingerprint: fingerprintOf(step, run.params, prepared, inputs, contract),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

const guarded = (prepared: PreparedStep, contract: Contract): PreparedStep =>
  prepared.described === null ? prepared : {...prepared, described: guardedSchema(prepared.described, contract)};

/** What does the step's work. */
export const engineOf = ({engine}: PreparedStep): {readonly name: string; readonly why: string} => engine ?? {name: 'duckdb', why: 'steps of its kind are done by the embedded engine'};

/** The step after it has looked at what it reads. */
export async function look(ready: ReadyStep, ahead?: Ahead): Promise<ReadyStep> {
  const {prepared, contract} = ready;
  if (!prepared.look) return ready;
  const looked = await prepared.look(ahead && {...ahead, written: described => ahead.written(guardedSchema(described, contract))});
  return {...ready, prepared: guarded({...prepared, ...looked, notices: [...(prepared.notices ?? []), ...(looked.notices ?? [])]}, contract)};
}

/** What is appended once more is there twice: such a step does its work in each run. */
const appends = (step: Step): boolean => modeOf(step) === 'append';

async function contractOf(catalog: Catalog, step: Step): Promise<Contract> {
  if (!('into' in step)) return {};
  return ('contract' in step && step.contract) || ((await catalog.read(stores => stores.datasets.byName(step.into)))?.contract ?? {});
}

function fingerprintOf(step: Step, params: RunRecord['params'], prepared: PreparedStep, inputs: Readonly<Record<string, StepInput>>, contract: Contract): string | null {
  if (prepared.identity === null || appends(step) || Object.values(inputs).some(input => input.snapshot === null)) return null;
  // What stays of the past, what may change, and what people are told decide nothing about the rows.
  const kept = {...contract, retention: undefined, compatibility: undefined, description: undefined, documentation: undefined};
  const {operation, ...settings} = outputOf(step, params);
  const output = operation === 'overwrite' && !settings.partitionBy ? {} : {output: {operation, ...settings}};
  return definitionHash({kind: step.kind, into: 'into' in step ? step.into : null, contract: kept, identity: prepared.identity, inputs: inputIds(inputs), ...output});
}

/**
 * The snapshots a step of a run reads: outputs of the run's own steps; what another step of the run already read (one run sees one
 * version of a dataset); else the newest.
 */
export async function resolveInputs(
  {catalog, warehouse, services}: StepWorld,
  run: Pick<RunRecord, 'id' | 'definition' | 'branch'>,
  step: Step,
): Promise<Record<string, StepInput>> {
  const names = await kindOf(step).reads(step, services, run.definition.params ?? {});
  const steps = await catalog.read(stores => stores.runs.steps(run.id));
  const inputs: Record<string, StepInput> = {};
  for (const name of names) {
    const id = ownOutput(run, steps, name) ?? steps.find(other => other.inputs?.[name] !== undefined)?.inputs?.[name];
    const snapshot = await newest(warehouse, step, name, run.branch, id);
    inputs[name] = {snapshot, table: await warehouse.table(snapshot)};
  }
  return inputs;
}

/**
 * A dataset that a step names, as of a snapshot or as it is now.
 * @throws SQL_UNKNOWN_TABLE for a name in an SQL step, DATASET_NOT_FOUND elsewhere
 */
export async function newest(warehouse: Warehouse, step: Step, name: string, branch: string, snapshot?: string): Promise<SnapshotRecord> {
  try {
    return await warehouse.resolve(name, snapshot === undefined ? {} : {snapshot}, branch);
  } catch (error) {
    if (step.kind !== 'sql' || !(error instanceof MillraceError) || error.code !== 'DATASET_NOT_FOUND') throw error;
    throw new MillraceError('SQL_UNKNOWN_TABLE', error.details, {cause: error});
  }
}

function ownOutput(run: Pick<RunRecord, 'definition'>, steps: readonly StepRecord[], dataset: string): string | undefined {
  const producer = run.definition.steps.find(step => 'into' in step && step.into === dataset);
  return steps.find(step => step.name === producer?.name && step.status === 'succeeded')?.outputId ?? undefined;
}

export interface Decision {
  readonly action: 'execute' | 'reuse';
  readonly reason: string;
  /** The snapshot to reuse. */
  readonly output: SnapshotRecord | null;
}

/** Whether a step's result is already there, and why or why not, in words. */
export async function decide({catalog}: StepWorld, run: Pick<RunRecord, 'branch'> & {retryOfId?: string | null}, step: Step, ready: ReadyStep): Promise<Decision> {
  const execute = (reason: string): Decision => ({action: 'execute', reason, output: null});
  return catalog.read(async stores => {
    const into = 'into' in step ? step.into : null;
    const head = into === null ? null : await stores.datasets.head(run.branch, into);
    if (run.retryOfId) {
      const before = (await stores.runs.steps(run.retryOfId)).find(other => other.name === step.name);
      const sameInputs = canonicalJson(before?.inputs ?? {}) === canonicalJson(inputIds(ready.inputs));
      if (before?.status === 'succeeded' && sameInputs && !(await sawErased(stores, ready, before)) && (before.outputId === null || before.outputId === head?.id)) {
        return {action: 'reuse', reason: 'succeeded in the run that is retried', output: head};
      }
    }
    const {due} = ready.prepared;
    if (due) return due.now ? execute(due.reason) : {action: 'reuse', reason: due.reason, output: head};
    if (appends(step)) return execute('each run appends');
    if (ready.fingerprint === null) return execute(ready.prepared.identity === null ? 'its result may differ each time' : 'its inputs are made by this run');
    const before = await stores.runs.stepByFingerprint(ready.fingerprint);
    if (!before) return execute(head === null ? 'the dataset does not exist yet' : 'its definition, parameters or inputs changed');
    if (await sawErased(stores, ready, before)) return execute('rows were erased from its inputs since');
    if (head === null || before.outputId !== head.id) return execute('the dataset changed since it was made by this step');
    return {action: 'reuse', reason: 'definition, parameters and inputs are the same', output: head};
  });
}

/** Whether a step may have read rows that were erased from its inputs after it began. */
const sawErased = async (stores: Stores, {inputs}: ReadyStep, {startedAt}: StepRecord): Promise<boolean> =>
  (await stores.erasures.touching(Object.values(inputIds(inputs)), startedAt ?? undefined)).length > 0;

/** An empty table of columns that are not there yet: what a plan reads where a run would read an earlier step's output. */
export const futureTable = (schema: Table['schema']): Table => ({kind: 'table', schema, files: [], uniform: true});
