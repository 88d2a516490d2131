/** Six analytic queries over 30 million flights as steps of a pipeline, on DuckDB and on Spark, each beside the bare engine that does the same work. */
import {spawn} from 'node:child_process';
import {mkdirSync, rmSync} from 'node:fs';
import {homedir} from 'node:os';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';
import {analyticQueries} from './lib/analytic-queries.mjs';
import {built, finished, flightsFile, sampleFolder, startApp, threads, viewer} from './lib/app.mjs';
import {bareDuckDb, parquetOptions, toDisk} from './lib/bare-duckdb.mjs';
import {line, megabytes, milliseconds, ratio} from './lib/figures.mjs';
import {peakMemory} from './lib/memory.mjs';
import {python} from './lib/packages.mjs';
import {withProject} from './lib/project.mjs';

const rounds = 3;
const copies = 10;

export const title = `Six analytic queries over ${copies * 3} M flights, on DuckDB and on Spark`;
export const conditions = `Each query is a step that writes a dataset: planned, run, profiled, hashed and committed. Bare DuckDB runs the same SQL over the same files into a Parquet file that is on the disk; PySpark (Spark Connect, the same server, local[${threads}]) runs the translated SQL into Parquet files. In turns, after a warm-up of each.`;

/** Cached for all benchmarks and tests of a user. */
async function startSpark(folder) {
  const [{installSpark}, {startSpark: start}] = await Promise.all([built('engines/spark/install.js'), built('engines/spark/server.js')]);
  const home = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'millrace/engines/spark');
  await installSpark(home, {env: process.env});
  const work = join(folder, 'spark');
  mkdirSync(work);
  return start(home, {master: `local[${threads}]`, memory: '2g', conf: {'spark.sql.shuffle.partitions': String(threads)}, work, port: 15_433, env: process.env});
}

/** PySpark in a process of its own, which runs one statement at a time. */
async function pySpark(url, views) {
  const {sparkVersion} = await built('engines/spark/install.js');
  const program = await python([`pyspark[connect]==${sparkVersion}`]);
  const child = spawn(program, [fileURLToPath(new URL('lib/spark_sql.py', import.meta.url)), url, JSON.stringify(views)], {stdio: ['pipe', 'pipe', 'inherit']});
  const lines = createInterface({input: child.stdout})[Symbol.asyncIterator]();
  const next = async () => {
    const {value, done} = await lines.next();
    if (done) throw new Error('PySpark ended');
    return JSON.parse(value);
  };
  await next();
  return {
    run: (sql, folder) => {
      child.stdin.write(`${JSON.stringify({sql, folder})}\n`);
      return next();
    },
    stop: () => child.kill(),
  };
}

export const run = ({progress}) => withProject(async (folder) => {
  progress('starting Spark');
  const spark = await startSpark(folder);
  const app = await startApp(folder, [`spark.url=${spark.url}`]);
  const {connection, close} = await bareDuckDb();
  let peer;
  try {
    const runPipeline = async (pipeline, engine) => {
      const start = performance.now();
      const {run: {id}} = await app.pipelines.start(viewer, {pipeline, engine});
      await finished(app, id);
      return performance.now() - start;
    };
    progress('preparing the flights');
    await app.pipelines.put(viewer, {name: 'prepare', steps: [
      {kind: 'ingest', name: 'flights_once', into: 'flights_once', source: {path: flightsFile}},
      {kind: 'ingest', name: 'airports', into: 'airports', source: {path: join(sampleFolder, 'airports.csv')}},
      {kind: 'sql', name: 'flights_raw', into: 'flights_raw', sql: `SELECT f.* FROM range(${copies}) AS copies, flights_once AS f`},
    ]}, 'bench');
    await runPipeline('prepare');
    const tables = Object.fromEntries(await Promise.all(['flights_raw', 'airports'].map(async (name) => [name, await app.warehouse.table(await app.warehouse.resolve(name, {}, 'main'))])));
    const views = Object.fromEntries(Object.entries(tables).map(([name, table]) => [name, table.files.map(({path}) => path)]));
    for (const [name, paths] of Object.entries(views)) await connection.run(`CREATE VIEW ${name} AS SELECT * FROM read_parquet([${paths.map((path) => `'${path}'`).join()}])`);
    peer = await pySpark(spark.url, views);

    const {translate} = await built('engines/portable/translate.js');
    const queries = await Promise.all(Object.entries(analyticQueries).map(async ([name, sql]) => {
      const query = {sql, relations: tables};
      const native = translate(await app.engine.syntax(sql), query, await app.engine.describe(query), 'spark').sql;
      // What is appended is never reused.
      await app.pipelines.put(viewer, {name, steps: [{kind: 'sql', name, into: name, sql, mode: 'append'}]}, 'bench');
      return {name, sql, native};
    }));

    const times = Object.fromEntries(queries.map(({name}) => [name, {duckdb: [], bareDuckdb: [], spark: [], bareSpark: []}]));
    const out = join(folder, 'bare');
    for (let round = -1; round < rounds; round++) {
      for (const {name, sql, native} of queries) {
        progress(`${name}, round ${round + 1} of ${rounds}`);
        const told = {};
        told.duckdb = await runPipeline(name, 'duckdb');
        const start = performance.now();
        const file = join(folder, `${name}.parquet`);
        await connection.run(`COPY (${sql}) TO '${file}' (${parquetOptions})`);
        await toDisk(file);
        told.bareDuckdb = performance.now() - start;
        told.spark = await runPipeline(name, 'spark');
        rmSync(out, {recursive: true, force: true});
        told.bareSpark = (await peer.run(native, out)).milliseconds;
        if (round >= 0) for (const [side, time] of Object.entries(told)) times[name][side].push(time);
      }
    }
    const over = (name, a, b) => times[name][a].map((time, index) => time / times[name][b][index]);
    const sums = (side) => Array.from({length: rounds}, (_, round) => Object.values(times).reduce((sum, one) => sum + one[side][round], 0));
    const [duckdb, bareDuckdb, onSpark, bareSpark] = ['duckdb', 'bareDuckdb', 'spark', 'bareSpark'].map(sums);
    return [
      line('all six: DuckDB / Spark, both as steps', duckdb.map((time, index) => time / onSpark[index]), ratio, 1 / 5),
      line('all six: step on DuckDB / bare DuckDB', duckdb.map((time, index) => time / bareDuckdb[index]), ratio, 1.05),
      line('all six: step on Spark / PySpark', onSpark.map((time, index) => time / bareSpark[index]), ratio, 1.05),
      ...queries.flatMap(({name}) => [line(`${name}: step on DuckDB / bare DuckDB`, over(name, 'duckdb', 'bareDuckdb'), ratio), line(`${name}: step on Spark / PySpark`, over(name, 'spark', 'bareSpark'), ratio)]),
      line('all six on DuckDB', duckdb, milliseconds),
      line('all six on bare DuckDB', bareDuckdb, milliseconds),
      line('all six on Spark', onSpark, milliseconds),
      line('all six on PySpark', bareSpark, milliseconds),
      line('peak memory, Millrace with both bare engines\' clients', [peakMemory(process.pid)], megabytes),
    ];
  } finally {
    peer?.stop();
    close();
    await app.lifecycle.stop();
    await spark.process.stop();
  }
});
