/**
 * Writes and checks the catalog's migrations.
 *
 *   node scripts/migration.mjs NAME      writes prisma/migrations/<time>_NAME/migration.sql, when schema.prisma changed
 *   node scripts/migration.mjs --check   exits with 1, printing the difference, unless the migrations make exactly schema.prisma
 *
 * This is Prisma's own schema engine in its WASM form: the native one that `prisma migrate` starts is a download from outside
 * the package registry, which not every machine can make.
 */
import {mkdirSync, readFileSync, readdirSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {PGlite} from '@electric-sql/pglite';
import {bindMigrationAwareSqlAdapterFactory} from '@prisma/driver-adapter-utils';
import * as engineModule from '@prisma/schema-engine-wasm/schema_engine_bg';
import {PrismaPGlite} from 'pglite-prisma-adapter';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const schemaPath = join(root, 'prisma/schema.prisma');
const migrationsFolder = join(root, 'prisma/migrations');

/** Folder names of the migrations, in the order they are applied. */
const migrationNames = () =>
  readdirSync(migrationsFolder, {withFileTypes: true}).filter((entry) => entry.isDirectory()).map((entry) => entry.name).toSorted();

/** The SQL that leads from what the migrations make to what schema.prisma says; '' when they agree. */
async function difference() {
  const wasm = await WebAssembly.instantiate(
    readFileSync(fileURLToPath(new URL('schema_engine_bg.wasm', import.meta.resolve('@prisma/schema-engine-wasm')))),
    {'./schema_engine_bg.js': engineModule},
  );
  engineModule.__wbg_set_wasm(wasm.instance.exports);
  wasm.instance.exports.__wbindgen_start();

  const database = await PGlite.create();
  try {
    for (const name of migrationNames()) await database.exec(readFileSync(join(migrationsFolder, name, 'migration.sql'), 'utf8'));
    // Not the `pg` adapter, which cannot read PostgreSQL's "char" columns that the engine asks for.
    const adapter = bindMigrationAwareSqlAdapterFactory(new PrismaPGlite(database));
    const files = [{path: schemaPath, content: readFileSync(schemaPath, 'utf8')}];
    const engine = await engineModule.SchemaEngine.new({datamodels: files.map((file) => [file.path, file.content])}, () => {}, adapter);
    const {stdout} = await engine.diff({
      from: {tag: 'schemaDatasource', files, configDir: root},
      to: {tag: 'schemaDatamodel', files, configDir: root},
      script: true,
      exitCode: null,
      shadowDatabaseUrl: null,
      filters: {externalTables: ['public._prisma_migrations'], externalEnums: []},
    });
    engine.free();
    // The engine prints a comment alone when there is nothing to do.
    return stdout.split('\n').every((line) => line.trim() === '' || line.startsWith('--')) ? '' : stdout;
  } finally {
    await database.close();
  }
}

const [argument] = process.argv.slice(2);
if (argument !== '--check' && !/^[a-z][a-z0-9_]*$/.test(argument ?? '')) {
  console.error('usage: node scripts/migration.mjs NAME (lower case, digits, underscores) | --check');
  process.exit(2);
}
mkdirSync(migrationsFolder, {recursive: true});
const sql = await difference();
if (argument === '--check') {
  if (sql !== '') console.error(`The migrations do not make schema.prisma. Write one with: npm run migration -- NAME\n\n${sql}`);
  process.exitCode = sql === '' ? 0 : 1;
} else if (sql === '') {
  console.log('The migrations already make schema.prisma: nothing to write.');
} else {
  const name = `${new Date().toISOString().replace(/\D/g, '').slice(0, 14)}_${argument}`;
  mkdirSync(join(migrationsFolder, name));
  writeFileSync(join(migrationsFolder, name, 'migration.sql'), sql);
  console.log(`wrote prisma/migrations/${name}/migration.sql`);
}
