import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {type App, compose} from '../../../src/compose.ts';
import {loadConfig} from '../../../src/core/config.ts';
import {runner} from '../../support/runs.ts';

/** Queries that ask for the absurd: each is answered, or refused with a code, and whoever else asks does not wait for them. */

let app: App;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-hostile-'));
  const set = ['log.level=silent', 'engine.threads=2', 'engine.memoryLimit=300MB', 'api.maxBodyBytes=16MiB', 'api.queryTimeoutSeconds=4', 'limits.rows=50000'];
  app = compose(loadConfig({projectFolder: folder, flags: {port: 0, set}}), {mode: 'serve'});
  await app.lifecycle.start();
  const {put, run} = runner(() => app);
  await put('load', [
    {kind: 'sql', name: 'towns', into: 'towns', sql: "SELECT i::INTEGER AS id, 'town ' || i AS name FROM range(200) t(i)", contract: {key: ['id']}},
    {kind: 'sql', name: 'people', into: 'people', after: ['towns'], contract: {key: ['id'], foreignKeys: [{column: 'town_id', references: 'towns'}]},
      sql: "SELECT i::INTEGER AS id, (i % 200)::INTEGER AS town_id, (i * 7919)::BIGINT AS big, i / 3.0 AS weight, 'person ' || i AS name, repeat(md5(i::VARCHAR), 4) AS note, TIMESTAMP '2020-01-01' + to_minutes(i::INTEGER) AS at FROM range(100000) t(i)"},
  ]);
  expect((await run('load')).run.status).toBe('succeeded');
  await app.services.graphModel.refresh();
}, 60_000);

afterAll(async () => {
  await app.lifecycle.stop();
  await rm(folder, {recursive: true, force: true});
});

interface Refusal {
  readonly code: string;
  readonly hint: string;
}

interface Answer extends Partial<Refusal> {
  readonly data: Record<string, any> | null | undefined;
}

async function send(body: string): Promise<Answer> {
  const response = await fetch(`${app.http.url}/graphql`, {method: 'POST', headers: {'content-type': 'application/json'}, body});
  const text = await response.text();
  // What does not reach the graph is refused by its host.
  const {errors, data, error} = JSON.parse(text) as {data?: Record<string, any>; errors?: {extensions: Refusal}[]; error?: Refusal};
  const {code, hint} = errors?.[0]!.extensions ?? error ?? {};
  return {code, hint, data};
}
const ask = (query: string, variables?: unknown) => send(JSON.stringify({query, variables}));

const range = <T>(count: number, make: (index: number) => T): T[] => Array.from({length: count}, (_, index) => make(index));
const nested = (open: string, levels: number, core: string, close = '}') => open.repeat(levels) + core + close.repeat(levels);
const where = (value: unknown) => ['query ($w: people_bool_exp) { people(where: $w, limit: 1) { id } }', {w: value}] as const;
/** Variables as JSON text: too deep to be written as an object. */
const deepWhere = (value: string) => `{"query": "query ($w: people_bool_exp) { people(where: $w, limit: 1) { id } }", "variables": {"w": ${value}}}`;

