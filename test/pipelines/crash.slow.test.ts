/**
 * A server is killed at each boundary between two writes, started again on the same folder, and finishes what it had begun: nothing
 * lost, nothing doubled, nothing left over.
 */
import {cpSync, existsSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import {boundaries} from '../../src/core/boundaries.ts';
import type {Boundary} from '../../src/core/boundaries.ts';
import {collect, createProject, data, runEvents} from '../support/project.ts';
import type {Project} from '../support/project.ts';
import {killServers, startServer} from '../support/server-process.ts';
import {registerTripsModel, tripCount, writeTrips} from '../support/trips.ts';

/** A project whose model is registered, to be copied: each test begins with what a user would have. */
let prepared: Project;

beforeAll(async () => {
  prepared = createProject();
  writeTrips(prepared);
  prepared.write('jobs/broken.ts', `import {ingest, pipeline, sql} from 'millrace/jobs';
    export default pipeline('broken', {steps: [
      ingest('broken_raw', {path: 'data/trips.csv'}),
      sql('broken_rows', 'SELECT CAST(from_city AS INTEGER) AS n FROM broken_raw'),
    ]});`);
  const server = await startServer(prepared.folder);
  expect(await registerTripsModel(server.url)).toMatchObject({version: {number: 1}});
  expect(await server.end('SIGTERM')).toEqual({code: 0, signal: null});
});
afterAll(async () => {
  await killServers();
  prepared.remove();
});

function copyOfPrepared(): Project {
  const project = createProject();
  cpSync(prepared.folder, project.folder, {recursive: true});
  return project;
}

const start = async (url: string, pipeline: string): Promise<string> => {
  const {startRun} = await data(url, `mutation($input: StartRunInput!) { startRun(input: $input) { ... on RunStarted { run { id } } ... on Failure { code message hint } } }`, {
    input: {pipeline, idempotencyKey: 'the one run'},
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
  }`);
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

/** The boundary, the time it is passed at which the process dies, and the pipeline that is run. */
const deaths: readonly (readonly [Boundary, number, 'trips_daily' | 'broken'])[] = [
  ['step claimed', 1, 'trips_daily'],
  ['step begun', 2, 'trips_daily'],
  ['files staged', 3, 'trips_daily'],
  ['files moved', 2, 'trips_daily'],
  ['before commit', 1, 'trips_daily'],
  ['before commit', 4, 'trips_daily'],
  ['after commit', 2, 'trips_daily'],
  ['manifest written', 3, 'trips_daily'],
  ['step failed', 1, 'broken'],
];

test('every boundary has its death', () => {
  expect(new Set([...deaths.map(([name]) => name), 'model stored'])).toEqual(new Set(boundaries));
});

describe('kill -9, on the embedded database', () => {
  test.each(deaths)("at '%s' (time %i) of %s", async (name, time, pipeline) => {
    const project = copyOfPrepared();
    try {
      const first = await startServer(project.folder, {env: {MILLRACE_DIE_AT: `${name}#${time}`}});
      const before = await start(first.url, pipeline).catch(() => null);
      expect(await first.ended).toEqual({code: null, signal: 'SIGKILL'});

      const second = await startServer(project.folder);
      const id = await start(second.url, pipeline);
      if (before !== null) expect(id).toBe(before);
      const events = await eventsOf(second.url, id);
      expectWholeStory(events, pipeline === 'broken' ? 'FAILED' : 'SUCCEEDED');
      const middle = Math.floor(events.length / 2);
      expect((await eventsOf(second.url, id, middle)).map(event => event.seq)).toEqual(events.slice(middle).map(event => event.seq));

      let snapshots: Record<string, string[]>;
      if (pipeline === 'broken') {
        const {dataset} = await data(second.url, '{ dataset(name: "broken_raw") { snapshots { id } } }');
        snapshots = {broken_raw: dataset.snapshots.map((snapshot: any) => snapshot.id)};
        expect(snapshots.broken_raw).toHaveLength(1);
      } else {
        snapshots = await expectWholeData(second.url, id);
      }
      expect(await second.end('SIGTERM')).toEqual({code: 0, signal: null});
      expectNothingLeft(project.folder, snapshots);
    } finally {
      project.remove();
    }
  });

  test("at 'model stored': the model is registered again, once", async () => {
    const project = createProject();
    try {
      const first = await startServer(project.folder, {env: {MILLRACE_DIE_AT: 'model stored'}});
      await expect(registerTripsModel(first.url)).rejects.toThrow();
      expect(await first.ended).toEqual({code: null, signal: 'SIGKILL'});
      const second = await startServer(project.folder);
      expect(await registerTripsModel(second.url)).toMatchObject({version: {number: 1}});
      expect(await second.end('SIGTERM')).toEqual({code: 0, signal: null});
      expect(filesOf(join(project.folder, '.millrace/models'))).toHaveLength(1);
    } finally {
      project.remove();
    }
  });
});
