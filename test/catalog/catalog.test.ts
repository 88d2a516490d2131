import {setTimeout as delay} from 'node:timers/promises';
import type {Catalog} from '../../src/catalog/catalog.ts';
import {createCatalog} from '../../src/catalog/create-catalog.ts';
import {newId} from '../../src/core/ids.ts';
import type {PipelineDefinition, RunRecord} from '../../src/pipelines/pipeline.ts';
import type {Field} from '../../src/schemas/schema.ts';
import {databases} from '../support/catalog-places.ts';
import type {CatalogPlace} from '../support/catalog-places.ts';

const log = (message: string) => ({kind: 'log', step: null, level: 'info', message}) as const;
const field: Field = {id: 1, name: 'id', type: {kind: 'int', bits: 32, signed: true}, nullable: false};

/** What the catalog does, on either database. The PostgreSQL server's own time zone is New York's. */
describe.each(databases)('the catalog on %s', (kind, create) => {
  let place: CatalogPlace;
  let catalog: Catalog;

  beforeAll(async () => {
    place = await create();
    catalog = createCatalog(place.options);
    await catalog.start();
  });
  afterAll(async () => {
    await catalog.stop();
    await place.remove();
  });

  let pipelines = 0;
  /** Makes runs of one new pipeline, whose steps wait for each other in a row. */
  const makeRuns = async (count: number, {steps = ['s'], concurrency}: {steps?: string[]; concurrency?: number} = {}): Promise<RunRecord[]> => {
    const definition: PipelineDefinition = {
      name: `p${++pipelines}`, ...(concurrency === undefined ? {} : {concurrency}), steps: steps.map(name => ({kind: 'sql', name, sql: 'select 1 as a', into: name})),
    };
    const pipeline = await catalog.transaction(stores => stores.runs.putPipeline(definition, 'hash', 'graph'));
    const runs: RunRecord[] = [];
    for (let n = 0; n < count; n++) {
      runs.push(await catalog.transaction(stores => stores.runs.createRun({
        definitionId: pipeline.definitionId, params: {n}, requestedBy: 'me', branch: 'main',
        steps: steps.map((name, position) => ({name, position, kind: 'sql', needs: position === 0 ? [] : [steps[position - 1]!]})),
      })));
    }
    return runs;
  };
  const admit = (run: RunRecord) => catalog.transaction(async stores => {
    const admitted = await stores.runs.admit(run.id);
    for (const id of admitted) await stores.runs.advance(id);
    return admitted;
  });
  const find = (run: RunRecord) => catalog.read(async stores => (await stores.runs.run(run.id))!);
  const claim = (worker: string, seconds = 60) => catalog.read(stores => stores.runs.claim(worker, seconds));
  /** Ends a step as a worker does. */
  const end = (run: RunRecord, step: string, fence: number, status: 'succeeded' | 'failed' = 'succeeded') => catalog.transaction(async stores => {
    await stores.runs.prove(run.id, step, fence);
    await stores.runs.finishStep(run.id, step, status, status === 'failed' ? {code: 'SQL_FAILED', message: 'no', hint: ''} : null);
    await stores.runs.appendEvents(run.id, [{kind: 'step_finished', step, status, error: null}, ...(await stores.runs.advance(run.id))]);
  });

  describe('snapshots', () => {
    test('are committed by compare-and-set, numbering rows across overwrites', async () => {
      const dataset = await catalog.transaction(stores => stores.datasets.create('trips', {key: ['id']}));
      const file = (rowCount: bigint) => ({id: newId(), path: newId(), rowIds: 'positional' as const, rowCount, bytes: 10n, sha256: 'x', columns: [], partition: null});
      const commit = (parentId: string | null, operation: 'append' | 'overwrite', rows: bigint) =>
        catalog.transaction(stores => stores.datasets.commit({
          id: newId(), datasetId: dataset.id, branch: 'main', parentId, operation, schema: {fields: [field]}, files: [file(rows)],
          runId: null, stepName: null, contentHash: 'h', profile: [], lineage: {},
        }));
      const first = await commit(null, 'append', 5n);
      const second = await commit(first.id, 'append', 7n);
      expect(second).toMatchObject({sequence: 2, rowCount: 12n, nextRowId: 12n, schemaVersion: 1, fileCount: 2});
      await expect(commit(first.id, 'append', 1n)).rejects.toMatchObject({code: 'COMMIT_CONFLICT'});
      const third = await commit(second.id, 'overwrite', 3n);
      expect(third).toMatchObject({sequence: 3, rowCount: 3n, nextRowId: 15n});
      expect(Math.abs(third.committedAt.getTime() - Date.now())).toBeLessThan(60_000);
      const files = await catalog.read(stores => stores.datasets.filesOf([second.id, third.id]));
      expect(files.get(second.id)!.map(item => item.firstRowId)).toEqual([0n, 5n]);
      expect(files.get(third.id)!.map(item => item.firstRowId)).toEqual([12n]);
      expect(files.get(second.id)).toEqual(await catalog.read(stores => stores.datasets.files(second)));
      expect((await catalog.read(stores => stores.datasets.headsAt('main', second.committedAt))).get('trips')!.id).toBe(second.id);
      expect(await catalog.read(stores => stores.datasets.head('main', 'trips'))).toEqual(third);

      const found = await catalog.read(stores => stores.datasets.snapshotsOf([dataset.id, newId(), 'nonsense'], 2));
      expect([...found.values()].map(of => of.map(snapshot => snapshot.sequence))).toEqual([[3, 2], [], []]);
      expect([...(await catalog.read(stores => stores.datasets.snapshotsById([first.id, newId(), 'nonsense', first.id.toUpperCase()]))).keys()]).toEqual([first.id, first.id.toUpperCase()]);
      await expect(catalog.transaction(stores => stores.datasets.create('trips', {}))).rejects.toMatchObject({code: 'NAME_TAKEN'});
    });

    test('of one parent at once: one lands', async () => {
      const dataset = await catalog.transaction(stores => stores.datasets.create('raced', {}));
      const outcomes = await Promise.allSettled(Array.from({length: 5}, () => catalog.transaction(stores => stores.datasets.commit({
        id: newId(), datasetId: dataset.id, branch: 'main', parentId: null, operation: 'append', schema: {fields: [field]}, files: [],
        runId: null, stepName: null, contentHash: 'h', profile: [], lineage: {},
      }))));
      expect(outcomes.filter(outcome => outcome.status === 'fulfilled')).toHaveLength(1);
      expect(outcomes.flatMap(outcome => (outcome.status === 'rejected' ? [(outcome.reason as {code: string}).code] : []))).toEqual(Array(4).fill('COMMIT_CONFLICT'));
    });
  });

  describe('units of work', () => {
    test('roll back as a whole', async () => {
      await expect(catalog.transaction(async stores => {
        await stores.datasets.create('never', {});
        throw new Error('enough');
      })).rejects.toMatchObject({code: 'INTERNAL'});
      expect(await catalog.read(stores => stores.datasets.byName('never'))).toBeNull();
    });

    test('refuse another one inside', async () => {
      await expect(catalog.transaction(() => catalog.read(stores => stores.datasets.list()))).rejects.toMatchObject({code: 'INTERNAL', message: expect.stringContaining('inside another')});
    });
  });

  describe('events', () => {
    test('are numbered without gaps, also with roll-backs and writers at once', async () => {
      const [run] = await makeRuns(1);
      const woken: string[] = [];
      const quiet = catalog.listen('run', payload => woken.push(payload));
      await Promise.all(Array.from({length: 40}, (_, index) =>
        catalog.transaction(async stores => {
          await stores.runs.appendEvents(run!.id, [log(`${index} a`), log(`${index} b`)]);
          if (index % 3 === 0) throw new Error('rolled back');
        }).catch(() => undefined)));
      const events = await catalog.read(stores => stores.runs.events(run!.id, 0n, 1000));
      expect(events.map(event => Number(event.seq))).toEqual(Array.from({length: 52}, (_, index) => index + 1));
      // Each pair was appended at once, so it stands together.
      for (let at = 0; at < events.length; at += 2) {
        const [one, two] = [events[at]!.data, events[at + 1]!.data] as [ReturnType<typeof log>, ReturnType<typeof log>];
        expect(two.message).toBe(one.message.replace('a', 'b'));
      }
      expect(events.every((event, at) => at === 0 || event.at >= events[at - 1]!.at || event.seq > events[at - 1]!.seq)).toBe(true);
      expect(woken).toContain(run!.id);
      quiet();
      const after = await catalog.read(stores => stores.runs.events(run!.id, 50n, 1));
      expect(after.map(event => event.seq)).toEqual([51n]);
    });
  });

  describe('runs', () => {
    test('of one pipeline wait for each other and say so', async () => {
      const [first, second, third] = await makeRuns(3) as [RunRecord, RunRecord, RunRecord];
      expect(await admit(second)).toEqual([first.id]);
      expect(await find(second)).toMatchObject({status: 'waiting', waitingFor: `run ${first.id} of the same pipeline`});
      expect(await find(third)).toMatchObject({status: 'waiting', waitingFor: `run ${second.id} of the same pipeline`});
      expect(await admit(third)).toEqual([]);
      const claimed = (await claim('w'))!;
      expect(claimed).toMatchObject({run: {id: first.id}, fence: 1, attempt: 1});
      expect(await claim('w')).toBeNull();
      await end(first, 's', 1);
      expect(await find(first)).toMatchObject({status: 'succeeded', error: null});
      expect(await admit(first)).toEqual([second.id]);
      await end(second, 's', (await claim('w'))!.fence);
      await admit(second);
      await end(third, 's', (await claim('w'))!.fence);
      expect(await find(third)).toMatchObject({status: 'succeeded', waitingFor: null});
    });

    test('as many at once as the pipeline allows', async () => {
      const runs = await makeRuns(4, {concurrency: 2});
      const admitted = (await Promise.all(runs.map(run => admit(run)))).flat();
      expect(admitted.sort()).toEqual(runs.slice(0, 2).map(run => run.id).sort());
      for (const run of runs) {
        await end(run, 's', (await claim('w'))!.fence);
        await admit(run);
      }
      expect((await Promise.all(runs.map(find))).map(run => run.status)).toEqual(Array.from({length: 4}, () => 'succeeded'));
    });

    test('many that wait are cancelled at once while another ends', async () => {
      const [first, ...others] = await makeRuns(20) as [RunRecord, ...RunRecord[]];
      for (const run of [first, ...others]) await admit(run);
      const {fence} = (await claim('w'))!;
      await Promise.all([
        end(first, 's', fence).then(() => admit(first)),
        ...others.map(run => catalog.transaction(async stores => {
          await stores.runs.requestCancel(run.id);
          await stores.runs.advance(run.id);
          for (const id of await stores.runs.admit(run.id)) await stores.runs.advance(id);
        })),
      ]);
      expect((await Promise.all([first, ...others].map(find))).map(run => run.status)).toEqual(['succeeded', ...others.map(() => 'cancelled')]);
      expect(await claim('w')).toBeNull();
    });

    test('go on step by step; what needs a failed step is skipped', async () => {
      const [run] = await makeRuns(1, {steps: ['a', 'b', 'c']}) as [RunRecord];
      await admit(run);
      expect((await claim('w'))!.step.name).toBe('a');
      expect(await claim('w')).toBeNull();
      await end(run, 'a', 1);
      expect((await claim('w'))!.step.name).toBe('b');
      await end(run, 'b', 1, 'failed');
      expect((await catalog.read(stores => stores.runs.steps(run.id))).map(step => step.status)).toEqual(['succeeded', 'failed', 'skipped']);
      expect(await find(run)).toMatchObject({status: 'failed', error: {code: 'RUN_FAILED'}});
    });

    test('that are cancelled end when what runs has ended', async () => {
      const [run] = await makeRuns(1, {steps: ['a', 'b']}) as [RunRecord];
      await admit(run);
      await claim('w');
      await catalog.transaction(async stores => {
        await stores.runs.requestCancel(run.id);
        await stores.runs.appendEvents(run.id, await stores.runs.advance(run.id));
      });
      expect((await catalog.read(stores => stores.runs.steps(run.id))).map(step => step.status)).toEqual(['running', 'cancelled']);
      expect(await catalog.read(stores => stores.runs.heartbeat(run.id, 'a', 1, 60))).toEqual({owned: true, cancel: true});
      await end(run, 'a', 1);
      expect(await find(run)).toMatchObject({status: 'cancelled', error: {code: 'RUN_CANCELLED'}});
      const [waiting] = await makeRuns(1) as [RunRecord];
      await catalog.transaction(async stores => {
        await stores.runs.requestCancel(waiting.id);
        await stores.runs.advance(waiting.id);
      });
      expect(await find(waiting)).toMatchObject({status: 'cancelled'});
    });

    test('a lease that ran out is taken over, and the old fence commits nothing', async () => {
      const [run] = await makeRuns(1) as [RunRecord];
      await admit(run);
      expect(await claim('w1', 0)).toMatchObject({fence: 1, attempt: 1, deaths: 0});
      expect(await claim('w2', 30)).toMatchObject({fence: 2, attempt: 1, deaths: 1});
      expect(await catalog.read(stores => stores.runs.heartbeat(run.id, 's', 1, 60))).toEqual({owned: false, cancel: false});
      await expect(end(run, 's', 1)).rejects.toMatchObject({code: 'LEASE_LOST'});
      expect(await find(run)).toMatchObject({lastSeq: 0n});
      await end(run, 's', 2);
      expect(await find(run)).toMatchObject({status: 'succeeded', lastSeq: 2n});
      await expect(end(run, 's', 2)).rejects.toMatchObject({code: 'LEASE_LOST'});
    });

    test('a retry is not before its time', async () => {
      const [run] = await makeRuns(1) as [RunRecord];
      await admit(run);
      await claim('w');
      await catalog.transaction(stores => stores.runs.retryStep(run.id, 's', {code: 'SQL_FAILED', message: 'no', hint: ''}, 0.4));
      expect(await claim('w')).toBeNull();
      const due = (await catalog.read(stores => stores.runs.nextDue()))!;
      expect(due).toBeGreaterThan(0);
      await delay(Math.ceil(due * 1_000) + 20);
      expect(await claim('w')).toMatchObject({fence: 2, attempt: 2});
      await end(run, 's', 2);
      expect(await catalog.read(stores => stores.runs.nextDue())).toBeNull();
    });

    test('steps are claimed once each by many workers', async () => {
      const runs = await makeRuns(30, {concurrency: 30});
      await admit(runs[0]!);
      const others = await Promise.all((kind === 'PGlite' ? [] : [0, 1]).map(async () => {
        const other = createCatalog(place.options);
        await other.start();
        return other;
      }));
      const catalogs = [catalog, ...others];
      const claimed: string[] = [];
      await Promise.all(Array.from({length: 9}, async (_, worker) => {
        let misses = 0;
        while (misses < 3) {
          const step = await catalogs[worker % catalogs.length]!.read(stores => stores.runs.claim(`w${worker}`, 60));
          if (step) claimed.push(step.run.id);
          else misses++;
        }
      }));
      await Promise.all(others.map(other => other.stop()));
      expect(claimed.sort()).toEqual(runs.map(run => run.id).sort());
      for (const run of runs) await end(run, 's', 1);
    });

    test('the same idempotency key is of one run', async () => {
      const [{definitionId}] = await makeRuns(1) as [RunRecord];
      const start = () => catalog.transaction(stores => stores.runs.createRun({definitionId, params: {}, requestedBy: 'me', idempotencyKey: 'once', branch: 'main', steps: []}));
      const run = await start();
      expect((await catalog.read(stores => stores.runs.runByIdempotencyKey('me', 'once')))!.id).toBe(run.id);
      expect(await catalog.read(stores => stores.runs.runByIdempotencyKey('you', 'once'))).toBeNull();
      await expect(start()).rejects.toMatchObject({code: expect.any(String)});
    });
  });

  describe('models', () => {
    test('an alias keeps where it pointed, to the moment', async () => {
      const {model, versions} = await catalog.transaction(async stores => {
        const model = await stores.models.create('late', '');
        const versions = [];
        for (let n = 0; n < 3; n++) {
          versions.push(await stores.models.addVersion({
            id: newId(), modelId: model.id, artifact: {folder: 'x', model: 'm', files: []}, signature: {inputs: [], outputs: []}, settings: {} as never, metrics: {n},
            gate: {} as never, trainedOn: [], fingerprint: `f${n}`, createdBy: 'me',
          }));
        }
        return {model, versions};
      });
      expect(versions.map(version => version.number)).toEqual([1, 2, 3]);
      const move = (versionId: string | null) => catalog.transaction(stores => stores.models.setAlias(model.id, 'champion', versionId));
      // At once, one after another in one unit of work, and taken away.
      await move(versions[0]!.id);
      await catalog.transaction(async stores => {
        await stores.models.setAlias(model.id, 'champion', versions[1]!.id);
        await stores.models.setAlias(model.id, 'champion', versions[2]!.id);
      });
      await move(null);
      const history = await catalog.read(stores => stores.models.aliasHistory(model.id, 'champion'));
      expect(history.map(entry => entry.versionId)).toEqual([null, versions[2]!.id, versions[1]!.id, versions[0]!.id]);
      for (const {since, versionId} of history) {
        const at = await catalog.read(stores => stores.models.aliases(model.id, since));
        expect(at.map(entry => entry.versionId)).toEqual(versionId === null ? [] : [versionId]);
      }
      expect(await catalog.read(stores => stores.models.aliases(model.id, new Date(history.at(-1)!.since.getTime() - 1)))).toEqual([]);
      await Promise.all(versions.map(version => move(version.id)));
      const current = await catalog.read(stores => stores.models.aliases(model.id));
      expect(current).toEqual((await catalog.read(stores => stores.models.aliasesOf([model.id]))).get(model.id));
      expect(current).toHaveLength(1);
      expect(await catalog.read(stores => stores.models.aliasHistory(model.id, 'champion'))).toHaveLength(7);
    });

    test('versions added at once are numbered once', async () => {
      const model = await catalog.transaction(stores => stores.models.create('raced_model', ''));
      const versions = await Promise.all(Array.from({length: 6}, () => catalog.transaction(stores => stores.models.addVersion({
        id: newId(), modelId: model.id, artifact: {folder: 'x', model: 'm', files: []}, signature: {inputs: [], outputs: []}, settings: {} as never, metrics: {},
        gate: {} as never, trainedOn: [], fingerprint: 'f', createdBy: 'me',
      }))));
      expect(versions.map(version => version.number).sort()).toEqual([1, 2, 3, 4, 5, 6]);
    });
  });

  describe('notifications', () => {
    test('wake listeners when the unit of work commits, and not when it fails', async () => {
      const heard: string[] = [];
      const quiet = catalog.listen('data', payload => heard.push(payload));
      await catalog.transaction(async stores => {
        await stores.changes.tell('data', 'failed');
        throw new Error('rolled back');
      }).catch(() => undefined);
      await catalog.transaction(stores => stores.changes.tell('data', 'committed'));
      await delay(50);
      quiet();
      await catalog.transaction(stores => stores.changes.tell('data', 'late'));
      expect(new Set(heard)).toEqual(new Set(['committed']));
    });

    test('a job wakes workers', async () => {
      const [run] = await makeRuns(1) as [RunRecord];
      let woken = 0;
      const stop = await catalog.work(() => woken++);
      await catalog.transaction(stores => stores.jobs.wake(run.id));
      for (let n = 0; n < 200 && woken === 0; n++) await delay(25);
      await stop();
      expect(woken).toBeGreaterThan(0);
    });

    const onServer = kind === 'PostgreSQL' ? test : test.skip;
    onServer('reach the other processes of a server', async () => {
      const other = createCatalog(place.options);
      await other.start();
      const heard: string[] = [];
      other.listen('run', payload => heard.push(payload));
      other.listen('graph', () => heard.push('graph'));
      const [run] = await makeRuns(1) as [RunRecord];
      await catalog.transaction(async stores => {
        await stores.runs.appendEvents(run.id, [log('x')]);
        await stores.changes.tell('graph', '');
      });
      for (let n = 0; n < 200 && heard.length < 2; n++) await delay(10);
      await other.stop();
      expect(heard.sort()).toEqual([run.id, 'graph'].sort());
    });
  });

  const embedded = kind === 'PGlite' ? test : test.skip;
  embedded('its folder has one owner', async () => {
    await expect(createCatalog(place.options).start()).rejects.toMatchObject({code: 'FOLDER_IN_USE'});
  });
});
