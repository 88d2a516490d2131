import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {PGlite} from '@electric-sql/pglite';
import {createCatalog} from '../../src/catalog/create-catalog.ts';

describe('an embedded catalog made by another version', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-migrate-'));
  });
  afterEach(() => rmSync(folder, {recursive: true, force: true}));

  test.each([
    ['with another content of a migration', `UPDATE _prisma_migrations SET checksum = 'other'`],
    ['with a migration that is not known here', `UPDATE _prisma_migrations SET migration_name = '29990101000000_future'`],
  ])('%s is refused, and opens again when it is right', async (_what, tamper) => {
    const open = () => createCatalog({url: null, folder, poolSize: 2});
    const change = async (sql: string): Promise<void> => {
      const database = await PGlite.create({dataDir: join(folder, 'pgdata')});
      await database.exec(sql);
      await database.close();
    };
    const first = open();
    await first.start();
    await first.stop();
    await change(`CREATE TABLE kept AS SELECT * FROM _prisma_migrations; ${tamper}`);
    await expect(open().start()).rejects.toMatchObject({code: 'CATALOG_VERSION'});
    await change('TRUNCATE _prisma_migrations; INSERT INTO _prisma_migrations SELECT * FROM kept; DROP TABLE kept');
    const again = open();
    await again.start();
    await again.stop();
  });
});
