/**
 * Makes dist/catalog/template.tar.gz: an embedded database with all migrations applied and nothing in it. A new project opens it in
 * less than a second; making one takes five.
 */
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {PGlite} from '@electric-sql/pglite';
import {createCatalog} from '../dist/catalog/create-catalog.js';

const output = new URL('../dist/catalog/template.tar.gz', import.meta.url);
const folder = mkdtempSync(join(tmpdir(), 'millrace-template-'));
try {
  rmSync(output, {force: true});
  const catalog = createCatalog({url: null, folder, poolSize: 2});
  await catalog.start();
  await catalog.stop();
  const database = await PGlite.create({dataDir: join(folder, 'pgdata')});
  const dump = await database.dumpDataDir('gzip');
  await database.close();
  writeFileSync(output, new Uint8Array(await dump.arrayBuffer()));
} finally {
  rmSync(folder, {recursive: true, force: true});
}
