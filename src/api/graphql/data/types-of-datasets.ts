import {GraphQLID, GraphQLInputObjectType, GraphQLObjectType} from 'graphql';
import type {GraphQLFieldMap, GraphQLNamedType} from 'graphql';
import {MillraceError} from '../../../core/errors.ts';
import {typeName} from '../../../schemas/schema.ts';
import type {DataType, Field} from '../../../schemas/schema.ts';
import {datasetTypes} from './dataset-types.ts';
import type {DatasetTypes, TypeWorld} from './dataset-types.ts';
import type {GraphPrediction} from './graph-model.ts';
import {problemsOf, reachable} from './lazy-schema.ts';
import type {RootTypes} from './lazy-schema.ts';
import {modelPin, predictionTypes} from './predictions/types.ts';
import type {PredictionTypes} from './predictions/types.ts';
import type {RootOperation} from './roots.ts';
import {connected, shapesOf} from './shape.ts';
import type {DatasetShape} from './shape.ts';

/** A dataset's types, as far as they were needed. */
interface Made {
  readonly types: DatasetTypes;
  /** Root types with its own fields only. */
  readonly roots: RootTypes;
  /** By name, those it shares with others included. */
  reached?: Map<string, GraphQLNamedType>;
}

/** The types of all datasets of one version of the graph, each made when it is first asked for; those of unchanged datasets are the previous version's. */
export class TypesOfDatasets {
  private readonly made = new Map<string, Made>();
  private readonly predictions: PredictionNames;
  private readonly world: TypeWorld;
  /** Datasets whose rows are listed in others' rows: some of their types are used there only. */
  private readonly listed: ReadonlySet<string>;

  /** @param stale datasets whose types cannot stay */
  constructor(
    private readonly shapes: ReadonlyMap<string, DatasetShape>,
    asOf: GraphQLInputObjectType,
    previous: TypesOfDatasets | null,
    stale: ReadonlySet<string>,
  ) {
    this.listed = new Set([...shapes.values()].flatMap(({relationships}) => relationships.filter(([, {kind}]) => kind === 'array').map(([, {to}]) => to)));
    this.predictions = new PredictionNames(shapes, previous?.predictions ?? null, stale);
    // What was made refers to its neighbours, by the version it was made in: so it stays only together with them.
    if (previous) for (const [name, made] of previous.made) if (shapes.has(name) && !stale.has(name)) this.made.set(name, made);
    this.world = {
      types: name => this.get(name)!, shape: name => this.shapes.get(name)!, asOf, prediction: (dataset, {field}) => this.predictions.types(dataset, field),
      predicts: dataset => [...connected(shapes, [dataset])].some(name => (shapes.get(name)?.dataset.predictions.length ?? 0) > 0),
    };
  }

  get(dataset: string): DatasetTypes | undefined {
    return this.of(dataset)?.types;
  }

  rootFields(dataset: string, operation: RootOperation): GraphQLFieldMap<unknown, unknown> {
    return this.of(dataset)?.roots[operation]?.getFields() ?? {};
  }

  type(name: string): GraphQLNamedType | undefined {
    for (const owner of prefixes(name)) {
      const found = this.shapes.has(owner) ? this.reached(owner).get(name) : undefined;
      if (found) return found;
    }
    const deployed = this.predictions.user(name);
    const found = (deployed === undefined ? undefined : this.reached(deployed).get(name)) ?? sharedTypes().get(name);
    if (found) return found;
    for (const {reached} of this.made.values()) if (reached?.has(name)) return reached.get(name);
    return undefined;
  }

  *typeNames(): Iterable<string> {
    for (const dataset of this.shapes.keys()) yield* this.reached(dataset).keys();
  }

  /** @throws INTERNAL when the dataset's types are not valid */
  check(dataset: string): void {
    const problems = problemsOf(this.of(dataset)!.roots, this.reached(dataset));
    if (problems.length > 0) throw new MillraceError('INTERNAL', {reason: `the new schema is not valid: ${problems.map(({message}) => message).join(' ')}`});
  }

  private of(dataset: string): Made | undefined {
    const known = this.made.get(dataset);
    if (known) return known;
    const shape = this.shapes.get(dataset);
    if (!shape) return undefined;
    const types = datasetTypes(shape, this.world);
    const {query, mutation, subscription} = types.roots;
    const rootOf = (name: string, fields: typeof query) => (Object.keys(fields).length > 0 ? new GraphQLObjectType({name, fields}) : null);
    const made = {types, roots: {query: new GraphQLObjectType({name: 'Query', fields: query}), mutation: rootOf('Mutation', mutation), subscription: rootOf('Subscription', subscription)}};
    this.made.set(dataset, made);
    return made;
  }

