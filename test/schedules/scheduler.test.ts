/** Schedules over the real services, on either database; the clock is the test's. */
import {rmSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import type {App} from '../../src/compose.ts';
import {Scheduler} from '../../src/schedules/scheduler.ts';
import {databases} from '../support/catalog-places.ts';
import type {CatalogPlace} from '../support/catalog-places.ts';
import {ask, createProject, data, startApp} from '../support/project.ts';
import type {Project} from '../support/project.ts';

const day = 86_400_000;

describe.each(databases)('schedules on %s', (_kind, createPlace) => {
  let project: Project;
  let place: CatalogPlace;
  let app: App;
  /** The second of them looks at the same time as the first, as another server would. */
  let schedulers: [Scheduler, Scheduler];
  let now: Date;

  beforeAll(async () => {
    project = createProject();
    place = await createPlace();
    project.write('numbers.csv', 'id\n1\n2\n');
    // No scheduler of its own, which would go by the real clock.
    app = await startApp(project, {mode: 'embedded', set: place.options.url === null ? [] : [`catalog.url=${place.options.url}`]});
    const {catalog, pipelines, logger} = app.services;
    const scheduler = () => new Scheduler({catalog, pipelines, logger, clock: async () => now});
    schedulers = [scheduler(), scheduler()];
  });
  afterAll(async () => {
    await app.lifecycle.stop();
    await place.remove();
    project.remove();
  });

  const viewer = () => app.services.system;
  const put = (definition: object) => app.services.pipelines.put(viewer(), definition, 'graph');
  const scheduleOf = async (name: string) => (await app.services.schedules.ofPipelines(viewer(), [name])).get(name)!;
  /** Runs of a pipeline, oldest first. */
  const runs = async (name: string) => (await app.services.pipelines.runs(viewer(), {pipeline: name, limit: 200})).toReversed();
  const look = async (at: Date) => {
    now = at;
    await Promise.all(schedulers.map(scheduler => scheduler.look()));
  };
  const end = async (name: string) => {
    while ((await runs(name)).some(({finishedAt}) => finishedAt === null)) await sleep(20);
  };
  const step = (into: string, sql = 'SELECT 1 AS one') => ({kind: 'sql', name: into, into, sql});
  const ingest = async (into: string, rows: number) => {
    project.write('numbers.csv', `id\n${Array.from({length: rows}, (_, id) => id).join('\n')}\n`);
    await app.services.pipelines.ingest(viewer(), {source: {path: 'numbers.csv'}, into});
    await end(`ingest_${into}`);
  };
  /** The next time of a schedule is one of the future by the database's clock: tests begin there. */
  const nextOf = async (name: string) => (await scheduleOf(name)).nextAt!;

  describe('by the clock', () => {
    test('a jobs file that is removed takes its schedule with it, and brings it back', async () => {
      const text = `export default {name: 'hourly', schedule: {cron: '0 * * * *'}, steps: [${JSON.stringify(step('hours'))}]};`;
      const isScheduled = async () => {
        await app.services.pipelines.list(viewer());
        return (await app.services.schedules.ofPipelines(viewer(), ['hourly'])).has('hourly');
      };
      await put({name: 'hourly_too', schedule: {cron: '0 * * * *'}, steps: [step('hours_too')]});
      project.write('jobs/hourly.js', text);
      expect(await isScheduled()).toBe(true);
      rmSync(join(project.folder, 'jobs/hourly.js'));
      expect(await isScheduled()).toBe(false);
      expect((await app.services.pipelines.get(viewer(), 'hourly')).origin).toBe('hourly.js');
      expect((await app.services.schedules.ofPipelines(viewer(), ['hourly_too'])).has('hourly_too')).toBe(true);
      project.write('jobs/hourly.js', text);
      expect(await isScheduled()).toBe(true);
      rmSync(join(project.folder, 'jobs/hourly.js'));
      await put({name: 'hourly_too', steps: [step('hours_too')]});
    });

    test('each time starts one run, whoever looks and however often, with the time it is for', async () => {
      await put({
        name: 'daily', params: {scheduledFor: {type: 'date'}, least: {type: 'int', default: 3}}, schedule: {cron: '15 0 * * *', timeZone: 'Asia/Tokyo'},
        steps: [step('daily_out', "SELECT CAST($scheduledFor AS DATE) AS day, $least AS least")],
      });
      const first = await nextOf('daily');
      expect(first.toISOString()).toMatch(/T15:15:00.000Z$/);
      await look(new Date(first.getTime() - 1));
      expect(await runs('daily')).toEqual([]);
      await look(first);
      await look(new Date(first.getTime() + 10));
      const second = await nextOf('daily');
      expect(second.getTime() - first.getTime()).toBe(day);
      await look(new Date(second.getTime() + 500));
      await end('daily');
      const localDay = (at: Date) => new Date(at.getTime() + 9 * 3_600_000).toISOString().slice(0, 10);
      expect(await runs('daily')).toMatchObject([first, second].map(at => ({status: 'succeeded', requestedBy: 'schedule', params: {scheduledFor: localDay(at), least: 3}})));
      expect(await scheduleOf('daily')).toMatchObject({lastAt: second, lastRunId: (await runs('daily'))[1]!.id, skipped: 0, waitingFor: null});
    });

    const downtimes = [['none', 0, 5], ['last', 1, 4], ['all', 5, 0]] as const;
    test.each(downtimes)("after a downtime of five times, '%s' makes up for %i and tells of %i", async (catchUp, made, skipped) => {
      const name = `down_${catchUp}`;
      await put({name, params: {scheduledFor: {type: 'string'}}, schedule: {cron: '0 4 * * *', catchUp}, steps: [step(`${name}_out`, 'SELECT $scheduledFor AS at')]});
      const first = await nextOf(name);
      await look(new Date(first.getTime() + 4 * day + 3_600_000));
      await end(name);
      const missed = Array.from({length: 5}, (_, index) => new Date(first.getTime() + index * day).toISOString());
      expect((await runs(name)).map(({params}) => params.scheduledFor)).toEqual(missed.slice(5 - made));
      expect(await scheduleOf(name)).toMatchObject({nextAt: new Date(first.getTime() + 5 * day), skipped});
      // A time that is on time is run by every rule.
      await look(new Date(first.getTime() + 5 * day + 2_000));
      expect((await runs(name)).length).toBe(made + 1);
      await end(name);
    });

    test('a schedule that is paused starts nothing, and goes on with the next time', async () => {
      await put({name: 'paused', schedule: {cron: '0 5 * * *', catchUp: 'all'}, steps: [step('paused_out')]});
      const first = await nextOf('paused');
      expect(await app.services.schedules.pause(viewer(), 'paused')).toMatchObject({paused: true, waitingFor: 'being resumed'});
      await look(new Date(first.getTime() + day));
      expect(await runs('paused')).toEqual([]);
      // Storing the same definition again, as each start of a server does, does not resume it.
      await put({name: 'paused', schedule: {cron: '0 5 * * *', catchUp: 'all'}, steps: [step('paused_out')]});
      expect(await scheduleOf('paused')).toMatchObject({paused: true});
      const resumed = await app.services.schedules.resume(viewer(), 'paused');
      expect(resumed.nextAt!.getTime()).toBeGreaterThan(Date.now());
      await expect(app.services.schedules.pause(viewer(), 'nothing')).rejects.toMatchObject({code: 'SCHEDULE_NOT_FOUND'});
    });

    test('a new rule counts from now on; none ends it', async () => {
      await put({name: 'changing', schedule: {cron: '0 5 * * *'}, steps: [step('changing_out')]});
      await put({name: 'changing', schedule: {cron: '30 5 * * *'}, steps: [step('changing_out')]});
      expect((await nextOf('changing')).toISOString()).toMatch(/T05:30/);
      await expect(put({name: 'changing', params: {least: {type: 'int'}}, schedule: {cron: '30 5 * * *'}, steps: [step('changing_out')]})).rejects.toMatchObject({code: 'SCHEDULE_INVALID'});
      await put({name: 'changing', steps: [step('changing_out')]});
      expect(await scheduleOf('changing')).toBeUndefined();
    });
  });

  describe('for new snapshots', () => {
    test("'all' waits for each of them and says for which; each set starts one run", async () => {
      await ingest('flights', 2);
      await put({name: 'joined', when: {datasets: ['flights', 'airports']}, steps: [step('joined_out', 'SELECT count(*) AS n FROM flights')]});
      expect(await scheduleOf('joined')).toMatchObject({waitingFor: 'a new snapshot of flights and airports', nextAt: null});
      await ingest('flights', 3);
      await look(new Date());
      expect(await scheduleOf('joined')).toMatchObject({waitingFor: 'a new snapshot of airports', lastRunId: null});
      await ingest('airports', 1);
      expect(await scheduleOf('joined')).toMatchObject({waitingFor: null});
      await look(new Date());
      await look(new Date());
      await end('joined');
      expect(await runs('joined')).toMatchObject([{status: 'succeeded', requestedBy: 'schedule'}]);
      await ingest('airports', 4);
      await look(new Date());
      expect(await scheduleOf('joined')).toMatchObject({waitingFor: 'a new snapshot of flights', lastRunId: (await runs('joined'))[0]!.id});
      await ingest('flights', 5);
      await look(new Date());
      await end('joined');
      expect(await runs('joined')).toHaveLength(2);
    });

    test("'any' is started by each, and not by a compaction, which changes no row", async () => {
      await ingest('left_side', 2);
      await put({name: 'either', when: {datasets: ['left_side', 'right_side'], mode: 'any'}, steps: [step('either_out')]});
      await ingest('right_side', 1);
      await look(new Date());
      await ingest('left_side', 7);
      await app.services.pipelines.ingest(viewer(), {source: {path: 'numbers.csv'}, into: 'left_side', mode: 'append'});
      await end('ingest_left_side');
      await look(new Date());
      await end('either');
      expect(await runs('either')).toHaveLength(2);
      const before = (await app.services.datasets.get(viewer(), 'left_side')).head!;
      await app.services.warehouse.compact('left_side');
      expect((await app.services.datasets.get(viewer(), 'left_side')).head).toMatchObject({operation: 'replace', sequence: before.sequence + 1});
      await look(new Date());
      expect(await runs('either')).toHaveLength(2);
      expect(await scheduleOf('either')).toMatchObject({waitingFor: 'a new snapshot of left_side or right_side'});
    });

    test('snapshots that come while its run waits for others are that run\'s; times are skipped', async () => {
      await ingest('busy_in', 1);
      const slow = 'SELECT sum(a.range * b.range) AS total FROM range(100000) a, range(100000) b';
      await put({name: 'busy', schedule: {cron: '0 3 * * *'}, when: {datasets: ['busy_in']}, steps: [step('busy_out', slow)]});
      const {run: first} = await app.services.pipelines.start(viewer(), {pipeline: 'busy'});
      for (let index = 2; index < 5; index++) {
        await ingest('busy_in', index);
        await look(new Date());
      }
      expect((await runs('busy')).slice(1)).toMatchObject([{status: 'waiting', waitingFor: `run ${first.id} of the same pipeline`}]);
      expect(await scheduleOf('busy')).toMatchObject({waitingFor: 'a new snapshot of busy_in', skipped: 0});
      await look(await nextOf('busy'));
      expect(await runs('busy')).toHaveLength(2);
      expect(await scheduleOf('busy')).toMatchObject({skipped: 1});
      await app.services.schedules.pause(viewer(), 'busy');
      for (const {id} of (await runs('busy')).toReversed()) await app.services.pipelines.cancel(viewer(), id);
      await end('busy');
    });

    test('a pipeline that writes what it is started by is refused, also by way of others', async () => {
      await expect(put({name: 'ring', when: {datasets: ['ring_out']}, steps: [step('ring_out')]})).rejects.toMatchObject({code: 'TRIGGER_CYCLE', details: {path: 'ring → ring_out → ring'}});
      await put({name: 'ring_b', when: {datasets: ['ring_a_out']}, steps: [step('ring_b_out')]});
      await put({name: 'ring_c', when: {datasets: ['ring_b_out', 'other']}, steps: [step('ring_c_out')]});
      await expect(put({name: 'ring_a', when: {datasets: ['ring_c_out']}, steps: [step('ring_a_out')]})).rejects.toMatchObject({
        code: 'TRIGGER_CYCLE', details: {path: 'ring_a → ring_a_out → ring_b → ring_b_out → ring_c → ring_c_out → ring_a'},
      });
      // Under the rule it has, but with other outputs.
      await expect(put({name: 'ring_c', when: {datasets: ['ring_b_out', 'other']}, steps: [step('ring_a_out')]})).rejects.toMatchObject({code: 'TRIGGER_CYCLE'});
      // Of those that wait in a circle without being started by it, there is nothing to say.
      await put({name: 'ring_a', steps: [step('ring_a_out', 'SELECT 2 AS two')]});
    });
  });

  /** Followed one by one they are 4^12. */
  test('many ways from one pipeline to another are followed once each', async () => {
    const [layers, wide] = [12, [0, 1, 2, 3]];
    const outputs = (layer: number) => wide.map(place => `way_${layer}_${place}_out`);
    for (let layer = layers; layer > 0; layer--) await put({name: `way_${layer}`, when: {datasets: outputs(layer - 1)}, steps: outputs(layer).map(name => step(name))});
    await put({name: 'way_0', when: {datasets: ['way_in']}, steps: outputs(0).map(name => step(name))});
    await expect(put({name: 'way_0', when: {datasets: [`way_${layers}_3_out`]}, steps: outputs(0).map(name => step(name))})).rejects.toMatchObject({code: 'TRIGGER_CYCLE'});
  });

  test('snapshots of many datasets of long names each start a run', async () => {
    const names = Array.from({length: 40}, (_, index) => `a_dataset_of_a_rather_long_name_${String(index).padStart(2, '0')}`);
    await put({name: 'of_forty', when: {datasets: names, mode: 'any'}, steps: [step('of_forty_out')]});
    for (const rows of [1, 2]) {
      await ingest(names.at(-1)!, rows);
      await look(new Date());
      await end('of_forty');
      expect(await runs('of_forty')).toHaveLength(rows);
    }
  });

  test.each([
    [{schedule: {cron: '61 * * * *'}}, 'SCHEDULE_INVALID'], [{schedule: {cron: '0 0 31 2 *'}}, 'SCHEDULE_INVALID'], [{schedule: {cron: '0 0 * * *', timeZone: 'Berlin'}}, 'SCHEDULE_INVALID'],
    [{schedule: {cron: '0 0 * * *'}, params: {day: {type: 'date'}}}, 'SCHEDULE_INVALID'], [{schedule: {cron: '0 0 * * *'}, params: {scheduledFor: {type: 'int'}}}, 'SCHEDULE_INVALID'],
    [{schedule: {cron: '0 0 * * *', catchUp: 'some'}}, 'PIPELINE_INVALID'], [{when: {datasets: []}}, 'PIPELINE_INVALID'], [{when: {datasets: ['a', 'a']}}, 'PIPELINE_INVALID'], [{schedule: {}}, 'PIPELINE_INVALID'],
  ])('%j is refused and nothing is stored', async (rule, code) => {
    await expect(put({name: 'refused', ...rule, steps: [step('refused_out')]})).rejects.toMatchObject({code});
    await expect(app.services.pipelines.get(viewer(), 'refused')).rejects.toMatchObject({code: 'PIPELINE_NOT_FOUND'});
  });
});

test('a server runs what a jobs file schedules, and the graph tells of it', async () => {
  const project = createProject();
  project.write('numbers.csv', 'id\n1\n');
  project.write('jobs/numbers.ts', `import {ingest, pipeline} from 'millrace/jobs';
    export default pipeline('numbers_in', {schedule: {cron: '15 6 * * 1-5', timeZone: 'Europe/Berlin', catchUp: 'none'}, steps: [ingest('numbers', {path: 'numbers.csv'})]});`);
  project.write('jobs/doubled.ts', `import {pipeline, sql} from 'millrace/jobs';
    export default pipeline('doubled', {when: {datasets: ['numbers']}, steps: [sql('doubles', 'SELECT id * 2 AS id FROM numbers')]});`);
  const {lifecycle, http: {url}} = await startApp(project);
  try {
    const schedule = '{ schedule { cron timeZone catchUp datasets mode nextAt lastAt paused waitingFor skipped lastRun { status } error { code } } }';
    const {numbers, doubled} = await data(url, `{ numbers: pipeline(name: "numbers_in") ${schedule} doubled: pipeline(name: "doubled") ${schedule} }`);
    expect(numbers.schedule).toMatchObject({cron: '15 6 * * 1-5', timeZone: 'Europe/Berlin', catchUp: 'NONE', datasets: [], paused: false, waitingFor: null, lastAt: null, skipped: 0, error: null});
    expect(new Date(numbers.schedule.nextAt).getTime()).toBeGreaterThan(Date.now());
    expect(doubled.schedule).toMatchObject({cron: null, datasets: ['numbers'], mode: 'ALL', nextAt: null, waitingFor: 'a new snapshot of numbers'});

    await data(url, 'mutation { startRun(input: {pipeline: "numbers_in"}) { __typename } }');
    const triggered = async () => (await data(url, '{ pipeline(name: "doubled") { schedule { lastRun { status requestedBy } } runs { id } } }')).pipeline;
    while ((await triggered()).schedule.lastRun?.status !== 'SUCCEEDED') await sleep(50);
    expect(await triggered()).toMatchObject({schedule: {lastRun: {requestedBy: 'schedule'}}, runs: [{}]});
    const change = (mutation: string) => data(url, `mutation { answer: ${mutation} { ... on ScheduleChanged { schedule { paused nextAt } } ... on Failure { code } } }`);
    expect(await change('pauseSchedule(pipeline: "numbers_in")')).toEqual({answer: {schedule: {paused: true, nextAt: null}}});
    expect(await change('resumeSchedule(pipeline: "numbers_in")')).toEqual({answer: {schedule: {paused: false, nextAt: numbers.schedule.nextAt}}});
    expect(await change('pauseSchedule(pipeline: "nobody")')).toEqual({answer: {code: 'SCHEDULE_NOT_FOUND'}});
    const refused = await ask(url, 'mutation($definition: JSON!) { createPipeline(definition: $definition) { ... on Failure { code hint } } }', {
      definition: {name: 'ring', when: {datasets: ['ring_out']}, steps: [{kind: 'sql', name: 'ring_out', into: 'ring_out', sql: 'SELECT 1 AS one'}]},
    });
    expect(refused.data.createPipeline).toMatchObject({code: 'TRIGGER_CYCLE'});
  } finally {
    await lifecycle.stop();
    project.remove();
  }
});
