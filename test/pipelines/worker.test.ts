/** What a worker does with steps that fail, hang, are cancelled, wait for each other, or kill it. */
import {setTimeout as sleep} from 'node:timers/promises';
import type {App} from '../../src/compose.ts';
import type {RunEventRecord, RunRecord, StepRecord} from '../../src/pipelines/pipeline.ts';
import {createDatabase} from '../support/postgres.ts';
import {collect, createProject, runEvents, startApp} from '../support/project.ts';
import type {Project} from '../support/project.ts';

const numbers = ['id', ...Array.from({length: 200}, (_, index) => index)].join('\n');
/** 200 ^ 6 rows: nobody waits for its end. */
const endless = 'SELECT count(*) AS n FROM numbers a, numbers b, numbers c, numbers d, numbers e, numbers f WHERE a.id + b.id + c.id + d.id + e.id + f.id = 7';
const ingestNumbers = {kind: 'ingest', name: 'numbers', into: 'numbers', source: {path: 'numbers.csv'}};

/** The services as a test asks them. */
function asker(app: () => App) {
  const viewer = () => app().services.system;
  const pipelines = () => app().services.pipelines;
  const events = async (id: string, after = 0n): Promise<RunEventRecord[]> => {
    const all: RunEventRecord[] = [];
    for await (const event of pipelines().events(viewer(), id, after, new AbortController().signal)) all.push(event);
    return all;
  };
  return {
    viewer, pipelines, events,
    put: (name: string, steps: readonly unknown[], more: object = {}) => pipelines().put(viewer(), {name, steps, ...more}, 'test'),
    start: async (pipeline: string, params = {}, idempotencyKey?: string): Promise<RunRecord> => (await pipelines().start(viewer(), {pipeline, params, idempotencyKey})).run,
    run: (id: string) => pipelines().run(viewer(), id),
    async steps(id: string): Promise<Record<string, StepRecord>> {
      return Object.fromEntries((await pipelines().stepsOf(viewer(), [id])).get(id)!.map(step => [step.name, step]));
    },
    /** Waits for an event of a kind, or for the run's end. */
    async until(id: string, kind: RunEventRecord['data']['kind'], step?: string): Promise<void> {
      for await (const {data} of pipelines().events(viewer(), id, 0n, new AbortController().signal)) {
        if (data.kind === kind && (step === undefined || ('step' in data && data.step === step))) return;
      }
      throw new Error(`the run ended without ${kind}`);
    },
    async end(id: string): Promise<RunRecord> {
      await events(id);
      return pipelines().run(viewer(), id);
    },
  };
}

