import {existsSync, readFileSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {stopPostgres} from './postgres-server.ts';

/** Stops the shared PostgreSQL if any test started it, and removes the run's folder. */
export default async function teardown() {
  const folder = process.env.MILLRACE_TEST_FOLDER;
  const found = join(folder, 'postgres.json');
  if (existsSync(found)) await stopPostgres(JSON.parse(readFileSync(found, 'utf8')));
  rmSync(folder, {recursive: true, force: true});
}
