/** The peer of live.mjs: graphql-ws with graphql-js, which answers each subscription by itself after each commit. */
import {createServer} from 'node:http';
import {buildSchema} from 'graphql';
import {useServer} from 'graphql-ws/use/ws';
import {WebSocketServer} from 'ws';
import {bareDuckDb} from './bare-duckdb.mjs';

const [file] = process.argv.slice(2);
const {connection} = await bareDuckDb();
await connection.run(`CREATE TABLE flights AS SELECT * FROM read_parquet('${file}')`);
const statement = await connection.prepare('SELECT origin, destination, delay, distance FROM flights WHERE distance >= $1 ORDER BY delay DESC, rowid LIMIT 20');
/** @type {Set<() => void>} */
const waiting = new Set();
let version = 0;
// DuckDB's connection runs one statement after the other.
let turn = Promise.resolve();
const rows = (/** @type {number} */ least) => (turn = turn.then(async () => {
  statement.bind([least]);
  return (await statement.runAndReadAll()).getRowObjectsJson();
}));
const schema = buildSchema('type Query { version: Int } type Flight { origin: String destination: String delay: Int distance: Int } type Subscription { flights(least: Int!): [Flight!]! }');
const field = schema.getSubscriptionType().getFields().flights;
field.subscribe = async function* (_root, {least}) {
  for (let seen = -1; ; ) {
    if (seen === version) await new Promise((resolve) => { waiting.add(resolve); });
    seen = version;
    yield {flights: await rows(least)};
  }
};
process.on('message', async (/** @type {{delay: number}} */ {delay}) => {
  await (turn = turn.then(() => connection.run(`INSERT INTO flights BY NAME SELECT * REPLACE (${delay} AS delay, 9999 AS distance) FROM flights LIMIT 1`)));
  version++;
  for (const resolve of waiting) resolve();
  waiting.clear();
});
const http = createServer();
useServer({schema}, new WebSocketServer({server: http, path: '/graphql'}));
http.listen(0, '127.0.0.1', () => process.send({url: `http://127.0.0.1:${http.address().port}`}));
