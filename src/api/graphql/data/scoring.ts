import {MillraceError} from '../../../core/errors.ts';
import type {ColumnBatch, Query} from '../../../engines/engine.ts';
import type {Variables} from './given.ts';
import type {DataContext, Scored} from './graph-model.ts';
import type {PredictionPlan, ScoredRows} from './plan.ts';
import {columnJson, takeRows} from './column-json.ts';
import {completeRows} from './predictions/complete-rows.ts';

/** Rows scored at once: small enough that the event loop gets its turn between batches. */
const batchRows = 4096;

/** The text of each row with its predictions in their places. */
export async function scoredTexts(rows: ScoredRows, query: Query, variables: Variables, at: Date | undefined, context: DataContext): Promise<string[]> {
  const texts: string[] = [];
  const limit = context.viewer.limits.rows;
  for await (const batch of scoredBatches(rows, query, variables, at, context)) {
    texts.push(...batch);
    if (texts.length > limit) break;
  }
  return texts;
}

/** The same, some rows at a time. `outward`: for a reader elsewhere, who may be slow. */
export async function* scoredBatches(rows: ScoredRows, query: Query, variables: Variables, at: Date | undefined, context: DataContext, outward = false): AsyncGenerator<string[]> {
  for await (const batch of context.engine.columns(query, {batchRows, outward, signal: context.signal})) {
    const made = textsOf(batch);
    const splices = await Promise.all(rows.predictions.map(plan => predictionTexts(plan, batch, variables, at, context)));
    yield Array.from({length: batch.rowCount}, (_, row) => {
      let text = made(row);
      rows.predictions.forEach((plan, index) => {
        // A function, since `$` means something in replacement texts.
        text = text.replace(plan.placeholder, () => splices[index]![row]!);
      });
      return text;
    });
  }
}

function textsOf(batch: ColumnBatch): (row: number) => string {
  const column = batch.columns[0]!;
  if (column.kind !== 'strings') throw new MillraceError('INTERNAL', {reason: 'the engine gave rows that are no text'});
  return row => column.dictionary[column.indices[row]!]!;
}

/** What each row of the batch shows of a prediction: `null` where an input that the model needs is null. */
async function predictionTexts(plan: PredictionPlan, batch: ColumnBatch, variables: Variables, at: Date | undefined, context: DataContext): Promise<string[]> {
  const {prediction} = plan;
  const columns = batch.columns.slice(plan.firstColumn, plan.firstColumn + prediction.inputs.length);
  const complete = completeRows(prediction.inputs, {rowCount: batch.rowCount, columns});
  const texts = new Array<string>(batch.rowCount).fill('null');
  if (complete?.length === 0) return texts;
  const rowCount = complete?.length ?? batch.rowCount;
  // Copies: whoever scores a batch owns it, and several predictions may have a column in common.
  const scored = await context.score(plan.dataset, prediction, {...plan.pin(variables), at}, {rowCount, columns: columns.map(column => takeRows(column, complete))});
  const show = shown(plan, scored);
  for (let index = 0; index < rowCount; index++) texts[complete?.[index] ?? index] = show(index);
  return texts;
}

function shown(plan: PredictionPlan, scored: Scored): (row: number) => string {
  const parts = plan.selected.map(part => {
    const key = `${JSON.stringify(part.key)}:`;
    if (part.kind === 'output') {
      const json = columnJson(scored.columns[part.index]!);
      return (row: number) => key + json(row);
    }
    const constant = key + (part.kind === 'version' ? scored.version.number : part.json);
    return () => constant;
  });
  return row => `{${parts.map(part => part(row)).join(',')}}`;
}

