import {GraphQLID, GraphQLInputObjectType, GraphQLObjectType, GraphQLScalarType} from 'graphql';
import type {GraphQLField, GraphQLInputObjectType as InputObject, GraphQLSchema} from 'graphql';
import {MillraceError} from '../../../core/errors.ts';
import type {GraphModel} from './graph-model.ts';
import {LazyObjectType, lazyRecord, LazySchema} from './lazy-schema.ts';
import {rootsOf} from './roots.ts';
import type {DataRoot, FollowedRoot, RootOperation, Roots, WriteRoot} from './roots.ts';
import {connected, shapesOf} from './shape.ts';
import type {DatasetShape} from './shape.ts';
import {TypesOfDatasets} from './types-of-datasets.ts';

/** One version of the graph: the schema clients see, and what its data fields mean. Immutable; a swap makes another. */
export interface DataSchema {
  readonly version: bigint;
  /** Types of a dataset are made when they are first asked for. */
  readonly schema: GraphQLSchema;
  readonly core: GraphQLSchema;
  readonly shapes: ReadonlyMap<string, DatasetShape>;
  readonly roots: {readonly [Operation in RootOperation]: ReadonlyMap<string, Roots[Operation][string]>};
  readonly types: TypesOfDatasets;
  readonly asOf: InputObject;
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
  if (changed.size === 0) return {...previous, version: model.version, shapes: shapesOf(model, before)};
  return assemble(model, previous.core, previous.asOf, previous, changed);
}

/** Equal in all that types are made of. Bigints never occur in a dataset's description, so its JSON text tells. */
const sameDataset = (a: unknown, b: unknown): boolean => a !== undefined && JSON.stringify(a) === JSON.stringify(b);

function assemble(model: GraphModel, core: GraphQLSchema, asOf: InputObject, previous: DataSchema | null, changed: ReadonlySet<string>): DataSchema {
  const shapes = shapesOf(model, previous?.shapes);
  // A relationship that is gone connects datasets in the old shapes only, a new one in the new shapes only.
  const stale = previous ? connected(shapes, connected(previous.shapes, changed)) : changed;
  const types = new TypesOfDatasets(shapes, asOf, previous?.types ?? null, stale);
  const roots = {query: new Map<string, DataRoot>(), mutation: new Map<string, WriteRoot>(), subscription: new Map<string, FollowedRoot>()};
  for (const shape of shapes.values()) {
    const {query, mutation, subscription} = rootsOf(shape);
    for (const [field, root] of Object.entries(query)) roots.query.set(field, root);
    for (const [field, root] of Object.entries(mutation)) roots.mutation.set(field, root);
    for (const [field, root] of Object.entries(subscription)) roots.subscription.set(field, root);
  }
  const schema = new LazySchema(
    {...core.toConfig(), assumeValid: true},
    {
      query: rootType('query', core.getQueryType() ?? {name: 'Query'}, roots.query, types)!,
      mutation: rootType('mutation', core.getMutationType() ?? {name: 'Mutation'}, roots.mutation, types),
      subscription: rootType('subscription', core.getSubscriptionType() ?? {name: 'Subscription'}, roots.subscription, types),
    },
    () => types.typeNames(),
    name => types.type(name),
  );
  // Without a previous graph each is checked when it is first used: starting does not wait for what nobody asks for.
  if (previous) for (const name of changed) if (shapes.has(name)) types.check(name);
  return {version: model.version, schema, core, shapes, roots, types, asOf};
}

/** @throws NAME_TAKEN when a dataset would have a field of the core */
function rootType(operation: RootOperation, base: GraphQLObjectType | {readonly name: string}, roots: ReadonlyMap<string, FollowedRoot | WriteRoot>, types: TypesOfDatasets): GraphQLObjectType | null {
  const fields = base instanceof GraphQLObjectType ? base.getFields() : {};
  for (const name of roots.keys()) if (fields[name]) throw new MillraceError('NAME_TAKEN', {name, by: 'another field of the graph', suggestion: `${name}_data`});
  if (roots.size === 0) return base instanceof GraphQLObjectType ? base : null;
  const find = (name: string): GraphQLField<unknown, unknown> | undefined => {
    const root = roots.get(name);
    return root ? types.rootFields(root.dataset, operation)[name] : fields[name];
  };
  return new LazyObjectType(base, lazyRecord(function* () {
    yield* Object.keys(fields);
    yield* roots.keys();
  }, find));
}
