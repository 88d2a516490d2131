/**
 * A server is killed at each boundary between two writes, started again on the same folder, and finishes what it had begun: nothing
 * lost, nothing doubled, nothing left over.
 */
import {spawnSync} from 'node:child_process';
import {existsSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {boundaries} from '../../src/core/boundaries.ts';
import type {Boundary} from '../../src/core/boundaries.ts';
import {createDatabase} from '../support/postgres.ts';
import type {TestDatabase} from '../support/postgres.ts';
import {collect, createProject, data, runEvents} from '../support/project.ts';
import type {Project} from '../support/project.ts';
import {killServers, startServer} from '../support/server-process.ts';
import type {ServerProcess} from '../support/server-process.ts';
import {registerTripsModel, tripCount, writeTrips} from '../support/trips.ts';

afterAll(killServers);

/** The same run however often it is asked for. */
const start = async (url: string, pipeline: string, idempotencyKey = 'the run'): Promise<string> => {
  const {startRun} = await data(url, `mutation($input: StartRunInput!) { startRun(input: $input) { ... on RunStarted { run { id } } ... on Failure { code message hint } } }`, {
    input: {pipeline, idempotencyKey},
  });
  return startRun.run.id as string;
};

/** Follows a run to its end, across whatever happened to it. */
async function eventsOf(url: string, id: string, after = 0): Promise<Record<string, any>[]> {
  return (await collect(url, runEvents, {id, after: String(after)})).map(result => result.runEvents);
}

/** What must be true of the run's events however often workers died. */
function expectWholeStory(events: readonly Record<string, any>[], status: string): void {
  expect(events.map(event => Number(event.seq))).toEqual(events.map((_, index) => index + 1));
  expect(events.filter(event => event.__typename === 'RunFinished')).toMatchObject([{run: {status}}]);
  expect(events.at(-1)!.__typename).toBe('RunFinished');
  const finished = events.filter(event => event.__typename === 'StepFinished').map(event => event.step.name);
  expect(finished).toHaveLength(new Set(finished).size);
}

async function expectWholeData(url: string, runId: string): Promise<Record<string, string[]>> {
  const answer = await data(url, `{
    datasets { nodes { name snapshots { id rowCount run { id } } } }
    trips(order_by: [{id: asc}]) { id }
    trip_predictions(order_by: [{id: asc}]) { id probability }
    trips_raw_quarantine { id quarantine_run }
    run(id: "${runId}") { steps { name rowsRead rowsWritten rowsQuarantined } }
  }`);
  // A quarantine is committed with its dataset: both or neither.
  expect(answer.trips_raw_quarantine).toEqual(Array.from({length: badTrips}, (_, index) => ({id: tripCount + index + 1, quarantine_run: runId})));
  expect(answer.run.steps[0]).toEqual({name: 'trips_raw', rowsRead: String(tripCount + badTrips), rowsWritten: String(tripCount), rowsQuarantined: String(badTrips)});
  const ids = Array.from({length: tripCount}, (_, index) => index + 1);
  expect(answer.trips.map((row: any) => row.id)).toEqual(ids);
  expect(answer.trip_predictions.map((row: any) => row.id)).toEqual(ids);
  const snapshots = Object.fromEntries(answer.datasets.nodes.map((dataset: any) => [dataset.name, dataset.snapshots]));
  for (const name of ['trips_raw', 'trips', 'trip_predictions']) {
    expect([name, snapshots[name]]).toMatchObject([name, [{rowCount: String(tripCount), run: {id: runId}}]]);
    expect(snapshots[name]).toHaveLength(1);
  }
  return Object.fromEntries(Object.entries(snapshots).map(([name, list]) => [name, (list as {id: string}[]).map(({id}) => id)]));
}

const badTrips = 3;

const filesOf = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder) : []);

/** Every file of the folder is of something the catalog knows. */
function expectNothingLeft(folder: string, snapshots: Readonly<Record<string, readonly string[]>>): void {
  const home = join(folder, '.millrace');
  for (const empty of ['warehouse/staging', 'scratch', 'tmp']) expect([empty, filesOf(join(home, empty))]).toEqual([empty, []]);
  for (const [name, ids] of Object.entries(snapshots)) {
    const data = join(home, 'warehouse/data', name);
    expect(filesOf(data).sort()).toEqual([...ids].sort());
    for (const id of ids) expect(filesOf(join(data, id)).sort()).toEqual(['manifest.json', 'part-00000.parquet']);
  }
  expect(filesOf(join(home, 'warehouse/data')).sort()).toEqual(Object.keys(snapshots).sort());
  expect(filesOf(join(folder, 'published')).filter(name => name !== '.drafts')).toEqual(existsSync(join(folder, 'published/trips.csv')) ? ['trips.csv'] : []);
  expect(filesOf(join(folder, 'published/.drafts'))).toEqual([]);
  expect(filesOf(join(home, 'models'))).toHaveLength(1);
}

