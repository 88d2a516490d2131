import {readdir} from 'node:fs/promises';
import {join} from 'node:path';
import {createProject, data, runToEnd} from '../support/project.ts';
import {killServers, startServer} from '../support/server-process.ts';
import {registerTripsModel, writeTrips} from '../support/trips.ts';

afterAll(killServers);

test('a server killed while it keeps outputs leaves nothing that is read, and the next one clears it away', async () => {
  const project = createProject();
  const everyFile = async () => (await readdir(join(project.folder, '.millrace/scores'), {recursive: true})).filter(name => name.endsWith('.parquet'));
  const likely = '{ trips_aggregate(where: {late_arrival: {probability: {_gt: 0.2}}}) { aggregate { count } } }';
  try {
    writeTrips(project);
    const doomed = await startServer(project.folder, {env: {MILLRACE_DIE_AT: 'outputs scored'}});
    await registerTripsModel(doomed.url);
    await runToEnd(doomed.url, 'trips_daily');
    await data(doomed.url, 'mutation { deployModel(input: {model: "late_arrival", version: 1, alias: "champion", on: "trips"}) { __typename } }');
    const {trips} = await data(doomed.url, '{ trips { late_arrival { probability } } }');
    await expect(data(doomed.url, likely)).rejects.toThrow();
    expect(await doomed.ended).toMatchObject({signal: 'SIGKILL'});
    expect(await everyFile()).toEqual([expect.stringMatching(/^drafts/)]);

    const next = await startServer(project.folder);
    expect(await everyFile()).toEqual([]);
    const {trips_aggregate} = await data(next.url, likely);
    expect(trips_aggregate.aggregate.count).toBe(trips.filter(({late_arrival}: any) => late_arrival.probability > 0.2).length);
    expect(await everyFile()).toEqual([expect.stringMatching(/^data/)]);
    await next.end('SIGTERM');
  } finally {
    project.remove();
  }
}, 120_000);
