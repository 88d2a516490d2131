/** What a server lives on goes away for a while: its catalog, its disk, its folder. */
import {existsSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import type {App} from '../../src/compose.ts';
import {createDatabase} from '../support/postgres.ts';
import type {TestDatabase} from '../support/postgres.ts';
import {collect, createProject, data, runEvents, startApp} from '../support/project.ts';
import type {Project} from '../support/project.ts';
import {killServers, runServer, startServer} from '../support/server-process.ts';
import {proxyTo} from '../support/tcp-proxy.ts';
import type {TcpProxy} from '../support/tcp-proxy.ts';

afterAll(killServers);

const start = async (url: string, pipeline: string, params = {}): Promise<string> =>
  (await data(url, `mutation($input: StartRunInput!) { startRun(input: $input) { ... on RunStarted { run { id } } ... on Failure { code message } } }`, {input: {pipeline, params}})).startRun.run.id;

describe('a catalog that is gone for a while', () => {
  let project: Project;
  let database: TestDatabase;
  let proxy: TcpProxy;
  let app: App;
  let url: string;

  beforeAll(async () => {
    project = createProject();
    project.write('numbers.csv', ['id', ...Array.from({length: 100}, (_, index) => index)].join('\n'));
    project.write('jobs/many.ts', `import {ingest, int, pipeline, sql} from 'millrace/jobs';
      export default pipeline('many', {params: {day: int({default: 0})}, steps: [
        ingest('numbers', {path: 'numbers.csv'}),
        ...Array.from({length: 12}, (_, index) => sql('step_' + (index + 1), 'SELECT id, $day AS day FROM ' + (index === 0 ? 'numbers' : 'step_' + index))),
      ]});`);
    database = await createDatabase();
    proxy = await proxyTo(database.url);
    app = await startApp(project, {set: [`catalog.url=${proxy.url}`, 'pipelines.leaseSeconds=2', 'log.level=silent']});
    url = app.http.url;
  });
  afterAll(async () => {
    await app.lifecycle.stop();
    await proxy.close();
    await database.drop();
    project.remove();
  });

  const request = async (path: string, body?: unknown) => {
    const signal = AbortSignal.timeout(5_000);
    const response = await fetch(`${url}${path}`, body === undefined ? {signal} : {signal, method: 'POST', headers: {'content-type': 'application/json'}, body: JSON.stringify(body)});
    return {status: response.status, body: await response.json() as any};
  };

  const unavailable = {status: 503, body: {errors: [{extensions: {code: 'CATALOG_UNAVAILABLE', hint: expect.stringMatching(/./)}}]}};

  test.each([['cut', unavailable], ['block', 'no answer']] as const)('%s: runs wait for it and end, subscribers miss nothing, requests and health tell', async (way, answer) => {
    const id = await start(url, 'many', {day: way.length});
    // Only what events hold themselves: other fields are asked of the catalog.
    const watched = collect(url, 'subscription($id: ID!) { runEvents(runId: $id, after: "0") { __typename seq } }', {id});
    for (let running = false; !running; await sleep(20)) running = (await data(url, 'query($id: ID!) { run(id: $id) { steps { status } } }', {id})).run.steps.some((step: any) => step.status === 'SUCCEEDED');
    await proxy[way]();
    const began = Date.now();
    expect([await request('/graphql', {query: '{ runs { nodes { id } } }'}).catch(() => 'no answer')]).toMatchObject([answer]);
    expect(await request('/health/ready')).toMatchObject({status: 503, body: {status: 'not ready', checks: {catalog: {ok: false}}}});
    expect(await request('/health/live')).toMatchObject({status: 200});
    await sleep(10_000 - (Date.now() - began));
    await proxy.restore();

    const events = (await watched).map(result => result.runEvents);
    expect(events.map(event => Number(event.seq))).toEqual(events.map((_, index) => index + 1));
    expect(events.at(-1)!.__typename).toBe('RunFinished');
    expect(await data(url, 'query($id: ID!) { run(id: $id) { status error { code } } }', {id})).toEqual({run: {status: 'SUCCEEDED', error: null}});
    expect(events.filter(event => event.__typename === 'SnapshotCommitted')).toHaveLength(13);
    expect(await request('/health/ready')).toMatchObject({status: 200});
    for (const dataset of ['numbers', 'step_1', 'step_12']) {
      const {snapshots} = (await data(url, 'query($name: String!) { dataset(name: $name) { snapshots { id rowCount } } }', {name: dataset})).dataset;
      expect(readdirSync(join(project.folder, '.millrace/warehouse/data', dataset)).sort()).toEqual(snapshots.map((snapshot: any) => snapshot.id).sort());
    }
    expect(readdirSync(join(project.folder, '.millrace/warehouse/staging'))).toEqual([]);
  }, 90_000);

  test('does not keep a server from stopping', async () => {
    const other = await startApp(project, {set: [`catalog.url=${proxy.url}`, 'pipelines.leaseSeconds=2', 'log.level=silent']});
    const id = await start(other.http.url, 'many', {day: 99});
    await proxy.cut();
    const began = Date.now();
    await other.lifecycle.stop();
    expect(Date.now() - began).toBeLessThan(30_000);
    await proxy.restore();
    // The first server's worker finishes what the second could not give back.
    await collect(url, 'subscription($id: ID!) { runEvents(runId: $id, after: "0") { seq } }', {id});
    expect(await data(url, 'query($id: ID!) { run(id: $id) { status } }', {id})).toEqual({run: {status: 'SUCCEEDED'}});
  }, 60_000);
});

describe('a disk that fills while a step writes', () => {
  /** No file may become larger than this: a limit of the operating system that needs no disk of its own. */
  const limited = {through: ['sh', '-c', 'trap "" XFSZ; ulimit -f 65536; exec "$@"', 'sh']};

  test('fails the run with its code, keeps the last snapshot and gives the space back; with space a retry succeeds', async () => {
    const project = createProject();
    try {
      project.write('seed.csv', ['id', ...Array.from({length: 3_000}, (_, index) => index)].join('\n'));
      project.write('jobs/big.ts', `import {ingest, int, pipeline, sql} from 'millrace/jobs';
        export default pipeline('big', {params: {rows: int({default: 1000})}, steps: [
          ingest('seed', {path: 'seed.csv'}),
          sql('big', 'SELECT hash(a.id * 3001 + b.id)::VARCHAR AS h FROM seed a, seed b LIMIT $rows'),
        ]});`);
      const first = await startServer(project.folder, limited);
      await collect(first.url, runEvents, {id: await start(first.url, 'big'), after: '0'});
      const failed = await start(first.url, 'big', {rows: 8_000_000});
      await collect(first.url, runEvents, {id: failed, after: '0'});
      const {run} = await data(first.url, 'query($id: ID!) { run(id: $id) { status steps { name error { code hint } } } }', {id: failed});
      expect(run).toMatchObject({status: 'FAILED', steps: [{name: 'seed', error: null}, {name: 'big', error: {code: 'DISK_FULL', hint: expect.stringContaining('space')}}]});
      expect(await data(first.url, '{ big_aggregate { aggregate { count } } }')).toEqual({big_aggregate: {aggregate: {count: 1000}}});
      const warehouse = join(project.folder, '.millrace/warehouse');
      expect(readdirSync(join(warehouse, 'staging'))).toEqual([]);
      expect(readdirSync(join(warehouse, 'data/big'))).toHaveLength(1);
      expect(await first.end('SIGTERM')).toEqual({code: 0, signal: null});

      const second = await startServer(project.folder);
      const {retryRun} = await data(second.url, 'mutation($id: ID!) { retryRun(id: $id) { ... on RunStarted { run { id } } ... on Failure { code message } } }', {id: failed});
      await collect(second.url, runEvents, {id: retryRun.run.id, after: '0'});
      expect(await data(second.url, '{ big_aggregate { aggregate { count } } }')).toEqual({big_aggregate: {aggregate: {count: 8_000_000}}});
      expect(await second.end('SIGTERM')).toEqual({code: 0, signal: null});
    } finally {
      project.remove();
    }
  }, 120_000);
});

test('a second process on one embedded folder is refused, and the first goes on', async () => {
  const project = createProject();
  try {
    const first = await startServer(project.folder);
    const second = await runServer(project.folder);
    expect(second.code).toBe(7);
    expect(second.output).toMatch(new RegExp(`FOLDER_IN_USE.*process ${first.pid}`));
    expect(await data(first.url, '{ datasets { totalCount } }')).toEqual({datasets: {totalCount: 0}});
    // A lock that outlived its owner would refuse this one as well.
    await first.end('SIGKILL');
    expect(existsSync(join(project.folder, '.millrace/catalog/lock.sqlite'))).toBe(true);
    const third = await startServer(project.folder);
    expect(await third.end('SIGTERM')).toEqual({code: 0, signal: null});
  } finally {
    project.remove();
  }
}, 60_000);
