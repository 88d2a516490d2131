import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as delay} from 'node:timers/promises';
import {runCli} from '../../src/cli/cli.ts';
import {datasetName} from '../../src/cli/commands/ingest.ts';
import {commandGroups} from '../../src/cli/commands.ts';
import {failureOf, GraphFailure} from '../../src/cli/failure.ts';
import {operationKind} from '../../src/cli/operations.ts';
import {Output} from '../../src/cli/output.ts';
import {readServerFile, serverFilePart} from '../../src/cli/server-file.ts';
import {MillraceError} from '../../src/core/errors.ts';
import {golden} from './golden.ts';
import {testIo} from './screen.ts';

const noApp = () => {
  throw new Error('this command needs no application');
};

async function run(args: readonly string[], options: Parameters<typeof testIo>[0] = {}): Promise<{exit: number; out: string; err: string}> {
  const io = testIo(options);
  const exit = await runCli(args, io, noApp);
  return {exit, out: io.stdout.text, err: io.stderr.text};
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-cli-'));
});
afterAll(() => rmSync(folder, {recursive: true, force: true}));

test('help shows every command', async () => {
  const {exit, out, err} = await run([]);
  expect({exit, err}).toEqual({exit: 0, err: ''});
  expect(out).toBe(golden('help.txt', out));
  expect((await run(['help'])).out).toBe(out);
  expect((await run(['--help'])).out).toBe(out);
});

test('help of each command tells its arguments, options and examples', async () => {
  const names = commandGroups.flatMap(([, commands]) => commands.map(({name}) => name));
  const texts = await Promise.all(names.map(async (name) => (await run(['help', name])).out));
  const own = texts.map((text) => text.replace(/\nGlobal Options:\n(?: {2}.*\n)+/, '')).join(`\n${'-'.repeat(80)}\n\n`);
  expect(own).toBe(golden('help-commands.txt', own));
});

test.each([
  [['rnu'], /^error USAGE: Unknown command 'rnu' \(Did you mean run\?\)\nhint: See `millrace help`\.\n$/],
  [['run'], /^error USAGE: Missing required argument 'pipeline'\.\n/],
  [['runs', '--statuss', 'failed'], /^error USAGE: Unknown option '--statuss' \(Did you mean --status\?\)\n/],
  [['runs', '--status', 'lost'], /^error USAGE: Option '--status <status>' argument 'lost' is invalid\. Allowed choices are/],
  [['runs', '--first', 'x'], /^error USAGE: .*It must be a whole number\.\n/],
  [['version', 'extra'], /^error USAGE: Too many arguments/],
  [['models', 'deploy', 'm'], /^error USAGE: Required option '--on <dataset>' not specified\.\n/],
  [['predict', 'm'], /^error USAGE: Give the values by --input name=value or by --inputs FILE\.\n/],
  [['query', '-q', '{ a }', 'file'], /^error USAGE: Give a file or -q, not both\.\n/],
  [['query', 'nowhere.graphql'], /^error USAGE: 'nowhere\.graphql' cannot be read/],
  [['datasets', '--url', 'localhost:4000'], /^error USAGE: 'localhost:4000' is no URL/],
  [['config', '--set', 'api.port'], /^error CONFIG_INVALID: .*--set api\.port: must have the form/],
  [['work'], /^error NEEDS_POSTGRES: `millrace work` needs a PostgreSQL catalog\.\n/],
] as const)('wrong use ends with 2: %j', async (args, expected) => {
  const {exit, out, err} = await run(args, {cwd: folder});
  expect({exit, out}).toEqual({exit: 2, out: ''});
  expect(err).toMatch(expected);
});

test('a server that does not answer is told, with its exit code and as JSON', async () => {
  const {exit, out, err} = await run(['datasets', '--json', '--url', 'http://127.0.0.1:1'], {cwd: folder});
  expect(exit).toBe(8);
  expect(err).toMatch(/^error SERVER_UNREACHABLE: /);
  expect(JSON.parse(out)).toMatchObject({error: {code: 'SERVER_UNREACHABLE', exit: 8}});
});

test('MILLRACE_URL names the server and is no setting', async () => {
  const {exit, err} = await run(['datasets'], {cwd: folder, env: {MILLRACE_URL: 'http://127.0.0.1:1'}});
  expect(exit).toBe(8);
  expect(err).not.toContain('warning');
});

