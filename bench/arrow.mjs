/** A million rows as an Arrow stream over HTTP, beside Python's DuckDB that writes the same stream in its own process. */
import {spawn} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {Agent, request} from 'node:http';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';
import {flightsFile, threads} from './lib/app.mjs';
import {line, megabytes, milliseconds, ratio} from './lib/figures.mjs';
import {python} from './lib/packages.mjs';
import {prepareProject, withProject} from './lib/project.mjs';
import {firstAnswer, serve} from './lib/server.mjs';

const rounds = 9;
const warmUps = 2;
const columns = ['date', 'delay', 'distance', 'origin', 'destination', 'speed', 'route', 'late', 'weekday', 'cents'];

export const title = '1 M rows × 10 columns as an Arrow stream';
export const conditions = 'Millrace answers over HTTP, to a client that counts the bytes; Python\'s `duckdb` (with `pyarrow`) reads the same Parquet file in as many threads and writes the same stream to a sink that counts, without HTTP. In turns. NDJSON of the same rows stands beside them.';

export const run = ({progress}) => withProject(async (folder) => {
  progress('preparing');
  const program = await python(['duckdb==1.4.0', 'pyarrow==21.0.0']);
  const file = await prepareProject(folder, [
    {kind: 'ingest', name: 'raw', into: 'flights_raw', source: {path: flightsFile}},
    {kind: 'sql', name: 'wide', into: 'wide', sql: "SELECT *, CAST(distance / greatest(delay + 60, 1) AS DOUBLE) AS speed, origin || '-' || destination || ' ' || date AS route, delay > 15 AS late, CAST(dayofweek(date) AS INTEGER) AS weekday, CAST(distance * 1.25 AS DECIMAL(12, 2)) AS cents FROM flights_raw LIMIT 1000000"},
  ], async (app) => (await app.warehouse.table(await app.warehouse.resolve('wide'))).files[0].path);
  const server = await serve(folder);
  const peer = spawn(program, [fileURLToPath(new URL('lib/write_arrow.py', import.meta.url)), `SELECT ${columns.join(', ')} FROM read_parquet('${file}')`, String(threads)], {stdio: ['pipe', 'pipe', 'inherit']});
  const told = createInterface(peer.stdout)[Symbol.asyncIterator]();
  const agent = new Agent({keepAlive: true});
  const body = JSON.stringify({query: `{ wide { ${columns.join(' ')} } }`});
  const stream = (/** @type {string} */ accept) => new Promise((resolve, reject) => {
    request(`${server.url}/graphql`, {agent, method: 'POST', headers: {'content-type': 'application/json', accept}}, (response) => {
      let bytes = 0;
      response.on('data', (chunk) => { bytes += chunk.length; }).on('error', reject).on('end', () => (response.statusCode === 200 ? resolve(bytes) : reject(new Error(`status ${response.statusCode}`))));
    }).on('error', reject).end(body);
  });
  const sides = {
    arrow: () => stream('application/vnd.apache.arrow.stream'),
    python: async () => {
      peer.stdin.write('go\n');
      return Number((await told.next()).value);
    },
    ndjson: () => stream('application/x-ndjson'),
  };
  try {
    await firstAnswer(server.url, '{ wide(limit: 1) { delay } }');
    await told.next();
    const idle = memory(server.pid);
    const times = {arrow: [], python: [], ndjson: []};
    const cpu = {arrow: [], python: [], ndjson: []};
    const pids = {arrow: server.pid, python: peer.pid, ndjson: server.pid};
    const bytes = {};
    let most = idle;
    for (let round = -warmUps; round < rounds; round++) {
      progress(`round ${round + 1} of ${rounds}`);
      for (const [name, ask] of Object.entries(sides)) {
        const watch = setInterval(() => { most = Math.max(most, memory(server.pid)); }, 20);
        const [start, before] = [performance.now(), cpuSeconds(pids[name])];
        bytes[name] = await ask();
        if (round >= 0) {
          times[name].push(performance.now() - start);
          cpu[name].push((cpuSeconds(pids[name]) - before) * 1000);
        }
        clearInterval(watch);
      }
    }
    return [
      line('Millrace over HTTP / Python\'s DuckDB', times.arrow.map((time, index) => time / times.python[index]), ratio, 1.5),
      line('Millrace, Arrow', times.arrow, milliseconds),
      line('Python\'s DuckDB, Arrow', times.python, milliseconds),
      line('Millrace, NDJSON', times.ndjson, milliseconds),
      ...Object.entries(cpu).map(([name, spent]) => line(`time of processors, ${name}`, spent, milliseconds)),
      line('memory of the server above idle, at most', [most - idle], megabytes, 200e6),
      ...Object.entries(bytes).map(([name, size]) => line(`bytes, ${name}`, [size], megabytes)),
    ];
  } finally {
    agent.destroy();
    peer.kill();
    await server.stop();
  }
});

/** Resident now, in bytes. */
const memory = (/** @type {number} */ pid) => Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024;

/** Of user and system, as the kernel counts hundredths. */
function cpuSeconds(/** @type {number} */ pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
