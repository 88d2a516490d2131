/**
 * A CSV file to a committed, profiled snapshot with its contract checked, beside DuckDB that only reads and writes it, and beside dlt.
 * `npm run bench -- guarded --gigabytes 10` measures only the memory of a server that ingests a file of that size.
 */
import {spawn} from 'node:child_process';
import {mkdirSync, rmSync, statSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {finished, startApp, viewer} from './lib/app.mjs';
import {bareDuckDb, parquetOptions, toDisk} from './lib/bare-duckdb.mjs';
import {line, megabytes, milliseconds, ratio} from './lib/figures.mjs';
import {peakMemory} from './lib/memory.mjs';
import {ordersContract, rowsPerMegabyte, writeOrders} from './lib/orders.mjs';
import {python} from './lib/packages.mjs';
import {takeTurns} from './lib/turns.mjs';
import {peers} from './messy.mjs';

export const title = 'Guarded ingest of a CSV file (100 MB, 10 columns)';
export const conditions = `Millrace finds the schema, checks a contract of 10 checks (with a key: and that no id comes twice), puts what is bad into the quarantine, hashes, profiles and commits; bare DuckDB is told nothing,
reads the file and writes the same zstd Parquet. dlt loads into DuckDB, once, by \`filesystem() | read_csv()\` and by \`read_csv_duckdb()\`; Millrace beside it runs for the first time too.`;

/** Set by `run` for the sides, which are processes of their own. */
const ordersFile = process.env.BENCH_ORDERS ?? '';

const millrace = (contract, /** @type {'work' | 'serve'} */ mode = 'work') => async (/** @type {string} */ folder) => {
  const app = await startApp(folder, [`sources.roots=${tmpdir()}`], mode);
  return {
    async run(/** @type {number} */ round) {
      const {id} = await app.pipelines.ingest(viewer, {into: `orders_${round}`, source: {path: ordersFile}, ...(contract ? {contract} : {})});
      await finished(app, id);
      const [step] = (await app.pipelines.stepsOf(viewer, [id])).get(id);
      return {quarantined: Number(step.rowsQuarantined ?? 0)};
    },
    stop: () => app.lifecycle.stop(),
  };
};

const keyed = {...ordersContract, key: ['id']};

/** A program of dlt that is started and warm before the time is taken. */
const dlt = (/** @type {string} */ reader) => async (/** @type {string} */ folder) => {
  mkdirSync(folder, {recursive: true});
  const program = await python(peers);
  const child = spawn(program, [new URL('lib/load-with-dlt.py', import.meta.url).pathname, reader, ordersFile, folder], {
    cwd: folder, stdio: ['pipe', 'pipe', 'inherit'], env: {...process.env, DLT_DATA_DIR: folder, RUNTIME__DLTHUB_TELEMETRY: 'false', RUNTIME__LOG_LEVEL: 'ERROR'},
  });
  const told = createInterface(child.stdout)[Symbol.asyncIterator]();
  const next = async (/** @type {string} */ wanted) => {
    for (let {value, done} = await told.next(); value !== wanted; {value, done} = await told.next()) {
      if (done) throw new Error(`dlt ended before it was ${wanted}`);
    }
  };
  await next('ready');
  return {
    async run() {
      const begin = performance.now();
      child.stdin.write('go\n');
      await next('done');
      return {milliseconds: performance.now() - begin, memory: peakMemory(child.pid)};
    },
    stop: () => child.stdin.end(),
  };
};

export const sides = {
  plain: millrace(null),
  checked: millrace(ordersContract),
  keyed: millrace(keyed),
  server: millrace(keyed, 'serve'),
  async duckdb(/** @type {string} */ folder) {
    mkdirSync(folder, {recursive: true});
    const {connection, close} = await bareDuckDb();
    return {
      async run(/** @type {number} */ round) {
        const path = join(folder, `orders_${round}.parquet`);
        await connection.run(`COPY (FROM read_csv('${ordersFile}')) TO '${path}' (${parquetOptions})`);
        await toDisk(path);
      },
      stop: close,
    };
  },
  dlt: dlt('read_csv'),
  dltDuckdb: dlt('read_csv_duckdb'),
};

export async function run({progress, gigabytes = undefined}) {
  const file = join(tmpdir(), `millrace-bench-orders-${process.pid}.csv`);
  process.env.BENCH_ORDERS = file;
  try {
    progress('writing the file');
    const rows = Math.round((gigabytes ? Number(gigabytes) * 1000 : 100) * rowsPerMegabyte);
    await writeOrders(file, rows);
    return gigabytes ? await memory(rows, progress) : await speed(rows, progress);
  } finally {
    rmSync(file, {force: true});
  }
}

async function speed(/** @type {number} */ rows, progress) {
  const {duckdb, plain, checked, keyed: withKey} = await takeTurns(import.meta.url, ['duckdb', 'plain', 'checked', 'keyed'], {rounds: 3, progress});
  const cold = await takeTurns(import.meta.url, ['checked', 'dlt', 'dltDuckdb'], {rounds: 1, warmUps: 0, progress});
  for (const [side, expected] of /** @type {const} */ ([[checked, Math.floor(rows / 10_000)], [withKey, Math.floor(rows / 10_000) + Math.floor(rows / 20_000)]])) {
    const found = side.rounds.map(({quarantined}) => quarantined);
    // Every bad order has to be found, else the time means nothing. An id that comes twice may take both of its rows with it.
    if (found.some((count) => count < expected * 0.6)) throw new Error(`${found} rows in quarantine, at least ${expected * 0.6} of ${expected} expected`);
  }
  const against = (side, of) => side.rounds.map((round, index) => round.milliseconds / of.rounds[index].milliseconds);
  const times = (side) => side.rounds.map((round) => round.milliseconds);
  const [own] = times(cold.checked);
  const faster = (side) => times(side)[0] / own;
  return [
    line('Millrace with 10 checks / bare DuckDB', against(checked, duckdb), ratio, 2),
    line('Millrace with 10 checks and a key / bare DuckDB', against(withKey, duckdb), ratio, 3.5),
    line('Millrace without a contract / bare DuckDB', against(plain, duckdb), ratio),
    line('Millrace with 10 checks', times(checked), milliseconds),
    line('Millrace with 10 checks and a key', times(withKey), milliseconds),
    line('bare DuckDB', times(duckdb), milliseconds),
    {measure: 'dlt `read_csv()` / Millrace with 10 checks, both for the first time', value: ratio(faster(cold.dlt)), aim: `≥ ${ratio(20)}`, met: faster(cold.dlt) >= 20},
    {measure: 'dlt `read_csv_duckdb()` / Millrace with 10 checks, both for the first time', value: ratio(faster(cold.dltDuckdb)), aim: '', met: null},
    line('dlt `read_csv()`', times(cold.dlt), milliseconds),
    line('dlt `read_csv_duckdb()`', times(cold.dltDuckdb), milliseconds),
    line('Millrace with 10 checks, for the first time', [own], milliseconds),
    line('peak memory, Millrace with 10 checks and a key', [withKey.peakMemory], megabytes),
    line('peak memory, bare DuckDB', [duckdb.peakMemory], megabytes),
    line('peak memory, dlt `read_csv()`', cold.dlt.rounds.map((round) => round.memory), megabytes),
  ];
}

/** The most memory of one server that ingests a large file with a contract and a key. */
async function memory(/** @type {number} */ rows, progress) {
  const {size} = statSync(process.env.BENCH_ORDERS);
  const {server} = await takeTurns(import.meta.url, ['server'], {rounds: 1, warmUps: 0, progress});
  return [
    line(`peak memory of the server, ${(size / 1e9).toFixed(1)} GB (${rows} rows) of input`, [server.peakMemory], megabytes, 1e9),
    line('time', server.rounds.map((round) => round.milliseconds), milliseconds),
    {measure: 'rows in quarantine', value: String(server.rounds[0].quarantined), aim: '', met: null},
  ];
}
