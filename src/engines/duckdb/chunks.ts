import {ResultReturnType} from '@duckdb/node-api';
import type {DuckDBDataChunk} from '@duckdb/node-api';
import type {SqlValue} from '../engine.ts';
import {bind} from './database.ts';
import type {Lease} from './database.ts';

/**
 * The chunks of a statement's rows, as they are made. DuckDB ends a stream that fails as if it were whole: only the type of the result
 * tells, and nothing why. So it is run once more without its rows to hear that.
 */
export async function* chunks(lease: Lease, sql: string, params: readonly SqlValue[] | undefined): AsyncGenerator<DuckDBDataChunk> {
  const prepared = await lease.prepare(sql);
  try {
    bind(prepared, params);
    const result = await prepared.stream();
    for (let chunk = await result.fetchChunk(); chunk && chunk.rowCount > 0; chunk = await result.fetchChunk()) yield chunk;
    if (result.returnType === ResultReturnType.INVALID) await fail(lease, sql, params);
  } finally {
    prepared.destroySync();
  }
}

async function fail(lease: Lease, sql: string, params: readonly SqlValue[] | undefined): Promise<never> {
  if (lease.interrupted) throw new Error('interrupted');
  const again = await lease.prepare(`EXPLAIN ANALYZE ${sql}`);
  try {
    bind(again, params);
    await again.run();
  } finally {
    again.destroySync();
  }
  throw new Error('Invalid Error: the rows broke off, and did not when they were asked for again');
}
