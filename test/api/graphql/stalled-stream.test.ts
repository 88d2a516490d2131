import {setTimeout as sleep} from 'node:timers/promises';
import {WebSocket} from 'ws';
import type {App} from '../../../src/compose.ts';
import {putPipeline, runToEnd, useApp} from '../../support/project.ts';

let url: string;
let app: App;
const rows = 24_000;
const batch = 500;

/** Statements that read batches of the stream. */
let read = 0;

useApp(async started => {
  ({url, app} = started);
  await putPipeline(url, 'make', [{kind: 'sql', name: 'notes', into: 'notes', sql: `SELECT i::INTEGER AS id, repeat(md5(i::VARCHAR), 50) AS text FROM range(${rows}) t(i)`}]);
  await runToEnd(url, 'make');
  await app.services.graphModel.refresh();
  const {engine} = app.services;
  const columns = engine.columns.bind(engine);
  engine.columns = (query, options) => {
    if (query.sql.includes('~id')) read++;
    return columns(query, options);
  };
});

test('a stream whose client does not read is not read on for it; when it reads again it gets each row once, in order', async () => {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  let next = 0;
  let paused = false;
  const over = new Promise<void>((resolve, reject) => {
    socket.on('open', () => socket.send(JSON.stringify({type: 'connection_init'})));
    socket.on('error', reject).on('close', (code, reason) => reject(new Error(`closed: ${code} ${String(reason)}`)));
    socket.on('message', message => {
      const {type, payload} = JSON.parse(String(message)) as {type: string; payload?: {data: {notes_stream: {rows: {id: number}[]}}}};
      if (type === 'connection_ack') socket.send(JSON.stringify({id: '1', type: 'subscribe', payload: {query: `subscription { notes_stream(batch_size: ${batch}) { cursor rows { id text } } }`}}));
      if (type !== 'next') return;
      for (const {id} of payload!.data.notes_stream.rows) if (id !== next++) reject(new Error(`${id} came instead of ${next - 1}`));
      if (!paused) {
        paused = true;
        socket.pause();
      }
      if (next === rows) resolve();
    });
  });
  over.catch(() => undefined);

  // Until nothing more is read for it.
  for (let before = -1; !paused || before !== read; await sleep(400)) before = read;
  const whileStalled = read;
  expect(whileStalled).toBeLessThan(rows / batch / 2);
  await sleep(400);
  expect(read).toBe(whileStalled);

  socket.resume();
  await over;
  expect(read).toBe(rows / batch);
  socket.removeAllListeners('close').close();
}, 30_000);
