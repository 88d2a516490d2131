import {GraphQLBoolean, GraphQLEnumType, GraphQLFloat, GraphQLInputObjectType, GraphQLInt, GraphQLList, GraphQLNonNull, GraphQLObjectType} from 'graphql';
import type {GraphQLFieldConfigMap, GraphQLInputFieldConfigMap, GraphQLInputType} from 'graphql';
import type {DataType, Field} from '../../../schemas/schema.ts';
import {aggregateFunctions, takes} from './aggregate-functions.ts';
import type {AggregateFunction, Takes} from './aggregate-functions.ts';
import {scalarOf} from './columns.ts';
import {comparisonInput} from './comparisons.ts';
import {aggregateFields, aggregateInputs} from './predictions/types.ts';
import type {Predicted} from './predictions/types.ts';
import {orderBy as direction, scalars} from './scalars.ts';

/** The types of one dataset's aggregates. Functions whose fields are alike share their types. */
export interface AggregateTypes {
  /** Columns that can be counted. */
  readonly select: GraphQLEnumType | null;
  readonly fields: GraphQLObjectType;
  /** `count` and the functions as members of an ordering. */
  readonly order: () => GraphQLInputFieldConfigMap;
  readonly orderBy: GraphQLInputObjectType;
  /** Conditions on aggregates of a group. */
  readonly having: GraphQLInputObjectType;
  /** Conditions on aggregates of related rows. */
  readonly boolExp: GraphQLInputObjectType;
}

export function aggregateTypes(name: string, columns: readonly Field[], rows: GraphQLInputObjectType, describe: (field: Field) => string, predictions: readonly Predicted[]): AggregateTypes {
  const scalarColumns = columns.filter(field => scalarOf(field.type) !== null);
  const taken = Object.fromEntries(Object.entries(takes).map(([kind, accepts]) => [kind, columns.filter(({type}) => accepts(type))])) as Record<Takes, Field[]>;
  const offered = Object.entries(aggregateFunctions).filter(([, fn]) => taken[fn.takes].length > 0 || predictions.some(([{outputs}]) => outputs.some(({type}) => takes[fn.takes](type))));
  const ofOutput = (fn: AggregateFunction) => (type: DataType) => (takes[fn.takes](type) ? scalarOf(fn.result(type)) : null);
  const scalar = (fn: AggregateFunction, field: Field) => scalarOf(fn.result(field.type))!;
  /** One type for functions that are alike. */
  const shared = <T>(known: Map<string, T>, fn: AggregateFunction, make: () => T): T => {
    let made = known.get(fn.like);
    if (!made) known.set(fn.like, (made = make()));
    return made;
  };

  const select = scalarColumns.length === 0 ? null : new GraphQLEnumType({name: `${name}_select_column`, values: Object.fromEntries(scalarColumns.map(field => [field.name, {}]))});
  const counted = (argument = 'columns'): Record<string, {type: GraphQLInputType}> => (select ? {[argument]: {type: new GraphQLList(new GraphQLNonNull(select))}, distinct: {type: GraphQLBoolean}} : {});

  const fields = new GraphQLObjectType({
    name: `${name}_aggregate_fields`,
    fields: () => {
      const made: GraphQLFieldConfigMap<unknown, unknown> = {
        count: {
          type: new GraphQLNonNull(GraphQLInt),
          description: 'Rows; with one column those where it is not null; with `distinct` the different values.',
          args: counted(),
        },
      };
      const outputs = new Map<string, GraphQLObjectType>();
      for (const [key, fn] of offered) {
        const type = shared(outputs, fn, () => new GraphQLObjectType({name: `${name}_${fn.like}_fields`, fields: () => ({...aggregateFields(predictions, fn.like, ofOutput(fn)), ...Object.fromEntries(taken[fn.takes].map(field => [field.name, {type: scalars[scalar(fn, field)], description: describe(field)}]))})}));
        made[key] = {type, description: fn.description, args: fn.fraction ? {q: {type: new GraphQLNonNull(GraphQLFloat), description: 'From 0 to 1.'}} : {}};
      }
      return made;
    },
  });

  const plain = offered.filter(([, fn]) => !fn.fraction);
  const input = (ending: string, fn: AggregateFunction, type: (field: Field) => GraphQLInputFieldConfigMap[string]['type']): GraphQLInputObjectType =>
    new GraphQLInputObjectType({
      name: `${name}_${ending}`,
      fields: () => ({...aggregateInputs(predictions, ending, field => (takes[fn.takes](field.type) ? type(field) : null)), ...Object.fromEntries(taken[fn.takes].map(field => [field.name, {type: type(field)}]))}),
    });
  const orders = new Map<Takes, GraphQLInputObjectType>();
  const orderOf = (fn: AggregateFunction): GraphQLInputObjectType => {
    let made = orders.get(fn.takes);
    if (!made) orders.set(fn.takes, (made = input(`${{numbers: 'sum', comparables: 'max', booleans: 'bool_and'}[fn.takes]}_order_by`, fn, () => direction)));
    return made;
  };
  const order = (): GraphQLInputFieldConfigMap => ({count: {type: direction}, ...Object.fromEntries(plain.map(([key, fn]) => [key, {type: orderOf(fn)}]))});
  const havings = new Map<string, GraphQLInputObjectType>();
  const compared = (): GraphQLInputFieldConfigMap =>
    Object.fromEntries(plain.map(([key, fn]) => [key, {type: shared(havings, fn.like === 'min' ? aggregateFunctions.max! : fn, () => input(`${fn.like === 'min' ? 'max' : fn.like}_having`, fn, field => comparisonInput(scalar(fn, field), false)))}]));
  const having: GraphQLInputObjectType = new GraphQLInputObjectType({
    name: `${name}_having`,
    description: 'Conditions on aggregates of a group; all given must hold.',
    fields: () => ({
      _and: {type: new GraphQLList(new GraphQLNonNull(having))},
      _or: {type: new GraphQLList(new GraphQLNonNull(having))},
      _not: {type: having},
      count: {type: comparisonInput('Int', false)},
      ...compared(),
    }),
  });
  const boolExp = new GraphQLInputObjectType({
    name: `${name}_aggregate_bool_exp`,
    description: 'Conditions on aggregates of related rows; all given must hold.',
    fields: () => ({
      count: {
        type: new GraphQLInputObjectType({
          name: `${name}_aggregate_bool_exp_count`,
          fields: {...counted('arguments'), filter: {type: rows, description: 'Which of the rows.'}, predicate: {type: new GraphQLNonNull(comparisonInput('Int', false))}},
        }),
      },
      ...compared(),
    }),
  });
  const orderBy = new GraphQLInputObjectType({name: `${name}_aggregate_order_by`, fields: order});
  return {select, fields, order, orderBy, having, boolExp};
}
