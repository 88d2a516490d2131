/** A raw Parquet file to a committed, hashed and profiled snapshot, beside DuckDB that only reads and writes it. */
import {mkdirSync} from 'node:fs';
import {join} from 'node:path';
import {finished, flightsFile, startApp, viewer} from './lib/app.mjs';
import {bareDuckDb, parquetOptions, toDisk} from './lib/bare-duckdb.mjs';
import {line, megabytes, milliseconds, ratio} from './lib/figures.mjs';
import {takeTurns} from './lib/turns.mjs';

export const title = 'Ingest of flights-3m.parquet (3 million rows) to a committed, profiled snapshot';
export const conditions = 'Both read the same file, write zstd Parquet with row groups of 122,880 rows and fsync file and folder; Millrace also hashes both, profiles and commits.';

export const sides = {
  async millrace(folder) {
    const app = await startApp(folder);
    return {
      async run(round) {
        const {id} = await app.pipelines.ingest(viewer, {into: `flights_${round}`, source: {path: flightsFile}});
        await finished(app, id);
      },
      stop: () => app.lifecycle.stop(),
    };
  },
  async duckdb(folder) {
    mkdirSync(folder, {recursive: true});
    const {connection, close} = await bareDuckDb();
    return {
      async run(round) {
        const path = join(folder, `flights_${round}.parquet`);
        await connection.run(`COPY (FROM read_parquet('${flightsFile}')) TO '${path}' (${parquetOptions})`);
        await toDisk(path);
      },
      stop: close,
    };
  },
};

export async function run({progress}) {
  const {millrace, duckdb} = await takeTurns(import.meta.url, ['millrace', 'duckdb'], {rounds: 7, progress});
  return [
    line('Millrace / bare DuckDB', millrace.rounds.map((round, index) => round.milliseconds / duckdb.rounds[index].milliseconds), ratio, 2),
    line('Millrace', millrace.rounds.map(round => round.milliseconds), milliseconds),
    line('bare DuckDB', duckdb.rounds.map(round => round.milliseconds), milliseconds),
    line('peak memory, Millrace', [millrace.peakMemory], megabytes, 1e9),
    line('peak memory, bare DuckDB', [duckdb.peakMemory], megabytes),
  ];
}
