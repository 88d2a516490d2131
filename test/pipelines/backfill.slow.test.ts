/** A server is killed again and again while it backfills; the next one goes on by itself, and each partition is run once. */
import {setTimeout as sleep} from 'node:timers/promises';
import {createProject, data} from '../support/project.ts';
import {killServers, startServer} from '../support/server-process.ts';

afterAll(killServers);

const total = 12;
const jobs = `
  import {date, pipeline, sql} from 'millrace/jobs';
  const partitionBy = {column: 'day', grain: 'day', param: 'partition'} as const;
  export default pipeline('daily', {concurrency: 2, params: {partition: date()}, steps: [
    sql('days', 'SELECT $partition AS day, range AS n FROM range(100)', {mode: 'overwrite_partitions', partitionBy}),
    sql('doubled', 'SELECT day, n * 2 AS n FROM days WHERE day = $partition', {mode: 'overwrite_partitions', partitionBy}),
  ]});`;

test('three deaths, twelve partitions, each once', async () => {
  const project = createProject();
  try {
    project.write('jobs/daily.ts', jobs);
    const set = ['pipelines.leaseSeconds=1'];
    // Where a worker dies: after its files were moved, when it has committed, before it begins.
    const deaths = ['files moved#4', 'after commit#5', 'step begun#3'];
    let id: string | undefined;
    for (const death of deaths) {
      const server = await startServer(project.folder, {env: {MILLRACE_DIE_AT: death}, set});
      id ??= (await data(server.url, 'mutation { backfill(input: {pipeline: "daily", from: "2001-01-01", to: "2001-01-12"}) { ... on BackfillStarted { backfill { id } } } }')).backfill.backfill.id;
      expect(await server.ended).toEqual({code: null, signal: 'SIGKILL'});
    }
    const server = await startServer(project.folder, {set});
    let backfill: Record<string, any>;
    do {
      await sleep(100);
      ({backfill} = await data(server.url, 'query($id: ID!) { backfill(id: $id) { status done failed total } }', {id}));
    } while (backfill.status === 'RUNNING');
    expect(backfill).toEqual({status: 'SUCCEEDED', done: total, failed: 0, total});

    const {runs, days, doubled, datasets} = await data(server.url, `{
      runs(first: 100) { nodes { status params } } datasets { nodes { name snapshots(first: 100) { operation run { id } } } }
      days: days_aggregate { aggregate { count } } doubled: doubled_aggregate { aggregate { count } }
    }`);
    expect(runs.nodes.map((run: any) => [run.params.partition, run.status]).sort()).toEqual(Array.from({length: total}, (_, index) => [`2001-01-${String(index + 1).padStart(2, '0')}`, 'SUCCEEDED']));
    for (const {snapshots} of datasets.nodes) {
      const made = snapshots.filter((snapshot: any) => snapshot.operation === 'OVERWRITE_PARTITIONS').map((snapshot: any) => snapshot.run.id);
      expect([made.length, new Set(made).size]).toEqual([total, total]);
    }
    expect([days, doubled]).toMatchObject([{aggregate: {count: 100 * total}}, {aggregate: {count: 100 * total}}]);
    expect(await server.end('SIGTERM')).toEqual({code: 0, signal: null});
  } finally {
    project.remove();
  }
}, 180_000);
