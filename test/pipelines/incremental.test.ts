/** Only files that a dataset has not read are read: by name and content, once each, whoever reads them. */
import {rmSync} from 'node:fs';
import {join} from 'node:path';
import type {App} from '../../src/compose.ts';
import {data, useApp} from '../support/project.ts';
import type {Project} from '../support/project.ts';
import {runner} from '../support/runs.ts';

let project: Project;
let app: App;
const {put, run, plan, rows} = runner(() => app);
useApp(started => ({project, app} = started));

const day = (n: number): string => `day,n\n2001-01-${String(n).padStart(2, '0')},${n}\n`;
const step = (into: string, more: object = {}): object => ({kind: 'ingest', name: into, into, source: {path: `${into}/*.csv`}, mode: 'append', incremental: true, ...more});
const read = async (dataset: string): Promise<unknown[]> => (await rows(dataset, `SELECT n FROM ${dataset} ORDER BY n`)).map(row => row.n);

describe('an incremental ingest', () => {
  test('reads what is new, and makes no snapshot when nothing is', async () => {
    await put('landing', [step('days')]);
    for (const n of [1, 2]) project.write(`days/${n}.csv`, day(n));
    expect((await run('landing')).steps.days).toMatchObject({status: 'succeeded', reason: '2 of 2 files are new', rowsWritten: 2n});

    project.write('days/3.csv', day(3));
    expect(await plan('landing')).toMatchObject([{action: 'execute', reason: '1 of 3 files is new', notices: []}]);
    const second = await run('landing');
    expect(second.steps.days).toMatchObject({status: 'succeeded', reason: '1 of 3 files is new', rowsWritten: 1n});
    expect(await read('days')).toEqual([1, 2, 3]);

    expect(await plan('landing')).toMatchObject([{action: 'reuse', reason: 'none of 3 files is new'}]);
    expect((await run('landing')).steps.days).toMatchObject({status: 'succeeded', reused: true, reason: 'none of 3 files is new', outputId: second.steps.days!.outputId});
    const {dataset} = await data(app.http.url, '{ dataset(name: "days") { snapshots { rawFiles { path } } } }');
    expect(dataset.snapshots.map((snapshot: any) => snapshot.rawFiles.map((file: any) => file.path))).toEqual([['days/3.csv'], ['days/1.csv', 'days/2.csv']]);
  });

  test('what changed fails by default, is told in the plan, and can be ignored; what vanished is told', async () => {
    for (const n of [1, 2, 3]) project.write(`logs/${n}.csv`, day(n));
    await put('logs_in', [step('logs')]);
    await run('logs_in');
    project.write('logs/1.csv', day(9));
    rmSync(join(project.folder, 'logs/2.csv'));
    project.write('logs/4.csv', day(4));

    const notices = ['one file changed since it was read (the step fails): logs/1.csv', 'one file vanished since it was read (what was read stays): logs/2.csv'];
    expect(await plan('logs_in')).toMatchObject([{action: 'execute', reason: '1 of 3 files is new, 1 changed', notices}]);
    const failed = await run('logs_in');
    expect(failed.steps.logs).toMatchObject({status: 'failed', error: {code: 'SOURCE_REWRITTEN', message: expect.stringContaining('logs/1.csv')}});
    expect(failed.logs).toEqual([`error: ${notices[0]}`, `warn: ${notices[1]}`]);
    expect(await read('logs')).toEqual([1, 2, 3]);

    await put('logs_in', [step('logs', {onChanged: 'ignore'})]);
    expect((await run('logs_in')).logs).toEqual(['warn: one file changed since it was read (what was read stays): logs/1.csv', `warn: ${notices[1]}`]);
    expect(await read('logs')).toEqual([1, 2, 3, 4]);
    for (const n of [1, 3, 4]) rmSync(join(project.folder, `logs/${n}.csv`));
    expect(await run('logs_in')).toMatchObject({run: {status: 'succeeded'}, logs: ['warn: 4 files vanished since they were read (what was read stays): logs/1.csv, logs/2.csv, logs/3.csv, logs/4.csv']});
  });

  test('a pattern that never matched anything is an error', async () => {
    await put('nothing_there', [step('nothing')]);
    expect((await run('nothing_there')).steps.nothing).toMatchObject({status: 'failed', error: {code: 'SOURCE_NOT_FOUND'}});
  });

  test('knows what any other ingest of the dataset read, and an overwrite forgets what was before', async () => {
    for (const n of [1, 2]) project.write(`mixed/${n}.csv`, day(n));
    await put('mixed_first', [{kind: 'ingest', name: 'mixed', into: 'mixed', source: {path: 'mixed/1.csv'}}]);
    await put('mixed_new', [step('mixed')]);
    await run('mixed_first');
    expect((await run('mixed_new')).steps.mixed).toMatchObject({reason: '1 of 2 files is new'});
    expect(await read('mixed')).toEqual([1, 2]);
    project.write('mixed/1.csv', day(7));
    await run('mixed_first');
    expect(await read('mixed')).toEqual([7]);
    expect((await run('mixed_new')).steps.mixed).toMatchObject({status: 'succeeded', reason: '1 of 2 files is new'});
    expect(await read('mixed')).toEqual([2, 7]);
  });

  test('two at once read each file once', async () => {
    for (let n = 1; n <= 20; n++) project.write(`twice/${n}.csv`, day(n));
    for (const name of ['twice_a', 'twice_b']) await put(name, [step('twice')]);
    const both = await Promise.all([run('twice_a'), run('twice_b')]);
    expect(both.map(ended => ended.run.status)).toEqual(['succeeded', 'succeeded']);
    expect(await read('twice')).toEqual(Array.from({length: 20}, (_, index) => index + 1));
  });

  test.each([
    ['no mode', {mode: undefined}, 'it needs a `mode` that does'],
    ['an upload', {source: {upload: 'x'}}, 'needs a path'],
    ['a changed file appended twice', {onChanged: 'reread'}, '`reread` needs the mode `merge`'],
    ['onChanged alone', {incremental: undefined, onChanged: 'ignore'}, 'is for a step that is `incremental`'],
  ])('is refused with %s', async (_, more, reason) => {
    await expect(put('refused', [step('refused_rows', more)])).rejects.toMatchObject({code: 'PIPELINE_INVALID', message: expect.stringContaining(reason)});
  });
});
