import type {DataType, Field} from '../../../schemas/schema.ts';
import type {GraphDataset, GraphModel, GraphPrediction} from './graph-model.ts';

/** What a name in a selection, a filter or an ordering of a dataset's rows stands for. */
export type Member =
  | {readonly kind: 'rowId'}
  /** The row's place in the order of the list it stands in. */
  | {readonly kind: 'cursor'}
  | {readonly kind: 'column'; readonly field: Field}
  | ({readonly kind: 'object'} & Relationship)
  | ({readonly kind: 'array'} & Relationship)
  /** Aggregates of the rows of an array relationship. */
  | ({readonly kind: 'arrayAggregate'} & Relationship)
  | {readonly kind: 'prediction'; readonly prediction: GraphPrediction};

/** `object`: at most one row of `to`, the first by `_row_id` where several are equal in its columns; `array`: all of them. */
export interface Relationship {
  /** Name of the other dataset. */
  readonly to: string;
  /** Columns that are equal in related rows; nulls are related with nothing. */
  readonly on: readonly ColumnPair[];
  /** Whether several rows of `to` may be equal in its columns, and only the first is meant. */
  readonly first: boolean;
}

export interface ColumnPair {
  readonly column: string;
  readonly toColumn: string;
}

/** A dataset as the graph shows it. */
export interface DatasetShape {
  readonly dataset: GraphDataset;
  readonly name: string;
  readonly members: ReadonlyMap<string, Member>;
  /** Those declared, also where a column has the name. */
  readonly relationships: readonly (readonly [name: string, {readonly kind: 'object' | 'array'} & Relationship])[];
  /** The columns `_by_pk` asks for; null where rows are only known by `_row_id`. */
  readonly key: readonly Field[] | null;
}

export const rowId = '_row_id';

/** Types that GraphQL shows as objects. */
export const isObject = (type: DataType): type is Extract<DataType, {kind: 'struct' | 'map'}> => type.kind === 'struct' || type.kind === 'map';

/** The innermost element type of lists of lists. */
export const elementOf = (type: DataType): DataType => (type.kind === 'list' ? elementOf(type.element.type) : type);

/**
 * The shape of every dataset. Where names meet, a column wins over a relationship, and both over a prediction: what the data says
 * does not change when something is declared beside it. A shape that would be equal to its `previous` one is that one.
 */
export function shapesOf(model: GraphModel, previous: ReadonlyMap<string, DatasetShape> = new Map()): Map<string, DatasetShape> {
  const byName = new Map(model.datasets.map(dataset => [dataset.name, dataset]));
  const arrays = new Map<string, {from: GraphDataset; column: string; toColumn: string}[]>();
  for (const from of model.datasets) {
    for (const {column, references} of from.contract.foreignKeys ?? []) {
      const toColumn = singleKey(byName.get(references));
      if (!toColumn || !hasColumn(from, column)) continue;
      const list = arrays.get(references) ?? [];
      list.push({from, column, toColumn});
      arrays.set(references, list);
    }
  }
  return new Map(model.datasets.map(dataset => [dataset.name, shapeOf(dataset, byName, arrays.get(dataset.name) ?? [], previous.get(dataset.name))]));
}

function shapeOf(dataset: GraphDataset, byName: ReadonlyMap<string, GraphDataset>, referring: readonly {from: GraphDataset; column: string; toColumn: string}[], previous: DatasetShape | undefined): DatasetShape {
  const relationships: [name: string, {readonly kind: 'object' | 'array'} & Relationship][] = [];
  for (const {column, references, as} of dataset.contract.foreignKeys ?? []) {
    const toColumn = singleKey(byName.get(references));
    if (toColumn && hasColumn(dataset, column)) relationships.push([as ?? relationshipName(column, references), {kind: 'object', to: references, on: [{column, toColumn}], first: false}]);
  }
  for (const {from, column, toColumn} of referring) {
    const alone = referring.filter(other => other.from === from).length === 1;
    relationships.push([alone ? from.name : `${from.name}_by_${column}`, {kind: 'array', to: from.name, on: [{column: toColumn, toColumn: column}], first: false}]);
  }
  for (const {name, kind, to, on} of dataset.relationships ?? []) {
    const other = byName.get(to);
    if (!other || !on.every(({column, toColumn}) => hasColumn(dataset, column) && hasColumn(other, toColumn))) continue;
    const key = other.contract.key ?? [];
    const unique = key.length > 0 && key.every(column => on.some(({toColumn}) => toColumn === column));
    relationships.push([name, {kind, to, on, first: kind === 'object' && !unique}]);
  }
  if (previous?.dataset === dataset && JSON.stringify(previous.relationships) === JSON.stringify(relationships)) return previous;
  const members = new Map<string, Member>([[rowId, {kind: 'rowId'}]]);
  const add = (name: string, member: Member) => {
    if (!members.has(name)) members.set(name, member);
  };
  for (const field of dataset.schema.fields) add(field.name, {kind: 'column', field});
  for (const [name, member] of relationships) add(name, member);
  for (const [name, member] of relationships) if (member.kind === 'array' && members.get(name) === member) add(`${name}_aggregate`, {...member, kind: 'arrayAggregate'});
  for (const prediction of dataset.predictions) add(prediction.field, {kind: 'prediction', prediction});
  add('_cursor', {kind: 'cursor'});
  const key = dataset.contract.key?.map(name => dataset.schema.fields.find(field => field.name === name));
  return {dataset, name: dataset.name, members, relationships, key: key?.length && key.every(field => field !== undefined) ? key : null};
}

/** The predictions that are members: others have a name that something else has. */
export const predictionsOf = ({members}: Pick<DatasetShape, 'members'>): readonly GraphPrediction[] => [...members.values()].flatMap(member => (member.kind === 'prediction' ? [member.prediction] : []));

const hasColumn = (dataset: GraphDataset, name: string): boolean => dataset.schema.fields.some(field => field.name === name);

function singleKey(dataset: GraphDataset | undefined): string | null {
  const key = dataset?.contract.key;
  return key?.length === 1 && hasColumn(dataset!, key[0]!) ? key[0]! : null;
}

/** `airport_id` → `airport`; `origin` referring to `airports` → `origin_airport`. */
function relationshipName(column: string, references: string): string {
  if (/._id$/.test(column)) return column.slice(0, -3);
  const one = references.endsWith('ies') ? `${references.slice(0, -3)}y` : references.replace(/s$/, '');
  return column === one ? `${column}_row` : `${column}_${one}`;
}

/** The condition that two rows are related. */
export const linked = ({on}: Relationship, from: (column: string) => string, to: (column: string) => string): string => on.map(({column, toColumn}) => `${to(toColumn)} = ${from(column)}`).join(' AND ');

/** Datasets whose types hold each other, directly or over others: what has to be built anew together. */
export function connected(shapes: ReadonlyMap<string, DatasetShape>, names: Iterable<string>): Set<string> {
  const neighbours = new Map<string, string[]>();
  for (const {name, relationships} of shapes.values()) {
    for (const [, {to}] of relationships) for (const [a, b] of [[name, to], [to, name]] as const) neighbours.set(a, [...(neighbours.get(a) ?? []), b]);
  }
  const found = new Set<string>();
  const open = [...names];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (found.has(name)) continue;
    found.add(name);
    open.push(...(neighbours.get(name) ?? []));
  }
  return found;
}
