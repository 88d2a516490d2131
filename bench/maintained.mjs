/** Groups asked again: without a commit in between, and after commits, of tables of several sizes. */
import {flightsFile} from './lib/app.mjs';
import {bareDuckDb} from './lib/bare-duckdb.mjs';
import {line, megabytes, milliseconds, ratio} from './lib/figures.mjs';
import {prepareProject, withProject} from './lib/project.mjs';
import {ask, firstAnswer, query, serve} from './lib/server.mjs';

const asks = 100;
const commits = 9;

export const title = 'Groups of 3 million flights, asked again and after commits of 10,000 rows';
export const conditions = 'By HTTP: groups by origin and destination (about 5,000) with a count, a sum and an average, the 20 greatest shown. “again”: the same question, nothing committed. “after a commit”: the first time after 10,000 rows were appended, of tables of 300,000, 3 million and, with `--large`, 100 million rows; the first commit after the first question reads all rows once more, and is told apart. Bare DuckDB computes the same groups of the same file in this process. The answers of the two are equal.';

const groups = 'groups: SIZE_groups(order_by: [{count: desc}], limit: 20) { key { origin destination } aggregate { count sum { delay } avg { distance } } }';
const sizes = (large) => ['small', 'medium', ...(large ? ['large'] : [])];
const copies = {small: "SELECT * FROM flights LIMIT 300000", medium: 'SELECT * FROM flights', large: 'SELECT flights.* FROM flights CROSS JOIN range(34)'};

export const run = ({progress, large}) => withProject(async (folder) => {
  progress('preparing');
  const file = await prepareProject(folder, [
    {kind: 'ingest', name: 'raw', into: 'flights', source: {path: flightsFile}},
    ...sizes(large).map((size) => ({kind: 'sql', name: size, into: size, sql: copies[size]})),
  ], async (app) => (await app.warehouse.table(await app.warehouse.resolve('medium'))).files[0].path);
  const server = await serve(folder);
  const duckdb = await bareDuckDb();
  try {
    await firstAnswer(server.url, '{ small(limit: 1) { delay } }');
    const question = (/** @type {string} */ size) => JSON.stringify({query: `{ ${groups.replace('SIZE', size)} }`});
    const timed = async (/** @type {string} */ size) => {
      const start = performance.now();
      const {body} = await ask(`${server.url}/graphql`, question(size));
      const time = performance.now() - start;
      const {data, errors} = JSON.parse(body.toString());
      if (errors) throw new Error(JSON.stringify(errors));
      return {time, data};
    };
    const append = async (/** @type {string} */ size, /** @type {number} */ round) => {
      await query(server.url, `mutation($definition: JSON!) { createPipeline(definition: $definition) { __typename } }`, {definition: {name: `append_${size}`, steps: [{kind: 'sql', name: 'append', into: size, mode: 'append', sql: `SELECT * FROM flights LIMIT 10000 OFFSET ${round * 10_000}`}]}});
      const {startRun} = await query(server.url, `mutation { startRun(input: {pipeline: "append_${size}"}) { ... on RunStarted { run { id } } } }`);
      for (;;) {
        const {run} = await query(server.url, `{ run(id: "${startRun.run.id}") { status } }`);
        if (run.status === 'SUCCEEDED') return;
        if (run.status === 'FAILED') throw new Error('an append failed');
        await new Promise((resolve) => { setTimeout(resolve, 20); });
      }
    };
    const bare = async () => {
      const start = performance.now();
      const reader = await duckdb.connection.runAndReadAll(`SELECT origin, destination, count(*) AS count, sum(delay) AS delay, avg(distance) AS distance FROM read_parquet('${file}') GROUP BY 1, 2 ORDER BY count DESC, origin, destination LIMIT 20`);
      return {time: performance.now() - start, rows: reader.getRowObjectsJson()};
    };

    progress('the first time');
    await bare();
    const cold = await timed('medium');
    const peer = await bare();
    const shown = cold.data.groups.map(({key, aggregate}) => [key.origin, key.destination, aggregate.count, aggregate.sum.delay, aggregate.avg.distance].join());
    if (shown.join(';') !== peer.rows.map((row) => [row.origin, row.destination, row.count, row.delay, row.distance].join()).join(';')) throw new Error(`the answers differ: ${shown[0]} and ${JSON.stringify(peer.rows[0])}`);
    progress('again');
    const again = [];
    for (let round = 0; round < asks; round++) again.push((await timed('medium')).time);
    const first = {};
    /** @type {Record<string, number[]>} */
    const after = {};
    for (const size of sizes(large)) {
      await timed(size);
      await append(size, 0);
      first[size] = (await timed(size)).time;
      after[size] = [];
      for (let round = 1; round <= commits; round++) {
        progress(`${size}: commit ${round} of ${commits}`);
        await append(size, round);
        after[size].push((await timed(size)).time);
      }
    }
    const names = {small: '300,000 rows', medium: '3 million rows', large: '100 million rows'};
    return [
      line('again', again, milliseconds, 3),
      line('after a commit, 3 million rows / 300,000 rows', after.medium.map((time, index) => time / after.small[index]), ratio, 1.5),
      ...(large ? [line('after a commit, 100 million rows / 3 million rows', after.large.map((time, index) => time / after.medium[index]), ratio, 1.5)] : []),
      ...sizes(large).map((size) => line(`after a commit, ${names[size]}`, after[size], milliseconds)),
      ...sizes(large).map((size) => line(`after the first commit, ${names[size]}`, [first[size]], milliseconds)),
      line('the first time, 3 million rows', [cold.time], milliseconds),
      line('bare DuckDB, 3 million rows', [peer.time], milliseconds),
      line('peak memory, Millrace', [server.peakMemory()], megabytes),
    ];
  } finally {
    duckdb.close();
    await server.stop();
  }
});
