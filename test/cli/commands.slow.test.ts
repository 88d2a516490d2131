/** The commands as processes, against a server and without one. */
import {existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {root} from '../rules/sources.ts';
import type {Millrace} from './millrace.ts';
import {Project} from './millrace.ts';

const jobs = `
import {date, ingest, int, pipeline, publish, sql} from 'millrace/jobs';

export default [
  pipeline('sums', {
    params: {least: int({default: 0}), until: date({default: '2024-12-31'})},
    steps: [
      ingest('sales', {path: 'sales.csv'}, {contract: {key: ['id']}}),
      sql('sums', 'SELECT name, count(*) AS sales FROM sales WHERE id >= $least AND day <= $until GROUP BY name ORDER BY name'),
      publish('sums.csv', {input: 'sums', format: 'csv'}),
    ],
  }),
  pipeline('endless', {steps: [sql('endless', 'SELECT sum(a.id * b.id + c.id * d.id + e.id) AS total FROM sales a, sales b, sales c, sales d, sales e')]}),
  pipeline('wrong', {steps: [sql('wrong', "SELECT CAST(name AS INTEGER) AS n FROM sales")]}),
];
`;
const rows = Array.from({length: 200}, (_, index) => `${index + 1},${'abc'[index % 3]},2024-0${1 + (index % 9)}-01`);
const files = {'sales.csv': `id,name,day\n${rows.join('\n')}\n`, 'jobs/sums.ts': jobs};

describe('with a server', () => {
  let project: Project;
  let server: Millrace;

  beforeAll(async () => {
    project = new Project().write(files);
    server = await project.serve();
  });
  afterAll(async () => project.remove());

  test('a pipeline runs, with its parameters, and says so line by line', async () => {
    const {exit, out, err} = await project.run(['run', 'sums', '-p', 'least=100', '-p', 'until=2024-08-31']);
    expect({exit, out, err}).toMatchObject({exit: 0});
    expect(out).toMatch(/^Run \S+ of sums succeeded in .*: 3 steps, \d+ rows written\n$/);
    expect(err).toContain('sales: committed snapshot ');
    expect(err).toContain('wrote sums.csv, 3 rows');
    expect(err).not.toContain('\u001b');
    expect(readFileSync(join(project.folder, 'published/sums.csv'), 'utf8').split('\n')[0]).toBe('name,sales');
  });

  test('the same key is the same run; a plan tells what would be reused', async () => {
    const args = ['run', 'sums', '-p', 'least=100', '-p', 'until=2024-08-31', '--idempotency-key', 'once'];
    const [first, second] = [await project.json(args), await project.json(args)];
    expect(second.id).toBe(first.id);
    expect(first.steps.map(({name, reused}: any) => [name, reused])).toEqual([['sales', true], ['sums', true], ['publish_sums', false]]);
    const plan = await project.json(['plan', 'sums', '-p', 'least=5']);
    expect(plan.steps.map(({name, action}: any) => [name, action])).toEqual([['sales', 'REUSE'], ['sums', 'EXECUTE'], ['publish_sums', 'EXECUTE']]);
  });

  test('files inside and outside of the project become datasets', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'millrace-outside-'));
    try {
      writeFileSync(join(outside, 'Far Away.csv'), 'x,y\n1,2\n3,4\n');
      const {exit, out, err} = await project.run(['ingest', join(outside, 'Far Away.csv')]);
      expect({exit, out, err}).toMatchObject({exit: 0});
      expect(err).toContain('it is uploaded');
    } finally {
      rmSync(outside, {recursive: true});
    }
    expect(await project.json(['ingest', 'sales.csv', '--into', 'more', '--key', 'id', '--option', 'header=true'])).toMatchObject({status: 'SUCCEEDED'});
    const datasets = await project.json(['datasets']);
    expect(datasets.map(({name, rowCount}: any) => [name, rowCount])).toEqual(expect.arrayContaining([['far_away', '2'], ['more', '200'], ['sales', '200']]));
    expect((await project.run(['datasets', 'more'])).out).toMatch(/^dataset +more\nrows +200\n[\s\S]*key +id\n/);
  });

  test('queries of -q, of a file and of standard input; a receipt is verified', async () => {
    const document = 'query Q($least: Int!) { sales(where: {id: {_gte: $least}}, order_by: [{id: asc}]) { id } }';
    project.write({'q.graphql': document});
    const variables = ['--variables', '{"least": 199}'];
    const fromFile = await project.run(['query', 'q.graphql', ...variables, '--json']);
    expect(JSON.parse(fromFile.out).data).toEqual({sales: [{id: 199}, {id: 200}]});
    const fromInput = await project.run(['query', ...variables], document);
    expect(JSON.parse(fromInput.out)).toEqual({sales: [{id: 199}, {id: 200}]});
    expect(await project.run(['query', '-q', '{ nothing }'])).toMatchObject({exit: 1, err: expect.stringContaining('error GRAPHQL_INVALID: ') as string});
    const verified = await project.run(['verify', '-'], fromFile.out);
    expect(verified).toMatchObject({exit: 0, out: expect.stringContaining('The same answer') as string});
    expect(await project.run(['verify', 'no receipt'])).toMatchObject({exit: 2, err: expect.stringContaining('error RECEIPT_INVALID: ') as string});
  });

  test('a run that fails ends with 3, its events can be read, it can be retried', async () => {
    const {exit, err} = await project.run(['run', 'wrong']);
    expect(exit).toBe(3);
    expect(err).toMatch(/error RUN_FAILED: Step 'wrong' failed: .*\nhint: /);
    const [run] = await project.json(['runs', '--first', '1']);
    expect(run).toMatchObject({pipelineName: 'wrong', status: 'FAILED'});
    const events = await project.run(['events', run.id, '--json', '--follow']);
    expect(events.exit).toBe(3);
    const numbers = events.out.trim().split('\n').map((line) => Number(JSON.parse(line).seq));
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    const later = await project.run(['events', run.id, '--after', String(numbers.length - 1)]);
    expect(later).toMatchObject({exit: 0, out: expect.stringMatching(/run failed\n$/) as string});
    expect((await project.run(['retry', run.id])).exit).toBe(3);
    expect(await project.run(['cancel', run.id])).toMatchObject({exit: 1, err: expect.stringContaining('RUN_FINISHED') as string});
  });

  test('Ctrl-C cancels a run, which ends with 4', async () => {
    const millrace = project.start(['run', 'endless']);
    await millrace.until(() => millrace.err.includes('endless: started'));
    const {exit, err} = await millrace.kill('SIGINT');
    expect(err).toContain('Cancelling the run.');
    expect(err).toContain('error RUN_CANCELLED: ');
    expect(exit).toBe(4);
  });

  test('a reader that goes away is no error', async () => {
    const [run] = await project.json(['runs', '--pipeline', 'sums', '--first', '1']);
    const millrace = project.start(['events', run.id, '--json', '--follow']);
    millrace.process.stdout!.once('data', () => millrace.process.stdout!.destroy());
    const {exit, err} = await millrace.ended();
    expect({exit, err}).toEqual({exit: 0, err: ''});
  });

  test('schedules are listed, paused and resumed', async () => {
    project.write({'jobs/nightly.ts': `import {pipeline, sql} from 'millrace/jobs';
      export default [
        pipeline('nightly', {schedule: {cron: '15 6 * * 1-5', timeZone: 'Europe/Berlin'}, steps: [sql('night', 'SELECT 1 AS one')]}),
        pipeline('after_more', {when: {datasets: ['more', 'most']}, steps: [sql('after', 'SELECT 1 AS one')]}),
      ];`});
    expect((await project.run(['schedules', 'pause', 'nightly'])).err).toContain('SCHEDULE_NOT_FOUND');
    const listed = await project.run(['schedules']);
    expect(listed.out).toMatch(/nightly +15 6 \* \* 1-5 \(Europe\/Berlin\) +20\d\d-/);
    expect(listed.out).toMatch(/after_more +with more and most .*waits for a new snapshot of more and most\n/);
    expect(await project.run(['schedules', 'pause', 'nightly'])).toMatchObject({exit: 0, out: 'nightly is paused.\n'});
    expect((await project.run(['schedules'])).out).toMatch(/nightly .* paused/);
    expect((await project.run(['schedules', 'resume', 'nightly'])).out).toMatch(/^nightly goes on at 20\d\d-.*\.\n$/);
  });

  test('webhooks are made, listed and deleted; the secret is shown once', async () => {
    const made = await project.run(['webhooks', 'create', 'https://example.invalid/hook', '--on', 'run_failed', '--pipeline', 'wrong']);
    const [, id, secret] = /^Webhook (\S+) is told of run_failed\.\nIts secret, which is not shown again: (whsec_\S+)\n$/.exec(made.out)!;
    const listed = await project.run(['webhooks']);
    expect(listed.out).toMatch(new RegExp(`${id} +https://example.invalid/hook +run_failed +wrong +0 +0`));
    expect(listed.out).not.toContain(secret);
    await project.run(['run', 'wrong']);
    const [delivery] = await project.json(['webhooks', 'deliveries', id!]);
    expect(delivery).toMatchObject({type: 'run.failed', state: 'PENDING', body: {data: {run: {pipeline: 'wrong'}}}});
    expect(await project.run(['webhooks', 'resend', delivery.id])).toMatchObject({exit: 0, out: `Delivery ${delivery.id} is sent again.\n`});
    expect(await project.run(['webhooks', 'delete', id!])).toMatchObject({exit: 0});
    expect(await project.run(['webhooks', 'delete', id!])).toMatchObject({exit: 1, err: expect.stringContaining('WEBHOOK_NOT_FOUND') as string});
    expect(await project.run(['webhooks', 'create', 'https://example.invalid', '--on', 'rain'])).toMatchObject({exit: 2});
    expect(await project.run(['webhooks', 'create', 'http://127.0.0.1/'])).toMatchObject({exit: 1, err: expect.stringContaining('WEBHOOK_INVALID') as string});
  });

  test('the server stops when told to, and takes its file away', async () => {
    expect(existsSync(project.serverFile)).toBe(true);
    const {exit, err} = await server.kill('SIGTERM');
    expect({exit, err}).toMatchObject({exit: 0});
    expect(existsSync(project.serverFile)).toBe(false);
  });
});

