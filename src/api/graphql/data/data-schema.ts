import {GraphQLID, GraphQLInputObjectType, GraphQLObjectType, GraphQLScalarType, GraphQLSchema, validateSchema} from 'graphql';
import type {GraphQLError, GraphQLFieldConfigMap, GraphQLInputObjectType as InputObject} from 'graphql';
import {MillraceError} from '../../../core/errors.ts';
import {typeName} from '../../../schemas/schema.ts';
import {datasetTypes, predictionTypes} from './dataset-types.ts';
import type {DatasetTypes, TypeWorld} from './dataset-types.ts';
import type {GraphModel, GraphPrediction} from './graph-model.ts';
import {connected, shapesOf} from './shape.ts';
import type {DatasetShape} from './shape.ts';

/** What a root field of the query type that belongs to the data graph asks for. */
export interface DataRoot {
  readonly kind: 'rows' | 'byPk' | 'aggregate';
  readonly dataset: string;
}

/** One version of the graph: the schema clients see, and what its data fields mean. Immutable; a swap makes another. */
export interface DataSchema {
  readonly version: bigint;
  readonly schema: GraphQLSchema;
  readonly core: GraphQLSchema;
  readonly shapes: ReadonlyMap<string, DatasetShape>;
  readonly roots: ReadonlyMap<string, DataRoot>;
  readonly types: ReadonlyMap<string, DatasetTypes>;
  readonly asOf: InputObject;
  readonly predictions: ReadonlyMap<string, PredictionEntry>;
}

interface PredictionEntry {
  readonly signature: string;
  readonly types: {readonly output: GraphQLObjectType; readonly set: InputObject | null};
}

/** Time comes from the core's `AsOf` where it has one, so that core and data fields take the same value. */
function asOfInput(core: GraphQLSchema): InputObject {
  const known = core.getType('AsOf');
  if (known) return known as InputObject;
  const dateTime = (core.getType('DateTime') as GraphQLScalarType | undefined) ?? new GraphQLScalarType({name: 'DateTime', description: 'An instant, in ISO 8601.'});
  return new GraphQLInputObjectType({
    name: 'AsOf',
    description: 'An earlier state: a snapshot, a commit time, or what a run saw and made.',
    isOneOf: true,
    fields: {snapshot: {type: GraphQLID}, time: {type: dateTime}, run: {type: GraphQLID}},
  });
}

/** Adds the fields of all datasets to the core's query type. @throws INTERNAL when the schema would not be valid. */
export function buildDataSchema(model: GraphModel, core: GraphQLSchema): DataSchema {
  return assemble(model, core, asOfInput(core), null, new Set(model.datasets.map(({name}) => name)));
}

/**
 * The schema for a newer model. Only the changed datasets, and those related with them, get new types; `previous` stays usable, so
 * operations that began on it finish on it, and it goes on serving when this throws.
 */
export function swapDataSchema(previous: DataSchema, model: GraphModel): DataSchema {
  const before = previous.shapes;
  const changed = new Set<string>();
  for (const dataset of model.datasets) if (before.get(dataset.name)?.dataset !== dataset && !sameDataset(before.get(dataset.name)?.dataset, dataset)) changed.add(dataset.name);
  const names = new Set(model.datasets.map(({name}) => name));
  for (const name of before.keys()) if (!names.has(name)) changed.add(name);
  if (changed.size === 0) return {...previous, version: model.version, shapes: shapesOf(model)};
  return assemble(model, previous.core, previous.asOf, previous, changed);
}

/** Equal in all that types are made of. Bigints never occur in a dataset's description, so its JSON text tells. */
const sameDataset = (a: unknown, b: unknown): boolean => a !== undefined && JSON.stringify(a) === JSON.stringify(b);

