import {MillraceError, didYouMean} from '../../../../core/errors.ts';
import {identifier, sqlType} from '../../../../engines/sql-text.ts';
import type {DataType, Field} from '../../../../schemas/schema.ts';
import {Bindings} from '../bindings.ts';
import type {Parameter} from '../bindings.ts';
import type {Given, Variables} from '../given.ts';
import type {GraphPrediction, PredictionPin} from '../graph-model.ts';
import type {DatasetShape} from '../shape.ts';

/** What a prediction is asked with: which version, and inputs replaced. */
export interface PredictionSettings {
  /** The root field's `models`: versions for all predictions of a field that says no other. */
  readonly models?: Given;
  readonly version?: Given;
  readonly alias?: Given;
  readonly set?: Given;
}

/** A prediction whose outputs are columns of a relation, as a statement asks for it. */
export interface AskedPrediction {
  readonly prediction: GraphPrediction;
  readonly settings: PredictionSettings;
  readonly pin: (variables: Variables) => PredictionPin;
  /** SQL of each input over the dataset's columns, in the order of `prediction.inputs`; its own parameters begin at $1. */
  readonly features: readonly string[];
  readonly parameters: readonly Parameter[];
  /** The column that an output is, by the output's place. */
  readonly columns: readonly string[];
}

export function pinOf({model}: GraphPrediction, {models, version, alias}: PredictionSettings): AskedPrediction['pin'] {
  return variables => {
    const own = {version: given<number>(version, variables), alias: given<string>(alias, variables)};
    if (own.version !== undefined || own.alias !== undefined) return own;
    const pin = given<readonly ModelPin[]>(models, variables)?.findLast(candidate => candidate.model === model);
    return {version: pin?.version ?? undefined, alias: pin?.alias ?? undefined};
  };
}

/** One of the argument `models`. */
export interface ModelPin {
  readonly model: string;
  readonly version?: number | null;
  readonly alias?: string | null;
}

/** @throws ARGUMENT_INVALID: a name that is mistyped would silently leave another version in place */
export function refuseUnknownModels(models: Given | undefined, variables: Variables, shapes: Iterable<DatasetShape>): void {
  const pins = given<readonly ModelPin[]>(models, variables) ?? [];
  if (pins.length === 0) return;
  const known = [...shapes].flatMap(({dataset}) => dataset.predictions.map(({model}) => model));
  for (const {model} of pins) {
    if (known.includes(model)) continue;
    const [meant] = didYouMean(model, known);
    throw new MillraceError('ARGUMENT_INVALID', {name: 'models', reason: `no dataset has predictions of a model '${model}'${meant === undefined ? '' : `; did you mean '${meant}'?`}.`});
  }
}

const given = <T>(value: Given | undefined, variables: Variables): T | undefined => (value?.read(variables) as T | null | undefined) ?? undefined;

/** What a field's arguments say of a prediction. */
export const settingsOf = (args: ReadonlyMap<string, Given>, {models}: PredictionSettings): PredictionSettings => ({models, version: args.get('version'), alias: args.get('alias'), set: args.get('set')});

/** The inputs that `set` replaces, by name. */
export const replaced = ({set}: PredictionSettings): ReadonlyMap<string, Given> => new Map(set && !set.isNull ? set.entries() : []);

/** The value that stands for an input, in the input's type. */
export function replacement(value: Given, {name, type}: Field, bindings: Bindings): string {
  return value.isNull ? `NULL::${sqlType(type)}` : `${bindings.value(value, type, `set.${name}`)}::${sqlType(type)}`;
}

/** The expression of a deployment for an input, in the input's type; null where the input is the column of its name. */
export function deployedExpression({features}: GraphPrediction, {name, type}: Field): string | null {
  const expression = features[name];
  return expression === undefined ? null : `(\n${expression}\n)::${sqlType(type)}`;
}

/** @param place of the prediction among those of its relation */
export function ask(prediction: GraphPrediction, settings: PredictionSettings, place: number): AskedPrediction {
  const bindings = new Bindings();
  const set = replaced(settings);
  const features = prediction.inputs.map(input => {
    const value = set.get(input.name);
    return value ? replacement(value, input, bindings) : (deployedExpression(prediction, input) ?? `${identifier(input.name)}::${sqlType(input.type)}`);
  });
  return {prediction, settings, pin: pinOf(prediction, settings), features, parameters: bindings.parameters, columns: prediction.outputs.map((_, output) => `~p${place}_${output}`)};
}

/** What names a prediction with settings, so that one asked twice is scored once. */
export const nameOf = (prediction: GraphPrediction, {version, alias, set}: PredictionSettings): string =>
  [prediction.field, version?.name ?? '', alias?.name ?? '', set?.name ?? ''].join(' ');

/** @throws INTERNAL */
export function outputOf({prediction, columns}: AskedPrediction, name: string): {readonly column: string; readonly type: DataType} {
  const place = prediction.outputs.findIndex(output => output.name === name);
  if (place < 0) throw new MillraceError('INTERNAL', {reason: `${prediction.field} has no output ${name}`});
  return {column: columns[place]!, type: prediction.outputs[place]!.type};
}
