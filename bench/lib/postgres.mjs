import {tmpdir} from 'node:os';
import {join} from 'node:path';

/** A PostgreSQL server of its own, from the package that the tests use and with their settings: unless it is to be durable, it does not fsync. */
export async function postgres({durable = false} = {}) {
  const {startPostgres, stopPostgres} = await import('../../test/support/postgres-server.ts');
  const server = await startPostgres({folder: join(tmpdir(), `millrace-bench-postgres-${process.pid}`), durable});
  return {url: `postgresql://postgres@127.0.0.1:${server.port}/postgres`, stop: () => stopPostgres(server)};
}
