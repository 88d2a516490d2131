/** What a killed owner leaves in the folder of the embedded database does not keep the next one out. */
import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {createCatalog} from '../../src/catalog/create-catalog.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'embedded-'));
});
afterEach(() => rmSync(folder, {recursive: true, force: true}));

const open = () => createCatalog({url: null, folder, poolSize: 1});

test('a lock of PostgreSQL that was not written to its end', async () => {
  const first = open();
  await first.start();
  await first.transaction(stores => stores.datasets.create('kept', {}));
  await first.stop();
  writeFileSync(join(folder, 'pgdata/postmaster.pid'), '');
  const second = open();
  await second.start();
  expect(await second.read(stores => stores.datasets.byName('kept'))).toMatchObject({name: 'kept'});
  await second.stop();
});

test('a database that was not made to its end', async () => {
  mkdirSync(join(folder, 'pgdata/base'), {recursive: true});
  writeFileSync(join(folder, 'pgdata/PG_VERSION'), '18\n');
  const catalog = open();
  await catalog.start();
  expect(await catalog.isEmpty()).toBe(true);
  await catalog.stop();
});