describe('steps', () => {
  let project: Project;
  let app: App;
  const {put, start, run, steps, until, end, events, pipelines, viewer} = asker(() => app);

  beforeAll(async () => {
    project = createProject();
    project.write('numbers.csv', numbers);
    app = await startApp(project, {mode: 'embedded'});
    await put('numbers_in', [ingestNumbers]);
    expect(await end((await start('numbers_in')).id)).toMatchObject({status: 'succeeded'});
  });
  afterAll(async () => {
    await app.lifecycle.stop();
    project.remove();
  });

  test('that fail are tried again after a while, as often as they say', async () => {
    await put('late_file', [{kind: 'ingest', name: 'late', into: 'late', source: {path: 'late.csv'}, attempts: 3}]);
    const {id} = await start('late_file');
    await until(id, 'step_retrying');
    project.write('late.csv', numbers);
    expect(await end(id)).toMatchObject({status: 'succeeded', error: null});
    expect((await steps(id)).late).toMatchObject({attempt: 2, status: 'succeeded', error: null});
    const all = await events(id);
    const retrying = all.find(event => event.data.kind === 'step_retrying')!;
    expect(retrying.data).toMatchObject({attempt: 1, waitSeconds: 1, error: {code: 'SOURCE_NOT_FOUND'}});
    const again = all.find(event => event.seq > retrying.seq && event.data.kind === 'step_started')!;
    expect(again.at.getTime() - retrying.at.getTime()).toBeGreaterThanOrEqual(1_000);
  });

  test('that go on failing fail their run, and what needs them is skipped', async () => {
    await put('never_there', [
      {kind: 'ingest', name: 'nothing', into: 'nothing', source: {path: 'nothing.csv'}, attempts: 2},
      {kind: 'sql', name: 'of_nothing', into: 'of_nothing', sql: 'SELECT * FROM nothing'},
    ]);
    const {id} = await start('never_there');
    expect(await end(id)).toMatchObject({status: 'failed', error: {code: 'RUN_FAILED', message: expect.stringContaining("'nothing'")}});
    expect(await steps(id)).toMatchObject({nothing: {status: 'failed', attempt: 2, error: {code: 'SOURCE_NOT_FOUND'}}, of_nothing: {status: 'skipped', attempt: 0}});
  });

  test('that take too long are interrupted', async () => {
    await put('too_long', [{kind: 'sql', name: 'too_long', into: 'too_long', sql: endless, timeoutSeconds: 0.5}]);
    const began = Date.now();
    const {id} = await start('too_long');
    expect(await end(id)).toMatchObject({status: 'failed'});
    expect(Date.now() - began).toBeLessThan(20_000);
    expect((await steps(id)).too_long!.error).toMatchObject({code: 'STEP_TIMEOUT'});
  });

  test('that run are interrupted when their run is cancelled', async () => {
    await put('cancelled_while_running', [
      {kind: 'sql', name: 'long', into: 'long', sql: endless},
      {kind: 'sql', name: 'after_long', into: 'after_long', sql: 'SELECT * FROM long'},
    ]);
    const {id} = await start('cancelled_while_running');
    await until(id, 'step_started');
    await sleep(300);
    const began = Date.now();
    await pipelines().cancel(viewer(), id);
    expect(await end(id)).toMatchObject({status: 'cancelled', error: {code: 'RUN_CANCELLED'}});
    expect(Date.now() - began).toBeLessThan(15_000);
    expect(await steps(id)).toMatchObject({long: {status: 'cancelled'}, after_long: {status: 'cancelled'}});
    await expect(pipelines().cancel(viewer(), id)).rejects.toMatchObject({code: 'RUN_FINISHED'});
  });

  test('of runs that wait their turn: the run says for what, and can be cancelled', async () => {
    await put('one_at_a_time', [{kind: 'sql', name: 'slow', into: 'slow', sql: endless}]);
    const [first, second, third] = [await start('one_at_a_time'), await start('one_at_a_time'), await start('one_at_a_time')];
    expect(first).toMatchObject({status: 'queued', waitingFor: null});
    expect(second).toMatchObject({status: 'waiting', waitingFor: `run ${first.id} of the same pipeline`});
    expect(third).toMatchObject({status: 'waiting', waitingFor: `run ${second.id} of the same pipeline`});
    await pipelines().cancel(viewer(), second.id);
    expect(await end(second.id)).toMatchObject({status: 'cancelled', waitingFor: null});
    expect(await run(third.id)).toMatchObject({status: 'waiting', waitingFor: `run ${first.id} of the same pipeline`});
    await until(first.id, 'step_started');
    await pipelines().cancel(viewer(), first.id);
    await end(first.id);
    await until(third.id, 'step_started');
    await pipelines().cancel(viewer(), third.id);
    expect(await end(third.id)).toMatchObject({status: 'cancelled'});
  });

  test('that succeeded are not done again by a retry', async () => {
    await put('mended', [
      {kind: 'ingest', name: 'good', into: 'good', source: {path: 'numbers.csv'}},
      {kind: 'ingest', name: 'missing', into: 'missing', source: {path: 'missing.csv'}, after: ['good']},
      {kind: 'sql', name: 'both', into: 'both', sql: 'SELECT good.id FROM good JOIN missing USING (id)'},
    ]);
    const first = await start('mended');
    expect(await end(first.id)).toMatchObject({status: 'failed'});
    project.write('missing.csv', numbers);
    const second = await pipelines().retry(viewer(), first.id);
    expect(second.retryOfId).toBe(first.id);
    expect(await end(second.id)).toMatchObject({status: 'succeeded'});
    const [before, after] = [await steps(first.id), await steps(second.id)];
    expect(after).toMatchObject({good: {reused: true, outputId: before.good!.outputId}, missing: {reused: false}, both: {reused: false, rowsWritten: 200n}});
    await expect(pipelines().retry(viewer(), second.id)).rejects.toMatchObject({code: 'NOTHING_TO_RETRY'});
  });

  test('that write one dataset at once from two pipelines both do', async () => {
    for (const name of ['left', 'right']) await put(name, [{kind: 'sql', name, into: 'shared', mode: 'append', sql: `SELECT id, '${name}' AS side FROM numbers`}]);
    const runs = [await start('left'), await start('right')];
    for (const {id} of runs) expect(await end(id)).toMatchObject({status: 'succeeded'});
    const [head] = await app.services.datasets.list(viewer(), 'shared');
    expect(head!.head).toMatchObject({rowCount: 400n, sequence: 2});
  });

  test('are run once for one idempotency key', async () => {
    await put('keyed', [ingestNumbers], {params: {day: {type: 'int', default: 1}}});
    const runs = await Promise.all(Array.from({length: 5}, () => start('keyed', {}, 'monday')));
    expect(new Set(runs.map(({id}) => id)).size).toBe(1);
    await expect(start('keyed', {day: 2}, 'monday')).rejects.toMatchObject({code: 'IDEMPOTENCY_CONFLICT'});
    await expect(start('numbers_in', {}, 'monday')).rejects.toMatchObject({code: 'IDEMPOTENCY_CONFLICT'});
    await end(runs[0]!.id);
    const into = {source: {path: 'numbers.csv'}, into: 'keyed_in'};
    const ingested = await pipelines().ingest(viewer(), into, {}, 'tuesday');
    expect((await pipelines().ingest(viewer(), into, {}, 'tuesday')).id).toBe(ingested.id);
    await expect(pipelines().ingest(viewer(), {...into, source: {path: 'late.csv'}}, {}, 'tuesday')).rejects.toMatchObject({code: 'IDEMPOTENCY_CONFLICT'});
    await end(ingested.id);
  });

  test('have events that expire, and who asks for those is told from where to go on', async () => {
    const {id} = await start('numbers_in');
    const {lastSeq} = await end(id);
    await app.services.catalog.transaction(stores => stores.runs.expireEvents(0));
    await expect(events(id)).rejects.toMatchObject({code: 'EVENTS_EXPIRED', details: {seq: lastSeq}});
    expect(await events(id, lastSeq)).toEqual([]);
  });
});

