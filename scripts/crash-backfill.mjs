/**
 * Kills a server at random moments (SIGKILL, its start included) while it backfills, again and again over one folder, and looks
 * whether each partition was run once in the end.
 *
 *   node scripts/crash-backfill.mjs [--partitions 100] [--times 20] [--seed 1]
 *
 * Not part of `npm test`. Exits with 1, keeping the folder, at the first finding.
 */
import {mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {parseArgs} from 'node:util';
import {ensureBuilt} from './lib/build.mjs';
import {ask, launch, randomFrom} from './lib/mortal-server.mjs';

const {values} = parseArgs({options: {partitions: {type: 'string', default: '100'}, times: {type: 'string', default: '20'}, seed: {type: 'string', default: String(Date.now() % 100_000)}}});
const [partitions, times] = [Number(values.partitions), Number(values.times)];
const random = randomFrom(Number(values.seed));

const rows = 100;
const first = '2001-01-01';
const last = new Date(Date.parse(first) + (partitions - 1) * 86_400_000).toISOString().slice(0, 10);
const folder = mkdtempSync(join(tmpdir(), 'millrace-backfill-'));
mkdirSync(join(folder, 'jobs'));
writeFileSync(join(folder, 'jobs/daily.ts'), `import {date, pipeline, sql} from 'millrace/jobs';
  const partitionBy = {column: 'day', grain: 'day', param: 'partition'} as const;
  export default pipeline('daily', {concurrency: 2, params: {partition: date()}, steps: [
    sql('days', 'SELECT $partition AS day, range AS n FROM range(${rows})', {mode: 'overwrite_partitions', partitionBy}),
    sql('doubled', 'SELECT day, n * 2 AS n FROM days WHERE day = $partition', {mode: 'overwrite_partitions', partitionBy}),
  ]});`);

/** Asks for the backfill; while it goes on that is the same one, however often. @param {string} url */
async function backfill(url) {
  const {backfill: answer} = await ask(url, `mutation($input: BackfillInput!) { backfill(input: $input) { ... on BackfillStarted { backfill { id status done failed total } } ... on Failure { code message } } }`, {
    input: {pipeline: 'daily', from: first, to: last},
  });
  if (!answer.backfill) throw new Error(JSON.stringify(answer));
  return answer.backfill;
}

/** @param {boolean} right @param {string} what @param {unknown} [found] */
function check(right, what, found) {
  if (!right) throw new Error(`${what}: ${JSON.stringify(found)}`);
}

await ensureBuilt();
console.log(`seed ${values.seed}, ${partitions} partitions, ${times} deaths, ${folder}`);
try {
  // How long a server takes to start and for some partitions, so that the deaths are spread over the whole.
  let began = Date.now();
  let server = launch(folder);
  let url = await server.url;
  check(url !== null, 'the server starts', server.output().slice(-2_000));
  const {id} = await backfill(/** @type {string} */ (url));
  let longest = Date.now() - began;
  let deaths = 0;
  /** @type {{status: string, done: number, failed: number, total: number}} */
  let now = {status: 'RUNNING', done: 0, failed: 0, total: partitions};
  while (deaths < times) {
    // As many partitions between two deaths as are left for each.
    const until = now.done + Math.round((2 * random() * (partitions - now.done)) / (times - deaths + 1));
    const latest = Date.now() + 60_000;
    if (url !== null && random() > 0.15) {
      do {
        await sleep(20 + random() * 200);
        now = (await ask(url, 'query($id: ID!) { backfill(id: $id) { status done failed total } }', {id})).backfill;
      } while (now.done < until && now.status === 'RUNNING' && Date.now() < latest);
    } else await sleep(random() * longest);
    server.child.kill('SIGKILL');
    const [code, signal] = await server.ended;
    check(signal === 'SIGKILL', 'the server ends by nothing else', {code, signal, output: server.output().slice(-2_000)});
    deaths++;
    console.log(`death ${deaths}: ${now.done} of ${now.total} partitions were done`);
    began = Date.now();
    server = launch(folder);
    // Some die while they start.
    url = random() < 0.15 && deaths < times ? null : await server.url;
    if (url !== null) longest = Date.now() - began;
  }
  check(url !== null, 'the last server starts', server.output().slice(-2_000));
  const at = /** @type {string} */ (url);
  do {
    await sleep(200);
    now = (await ask(at, 'query($id: ID!) { backfill(id: $id) { status done failed total } }', {id})).backfill;
  } while (now.status === 'RUNNING');
  check(now.status === 'SUCCEEDED' && now.done === partitions, 'the backfill succeeds', now);

  const {runs, datasets} = await ask(at, `{
    runs(first: 1000) { nodes { id status params steps { name rowsWritten } } }
    datasets { nodes { name snapshots(first: 1000) { id operation run { id } } } }
  }`);
  check(runs.nodes.length === partitions && runs.nodes.every((/** @type {any} */ run) => run.status === 'SUCCEEDED'), 'one run a partition', runs.nodes.length);
  check(new Set(runs.nodes.map((/** @type {any} */ run) => run.params.partition)).size === partitions, 'each of its own partition');
  for (const {name, snapshots} of datasets.nodes) {
    const made = snapshots.filter((/** @type {any} */ one) => one.operation === 'OVERWRITE_PARTITIONS').map((/** @type {any} */ one) => one.run.id);
    check(made.length === partitions && new Set(made).size === partitions, `one snapshot of ${name} a partition`, made.length);
    const folders = readdirSync(join(folder, '.millrace/warehouse/data', name)).sort();
    check(folders.join() === snapshots.map((/** @type {any} */ one) => one.id).sort().join(), `folders of ${name} are its snapshots`, folders.length);
  }
  const counts = await ask(at, '{ days: days_aggregate { aggregate { all: count sum { n } } } doubled: doubled_aggregate { aggregate { all: count sum { n } } } }');
  const sum = (partitions * rows * (rows - 1)) / 2;
  check(counts.days.aggregate.all === rows * partitions && Number(counts.days.aggregate.sum.n) === sum, 'every row of every day, once', counts);
  check(counts.doubled.aggregate.all === rows * partitions && Number(counts.doubled.aggregate.sum.n) === 2 * sum, 'every row made of them, once', counts);
  const again = await backfill(at);
  check(again.status === 'SUCCEEDED' && again.done === partitions, 'asked again there is nothing to do', again);
  server.child.kill('SIGTERM');
  const [end] = await server.ended;
  check(end === 0, 'the server stops well', server.output().slice(-2_000));
  console.log(`${deaths} deaths, ${partitions} partitions: each was run once, nothing lost, nothing doubled, nothing left over`);
  rmSync(folder, {recursive: true, force: true});
} catch (error) {
  console.error(error);
  console.error(`kept: ${folder}`);
  process.exit(1);
}
