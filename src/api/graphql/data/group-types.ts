import {GraphQLInputObjectType, GraphQLInt, GraphQLList, GraphQLNonNull, GraphQLObjectType, GraphQLString} from 'graphql';
import type {GraphQLFieldConfig, GraphQLFieldConfigArgumentMap, GraphQLFieldConfigMap} from 'graphql';
import type {DataType, Field} from '../../../schemas/schema.ts';
import {scalarOf} from './columns.ts';
import type {AggregateTypes} from './aggregate-types.ts';
import type {TypeWorld} from './dataset-types.ts';
import {fieldKeyMembers, withParts} from './group-keys.ts';
import type {KeyMember} from './group-keys.ts';
import {keyField} from './predictions/types.ts';
import {scalars, timePart, timeUnit} from './scalars.ts';
import type {DatasetShape} from './shape.ts';

/** What groups of a dataset's rows are made of. */
export interface GroupTypes {
  readonly key: GraphQLObjectType | null;
  readonly group: GraphQLObjectType;
  readonly orderBy: GraphQLInputObjectType;
}

export function groupTypes(shape: DatasetShape, own: {row: GraphQLObjectType; orderBy: GraphQLInputObjectType; aggregates: AggregateTypes}, members: ReadonlyMap<string, KeyMember>, world: TypeWorld): GroupTypes {
  const {name} = shape;
  const key = members.size === 0 ? null : new GraphQLObjectType({
    name: `${name}_group_key`,
    description: 'Rows are grouped by what is selected here.',
    fields: () => keyFields(name, name, members, world),
  });
  const nodes: GraphQLFieldConfigArgumentMap = {order_by: {type: listOf(own.orderBy)}, limit: {type: GraphQLInt}, offset: {type: GraphQLInt}};
  const group = new GraphQLObjectType({
    name: `${name}_group`,
    fields: {
      ...(key && {key: {type: new GraphQLNonNull(key)}}),
      aggregate: {type: new GraphQLNonNull(own.aggregates.fields)},
      nodes: {type: new GraphQLNonNull(listOf(own.row)), args: nodes, description: 'The rows of the group.'},
    },
  });
  const orderBy = new GraphQLInputObjectType({
    name: `${name}_group_order_by`,
    description: 'Groups equal in all that is given stand in the order of their keys.',
    fields: () => ({
      ...(key && {key: {type: own.orderBy, description: 'By what the selection makes of a column; where it is several keys, in their order.'}}),
      ...own.aggregates.order(),
    }),
  });
  return {key, group, orderBy};
}

const listOf = <T extends GraphQLObjectType | GraphQLInputObjectType>(type: T) => new GraphQLList(new GraphQLNonNull(type));

function keyFields(dataset: string, path: string, members: ReadonlyMap<string, KeyMember>, world: TypeWorld): GraphQLFieldConfigMap<unknown, unknown> {
  const fields: GraphQLFieldConfigMap<unknown, unknown> = {};
  for (const [name, member] of members) {
    if (member.kind === 'object') fields[name] = {type: new GraphQLNonNull(world.types(member.to).groupKey!)};
    else if (member.kind === 'prediction') fields[name] = keyField(member.prediction, world.prediction(dataset, member.prediction), valueKey);
    else if (member.kind === 'struct') fields[name] = {type: new GraphQLNonNull(structKey(dataset, `${path}__${name}`, member.fields, world))};
    else if (member.kind === 'part') fields[name] = {type: GraphQLInt, args: {part: {type: new GraphQLNonNull(timePart)}, ...zone(member.field.type)}, description: `A part of \`${member.field.name}\`.`};
    else fields[name] = valueKey(member.field);
  }
  return fields;
}

const structKey = (dataset: string, path: string, fields: readonly Field[], world: TypeWorld): GraphQLObjectType =>
  new GraphQLObjectType({name: `${path}_group_key`, fields: () => keyFields(dataset, path, withParts(fieldKeyMembers(fields), fields), world)});

function valueKey({type, description}: Field): GraphQLFieldConfig<unknown, unknown> {
  const scalar = scalars[scalarOf(type)!];
  const args: GraphQLFieldConfigArgumentMap = {};
  if (type.kind === 'timestamp' || type.kind === 'date') Object.assign(args, {trunc: {type: timeUnit, description: 'The beginning of the unit it lies in.'}, ...zone(type)});
  if (type.kind === 'int' || type.kind === 'float' || type.kind === 'decimal') args.bin = {type: scalar, description: 'The lower end of the bin of this width that it lies in; bins begin at multiples of the width.'};
  return {type: scalar, args, description};
}

const zone = (type: DataType): GraphQLFieldConfigArgumentMap =>
  type.kind === 'timestamp' && type.zoned ? {time_zone: {type: GraphQLString, description: 'Whose clocks and days: a name such as `Europe/Berlin`; default: UTC.'}} : {};
