import {connect} from 'node:net';
import {randomBytes} from 'node:crypto';
import {setTimeout as sleep} from 'node:timers/promises';
import {loadConfig} from '../../../../src/core/config.ts';
import {createLogger} from '../../../../src/core/logging.ts';
import {Metrics} from '../../../../src/core/metrics.ts';
import type {RunEventRecord} from '../../../../src/pipelines/pipeline.ts';
import {createGraphql} from '../../../../src/api/graphql/server.ts';
import type {GraphqlServices} from '../../../../src/api/graphql/services.ts';
import {closeHosts, startHost} from '../../http/support.ts';

afterEach(closeHosts);

const line = 'x'.repeat(4000);

/** Events without an end. Only the socket is tested here, so only what it needs is there. */
class Flood {
  pulled = 0;
  left = false;

  async *events(_viewer: unknown, runId: string, after: bigint, signal: AbortSignal): AsyncGenerator<RunEventRecord> {
    try {
      for (let seq = after + 1n; !signal.aborted; seq++) {
        this.pulled++;
        yield {runId, seq, at: new Date(), data: {kind: 'log', step: null, level: 'info', message: line}};
        if (this.pulled % 50 === 0) await sleep(0);
      }
    } finally {
      this.left = true;
    }
  }
}

/** Waits after its first event until it is left. */
class Silence {
  left = false;

  async *events(_viewer: unknown, runId: string, _after: bigint, signal: AbortSignal): AsyncGenerator<RunEventRecord> {
    yield {runId, seq: 1n, at: new Date(), data: {kind: 'run_started'}};
    await new Promise(resolve => signal.addEventListener('abort', resolve));
    this.left = true;
  }
}

async function serve(flood: Flood | Silence, stallSeconds: number) {
  const {config} = loadConfig({projectFolder: '/'});
  const metrics = new Metrics({version: '0'});
  const services = {
    pipelines: flood, graphModel: {current: () => ({version: 0n, datasets: []}), onChange: () => () => {}}, datasets: {}, models: {}, metrics, config,
    logger: createLogger({level: 'silent'}), sockets: {stallSeconds, bufferBytes: 256 * 1024},
  } as unknown as GraphqlServices;
  const graphql = await createGraphql(services);
  const running = await startHost([], {mounts: [(app, host) => graphql.mount(app, host)]});
  const subscriptions = async () => (await metrics.text()).match(/^millrace_graphql_subscriptions (\d+)$/m)?.[1];
  return {...running, graphql, subscriptions, stop: async () => {
    await graphql.stop();
    metrics.stop();
  }};
}

/** A client's frame with a mask of zeros. */
function frame(text: string): Buffer {
  const body = Buffer.from(text);
  return Buffer.concat([Buffer.from([0x81, 0x80 | body.length, 0, 0, 0, 0]), body]);
}

/** A socket that subscribes by hand, so that it can stop reading. */
function subscribeRaw(port: number) {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(`GET /graphql HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: ${randomBytes(16).toString('base64')}\r\nsec-websocket-protocol: graphql-transport-ws\r\n\r\n`);
  socket.write(frame('{"type":"connection_init"}'));
  socket.once('data', () => setImmediate(() => socket.write(frame('{"id":"1","type":"subscribe","payload":{"query":"subscription{runEvents(runId:\\"r\\"){seq ...on LogLine{message}}}"}}'))));
  return socket;
}

test('a client that never reads holds little memory and is cut off', async () => {
  const flood = new Flood();
  const {port, subscriptions, stop} = await serve(flood, 1);
  const socket = subscribeRaw(port);
  await sleep(300);
  socket.pause();
  // Until the buffers between them are full, however long a busy machine takes for that.
  let stalledAt = -1;
  while (flood.pulled !== stalledAt) {
    stalledAt = flood.pulled;
    await sleep(200);
  }
  expect(stalledAt).toBeGreaterThan(0);
  expect(await subscriptions()).toBe('1');
  await sleep(300);
  // Nothing more is pulled while it does not read.
  expect(flood.pulled).toBe(stalledAt);
  const deadline = Date.now() + 8000;
  while (!flood.left && Date.now() < deadline) await sleep(50);
  expect(flood.left).toBe(true);
  expect(await subscriptions()).toBe('0');
  socket.destroy();
  await stop();
}, 20_000);

test('a client that pauses and goes on gets every event', async () => {
  const flood = new Flood();
  const {port, stop} = await serve(flood, 5);
  const socket = subscribeRaw(port);
  let text = '';
  socket.on('data', data => (text = (text + data.toString('latin1')).slice(-20_000_000)));
  await sleep(200);
  socket.pause();
  await sleep(500);
  const before = flood.pulled;
  socket.resume();
  await sleep(500);
  expect(flood.pulled).toBeGreaterThan(before);
  socket.destroy();
  while (!flood.left) await sleep(20);
  const numbers = [...text.matchAll(/"seq":"(\d+)"/g)].map(([, seq]) => Number(seq));
  expect(numbers.length).toBeGreaterThan(100);
  expect(numbers.every((seq, index) => index === 0 || seq === numbers[index - 1]! + 1)).toBe(true);
  await stop();
}, 20_000);

test('leaving ends an iteration that waits for something that never comes', async () => {
  const silence = new Silence();
  const {port, subscriptions, stop} = await serve(silence, 5);
  const socket = subscribeRaw(port);
  while ((await subscriptions()) !== '1') await sleep(20);
  socket.destroy();
  while (!silence.left) await sleep(20);
  expect(await subscriptions()).toBe('0');
  await stop();
}, 10_000);