describe('several processes on one PostgreSQL', () => {
  let project: Project;
  let database: Awaited<ReturnType<typeof createDatabase>>;
  let server: App;
  const {put, start, steps, end} = asker(() => server);
  const worker = (...set: string[]) => startApp(project, {mode: 'work', set: [`catalog.url=${database.url}`, 'pipelines.leaseSeconds=1', ...set]});

  beforeAll(async () => {
    project = createProject();
    project.write('numbers.csv', numbers);
    database = await createDatabase();
    server = await startApp(project, {set: [`catalog.url=${database.url}`, 'pipelines.workers=0']});
  });
  afterAll(async () => {
    await server.lifecycle.stop();
    await database.drop();
    project.remove();
  });

  test('a server tells all that happens in a run that another process works on; one key, one run', async () => {
    await put('numbers_in', [ingestNumbers, {kind: 'sql', name: 'evens', into: 'evens', sql: 'SELECT id FROM numbers WHERE id % 2 = 0'}]);
    const runs = await Promise.all(Array.from({length: 5}, () => start('numbers_in', {}, 'monday')));
    expect(new Set(runs.map(({id}) => id)).size).toBe(1);
    const watched = collect(server.http.url, runEvents, {id: runs[0]!.id, after: '0'});
    const other = await worker();
    try {
      const seen = (await watched).map(({runEvents}) => runEvents);
      expect(seen.map(event => Number(event.seq))).toEqual(seen.map((_, index) => index + 1));
      expect(seen.at(-1)).toMatchObject({__typename: 'RunFinished', run: {status: 'SUCCEEDED'}});
      expect((await steps(runs[0]!.id)).evens).toMatchObject({rowsWritten: 100n});
    } finally {
      await other.lifecycle.stop();
    }
  });

  test('a step that ends every worker fails after five', async () => {
    await put('deadly', [ingestNumbers]);
    const {id} = await start('deadly');
    for (let death = 0; death < 5; death++) {
      let claimed = null;
      while (!claimed) claimed = await server.services.catalog.read(stores => stores.runs.claim(`dies ${death}`, 0.01));
      expect(claimed).toMatchObject({attempt: 1, deaths: death});
    }
    const other = await worker();
    try {
      expect(await end(id)).toMatchObject({status: 'failed'});
      expect((await steps(id)).numbers!.error).toMatchObject({code: 'WORKER_DIED', hint: expect.stringContaining('retryRun')});
    } finally {
      await other.lifecycle.stop();
    }
  });
});
