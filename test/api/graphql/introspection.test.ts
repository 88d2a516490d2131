import 'reflect-metadata';
import {buildClientSchema, execute, getIntrospectionQuery, parse} from 'graphql';
import type {IntrospectionQuery} from 'graphql';
import {buildCoreSchema} from '../../../src/api/graphql/core/core-schema.ts';
import {buildDataSchema, swapDataSchema} from '../../../src/api/graphql/data/data-schema.ts';
import type {GraphDataset} from '../../../src/api/graphql/data/graph-model.ts';
import {Executor} from '../../../src/api/graphql/executor.ts';
import {stringify} from '../../../src/api/graphql/stringify.ts';
import type {DataType, Field} from '../../../src/schemas/schema.ts';

const types: DataType[] = [{kind: 'int', bits: 32, signed: true}, {kind: 'utf8'}, {kind: 'float', bits: 64}, {kind: 'timestamp', zoned: true}, {kind: 'list', element: {id: 0, name: 'element', type: {kind: 'utf8'}, nullable: true}}];
const field = (name: string, type: DataType, nullable = true): Field => ({id: 0, name, type, nullable});
const dataset = (name: string, columns: number, contract: GraphDataset['contract'] = {}): GraphDataset => ({name, schema: {fields: Array.from({length: columns}, (_, index) => field(`c${index}`, types[index % types.length]!))}, contract, predictions: []});
const parent = dataset('parents', 5, {key: ['c0']});
const child = dataset('children', 5, {foreignKeys: [{column: 'c0', references: 'parents'}]});
const core = buildCoreSchema();

const limits = {depth: 30, fields: 5000, rows: 1, bytes: 1e9, cost: 1, seconds: 10};
async function answer(executor: Executor, source: string, variables: Record<string, unknown> = {}): Promise<string> {
  return stringify((await executor.execute({document: parse(source), variables, coreContext: {}, data: {viewer: {name: 'x', roles: [], limits}} as never})) as never);
}

describe('introspection', () => {
  const built = buildDataSchema({version: 1n, datasets: [parent, child, dataset('wide', 30)]}, core);
  const executor = new Executor(built);

  it.each([
    ['of every tool', getIntrospectionQuery({inputValueDeprecation: true, specifiedByUrl: true, schemaDescription: true, directiveIsRepeatable: true, oneOf: true})],
    ['with names of its own', '{ a: __schema { all: types { n: name __typename fs: fields(includeDeprecated: true) { name args { name defaultValue } } } queryType { ...t } } } fragment t on __Type { name fields { name } }'],
    ['beside other fields', '{ __typename __type(name: "flights") { name } __schema { types { name kind enumValues { name } possibleTypes { name } interfaces { name } } } }'],
    ['with variables', 'query ($deprecated: Boolean!, $skip: Boolean!) { __schema { types { name fields(includeDeprecated: $deprecated) { name } kind @skip(if: $skip) } directives { name args { name } } } }'],
  ])('answers what graphql-js would, %s', async (_, source) => {
    const variables = {deprecated: true, skip: true};
    const expected = await execute({schema: built.schema, document: parse(source), variableValues: variables});
    expect(expected.errors).toBeUndefined();
    expect(JSON.parse(await answer(executor, source, variables))).toEqual(JSON.parse(JSON.stringify(expected)));
    // The second answer is made of what the first has written.
    expect(JSON.parse(await answer(new Executor(built), source, variables))).toEqual(JSON.parse(JSON.stringify(expected)));
  });

  it('tells of a swap, and writes only what is new', async () => {
    const source = getIntrospectionQuery();
    await answer(executor, source);
    const next = swapDataSchema(built, {version: 2n, datasets: [parent, child, dataset('wide', 31)]});
    const {data} = JSON.parse(await answer(new Executor(next), source)) as {data: IntrospectionQuery};
    const schema = buildClientSchema(data);
    expect(schema.getType('wide')).toHaveProperty('name', 'wide');
    expect(data.__schema.types.find(({name}) => name === 'wide')).toMatchObject({fields: expect.arrayContaining([expect.objectContaining({name: 'c30'})]) as unknown});
    expect(JSON.parse(JSON.stringify(data))).toEqual(JSON.parse(JSON.stringify((await execute({schema: next.schema, document: parse(source)})).data)));
  });

  it('lets others have their turn', async () => {
    const many = new Executor(buildDataSchema({version: 1n, datasets: Array.from({length: 300}, (_, index) => dataset(`d${index}`, 30))}, core));
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const text = await answer(many, getIntrospectionQuery());
    clearInterval(timer);
    expect(text.length).toBeGreaterThan(5_000_000);
    expect(turns).toBeGreaterThan(5);
  });
});
