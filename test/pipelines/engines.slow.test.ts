/** Steps on Spark, through the real API: the same pipeline, the same rows, what a plan says and refuses, and a server that is killed. */
import {setTimeout as delay} from 'node:timers/promises';
import type {App} from '../../src/compose.ts';
import {collect, createProject, data, putPipeline, runToEnd, startApp} from '../support/project.ts';
import type {Project} from '../support/project.ts';
import {startTestSpark} from '../support/spark.ts';
import type {TestSpark} from '../support/spark.ts';

let spark: TestSpark;
let project: Project;
let app: App;
let url: string;
beforeAll(async () => {
  spark = await startTestSpark();
  project = createProject();
  app = await startApp(project, {set: [`spark.url=${spark.url}`]});
  url = app.http.url;
  await putPipeline(url, 'raw', [
    {kind: 'ingest', name: 'flights', into: 'flights', source: {path: 'package:vega-datasets/data/flights-20k.json'}},
    {kind: 'ingest', name: 'airports', into: 'airports', source: {path: 'package:vega-datasets/data/airports.csv'}, contract: {key: ['iata']}},
  ]);
  await succeeds('raw');
}, 300_000);
afterAll(async () => {
  await app?.lifecycle.stop();
  await spark?.close();
  project?.remove();
});

async function succeeds(pipeline: string, engine?: string): Promise<Record<string, any>[]> {
  const {events} = await runToEnd(url, pipeline, {}, {engine});
  expect(events.at(-1)!.run).toEqual({status: 'SUCCEEDED', error: null});
  return events;
}
const sql = (into: string, text: string, more: object = {}): object => ({kind: 'sql', name: into, into, sql: text, ...more});
const enginesOf = async (pipeline: string): Promise<unknown> => (await data(url, `{ runs(first: 1, pipeline: "${pipeline}") { nodes { engine steps { name engine reused rowsRead rowsWritten } } } }`)).runs.nodes[0];

test('the same pipeline on Spark gives the same rows, types and checks', async () => {
  await putPipeline(url, 'placed', [
    sql('late', "SELECT f.origin, a.state, f.date, f.delay, f.distance / 3 AS third FROM flights f JOIN airports a ON a.iata = f.origin WHERE f.delay > 30"),
    sql('states', 'SELECT state, count(*) AS flights, avg(delay) AS delay, max(date) AS newest FROM late GROUP BY state ORDER BY state NULLS LAST', {contract: {key: ['state']}}),
  ]);
  await succeeds('placed');
  const rows = async (): Promise<unknown> => (await data(url, '{ states(order_by: {state: asc}) { state flights delay newest } late_aggregate { aggregate { count sum { third } } } dataset(name: "states") { schema { fields { name type nullable } } } }'));
  const here = await rows();
  const events = await succeeds('placed', 'SPARK');
  expect(events.filter(event => event.__typename === 'SnapshotCommitted').map(event => event.reused)).toEqual([false, false]);
  expect(await enginesOf('placed')).toEqual({engine: 'SPARK', steps: [
    {name: 'late', engine: 'spark', reused: false, rowsRead: expect.any(String), rowsWritten: expect.any(String)},
    {name: 'states', engine: 'spark', reused: false, rowsRead: expect.any(String), rowsWritten: expect.any(String)},
  ]});
  expect(await rows()).toEqual(here);

  // The same again is reused; on another engine it is not the same.
  expect((await succeeds('placed', 'SPARK')).filter(event => event.__typename === 'SnapshotCommitted').every(event => event.reused)).toBe(true);
  expect((await succeeds('placed')).filter(event => event.__typename === 'SnapshotCommitted').every(event => event.reused)).toBe(false);
});

test('files of Spark keep their field ids: a column can be renamed after them', async () => {
  await putPipeline(url, 'named', [sql('named', 'SELECT iata, city AS town, latitude FROM airports', {engine: 'spark'})]);
  await succeeds('named');
  const {renameColumn} = await data(url, 'mutation { renameColumn(dataset: "named", from: "town", to: "city") { __typename ... on Failure { code message } } }');
  expect(renameColumn).toEqual({__typename: expect.not.stringMatching('Refused')});
  const {named, airports} = await data(url, '{ named(order_by: {iata: asc}) { iata city latitude } airports(order_by: {iata: asc}) { iata city latitude } }');
  expect(named).toEqual(airports);
});

const verify = async (step: string): Promise<Record<string, any>> => (await data(url, `mutation { verifyStep(input: {pipeline: "verified", step: "${step}", engines: [DUCKDB, SPARK]}) {
  ... on StepVerified { equal engines { name version rowCount } differing examples { left right } } ... on Failure { code message hint } } }`)).verifyStep;

