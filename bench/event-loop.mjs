/** The longest time that the server's event loop stood still while everything happened at once. */
import {monitorEventLoopDelay} from 'node:perf_hooks';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {WebSocket} from 'ws';
import {flightsFile, sampleFolder} from './lib/app.mjs';
import {line, megabytes, milliseconds} from './lib/figures.mjs';
import {prepareProject, registerModel, withProject} from './lib/project.mjs';
import {ask, firstAnswer, query, serve} from './lib/server.mjs';

const rounds = 3;

export const title = 'Event loop: the longest stall while one server ingests, scores, answers and tells';
export const conditions = 'One `serve` process ingests flights-3m, computes half a million rows of features and scores them, while two clients ask for rows and aggregates without pause and a subscription follows the run; read from /metrics every 200 ms. Beside it, the longest stall of the asking process, which has little to do: a hint of what the machine itself adds.';

export const run = ({progress}) => withProject(async (folder) => {
  progress('preparing');
  await prepareProject(folder, [{kind: 'ingest', name: 'airports', into: 'airports', source: {path: join(sampleFolder, 'airports.csv')}, contract: {key: ['iata']}}], registerModel);
  const server = await serve(folder);
  try {
    const {url} = server;
    await firstAnswer(url, '{ airports(limit: 1) { iata } }');
    const stalls = [];
    const idle = [];
    const requests = [];
    for (let round = 0; round < rounds; round++) {
      progress(`round ${round + 1} of ${rounds}`);
      await ask(`${url}/metrics`); // forgets what came before
      const own = monitorEventLoopDelay({resolution: 10});
      own.enable();
      const watching = {on: true};
      const stall = watchStall(url, watching);
      const clients = Promise.all([askForEver(url, '{ airports(limit: 200, order_by: [{city: asc}]) { iata name city state } }', watching), askForEver(url, '{ airports_aggregate { aggregate { count max { latitude } } } }', watching)]);
      clients.catch(() => {}); // it is awaited below
      await runToEnd(url, round).finally(() => { watching.on = false; });
      stalls.push(await stall);
      requests.push((await clients).reduce((sum, count) => sum + count, 0));
      own.disable();
      idle.push(Math.max(0, own.max / 1e6 - 10));
    }
    return [
      line('longest stall of the server', stalls, milliseconds, 50),
      line('longest stall of the asking process', idle, milliseconds),
      line('requests answered meanwhile', requests, String),
      line('peak memory', [server.peakMemory()], megabytes),
    ];
  } finally {
    await server.stop();
  }
});

async function watchStall(url, watching) {
  let longest = 0;
  do {
    await sleep(200);
    const {body} = await ask(`${url}/metrics`);
    longest = Math.max(longest, Number(/^millrace_event_loop_lag_seconds\{quantile="1"\} (\S+)$/m.exec(body)[1]) * 1_000);
  } while (watching.on);
  return longest;
}

async function askForEver(url, text, watching) {
  let count = 0;
  for (; watching.on; count++) await query(url, text);
  return count;
}

/** Puts and starts a pipeline and follows it by a subscription to its end. */
async function runToEnd(url, round) {
  const sql = `SELECT distance, ${round} AS round, CAST(delay AS INTEGER) AS delay, CAST(distance % 9 AS INTEGER) AS inbound_flights, CAST(0.25 AS REAL) AS inbound_late_share, CAST(delay % 7 AS REAL) AS inbound_mean_delay, CAST(distance % 5 AS INTEGER) AS outbound_flights, CAST(0.5 AS REAL) AS outbound_late_share FROM raw_${round} WHERE delay > ${round} LIMIT 500000`;
  const definition = {name: 'everything', steps: [
    {kind: 'ingest', name: 'raw', into: `raw_${round}`, source: {path: flightsFile}},
    {kind: 'sql', name: 'features', into: 'features', sql},
    {kind: 'predict', name: 'scored', into: 'scored', input: 'features', model: 'late_arrival', keep: ['distance']},
  ]};
  await query(url, 'mutation($definition: JSON!) { createPipeline(definition: $definition) { __typename ... on Failure { message hint } } }', {definition});
  const {startRun} = await query(url, 'mutation { startRun(input: {pipeline: "everything"}) { ... on RunStarted { run { id } } ... on Failure { message hint } } }');
  await new Promise((resolve, reject) => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    const send = (message) => socket.send(JSON.stringify(message));
    socket.on('open', () => send({type: 'connection_init'}));
    socket.on('error', reject);
    socket.on('message', (text) => {
      const {type, payload} = JSON.parse(text);
      if (type === 'connection_ack') send({id: '1', type: 'subscribe', payload: {query: 'subscription($id: ID!) { runEvents(runId: $id) { __typename seq ... on RunFinished { run { status error { message } } } } }', variables: {id: startRun.run.id}}});
      if (type === 'error' || payload?.errors) reject(new Error(String(text)));
      const event = payload?.data?.runEvents;
      if (event?.__typename !== 'RunFinished') return;
      socket.close();
      if (event.run.status === 'SUCCEEDED') resolve(); else reject(new Error(String(text)));
    });
  });
}
