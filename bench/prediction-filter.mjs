/** Filters on what the sample's model predicts over 3 million rows: when nothing is kept yet, and when it is, beside DuckDB and ONNX Runtime alone. */
import {readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {root} from '../scripts/lib/project.mjs';
import {finished, flightsFile, startApp, threads, viewer} from './lib/app.mjs';
import {bareDuckDb} from './lib/bare-duckdb.mjs';
import {line, median, megabytes, milliseconds, ratio} from './lib/figures.mjs';
import {sides as predictSides} from './predict.mjs';
import {registerModel} from './lib/project.mjs';
import {takeTurns} from './lib/turns.mjs';

export const title = 'Filter on a prediction: 3 million rows, the sample\'s model';
export const conditions = `Cold: a count with two aggregates of the rows over a threshold, all of them scored, the outputs kept. Its parts: bare DuckDB streams the model's inputs; ONNX Runtime scores the same batches from memory, ${threads} threads with a session of one thread each. Kept: the same question with another threshold each time, so that no answer is kept, beside the same aggregates over a dataset that has the probability as a column, in Millrace and in bare DuckDB.`;

const setting = (/** @type {string} */ shared) => JSON.parse(readFileSync(join(shared, 'setting.json'), 'utf8'));
/** Another one each round, of about the same rows. */
const threshold = (/** @type {number} */ round) => 0.3 + round / 1e4;

async function timed(/** @type {() => Promise<unknown>} */ work) {
  const [start, before] = [performance.now(), process.cpuUsage()];
  await work();
  const {user, system} = process.cpuUsage(before);
  return {wall: performance.now() - start, cpu: (user + system) / 1e3};
}

/** The median of each. */
const middle = (/** @type {{wall: number, cpu: number}[]} */ runs) => ({wall: median(runs.map(({wall}) => wall)), cpu: median(runs.map(({cpu}) => cpu))});

export const sides = {
  async millrace(folder, shared) {
    const app = await startApp(folder, ['api.queryTimeoutSeconds=300'], 'serve');
    const version = await registerModel(app);
    const keep = ['date', 'delay', 'distance', 'origin', 'destination'];
    await app.pipelines.put(viewer, {
      name: 'prepare', params: {through: {type: 'date', default: '2001-12-31'}}, steps: [
        {kind: 'ingest', name: 'raw', into: 'flights_raw', source: {path: flightsFile}},
        {kind: 'sql', name: 'flights', into: 'flights', sql: readFileSync(join(root, 'jobs/flights.sql'), 'utf8')},
        {kind: 'predict', name: 'scored', input: 'flights', model: 'late_arrival', keep, into: 'scored'},
      ],
    }, 'bench');
    const {run} = await app.pipelines.start(viewer, {pipeline: 'prepare'});
    await finished(app, run.id);
    await app.models.deploy(viewer, {model: 'late_arrival', version: 1, on: 'flights'});
    await app.graphModel.refresh();
    const fileOf = async (/** @type {string} */ dataset) => (await app.warehouse.table(await app.warehouse.resolve(dataset))).files[0].path;
    writeFileSync(join(shared, 'setting.json'), JSON.stringify({
      flights: await fileOf('flights'), scored: await fileOf('scored'), inputs: version.signature.inputs.map(({name}) => name), tensors: version.gate.tensors, batchRows: version.settings.batchRows,
    }));
    const ask = async (/** @type {string} */ query) => {
      const {data, errors} = JSON.parse(await app.graphql.current.ask(app.system, {query}));
      if (errors) throw new Error(JSON.stringify(errors));
      return data;
    };
    const aggregates = 'aggregate { count avg { delay } max { distance } }';
    const filtered = (/** @type {number} */ least) => `{ flights_aggregate(where: {late_arrival: {probability: {_gt: ${least}}}}) { ${aggregates} } }`;
    const plain = (/** @type {number} */ least) => `{ scored_aggregate(where: {probability: {_gt: ${least}}}) { ${aggregates} } }`;
    const first = (/** @type {string} */ from, /** @type {string} */ order) => `{ ${from}(order_by: [${order}], limit: 20) { date delay distance origin destination } }`;
    return {
      async run(round) {
        rmSync(join(folder, '.millrace/scores'), {recursive: true, force: true});
        const least = threshold(round);
        const cold = await timed(() => ask(filtered(least)));
        // What was just written is read once before; then each side in turns.
        await ask(filtered(least + 1e-7));
        const [keptRuns, columnRuns] = [[], []];
        for (let turn = 1; turn <= 5; turn++) {
          keptRuns.push(await timed(() => ask(filtered(least + turn * 1e-6))));
          columnRuns.push(await timed(() => ask(plain(least + turn * 1e-6))));
        }
        const [kept, column] = [middle(keptRuns), middle(columnRuns)];
        const counted = await timed(() => ask(`{ flights_aggregate(where: {late_arrival: {probability: {_gt: ${least}}}}) { aggregate { count } } }`));
        const top = await timed(() => ask(first('flights', '{late_arrival: {probability: desc}}')));
        const topColumn = await timed(() => ask(first('scored', '{probability: desc}')));
        const few = await timed(() => ask(`{ flights(where: {origin: {_eq: "ATL"}, date: {_lt: "2001-01-02"}, late_arrival: {probability: {_gt: ${least}}}}) { date } }`));
        return {cold, kept, column, counted, top, topColumn, few};
      },
      stop: () => app.lifecycle.stop(),
    };
  },

  async duckdb(_folder, shared) {
    const {connection, close} = await bareDuckDb();
    await connection.run("SET GLOBAL parquet_metadata_cache = true");
    const {flights, scored, inputs} = setting(shared);
    return {
      async run(round) {
        const read = await timed(async () => {
          const result = await connection.stream(`SELECT ${inputs.join(', ')} FROM read_parquet('${flights}')`);
          for (let chunk = await result.fetchChunk(); chunk && chunk.rowCount > 0;) chunk = await result.fetchChunk();
        });
        const column = await timed(() => connection.runAndReadAll(`SELECT count(*), avg(delay), max(distance) FROM read_parquet('${scored}') WHERE probability > ${threshold(round)}`));
        return {read, column};
      },
      stop: close,
    };
  },

  async onnx(folder, shared) {
    const side = await predictSides.onnx(folder, shared);
    return {run: async () => ({score: await timed(() => side.run())}), stop: side.stop};
  },
};

export async function run({progress}) {
  const {millrace, duckdb, onnx} = await takeTurns(import.meta.url, ['millrace', 'duckdb', 'onnx'], {rounds: 5, progress});
  const of = (side, measure, what = 'wall') => side.rounds.map((round) => round[measure][what]);
  const over = (above, below) => above.map((value, index) => value / below[index]);
  const parts = (what) => of(duckdb, 'read', what).map((read, index) => read + of(onnx, 'score', what)[index]);
  return [
    line('cold: Millrace / sum of the parts', over(of(millrace, 'cold'), parts('wall')), ratio, 1.3),
    line('cold, processor time: Millrace / sum of the parts', over(of(millrace, 'cold', 'cpu'), parts('cpu')), ratio),
    line('kept: prediction / plain column, in Millrace', over(of(millrace, 'kept'), of(millrace, 'column')), ratio, 1.3),
    line('kept, processor time: prediction / plain column, in Millrace', over(of(millrace, 'kept', 'cpu'), of(millrace, 'column', 'cpu')), ratio),
    line('kept: prediction in Millrace / plain column in bare DuckDB', over(of(millrace, 'kept'), of(duckdb, 'column')), ratio),
    line('kept, the first 20 in order: prediction / plain column, in Millrace', over(of(millrace, 'top'), of(millrace, 'topColumn')), ratio),
    line('Millrace, cold', of(millrace, 'cold'), milliseconds),
    line('Millrace, kept', of(millrace, 'kept'), milliseconds),
    line('Millrace, kept, count alone', of(millrace, 'counted'), milliseconds),
    line('Millrace, kept, the first 20 in order', of(millrace, 'top'), milliseconds),
    line('Millrace, plain column', of(millrace, 'column'), milliseconds),
    line('Millrace, few rows by other columns', of(millrace, 'few'), milliseconds),
    line('bare DuckDB, reading the inputs', of(duckdb, 'read'), milliseconds),
    line('bare DuckDB, plain column', of(duckdb, 'column'), milliseconds),
    line('ONNX Runtime alone', of(onnx, 'score'), milliseconds),
    line('peak memory, Millrace (with the preparation: ingest, the SQL step and the predict step)', [millrace.peakMemory], megabytes),
    line('peak memory, bare DuckDB', [duckdb.peakMemory], megabytes),
    line('peak memory, ONNX Runtime (holds all inputs)', [onnx.peakMemory], megabytes),
  ];
}
