/** A peer of by-key.mjs: Fastify that answers with one row by its key, from prepared statements of DuckDB over the same file. */
import Fastify from 'fastify';
import {DuckDBInstance} from '@duckdb/node-api';
import {threads} from './app.mjs';

const [file] = process.argv.slice(2);
/** As many as Millrace has by default. */
const connections = 4;

const instance = await DuckDBInstance.create(':memory:', {threads: String(threads), validate_external_file_cache: 'NO_VALIDATION'});
const first = await instance.connect();
await first.run('SET GLOBAL parquet_metadata_cache = true');
const idle = await Promise.all(Array.from({length: connections}, async (_, index) => {
  const connection = index === 0 ? first : await instance.connect();
  return connection.prepare(`SELECT CAST(to_json({id: id, name: name, note: note}) AS VARCHAR) FROM read_parquet('${file}') WHERE id = $1`);
}));
const waiting = [];
const app = Fastify();
app.post('/', async (request, reply) => {
  const statement = idle.pop() ?? await new Promise((resolve) => { waiting.push(resolve); });
  try {
    statement.bindInteger(1, request.body.id);
    const chunk = await (await statement.run()).fetchChunk();
    return reply.type('application/json').send(`{"data":{"people_by_pk":${chunk && chunk.rowCount > 0 ? chunk.getColumnVector(0).getItem(0) : 'null'}}}`);
  } finally {
    const next = waiting.shift();
    if (next) next(statement);
    else idle.push(statement);
  }
});
process.send({url: await app.listen({port: 0, host: '127.0.0.1'})});
