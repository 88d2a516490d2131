import {mkdtempSync, rmSync, utimesSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {createLogger} from '../../src/core/logging.ts';
import {JobsFolder, loadJobsFile} from '../../src/pipelines/jobs-folder.ts';

describe('the jobs folder', () => {
  let folder: string;
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-jobs-'));
  });
  afterEach(() => rmSync(folder, {recursive: true, force: true}));

  test('yields the pipelines of its files as data, from wherever they lie', async () => {
    write('query.sql', 'SELECT 1 AS one');
    write('trips.ts', `
      import {date, ingest, pipeline, publish, sql, sqlFile} from 'millrace/jobs';
      const folder: string = 'data';
      export default pipeline('trips', {
        params: {through: date({default: '2001-01-01'})},
        steps: [ingest('raw', {path: folder + '/x.csv'}), sql('trips', sqlFile(new URL('./query.sql', import.meta.url))), publish('t.csv', {input: 'trips', format: 'csv'}), publish({hive: {table: 'shop.trips'}}, {name: 'show', input: 'trips'})],
      });`);
    const jobs = new JobsFolder(folder, 20, createLogger({level: 'silent'}));
    const {jobs: [first]} = await jobs.changed();
    expect(first).toEqual({file: 'trips.ts', definition: {
      name: 'trips', params: {through: {type: 'date', default: '2001-01-01'}},
      steps: [
        {kind: 'ingest', name: 'raw', into: 'raw', source: {path: 'data/x.csv'}},
        {kind: 'sql', name: 'trips', into: 'trips', sql: 'SELECT 1 AS one'},
        {kind: 'publish', name: 'publish_trips', file: 't.csv', input: 'trips', format: 'csv'},
        {kind: 'publish', name: 'show', to: {hive: {table: 'shop.trips'}}, input: 'trips'},
      ],
    }});
    expect(await jobs.changed()).toEqual({jobs: [], contracts: [], files: null});
    write('query.sql', 'SELECT 2 AS two');
    utimesSync(join(folder, 'query.sql'), new Date(), new Date(Date.now() + 5_000));
    const {jobs: [again]} = await jobs.changed();
    expect((again!.definition as {steps: {sql?: string}[]}).steps[1]!.sql).toBe('SELECT 2 AS two');
  });

  test('tells which files there are where that changed, not where there is no folder', async () => {
    const jobs = new JobsFolder(folder, 20, createLogger({level: 'silent'}));
    const files = async () => (await jobs.changed()).files;
    expect(await files()).toEqual([]);
    write('a.js', `export default {name: 'a', steps: []}`);
    expect([await files(), await files()]).toEqual([['a.js'], null]);
    rmSync(folder, {recursive: true});
    expect(await files()).toBeNull();
  });

  test('is read while its files are removed', async () => {
    const names = Array.from({length: 40}, (_, index) => `${index}.sql`);
    const jobs = new JobsFolder(folder, 20, createLogger({level: 'silent'}));
    for (let round = 0; round < 60; round++) {
      for (const name of names) write(name, '');
      const changed = jobs.changed();
      for (let wait = 0; wait < round % 6; wait++) await new Promise(setImmediate);
      for (const name of names) rmSync(join(folder, name));
      expect(await changed).toMatchObject({jobs: [], contracts: []});
    }
  });

  test('keeps the last good definition when a file throws, and tells why', async () => {
    write('bad.ts', `throw new Error('no such luck');`);
    write('good.ts', `export default {name: 'good', steps: []}`);
    const jobs = new JobsFolder(folder, 20, createLogger({level: 'silent'}));
    expect((await jobs.changed()).jobs.map(job => job.file)).toEqual(['good.ts']);
    expect(jobs.problems).toMatchObject([{file: 'bad.ts', error: {code: 'JOBS_FILE_FAILED'}}]);
    expect(jobs.problems[0]!.error.message).toContain('no such luck');
  });

  test.each([
    ['throws', `throw new Error('x')`, 'JOBS_FILE_FAILED'],
    ['is no TypeScript', `export default (((`, 'JOBS_FILE_FAILED'],
    ['exports nothing', `export const x = 1`, 'JOBS_FILE_FAILED'],
    ['ends its process', `process.exit(3)`, 'JOBS_FILE_FAILED'],
    ['never returns', `for (;;);`, 'JOBS_FILE_TIMEOUT'],
    ['never resolves', `setInterval(() => 0, 1000); await new Promise(() => 0)`, 'JOBS_FILE_TIMEOUT'],
  ])('a file that %s is an error with a code', async (_what, text, expected) => {
    write('x.ts', text);
    await expect(loadJobsFile(join(folder, 'x.ts'), 'x.ts', 1.5)).rejects.toMatchObject({code: expected});
  });
});
