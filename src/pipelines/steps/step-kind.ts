/**
 * A step kind: what one kind of step reads, what decides its result, and how it is done. One file a kind, listed in kinds.ts.
 *
 * Preparing is cheap and changes nothing: a plan prepares every step, looks at what it reads, and executes none.
 */
import type {Engine, Foresight, RelationFacts, StagedFile, Table} from '../../engines/engine.ts';
import type {EngineProgress} from '../../engines/remote-engine.ts';
import type {ModelVersionRecord, Models} from '../../models/models.ts';
import type {Contract} from '../../schemas/contract.ts';
import type {Schema} from '../../schemas/schema.ts';
import type {Sources} from '../../sources/source.ts';
import type {IngestedFile, Origin, Replayed, SnapshotLineage, SnapshotRecord} from '../../warehouse/warehouse.ts';
import type {ChosenEngine, Remotes} from '../engine-choice.ts';
import type {PublicationService} from '../publication-service.ts';
import type {EngineChoice, ParamSpec, ParamValue, PipelineDefinition, RunEventData, Step} from '../pipeline.ts';

export interface StepServices {
  /** The embedded one. */
  readonly engine: Engine;
  readonly remotes: Remotes;
  readonly sources: Sources;
  readonly models: Models;
  /** Raw files whose rows a dataset has. */
  readonly ingestedFiles: (dataset: string) => Promise<readonly IngestedFile[]>;
  /** Where publish steps write. */
  readonly publishedFolder: string;
  readonly publications: Pick<PublicationService, 'look' | 'check' | 'publish'>;
}

/** A dataset as a step finds it. In a plan, `snapshot` is null for what an earlier step has yet to make. */
export interface StepInput {
  readonly snapshot: SnapshotRecord | null;
  readonly table: Table;
}

export interface StepContext {
  readonly services: StepServices;
  readonly params: Readonly<Record<string, ParamValue>>;
  readonly definition: Pick<PipelineDefinition, 'params' | 'engine'>;
  /** Of the run; null: as the step or the pipeline say. */
  readonly engine: EngineChoice | null;
  /** By dataset name: what `reads` named. */
  readonly inputs: Readonly<Record<string, StepInput>>;
  /** What the output has to keep to. */
  readonly contract: Contract;
  /** An empty folder for this try's own scratch files; removed afterwards. */
  readonly scratch: string;
  readonly signal: AbortSignal;
}

/** How a running step tells of itself. */
export interface StepReport {
  progress(fraction: number | null, rowsDone?: number, tasks?: EngineProgress): void;
  log(level: 'info' | 'warn' | 'error', message: string): void;
}

export interface Staged {
  readonly files: readonly StagedFile[];
  /** What they were written with: the schema asked for, and the marks of rows that the step itself found to be bad. */
  readonly schema: Schema;
}

/** Where rows may be staged while they are looked at, before it is known for sure what they are. */
export interface Ahead {
  /** The try's stage, empty. */
  readonly folder: string;
  /** The columns that such rows would be written with; null where no commit would take them. */
  readonly written: (described: Schema) => Promise<Schema | null>;
  readonly report: StepReport;
}

/** What only reading the input tells. */
export type Looked = Pick<PreparedStep, 'described' | 'notices' | 'lineage' | 'foresee' | 'stage' | 'origins'>;

export interface PreparedStep {
  /** JSON that, with the inputs' snapshots, decides the result; null: the result differs each time, so it is never reused. */
  readonly identity: unknown;
  readonly rowsIn: number | null;
  readonly bytesIn: number | null;
  /** What does its work, where that is not the embedded engine. */
  readonly engine?: ChosenEngine | {readonly name: 'inference'; readonly why: string};
  /** Finds out, without running it, whether an engine elsewhere can do the work. */
  check?(): Promise<void>;
  /** Where the step knows by itself whether there is something to do, and why. Default: its identity tells. */
  readonly due?: {readonly now: boolean; readonly reason: string};
  /** What is worth knowing of what it found; told in the run and in a plan. */
  readonly notices?: readonly {readonly level: 'info' | 'warn' | 'error'; readonly message: string}[];
  /** True: the raw files of the lineage are read because the dataset has not read them yet. */
  readonly onlyNewFiles?: boolean;
  /** Reads the input, where that is needed to describe the output; what it answers takes the place of what is said here. A step that is reused is not asked. */
  readonly look?: (ahead?: Ahead) => Promise<Looked>;
  /** The columns the output will have; null for a step that writes no dataset, and before `look`. */
  readonly described: Schema | null;
  /** May still be on its way: it is needed only when the step commits. */
  readonly lineage: SnapshotLineage | Promise<SnapshotLineage>;
  /** What follows of the output from facts about the inputs, by dataset name; no row is read. Its columns stand in the order of `described`. */
  foresee?(inputs: Readonly<Record<string, RelationFacts>>): Promise<Foresight>;
  /** The version that scores the rows, and what its inputs are made of, in their order. */
  readonly scores?: {readonly version: ModelVersionRecord; readonly features: readonly string[]};
  /** Writes staged files into `folder`, with `schema` (the described columns with their field ids). */
  stage?(folder: string, schema: Schema, report: StepReport): Promise<Staged>;
  /** After staging, where rows come from raw files: how many came from each, in their order. Asked only when a row is to be kept aside. */
  origins?(): Promise<readonly Origin[]>;
  /** The rows are those of a quarantine that meet `where`, in their order: they leave it when they are committed. */
  readonly replays?: Replayed;
  /**
   * For a step that writes no dataset: does its work; the events tell what it made. `prove` is called last before its result can be
   * seen outside: it throws LEASE_LOST when another worker has the step.
   */
  perform?(report: StepReport, prove: () => Promise<void>): Promise<{rowCount: number; events: readonly RunEventData[]}>;
  close(): Promise<void>;
}

export interface StepKind<S extends Step = Step> {
  readonly kind: S['kind'];
  /** Names of datasets read. @throws SQL_INVALID, SQL_NOT_ALLOWED */
  reads(step: S, services: Pick<StepServices, 'engine'>, params: Readonly<Record<string, ParamSpec>>): Promise<readonly string[]>;
  prepare(step: S, context: StepContext): Promise<PreparedStep>;
}

/** Rows and bytes of all inputs, from their manifests. */
export function inputSize(inputs: Readonly<Record<string, StepInput>>): {rowsIn: number | null; bytesIn: number | null} {
  const all = Object.values(inputs);
  if (all.some(input => input.snapshot === null)) return {rowsIn: null, bytesIn: null};
  const sum = (of: (snapshot: SnapshotRecord) => bigint): number => Number(all.reduce((total, input) => total + of(input.snapshot!), 0n));
  return {rowsIn: sum(snapshot => snapshot.rowCount), bytesIn: sum(snapshot => snapshot.bytes)};
}

/** Snapshot ids by dataset name, as lineage keeps them. */
export function inputIds(inputs: Readonly<Record<string, StepInput>>): Record<string, string> {
  return Object.fromEntries(Object.entries(inputs).flatMap(([name, input]) => (input.snapshot ? [[name, input.snapshot.id]] : [])));
}
