import {spawn} from 'node:child_process';
import {EventEmitter} from 'node:events';
import {setTimeout as sleep} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import {Lifecycle, type Part, stopOnSignals} from '../../src/core/lifecycle.ts';
import {createLogger} from '../../src/core/logging.ts';

const logger = createLogger({level: 'silent'});

function recorder() {
  const calls: string[] = [];
  const part = (name: string, more: Partial<Part> = {}): Part => ({
    name,
    start: () => void calls.push(`start ${name}`),
    drain: () => void calls.push(`drain ${name}`),
    stop: () => void calls.push(`stop ${name}`),
    ...more,
  });
  return {calls, part};
}

test('parts start in order, all drain, then stop in reverse', async () => {
  const {calls, part} = recorder();
  const lifecycle = new Lifecycle({logger}).add(part('a')).add({name: 'plain'}).add(part('b')).add(part('c'));
  expect(lifecycle.state).toBe('new');
  const starting = lifecycle.start();
  expect(lifecycle.state).toBe('starting');
  expect(lifecycle.start()).toBe(starting);
  await starting;
  expect(lifecycle.state).toBe('ready');
  const reports = await Promise.all([lifecycle.stop(), lifecycle.stop()]);
  expect(reports[0]).toBe(reports[1]);
  expect(reports[0]!.failures).toEqual([]);
  expect(calls).toEqual(['start a', 'start b', 'start c', 'drain c', 'drain b', 'drain a', 'stop c', 'stop b', 'stop a']);
  expect(lifecycle.state).toBe('stopped');
  await expect(new Lifecycle({logger}).stop()).resolves.toEqual({failures: []});
});

test('a part that fails to start stops those started, and its error is thrown', async () => {
  const {calls, part} = recorder();
  const broken = new Error('no port');
  const lifecycle = new Lifecycle({logger}).add(part('a')).add(part('b')).add(part('c', {start: () => Promise.reject(broken)})).add(part('d'));
  await expect(lifecycle.start()).rejects.toBe(broken);
  expect(calls.filter((call) => !call.startsWith('drain'))).toEqual(['start a', 'start b', 'stop b', 'stop a']);
  expect(lifecycle.state).toBe('stopped');
  await lifecycle.stop();
  expect(calls.filter((call) => call === 'stop a')).toHaveLength(1);
});

test('a part that does not start in time is given up and stopped too', async () => {
  const {calls, part} = recorder();
  const lifecycle = new Lifecycle({logger}).add(part('a')).add(part('slow', {startSeconds: 0.03, start: () => new Promise(() => {})}));
  await expect(lifecycle.start()).rejects.toMatchObject({code: 'START_TIMEOUT', details: {part: 'slow'}});
  expect(calls.filter((call) => call.startsWith('stop'))).toEqual(['stop slow', 'stop a']);
});

test('stopping while starting lets the current part finish and starts no other', async () => {
  const {calls, part} = recorder();
  let aborted = false;
  const lifecycle = new Lifecycle({logger}).add(part('a', {
    start: async (signal) => {
      await sleep(30);
      aborted = signal.aborted;
      calls.push('start a');
    },
  })).add(part('b'));
  const starting = lifecycle.start();
  const stopping = lifecycle.stop();
  await expect(starting).rejects.toMatchObject({code: 'SHUTTING_DOWN'});
  await stopping;
  expect(aborted).toBe(true);
  expect(calls).toEqual(['start a', 'drain a', 'stop a']);
});

test('draining waits for what is in flight, at most until the deadline', async () => {
  const {calls, part} = recorder();
  const lifecycle = new Lifecycle({logger, drainSeconds: 0.1})
    .add(part('quick', {drain: async () => { await sleep(20); calls.push('drained'); }}))
    .add(part('heeds', {drain: (signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve(void calls.push('aborted'))))}))
    .add(part('stuck', {drain: () => new Promise(() => {})}));
  await lifecycle.start();
  const began = performance.now();
  const {failures} = await lifecycle.stop();
  expect(performance.now() - began).toBeLessThan(10_000);
  expect(failures).toMatchObject([{part: 'stuck', phase: 'drain'}]);
  expect(calls.slice(3)).toEqual(['drained', 'aborted', 'stop stuck', 'stop heeds', 'stop quick']);
});

test('a part that throws or hangs while stopping does not keep the others from it', async () => {
  const {calls, part} = recorder();
  const lifecycle = new Lifecycle({logger})
    .add(part('a'))
    .add(part('throws', {stop: () => { throw new Error('broken'); }}))
    .add(part('hangs', {stopSeconds: 0.02, stop: () => new Promise(() => {})}));
  await lifecycle.start();
  const {failures} = await lifecycle.stop();
  expect(failures.map(({part: name, phase}) => `${phase} ${name}`)).toEqual(['stop hangs', 'stop throws']);
  expect(calls.at(-1)).toBe('stop a');
});

test('parts cannot be added after the start', async () => {
  const lifecycle = new Lifecycle({logger});
  await lifecycle.start();
  expect(() => lifecycle.add({name: 'late'})).toThrow('late');
  await lifecycle.stop();
  await expect(lifecycle.start()).resolves.toBeUndefined();
});

test('the first signal stops and exits, a second exits at once', async () => {
  const {part} = recorder();
  const signals = new EventEmitter();
  const exits: number[] = [];
  const lifecycle = new Lifecycle({logger}).add(part('a', {stop: () => sleep(30)}));
  await lifecycle.start();
  const unwire = stopOnSignals(lifecycle, {logger, signals, exit: (code) => exits.push(code)});
  signals.emit('SIGTERM', 'SIGTERM');
  signals.emit('SIGINT', 'SIGINT');
  expect(exits).toEqual([130]);
  await lifecycle.stop();
  await sleep(0);
  expect(exits).toEqual([130, 0]);
  unwire();
  expect(signals.eventNames()).toEqual([]);
});

test('a real process ends by SIGTERM with its parts stopped', async () => {
  const url = (file: string) => JSON.stringify(new URL(`../../src/core/${file}`, import.meta.url).href);
  // Type stripping does not run parameter properties, so the child gets them transformed.
  const child = spawn(process.execPath, ['--experimental-transform-types', '--no-warnings', '--input-type=module', '--eval', `
    import {Lifecycle, stopOnSignals} from ${url('lifecycle.ts')};
    import {createLogger} from ${url('logging.ts')};
    const logger = createLogger({format: 'json'});
    const timer = setInterval(() => {}, 1000);
    const lifecycle = new Lifecycle({logger}).add({name: 'timer', stop: () => { clearInterval(timer); process.stdout.write('stopped'); }});
    stopOnSignals(lifecycle, {logger});
    await lifecycle.start();
    process.stdout.write('ready ');
  `], {cwd: fileURLToPath(new URL('.', import.meta.url)), stdio: ['ignore', 'pipe', 'pipe']});
  let out = '';
  let log = '';
  child.stderr.on('data', (chunk) => (log += chunk));
  child.stdout.on('data', (chunk) => {
    out += chunk;
    if (out === 'ready ') child.kill('SIGTERM');
  });
  const code = await new Promise((resolve) => child.on('close', resolve));
  expect({code, out, log: log.split('\n').filter(Boolean).map((line) => JSON.parse(line).msg)})
    .toEqual({code: 0, out: 'ready stopped', log: ['SIGTERM: stopping; once more stops at once', 'stopped']});
});
