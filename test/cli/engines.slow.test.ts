/** Installing and starting Spark by the command, as a process. */
import {mkdirSync, symlinkSync} from 'node:fs';
import {createServer} from 'node:net';
import type {AddressInfo} from 'node:net';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {createSparkEngine} from '../../src/engines/spark/engine.ts';
import {installSpark} from '../../src/engines/spark/install.ts';
import {freePort} from '../support/postgres-server.ts';
import {enginesCache} from '../support/spark.ts';
import {Project} from './millrace.ts';

let project: Project;

beforeAll(async () => {
  await installSpark(join(enginesCache(), 'spark'), {env: process.env});
  project = new Project();
  mkdirSync(join(project.folder, '.millrace/engines'), {recursive: true});
  symlinkSync(join(enginesCache(), 'spark'), join(project.folder, '.millrace/engines/spark'));
}, 300_000);
afterAll(() => project.remove());

const statusAt = async (url: string): Promise<string> => {
  const engine = createSparkEngine({url, sessions: 1, keepAliveSeconds: 600, reconnectSeconds: 1, certificates: null});
  try {
    return (await engine.status()).health;
  } finally {
    await engine.stop();
  }
};

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test('what is installed is not installed again', async () => {
  expect(await project.json(['engines', 'install', 'spark'])).toMatchObject({engine: 'spark', version: '4.3.0', installed: false});
});

test('an engine that there is none of', async () => {
  expect(await project.run(['engines', 'install', 'sparc'])).toMatchObject({exit: 2, err: expect.stringContaining("Did you mean 'spark'?")});
});

test('a port that is taken', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await new Promise(resolve => taken.once('listening', resolve));
  expect(await project.run(['engines', 'start', 'spark', '--port', String((taken.address() as AddressInfo).port)])).toMatchObject({exit: 7, err: expect.stringContaining('PORT_IN_USE')});
  await new Promise(resolve => taken.close(resolve));
});

test('past this machine, only with a token', async () => {
  expect(await project.run(['engines', 'start', 'spark', '--bind', '0.0.0.0'])).toMatchObject({exit: 2, err: expect.stringContaining('--token')});
});

test.each(['SIGTERM', 'SIGKILL'] as const)('it answers at the URL that is printed, and ends with %s of the command', async signal => {
  const port = await freePort();
  const command = project.start(['engines', 'start', 'spark', '--json', '--port', String(port), '--master', 'local[1]', '--token', 'a secret', '--memory', '512m']);
  await command.until(() => command.out.includes('\n'), 120);
  const {settings, pid} = JSON.parse(command.out) as {settings: {'spark.url': string}; pid: number};
  expect(await statusAt(settings['spark.url'])).toBe('ready');
  expect(await statusAt(`sc://127.0.0.1:${port}`)).toBe('refused');
  expect(await command.kill(signal)).toMatchObject({exit: signal === 'SIGTERM' ? 0 : 'SIGKILL'});
  while (isAlive(pid)) await sleep(50);
  expect(await statusAt(settings['spark.url'])).toBe('unreachable');
});
