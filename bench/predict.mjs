/** The predict step of the sample over all its flights, beside its two parts alone: DuckDB's reading and writing, and ONNX Runtime. */
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {Worker} from 'node:worker_threads';
import {root} from '../scripts/lib/project.mjs';
import {finished, flightsFile, startApp, threads, viewer} from './lib/app.mjs';
import {bareDuckDb, parquetOptions, toDisk} from './lib/bare-duckdb.mjs';
import {line, megabytes, milliseconds, ratio} from './lib/figures.mjs';
import {registerModel} from './lib/project.mjs';
import {takeTurns} from './lib/turns.mjs';

export const title = "Predict step: 3 million flights scored by the sample's model";
export const conditions = `Millrace: the whole step, from its start to its commit, with hashing and profiling. Bare DuckDB: streams the model's inputs, writes the step's columns as zstd Parquet, fsyncs. ONNX Runtime: the same batches from memory, ${threads} threads with a session of one thread each.`;

const modelFolder = join(root, 'jobs/models/late_arrival');
const keep = ['date', 'origin', 'destination', 'delay'];
const setting = (/** @type {string} */ shared) => JSON.parse(readFileSync(join(shared, 'setting.json'), 'utf8'));

export const sides = {
  async millrace(folder, shared) {
    const app = await startApp(folder);
    const version = await registerModel(app);
    await runPipeline(app, [
      {kind: 'ingest', name: 'raw', into: 'flights_raw', source: {path: flightsFile}},
      {kind: 'sql', name: 'flights', into: 'flights', sql: readFileSync(join(root, 'jobs/flights.sql'), 'utf8')},
      predictStep('prepared'),
    ]);
    const fileOf = async (/** @type {string} */ dataset) => (await app.warehouse.table(await app.warehouse.resolve(dataset))).files[0].path;
    writeFileSync(join(shared, 'setting.json'), JSON.stringify({
      flights: await fileOf('flights'), scored: await fileOf('prepared'), inputs: version.signature.inputs.map(({name}) => name), tensors: version.gate.tensors, batchRows: version.settings.batchRows,
    }));
    return {
      async run(round) {
        return {step: await runPipeline(app, [predictStep(`scored_${round}`)])};
      },
      stop: () => app.lifecycle.stop(),
    };
  },

  async duckdb(folder, shared) {
    mkdirSync(folder, {recursive: true});
    const {connection, close} = await bareDuckDb();
    const {flights, scored, inputs} = setting(shared);
    return {
      async run(round) {
        const start = performance.now();
        const result = await connection.stream(`SELECT ${inputs.join(', ')} FROM read_parquet('${flights}')`);
        for (let chunk = await result.fetchChunk(); chunk && chunk.rowCount > 0;) chunk = await result.fetchChunk();
        const read = performance.now() - start;
        const path = join(folder, `${round}.parquet`);
        await connection.run(`COPY (FROM read_parquet('${scored}')) TO '${path}' (${parquetOptions})`);
        await toDisk(path);
        return {read, write: performance.now() - start - read};
      },
      stop: close,
    };
  },

  async onnx(_folder, shared) {
    const {flights, inputs, tensors, batchRows} = setting(shared);
    const {connection, close} = await bareDuckDb();
    const count = Number((await connection.runAndReadAll(`SELECT count(*) FROM read_parquet('${flights}')`)).value(0, 0));
    const columns = inputs.map(() => new Float32Array(new SharedArrayBuffer(count * 4)));
    const result = await connection.stream(`SELECT ${inputs.map((name) => `CAST(${name} AS FLOAT)`).join(', ')} FROM read_parquet('${flights}')`);
    let at = 0;
    for (let chunk = await result.fetchChunk(); chunk && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
      columns.forEach((column, index) => column.set(chunk.getColumnVector(index).items, at));
      at += chunk.rowCount;
    }
    close();
    const workers = Array.from({length: threads}, (_, index) => new Worker(new URL('lib/onnx-worker.mjs', import.meta.url), {
      workerData: {model: join(modelFolder, 'late_arrival.onnx'), tensors, columns, batchRows, from: index * batchRows, step: threads * batchRows},
    }));
    const answer = (worker) => new Promise((resolve, reject) => { worker.once('message', resolve).once('error', reject); });
    await Promise.all(workers.map(answer));
    return {
      run: async () => {
        const answers = Promise.all(workers.map(answer));
        for (const worker of workers) worker.postMessage('score');
        await answers;
      },
      stop: () => Promise.all(workers.map((worker) => worker.terminate())),
    };
  },
};

const predictStep = (/** @type {string} */ into) => ({kind: 'predict', name: 'predict', input: 'flights', model: 'late_arrival', keep, into});

let runs = 0;

/** Runs steps as a pipeline of their own. @returns milliseconds from the first step's start to the end of the run */
async function runPipeline(app, steps) {
  const name = `bench_${++runs}`;
  await app.pipelines.put(viewer, {name, params: {through: {type: 'date', default: '2001-12-31'}}, steps}, 'bench');
  const {run} = await app.pipelines.start(viewer, {pipeline: name});
  let started = NaN;
  await finished(app, run.id, ({data}) => {
    if (data.kind === 'run_started') started = performance.now();
  });
  return performance.now() - started;
}

export async function run({progress}) {
  const {millrace, duckdb, onnx} = await takeTurns(import.meta.url, ['millrace', 'duckdb', 'onnx'], {rounds: 5, progress});
  const steps = millrace.rounds.map(({step}) => step);
  const parts = duckdb.rounds.map(({read, write}, index) => read + write + onnx.rounds[index].milliseconds);
  return [
    line('Millrace / sum of the parts', steps.map((step, index) => step / parts[index]), ratio, 1.3),
    line('Millrace, the whole step', steps, milliseconds),
    line('bare DuckDB, read', duckdb.rounds.map(({read}) => read), milliseconds),
    line('bare DuckDB, write', duckdb.rounds.map(({write}) => write), milliseconds),
    line('ONNX Runtime alone', onnx.rounds.map((round) => round.milliseconds), milliseconds),
    line('peak memory, Millrace (with the preparation: ingest and the SQL step)', [millrace.peakMemory], megabytes),
    line('peak memory, bare DuckDB', [duckdb.peakMemory], megabytes),
    line('peak memory, ONNX Runtime (holds all inputs)', [onnx.peakMemory], megabytes),
  ];
}