function assemble(model: GraphModel, core: GraphQLSchema, asOf: InputObject, previous: DataSchema | null, changed: ReadonlySet<string>): DataSchema {
  const shapes = shapesOf(model);
  // A relationship that is gone connects datasets in the old shapes only, a new one in the new shapes only.
  const stale = previous ? connected(shapes, connected(previous.shapes, changed)) : changed;
  const types = new Map<string, DatasetTypes>();
  const predictions = new Map<string, PredictionEntry>(previous?.predictions);
  if (previous) {
    for (const [name, known] of previous.types) if (shapes.has(name) && !stale.has(name)) types.set(name, known);
    forgetPredictions(predictions, types, shapes, model);
  }
  const world: TypeWorld = {types: name => types.get(name)!, asOf, prediction: (dataset, prediction) => predictionOf(predictions, dataset, prediction)};
  const made: DatasetTypes[] = [];
  for (const [name, shape] of shapes) {
    if (types.has(name)) continue;
    const one = datasetTypes(shape, world);
    types.set(name, one);
    made.push(one);
  }
  const roots = new Map<string, DataRoot>();
  const fields: GraphQLFieldConfigMap<unknown, unknown> = {...core.getQueryType()?.toConfig().fields};
  for (const name of shapes.keys()) {
    for (const [field, kind] of [[name, 'rows'], [`${name}_by_pk`, 'byPk'], [`${name}_aggregate`, 'aggregate']] as const) {
      if (fields[field]) throw new MillraceError('NAME_TAKEN', {name: field, by: 'another field of the graph', suggestion: `${name}_data`});
      roots.set(field, {kind, dataset: name});
      fields[field] = types.get(name)!.roots[field]!;
    }
  }
  const whole = made.length === shapes.size;
  if (!whole) validateChanged(made);
  const config = core.toConfig();
  const schema = new GraphQLSchema({
    ...config,
    query: new GraphQLObjectType({...(core.getQueryType()?.toConfig() ?? {name: 'Query'}), fields}),
    types: config.types.filter(type => type !== core.getQueryType()),
    assumeValid: !whole,
  });
  if (whole) refuseProblems(validateSchema(schema));
  return {version: model.version, schema, core, shapes, roots, types, asOf, predictions};
}

/** The whole is assumed valid, so what is new is validated on its own. */
function validateChanged(made: readonly DatasetTypes[]): void {
  if (made.length === 0) return;
  const fields: GraphQLFieldConfigMap<unknown, unknown> = Object.assign({}, ...made.map(({roots}) => roots));
  refuseProblems(validateSchema(new GraphQLSchema({query: new GraphQLObjectType({name: 'Query', fields})})));
}

function refuseProblems(problems: readonly GraphQLError[]): void {
  if (problems.length > 0) throw new MillraceError('INTERNAL', {reason: `the new schema is not valid: ${problems.map(({message}) => message).join(' ')}`});
}

const signatureOf = (prediction: GraphPrediction): string =>
  JSON.stringify([prediction.inputs, prediction.outputs].map(fields => fields.map(({name, type, nullable}) => [name, typeName(type), nullable])));

function predictionOf(entries: Map<string, PredictionEntry>, dataset: string, prediction: GraphPrediction): PredictionEntry['types'] {
  const signature = signatureOf(prediction);
  for (const name of [prediction.model, `${dataset}__${prediction.field}`]) {
    const entry = entries.get(name);
    if (entry?.signature === signature) return entry.types;
    if (entry) continue;
    const types = predictionTypes(name, prediction);
    entries.set(name, {signature, types});
    return types;
  }
  throw new MillraceError('INTERNAL', {reason: `the prediction ${dataset}.${prediction.field} has no name for its type`});
}

/** Drops prediction types that no dataset with kept types uses: a new signature may take the model's name again. */
function forgetPredictions(entries: Map<string, PredictionEntry>, kept: ReadonlyMap<string, DatasetTypes>, shapes: ReadonlyMap<string, DatasetShape>, model: GraphModel): void {
  if (entries.size === 0) return;
  const used = new Set<string>();
  for (const dataset of model.datasets) {
    if (!kept.has(dataset.name) || !shapes.has(dataset.name)) continue;
    for (const prediction of dataset.predictions) {
      const signature = signatureOf(prediction);
      for (const name of [prediction.model, `${dataset.name}__${prediction.field}`]) {
        if (entries.get(name)?.signature === signature) used.add(name);
      }
    }
  }
  for (const name of entries.keys()) if (!used.has(name)) entries.delete(name);
}
