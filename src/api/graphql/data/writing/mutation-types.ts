import {GraphQLEnumType, GraphQLID, GraphQLInputObjectType, GraphQLInt, GraphQLList, GraphQLNonNull, GraphQLObjectType, GraphQLString} from 'graphql';
import type {GraphQLFieldConfigArgumentMap, GraphQLFieldConfigMap, GraphQLInputFieldConfigMap, GraphQLInputType} from 'graphql';
import {typeName} from '../../../../schemas/schema.ts';
import type {DataType, Field} from '../../../../schemas/schema.ts';
import {scalarOf} from '../columns.ts';
import type {DatasetTypes} from '../dataset-types.ts';
import type {WriteRoot} from '../roots.ts';
import {scalars} from '../scalars.ts';
import {rowId} from '../shape.ts';
import type {DatasetShape} from '../shape.ts';

export type WriteRootKind = 'insert' | 'insertOne' | 'update' | 'updateByPk' | 'delete' | 'deleteByPk';

/** The mutation fields a dataset's contract allows. */
export function writeRootsOf({name, dataset: {contract: {writes = []}}}: DatasetShape): Readonly<Record<string, WriteRoot>> {
  const fields: Readonly<Record<(typeof writes)[number], readonly (readonly [string, WriteRootKind])[]>> = {
    insert: [[`insert_${name}`, 'insert'], [`insert_${name}_one`, 'insertOne']],
    update: [[`update_${name}`, 'update'], [`update_${name}_by_pk`, 'updateByPk']],
    delete: [[`delete_${name}`, 'delete'], [`delete_${name}_by_pk`, 'deleteByPk']],
  };
  return Object.fromEntries(writes.flatMap(kind => fields[kind].map(([field, root]) => [field, {kind: root, dataset: name}])));
}

const quarantinedRow = new GraphQLObjectType({
  name: 'quarantined_row',
  description: "A row that the dataset's contract kept aside; it is in the dataset's quarantine, whole.",
  fields: {
    index: {type: new GraphQLNonNull(GraphQLInt), description: 'Its place among the objects given, or the rows to be changed, from 0.'},
    reasons: {type: new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(GraphQLString))), description: 'The rules it breaks.'},
  },
});

const idempotency: GraphQLFieldConfigArgumentMap = {
  idempotency_key: {type: GraphQLString, description: 'Sent again with its key, the mutation is answered as the first time and changes nothing.'},
};

