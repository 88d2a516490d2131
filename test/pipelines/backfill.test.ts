/** A run for each partition of a range: as many at once as the pipeline allows, each until it has succeeded once. */
import {setTimeout as sleep} from 'node:timers/promises';
import type {App} from '../../src/compose.ts';
import {partitionsBetween} from '../../src/pipelines/backfill-service.ts';
import {data, useApp} from '../support/project.ts';
import {runner} from '../support/runs.ts';

let app: App;
const {put, run, rows} = runner(() => app);
useApp(async started => {
  ({app} = started);
  started.project.write('events.csv', `day,n\n${Array.from({length: 40}, (_, index) => `${new Date(Date.UTC(2001, 0, 1 + index)).toISOString().slice(0, 10)},${index}`).join('\n')}\n`);
  await put('events_in', [{kind: 'ingest', name: 'events', into: 'events_raw', source: {path: 'events.csv'}}]);
  await run('events_in');
});

const daily = (into: string, sql = 'SELECT day, n FROM events_raw WHERE day = $partition', more: object = {}) =>
  put(into, [{kind: 'sql', name: into, into: `${into}_days`, sql, mode: 'overwrite_partitions', partitionBy: {column: 'day', grain: 'day', param: 'partition'}}], {
    params: {partition: {type: 'date'}}, ...more,
  });
const fields = 'id status done failed total from to grain partitions { partition status run { id } }';
const backfill = async (input: object): Promise<any> =>
  (await data(app.http.url, `mutation($input: BackfillInput!) { backfill(input: $input) { ... on BackfillStarted { deduplicated backfill { ${fields} } } ... on Failure { code message } } }`, {input})).backfill;
const look = async (id: string): Promise<any> => (await data(app.http.url, `query($id: ID!) { backfill(id: $id) { ${fields} } }`, {id})).backfill;
const end = async (id: string): Promise<any> => {
  for (;;) {
    const now = await look(id);
    if (now.status !== 'RUNNING') return now;
    await sleep(50);
  }
};
const days = async (dataset: string): Promise<unknown[]> => (await rows(dataset, `SELECT n FROM ${dataset} ORDER BY n`)).map(row => row.n);
const range = {from: '2001-01-03', to: '2001-01-07'};

test('runs each partition once; asked again, only what has not succeeded', async () => {
  await daily('first', undefined, {concurrency: 2});
  const {backfill: {id}, deduplicated} = await backfill({pipeline: 'first', ...range});
  expect(deduplicated).toBe(false);
  expect(await end(id)).toMatchObject({status: 'SUCCEEDED', done: 5, failed: 0, total: 5, from: '2001-01-03', to: '2001-01-07', grain: 'DAY'});
  expect(await days('first_days')).toEqual([2, 3, 4, 5, 6]);

  const wider = await backfill({pipeline: 'first', from: '2001-01-01', to: '2001-01-07'});
  const ended = await end(wider.backfill.id);
  expect(ended).toMatchObject({status: 'SUCCEEDED', done: 7, total: 7});
  const {runs, backfills} = await data(app.http.url, '{ runs(pipeline: "first") { nodes { params } } backfills(pipeline: "first") { id } }');
  expect(runs.nodes.map((one: any) => one.params.partition).sort()).toEqual(['01', '02', '03', '04', '05', '06', '07'].map(day => `2001-01-${day}`));
  expect(backfills.map((one: any) => one.id)).toEqual([wider.backfill.id, id]);

  expect((await backfill({pipeline: 'first', ...range})).backfill).toMatchObject({status: 'SUCCEEDED', done: 5});
  const again = await backfill({pipeline: 'first', ...range, again: true});
  expect(await end(again.backfill.id)).toMatchObject({status: 'SUCCEEDED', done: 5});
  expect(await days('first_days')).toEqual([0, 1, 2, 3, 4, 5, 6]);
});

