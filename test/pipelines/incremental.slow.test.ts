/** A hundred new files, two pipelines that read them, two workers that are killed: each file is in exactly once. */
import {createDatabase} from '../support/postgres.ts';
import {collect, createProject, data, runEvents} from '../support/project.ts';
import {killServers, startServer} from '../support/server-process.ts';

afterAll(killServers);

const files = 100;
const jobs = (name: string): string => `
  import {ingest, pipeline} from 'millrace/jobs';
  export default pipeline('${name}', {steps: [ingest('landed', {path: 'landing/*.csv'}, {mode: 'append', incremental: true})]});`;

test('each file is read once, whoever dies', async () => {
  const project = createProject();
  const database = await createDatabase();
  const set = [`catalog.url=${database.url}`, 'pipelines.leaseSeconds=1'];
  try {
    for (const name of ['one', 'two']) project.write(`jobs/${name}.ts`, jobs(name));
    const land = (from: number, to: number): void => {
      for (let n = from; n < to; n++) project.write(`landing/${n}.csv`, `file,n\n${n},1\n${n},2\n`);
    };
    const server = await startServer(project.folder, {set: [...set, 'pipelines.workers=0']});
    const start = async (pipeline: string): Promise<string> =>
      (await data(server.url, `mutation { startRun(input: {pipeline: "${pipeline}"}) { ... on RunStarted { run { id } } } }`)).startRun.run.id;
    const ends = async (ids: readonly string[]): Promise<unknown[]> =>
      Promise.all(ids.map(async id => (await collect(server.url, runEvents, {id, after: '0'})).at(-1)!.runEvents.run.status));

    land(0, files / 2);
    const first = await Promise.all(['one', 'two'].map(start));
    const doomed = await Promise.all(['files moved', 'after commit'].map(at => startServer(project.folder, {command: 'work', set, env: {MILLRACE_DIE_AT: at}})));
    // One of them may find nothing to do, and lives on.
    await Promise.race(doomed.map(worker => worker.ended));
    await startServer(project.folder, {command: 'work', set});
    expect(await ends(first)).toEqual(['SUCCEEDED', 'SUCCEEDED']);
    land(files / 2, files);
    expect(await ends(await Promise.all(['two', 'one'].map(start)))).toEqual(['SUCCEEDED', 'SUCCEEDED']);

    const {rows, all, dataset} = await data(server.url, '{ rows: landed(limit: 1000) { file n } all: landed_aggregate { aggregate { count } } dataset(name: "landed") { snapshots(first: 100) { operation rawFiles { path } } } }');
    expect(all.aggregate.count).toBe(2 * files);
    expect(new Set(rows.map((row: any) => `${row.file} ${row.n}`)).size).toBe(2 * files);
    const read = dataset.snapshots.flatMap((snapshot: any) => snapshot.rawFiles.map((file: any) => file.path));
    expect([read.length, new Set(read).size]).toEqual([files, files]);
  } finally {
    await killServers();
    await database.drop();
    project.remove();
  }
}, 180_000);
