import {once} from 'node:events';
import {connect} from 'node:net';
import type {AddressInfo, Socket} from 'node:net';
import {setTimeout as sleep} from 'node:timers/promises';
import Fastify from 'fastify';
import type {FastifyInstance} from 'fastify';
import {asMillraceError} from '../../../../src/core/errors.ts';
import type {Operations} from '../../../../src/api/graphql/operations.ts';
import {answerStream} from '../../../../src/api/graphql/streams/answer-stream.ts';

/** Readers of a streamed answer over a real connection. Only the way out is tested here, so what is streamed is made up. */

const stallSeconds = 0.4;
const piece = Buffer.alloc(2 ** 18, 'x\n');

let app: FastifyInstance;
let made = 0;
let ended: Promise<unknown>;
let port: number;

/** Pieces without an end, or as many as are asked for; resolves `ended` with why nobody takes any more. */
function serve(pieces: number): void {
  made = 0;
  let left: (reason: unknown) => void;
  ended = new Promise(resolve => (left = resolve));
  operations.stream = async function* (_viewer, _asked, _format, signal) {
    try {
      while (made < pieces && !signal.aborted) {
        made++;
        yield piece;
      }
    } finally {
      left(signal.aborted ? asMillraceError(signal.reason).code : 'told all');
    }
  };
}

const operations = {graph: {prepare: () => ({})}} as unknown as Operations;

beforeAll(async () => {
  app = Fastify();
  app.decorateRequest('viewer');
  app.addHook('onRequest', async request => {
    (request as {viewer: unknown}).viewer = {limits: {}};
  });
  app.post('/', (request, reply) => answerStream(request, reply, 'ndjson', {operations, format: () => ({message: ''}), stallSeconds}));
  await app.listen({port: 0, host: '127.0.0.1'});
  ({port} = app.server.address() as AddressInfo);
});

afterAll(() => app.close());

/** A reader of the answer's bytes, which has read nothing yet. */
async function ask(): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.pause();
  const body = JSON.stringify({query: '{ rows { id } }'});
  socket.write(`POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
  return socket;
}

test('one that takes nothing is cut off, what was not taken is not made, and the statement ends', async () => {
  serve(Infinity);
  const socket = await ask();
  expect(await ended).toBe('READER_TOO_SLOW');
  const soFar = made;
  // What fits the connection's buffers; there is no end to what could be made.
  expect(soFar).toBeLessThan(200);
  await sleep(50);
  expect(made).toBe(soFar);
  let bytes = 0;
  socket.on('data', chunk => (bytes += chunk.length)).on('error', () => {}).resume();
  await once(socket, 'close');
  expect(bytes).toBeLessThanOrEqual((soFar + 1) * piece.length);
}, 20_000);

test('one that is slow but goes on gets all of it', async () => {
  serve(60);
  const socket = await ask();
  let bytes = 0;
  socket.on('data', chunk => {
    bytes += chunk.length;
    socket.pause();
    setTimeout(() => socket.resume(), 1);
  });
  socket.resume();
  expect(await ended).toBe('told all');
  while (bytes < 60 * piece.length) await sleep(20);
  socket.destroy();
}, 20_000);

test('one that leaves ends the statement as well', async () => {
  serve(Infinity);
  const socket = await ask();
  socket.resume();
  await once(socket, 'data');
  socket.destroy();
  expect(await ended).toBe('REQUEST_INVALID');
}, 20_000);
