/**
 * Kills a server at random moments (SIGKILL, any moment, its start included) while it works, again and again over one folder, and
 * looks after each death whether anything was lost or doubled.
 *
 *   node scripts/crash-random.mjs [--times 200] [--seed 1]
 *
 * Not part of `npm test`: 200 times take about half an hour. Exits with 1, keeping the folder, at the first finding.
 */
import {existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {parseArgs} from 'node:util';
import {ensureBuilt} from './lib/build.mjs';
import {ask, launch, randomFrom} from './lib/mortal-server.mjs';

const {values} = parseArgs({options: {times: {type: 'string', default: '200'}, seed: {type: 'string', default: String(Date.now() % 100_000)}}});
const times = Number(values.times);
const random = randomFrom(Number(values.seed));

const rows = 500;
/** Milliseconds after which a server is killed at the latest: half as long again as a start and a run take, which is measured now and then. */
let longest = 10_000;
const folder = mkdtempSync(join(tmpdir(), 'millrace-crash-'));
mkdirSync(join(folder, 'jobs'));
writeFileSync(join(folder, 'rows.csv'), ['id,value', ...Array.from({length: rows}, (_, index) => `${index},${index * 3}`)].join('\n'));
// Of every run: one snapshot that is appended to, one that is made anew, one file outside.
writeFileSync(join(folder, 'jobs/grow.ts'), `import {ingest, int, pipeline, publish, sql} from 'millrace/jobs';
  export default pipeline('grow', {params: {round: int()}, steps: [
    ingest('raw', {path: 'rows.csv'}),
    sql('grown', 'SELECT id, value, $round AS round FROM raw', {mode: 'append'}),
    sql('newest', 'SELECT id, value + $round AS value FROM raw WHERE $round = $round', {after: ['grown']}),
    publish('newest.csv', {input: 'newest', format: 'csv'}),
  ]});`);

/** Starts the run of a round, once however often it is asked for; answers it. @param {string} url @param {number} round */
async function run(url, round) {
  const {startRun} = await ask(url, `mutation($input: StartRunInput!) { startRun(input: $input) { ... on RunStarted { run { id status } } ... on Failure { code message } } }`, {
    input: {pipeline: 'grow', params: {round}, idempotencyKey: `round ${round}`},
  });
  if (!startRun.run) throw new Error(JSON.stringify(startRun));
  return startRun.run;
}

/** @param {boolean} right @param {string} what @param {unknown} [found] */
function check(right, what, found) {
  if (!right) throw new Error(`${what}: ${JSON.stringify(found)}`);
}

/** Everything that must be true after `rounds` runs. @param {string} url @param {number} rounds @param {string[]} runs */
async function verify(url, rounds, runs) {
  const {raw, grown, newest, each, raws} = await ask(url, `{
    raws: dataset(name: "raw") { snapshots(first: 1000) { id } }
    grown: dataset(name: "grown") { snapshots(first: 1000) { id rowCount run { id } } }
    newest: dataset(name: "newest") { snapshots(first: 1000) { id rowCount run { id } } }
    raw: raw_aggregate { aggregate { count } }
    each: grown_aggregate { aggregate { count sum { value round } } }
  }`);
  check(raw.aggregate.count === rows && raws.snapshots.length === 1, 'the raw rows', {raw, raws});
  for (const [name, {snapshots}] of Object.entries({grown, newest})) {
    // A snapshot without a run is a compaction.
    const made = snapshots.flatMap((/** @type {any} */ snapshot) => (snapshot.run ? [snapshot.run.id] : []));
    check(made.length === rounds && new Set(made).size === rounds, `one snapshot of ${name} a round, each by its own run`, {made: made.length, different: new Set(made).size, rounds});
  }
  check(each.aggregate.count === rows * rounds, 'rows appended once each', each);
  check(Number(each.aggregate.sum.round) === (rows * rounds * (rounds - 1)) / 2, 'the rows of every round', each);
  const data = join(folder, '.millrace/warehouse/data');
  for (const [name, dataset] of Object.entries({raw: raws, grown, newest})) {
    const folders = readdirSync(join(data, name)).sort();
    check(folders.join() === dataset.snapshots.map((/** @type {any} */ snapshot) => snapshot.id).sort().join(), `folders of ${name} are its snapshots`, folders);
    for (const id of folders) check(existsSync(join(data, name, id, 'manifest.json')), `the manifest of ${name}/${id}`);
  }
  for (const empty of ['warehouse/staging', 'scratch']) check(readdirSync(join(folder, '.millrace', empty)).length === 0, `nothing in ${empty}`, readdirSync(join(folder, '.millrace', empty)));
  check(readdirSync(join(folder, 'published')).filter(name => name !== '.drafts').join() === 'newest.csv', 'one published file', readdirSync(join(folder, 'published')));
  for (const id of runs) {
    const events = await eventsOf(url, id);
    check(events.every((event, index) => Number(event.seq) === index + 1), 'events without gaps', events);
    check(events.filter(event => event.__typename === 'RunFinished').length === 1, 'one end', events);
  }
}

/** All events of a run, to its end. @param {string} url @param {string} id @returns {Promise<any[]>} */
async function eventsOf(url, id) {
  const {createClient} = await import('graphql-ws');
  const {WebSocket} = await import('ws');
  const client = createClient({url: `${url.replace('http', 'ws')}/graphql`, webSocketImpl: WebSocket, retryAttempts: 0});
  const events = [];
  try {
    for await (const {data} of client.iterate({query: 'subscription($id: ID!) { runEvents(runId: $id, after: "0") { __typename seq } }', variables: {id}})) events.push(/** @type {any} */ (data).runEvents);
  } finally {
    await client.dispose();
  }
  return events;
}

await ensureBuilt();
console.log(`seed ${values.seed}, ${times} deaths, ${folder}`);
let [round, starting, serving, deaths] = [0, 0, 0, 0];
/** @type {string[]} */
let ids = [];
try {
  while (deaths < times) {
    const server = launch(folder, ['warehouse.compactFiles=5']);
    const timer = setTimeout(() => server.child.kill('SIGKILL'), Math.round(random() * longest));
    const url = await server.url;
    if (url !== null) {
      try {
        // As many runs as it lives for.
        for (;;) {
          const {id} = await run(url, round);
          const events = await eventsOf(url, id);
          check(events.at(-1)?.__typename === 'RunFinished', 'the run ends', events);
          ids.push(id);
          round++;
        }
      } catch (error) {
        if (server.child.exitCode === null && server.child.signalCode === null) await Promise.race([server.ended, sleep(longest + 1_000)]);
        if (server.child.signalCode !== 'SIGKILL') throw error;
      }
    }
    clearTimeout(timer);
    const [code, signal] = await server.ended;
    check(signal === 'SIGKILL', 'the server ends by nothing else', {code, signal, output: server.output().slice(-2_000)});
    deaths++;
    if (url === null) starting++;
    else serving++;
    if (deaths % 10 === 0 || deaths === times) {
      const began = Date.now();
      const judge = launch(folder, ['warehouse.compactFiles=5']);
      const at = await judge.url;
      check(at !== null, 'the server starts', judge.output().slice(-2_000));
      const {id} = await run(/** @type {string} */ (at), round);
      ids.push(id);
      await eventsOf(/** @type {string} */ (at), id);
      longest = 1.5 * (Date.now() - began);
      round++;
      await verify(/** @type {string} */ (at), round, ids);
      ids = [];
      judge.child.kill('SIGTERM');
      const [end] = await judge.ended;
      check(end === 0, 'the server stops well', judge.output().slice(-2_000));
      console.log(`${deaths} deaths (${starting} while starting, ${serving} while serving), ${round} runs: nothing lost, nothing doubled, nothing left over`);
    }
  }
  rmSync(folder, {recursive: true, force: true});
} catch (error) {
  console.error(error);
  console.error(`kept: ${folder}`);
  process.exit(1);
}
