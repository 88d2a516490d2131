import {GraphQLBoolean, GraphQLInputObjectType, GraphQLInt, GraphQLList, GraphQLNonNull, GraphQLObjectType, GraphQLString} from 'graphql';
import type {GraphQLFieldConfig, GraphQLFieldConfigArgumentMap, GraphQLFieldConfigMap, GraphQLInputFieldConfigMap, GraphQLInputObjectType as InputObject, GraphQLInputType} from 'graphql';
import {typeName} from '../../../../schemas/schema.ts';
import type {DataType, Field} from '../../../../schemas/schema.ts';
import {scalarOf} from '../columns.ts';
import {comparisonInput} from '../comparisons.ts';
import type {GraphPrediction} from '../graph-model.ts';
import {orderBy, scalars} from '../scalars.ts';
import type {ScalarName} from '../scalars.ts';

/** The GraphQL types of a prediction: shared by deployments of one model with one signature. */
export interface PredictionTypes {
  readonly output: GraphQLObjectType;
  /** Inputs that can be replaced. */
  readonly set: InputObject | null;
  readonly boolExp: InputObject;
  readonly orderBy: InputObject;
  /** Aggregates of outputs, by the aggregate's name; `scalar` is null for outputs that have no such. Null: none has. */
  aggregate(name: string, scalar: (type: DataType) => ScalarName | null): GraphQLObjectType | null;
  /** What groups of rows can be made by. @param field of an output's value */
  key(field: (output: Field) => GraphQLFieldConfig<unknown, unknown>): GraphQLObjectType;
  /** Orderings by aggregates and conditions on them, by what they are; `type` is null for outputs that have no such. Null: none has. */
  input(ending: string, type: (field: Field) => GraphQLInputType | null): InputObject | null;
}

/** A dataset's predictions with their types. */
export type Predicted = readonly [GraphPrediction, PredictionTypes];

/** @param name the model's, or the dataset's own where signatures differ */
export function predictionTypes(name: string, {model, inputs, outputs}: GraphPrediction): PredictionTypes {
  const replaceable = inputs.filter(field => scalarOf(field.type) !== null);
  const aggregates = new Map<string, GraphQLObjectType | null>();
  let keys: GraphQLObjectType | undefined;
  const ownInputs = new Map<string, InputObject | null>();
  const config = (field: Field, scalar: ScalarName) => ({type: scalars[scalar], description: typeName(field.type)});
  const boolExp: InputObject = new GraphQLInputObjectType({
    name: `${name}_bool_exp`,
    description: `Conditions on what \`${model}\` predicts; all given must hold.`,
    fields: () => ({
      _and: {type: new GraphQLList(new GraphQLNonNull(boolExp))},
      _or: {type: new GraphQLList(new GraphQLNonNull(boolExp))},
      _not: {type: boolExp},
      _is_null: {type: GraphQLBoolean, description: 'Whether the row lacks an input that the model needs.'},
      ...Object.fromEntries(outputs.map(({name: output, type}) => [output, {type: comparisonInput(scalarOf(type)!, false)}])),
    }),
  });
  return {
    output: new GraphQLObjectType({
      name,
      fields: {
        ...Object.fromEntries(outputs.map(field => [field.name, field.nullable ? config(field, scalarOf(field.type)!) : {...config(field, scalarOf(field.type)!), type: new GraphQLNonNull(scalars[scalarOf(field.type)!])}])),
        _version: {type: new GraphQLNonNull(GraphQLInt), description: 'The version that answered.'},
        _model: {type: new GraphQLNonNull(GraphQLString)},
      },
    }),
    set: replaceable.length === 0 ? null : new GraphQLInputObjectType({name: `${name}_set_input`, fields: Object.fromEntries(replaceable.map(field => [field.name, {type: scalars[scalarOf(field.type)!]}]))}),
    boolExp,
    orderBy: new GraphQLInputObjectType({name: `${name}_order_by`, fields: Object.fromEntries(outputs.map(output => [output.name, {type: orderBy}]))}),
    aggregate(aggregate, scalar) {
      let made = aggregates.get(aggregate);
      if (made === undefined) {
        const fields = outputs.flatMap(field => {
          const found = scalar(field.type);
          return found === null ? [] : [[field.name, config(field, found)] as const];
        });
        aggregates.set(aggregate, (made = fields.length === 0 ? null : new GraphQLObjectType({name: `${name}_${aggregate}`, fields: Object.fromEntries(fields)})));
      }
      return made;
    },
    key: field => (keys ??= new GraphQLObjectType({name: `${name}_group_key`, fields: () => Object.fromEntries(outputs.map(output => [output.name, field(output)]))})),
    input(ending, type) {
      let made = ownInputs.get(ending);
      if (made === undefined) {
        const fields = outputs.flatMap(field => {
          const found = type(field);
          return found === null ? [] : [[field.name, {type: found}] as const];
        });
        ownInputs.set(ending, (made = fields.length === 0 ? null : new GraphQLInputObjectType({name: `${name}_${ending}`, fields: Object.fromEntries(fields)})));
      }
      return made;
    },
  };
}

