import type {ColumnBatch} from '../../../../engines/engine.ts';
import {columnJson, takeRows} from '../column-json.ts';
import type {Variables} from '../given.ts';
import type {DataContext, Scored} from '../graph-model.ts';
import type {PredictionPlan} from '../plan.ts';
import {completeRows} from './complete-rows.ts';

/** What each row of the batch shows of a prediction: `null` where an input that the model needs is null. The columns are its inputs. */
export async function shownPredictions(plan: Omit<PredictionPlan, 'firstColumn' | 'placeholder'>, batch: ColumnBatch, variables: Variables, at: Date | undefined, context: DataContext): Promise<string[]> {
  const {prediction} = plan;
  const {columns} = batch;
  const complete = completeRows(prediction.inputs, batch);
  const texts = new Array<string>(batch.rowCount).fill('null');
  if (batch.rowCount === 0 || complete?.length === 0) return texts;
  const rowCount = complete?.length ?? batch.rowCount;
  // Copies: whoever scores a batch owns it, and several predictions may have a column in common.
  const scored = await context.score(plan.dataset, prediction, {...plan.pin(variables), at}, {rowCount, columns: columns.map(column => takeRows(column, complete))});
  const show = shown(plan, scored);
  for (let index = 0; index < rowCount; index++) texts[complete?.[index] ?? index] = show(index);
  return texts;
}

function shown(plan: Pick<PredictionPlan, 'selected'>, scored: Scored): (row: number) => string {
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

