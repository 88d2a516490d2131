/** What becomes of each row of an input in a step that merges, deletes or replaces partitions. */
import type {App} from '../../src/compose.ts';
import type {StepRecord} from '../../src/pipelines/pipeline.ts';
import {collect, data, runEvents, useApp} from '../support/project.ts';
import type {Project} from '../support/project.ts';
import {runner} from '../support/runs.ts';

let project: Project;
let app: App;
const {put, run, rows} = runner(() => app);
useApp(started => ({project, app} = started));

/** Every row read became something. */
const accounts = ({rowsRead, rowsWritten, rowsSuperseded, rowsDeleted, rowsQuarantined, rowsDropped}: StepRecord): Record<string, number> => {
  expect(rowsRead).toBe(rowsWritten + rowsSuperseded + rowsDeleted + rowsQuarantined + rowsDropped);
  return {written: Number(rowsWritten), superseded: Number(rowsSuperseded), deleted: Number(rowsDeleted), quarantined: Number(rowsQuarantined)};
};
const contents = async (dataset: string): Promise<unknown[][]> => (await rows(dataset, `SELECT id, name, _row_id FROM ${dataset} ORDER BY id`)).map(row => Object.values(row));

test('changes of a source system: each file once, the latest wins, tombstones delete, bad keys are kept aside', async () => {
  await put('people_in', [{
    kind: 'ingest', name: 'people', into: 'people', source: {path: 'people/*.csv'}, incremental: true, mode: 'merge', latestBy: 'changed', deletedWhen: "op = 'D'",
    contract: {key: ['id'], onBadRow: 'quarantine', checks: [{unique: ['name'], onBadRow: 'fail'}]},
  }]);
  project.write('people/1.csv', 'id,name,changed,op\n1,Ann,2001-01-01,I\n2,Bob,2001-01-01,I\n2,Rob,2001-01-02,U\n,Nobody,2001-01-01,I\n');
  const first = await run('people_in');
  expect(first.run.status).toBe('succeeded');
  expect(accounts(first.steps.people!)).toEqual({written: 2, superseded: 1, deleted: 0, quarantined: 1});
  expect(await contents('people')).toEqual([[1, 'Ann', 0], [2, 'Rob', 1]]);
  expect(await rows('people_quarantine', 'SELECT name, quarantine_reasons[1] AS why FROM people_quarantine')).toEqual([{name: 'Nobody', why: 'id is not null'}]);

  project.write('people/2.csv', 'id,name,changed,op\n1,Ann,2001-02-01,D\n2,Late,2001-01-01,U\n3,Cy,2001-02-01,I\n');
  const second = await run('people_in');
  expect(accounts(second.steps.people!)).toEqual({written: 1, superseded: 1, deleted: 1, quarantined: 0});
  expect(await contents('people')).toEqual([[2, 'Rob', 1], [3, 'Cy', 2]]);
  expect((await rows('people_quarantine')).length).toBe(1);
  expect((await run('people_in')).steps.people).toMatchObject({reused: true});

  // A changed file is read again: its rows replace those of their key.
  project.write('people/2.csv', 'id,name,changed,op\n3,Cyd,2001-02-02,U\n');
  expect(await run('people_in')).toMatchObject({run: {status: 'succeeded'}, logs: ['warn: one file changed since it was read (read again): people/2.csv']});
  expect(await contents('people')).toEqual([[2, 'Rob', 1], [3, 'Cyd', 2]]);

  // What must be unique beside the key is, over the whole.
  project.write('people/3.csv', 'id,name,changed,op\n4,Rob,2001-03-01,I\n');
  expect((await run('people_in')).steps.people).toMatchObject({status: 'failed', error: {code: 'CHECK_FAILED', message: expect.stringContaining('Rob')}});
  expect(await contents('people')).toEqual([[2, 'Rob', 1], [3, 'Cyd', 2]]);

  const {dataset} = await data(app.http.url, '{ dataset(name: "people") { snapshots { operation } } people(order_by: [{id: asc}]) { id name _row_id } }');
  expect(dataset.snapshots.map((snapshot: any) => snapshot.operation)).toEqual(['MERGE', 'MERGE', 'MERGE']);
  const {lineage} = await data(app.http.url, '{ lineage(of: {column: "people.name"}) { nodes { __typename ... on RawFile { path } } } }');
  expect(new Set(lineage.nodes.filter((node: any) => node.__typename === 'RawFile').map((node: any) => node.path))).toEqual(new Set(['people/1.csv', 'people/2.csv']));
});