const refused: readonly (readonly [shown: string, body: string, code: string])[] = ([
  ['levels of a document', [`{ towns ${nested('{ people { town ', 30, '{ id }', '} }')} }`], 'QUERY_TOO_DEEP'],
  ['a document that cannot be parsed for its depth', ['{a'.repeat(9000)], 'GRAPHQL_INVALID'],
  ['levels of a literal', [`{ people(where: ${nested('{_not: ', 80, '{}')}, limit: 1) { id } }`], 'QUERY_TOO_DEEP'],
  ['levels of a variable', deepWhere(nested('{"_not":', 50_000, '{}')), 'QUERY_TOO_DEEP'],
  ['relationships in circles within a variable', deepWhere(nested('{"town":{"people":', 200, '{"id":{"_eq":1}}', '}}')), 'QUERY_TOO_DEEP'],
  ['aliases', [`{ ${range(900, index => `a${index}: towns_by_pk(id: ${index}) { id }`).join(' ')} }`], 'QUERY_TOO_MANY_ALIASES'],
  ['one field again and again', [`{ people(limit: 1) { ${'id '.repeat(9000)} } }`], 'QUERY_TOO_MANY_ALIASES'],
  ['fragments that double', [`{ towns { ...F0 } } ${range(30, index => `fragment F${index} on towns { ${index === 29 ? 'id' : `...F${index + 1} ...F${index + 1}`} }`).join(' ')}`], 'QUERY_TOO_MANY_ALIASES'],
  ['fields of introspection', [`{ __schema { types { ${range(900, index => `f${index}: fields { name }`).join(' ')} } } }`], 'QUERY_TOO_MANY_ALIASES'],
  ['depth of introspection', [`{ __schema { types { ${nested('fields { type { ', 5, 'name', '} }')} } } }`], 'GRAPHQL_INVALID'],
  ['a hundred thousand conditions', where({_or: range(100_000, id => ({id: {_eq: id}}))}), 'QUERY_TOO_MANY_CONDITIONS'],
  ['conditions of one variable in many fields', [`query ($w: people_bool_exp) { ${range(300, index => `a${index}: people(where: $w, limit: 1) { id }`).join(' ')} }`, {w: {_or: range(100, id => ({id: {_eq: id}}))}}], 'QUERY_TOO_MANY_CONDITIONS'],
  ['having', ['query ($h: people_having) { people_groups(having: $h) { key { town_id } aggregate { count } } }', {h: {_or: range(20_000, count => ({count: {_eq: count}}))}}], 'QUERY_TOO_MANY_CONDITIONS'],
  ['orderings', ['query ($o: [people_order_by!]) { people(order_by: $o, limit: 1) { id } }', {o: range(50_000, () => ({id: 'asc'}))}], 'QUERY_TOO_MANY_CONDITIONS'],
  ['subqueries of an order', ['query ($o: [people_order_by!]) { people(order_by: $o, limit: 1) { id } }', {o: range(600, () => ({town: {people_aggregate: {count: 'asc'}}}))}], 'QUERY_TOO_COSTLY'],
  ['subqueries of a filter', where({_and: range(300, id => ({town: {people: {id: {_neq: id}}}}))}), 'QUERY_TOO_COSTLY'],
  ['a negative limit', ['{ people(limit: -1) { id } }'], 'ARGUMENT_INVALID'],
  ['an offset past 32 bits', ['{ people(offset: 1000000000000) { id } }'], 'GRAPHQL_INVALID'],
  ['an unknown column', ['{ people { nope } }'], 'GRAPHQL_INVALID'],
  ['an unknown column in a filter', where({nope: {_eq: 1}}), 'GRAPHQL_INVALID'],
  ['SQL as a column', ['query ($o: [people_order_by!]) { people(order_by: $o, limit: 1) { id } }', {o: [{'name; DROP TABLE people': 'asc'}]}], 'GRAPHQL_INVALID'],
  ['a value of another type', ['{ people(where: {id: {_eq: "one"}}) { id } }'], 'GRAPHQL_INVALID'],
  ['an integer past 64 bits', ['{ people(where: {big: {_eq: "99999999999999999999999"}}) { id } }'], 'GRAPHQL_INVALID'],
  ['a state of another place', ['{ people(as_of: {snapshot: "../../etc/passwd"}, limit: 1) { id } }'], 'SNAPSHOT_NOT_FOUND'],
  ['a span past all times', ['{ people(where: {at: {_within: {last: "P999999Y"}}}, limit: 1) { id } }'], 'ARGUMENT_INVALID'],
  ['a regular expression that repeats repetitions', ['{ people(where: {note: {_regex: "((a{1,100}){1,100}){1,100}"}}) { id } }'], 'ARGUMENT_INVALID'],
  ['a regular expression without an end', ['{ people(where: {note: {_similar: "[[["}}) { id } }'], 'ARGUMENT_INVALID'],
  ['a long regular expression', where({note: {_regex: '(a|b)*'.repeat(5000)}}), 'ARGUMENT_INVALID'],
  ['a long pattern', where({name: {_ilike: '%_x'.repeat(500_000)}}), 'ARGUMENT_INVALID'],
  ['all rows', ['{ people { id } }'], 'RESULT_TOO_LARGE'],
  ['as many groups as rows, with their rows', ['{ people_groups { key { id } aggregate { count } nodes { id } } }'], 'RESULT_TOO_LARGE'],
  ['related rows of related rows', ['{ towns { people { town { people { id note } } } } }'], 'ENGINE_OUT_OF_MEMORY or QUERY_TIMEOUT'],
  ['a list of requests', JSON.stringify(range(100, () => ({query: '{ towns { id } }'}))), 'REQUEST_INVALID'],
  ['a body past the limit', where({name: {_eq: 'x'.repeat(17 * 2 ** 20)}}), 'BODY_TOO_LARGE'],
] as const).map(([shown, asked, code]) => [shown, typeof asked === 'string' ? asked : JSON.stringify({query: asked[0], variables: asked[1]}), code]);

