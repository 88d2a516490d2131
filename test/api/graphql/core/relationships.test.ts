import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {type App, compose} from '../../../../src/compose.ts';
import {loadConfig} from '../../../../src/core/config.ts';
import {runner} from '../../../support/runs.ts';

let app: App;
let folder: string;
const start = async (): Promise<void> => {
  app = compose(loadConfig({projectFolder: folder, flags: {port: 0, set: ['log.level=error', 'engine.threads=2']}}), {mode: 'serve'});
  await app.lifecycle.start();
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-relationships-'));
  await start();
  const {put, run} = runner(() => app);
  await put('load', [
    {kind: 'sql', name: 'shops', into: 'shops', contract: {key: ['country', 'no']}, sql: "SELECT * FROM (VALUES ('DE', 1, 'Ulm', 0.5), ('DE', 2, 'Bonn', 0.1), ('FR', 1, 'Lyon', 0.7)) t(country, no, town, share)"},
    {kind: 'sql', name: 'sales', into: 'sales', sql: "SELECT * FROM (VALUES (1, 'DE', 1::BIGINT, 10, 0.5), (2, 'DE', 1, 20, 0.1), (3, 'DE', 2, 30, 0.2), (4, 'FR', 1, 40, 0.5), (5, 'FR', 9, 50, 0.5), (6, NULL, 1, 60, 0.5)) t(id, country, shop_no, amount, share)"},
  ]);
  expect((await run('load')).run.status).toBe('succeeded');
  await app.services.graphModel.refresh();
}, 60_000);

afterAll(async () => {
  await app.lifecycle.stop();
  await rm(folder, {recursive: true, force: true});
});

async function ask(document: string, variables: Record<string, unknown> = {}): Promise<any> {
  const answer = await app.execute({document, variables});
  if (answer.errors) throw new Error(JSON.stringify(answer.errors));
  return answer.data;
}

const create = async (input: object) =>
  (await ask('mutation ($input: CreateRelationshipInput!) { createRelationship(input: $input) { __typename ... on RelationshipCreated { dataset { relationships { name kind to on { column toColumn } served } } } ... on Failure { code message hint } ... on NameTaken { suggestion } ... on NotFound { didYouMean } } }', {input})).createRelationship;
const drop = async (dataset: string, name: string) => (await ask('mutation ($dataset: String!, $name: String!) { dropRelationship(dataset: $dataset, name: $name) { __typename ... on RelationshipDropped { dataset { relationships { name } } } ... on Failure { code } } }', {dataset, name})).dropRelationship;

const shopOfSale = {dataset: 'sales', name: 'shop', kind: 'OBJECT', to: 'shops', on: [{column: 'country', toColumn: 'country'}, {column: 'shop_no', toColumn: 'no'}]};
const salesOfShop = {dataset: 'shops', name: 'sales', kind: 'ARRAY', to: 'sales', on: [{column: 'country', toColumn: 'country'}, {column: 'no', toColumn: 'shop_no'}]};

test('rows that are equal in several columns are fields of each other at once: selected, filtered, ordered, aggregated', async () => {
  expect(await create(shopOfSale)).toEqual({__typename: 'RelationshipCreated', dataset: {relationships: [{...shopOfSale, dataset: undefined, served: true}]}});
  expect(await create(salesOfShop)).toMatchObject({__typename: 'RelationshipCreated'});
  expect(await ask('{ sales(order_by: [{id: asc}]) { id shop { town } } }')).toEqual({sales: [
    {id: 1, shop: {town: 'Ulm'}}, {id: 2, shop: {town: 'Ulm'}}, {id: 3, shop: {town: 'Bonn'}}, {id: 4, shop: {town: 'Lyon'}}, {id: 5, shop: null}, {id: 6, shop: null},
  ]});
  expect(await ask('{ shops(where: {sales: {amount: {_gte: 20}}}, order_by: [{sales_aggregate: {sum: {amount: desc}}}, {town: asc}]) { town sales(order_by: [{amount: desc}], limit: 1) { amount } sales_aggregate { aggregate { count } } } }')).toEqual({shops: [
    {town: 'Lyon', sales: [{amount: 40}], sales_aggregate: {aggregate: {count: 1}}}, {town: 'Bonn', sales: [{amount: 30}], sales_aggregate: {aggregate: {count: 1}}}, {town: 'Ulm', sales: [{amount: 20}], sales_aggregate: {aggregate: {count: 2}}},
  ]});
  expect(await ask('{ sales_groups { key { shop { town } } aggregate { sum { amount } } } }')).toEqual({sales_groups: [
    {key: {shop: {town: 'Bonn'}}, aggregate: {sum: {amount: '30'}}}, {key: {shop: {town: 'Lyon'}}, aggregate: {sum: {amount: '40'}}}, {key: {shop: {town: 'Ulm'}}, aggregate: {sum: {amount: '30'}}}, {key: {shop: {town: null}}, aggregate: {sum: {amount: '110'}}},
  ]});
});

