/** Three million flights grouped by two keys with three aggregates, as GraphQL over HTTP, beside DuckDB's own groups through bare Fastify. */
import {fork} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {flightsFile} from './lib/app.mjs';
import {line, megabytes, milliseconds, ratio} from './lib/figures.mjs';
import {peakMemory} from './lib/memory.mjs';
import {prepareProject, withProject} from './lib/project.mjs';
import {ask, firstAnswer, serve} from './lib/server.mjs';

const rounds = 30;
const warmUps = 5;
const document = `query ($least: Int!) {
  flights_groups(where: {delay: {_gt: $least}}) { key { origin date(trunc: MONTH) } aggregate { count avg { delay } max { distance } } }
}`;

export const title = 'Groups of 3 million flights by origin and month, with three aggregates';
export const conditions = 'Each server is a process of its own, asked by the same client on one kept connection, in turns, each time with another condition, so that nothing can be an answer kept from before; the peer is bare Fastify that sends the JSON text DuckDB makes of the same file in one prepared statement.';

export const run = ({progress}) => withProject(async (folder) => {
  progress('preparing');
  const file = await prepareProject(folder, [
    {kind: 'ingest', name: 'raw', into: 'flights_raw', source: {path: flightsFile}},
    {kind: 'sql', name: 'flights', into: 'flights', sql: 'SELECT date, CAST(delay AS INTEGER) AS delay, CAST(distance AS INTEGER) AS distance, origin, destination FROM flights_raw'},
  ], async (app) => (await app.warehouse.table(await app.warehouse.resolve('flights'))).files[0].path);
  const server = await serve(folder);
  const peer = fork(fileURLToPath(new URL('lib/bare-groups.mjs', import.meta.url)), [file]);
  try {
    const {url} = await new Promise((resolve, reject) => { peer.once('message', resolve).once('exit', reject); });
    await firstAnswer(server.url, '{ flights(limit: 1) { delay } }');
    const times = {millrace: [], bare: []};
    const groups = {};
    for (let round = -warmUps; round < rounds; round++) {
      progress(`round ${round + 1} of ${rounds}`);
      const body = JSON.stringify({query: document, variables: {least: -1000 - round}});
      for (const [side, address] of [['millrace', `${server.url}/graphql`], ['bare', url]]) {
        const start = performance.now();
        const answer = await ask(address, body);
        if (answer.status !== 200) throw new Error(`${side}: ${answer.body}`);
        if (round >= 0) times[side].push(performance.now() - start);
        groups[side] = JSON.parse(answer.body).data.flights_groups.length;
      }
    }
    if (groups.millrace !== groups.bare) throw new Error(`${groups.millrace} groups are not ${groups.bare}`);
    return [
      line('Millrace / bare Fastify', times.millrace.map((time, index) => time / times.bare[index]), ratio, 1.15),
      line('Millrace', times.millrace, milliseconds),
      line('bare Fastify', times.bare, milliseconds),
      line('groups', [groups.millrace], String),
      line('peak memory, Millrace', [server.peakMemory()], megabytes),
      line('peak memory, bare Fastify', [peakMemory(peer.pid)], megabytes),
    ];
  } finally {
    peer.kill();
    await server.stop();
  }
});