test('an SQL step merges and deletes; the same again is reused until the dataset changes', async () => {
  project.write('base.csv', 'id,name\n1,a\n2,b\n3,c\n');
  await put('base_in', [{kind: 'ingest', name: 'base', into: 'base', source: {path: 'base.csv'}}]);
  await run('base_in');
  const upsert = {kind: 'sql', name: 'upsert', into: 'kept', sql: 'SELECT id, upper(name) AS name FROM base', mode: 'merge', contract: {key: ['id']}};
  await put('kept_in', [upsert]);
  expect(accounts((await run('kept_in')).steps.upsert!)).toMatchObject({written: 3});
  expect((await run('kept_in')).steps.upsert).toMatchObject({reused: true});

  await put('kept_out', [{kind: 'sql', name: 'forget', into: 'kept', sql: 'SELECT id FROM base WHERE id = 2', mode: 'delete'}]);
  const out = await run('kept_out');
  expect(out.steps.forget).toMatchObject({status: 'succeeded', rowsDeleted: 1n, rowsWritten: 0n});
  expect(await contents('kept')).toEqual([[1, 'A', 0], [3, 'C', 2]]);
  expect((await run('kept_in')).steps.upsert).toMatchObject({reused: false, reason: 'the dataset changed since it was made by this step'});
  expect(await contents('kept')).toEqual([[1, 'A', 0], [2, 'B', 3], [3, 'C', 2]]);
});

test('the mutation ingest merges and deletes too', async () => {
  const ingest = async (input: object): Promise<any> => {
    const answer = await data(app.http.url, 'mutation($input: IngestInput!) { ingest(input: $input) { ... on RunStarted { run { id } } ... on Failure { code message } } }', {input});
    if (!answer.ingest.run) return answer.ingest;
    return (await collect(app.http.url, runEvents, {id: answer.ingest.run.id, after: '0'})).at(-1)!.runEvents.run;
  };
  project.write('things.csv', 'id,name\n1,a\n2,b\n');
  expect(await ingest({source: {path: 'things.csv'}, into: 'things', mode: 'MERGE', key: ['id']})).toMatchObject({status: 'SUCCEEDED'});
  project.write('gone.csv', 'id\n1\n');
  expect(await ingest({source: {path: 'gone.csv'}, into: 'things', mode: 'DELETE'})).toMatchObject({status: 'SUCCEEDED'});
  expect(await contents('things')).toEqual([[2, 'b', 1]]);
  expect(await ingest({source: {path: 'gone.csv'}, into: 'things', mode: 'DELETE', latestBy: 'x'})).toMatchObject({code: 'PIPELINE_INVALID'});
  expect(await ingest({source: {path: 'gone.csv'}, into: 'elsewhere', mode: 'DELETE', key: ['id']})).toMatchObject({status: 'FAILED', error: {message: expect.stringContaining('elsewhere')}});
});

test('a run for one partition replaces that one; late rows of a past day are appended to it', async () => {
  project.write('logs/1.csv', 'day,id,name\n2001-01-01,1,a\n2001-01-02,2,b\n2001-01-03,3,c\n');
  await put('logs_in', [{kind: 'ingest', name: 'logs', into: 'logs', source: {path: 'logs/*.csv'}, incremental: true, mode: 'append', partitionBy: {column: 'day', grain: 'day'}}]);
  await put('daily', [{
    kind: 'sql', name: 'days', into: 'days', sql: 'SELECT day, id, upper(name) AS name FROM logs WHERE day = $partition', mode: 'overwrite_partitions',
    partitionBy: {column: 'day', grain: 'day', param: 'partition'},
  }], {params: {partition: {type: 'date'}}});
  await run('logs_in');
  for (const n of [1, 2, 3]) await run('daily', {partition: `2001-01-0${n}`});
  expect(await contents('days')).toEqual([[1, 'A', 0], [2, 'B', 1], [3, 'C', 2]]);

  project.write('logs/2.csv', 'day,id,name\n2001-01-02,4,late\n2001-01-04,5,e\n');
  await run('logs_in');
  const {warehouse, catalog} = app.services;
  const files = await catalog.read(async stores => stores.datasets.files((await stores.datasets.head('main', 'logs'))!));
  expect(files.map(file => file.partition)).toEqual(['day_day=2001-01-01', 'day_day=2001-01-02', 'day_day=2001-01-03', 'day_day=2001-01-02', 'day_day=2001-01-04']);
  expect((await warehouse.resolve('logs')).rowCount).toBe(5n);
  await run('daily', {partition: '2001-01-02'});
  expect(await contents('days')).toEqual([[1, 'A', 0], [2, 'B', 3], [3, 'C', 2], [4, 'LATE', 4]]);
});

test.each([
  ['latestBy', {latestBy: 'id'}, 'is for the mode `merge`'],
  ['no partitionBy', {mode: 'overwrite_partitions'}, 'needs `partitionBy`'],
  ['a parameter that is none', {mode: 'overwrite_partitions', partitionBy: {column: 'day', grain: 'day', param: 'partition'}}, "needs the parameter 'partition' of type date; it is missing"],
])('refused: %s', async (_, more, reason) => {
  await expect(put('refused', [{kind: 'sql', name: 'x', into: 'x_rows', sql: 'SELECT 1 AS id', ...more}])).rejects.toMatchObject({code: 'PIPELINE_INVALID', message: expect.stringContaining(reason)});
});