const run = 'trips_daily';
/**
 * One server after another over one folder: each goes on with what the one before left, and dies at its boundary. At no step more
 * than two, since a step that ends every worker is given up.
 */
const deaths: readonly (readonly [Boundary, doing: string])[] = [
  ['step claimed', 'the ingest begins'],
  ['files staged', 'the ingest has read its file'],
  ['after commit', 'the ingest has committed'],
  ['step begun', 'the SQL step begins'],
  ['files moved', 'the SQL step has its files in their place'],
  ['manifest written', 'the SQL step has committed'],
  ['before commit', 'the predict or the publish step ends'],
];

/** Of collections of garbage and erasures, of schedules, of webhooks, of writes and of kept predictions, whose own tests kill there. */
const elsewhere: readonly Boundary[] = [
  'snapshots expired', 'leftovers removed', 'files rewritten', 'rows erased', 'schedule decided', 'delivery claimed', 'delivery sent',
  'batch taken', 'batch prepared', 'batch committed', 'batch published', 'outputs scored',
];

test('every boundary has its death', () => {
  expect(new Set([...deaths.map(([name]) => name), 'model stored', 'step failed', ...elsewhere])).toEqual(new Set(boundaries));
});

describe('kill -9 at each boundary, on the embedded database', () => {
  let project: Project;
  let isStarted = false;
  const killed = {code: null, signal: 'SIGKILL'};

  beforeAll(() => {
    project = createProject();
    writeTrips(project, badTrips);
    project.write('jobs/broken.ts', `import {ingest, pipeline, sql} from 'millrace/jobs';
      export default pipeline('broken', {steps: [
        ingest('broken_raw', {path: 'data/trips.csv'}),
        sql('broken_rows', 'SELECT CAST(from_city AS INTEGER) AS n FROM broken_raw'),
      ]});`);
  });
  afterAll(() => project.remove());

  const begin = async ({url}: ServerProcess): Promise<void> => {
    isStarted = true;
    expect(await registerTripsModel(url)).toMatchObject({version: {number: 1}});
    // The server may die before it has answered.
    await start(url, run).catch(() => undefined);
  };

  test("'model stored': a model is registered", async () => {
    const server = await startServer(project.folder, {env: {MILLRACE_DIE_AT: 'model stored'}});
    await expect(registerTripsModel(server.url)).rejects.toThrow();
    expect(await server.ended).toEqual(killed);
  });

  test.each(deaths)("'%s': %s", async name => {
    const server = await startServer(project.folder, {env: {MILLRACE_DIE_AT: name}});
    if (!isStarted) await begin(server);
    expect(await server.ended).toEqual(killed);
  });

  test('the last one finishes it by itself: once each, all of it, nothing left over', async () => {
    const server = await startServer(project.folder);
    const runId = await start(server.url, run);
    const events = await eventsOf(server.url, runId);
    expectWholeStory(events, 'SUCCEEDED');
    for (const after of [1, Math.floor(events.length / 2), events.length - 1]) {
      expect((await eventsOf(server.url, runId, after)).map(event => event.seq)).toEqual(events.slice(after).map(event => event.seq));
    }
    const snapshots = await expectWholeData(server.url, runId);
    expect(await server.end('SIGTERM')).toEqual({code: 0, signal: null});
    expectNothingLeft(project.folder, snapshots);
  });

  test("'step failed': a run that has failed stays so", async () => {
    const first = await startServer(project.folder, {env: {MILLRACE_DIE_AT: 'step failed'}});
    await start(first.url, 'broken', 'the broken run');
    expect(await first.ended).toEqual(killed);
    const second = await startServer(project.folder);
    expectWholeStory(await eventsOf(second.url, await start(second.url, 'broken', 'the broken run')), 'FAILED');
    expect(await second.end('SIGTERM')).toEqual({code: 0, signal: null});
  });
});

