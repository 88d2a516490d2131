/** The peer of rows.mjs: Fastify that sends what DuckDB writes. */
import Fastify from 'fastify';
import {bareDuckDb} from './bare-duckdb.mjs';

const [file, columns] = process.argv.slice(2);
const {connection} = await bareDuckDb();
const statement = await connection.prepare(`SELECT CAST(to_json(list(rows)) AS VARCHAR) FROM (SELECT ${columns} FROM read_parquet('${file}') LIMIT 10000) AS rows`);
const app = Fastify();
app.post('/', async (_request, reply) => {
  const result = await statement.run();
  const chunk = await result.fetchChunk();
  return reply.type('application/json').send(`{"data":{"wide":${chunk.getColumnVector(0).getItem(0)}}}`);
});
process.send({url: await app.listen({port: 0, host: '127.0.0.1'})});
