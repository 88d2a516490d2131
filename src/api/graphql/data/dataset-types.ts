import {GraphQLBoolean, GraphQLID, GraphQLInputObjectType, GraphQLInt, GraphQLList, GraphQLNonNull, GraphQLObjectType, GraphQLString} from 'graphql';
import type {GraphQLEnumType, GraphQLFieldConfigArgumentMap, GraphQLFieldConfigMap, GraphQLInputFieldConfigMap, GraphQLInputObjectType as InputObject, GraphQLOutputType} from 'graphql';
import {typeName} from '../../../schemas/schema.ts';
import type {DataType, Field} from '../../../schemas/schema.ts';
import {aggregateTypes} from './aggregate-types.ts';
import {changesField} from './changes.ts';
import {isOrdered, scalarOf} from './columns.ts';
import {comparisonInput} from './comparisons.ts';
import type {GraphPrediction} from './graph-model.ts';
import {hasKeys, keyMembersOf} from './group-keys.ts';
import type {KeyMember} from './group-keys.ts';
import {groupTypes} from './group-types.ts';
import {liveFields} from './live/live-fields.ts';
import {streamField} from './live/stream-field.ts';
import {modelsArgument, predictionField} from './predictions/types.ts';
import type {PredictionTypes} from './predictions/types.ts';
import {orderBy, scalars} from './scalars.ts';
import {rootsOf} from './roots.ts';
import type {RootOperation} from './roots.ts';
import {predictionsOf, rowId} from './shape.ts';
import type {DatasetShape, Relationship} from './shape.ts';
import {mutationFields} from './writing/mutation-types.ts';

/** The GraphQL types of one dataset. */
export interface DatasetTypes {
  readonly row: GraphQLObjectType;
  readonly boolExp: InputObject;
  readonly orderBy: InputObject;
  /** Names of its columns. */
  readonly selectColumn: GraphQLEnumType | null;
  /** Of all rows chosen: aggregates and the rows. */
  readonly aggregate: GraphQLObjectType;
  readonly aggregateFields: GraphQLObjectType;
  /** Of an array relationship to the dataset. */
  readonly aggregateBoolExp: InputObject;
  readonly aggregateOrderBy: InputObject;
  readonly group: GraphQLObjectType;
  /** Null: there is nothing to group by. */
  readonly groupKey: GraphQLObjectType | null;
  readonly keyMembers: ReadonlyMap<string, KeyMember>;
  /** The fields it adds to the root types: those `rootsOf` names. */
  readonly roots: Readonly<Record<RootOperation, GraphQLFieldConfigMap<unknown, unknown>>>;
}

/** Of a dataset's row type: whose it is. */
export interface RowTypeExtensions {
  readonly dataset: string;
}

/** What the types of a dataset need of the others'. */
export interface TypeWorld {
  types(dataset: string): DatasetTypes;
  shape(dataset: string): DatasetShape;
  readonly asOf: InputObject;
  /** Shared by deployments of one model with one signature. */
  prediction(dataset: string, prediction: GraphPrediction): PredictionTypes;
  /** Whether the dataset, or one that is related with it, has predictions. */
  predicts(dataset: string): boolean;
}

/** What is known of a column, for the explorer: its own description, its type, the name it came with. */
const described = new WeakMap<Field, string>();
const describe = (field: Field): string => {
  const known = described.get(field);
  if (known !== undefined) return known;
  const text = description(field);
  described.set(field, text);
  return text;
};

const description = (field: Field): string => {
  const origin = field.sourceName === undefined || field.sourceName === field.name ? '' : `, from \`${field.sourceName}\``;
  return `${field.description ? `${field.description}\n\n` : ''}${typeName(field.type)}${origin}`;
};