test('version and config as people and as programs read them', async () => {
  expect((await run(['version'])).out).toMatch(/^millrace \d+\.\d+\.\d+ \(Node \d+/);
  expect((await run(['--version'])).out).toBe((await run(['version'])).out);
  const args = ['config', '--set', 'api.port=4711', '--json'];
  const secret = 'a secret of many letters';
  const {out} = await run(args, {cwd: folder, env: {MILLRACE_API_ADMIN_SECRET: secret}});
  const settings = JSON.parse(out) as {key: string; value: unknown; source: string}[];
  expect(settings.find(({key}) => key === 'api.port')).toMatchObject({value: 4711, source: '--set'});
  expect(out).not.toContain(secret);
  const table = (await run(args.slice(0, -1), {cwd: folder, env: {MILLRACE_API_ADMIN_SECRET: secret}})).out;
  expect(table).toMatch(/^SETTING .*FROM/);
  expect(table).not.toContain(secret);
});

test('colours appear on a terminal only, and not against NO_COLOR', async () => {
  const failing = ['datasets', '--url', 'x'];
  expect((await run(failing)).err).not.toContain('\u001b');
  expect((await run(failing, {columns: 80})).err).toContain('\u001b[31merror');
  expect((await run(failing, {columns: 80, env: {NO_COLOR: '1'}})).err).not.toContain('\u001b');
  expect((await run([...failing, '--no-color'], {columns: 80})).err).not.toContain('\u001b');
});

test('exit codes are those of the error table, whoever found the error', () => {
  expect(failureOf(new MillraceError('RUN_FAILED', {step: 's', reason: 'r'})).exit).toBe(3);
  expect(failureOf(new GraphFailure('RECEIPT_DIFFERS', 'm', 'h'))).toEqual({code: 'RECEIPT_DIFFERS', message: 'm', hint: 'h', exit: 6});
  expect(failureOf(new GraphFailure('FROM_A_NEWER_SERVER', 'm', 'h')).exit).toBe(1);
  expect(failureOf(new Error('oops'))).toMatchObject({code: 'INTERNAL', exit: 1});
});

test('a reader that goes away ends the answer, not the process', async () => {
  const io = testIo();
  const out = new Output(io, false, false);
  out.write('first');
  io.stdout.destroy(Object.assign(new Error('write EPIPE'), {code: 'EPIPE'}));
  await delay(5);
  expect(out.closed.aborted).toBe(true);
  out.write('second');
  await out.drained();
  out.close();
  expect(io.stdout.text).toBe('first');
});

test.each([
  ['{ a }', undefined, 'query'],
  ['# subscription\nquery A($x: In = {a: "subscription {"}) @d(x: 1) { a }', undefined, 'query'],
  ['mutation { a }', undefined, 'mutation'],
  ['query A { subscription } subscription B { b }', 'B', 'subscription'],
  ['query A { a } subscription B { b }', 'A', 'query'],
  ['fragment subscription on T { a } query A { ...subscription }', undefined, 'query'],
  ['subscription Watch($a: ID!) { a(b: """ } """) }', undefined, 'subscription'],
  ['query A { a }', 'B', null],
  ['', undefined, null],
] as const)('the kind of operation of %j (%s) is %s', (document, name, kind) => {
  expect(operationKind(document, name)).toBe(kind);
});

test.each([['data/Sales 2024.csv.gz', 'sales_2024'], ['2024-flüge.parquet', 'fluge'], ['/a/b/trips-*.csv', 'trips'], ['package:vega-datasets/data/airports.csv', 'airports']])('%s becomes the dataset %s', (path, name) => {
  expect(datasetName(path)).toBe(name);
});

test('the server file is written, read and removed; one of a later server stays', async () => {
  const part = serverFilePart(folder, () => 'http://127.0.0.1:1');
  await part.start!(new AbortController().signal);
  expect(await readServerFile(folder)).toEqual({url: 'http://127.0.0.1:1', pid: process.pid});
  writeFileSync(join(folder, 'server.json'), JSON.stringify({url: 'http://127.0.0.1:2', pid: 1}));
  await part.stop!();
  expect(await readServerFile(folder)).toEqual({url: 'http://127.0.0.1:2', pid: 1});
  await part.start!(new AbortController().signal);
  await part.stop!();
  expect(await readServerFile(folder)).toBeNull();
  writeFileSync(join(folder, 'server.json'), '{"url": ');
  expect(await readServerFile(folder)).toBeNull();
});