/** The mutation fields of a dataset, in Hasura's names and shapes. */
export function mutationFields(shape: DatasetShape, types: Pick<DatasetTypes, 'row' | 'boolExp'>): GraphQLFieldConfigMap<unknown, unknown> {
  const roots = writeRootsOf(shape);
  if (Object.keys(roots).length === 0) return {};
  const {name} = shape;
  const columns = shape.dataset.schema.fields;
  const writes = new Set(shape.dataset.contract.writes);
  const inputs = new NestedInputs();
  const required = <T extends GraphQLInputType>(type: T): GraphQLNonNull<T> => new GraphQLNonNull(type as never);
  const listed = <T extends GraphQLInputType>(type: T): GraphQLInputType => required(new GraphQLList(required(type)));
  const described = (field: Field): string => field.description ?? typeName(field.type);

  const insertInput = new GraphQLInputObjectType({
    name: `${name}_insert_input`,
    fields: () => Object.fromEntries(columns.map(field => [field.name, {type: inputs.input(`${name}__${field.name}`, field), description: described(field)}])),
  });
  const setInput = new GraphQLInputObjectType({
    name: `${name}_set_input`,
    fields: () => Object.fromEntries(columns.map(field => [field.name, {type: inputs.input(`${name}__${field.name}`, {...field, nullable: true}), description: described(field)}])),
  });
  const numbers = columns.filter(({type}) => type.kind === 'int' || type.kind === 'float' || type.kind === 'decimal');
  const incInput = numbers.length === 0 ? null : new GraphQLInputObjectType({
    name: `${name}_inc_input`, description: 'What is added to each; null stays null.',
    fields: Object.fromEntries(numbers.map(field => [field.name, {type: scalars[scalarOf(field.type)!]}])),
  });
  const keyFields: GraphQLInputFieldConfigMap = shape.key
    ? Object.fromEntries(shape.key.map(field => [field.name, {type: required(scalars[scalarOf(field.type) ?? 'String'])}]))
    : {[rowId]: {type: required(GraphQLID)}};
  const changes: GraphQLFieldConfigArgumentMap = {_set: {type: setInput}, ...(incInput ? {_inc: {type: incInput}} : {})};
  const onConflict: GraphQLFieldConfigArgumentMap = !shape.key ? {} : {
    on_conflict: {
      type: new GraphQLInputObjectType({
        name: `${name}_on_conflict`, description: 'What becomes of an object whose key is there already: without it, the contract says so.',
        fields: {
          constraint: {type: required(new GraphQLEnumType({name: `${name}_constraint`, values: {[`${name}_pkey`]: {description: `The key: ${shape.key.map(field => field.name).join(', ')}.`}}}))},
          update_columns: {
            type: required(new GraphQLList(required(new GraphQLEnumType({name: `${name}_update_column`, values: Object.fromEntries(columns.map(field => [field.name, {}]))})))), defaultValue: [],
            description: writes.has('update') ? 'What is taken from the object; none: the object is ignored.' : 'None: the object is ignored. The contract allows no updates.',
          },
          where: {type: types.boolExp, description: 'Only rows for which this holds are updated.'},
        },
      }),
    },
  };
  const response = new GraphQLObjectType({
    name: `${name}_mutation_response`,
    fields: () => ({
      affected_rows: {type: new GraphQLNonNull(GraphQLInt), description: 'Rows inserted, updated or deleted.'},
      returning: {type: new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(types.row))), description: 'Those rows; deleted ones as they were.'},
      quarantined: {type: new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(quarantinedRow))), description: 'Rows that the contract kept aside; they are not among those affected.'},
    }),
  });
  const where = {where: {type: required(types.boolExp)}};
  const args: Readonly<Record<WriteRootKind, GraphQLFieldConfigArgumentMap>> = {
    insert: {objects: {type: listed(insertInput)}, ...onConflict},
    insertOne: {object: {type: required(insertInput)}, ...onConflict},
    update: {...where, ...changes},
    updateByPk: {pk_columns: {type: required(new GraphQLInputObjectType({name: `${name}_pk_columns_input`, fields: keyFields}))}, ...changes},
    delete: where,
    deleteByPk: keyFields as GraphQLFieldConfigArgumentMap,
  };
  const says: Readonly<Record<WriteRootKind, string>> = {
    insert: `Inserts rows of \`${name}\`: all of them, or none.`, insertOne: `Inserts one row of \`${name}\`; null where it is ignored.`, update: `Updates the rows of \`${name}\` that \`where\` chooses.`,
    updateByPk: `Updates one row of \`${name}\`; null where there is none.`, delete: `Deletes the rows of \`${name}\` that \`where\` chooses.`, deleteByPk: `Deletes one row of \`${name}\`; null where there is none.`,
  };
  return Object.fromEntries(Object.entries(roots).map(([field, {kind: root}]) => {
    const isOne = root === 'insertOne' || root === 'updateByPk' || root === 'deleteByPk';
    return [field, {type: isOne ? types.row : response, args: {...args[root], ...idempotency}, description: says[root]}];
  }));
}

/** Input types of struct, map and list columns, named `<dataset>__<path>_input`; each is made once. */
class NestedInputs {
  private readonly made = new Map<string, GraphQLInputObjectType>();

  input(path: string, field: Field): GraphQLInputType {
    const inner = this.bare(path, field.type);
    return field.nullable ? inner : new GraphQLNonNull(inner as GraphQLInputObjectType);
  }

  private bare(path: string, type: DataType): GraphQLInputType {
    if (type.kind === 'list') return new GraphQLList(this.input(path, type.element));
    if (type.kind === 'map') return new GraphQLList(new GraphQLNonNull(this.object(path, [{...type.key, name: 'key', nullable: false}, {...type.value, name: 'value'}])));
    if (type.kind === 'struct') return this.object(path, type.fields);
    return scalars[scalarOf(type)!];
  }

  private object(path: string, fields: readonly Field[]): GraphQLInputObjectType {
    let known = this.made.get(path);
    if (!known) {
      known = new GraphQLInputObjectType({name: `${path}_input`, fields: Object.fromEntries(fields.map(field => [field.name, {type: this.input(`${path}__${field.name}`, field)}]))});
      this.made.set(path, known);
    }
    return known;
  }
}
