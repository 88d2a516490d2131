/** Builds what is older than its sources: the catalog's client, the server, the console. */
import {createHash} from 'node:crypto';
import {copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {dirname, join, relative} from 'node:path';
import {node24} from './node.mjs';
import {root, run, withProgress} from './project.mjs';

/** Every file at or below the paths given, relative to the project, in one order. */
function filesOf(/** @type {string[]} */ paths) {
  return paths.flatMap((path) => {
    const full = join(root, path);
    if (!existsSync(full)) return [];
    return statSync(full).isDirectory()
      ? readdirSync(full, {recursive: true, withFileTypes: true})
          .filter((entry) => entry.isFile())
          .map((entry) => relative(root, join(entry.parentPath ?? entry.path, entry.name)))
      : [path];
  }).sort();
}

/** One number for the content of files; times would say that everything is new after each clone or checkout. */
function hashOf(/** @type {string[]} */ files) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(`${file}\0`).update(readFileSync(join(root, file))).update('\0');
  return hash.digest('hex');
}

const consoleApp = 'src/api/console/app';
const isConsole = (/** @type {string} */ file) => file.startsWith(`${consoleApp}/`);

/** Each part: what it is made of, what it makes, and how. The order is that of their needs. */
const parts = [
  {
    name: 'catalog client',
    inputs: () => ['prisma/schema.prisma', 'package-lock.json'],
    output: 'src/catalog/prisma/client.ts',
    make: () =>
      program('prisma/build/index.js', ['generate'], {
        // `prisma generate` looks for the native schema engine but never starts it. That engine is a download from outside the
        // package registry, which not every machine can make, so it is told of a program that exists everywhere.
        PRISMA_SCHEMA_ENGINE_BINARY: process.platform === 'win32' ? process.execPath : '/bin/true',
        PRISMA_HIDE_UPDATE_MESSAGE: '1',
        CHECKPOINT_DISABLE: '1',
      }),
  },
  {
    name: 'server',
    inputs: () => ['tsconfig.json', 'package-lock.json', ...filesOf(['src']).filter((file) => !isConsole(file))],
    output: 'dist/main.js',
    async make() {
      removeStale();
      await program('typescript/bin/tsc', ['-p', '.']);
      for (const file of filesOf(['src']).filter((path) => !path.endsWith('.ts') && !isConsole(path))) {
        const target = join(root, 'dist', relative('src', file));
        mkdirSync(dirname(target), {recursive: true});
        copyFileSync(join(root, file), target);
      }
    },
  },
  {
    name: 'empty database',
    inputs: () => ['package-lock.json', 'scripts/build-template.mjs', ...filesOf(['prisma/migrations'])],
    output: 'dist/catalog/template.tar.gz',
    make: () => program('../scripts/build-template.mjs', []),
  },
  {
    name: 'console',
    inputs: () => ['scripts/build-console.mjs', 'package-lock.json', ...filesOf([consoleApp])],
    output: 'dist/console/index.html',
    make: () => program('../scripts/build-console.mjs', []),
  },
].filter((part) => part.name !== 'console' || existsSync(join(root, 'scripts/build-console.mjs')));

/** What remains in dist of sources that are gone would still be found by imports. */
function removeStale() {
  for (const file of filesOf(['dist']).filter((path) => path.endsWith('.js') && existsSync(join(root, `${path}.map`)))) {
    const source = join(root, 'src', relative('dist', file).replace(/\.js$/, '.ts'));
    const isServer = existsSync(join(root, file.replace(/\.js$/, '.d.ts')));
    if (isServer && !existsSync(source)) for (const end of ['.js', '.js.map', '.d.ts']) rmSync(join(root, file.replace(/\.js$/, end)), {force: true});
  }
}

/** Runs a program of node_modules. @throws with its output when it fails. */
async function program(/** @type {string} */ path, /** @type {string[]} */ args, /** @type {Record<string, string>} */ env = {}) {
  const {ok, output} = await run(node24(), [join(root, 'node_modules', path), ...args], {env: {...process.env, ...env}});
  if (!ok) throw new Error(output.trim());
}

/** Hashes of what each part was last built from. In node_modules, because it is no output and never committed. */
const stampPath = join(root, 'node_modules/.cache/millrace/built.json');

/** Builds the parts whose sources changed. @throws with the compiler's output. */
export async function ensureBuilt() {
  /** @type {Record<string, string>} */
  let stamps = {};
  try {
    stamps = JSON.parse(readFileSync(stampPath, 'utf8'));
  } catch {
    // Nothing was built yet.
  }
  for (const part of parts) {
    const hash = hashOf(part.inputs());
    if (stamps[part.name] === hash && existsSync(join(root, part.output))) continue;
    await withProgress(`Building the ${part.name}`, part.make);
    stamps[part.name] = hash;
    mkdirSync(dirname(stampPath), {recursive: true});
    writeFileSync(stampPath, JSON.stringify(stamps));
  }
}