test('without a server, each command is its own application', async () => {
  const project = new Project().write(files);
  try {
    expect(await project.json(['run', 'sums'])).toMatchObject({status: 'SUCCEEDED'});
    const far = await project.run(['ingest', join(root, 'jobs/models/late_arrival/metrics.json'), '--into', 'far']);
    expect(far).toMatchObject({exit: 0, err: expect.stringContaining('it is uploaded') as string});
    expect(await project.run(['run', 'wrong'])).toMatchObject({exit: 3});
    const millrace = project.start(['run', 'endless']);
    await millrace.until(() => millrace.err.includes('endless: started'));
    expect(await millrace.kill('SIGINT')).toMatchObject({exit: 4, err: expect.stringContaining('error RUN_CANCELLED: ') as string});
    expect((await project.json(['runs'])).map(({status}: any) => status)).toEqual(['CANCELLED', 'FAILED', 'SUCCEEDED', 'SUCCEEDED']);
    expect(existsSync(project.serverFile)).toBe(false);
  } finally {
    await project.remove();
  }
});

test('a backup is restored into an empty folder, and nothing is missing', async () => {
  const project = new Project().write(files);
  try {
    expect(await project.json(['run', 'sums'])).toMatchObject({status: 'SUCCEEDED'});
    const before = await project.json(['datasets']);
    const receipt = await project.run(['query', '-q', '{ sums { name sales } }', '--json']);
    expect(await project.json(['backup', 'saved'])).toMatchObject({datasets: 2, snapshots: 2});
    expect(await project.run(['backup', 'saved'])).toMatchObject({exit: 2, err: expect.stringContaining('error TARGET_NOT_EMPTY: ') as string});
    const there = ['--data', 'elsewhere'];
    expect(await project.json(['restore', 'saved', ...there])).toMatchObject({datasets: 2, snapshots: 2});
    expect(await project.json(['datasets', ...there])).toEqual(before);
    expect(await project.run(['verify', '-', ...there], receipt.out)).toMatchObject({exit: 0});
    const {findings} = await project.json(['doctor', '--deep', ...there]);
    expect(findings.filter(({status}: any) => status !== 'ok')).toEqual([]);
    const file = readdirSync(join(project.folder, 'elsewhere/warehouse'), {recursive: true, encoding: 'utf8'}).find((path) => path.endsWith('.parquet'));
    rmSync(join(project.folder, 'elsewhere/warehouse', file!));
    expect(await project.run(['doctor', ...there])).toMatchObject({exit: 5, out: expect.stringMatching(/✗ files: /) as string});
  } finally {
    await project.remove();
  }
});

test('the file of a server that was killed misleads nobody, and a watcher outlives a restart', async () => {
  const project = new Project().write(files);
  try {
    const first = await project.serve('--port', '0');
    const port = new URL((JSON.parse(readFileSync(project.serverFile, 'utf8')) as {url: string}).url).port;
    expect(await project.json(['run', 'sums'])).toMatchObject({status: 'SUCCEEDED'});
    const {id} = await project.json(['run', 'endless', '--no-wait']);
    const watcher = project.start(['events', id, '--follow']);
    await watcher.until(() => watcher.out.includes('endless: started'));
    await first.kill('SIGKILL');
    expect(existsSync(project.serverFile)).toBe(true);
    await project.serve('--port', port);
    expect((await project.run(['cancel', id])).exit).toBe(0);
    const {exit, out} = await watcher.ended();
    expect(exit).toBe(4);
    const numbers = out.trim().split('\n').map((line) => Number(line.trim().split(' ')[0]));
    expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => a - b));
    expect(out).toMatch(/run cancelled/);
  } finally {
    await project.remove();
  }
});
