import type {Beside, Column, Query, Table} from '../../../../engines/engine.ts';
import type {ModelVersionRecord} from '../../../../models/models.ts';
import type {TableScoring} from '../../../../models/score-files.ts';
import type {Variables} from '../given.ts';
import type {DataContext} from '../graph-model.ts';
import type {PredictedUse} from '../plan.ts';
import type {AskedPrediction} from './asked.ts';
import {fewBesideKept, manyRows, mostCandidates} from './candidates.ts';
import {emptyColumn, scoreComplete} from './complete-rows.ts';

/** What a request knows when a use of a dataset gets its predictions. */
export interface PredictedInput {
  readonly use: PredictedUse;
  /** The dataset, with row ids, as the statement reads it. */
  readonly table: Table;
  readonly variables: Variables;
  /** Aliases as of a time. */
  readonly at: Date | undefined;
  readonly context: DataContext;
  readonly candidates: () => Promise<Query | null>;
  /** Values of parameters that `set` binds. */
  readonly params: (asked: AskedPrediction) => Query['params'];
}

export const versionOf = ({dataset}: Pick<PredictedUse, 'dataset'>, {prediction, pin}: AskedPrediction, variables: Variables, at: Date | undefined, context: DataContext): Promise<ModelVersionRecord> =>
  context.version(dataset, prediction, {...pin(variables), at});

/**
 * The table with the outputs of predictions as further columns. Where only few rows can matter, these alone are scored. Otherwise outputs are
 * read from what is kept for all its files; where it is not, whole files are scored, and what comes out is kept.
 */
export async function predictedTable(input: PredictedInput): Promise<Table> {
  const {use, context, variables, at, params} = input;
  const table: Table = {...input.table, ...(use.readsColumns ? {} : {schema: {fields: []}})};
  const {scoreFiles, signal} = context;
  const scorings = await Promise.all(use.predictions.map(async (asked): Promise<TableScoring> => {
    const {prediction, pin, features} = asked;
    const version = await versionOf(use, asked, variables, at, context);
    return {
      dataset: use.dataset, table: input.table, features, params: params(asked) ?? [], outputs: prediction.outputs, fingerprint: version.fingerprint, batchRows: version.settings.batchRows,
      score: batch => scoreComplete(prediction.inputs, prediction.outputs, batch, async complete => (await context.score(use.dataset, prediction, {...pin(variables), at}, complete)).columns),
    };
  }));
  const kept = await Promise.all(scorings.map(scoring => scoreFiles.kept(scoring)));
  const isKept = kept.every(files => files !== null);
  if (!isKept || table.files.reduce((sum, {rowCount}) => sum + rowCount, 0) > manyRows) {
    const rows = await scoredCandidates(input, scorings, isKept ? fewBesideKept : mostCandidates);
    if (rows) return {...table, beside: [rows]};
  }
  const beside: Beside[] = [];
  for (const [index, scoring] of scorings.entries()) beside.push({kind: 'files', files: kept[index] ?? (await scoreFiles.of(scoring, signal)), columns: columnsOf(use.predictions[index]!)});
  return {...table, beside};
}

const columnsOf = ({prediction, columns}: AskedPrediction) => prediction.outputs.map(({name, type}, index) => ({name: columns[index]!, from: name, type}));

/** Null where they are too many, or nothing tells which they are. */
async function scoredCandidates({use, candidates, context}: PredictedInput, scorings: readonly TableScoring[], most: number): Promise<Beside | null> {
  const query = await candidates();
  if (!query) return null;
  for await (const batch of context.engine.columns(query, {batchRows: most + 1, signal: context.signal})) {
    if (batch.rowCount > most) return null;
    const [ids, ...features] = batch.columns;
    const rowIds = (ids as Extract<Column, {kind: 'numbers'}>).values as BigInt64Array;
    let first = 0;
    const parts = use.predictions.map(({prediction: {inputs}}) => features.slice(first, (first += inputs.length)));
    const scored = await Promise.all(scorings.map(({score}, index) => score({rowCount: batch.rowCount, columns: parts[index]!})));
    const columns = use.predictions.flatMap((asked, index) => columnsOf(asked).map((column, output) => ({...column, values: scored[index]![output]!})));
    return {kind: 'rows', rowIds, columns};
  }
  const columns = use.predictions.flatMap((asked, index) => columnsOf(asked).map((column, output) => ({...column, values: emptyColumn(scorings[index]!.outputs[output]!)})));
  return {kind: 'rows', rowIds: new BigInt64Array(0), columns};
}
