/**
 * proposals: what detection says of a source, kept until somebody accepts it.
 *
 * A proposal holds the columns, how the source is read, and the evidence. Accepting it, with overrides, makes it the columns of a
 * dataset's contract, and reads the source with exactly these options.
 */
import type {Viewer} from '../core/viewer.ts';
import type {RawOptions} from '../engines/engine.ts';
import type {RunRecord} from '../pipelines/pipeline.ts';
import type {Contract} from '../schemas/contract.ts';
import type {Reading} from '../schemas/detection/infer-column.ts';
import type {Detection} from '../schemas/detection/detection.ts';
import type {SourceSpec} from '../sources/source.ts';
import type {DatasetView} from '../warehouse/warehouse.ts';

export interface Proposal {
  readonly id: string;
  readonly source: SourceSpec;
  /** The files as they were: names, and one fingerprint of their bytes. */
  readonly files: readonly {readonly name: string; readonly sha256: string; readonly bytes: number}[];
  readonly detection: Detection;
  /** Of the reader: how the files are taken apart, said in full. */
  readonly options: RawOptions;
  /** How the texts of each column are read, in the order of the schema; none where the format says it. */
  readonly readings: readonly Reading[];
  readonly suggestedContract: Contract;
}

export interface ProposalRecord extends Proposal {
  readonly createdAt: Date;
}

export interface ProposalStore {
  add(proposal: Proposal, requestedBy: string): Promise<ProposalRecord>;
  byId(id: string): Promise<ProposalRecord | null>;
  /** Deletes those made that many days ago; answers how many. */
  expire(days: number): Promise<number>;
}

/** By the proposal's legal names, or those of the source. */
export interface Overrides {
  /** In `typeName`'s form. */
  readonly types?: Readonly<Record<string, string>>;
  /** Words that mean null in a column, instead of those proposed. */
  readonly nulls?: Readonly<Record<string, readonly string[]>>;
  /** Of dates, in strptime's form. */
  readonly formats?: Readonly<Record<string, string>>;
  /** Names to have instead. */
  readonly names?: Readonly<Record<string, string>>;
}

export interface AcceptSchema {
  readonly proposal: string;
  readonly dataset: string;
  readonly overrides?: Overrides;
  /** What the dataset has to keep to beside its columns; default: the dataset's own, or what was suggested for a new one. */
  readonly contract?: unknown;
  /** Read the source now. */
  readonly ingest: boolean;
  readonly mode?: 'overwrite' | 'append';
  readonly idempotencyKey?: string;
}

export interface Proposals {
  /** @throws what opening and detecting a source throws */
  detect(viewer: Viewer, source: SourceSpec, signal?: AbortSignal): Promise<ProposalRecord>;
  /**
   * @throws PROPOSAL_NOT_FOUND, ARGUMENT_INVALID (an override of no column, or to no type), CONTRACT_INVALID, SCHEMA_INCOMPATIBLE, NAME_*
   */
  accept(viewer: Viewer, input: AcceptSchema): Promise<{readonly dataset: DatasetView | null; readonly run: RunRecord | null}>;
}
