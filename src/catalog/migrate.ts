import {createHash, randomUUID} from 'node:crypto';
import {readFileSync, readdirSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import type {ClientBase} from 'pg';
import {MillraceError} from '../core/errors.ts';

/** Any number that no other program locks. */
const migrationLock = 7_240_118_331;

/** Where the migrations lie: `prisma/migrations` of the package, from the sources as from a build. */
const folder = fileURLToPath(new URL('../../prisma/migrations/', import.meta.url));

/**
 * Applies what is missing of prisma/migrations, in order, each in a transaction, under an advisory lock, and records it in
 * `_prisma_migrations` as Prisma does. Several servers may start at once.
 *
 * @returns the names applied
 * @throws CATALOG_VERSION when one that was applied is not here, or is another: the tables are not what this program expects
 */
export async function migrate(client: ClientBase): Promise<string[]> {
  await client.query('SELECT pg_advisory_lock($1)', [migrationLock]);
  try {
    await client.query(`CREATE TABLE IF NOT EXISTS _prisma_migrations (
      id VARCHAR(36) PRIMARY KEY, checksum VARCHAR(64) NOT NULL, finished_at TIMESTAMPTZ, migration_name VARCHAR(255) NOT NULL,
      logs TEXT, rolled_back_at TIMESTAMPTZ, started_at TIMESTAMPTZ NOT NULL DEFAULT now(), applied_steps_count INTEGER NOT NULL DEFAULT 0)`);
    const {rows} = await client.query<{migration_name: string; checksum: string}>('SELECT migration_name, checksum FROM _prisma_migrations WHERE finished_at IS NOT NULL');
    const done = new Map(rows.map(row => [row.migration_name, row.checksum]));
    const here = readdirSync(folder).filter(entry => /^\d/.test(entry)).sort();
    const unknown = [...done.keys()].find(name => !here.includes(name));
    if (unknown !== undefined) throw new MillraceError('CATALOG_VERSION', {name: unknown, how: 'does not know'});
    const names: string[] = [];
    for (const name of here) {
      const sql = readFileSync(`${folder}/${name}/migration.sql`, 'utf8');
      const checksum = createHash('sha256').update(sql).digest('hex');
      const applied = done.get(name);
      if (applied !== undefined && applied !== checksum) throw new MillraceError('CATALOG_VERSION', {name, how: 'has with another content'});
      if (applied !== undefined) continue;
      await client.query('BEGIN');
      try {
        await client.query(sql);
        await client.query(
          'INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count) VALUES ($1, $2, $3, now(), 1)',
          [randomUUID(), checksum, name],
        );
        await client.query('COMMIT');
      } catch (error) {
        await client.query('ROLLBACK');
        throw error;
      }
      names.push(name);
    }
    return names;
  } finally {
    await client.query('SELECT pg_advisory_unlock($1)', [migrationLock]);
  }
}
