/** What Millrace adds to a step: planning, leasing, events, hashes, profile and commit, without the engine's own time. */
import {mkdirSync} from 'node:fs';
import {join} from 'node:path';
import {finished, startApp, viewer} from './lib/app.mjs';
import {bareDuckDb, parquetOptions, toDisk} from './lib/bare-duckdb.mjs';
import {line, milliseconds} from './lib/figures.mjs';
import {postgres} from './lib/postgres.mjs';
import {takeTurns} from './lib/turns.mjs';

const steps = 20;

export const title = `Bookkeeping: a pipeline of ${steps} steps, each one after the other, each SELECT 1 into a dataset`;
export const conditions = 'From the start of the run to its last event, divided by the steps; bare DuckDB writes and fsyncs as many files of one row, and its time is subtracted. PostgreSQL runs without fsync, as in the tests.';

/** Steps in a row, each new in every round: an unchanged step would be reused. */
const definition = (/** @type {number} */ round) => ({
  name: 'trivial',
  steps: Array.from({length: steps}, (_, index) => ({
    kind: 'sql', name: `step_${index}`, into: `trivial_${index}`, sql: `SELECT 1 + ${round} AS one`, ...(index > 0 ? {after: [`step_${index - 1}`]} : {}),
  })),
});

async function millrace(/** @type {string} */ folder, /** @type {string[]} */ settings) {
  const app = await startApp(folder, settings);
  return {
    async run(round) {
      await app.pipelines.put(viewer, definition(round), 'bench');
      const start = performance.now();
      const {run} = await app.pipelines.start(viewer, {pipeline: 'trivial'});
      await finished(app, run.id);
      return {perStep: (performance.now() - start) / steps};
    },
    stop: () => app.lifecycle.stop(),
  };
}

export const sides = {
  pglite: (folder) => millrace(folder, []),
  async postgres(folder) {
    const server = await postgres();
    const side = await millrace(folder, [`catalog.url=${server.url}`]);
    return {...side, stop: () => side.stop().finally(server.stop)};
  },
  async duckdb(folder) {
    mkdirSync(folder, {recursive: true});
    const {connection, close} = await bareDuckDb();
    return {
      async run(round) {
        const start = performance.now();
        for (let step = 0; step < steps; step++) {
          const path = join(folder, `${round}-${step}.parquet`);
          await connection.run(`COPY (SELECT 1 + ${round} AS one) TO '${path}' (${parquetOptions})`);
          await toDisk(path);
        }
        return {perStep: (performance.now() - start) / steps};
      },
      stop: close,
    };
  },
};

export async function run({progress}) {
  const told = await takeTurns(import.meta.url, ['pglite', 'postgres', 'duckdb'], {rounds: 7, progress});
  const perStep = (/** @type {string} */ side) => told[side].rounds.map((round) => round.perStep);
  const bare = perStep('duckdb');
  const added = (/** @type {string} */ side) => perStep(side).map((value, index) => value - bare[index]);
  return [
    line('added to a step, PGlite', added('pglite'), milliseconds, 40),
    line('added to a step, PostgreSQL', added('postgres'), milliseconds, 40),
    line('a step of bare DuckDB', bare, milliseconds),
  ];
}
