import {randomBytes} from 'node:crypto';
import {existsSync, mkdirSync, readFileSync, renameSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {Client} from 'pg';
import {startPostgres} from './postgres-server.ts';
import type {PostgresServer} from './postgres-server.ts';

/** An empty database of the test run's PostgreSQL server. */
export interface TestDatabase {
  /** `postgresql://…`, over TCP. */
  readonly url: string;
  /** Runs one statement and gives its rows. */
  query<Row extends object>(sql: string, values?: unknown[]): Promise<Row[]>;
  /** Closes what is still connected and removes the database. To be called in `afterAll`. */
  drop(): Promise<void>;
}

/**
 * Creates an empty database on the PostgreSQL server that the whole test run shares. The first call starts that server, in the
 * time zone of New York; the end of the run stops it.
 * @param template a database to copy, by its URL; nobody may be connected to it. Default: an empty one.
 */
export async function createDatabase(template?: string): Promise<TestDatabase> {
  const {port} = await sharedServer();
  const name = `test_${randomBytes(6).toString('hex')}`;
  const from = template === undefined ? 'template1' : new URL(template).pathname.slice(1);
  const urlOf = (database: string) => `postgresql://postgres@127.0.0.1:${port}/${database}`;
  const query = async <Row extends object>(database: string, sql: string, values: unknown[] = []) => {
    const client = new Client({connectionString: urlOf(database)});
    await client.connect();
    try {
      return (await client.query<Row>(sql, values)).rows;
    } finally {
      await client.end();
    }
  };
  await query('postgres', `CREATE DATABASE ${name} TEMPLATE ${from}`);
  return {
    url: urlOf(name),
    query: (sql, values) => query(name, sql, values),
    drop: async () => { await query('postgres', `DROP DATABASE ${name} WITH (FORCE)`); },
  };
}

/** The run's server. Of the jest workers that ask at once, the one that makes the folder `lock` starts it and the others wait. */
async function sharedServer(): Promise<PostgresServer> {
  const folder = process.env.MILLRACE_TEST_FOLDER;
  const owner = Number(process.env.MILLRACE_TEST_OWNER);
  if (folder === undefined) throw new Error('This is set by test/support/global-setup.mjs: run the tests by jest.');
  const path = join(folder, 'postgres.json');
  const failure = join(folder, 'postgres.error');
  if (!existsSync(path)) {
    try {
      mkdirSync(join(folder, 'lock'));
    } catch {
      while (!existsSync(path)) {
        if (existsSync(failure)) throw new Error(readFileSync(failure, 'utf8'));
        await sleep(20);
      }
    }
  }
  if (!existsSync(path)) {
    try {
      const server = await startPostgres({folder: join(folder, 'pg'), owner});
      // Renamed into place: who sees the file sees all of it.
      writeFileSync(`${path}.new`, JSON.stringify(server));
      renameSync(`${path}.new`, path);
    } catch (error) {
      writeFileSync(failure, error instanceof Error ? error.message : String(error));
      throw error;
    }
  }
  return JSON.parse(readFileSync(path, 'utf8')) as PostgresServer;
}