/** Which version answers, and what is put in the place of inputs. */
const predictionArguments = ({set}: PredictionTypes): GraphQLFieldConfigArgumentMap => ({
  version: {type: GraphQLInt, description: 'A version by its number; wins over `alias`.'},
  alias: {type: GraphQLString, description: 'The version an alias points to; default: what `models` says, or else the deployment\'s.'},
  ...(set ? {set: {type: set, description: 'Inputs to replace for the model (sensitivity, not cause and effect).'}} : {}),
});

/** A prediction as a field of rows. */
export const predictionField = ({model}: GraphPrediction, types: PredictionTypes): GraphQLFieldConfig<unknown, unknown> => ({
  type: types.output,
  description: `What the model \`${model}\` predicts for the row; null where an input is null that the model needs.`,
  args: predictionArguments(types),
});

/** A prediction as a key of groups. */
export const keyField = ({model}: GraphPrediction, types: PredictionTypes, field: (output: Field) => GraphQLFieldConfig<unknown, unknown>): GraphQLFieldConfig<unknown, unknown> => ({
  type: new GraphQLNonNull(types.key(field)),
  description: `What the model \`${model}\` predicts for the rows; rows that lack an input that it needs have null.`,
  args: predictionArguments(types),
});

/** Predictions as fields of an aggregate's columns. */
export function aggregateFields(predictions: readonly Predicted[], aggregate: string, scalar: (type: DataType) => ScalarName | null): GraphQLFieldConfigMap<unknown, unknown> {
  const fields: GraphQLFieldConfigMap<unknown, unknown> = {};
  for (const [{field, model}, types] of predictions) {
    const type = types.aggregate(aggregate, scalar);
    if (type !== null) fields[field] = {type, description: `Of what the model \`${model}\` predicts for the rows.`, args: predictionArguments(types)};
  }
  return fields;
}

/** Predictions as fields of inputs for aggregates. */
export function aggregateInputs(predictions: readonly Predicted[], ending: string, type: (field: Field) => GraphQLInputType | null): GraphQLInputFieldConfigMap {
  const fields: GraphQLInputFieldConfigMap = {};
  for (const [{field}, types] of predictions) {
    const input = types.input(ending, type);
    if (input) fields[field] = {type: input};
  }
  return fields;
}

export const modelPin: InputObject = new GraphQLInputObjectType({
  name: 'ModelPin',
  description: 'Which version of a model predicts: `version` wins over `alias`.',
  fields: {model: {type: new GraphQLNonNull(GraphQLString)}, version: {type: GraphQLInt}, alias: {type: GraphQLString}},
});

/** Of root fields of datasets with predictions, or related with such. */
export const modelsArgument: GraphQLFieldConfigArgumentMap = {
  models: {type: new GraphQLList(new GraphQLNonNull(modelPin)), description: 'Versions that filters, orders, groups and selections use instead of the deployments\'.'},
};
