/**
 * api/graphql/data: the data graph, typed fields for every dataset, compiled to one engine query each.
 *
 * graph model: what the catalog says there is (datasets, their schemas and contracts, what predicts on them); the GraphQL types are built from it
 * plan: one operation compiled: SQL text, what to bind, what to score; reused by every request of the same shape
 * context: what one request runs with; nothing in this folder reaches a service but through it
 * heads: one consistent set of snapshots for a request
 *
 * This file is the port: whoever serves the graph gives a `GraphModel` to build from and a `DataContext` to run in.
 */
import type {Viewer} from '../../../core/viewer.ts';
import type {Column, ColumnBatch, Engine, Table} from '../../../engines/engine.ts';
import type {ModelVersionRecord, VersionPin} from '../../../models/models.ts';
import type {ScoreFiles} from '../../../models/score-files.ts';
import type {Contract} from '../../../schemas/contract.ts';
import type {Field, Schema} from '../../../schemas/schema.ts';
import type {AsOf, SnapshotRecord} from '../../../warehouse/warehouse.ts';
import type {KeptAggregates} from './live/kept-aggregates.ts';
import type {Explanation} from './explanation.ts';
import type {WriteAnswer, WriteRequest} from '../../../writes/writes.ts';

export interface GraphModel {
  readonly version: bigint;
  readonly datasets: readonly GraphDataset[];
}

export interface GraphDataset {
  readonly name: string;
  readonly schema: Schema;
  readonly contract: Contract;
  readonly predictions: readonly GraphPrediction[];
  /** Those that no contract says. */
  readonly relationships?: readonly GraphRelationship[];
  readonly description?: string;
}

/** Rows of another dataset as a field: one (`object`) or all (`array`) of those equal in the columns. */
export interface GraphRelationship {
  readonly name: string;
  readonly kind: 'object' | 'array';
  readonly to: string;
  readonly on: readonly {readonly column: string; readonly toColumn: string}[];
}

/** A deployed model as a field of a dataset's rows. */
export interface GraphPrediction {
  readonly field: string;
  readonly model: string;
  /** The signature of the version the deployment's alias points to. */
  readonly inputs: readonly Field[];
  readonly outputs: readonly Field[];
  /** Model input → SQL expression of the dataset's columns; an input not named is the column of its name. */
  readonly features: Readonly<Record<string, string>>;
}

/** One consistent set of heads for a request; it remembers what was asked of it, for the receipt. */
export interface HeadSet {
  /** @throws DATASET_NOT_FOUND, SNAPSHOT_NOT_FOUND */
  resolve(dataset: string, asOf?: AsOf): Promise<SnapshotRecord>;
}

/** The version a prediction is asked of; without version and alias, the deployment's. `at`: aliases as of a time. */
export interface PredictionPin extends VersionPin {
  readonly at?: Date;
}

export interface Scored {
  /** In the order of the prediction's `outputs`. */
  readonly columns: readonly Column[];
  readonly version: ModelVersionRecord;
}

/** What one request runs with. */
export interface DataContext {
  readonly viewer: Viewer;
  /** The time of the request, the same each time it is asked for; noted for the receipt. */
  now(): Date;
  readonly heads: HeadSet;
  readonly engine: Engine;
  table(snapshot: SnapshotRecord): Promise<Table>;
  /** The version that answers; noted for the receipt. @throws MODEL_VERSION_NOT_FOUND, SIGNATURE_MISMATCH */
  version(dataset: string, prediction: GraphPrediction, pin: PredictionPin): Promise<ModelVersionRecord>;
  /** Outputs of whole files that are kept. */
  readonly scoreFiles: Pick<ScoreFiles, 'kept' | 'of' | 'recheck'>;
  /** Scores rows; the batch's columns stand in the order of `inputs`. @throws MODEL_VERSION_NOT_FOUND, SIGNATURE_MISMATCH */
  score(dataset: string, prediction: GraphPrediction, pin: PredictionPin, batch: ColumnBatch): Promise<Scored>;
  write(request: WriteRequest): Promise<WriteAnswer>;
  /** All heads, for what is told of columns beside their types; without it nothing is. */
  profiles?(): Promise<ReadonlyMap<string, Pick<SnapshotRecord, 'id' | 'profile' | 'rowCount'>>>;
  readonly signal?: AbortSignal;
  /** What is kept of aggregations; without it each is computed. `followed`: it is asked again after each commit. */
  readonly kept?: {readonly aggregates: KeptAggregates; readonly followed: boolean};
  /** What is told of the way to the answer, where the request asks for that. */
  readonly explanation?: Explanation;
}
