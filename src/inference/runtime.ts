/**
 * inference: what computes predictions.
 *
 * A runtime loads one immutable artifact with its settings and scores column batches, off the server's thread, the same answer
 * each time: whatever the size or the company of a batch, a row gets the same bits (canonical padded batches, one thread a run).
 */
import type {Column, ColumnBatch} from '../engines/engine.ts';
import type {Field} from '../schemas/schema.ts';

/** Typed inputs and outputs of a model version. Each is one column. */
export interface Signature {
  readonly inputs: readonly Field[];
  readonly outputs: readonly Field[];
}

/** How a version is run: part of its identity. */
export interface ScoringSettings {
  /** Rows of every run; smaller batches are padded, larger ones split. */
  readonly batchRows: number;
  readonly intraOpThreads: 1;
  /** How far a row's answer alone differed from its answer in company, measured at the gate; 0 = bit-equal. */
  readonly tolerance: number;
}

/** Where a version's files are: a folder, and the model file's name in it. */
export interface Artifact {
  readonly folder: string;
  readonly model: string;
  readonly files: readonly {readonly name: string; readonly bytes: number; readonly sha256: string}[];
}

/** Example inputs and the outputs the trainer's own library gave for them, by name, a value a row. */
export interface Examples {
  readonly inputs: Readonly<Record<string, readonly unknown[]>>;
  readonly outputs: Readonly<Record<string, readonly unknown[]>>;
}

/** What the gate found: it ran the model in a process that can be killed. */
export interface GateReport {
  readonly signature: Signature;
  /** ONNX names of the inputs and outputs in signature order, where a legal name had to be made. */
  readonly tensors: {readonly inputs: readonly string[]; readonly outputs: readonly string[]};
  readonly settings: ScoringSettings;
  readonly operators: readonly string[];
  readonly producer: string;
  /** Rows compared with the examples and the greatest difference; null when no examples came. */
  readonly parity: {readonly rows: number; readonly maxDifference: number} | null;
  readonly runtime: string;
}

export interface LoadedModel {
  /** One column for each output, as many rows as the batch. Input columns stand in signature order. @throws INPUT_INVALID */
  score(batch: ColumnBatch): Promise<readonly Column[]>;
  /** Waits for what is being scored, then frees the session. */
  close(): Promise<void>;
}

export interface InferenceRuntime {
  readonly name: string;
  /** Runtime, version and what of the host changes its results: part of every prediction's key. */
  readonly fingerprint: string;
  /** Checks and tries an artifact. @throws ARTIFACT_*, PARITY_FAILED */
  inspect(artifact: Artifact, options: {examples?: Examples; trialSeconds: number; maxBytes: number}): Promise<GateReport>;
  load(artifact: Artifact, report: Pick<GateReport, 'signature' | 'tensors' | 'settings'>): Promise<LoadedModel>;
  start(): Promise<void>;
  stop(): Promise<void>;
}
