/** One row by its key, asked by 32 connections: through the graph, through bare Fastify with prepared statements, and through PostGraphile. */
import {fork} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import pg from 'pg';
import {line, megabytes, milliseconds} from './lib/figures.mjs';
import {peakMemory} from './lib/memory.mjs';
import {npmEnvironment} from './lib/packages.mjs';
import {postgres} from './lib/postgres.mjs';
import {prepareProject, withProject} from './lib/project.mjs';
import {ask, firstAnswer, serve} from './lib/server.mjs';

const rounds = Number(process.env.BENCH_ROUNDS ?? 5);
const seconds = Number(process.env.BENCH_SECONDS ?? 3);
const connections = 32;
const rows = 1_000_000;
const columns = (/** @type {string} */ i) => `${i} AS id, 'person ' || ${i} AS name, 'note ' || md5('' || ${i}) AS note`;

export const title = `One row by its key, of ${rows.toLocaleString('en')}, asked by ${connections} connections`;
export const conditions = 'Each server is a process of its own, asked by the same client with other keys each time, in turns. Bare Fastify has four connections of DuckDB, each with a prepared statement over the same Parquet file. PostGraphile 5.1.5 on PostgreSQL, with a primary key. Processor time is that of the server (of PostGraphile without PostgreSQL), the client has its own.';

const at = (/** @type {string} */ before, /** @type {(value: number) => string} */ write) => (measure, values, aim) => {
  const told = line(measure, values, write);
  return aim === undefined ? told : {...told, aim: `${before} ${write(aim)}`, met: values.toSorted((a, b) => a - b)[values.length >> 1] >= aim};
};
const share = at('≥', (value) => `${value.toFixed(2)} ×`);
const perSecond = at('≥', (value) => `${value.toFixed(0)} /s`);

/** Milliseconds of processor time that a process has used. */
function processor(/** @type {number} */ pid) {
  const [user, system] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ').slice(11, 13).map(Number);
  return (user + system) * 10;
}

async function fillPostgres(/** @type {string} */ url) {
  const client = new pg.Client({connectionString: url});
  await client.connect();
  await client.query(`CREATE TABLE people AS SELECT ${columns('i')} FROM generate_series(0, ${rows - 1}) AS t(i)`);
  await client.query('ALTER TABLE people ADD PRIMARY KEY (id)');
  await client.query('ANALYZE');
  await client.end();
}

export const run = ({progress}) => withProject(async (folder) => {
  progress('preparing');
  const file = await prepareProject(folder, [
    {kind: 'sql', name: 'people', into: 'people', sql: `SELECT ${columns('CAST(i AS INTEGER)')} FROM range(${rows}) AS t(i)`, contract: {key: ['id']}},
  ], async (app) => (await app.warehouse.table(await app.warehouse.resolve('people'))).files[0].path);
  const packages = await npmEnvironment(['postgraphile@5.1.5']);
  const database = await postgres();
  const started = async (/** @type {string} */ script, /** @type {string[]} */ args) => {
    const child = fork(fileURLToPath(new URL(script, import.meta.url)), args, {env: {...process.env, UV_THREADPOOL_SIZE: '16'}});
    const {url} = await new Promise((resolve, reject) => { child.once('message', resolve).once('exit', reject); });
    return {url, pid: child.pid, stop: async () => child.kill()};
  };
  const stops = [() => database.stop()];
  try {
    await fillPostgres(database.url);
    const bare = await started('lib/bare-key-server.mjs', [file]);
    stops.push(bare.stop);
    const postgraphile = await started('lib/postgraphile-server.mjs', [packages, database.url]);
    stops.push(postgraphile.stop);
    const server = await serve(folder);
    stops.push(server.stop);
    await firstAnswer(server.url, '{ people(limit: 1) { id } }');
    const question = (query) => (id) => JSON.stringify({query, variables: {id}});
    const sides = {
      millrace: {pid: server.pid, url: `${server.url}/graphql`, body: question('query ($id: Int!) { people_by_pk(id: $id) { id name note } }')},
      bare: {pid: bare.pid, url: bare.url, body: (id) => JSON.stringify({id})},
      postgraphile: {pid: postgraphile.pid, url: postgraphile.url, body: question('query ($id: Int!) { personByRowId(rowId: $id) { rowId name note } }')},
    };
    const told = Object.fromEntries(Object.keys(sides).map((side) => [side, {perSecond: [], cpu: []}]));
    for (let round = -1; round < rounds; round++) {
      for (const [side, {pid, url, body}] of Object.entries(sides)) {
        progress(`round ${round + 1} of ${rounds}: ${side}`);
        const [start, used] = [performance.now(), processor(pid)];
        let count = 0;
        await Promise.all(Array.from({length: connections}, async () => {
          for (; performance.now() - start < seconds * 1_000; count++) {
            const id = Math.floor(Math.random() * rows);
            const answer = (await ask(url, body(id))).body.toString();
            if (!answer.includes(`"person ${id}"`)) throw new Error(`${side}: ${answer}`);
          }
        }));
        if (round < 0) continue;
        told[side].perSecond.push(count / ((performance.now() - start) / 1_000));
        told[side].cpu.push((processor(pid) - used) / count);
      }
    }
    const over = (/** @type {string} */ peer, /** @type {'perSecond' | 'cpu'} */ what) => told.millrace[what].map((value, index) => value / told[peer][what][index]);
    return [
      share('requests a second, Millrace / bare Fastify', over('bare', 'perSecond'), 0.5),
      share('requests a second, Millrace / PostGraphile', over('postgraphile', 'perSecond')),
      share('processor time of a request, Millrace / bare Fastify', over('bare', 'cpu')),
      ...Object.entries({millrace: 'Millrace', bare: 'bare Fastify', postgraphile: 'PostGraphile'}).flatMap(([side, name]) => [
        perSecond(`requests a second, ${name}`, told[side].perSecond), line(`processor time of a request, ${name}`, told[side].cpu, milliseconds),
      ]),
      line('peak memory, Millrace', [server.peakMemory()], megabytes),
      line('peak memory, bare Fastify', [peakMemory(bare.pid)], megabytes),
    ];
  } finally {
    for (const stop of stops.toReversed()) await stop();
  }
});