export function datasetTypes(shape: DatasetShape, world: TypeWorld): DatasetTypes {
  const {name} = shape;
  const columns = shape.dataset.schema.fields;
  const nested = new NestedTypes();

  const rowFields = (): GraphQLFieldConfigMap<unknown, unknown> => {
    const fields: GraphQLFieldConfigMap<unknown, unknown> = {};
    for (const [key, member] of shape.members) {
      if (member.kind === 'rowId') fields[key] = {type: new GraphQLNonNull(GraphQLID), description: 'Identifies the row through all snapshots.'};
      else if (member.kind === 'cursor') fields[key] = {type: new GraphQLNonNull(GraphQLString), description: 'The row\'s place in the order of its list, for `after` and `before`.'};
      else if (member.kind === 'column') fields[key] = {type: nested.output(`${name}__${key}`, member.field), description: describe(member.field), deprecationReason: member.field.deprecated};
      else if (member.kind === 'object') fields[key] = {type: world.types(member.to).row, description: `The row of ${toldOf(member)}.`};
      else if (member.kind === 'array') fields[key] = {type: listOf(world.types(member.to).row), args: rowArguments(world.types(member.to)), description: `The rows of ${toldOf(member)}.`};
      else if (member.kind === 'arrayAggregate') fields[key] = {type: new GraphQLNonNull(world.types(member.to).aggregate), args: rowArguments(world.types(member.to)), description: `Aggregates of the rows of ${toldOf(member)}.`};
      else if (member.kind === 'prediction') fields[key] = predictionField(member.prediction, world.prediction(name, member.prediction));
    }
    return fields;
  };

  const boolExp: InputObject = new GraphQLInputObjectType({
    name: `${name}_bool_exp`,
    description: `Conditions on rows of \`${name}\`; all given must hold.`,
    fields: () => {
      const fields: GraphQLInputFieldConfigMap = logical(boolExp);
      for (const [key, member] of shape.members) {
        if (member.kind === 'column') {
          const type = nested.comparison(`${name}__${key}`, member.field.type);
          if (type) fields[key] = {type, deprecationReason: member.field.deprecated};
        } else if (member.kind === 'object' || member.kind === 'array') fields[key] = {type: world.types(member.to).boolExp};
        else if (member.kind === 'prediction') fields[key] = {type: world.prediction(name, member.prediction).boolExp};
        else if (member.kind === 'arrayAggregate') fields[key] = {type: world.types(member.to).aggregateBoolExp};
        else if (member.kind === 'rowId') fields[key] = {type: comparisonInput('bigint', false)};
      }
      return fields;
    },
  });

  const order: InputObject = new GraphQLInputObjectType({
    name: `${name}_order_by`,
    description: 'Rows equal in all that is given stand in the order of `_row_id`. Several fields of one object count in the order of the columns: use a list to say another.',
    fields: () => {
      const fields: GraphQLInputFieldConfigMap = {[rowId]: {type: orderBy}};
      for (const [key, member] of shape.members) {
        if (member.kind === 'column' && isOrdered(member.field.type)) fields[key] = {type: orderBy, deprecationReason: member.field.deprecated};
        else if (member.kind === 'column' && member.field.type.kind === 'struct') {
          const type = nested.order(`${name}__${key}`, member.field.type.fields);
          if (type) fields[key] = {type};
        } else if (member.kind === 'object') fields[key] = {type: world.types(member.to).orderBy};
        else if (member.kind === 'prediction') fields[key] = {type: world.prediction(name, member.prediction).orderBy};
        else if (member.kind === 'arrayAggregate') fields[key] = {type: world.types(member.to).aggregateOrderBy};
      }
      return fields;
    },
  });

  const row = new GraphQLObjectType({name, description: shape.dataset.description, fields: rowFields, extensions: {dataset: name} satisfies RowTypeExtensions});
  const aggregates = aggregateTypes(name, columns, boolExp, describe, predictionsOf(shape).map(prediction => [prediction, world.prediction(name, prediction)] as const));
  const keyMembers = keyMembersOf(shape, to => hasKeys(world.shape(to)));
  const groups = groupTypes(shape, {row, orderBy: order, aggregates}, keyMembers, world);
  const aggregate = new GraphQLObjectType({name: `${name}_aggregate`, fields: {aggregate: {type: aggregates.fields}, nodes: {type: listOf(row)}}});
  const types: DatasetTypes = {
    row, boolExp, orderBy: order, keyMembers, selectColumn: aggregates.select,
    aggregate, aggregateFields: aggregates.fields, aggregateBoolExp: aggregates.boolExp, aggregateOrderBy: aggregates.orderBy,
    group: groups.group, groupKey: groups.key,
    roots: {query: {}, mutation: mutationFields(shape, {row, boolExp}), subscription: {}},
  };
  const asOf: GraphQLFieldConfigArgumentMap = {as_of: {type: world.asOf, description: 'An earlier state; default: the newest.'}, ...(world.predicts(name) ? modelsArgument : {})};
  const paged = {...rowArguments(types), ...asOf};
  const roots = types.roots.query;
  roots[name] = {type: listOf(row), args: {...paged, ...cursors}, description: shape.dataset.description ?? `Rows of \`${name}\`.`};
  roots[`${name}_by_pk`] = {
    type: row,
    args: {
      ...(shape.key
        ? Object.fromEntries(shape.key.map(field => [field.name, {type: new GraphQLNonNull(scalars[scalarOf(field.type) ?? 'String'])}]))
        : {[rowId]: {type: new GraphQLNonNull(GraphQLID)}}),
      ...asOf,
    },
    description: `One row of \`${name}\`.`,
  };
  roots[`${name}_aggregate`] = {
    type: new GraphQLNonNull(aggregate),
    args: paged,
    description: `Aggregates of the rows of \`${name}\` that the arguments choose.`,
  };
  if (shape.key) roots[`${name}_changes`] = changesField(name, row, world.asOf, listOf);
  roots[`${name}_groups`] = {
    type: listOf(groups.group),
    args: {where: {type: boolExp}, having: {type: aggregates.having}, order_by: {type: new GraphQLList(new GraphQLNonNull(groups.orderBy))}, limit: {type: GraphQLInt}, offset: {type: GraphQLInt}, ...asOf},
    description: `Rows of \`${name}\` grouped by what is selected in \`key\`; without it they are one group.`,
  };
  Object.assign(types.roots.subscription, liveFields(roots, rootsOf(shape).subscription), {[`${name}_stream`]: streamField(name, row, boolExp)});
  return types;
}

