/** Ten thousand rows as GraphQL JSON over HTTP, beside the same rows as DuckDB's JSON text through bare Fastify. */
import {fork} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {flightsFile} from './lib/app.mjs';
import {line, megabytes, milliseconds, ratio} from './lib/figures.mjs';
import {peakMemory} from './lib/memory.mjs';
import {prepareProject, withProject} from './lib/project.mjs';
import {ask, firstAnswer, serve} from './lib/server.mjs';

const rounds = 60;
const warmUps = 20;
const columns = ['date', 'delay', 'distance', 'origin', 'destination', 'speed', 'route', 'late', 'weekday'];

export const title = '10,000 rows × 9 columns as GraphQL JSON over HTTP';
export const conditions = 'Each server is a process of its own, asked by the same client on one kept connection, in turns; the peer is bare Fastify that sends the JSON text DuckDB makes of the same file in one statement. The bodies differ by the receipt and by how times are written.';

export const run = ({progress}) => withProject(async (folder) => {
  progress('preparing');
  const file = await prepareProject(folder, [
    {kind: 'ingest', name: 'raw', into: 'flights_raw', source: {path: flightsFile}},
    {kind: 'sql', name: 'wide', into: 'wide', sql: "SELECT *, CAST(distance / greatest(delay + 60, 1) AS DOUBLE) AS speed, origin || '-' || destination AS route, delay > 15 AS late, CAST(dayofweek(date) AS INTEGER) AS weekday FROM flights_raw LIMIT 200000"},
  ], async (app) => (await app.warehouse.table(await app.warehouse.resolve('wide'))).files[0].path);
  const server = await serve(folder);
  const peer = fork(fileURLToPath(new URL('lib/bare-server.mjs', import.meta.url)), [file, columns.join(', ')]);
  try {
    const {url} = await new Promise((resolve, reject) => { peer.once('message', resolve).once('exit', reject); });
    const text = `{ wide(limit: 10000) { ${columns.join(' ')} } }`;
    await firstAnswer(server.url, text);
    const body = JSON.stringify({query: text});
    const times = {millrace: [], bare: []};
    const bytes = {};
    for (let round = -warmUps; round < rounds; round++) {
      progress(`round ${round + 1} of ${rounds}`);
      for (const [side, request] of [['millrace', () => ask(`${server.url}/graphql`, body)], ['bare', () => ask(url, '{}')]]) {
        const start = performance.now();
        const answer = await request();
        if (answer.status !== 200) throw new Error(`${side}: ${answer.body}`);
        if (round >= 0) times[side].push(performance.now() - start);
        bytes[side] = answer.body.length;
      }
    }
    return [
      line('Millrace / bare Fastify', times.millrace.map((time, index) => time / times.bare[index]), ratio, 1.6),
      line('Millrace', times.millrace, milliseconds),
      line('bare Fastify', times.bare, milliseconds),
      line('size of the body, Millrace', [bytes.millrace], (size) => `${(size / 1e3).toFixed(1)} kB`),
      line('size of the body, bare Fastify', [bytes.bare], (size) => `${(size / 1e3).toFixed(1)} kB`),
      line('peak memory, Millrace', [server.peakMemory()], megabytes),
      line('peak memory, bare Fastify', [peakMemory(peer.pid)], megabytes),
    ];
  } finally {
    peer.kill();
    await server.stop();
  }
});
