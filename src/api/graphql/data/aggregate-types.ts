import {GraphQLBoolean, GraphQLEnumType, GraphQLInputObjectType, GraphQLInt, GraphQLList, GraphQLNonNull, GraphQLObjectType} from 'graphql';
import type {GraphQLFieldConfigMap, GraphQLInputFieldConfigMap} from 'graphql';
import type {Field} from '../../../schemas/schema.ts';
import {aggregateFunctions, takes} from './aggregate-functions.ts';
import type {Takes} from './aggregate-functions.ts';
import {scalarOf} from './columns.ts';
import {comparisonInput} from './comparisons.ts';
import {orderBy, scalars} from './scalars.ts';

/** The types of one dataset's aggregates. Functions whose fields are alike share their types. */
export interface AggregateTypes {
  readonly fields: GraphQLObjectType;
  /** `count` and the functions as members of an ordering. */
  readonly order: () => GraphQLInputFieldConfigMap;
  /** Conditions on aggregates. */
  readonly having: GraphQLInputObjectType;
}

export function aggregateTypes(name: string, columns: readonly Field[], describe: (field: Field) => string): AggregateTypes {
  const scalarColumns = columns.filter(field => scalarOf(field.type) !== null);
  const taken: Record<Takes, readonly Field[]> = {numbers: columns.filter(({type}) => takes('numbers', type)), comparables: columns.filter(({type}) => takes('comparables', type))};
  const offered = Object.entries(aggregateFunctions).filter(([, fn]) => taken[fn.takes].length > 0);
  const scalar = (fn: string, field: Field) => scalarOf(aggregateFunctions[fn]!.result(field.type))!;

  const fields = new GraphQLObjectType({
    name: `${name}_aggregate_fields`,
    fields: () => {
      const made: GraphQLFieldConfigMap<unknown, unknown> = {
        count: {
          type: new GraphQLNonNull(GraphQLInt),
          description: 'Rows; with one column those where it is not null; with `distinct` the different values.',
          args: scalarColumns.length === 0 ? {} : {columns: {type: new GraphQLList(new GraphQLNonNull(new GraphQLEnumType({name: `${name}_select_column`, values: Object.fromEntries(scalarColumns.map(field => [field.name, {}]))})))}, distinct: {type: GraphQLBoolean}},
        },
      };
      for (const [fn, {takes: kind, description}] of offered) {
        const type = new GraphQLObjectType({name: `${name}_${fn}_fields`, fields: () => Object.fromEntries(taken[kind].map(field => [field.name, {type: scalars[scalar(fn, field)], description: describe(field)}]))});
        made[fn] = {type, description};
      }
      return made;
    },
  });

  const inputs = new Map<string, GraphQLInputObjectType>();
  const input = (ending: string, kind: Takes, type: (field: Field) => GraphQLInputFieldConfigMap[string]['type']): GraphQLInputObjectType => {
    let made = inputs.get(ending);
    if (!made) inputs.set(ending, (made = new GraphQLInputObjectType({name: `${name}_${ending}`, fields: () => Object.fromEntries(taken[kind].map(field => [field.name, {type: type(field)}]))})));
    return made;
  };
  const order = (): GraphQLInputFieldConfigMap => ({
    count: {type: orderBy},
    ...Object.fromEntries(offered.map(([fn, {takes: kind}]) => [fn, {type: input(kind === 'numbers' ? 'sum_order_by' : 'max_order_by', kind, () => orderBy)}])),
  });
  const having: GraphQLInputObjectType = new GraphQLInputObjectType({
    name: `${name}_having`,
    description: 'Conditions on aggregates of a group; all given must hold.',
    fields: () => ({
      _and: {type: new GraphQLList(new GraphQLNonNull(having))},
      _or: {type: new GraphQLList(new GraphQLNonNull(having))},
      _not: {type: having},
      count: {type: comparisonInput('Int', false)},
      ...Object.fromEntries(offered.map(([fn, {takes: kind}]) => [fn, {type: input(`${shared(fn)}_having`, kind, field => comparisonInput(scalar(fn, field), false))}])),
    }),
  });
  return {fields, order, having};
}

/** Functions whose values have the same types share their inputs, under the name of one of them. */
const shared = (fn: string): string => (fn === 'min' ? 'max' : fn);