const listOf = (type: GraphQLOutputType): GraphQLOutputType => new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(type)));

const toldOf = ({to, on}: Relationship): string => `\`${to}\` whose ${on.map(({column, toColumn}) => `\`${toColumn}\` is this \`${column}\``).join(' and ')}`;

const logical = (self: InputObject): GraphQLInputFieldConfigMap => ({
  _and: {type: new GraphQLList(new GraphQLNonNull(self))},
  _or: {type: new GraphQLList(new GraphQLNonNull(self))},
  _not: {type: self},
});

const rowArguments = (types: DatasetTypes): GraphQLFieldConfigArgumentMap => ({
  where: {type: types.boolExp},
  order_by: {type: new GraphQLList(new GraphQLNonNull(types.orderBy))},
  ...(types.selectColumn && {distinct_on: {type: new GraphQLList(new GraphQLNonNull(types.selectColumn)), description: 'Of rows equal in these columns only the first, in the order.'}}),
  limit: {type: GraphQLInt},
  offset: {type: GraphQLInt},
});

const cursors: GraphQLFieldConfigArgumentMap = {
  after: {type: GraphQLString, description: 'Rows after the one of this `_cursor`, in the same order.'},
  before: {type: GraphQLString, description: 'Rows before the one of this `_cursor`, in the same order; with `limit` the last of them.'},
};

/** Types of struct, map and list columns, named `<dataset>__<path>`; each is made once. */
class NestedTypes {
  private readonly outputs = new Map<string, GraphQLObjectType>();
  private readonly filters = new Map<string, InputObject>();
  private readonly orders = new Map<string, InputObject>();

  output(path: string, field: Field): GraphQLOutputType {
    const inner = this.bare(path, field.type);
    return field.nullable ? inner : new GraphQLNonNull(inner as GraphQLObjectType);
  }

  private bare(path: string, type: DataType): GraphQLOutputType {
    if (type.kind === 'list') return new GraphQLList(this.output(path, type.element));
    if (type.kind === 'map') return new GraphQLList(new GraphQLNonNull(this.object(path, [{...type.key, name: 'key', nullable: false}, {...type.value, name: 'value'}])));
    if (type.kind === 'struct') return this.object(path, type.fields);
    return scalars[scalarOf(type)!];
  }

  private object(path: string, fields: readonly Field[]): GraphQLObjectType {
    let made = this.outputs.get(path);
    if (!made) {
      made = new GraphQLObjectType({name: path, fields: Object.fromEntries(fields.map(field => [field.name, {type: this.output(`${path}__${field.name}`, field), description: describe(field)}]))});
      this.outputs.set(path, made);
    }
    return made;
  }

  /** Null: there is nothing to compare in such a column. */
  comparison(path: string, type: DataType): InputObject | null {
    const scalar = scalarOf(type);
    if (scalar) return comparisonInput(scalar, false);
    if (type.kind === 'list') {
      const element = scalarOf(type.element.type);
      return element && element !== 'jsonb' && element !== 'bytea' && element !== 'interval' ? comparisonInput(element, true) : null;
    }
    if (type.kind !== 'struct') return null;
    let made = this.filters.get(path);
    if (!made) {
      const self: InputObject = new GraphQLInputObjectType({
        name: `${path}_bool_exp`,
        fields: () => {
          const fields: GraphQLInputFieldConfigMap = {...logical(self), _is_null: {type: GraphQLBoolean}};
          for (const field of type.fields) {
            const inner = this.comparison(`${path}__${field.name}`, field.type);
            if (inner) fields[field.name] = {type: inner};
          }
          return fields;
        },
      });
      this.filters.set(path, (made = self));
    }
    return made;
  }

  order(path: string, fields: readonly Field[]): InputObject | null {
    const known = this.orders.get(path);
    if (known) return known;
    const inner: GraphQLInputFieldConfigMap = {};
    for (const field of fields) {
      if (isOrdered(field.type)) inner[field.name] = {type: orderBy};
      else if (field.type.kind === 'struct') {
        const type = this.order(`${path}__${field.name}`, field.type.fields);
        if (type) inner[field.name] = {type};
      }
    }
    if (Object.keys(inner).length === 0) return null;
    const made = new GraphQLInputObjectType({name: `${path}_order_by`, fields: inner});
    this.orders.set(path, made);
    return made;
  }
}