test.each(refused.map(([shown, body, code]) => ({shown, body, code})))('$shown: $code', async ({body, code}) => {
  const answer = await send(body);
  expect(code.split(' or ')).toContain(answer.code);
  expect(answer.hint).not.toBe('');
  expect(answer.data ?? null).toBeNull();
}, 20_000);

const answered: readonly (readonly [shown: string, query: string, variables: unknown, data: unknown])[] = [
  ['a value of 10 MB', ...where({name: {_eq: 'x'.repeat(10_000_000)}}), {people: []}],
  ['many values', 'query ($ids: [Int!]) { people(where: {id: {_in: $ids}, town_id: {_eq: 7}}, limit: 1) { id } }', {ids: range(100_000, id => id)}, {people: [{id: 7}]}],
  ['many 64-bit values', 'query ($ids: [bigint!]) { people(where: {big: {_in: $ids}}, limit: 1) { id } }', {ids: range(90_000, id => String(7919 + id))}, {people: [{id: 1}]}],
  ['SQL in a text', ...where({name: {_eq: "'; DROP TABLE people; --"}}), {people: []}],
  ['text that is no text', ...where({name: {_eq: 'a\0\ud800'}}), {people: []}],
  ['an offset past the end', '{ people(offset: 2000000000, limit: 5) { id } }', {}, {people: []}],
  ['a regular expression that would go back', '{ people_aggregate(where: {note: {_regex: "^(([a-f0-9]+)+)+$"}}) { aggregate { count } } }', {}, {people_aggregate: {aggregate: {count: 100_000}}}],
  ['a pattern with many wildcards', 'query ($p: String) { people_aggregate(where: {note: {_like: $p}}) { aggregate { count } } }', {p: '%a'.repeat(60)}, {people_aggregate: {aggregate: {count: 0}}}],
  ['the same without regard to case', 'query ($p: String) { people_aggregate(where: {note: {_ilike: $p}}) { aggregate { count } } }', {p: '%_%A'.repeat(200)}, {people_aggregate: {aggregate: {count: 0}}}],
  ['an order said a thousand times', 'query ($o: [people_order_by!]) { people(order_by: $o, limit: 1) { id } }', {o: range(1000, () => ({name: 'desc'}))}, {people: [{id: 99999}]}],
  ['names that objects have', '{ constructor: towns_by_pk(id: 1) { toString: name __proto__: id } }', {}, {constructor: {toString: 'town 1', ['__proto__']: 1}}],
];

test.each(answered.map(([shown, query, variables, data]) => ({shown, query, variables, data})))('$shown: an answer', async ({query, variables, data}) => {
  const answer = await ask(query, variables);
  expect(answer.code).toBeUndefined();
  expect(JSON.stringify(answer.data)).toBe(JSON.stringify(data));
}, 20_000);

test('introspection is no longer than an answer may be', async () => {
  const {system} = app.services;
  const viewer = {...system, limits: {...system.limits, bytes: 10_000}};
  const text = await app.services.graphql.current.ask(viewer, {query: '{ a: __schema { types { name fields { name description } } } }'});
  expect(JSON.parse(text)).toMatchObject({errors: [{extensions: {code: 'RESULT_TOO_LARGE'}}]});
});

describe('whoever asks for little', () => {
  const heavy = (count: number) => `{ ${range(count, index => `a${index}: people_aggregate(where: {note: {_regex: "(${index}.*){8}z"}}) { aggregate { count } }`).join(' ')} }`;

  it('does not wait behind another one, who asks for much at once', async () => {
    let over = false;
    const hostile = Promise.all(range(3, () => ask(heavy(200)))).finally(() => (over = true));
    let count = 0;
    while (!over) {
      const answer = await ask('{ towns_by_pk(id: 5) { name } }');
      expect(answer.data).toEqual({towns_by_pk: {name: 'town 5'}});
      count += over ? 0 : 1;
    }
    expect((await hostile).map(({code}) => code)).toEqual(['QUERY_TIMEOUT', 'QUERY_TIMEOUT', 'QUERY_TIMEOUT']);
    // One that waited for its turn would be answered when the others are over.
    expect(count).toBeGreaterThan(10);
  }, 30_000);

  it('takes turns also where its question is not light', async () => {
    const ended: string[] = [];
    const hostile = ask(heavy(40)).then(() => ended.push('hostile'));
    await new Promise(resolve => setTimeout(resolve, 300));
    const bystander = ask('{ people_aggregate(where: {note: {_regex: "^zz"}}) { aggregate { count } } }').then(({data}) => ended.push(`bystander ${data?.people_aggregate.aggregate.count}`));
    await Promise.all([hostile, bystander]);
    expect(ended).toEqual(['bystander 0', 'hostile']);
  }, 30_000);
});