const on = [{column: 'country', toColumn: 'country'}];
const refusals: readonly (readonly [shown: string, change: object, answer: object])[] = [
  ['a column has the name', {name: 'amount'}, {__typename: 'NameTaken', code: 'NAME_TAKEN', suggestion: 'amount_row'}],
  ['a relationship has the name', {name: 'shop'}, {__typename: 'NameTaken', suggestion: 'shop_row'}],
  ['what stands beside a list has the name', {dataset: 'shops', to: 'sales', name: 'sales_aggregate'}, {__typename: 'NameTaken'}],
  ['a name of the graph', {name: '_other'}, {__typename: 'NameTaken', code: 'NAME_INVALID'}],
  ['a name that is none', {name: 'a b'}, {__typename: 'NameTaken', code: 'NAME_INVALID', suggestion: 'a_b'}],
  ['no such dataset', {dataset: 'sale'}, {__typename: 'NotFound', code: 'DATASET_NOT_FOUND', didYouMean: ['sales']}],
  ['no such other dataset', {to: 'shop'}, {__typename: 'NotFound', code: 'DATASET_NOT_FOUND', didYouMean: ['shops']}],
  ['no such column', {on: [{column: 'contry', toColumn: 'country'}]}, {__typename: 'Refused', code: 'ARGUMENT_INVALID', message: expect.stringContaining("'sales' has no column 'contry'")}],
  ['no such other column', {on: [{column: 'country', toColumn: 'x'}]}, {__typename: 'Refused', message: expect.stringContaining("'shops' has no column 'x'")}],
  ['other types', {on: [{column: 'amount', toColumn: 'town'}]}, {__typename: 'Refused', message: expect.stringContaining('not compared')}],
  ['no columns', {on: []}, {__typename: 'Refused', code: 'ARGUMENT_INVALID'}],
];

test.each(refusals.map(([shown, change, answer]) => ({shown, change, answer})))('refused: $shown', async ({change, answer}) => {
  expect(await create({dataset: 'sales', name: 'other', kind: 'OBJECT', to: 'shops', on, ...change})).toMatchObject(answer);
});

test('of two who take the same name at once one is refused', async () => {
  const answers = await Promise.all([1, 2, 3].map(() => create({dataset: 'sales', name: 'first_of_country', kind: 'OBJECT', to: 'shops', on})));
  expect(answers.map(({__typename}) => __typename).sort()).toEqual(['NameTaken', 'NameTaken', 'RelationshipCreated']);
  // Several rows are equal in the columns: the first is meant.
  expect((await ask('{ sales(where: {country: {_eq: "DE"}}) { first_of_country { town } } }')).sales).toEqual([1, 2, 3].map(() => ({first_of_country: {town: 'Ulm'}})));
});

test('what is declared is there after a restart, and says what a change of its columns breaks', async () => {
  await app.lifecycle.stop();
  await start();
  expect((await ask('{ sales(where: {shop: {town: {_eq: "Lyon"}}}) { id } dataset(name: "sales") { relationships { name } } }'))).toEqual({sales: [{id: 4}], dataset: {relationships: [{name: 'first_of_country'}, {name: 'shop'}]}});

  const {renameColumn} = await ask('mutation { renameColumn(dataset: "shops", from: "no", to: "number") { ... on ColumnRenamed { breaks { kind name detail } } ... on Failure { message } } }');
  expect(renameColumn.breaks).toEqual(expect.arrayContaining([
    {kind: 'RELATIONSHIP', name: 'sales.shop → shops', detail: "'shops' would have no column 'no'"},
    {kind: 'RELATIONSHIP', name: 'shops.sales → sales', detail: "'shops' would have no column 'no'"},
  ]));
  expect((await ask('{ dataset(name: "sales") { relationships { name served } } }')).dataset.relationships).toEqual([{name: 'first_of_country', served: true}, {name: 'shop', served: false}]);
}, 60_000);

test('what is dropped is no field any more', async () => {
  expect(await drop('sales', 'shop')).toEqual({__typename: 'RelationshipDropped', dataset: {relationships: [{name: 'first_of_country'}]}});
  expect(await drop('sales', 'shop')).toMatchObject({__typename: 'NotFound', code: 'RELATIONSHIP_NOT_FOUND'});
  expect(await drop('nothing', 'shop')).toMatchObject({__typename: 'NotFound', code: 'DATASET_NOT_FOUND'});
  await drop('sales', 'first_of_country');
  await expect(ask('{ sales { first_of_country { town } } }')).rejects.toThrow('GRAPHQL_INVALID');
});
