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
        steps: [ingest('raw', {path: folder + '/x.csv'}), sql('trips', sqlFile(new URL('./query.sql', import.meta.url))), publish('t.csv', {input: 'trips', format: 'csv'})],
      });`);
    const jobs = new JobsFolder(folder, 20, createLogger({level: 'silent'}));
    const {jobs: [first]} = await jobs.changed();
    expect(first).toEqual({file: 'trips.ts', definition: {
      name: 'trips', params: {through: {type: 'date', default: '2001-01-01'}},
      steps: [
        {kind: 'ingest', name: 'raw', into: 'raw', source: {path: 'data/x.csv'}},
        {kind: 'sql', name: 'trips', into: 'trips', sql: 'SELECT 1 AS one'},
        {kind: 'publish', name: 'publish_trips', file: 't.csv', input: 'trips', format: 'csv'},
      ],
    }});
    expect(await jobs.changed()).toEqual({jobs: [], contracts: []});
    write('query.sql', 'SELECT 2 AS two');
    utimesSync(join(folder, 'query.sql'), new Date(), new Date(Date.now() + 5_000));
    const {jobs: [again]} = await jobs.changed();
    expect((again!.definition as {steps: {sql?: string}[]}).steps[1]!.sql).toBe('SELECT 2 AS two');
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
