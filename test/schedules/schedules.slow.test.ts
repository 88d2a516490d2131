/** Schedules of servers that are killed, and of several that look at the same time. */
import {setTimeout as sleep} from 'node:timers/promises';
import {createDatabase} from '../support/postgres.ts';
import {createProject, data, runToEnd} from '../support/project.ts';
import type {Project} from '../support/project.ts';
import {killServers, startServer} from '../support/server-process.ts';

afterAll(killServers);

function scheduledProject(): Project {
  const project = createProject();
  project.write('numbers.csv', 'id\n1\n2\n3\n');
  project.write('jobs/numbers.ts', `import {ingest, pipeline} from 'millrace/jobs';
    export default pipeline('numbers_in', {steps: [ingest('numbers', {path: 'numbers.csv'}, {mode: 'append'})]});`);
  project.write('jobs/doubled.ts', `import {pipeline, sql} from 'millrace/jobs';
    export default pipeline('doubled', {when: {datasets: ['numbers']}, steps: [sql('doubles', 'SELECT id * 2 AS id FROM numbers')]});`);
  return project;
}

/** The runs of the pipeline that is started by others, once as many as expected have ended; then some moments later. */
async function endedRuns(url: string, count: number): Promise<{id: string; status: string; requestedBy: string}[]> {
  const runs = async () => (await data(url, '{ pipeline(name: "doubled") { runs(first: 50) { id status requestedBy } } }')).pipeline.runs as {id: string; status: string; requestedBy: string}[];
  while ((await runs()).filter(({status}) => status === 'SUCCEEDED').length < count) await sleep(50);
  await sleep(1_000);
  return runs();
}

test('kill -9 when a schedule has decided: the run it made is done, and no other is made', async () => {
  const project = scheduledProject();
  const first = await startServer(project.folder, {env: {MILLRACE_DIE_AT: 'schedule decided'}});
  await data(first.url, 'mutation { startRun(input: {pipeline: "numbers_in"}) { __typename } }').catch(() => undefined);
  expect(await first.ended).toEqual({code: null, signal: 'SIGKILL'});
  const second = await startServer(project.folder);
  expect(await endedRuns(second.url, 1)).toMatchObject([{status: 'SUCCEEDED', requestedBy: 'schedule'}]);
  expect((await second.end('SIGTERM')).code).toBe(0);
  project.remove();
}, 180_000);

test('of two servers that start and look at the same time, one makes each run', async () => {
  const project = scheduledProject();
  const database = await createDatabase();
  const options = {set: [`catalog.url=${database.url}`]};
  const servers = await Promise.all([startServer(project.folder, options), startServer(project.folder, options)]);
  try {
    for (let count = 1; count <= 3; count++) {
      await runToEnd(servers[count % 2]!.url, 'numbers_in');
      expect(await endedRuns(servers[0]!.url, count)).toHaveLength(count);
    }
  } finally {
    await Promise.all(servers.map(server => server.end('SIGKILL')));
    await database.drop();
    project.remove();
  }
}, 180_000);
