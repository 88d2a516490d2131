import type {Pool, PoolClient} from 'pg';
import {MillraceError} from '../core/errors.ts';
import type {CatalogDump, TableRows} from './catalog.ts';

/** Rows fetched, and rows sent, at once: some hundred kilobytes. */
const batchRows = 500;

/** What belongs to the living: migrations are the program's. */
const left = ['_prisma_migrations'];

/** Tables of the catalog, by name. */
async function tablesOf(client: PoolClient): Promise<string[]> {
  const {rows} = await client.query<{name: string}>(`
    SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = current_schema() AND c.relkind = 'r' AND NOT c.relname = ANY($1) ORDER BY 1`, [left]);
  return rows.map(row => row.name);
}

async function migrationsOf(client: PoolClient): Promise<string[]> {
  const {rows} = await client.query<{name: string}>('SELECT migration_name AS name FROM _prisma_migrations WHERE finished_at IS NOT NULL ORDER BY 1');
  return rows.map(row => row.name);
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

async function within<T>(pool: Pool, begin: string, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let failure: Error | undefined;
  try {
    await client.query(begin);
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch((cause: Error) => {
      failure = cause;
    });
    throw error;
  } finally {
    // A connection that could not roll back is not given to anybody else.
    client.release(failure);
  }
}

/**
 * Reads the whole catalog as of one moment, in batches of rows as JSON text. JSON made by the database keeps what the driver does
 * not: microseconds, 64-bit numbers, decimals.
 */
export async function dumpCatalog(pool: Pool, take: (rows: TableRows) => Promise<void>): Promise<CatalogDump> {
  return within(pool, 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', async client => {
    const tables = await tablesOf(client);
    for (const table of tables) {
      await client.query(`DECLARE dump NO SCROLL CURSOR FOR SELECT to_jsonb(t)::text AS row FROM ${quoted(table)} AS t`);
      for (;;) {
        const {rows} = await client.query<{row: string}>(`FETCH ${batchRows} FROM dump`);
        if (rows.length > 0) await take({table, rows: rows.map(({row}) => row)});
        if (rows.length < batchRows) break;
      }
      await client.query('CLOSE dump');
    }
    return {tables, migrations: await migrationsOf(client)};
  });
}

/** Whether nothing was ever stored: the graph's version counts no more than starts. */
export async function catalogIsEmpty(pool: Pool): Promise<boolean> {
  const client = await pool.connect();
  try {
    return await isEmpty(client);
  } finally {
    client.release();
  }
}

async function isEmpty(client: PoolClient): Promise<boolean> {
  const tables = (await tablesOf(client)).filter(table => table !== 'change_count');
  const {rows} = await client.query<{full: boolean}>(`SELECT ${tables.map(table => `EXISTS (SELECT FROM ${quoted(table)})`).join(' OR ')} AS full`);
  return !rows[0]!.full;
}

/**
 * Fills an empty catalog with dumped rows, all or nothing. Steps that were running are left to be taken over at once.
 * @throws TARGET_NOT_EMPTY, BACKUP_INVALID
 */
export async function loadCatalog(pool: Pool, dump: AsyncIterable<TableRows>): Promise<void> {
  await within(pool, 'BEGIN', async client => {
    const tables = new Set(await tablesOf(client));
    await client.query(`LOCK TABLE ${[...tables].map(quoted).join(', ')} IN ACCESS EXCLUSIVE MODE`);
    if (!(await isEmpty(client))) throw new MillraceError('TARGET_NOT_EMPTY', {path: 'the catalog'});
    await client.query('DELETE FROM change_count');

    // Foreign keys go and come back, which checks them all: tables refer to themselves and to each other in circles.
    const {rows: keys} = await client.query<{table: string; name: string; definition: string}>(`
      SELECT conrelid::regclass::text AS table, quote_ident(conname) AS name, pg_get_constraintdef(oid) AS definition
      FROM pg_constraint WHERE contype = 'f' AND connamespace = current_schema()::regnamespace`);
    for (const key of keys) await client.query(`ALTER TABLE ${key.table} DROP CONSTRAINT ${key.name}`);
    for await (const {table, rows} of dump) {
      if (!tables.has(table)) throw new MillraceError('BACKUP_INVALID', {path: table, reason: 'there is no such table'});
      await insert(client, table, rows);
    }
    for (const key of keys) await client.query(`ALTER TABLE ${key.table} ADD CONSTRAINT ${key.name} ${key.definition}`);
    await client.query(`UPDATE run_step SET lease_until = clock_timestamp() WHERE status = 'running'`);
  });
}

async function insert(client: PoolClient, table: string, rows: readonly string[]): Promise<void> {
  for (let at = 0; at < rows.length; at += batchRows) {
    const batch = rows.slice(at, at + batchRows);
    // Columns that the dump does not know keep their defaults.
    const columns = Object.keys(JSON.parse(batch[0]!) as object).map(quoted).join(', ');
    await client.query(`INSERT INTO ${quoted(table)} (${columns}) SELECT ${columns} FROM jsonb_populate_recordset(NULL::${quoted(table)}, $1::jsonb)`, [`[${batch.join(',')}]`]);
  }
}
