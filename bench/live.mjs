/** Five thousand live subscribers on ten queries, and a commit that changes all of their answers. */
import {fork} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {setTimeout as sleep} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import {WebSocket} from 'ws';
import {line, megabytes, milliseconds, ratio} from './lib/figures.mjs';
import {peakMemory} from './lib/memory.mjs';
import {prepareProject, withProject} from './lib/project.mjs';
import {firstAnswer, query, serve} from './lib/server.mjs';

const subscribers = Number(process.env.BENCH_SUBSCRIBERS ?? 5_000);
const queries = 10;
const rounds = 5;

export const title = '5,000 live subscribers on 10 queries over a table of 200,000 rows, each with a connection of its own';
export const conditions = 'The 20 most delayed flights of at least some distance, followed over graphql-transport-ws. A round: one row is committed that changes every answer; it ends when the last subscriber has its new one. Millrace runs a pipeline, writes Parquet and commits, all of which counts; the peer is graphql-ws with graphql-js, which inserts the row into a table in memory and answers each subscription by itself. Both are processes of their own, in turns, with the same client. Memory of a subscriber: what a server has resident more with all of them than without, by their number.';

export const run = ({progress}) => withProject(async (folder) => {
  progress('preparing');
  const file = await prepareProject(folder, [
    {kind: 'sql', name: 'flights', into: 'flights', sql: "SELECT 'A' || (i % 300) AS origin, 'B' || (i % 290) AS destination, ((i * 7919) % 1500)::INTEGER AS delay, ((i * 104729) % 2500)::INTEGER AS distance FROM range(200000) t(i)"},
  ], async (app) => (await app.warehouse.table(await app.warehouse.resolve('flights'))).files[0].path);
  const server = await serve(folder);
  const peer = fork(fileURLToPath(new URL('lib/plain-live-server.mjs', import.meta.url)), [file]);
  try {
    const {url} = await new Promise((resolve, reject) => { peer.once('message', resolve).once('exit', reject); });
    await firstAnswer(server.url, '{ flights(limit: 1) { delay } }');
    const pid = server.pid;
    const sides = {
      millrace: {
        url: server.url, pid, document: 'subscription ($least: Int!) { flights(where: {distance: {_gte: $least}}, order_by: [{delay: desc}], limit: 20) { origin destination delay distance } }',
        async commit(delay) {
          const {createPipeline} = await query(server.url, 'mutation($definition: JSON!) { createPipeline(definition: $definition) { __typename ... on Failure { message } } }', {definition: {name: 'append', steps: [{kind: 'sql', name: 'append', into: 'flights', mode: 'append', sql: `SELECT 'A0' AS origin, 'B0' AS destination, ${delay}::INTEGER AS delay, 9999::INTEGER AS distance`}]}});
          if (createPipeline.__typename !== 'PipelineCreated') throw new Error(createPipeline.message);
          const {startRun} = await query(server.url, 'mutation { startRun(input: {pipeline: "append"}) { __typename ... on Failure { message } } }');
          if (startRun.__typename !== 'RunStarted') throw new Error(startRun.message);
        },
      },
      plain: {url, pid: peer.pid, document: 'subscription ($least: Int!) { flights(least: $least) { origin destination delay distance } }', commit: async (delay) => peer.send({delay})},
    };
    const times = {millrace: [], plain: []};
    const cpu = {millrace: [], plain: []};
    const memory = {};
    const clients = {};
    for (const [side, {url: where, pid: of, document}] of Object.entries(sides)) {
      progress(`${side}: ${subscribers} subscribers`);
      const before = resident(of);
      clients[side] = await Clients.connect(where, document);
      await clients[side].received(1);
      memory[side] = (resident(of) - before) / subscribers;
    }
    for (let round = -1; round < rounds; round++) {
      for (const [side, {commit, pid: of}] of Object.entries(sides)) {
        progress(`${side}: round ${round + 1} of ${rounds}`);
        const [start, used] = [performance.now(), processor(of)];
        await commit(5_000 + round);
        await clients[side].shown(5_000 + round);
        if (round >= 0) {
          times[side].push(performance.now() - start);
          cpu[side].push(processor(of) - used);
        }
      }
    }
    for (const each of Object.values(clients)) each.close();
    return [
      line('Millrace / plain graphql-ws, until the last has its answer', times.millrace.map((time, index) => time / times.plain[index]), ratio, 1 / 3),
      line('Millrace / plain graphql-ws, processor time', cpu.millrace.map((time, index) => time / cpu.plain[index]), ratio),
      line('Millrace', times.millrace, milliseconds),
      line('plain graphql-ws', times.plain, milliseconds),
      line('memory of a subscriber, Millrace', [memory.millrace / 1e3], kilobytes, 30),
      line('memory of a subscriber, plain graphql-ws', [memory.plain / 1e3], kilobytes),
      line('peak memory, Millrace', [server.peakMemory()], megabytes),
      line('peak memory, plain graphql-ws', [peakMemory(peer.pid)], megabytes),
    ];
  } finally {
    peer.kill();
    await server.stop();
  }
});

const kilobytes = (/** @type {number} */ value) => `${value.toFixed(1)} kB`;
const resident = (/** @type {number} */ pid) => Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
/** Milliseconds of processor time, in ticks of ten. */
const processor = (/** @type {number} */ pid) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ').slice(11, 13).reduce((sum, ticks) => sum + Number(ticks) * 10, 0);

class Clients {
  /** @type {WebSocket[]} */
  sockets = [];
  /** Answers, and the greatest delay, that each has got. */
  answers = [];
  delays = [];

  static async connect(/** @type {string} */ url, /** @type {string} */ document) {
    const clients = new Clients();
    for (let from = 0; from < subscribers; from += 100) {
      await Promise.all(Array.from({length: Math.min(100, subscribers - from)}, (_, index) => clients.open(url, document, from + index)));
    }
    return clients;
  }

  open(url, document, index) {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', {perMessageDeflate: false});
    this.sockets.push(socket);
    this.answers[index] = 0;
    return new Promise((resolve, reject) => {
      socket.on('error', reject).on('open', () => socket.send('{"type":"connection_init"}')).on('message', (message) => {
        const text = message.toString();
        if (text.includes('"connection_ack"')) {
          socket.send(JSON.stringify({id: '1', type: 'subscribe', payload: {query: document, variables: {least: (index % queries) * 100}}}));
          resolve(undefined);
        } else if (text.includes('"next"')) {
          this.answers[index]++;
          this.delays[index] = Number(/"delay":(-?\d+)/.exec(text)?.[1]);
        }
      });
    });
  }

  received = (/** @type {number} */ count) => this.until(() => this.answers.every((answers) => answers >= count));
  shown = (/** @type {number} */ delay) => this.until(() => this.delays.every((shown) => shown === delay));

  async until(/** @type {() => boolean} */ condition) {
    for (const end = performance.now() + 300_000; !condition(); await sleep(5)) if (performance.now() > end) throw new Error('answers are missing');
  }

  close() {
    for (const socket of this.sockets) socket.terminate();
  }
}
