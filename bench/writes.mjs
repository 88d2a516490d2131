/** Rows inserted one by one: through the graph, into bare DuckDB, and into PostgreSQL; each answered when it is on the disk. */
import {mkdirSync} from 'node:fs';
import {join} from 'node:path';
import {DuckDBInstance} from '@duckdb/node-api';
import pg from 'pg';
import {finished, startApp, threads, viewer} from './lib/app.mjs';
import {line, megabytes, ratio} from './lib/figures.mjs';
import {postgres} from './lib/postgres.mjs';
import {ask} from './lib/server.mjs';
import {takeTurns} from './lib/turns.mjs';

const rounds = Number(process.env.WRITE_ROUNDS ?? 5);
const seconds = Number(process.env.WRITE_SECONDS ?? 3);
const many = 32;

export const title = `Inserts of one row, at 1 and at ${many} connections`;
export const conditions = 'Each row has a key that is checked and is answered when it is on the disk. Millrace: a GraphQL mutation over HTTP with `returning`, into a dataset with a contract; every batch is a snapshot of Parquet, hashed and profiled. DuckDB: a table with a primary key in a file, a transaction an insert, in process. PostgreSQL: a prepared INSERT … RETURNING on a connection of its own, with fsync.';

/** Inserts by so many loops at once, for some seconds. @returns rows a second */
async function perSecond(/** @type {number} */ loops, /** @type {(id: number, loop: number) => Promise<unknown>} */ insert, next) {
  const start = performance.now();
  let rows = 0;
  await Promise.all(Array.from({length: loops}, async (_, loop) => {
    for (; performance.now() - start < seconds * 1_000; rows++) await insert(next(), loop);
  }));
  return rows / ((performance.now() - start) / 1_000);
}

const counter = () => {
  let id = 0;
  return () => ++id;
};

async function millrace(/** @type {string} */ folder, /** @type {string[]} */ settings) {
  const app = await startApp(folder, settings, 'serve');
  await app.pipelines.put(viewer, {name: 'load', steps: [{
    kind: 'sql', name: 'rows', into: 'rows_in', sql: "SELECT 0::INTEGER AS id, 'row 0' AS name, 0.5::DOUBLE AS value", contract: {key: ['id'], writes: ['insert'], checks: [{range: {column: 'value', min: 0}}]},
  }]}, 'bench');
  const {run} = await app.pipelines.start(viewer, {pipeline: 'load'});
  await finished(app, run.id);
  const url = `${app.http.url}/graphql`;
  const text = 'mutation($objects: [rows_in_insert_input!]!) { insert_rows_in(objects: $objects) { affected_rows returning { id } } }';
  const next = counter();
  const insert = async (/** @type {number} */ id) => {
    const {body} = await ask(url, JSON.stringify({query: text, variables: {objects: [{id, name: `row ${id}`, value: id / 2}]}}));
    const {data} = JSON.parse(body.toString());
    if (data?.insert_rows_in?.returning[0]?.id !== id) throw new Error(body.toString());
  };
  return {
    run: async () => ({one: await perSecond(1, insert, next), many: await perSecond(many, insert, next)}),
    stop: () => app.lifecycle.stop(),
  };
}

export const sides = {
  pglite: (folder) => millrace(folder, []),
  async served(folder) {
    const server = await postgres({durable: true});
    const side = await millrace(folder, [`catalog.url=${server.url}`]);
    return {...side, stop: () => side.stop().finally(server.stop)};
  },
  async duckdb(folder) {
    mkdirSync(folder, {recursive: true});
    const instance = await DuckDBInstance.create(join(folder, 'rows.duckdb'), {threads: String(threads)});
    const connections = await Promise.all(Array.from({length: many}, () => instance.connect()));
    await connections[0].run('CREATE TABLE rows_in (id INTEGER PRIMARY KEY, name VARCHAR, value DOUBLE CHECK (value >= 0))');
    const statements = await Promise.all(connections.map((connection) => connection.prepare('INSERT INTO rows_in VALUES ($1, $2, $3) RETURNING id')));
    const next = counter();
    const insert = async (/** @type {number} */ id, /** @type {number} */ loop) => {
      statements[loop].bindInteger(1, id);
      statements[loop].bindVarchar(2, `row ${id}`);
      statements[loop].bindDouble(3, id / 2);
      await statements[loop].run();
    };
    return {
      run: async () => ({one: await perSecond(1, insert, next), many: await perSecond(many, insert, next)}),
      stop: () => instance.closeSync(),
    };
  },
  async postgres() {
    const server = await postgres({durable: true});
    const clients = await Promise.all(Array.from({length: many}, async () => {
      const client = new pg.Client(server.url);
      await client.connect();
      return client;
    }));
    await clients[0].query('CREATE TABLE rows_in (id integer PRIMARY KEY, name text, value double precision CHECK (value >= 0))');
    const next = counter();
    const insert = (/** @type {number} */ id, /** @type {number} */ loop) =>
      clients[loop].query({name: 'insert', text: 'INSERT INTO rows_in VALUES ($1, $2, $3) RETURNING id', values: [id, `row ${id}`, id / 2]});
    return {
      run: async () => ({one: await perSecond(1, insert, next), many: await perSecond(many, insert, next)}),
      stop: () => Promise.all(clients.map((client) => client.end())).finally(server.stop),
    };
  },
};

export async function run({progress}) {
  const names = /** @type {const} */ (['pglite', 'served', 'duckdb', 'postgres']);
  const told = await takeTurns(import.meta.url, names, {rounds, progress});
  const of = (/** @type {string} */ side, /** @type {'one' | 'many'} */ at) => told[side].rounds.map((round) => round[at]);
  const share = (/** @type {string} */ side, /** @type {string} */ peer, /** @type {'one' | 'many'} */ at) => of(side, at).map((value, index) => value / of(peer, at)[index]);
  const rows = (/** @type {number} */ value) => `${value >= 100 ? value.toFixed(0) : value.toFixed(1)} rows/s`;
  const shown = {pglite: 'Millrace on PGlite', served: 'Millrace on PostgreSQL', duckdb: 'bare DuckDB', postgres: 'PostgreSQL'};
  return [
    ...names.flatMap((side) => [line(`${shown[side]}, 1 connection`, of(side, 'one'), rows), line(`${shown[side]}, ${many} connections`, of(side, 'many'), rows)]),
    line(`Millrace on PGlite, ${many} / 1 connections`, of('pglite', 'many').map((value, index) => value / of('pglite', 'one')[index]), ratio),
    ...(['duckdb', 'postgres']).flatMap((peer) => [line(`Millrace on PGlite / ${shown[peer]}, 1 connection`, share('pglite', peer, 'one'), ratio), line(`Millrace on PGlite / ${shown[peer]}, ${many} connections`, share('pglite', peer, 'many'), ratio)]),
    ...names.slice(0, 3).map((side) => line(`peak memory, ${shown[side]}`, [told[side].peakMemory], megabytes)),
  ];
}
