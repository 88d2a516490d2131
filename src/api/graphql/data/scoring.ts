import {MillraceError} from '../../../core/errors.ts';
import type {ColumnBatch, Query} from '../../../engines/engine.ts';
import type {Variables} from './given.ts';
import type {DataContext} from './graph-model.ts';
import type {PredictionPlan, ScoredRows} from './plan.ts';
import {withInline} from './predictions/inline.ts';
import {shownPredictions} from './predictions/shown.ts';

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
    const texts = Array.from({length: batch.rowCount}, (_, row) => {
      let text = made(row);
      rows.predictions.forEach((plan, index) => {
        // A function, since `$` means something in replacement texts.
        text = text.replace(plan.placeholder, () => splices[index]![row]!);
      });
      return text;
    });
    yield await withInline(texts, rows.statement.inline, variables, at, context);
  }
}

function textsOf(batch: ColumnBatch): (row: number) => string {
  const column = batch.columns[0]!;
  if (column.kind !== 'strings') throw new MillraceError('INTERNAL', {reason: 'the engine gave rows that are no text'});
  return row => column.dictionary[column.indices[row]!]!;
}

function predictionTexts(plan: PredictionPlan, {rowCount, columns}: ColumnBatch, variables: Variables, at: Date | undefined, context: DataContext): Promise<string[]> {
  return shownPredictions(plan, {rowCount, columns: columns.slice(plan.firstColumn, plan.firstColumn + plan.prediction.inputs.length)}, variables, at, context);
}
