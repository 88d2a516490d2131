import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {type App, compose} from '../../../../src/compose.ts';
import {loadConfig} from '../../../../src/core/config.ts';
import {runner} from '../../../support/runs.ts';

let app: App;
let folder: string;
/** Statements that read rows a mutation answers with. */
let readings = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-returning-'));
  app = compose(loadConfig({projectFolder: folder, flags: {port: 0, set: ['log.level=error', 'engine.threads=2']}}), {mode: 'serve'});
  await app.lifecycle.start();
  const {put, run} = runner(() => app);
  await put('load', [{kind: 'sql', name: 'notes', into: 'notes', sql: "SELECT 0::INTEGER AS id, 'first' AS text", contract: {key: ['id'], writes: ['insert', 'update', 'delete']}}]);
  expect((await run('load')).run.status).toBe('succeeded');
  await app.services.graphModel.refresh();
  const {engine} = app.services;
  const columns = engine.columns.bind(engine);
  engine.columns = (query, options) => {
    if (query.sql.includes('~id')) readings++;
    return columns(query, options);
  };
}, 60_000);

afterAll(async () => {
  await app.lifecycle.stop();
  await rm(folder, {recursive: true, force: true});
});

const insert = 'mutation ($objects: [notes_insert_input!]!) { insert_notes(objects: $objects) { affected_rows returning { id shown: text __typename } } }';
const ask = async (document: string, variables: Record<string, unknown>) => (await app.execute({document, variables})) as {data: any; errors?: readonly {extensions: {code: string}}[]};

const sequence = async (): Promise<number> => (await app.services.warehouse.resolve('notes')).sequence;

test('what many requests of one batch ask for is read once, and each gets its own rows in its own order', async () => {
  const [before, commits] = [readings, await sequence()];
  const answers = await Promise.all(Array.from({length: 24}, (_, index) => ask(insert, {objects: [{id: 100 + index, text: `a${index}`}, {id: 50 - index, text: `b${index}`}]})));
  answers.forEach(({data}, index) => expect(data.insert_notes).toEqual({affected_rows: 2, returning: [
    {id: 100 + index, shown: `a${index}`, __typename: 'notes'}, {id: 50 - index, shown: `b${index}`, __typename: 'notes'},
  ]}));
  expect(await sequence() - commits).toBeLessThan(24);
  expect(readings - before).toBe(await sequence() - commits);
});

test('what differs by a variable is asked for by itself', async () => {
  const text = 'mutation ($id: Int!, $with: Boolean!) { insert_notes_one(object: {id: $id, text: "x"}) { id text @include(if: $with) } }';
  const answers = await Promise.all([true, false, true].map((shown, index) => ask(text, {id: 1000 + index, with: shown})));
  expect(answers.map(({data}) => data.insert_notes_one)).toEqual([{id: 1000, text: 'x'}, {id: 1001}, {id: 1002, text: 'x'}]);
});

test('rows are answered as they were written, also where the next batch takes them away', async () => {
  const deletion = 'mutation ($id: Int!) { delete_notes_by_pk(id: $id) { id text } }';
  const [one, two, again] = await Promise.all([ask(insert, {objects: [{id: 7000, text: 'here'}]}), ask(deletion, {id: 7000}), ask(deletion, {id: 7000})]);
  expect(one.data.insert_notes.returning).toEqual([{id: 7000, shown: 'here', __typename: 'notes'}]);
  expect([two.data.delete_notes_by_pk, again.data.delete_notes_by_pk]).toEqual([{id: 7000, text: 'here'}, null]);
});
