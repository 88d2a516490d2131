import {MillraceError} from '../../../../core/errors.ts';
import type {Field} from '../../../../schemas/schema.ts';
import {columnOfValues} from '../../../../inference/values.ts';
import type {Variables} from '../given.ts';
import type {DataContext} from '../graph-model.ts';
import type {PredictionPlan} from '../plan.ts';
import {shownPredictions} from './shown.ts';

/**
 * Predictions of related rows, which stand in lists within a text: each leaves a mark with the features of its row, as text, so that the engine
 * makes the whole answer by one statement. Afterwards all of them are scored together, and what is shown of each takes its mark's place.
 */
export interface InlinePredictions {
  /** Of one statement alone: no value of a row has it. */
  readonly nonce: string;
  readonly plans: readonly Omit<PredictionPlan, 'firstColumn' | 'placeholder'>[];
}

/** The mark as an expression: a text that is one string of JSON. @param features one VARCHAR each */
export const inlineMark = (nonce: string, place: number, features: readonly string[]): string => `'${nonce}~${place}~' || to_json([${features.join(', ')}])::VARCHAR`;

/** The texts with predictions in their places. */
export async function withInline(texts: readonly string[], {nonce, plans}: InlinePredictions, variables: Variables, at: Date | undefined, context: DataContext): Promise<string[]> {
  if (plans.length === 0) return [...texts];
  const mark = new RegExp(`"${nonce}~(\\d+)~((?:[^"\\\\]|\\\\.)*)"`, 'g');
  const rows = plans.map((): (string | null)[][] => []);
  for (const text of texts) for (const [, place, features] of text.matchAll(mark)) rows[Number(place)]!.push(JSON.parse(JSON.parse(`"${features}"`) as string) as (string | null)[]);
  const shown = await Promise.all(plans.map((plan, index) => {
    const of = rows[index]!;
    const columns = plan.prediction.inputs.map((input, place) => columnOfValues(input, of.map(features => valueOf(features[place]!, input)), issue => {
      throw new MillraceError('INTERNAL', {reason: `an input of ${plan.prediction.field} did not come back as it was: ${issue}`});
    }));
    return shownPredictions(plan, {rowCount: of.length, columns}, variables, at, context);
  }));
  const next = plans.map(() => 0);
  return texts.map(text => text.replace(mark, (_, place: string) => shown[Number(place)]![next[Number(place)]!++]!));
}

/** What the engine wrote as text. Numbers have as many digits as tell them from their neighbours. */
function valueOf(text: string | null, {type}: Field): unknown {
  if (text === null || type.kind === 'utf8') return text;
  if (type.kind === 'bool') return text === 'true';
  if (type.kind === 'int') return BigInt(text);
  return text.endsWith('inf') ? (text.startsWith('-') ? -Infinity : Infinity) : Number(text);
}