/** Its filter makes the join of 320 million rows take a while. */
const slowJobs = `
  import {ingest, int, pipeline, sql} from 'millrace/jobs';
  export default pipeline('slow', {params: {days: int({default: 1})}, steps: [
    ingest('slow_raw', {path: 'data/trips.csv'}),
    sql('slow_rows', 'SELECT count(*) AS n, $days AS days FROM slow_raw a, slow_raw b, slow_raw c, slow_raw d WHERE d.id <= 40 AND a.id + b.id + c.id + d.id = 100'),
  ]});`;

test('SIGTERM while a step runs: it is given back at once, and the next server does it', async () => {
  const project = createProject();
  try {
    writeTrips(project, badTrips);
    project.write('jobs/slow.ts', slowJobs);
    const first = await startServer(project.folder, {env: {MILLRACE_DIE_AT: 'step begun#2', MILLRACE_DIE_BY: 'SIGTERM'}});
    const id = await start(first.url, 'slow');
    expect(await first.ended).toEqual({code: 0, signal: null});
    for (const empty of ['warehouse/staging', 'scratch', 'tmp']) expect([empty, filesOf(join(project.folder, '.millrace', empty))]).toEqual([empty, []]);

    const second = await startServer(project.folder);
    const events = await eventsOf(second.url, id);
    expectWholeStory(events, 'SUCCEEDED');
    expect(events.filter(event => event.__typename === 'StepStarted' && event.step.name === 'slow_rows')).toHaveLength(2);
    const {run: {steps}} = await data(second.url, 'query($id: ID!) { run(id: $id) { steps { name attempt } } }', {id});
    expect(steps).toEqual([{name: 'slow_raw', attempt: 1}, {name: 'slow_rows', attempt: 1}]);
    expect(await second.end('SIGTERM')).toEqual({code: 0, signal: null});
  } finally {
    project.remove();
  }
});

describe('SIGSTOP past the lease, two workers on one PostgreSQL', () => {
  let project: Project;
  let database: TestDatabase;
  let server: ServerProcess;
  const onDatabase = () => [`catalog.url=${database.url}`];

  beforeAll(async () => {
    project = createProject();
    writeTrips(project, badTrips);
    database = await createDatabase();
    server = await startServer(project.folder, {set: [...onDatabase(), 'pipelines.workers=0']});
    await registerTripsModel(server.url);
  });
  afterAll(async () => {
    await killServers();
    await database.drop();
    project.remove();
  });

  const paused = async (worker: ServerProcess): Promise<void> => {
    while (!spawnSync('ps', ['-o', 'state=', '-p', String(worker.pid)], {encoding: 'utf8'}).stdout.startsWith('T')) await sleep(50);
  };

  test.each<[Boundary, number]>([['files staged', 1], ['before commit', 3]])("at '%s' (time %i): who wakes too late commits nothing", async (name, time) => {
    const {startRun} = await data(server.url, `mutation { startRun(input: {pipeline: "trips_daily", params: {least: ${time}}}) { ... on RunStarted { run { id } } } }`);
    const {id} = startRun.run;
    const late = await startServer(project.folder, {command: 'work', set: onDatabase(), env: {MILLRACE_DIE_AT: `${name}#${time}`, MILLRACE_DIE_BY: 'SIGSTOP'}});
    await paused(late);
    const other = await startServer(project.folder, {command: 'work', set: onDatabase()});
    const events = await eventsOf(server.url, id);
    expectWholeStory(events, 'SUCCEEDED');

    late.signal('SIGCONT');
    while (!late.output().includes('another worker has taken the step over')) await sleep(50);
    expect(await eventsOf(server.url, id)).toEqual(events);
    const {run: {snapshots}} = await data(server.url, 'query($id: ID!) { run(id: $id) { snapshots { dataset { name } } } }', {id});
    const names = snapshots.map((snapshot: any) => snapshot.dataset.name);
    expect(names).toHaveLength(new Set(names).size);
    for (const worker of [late, other]) expect(await worker.end('SIGTERM')).toEqual({code: 0, signal: null});
    const {datasets} = await data(server.url, '{ datasets { nodes { name snapshots { id } } } }');
    expectNothingLeft(project.folder, Object.fromEntries(datasets.nodes.map((dataset: any) => [dataset.name, dataset.snapshots.map((snapshot: any) => snapshot.id)])));
  });
});
