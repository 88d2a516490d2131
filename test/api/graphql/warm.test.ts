import {DuckDBConnection} from '@duckdb/node-api';
import {buildSchema} from 'graphql';
import {Explanation} from '../../../src/api/graphql/data/explanation.ts';
import {Graph} from '../../../src/api/graphql/graph.ts';
import {createLogger} from '../../../src/core/logging.ts';
import {TestGraph} from '../../support/data-graph.ts';

/** What a query that was asked before, with other values, is not made to pay again: counted, not timed. */

let data: TestGraph;
let graph: Graph;
let prepared = 0;
const {prepare} = DuckDBConnection.prototype;

beforeAll(async () => {
  data = await TestGraph.start();
  await data.commit('towns', "SELECT i::INTEGER AS id, 'town ' || i AS name FROM range(10) t(i)", {contract: {key: ['id']}});
  await data.commit('people', "SELECT i::INTEGER AS id, (i % 10)::INTEGER AS town_id, 'person ' || i AS name FROM range(1000) t(i)", {contract: {key: ['id'], foreignKeys: [{column: 'town_id', references: 'towns'}]}});
  graph = new Graph(buildSchema('type Query { ping: String }'), {current: () => data.model, onChange: () => () => {}, refresh: () => Promise.resolve()}, createLogger({level: 'silent', format: 'json'}));
  DuckDBConnection.prototype.prepare = function (sql) {
    prepared++;
    return prepare.call(this, sql);
  };
}, 60_000);

afterAll(async () => {
  DuckDBConnection.prototype.prepare = prepare;
  graph.stop();
  await data.stop();
});

const questions: readonly (readonly [shown: string, document: string, values: (index: number) => Record<string, unknown>])[] = [
  ['a row by its key', 'query ($id: Int!) { people_by_pk(id: $id) { id name town { name } } }', id => ({id})],
  ['a filter', 'query ($where: people_bool_exp!, $limit: Int) { people(where: $where, limit: $limit, order_by: [{name: desc}]) { id name } }', index => ({where: {name: {_like: `person ${index}%`}, id: {_gt: index}}, limit: index + 1})],
  ['values of lists of about one length', 'query ($ids: [Int!]!) { people(where: {id: {_in: $ids}}) { id } }', index => ({ids: [index, 5, 6, 7, 8].slice(0, 5)})],
  ['aggregates and groups', 'query ($least: Int!) { people_groups(where: {id: {_gte: $least}}, having: {count: {_gt: 1}}) { key { town_id } aggregate { count max { name } } } }', least => ({least})],
];

test.each(questions.map(([shown, document, values]) => ({shown, document, values})))('$shown: parsed, validated, measured, compiled and prepared once', async ({document, values}) => {
  const documents = new Set<unknown>();
  const answers: string[] = [];
  let preparedBefore = 0;
  for (let index = 1; index <= 6; index++) {
    const {document: parsed, executor} = graph.prepare(document, data.viewer.limits);
    documents.add(parsed);
    const noted = new Map<string, unknown>();
    // Its statements would be run once more to be measured.
    data.explanation = Object.assign(new Explanation(), {note: (fact: string, value: unknown) => noted.set(fact, value)});
    const plans = executor.planCount;
    const {errors, data: answer} = await executor.execute({document: parsed!, variables: values(index), coreContext: {}, data: data.context()});
    expect(errors).toBeUndefined();
    answers.push(JSON.stringify(answer));
    expect([noted.get('plan'), executor.planCount - plans]).toEqual([expect.objectContaining({cached: index > 1}), index === 1 ? 1 : 0]);
    if (index === 1) preparedBefore = prepared;
  }
  expect(new Set(answers).size).toBeGreaterThan(1);
  expect(documents.size).toBe(1);
  expect(prepared - preparedBefore).toBe(0);
});

test('what differs in its shape is compiled for itself', async () => {
  const document = 'query ($where: people_bool_exp!) { people(where: $where) { id } }';
  const {document: parsed, executor} = graph.prepare(document, data.viewer.limits);
  const before = executor.planCount;
  for (const where of [{id: {_eq: 1}}, {id: {_gt: 1}}, {name: {_eq: 'x'}}, {id: {_eq: 2}}]) await executor.execute({document: parsed!, variables: {where}, coreContext: {}, data: data.context()});
  expect(executor.planCount - before).toBe(3);
});