  /** The types that a dataset's root fields reach, but for those of other datasets. */
  reached(dataset: string): ReadonlyMap<string, GraphQLNamedType> {
    const made = this.of(dataset)!;
    if (made.reached) return made.reached;
    const {aggregateBoolExp, aggregateOrderBy} = made.types;
    const besides = this.listed.has(dataset) ? [aggregateBoolExp, aggregateOrderBy] : [];
    const begin = Object.values(made.roots).filter(root => root !== null);
    made.reached = reachable([...begin, ...besides], type => {
      const owner = this.predictions.user(type.name) !== undefined ? undefined : prefixes(type.name).find(prefix => this.shapes.has(prefix));
      return owner === undefined || owner === dataset;
    });
    for (const type of besides) made.reached.set(type.name, type);
    return made.reached;
  }
}

/** `a_b_c`, `a_b`, `a`: whose name a generated name may begin with, longest first. */
function prefixes(name: string): string[] {
  const found = [name];
  for (let end = name.lastIndexOf('_'); end > 0; end = name.lastIndexOf('_', end - 1)) found.push(name.slice(0, end));
  return found;
}

/** The names of predictions' types: the model's, and the dataset's own where one model has several signatures. */
class PredictionNames {
  private readonly names = new Map<string, string>();
  private readonly users = new Map<string, string>();
  private readonly entries = new Map<string, {readonly signature: string; readonly prediction: GraphPrediction; types?: PredictionTypes}>();

  constructor(shapes: ReadonlyMap<string, DatasetShape>, previous: PredictionNames | null, stale: ReadonlySet<string>) {
    const all = [...shapes.values()].flatMap(({name: dataset, dataset: {predictions}}) => predictions.map(prediction => ({dataset, prediction})));
    // Types in use keep their names; the others choose after them.
    for (const {dataset, prediction} of all) {
      const name = stale.has(dataset) ? undefined : previous?.names.get(placeOf(dataset, prediction.field));
      if (name !== undefined) this.take(name, dataset, prediction, previous);
    }
    for (const {dataset, prediction} of all) {
      if (this.names.has(placeOf(dataset, prediction.field))) continue;
      const signature = signatureOf(prediction);
      const free = [prediction.model, `${dataset}__${prediction.field}`].find(name => (this.entries.get(name)?.signature ?? signature) === signature);
      this.take(free ?? `${dataset}__${prediction.field}`, dataset, prediction, previous);
    }
  }

  /** A dataset with a field of a prediction's type. */
  user(type: string): string | undefined {
    const name = this.entries.size === 0 ? undefined : prefixes(type).find(prefix => this.entries.has(prefix));
    return name === undefined ? undefined : this.users.get(name);
  }

  types(dataset: string, field: string): PredictionTypes {
    const name = this.names.get(placeOf(dataset, field))!;
    const entry = this.entries.get(name)!;
    return (entry.types ??= predictionTypes(name, entry.prediction));
  }

  private take(name: string, dataset: string, prediction: GraphPrediction, previous: PredictionNames | null): void {
    this.names.set(placeOf(dataset, prediction.field), name);
    this.users.set(name, dataset);
    if (this.entries.has(name)) return;
    const before = previous?.entries.get(name);
    const signature = signatureOf(prediction);
    this.entries.set(name, before?.signature === signature ? before : {signature, prediction});
  }
}

const placeOf = (dataset: string, field: string): string => `${dataset}.${field}`;

const signatureOf = (prediction: GraphPrediction): string =>
  JSON.stringify([prediction.inputs, prediction.outputs].map(fields => fields.map(({name, type, nullable}) => [name, typeName(type), nullable])));

/** Types that all datasets share: those of a dataset with columns of every kind that are not its own. */
const sharedTypes = (() => {
  let known: Map<string, GraphQLNamedType> | null = null;
  const types: readonly DataType[] = [
    {kind: 'bool'}, {kind: 'int', bits: 32, signed: true}, {kind: 'int', bits: 64, signed: true}, {kind: 'float', bits: 64}, {kind: 'decimal', precision: 18, scale: 2}, {kind: 'utf8'}, {kind: 'binary'},
    {kind: 'json'}, {kind: 'timestamp', zoned: true}, {kind: 'timestamp', zoned: false}, {kind: 'uuid'}, {kind: 'date'}, {kind: 'time'}, {kind: 'interval'},
  ];
  const lists = types.map((type): DataType => ({kind: 'list', element: {id: 0, name: 'element', type, nullable: true}}));
  return (): ReadonlyMap<string, GraphQLNamedType> => {
    if (known) return known;
    const fields = [...types, ...lists].map((type, id): Field => ({id, name: `c${id}`, type, nullable: true}));
    const shapes = shapesOf({version: 0n, datasets: [{name: 'sample', schema: {fields}, contract: {key: ['c1'], writes: ['insert', 'update', 'delete']}, predictions: []}]});
    const asOf = new GraphQLInputObjectType({name: 'AsOf', fields: {snapshot: {type: GraphQLID}}});
    const reached = new TypesOfDatasets(shapes, asOf, null, new Set()).reached('sample');
    known = new Map([...reached].filter(([name]) => name !== asOf.name && !prefixes(name).includes('sample')));
    known.set(modelPin.name, modelPin);
    return known;
  };
})();
