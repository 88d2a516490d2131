import type {ColumnName} from '../../../engines/engine.ts';
import type {AsOf} from '../../../warehouse/warehouse.ts';
import type {Parameter} from './bindings.ts';
import type {DataSchema} from './data-schema.ts';
import type {Given, Variables} from './given.ts';
import type {GraphPrediction} from './graph-model.ts';
import type {Aggregated} from './live/aggregated.ts';
import type {AskedPrediction} from './predictions/asked.ts';
import type {InlinePredictions} from './predictions/inline.ts';
import type {Fragments} from './selection.ts';

/** What root fields are compiled with. Of the variables only their shape matters: see `shapeOfVariables`. */
export interface CompileInput {
  readonly graph: DataSchema;
  readonly fragments: Fragments;
  readonly variables: Variables;
  /** Rows of one list at most. */
  readonly maxRows: number;
  /** For an answer that is streamed: the statement of a list of rows gives row by row, however many there are, as texts or as columns. */
  readonly streamed?: 'texts' | 'columns';
}

/** One SELECT with what to bind to it. */
export interface Statement {
  readonly sql: string;
  readonly parameters: readonly Parameter[];
  /** The datasets it reads, the root's first. */
  readonly datasets: readonly string[];
  /** How often datasets stand in it. */
  readonly uses: number;
  /** What it reads of them, by name. */
  readonly reads: ReadonlyMap<string, DatasetRead>;
  /** Float columns it sums. */
  readonly scaled: readonly {readonly dataset: string; readonly column: string}[];
  /** Of aggregations: how their answers are kept. */
  readonly aggregated?: Aggregated;
  /** Relations with predictions among their columns. */
  readonly predicted: readonly PredictedUse[];
  /** Predictions whose marks stand within its texts. */
  readonly inline: InlinePredictions;
  /** Two relations of one dataset that hold what is not common to two of its states: the one of `from`, and the plan's. */
  readonly changed?: {readonly dataset: string; readonly before: string; readonly after: string; readonly from: (variables: Variables) => AsOf | undefined};
}

export interface DatasetRead {
  readonly columns: ReadonlySet<string>;
  /** A condition on all rows that matter; null where there is none, or the dataset stands in several places. */
  readonly where: Given | null;
}

/** A use of a dataset that has predictions among its columns, under a name of its own. */
export interface PredictedUse {
  readonly relation: string;
  readonly dataset: string;
  /** Whether something is asked of the dataset's own columns. */
  readonly readsColumns: boolean;
  readonly predictions: readonly AskedPrediction[];
  /** `[row id, features of all predictions …]` of the rows that may matter, `mostCandidates` + 1 of them at most; null: all rows may. */
  readonly candidates: Statement | null;
}

/** A root field of the data graph, compiled: good for every request with the same shape of variables. */
export interface FieldPlan {
  readonly key: string;
  readonly dataset: string;
  readonly asOf: (variables: Variables) => AsOf | undefined;
  /** Versions for all its predictions that say no other. */
  readonly models?: Given;
  readonly answer: Answer;
}

export type Answer =
  /** The engine makes the whole text. */
  | {readonly kind: 'text'; readonly statement: Statement; readonly single: boolean}
  /** The engine makes a text and features for each row; predictions are put into the texts. */
  | {readonly kind: 'scored'; readonly rows: ScoredRows; readonly single: boolean}
  /** An object whose parts are computed at once, in the order of the selection. */
  | {readonly kind: 'aggregate'; readonly parts: readonly AggregatePart[]}

  /** The engine makes columns; only for answers that are streamed. */
  | ({readonly kind: 'columns'} & ColumnRows);

export type AggregatePart =
  | {readonly key: string; readonly kind: 'constant'; readonly json: string}
  | {readonly key: string; readonly kind: 'text'; readonly statement: Statement}
  | {readonly key: string; readonly kind: 'scored'; readonly rows: ScoredRows};

/** Rows in order. */
export interface Rows {
  readonly statement: Statement;
  /** The statement without its sort, where that makes no difference to files that hold the rows in the order of their ids. */
  readonly unsorted: Statement | null;
}

/** Rows as columns, with the response keys. */
export interface ColumnRows extends Rows {
  readonly names: readonly ColumnName[];
}

/** Rows as `[text, features…]`. */
export interface ScoredRows extends Rows {
  readonly predictions: readonly PredictionPlan[];
}

export interface PredictionPlan {
  readonly dataset: string;
  readonly prediction: GraphPrediction;
  readonly pin: (variables: Variables) => {version?: number; alias?: string};
  /** Where its features begin among the statement's columns; as many as the prediction has inputs. */
  readonly firstColumn: number;
  /** What stands in the row's text where the prediction belongs, with its quotes. */
  readonly placeholder: string;
  /** What is selected of it, by response key. */
  readonly selected: readonly PredictionPart[];
}

export type PredictionPart =
  | {readonly key: string; readonly kind: 'output'; readonly index: number}
  | {readonly key: string; readonly kind: 'version'}
  | {readonly key: string; readonly kind: 'constant'; readonly json: string};