test('a step is run on both engines and compared; floats may differ in their last digits', async () => {
  await putPipeline(url, 'verified', [
    sql('sums', 'SELECT origin, sum(distance * 0.1::DOUBLE) AS far, count(*) AS n FROM flights GROUP BY origin'),
    sql('wrong', "SELECT iata, city FROM airports WHERE iata IN ('HNL', 'ITO')", {variants: {spark: "SELECT iata, upper(city) AS city FROM airports WHERE iata = 'ITO'"}}),
    sql('outside', 'SELECT list_transform([delay], x -> x + 1) AS more FROM flights'),
  ]);
  expect(await verify('sums')).toMatchObject({equal: true, differing: '0', examples: [], engines: [{name: 'DUCKDB'}, {name: 'SPARK', version: expect.stringMatching(/^spark \d/)}]});
  const wrong = await verify('wrong');
  expect(wrong).toMatchObject({equal: false, differing: '3', engines: [{rowCount: '2'}, {rowCount: '1'}]});
  expect(new Set(wrong.examples.map(({left, right}: Record<string, string | null>) => `${left} ${right}`))).toEqual(new Set([
    '{"iata":"HNL","city":"Honolulu"} null', '{"iata":"ITO","city":"Hilo"} null', 'null {"iata":"ITO","city":"HILO"}',
  ]));
});

test('SQL outside the portable core is refused in the plan, with its place', async () => {
  const {planRun} = await data(url, '{ planRun(input: {pipeline: "verified", engine: SPARK}) { ... on RunPlan { steps { name } } ... on Failure { code message hint } } }');
  expect(planRun).toMatchObject({code: 'SQL_NOT_PORTABLE', message: expect.stringMatching(/1:\d+|line 1/), hint: expect.stringContaining('variants')});
});

/** Some tens of seconds on Spark, none of which can be left out. */
const slow = sql('slow', "SELECT count(*) AS n FROM flights a JOIN flights b ON a.distance + b.delay > -100000 AND a.delay * b.distance % 7 = 3", {engine: 'spark'});

test('cancelling stops the work in Spark; while it runs, stages and tasks are told', async () => {
  await putPipeline(url, 'slow', [slow]);
  const {startRun} = await data(url, 'mutation { startRun(input: {pipeline: "slow"}) { ... on RunStarted { run { id } } } }');
  const {id} = startRun.run;
  const seen = collect(url, `subscription { runEvents(runId: "${id}", after: "0") { __typename ... on StepProgress { fraction tasks { stages tasks tasksDone bytesRead } } ... on RunFinished { run { status } } } }`);
  const running = async (): Promise<Record<string, any>[]> => (await data(url, '{ engines { name running { label progress { tasks } } } }')).engines.find(({name}: {name: string}) => name === 'SPARK').running;
  for (let waited = 0; (await running())[0]?.progress == null; waited++) {
    if (waited > 600) throw new Error('Spark told nothing of its tasks');
    await delay(100);
  }
  expect(await running()).toEqual([{label: 'slow', progress: {tasks: expect.any(Number)}}]);
  await data(url, `mutation { cancelRun(id: "${id}") { __typename } }`);
  const events = (await seen).map(event => event.runEvents);
  expect(events.at(-1)).toMatchObject({run: {status: 'CANCELLED'}});
  expect(events).toContainEqual({__typename: 'StepProgress', fraction: expect.any(Number), tasks: {stages: expect.any(Number), tasks: expect.any(Number), tasksDone: expect.any(Number), bytesRead: expect.any(String)}});
  expect(await running()).toEqual([]);
}, 120_000);

test('Spark is killed in mid-step and comes back: the run finishes, and nothing is there twice', async () => {
  await putPipeline(url, 'survives', [sql('survivors', 'SELECT a.origin, a.date, count(*) AS n FROM flights a JOIN flights b ON b.origin = a.origin AND b.delay > a.delay GROUP BY ALL', {engine: 'spark', attempts: 5})]);
  const {startRun} = await data(url, 'mutation { startRun(input: {pipeline: "survives"}) { ... on RunStarted { run { id } } } }');
  for (let waited = 0; (await data(url, '{ engines { running { label } } }')).engines.flatMap(({running}: {running: object[]}) => running).length === 0; waited++) {
    if (waited > 600) throw new Error('the step did not begin');
    await delay(20);
  }
  await spark.kill();
  await spark.restart();
  const events = (await collect(url, `subscription { runEvents(runId: "${startRun.run.id}", after: "0") { __typename ... on RunFinished { run { status error { code message } } } } }`)).map(event => event.runEvents);
  expect(events.at(-1)).toMatchObject({run: {status: 'SUCCEEDED', error: null}});
  const {survivors_aggregate} = await data(url, '{ survivors_aggregate { aggregate { count(columns: [origin, date], distinct: true) } } all: survivors_aggregate { aggregate { count } } }');
  expect(Number(survivors_aggregate.aggregate.count)).toBeGreaterThan(1_000);
}, 240_000);
