import {createHash} from 'node:crypto';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {monitorEventLoop} from '../../src/core/event-loop.ts';
import {newId, timeOfId} from '../../src/core/ids.ts';
import {isLoopback} from '../../src/core/loopback.ts';
import {Metrics} from '../../src/core/metrics.ts';
import {sha256OfFile, sha256OfFiles} from '../../src/core/sha256.ts';

test('ids are UUIDs of version 7, unique, and sort in the order they were made', () => {
  const before = Date.now();
  const ids = Array.from({length: 50_000}, newId);
  expect(new Set(ids).size).toBe(ids.length);
  expect([...ids].sort()).toEqual(ids);
  for (const id of ids.slice(0, 100)) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(timeOfId(ids[0]!).getTime()).toBeGreaterThanOrEqual(before);
  expect(timeOfId(ids[0]!).getTime()).toBeLessThanOrEqual(Date.now() + 1);
});

test('the event loop monitor sees a stall, and only stalls', async () => {
  const monitor = monitorEventLoop();
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  await pause(60);
  monitor.reset();
  expect(monitor.longest()).toBe(0);
  await pause(30);
  const until = performance.now() + 80;
  while (performance.now() < until);
  await pause(40);
  expect(monitor.longest()).toBeGreaterThan(60);
  expect(monitor.percentile(1)).toBeLessThan(40);
  monitor.stop();
});

test('metrics are text for Prometheus, each instance by itself', async () => {
  const one = new Metrics({version: '1.2.3'});
  const two = new Metrics({version: '1.2.3'});
  one.runs.observe({pipeline: 'p', status: 'succeeded'}, 2);
  one.counter({name: 'extra_total', help: 'More', labels: ['kind']}).inc({kind: 'x'}, 3);
  const text = await one.text();
  expect(one.contentType).toContain('text/plain');
  expect(text).toContain('millrace_run_seconds_count{pipeline="p",status="succeeded"} 1');
  expect(text).toContain(`millrace_build_info{version="1.2.3",node="${process.versions.node}"} 1`);
  expect(text).toContain('extra_total{kind="x"} 3');
  expect(text).toMatch(/millrace_event_loop_lag_seconds\{quantile="1"\} [\d.e-]+/);
  expect(text).toMatch(/process_resident_memory_bytes [1-9]/);
  expect(await two.text()).not.toContain('pipeline="p"');
  one.stop();
  two.stop();
});

test.each([['localhost', true], ['127.0.0.1', true], ['[::1]', true], ['::1', true], ['0.0.0.0', false], ['localhost.evil.example', false], ['128.0.0.1', false]])(
  'loopback: %s is %s', (host, expected) => expect(isLoopback(host)).toBe(expected));

test('large files are hashed by threads that are used again, several at once, also after one could not be read', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-hash-'));
  const contents = ['a', 'b', 'c'].map(letter => letter.repeat(9 * 2 ** 20));
  const paths = await Promise.all(contents.map(async (content, index) => {
    const path = join(folder, String(index));
    await writeFile(path, content);
    return path;
  }));
  const expected = contents.map(content => createHash('sha256').update(content).digest('hex'));
  for (let round = 0; round < 3; round++) {
    expect(await Promise.all(paths.map(sha256OfFile))).toEqual(expected);
    expect(await sha256OfFiles(paths)).toEqual(expected);
    await expect(sha256OfFile(join(folder, 'none'))).rejects.toMatchObject({code: 'ENOENT'});
  }
  await rm(folder, {recursive: true});
});