test('a partition that fails holds up no other, and is run again when it is asked for', async () => {
  await put('limit_in', [{kind: 'sql', name: 'most', into: 'most_allowed', sql: "SELECT 'x' AS most"}]);
  await run('limit_in');
  await daily('failing', "SELECT day, n FROM events_raw WHERE day = $partition AND (n <> 3 OR (SELECT most FROM most_allowed)::INTEGER > n)");
  const {backfill: {id}} = await backfill({pipeline: 'failing', from: '2001-01-04', to: '2001-01-04'});
  expect(await end(id)).toMatchObject({status: 'FAILED', failed: 1, partitions: [{partition: '2001-01-04', status: 'FAILED'}]});
  await put('limit_in', [{kind: 'sql', name: 'most', into: 'most_allowed', sql: "SELECT '10' AS most"}]);
  await run('limit_in');
  const again = await end((await backfill({pipeline: 'failing', from: '2001-01-04', to: '2001-01-06'})).backfill.id);
  expect(again).toMatchObject({status: 'SUCCEEDED', done: 3});
  expect(await days('failing_days')).toEqual([3, 4, 5]);
});

test('the same again while it runs is that one; cancelled, it makes no more runs, and can be taken up', async () => {
  await daily('long', 'SELECT day, n FROM events_raw WHERE day = $partition');
  const input = {pipeline: 'long', from: '2001-01-01', to: '2001-01-12'};
  const both = await Promise.all([backfill(input), backfill(input)]);
  expect(both.map(one => one.deduplicated).sort()).toEqual([false, true]);
  const [{backfill: {id}}] = both;
  expect(both[1].backfill.id).toBe(id);
  const {cancelBackfill} = await data(app.http.url, `mutation($id: ID!) { cancelBackfill(id: $id) { ... on BackfillCancelled { backfill { ${fields} } } } }`, {id});
  expect(cancelBackfill.backfill.status).toBe('CANCELLED');
  // What ran may still have come to its end.
  let stopped = await look(id);
  while (stopped.partitions.some((one: any) => ['QUEUED', 'RUNNING'].includes(one.status))) stopped = await look(id);
  expect(stopped.done).toBeLessThan(12);
  expect(stopped.partitions.filter((one: any) => one.run === null).every((one: any) => one.status === 'CANCELLED')).toBe(true);
  const ended = await end((await backfill(input)).backfill.id);
  expect(ended).toMatchObject({status: 'SUCCEEDED', done: 12, total: 12});
  expect(await days('long_days')).toEqual(Array.from({length: 12}, (_, index) => index));
  const {runs} = await data(app.http.url, '{ runs(pipeline: "long", first: 100, status: SUCCEEDED) { nodes { id } } }');
  expect(runs.nodes).toHaveLength(12);
}, 60_000);

test('months', async () => {
  await put('monthly', [{
    kind: 'sql', name: 'months', into: 'months_of', sql: "SELECT day, n FROM events_raw WHERE day >= $since AND day < $since + INTERVAL 1 MONTH", mode: 'overwrite_partitions', partitionBy: {column: 'day', grain: 'month', param: 'since'},
  }], {params: {since: {type: 'date'}}});
  const {backfill: started} = await backfill({pipeline: 'monthly', from: '2001-01-15', to: '2001-02-01'});
  expect(await end(started.id)).toMatchObject({status: 'SUCCEEDED', grain: 'MONTH', partitions: [{partition: '2001-01-01'}, {partition: '2001-02-01'}]});
  expect(await days('months_of')).toHaveLength(40);
  expect(partitionsBetween('2000-12-31', '2001-03-01', 'month')).toEqual(['2000-12-01', '2001-01-01', '2001-02-01', '2001-03-01']);
  expect(partitionsBetween('2000-02-28', '2000-03-01', 'day')).toEqual(['2000-02-28', '2000-02-29', '2000-03-01']);
});

test.each([
  ['no such pipeline', {pipeline: 'nowhere', ...range}, 'PIPELINE_NOT_FOUND'],
  ['no parameter', {pipeline: 'events_in', ...range}, 'PARAMS_INVALID'],
  ['no day', {pipeline: 'first', from: '2001-02-30', to: '2001-03-01'}, 'ARGUMENT_INVALID'],
  ['backwards', {pipeline: 'first', from: '2001-01-07', to: '2001-01-03'}, 'ARGUMENT_INVALID'],
  ['too many', {pipeline: 'first', from: '1901-01-01', to: '2001-01-03'}, 'ARGUMENT_INVALID'],
  ['the parameter itself', {pipeline: 'first', ...range, params: {partition: '2001-01-01'}}, 'ARGUMENT_INVALID'],
  ['an unknown one', {pipeline: 'first', ...range, params: {other: 1}}, 'PARAMS_INVALID'],
])('refused: %s', async (_, input, code) => {
  expect(await backfill(input)).toMatchObject({code});
});
