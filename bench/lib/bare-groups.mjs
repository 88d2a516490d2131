/** The peer of groups.mjs: Fastify that sends DuckDB's groups as JSON. */
import Fastify from 'fastify';
import {bareDuckDb} from './bare-duckdb.mjs';

const [file] = process.argv.slice(2);
const {connection} = await bareDuckDb();
const statement = await connection.prepare(`
  SELECT CAST(to_json(list(g ORDER BY origin, month)) AS VARCHAR)
  FROM (SELECT origin, date_trunc('month', date) AS month, count(*) AS count, avg(delay) AS delay, max(distance) AS distance FROM read_parquet('${file}') WHERE delay > $1 GROUP BY ALL) AS g`);
const app = Fastify();
app.post('/', async (request, reply) => {
  statement.bindInteger(1, request.body.variables.least);
  const result = await statement.run();
  const chunk = await result.fetchChunk();
  return reply.type('application/json').send(`{"data":{"flights_groups":${chunk.getColumnVector(0).getItem(0)}}}`);
});
process.send({url: await app.listen({port: 0, host: '127.0.0.1'})});
