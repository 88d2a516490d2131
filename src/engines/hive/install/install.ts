import {createHash} from 'node:crypto';
import {mkdir, readdir, rename, rm, stat, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {MillraceError} from '../../../core/errors.ts';
import {harmful, last, pom, settings, versions} from './maven.ts';
import {run} from './program.ts';

/** Libraries of a Hive; any number of servers may run on them. */
export interface InstalledHive {
  readonly version: string;
  /** Absolute. */
  readonly folder: string;
}

const wanted = `${versions.hive}-${createHash('sha256').update(pom).digest('hex').slice(0, 8)}`;

/**
 * Makes a Hive in a subfolder of `parent`, from Maven, unless it is there already: 280 MB, half a minute. It is there whole or not at all,
 * and several processes may do this at once.
 * @throws ENGINE_INSTALL_FAILED when Maven is missing or fails; the signal's reason
 */
export async function installHive(parent: string, options: {readonly signal?: AbortSignal; readonly onLine?: (line: string) => void} = {}): Promise<InstalledHive> {
  const folder = join(parent, wanted);
  const installed: InstalledHive = {version: versions.hive, folder};
  if (await isThere(folder)) return installed;
  const draft = `${folder}.${process.pid}.draft`;
  try {
    await mkdir(join(draft, 'last'), {recursive: true});
    await Promise.all([writeFile(join(draft, 'pom.xml'), pom), writeFile(join(draft, 'settings.xml'), settings)]);
    options.onLine?.(`Fetching Hive ${versions.hive} and its libraries`);
    const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${join(draft, 'lib')}`, '-DincludeScope=runtime'];
    await run('mvn', ['-q', '-B', '-Dstyle.color=never', '-f', join(draft, 'pom.xml'), '-gs', join(draft, 'settings.xml'), ...goal], options);
    for (const name of await readdir(join(draft, 'lib'))) {
      const path = join(draft, 'lib', name);
      if (harmful.some(pattern => pattern.test(name))) await rm(path);
      else if (last.test(name)) await rename(path, join(draft, 'last', name));
    }
    await rename(draft, folder);
  } catch (error) {
    // Another process was faster.
    if (!(await isThere(folder))) throw asInstallError(error);
  } finally {
    await rm(draft, {recursive: true, force: true});
  }
  return installed;
}

/** The Hive of this version in `parent`; null when it is not installed. */
export async function installedHive(parent: string): Promise<InstalledHive | null> {
  const folder = join(parent, wanted);
  return (await isThere(folder)) ? {version: versions.hive, folder} : null;
}

function asInstallError(error: unknown): unknown {
  if (!(error instanceof Error) || error.name === 'AbortError') return error;
  return new MillraceError('ENGINE_INSTALL_FAILED', {engine: 'Hive', reason: error.message, advice: 'It is put together by Maven, with Java 17: in Debian `apt-get install maven openjdk-17-jre-headless`. Maven must reach its central repository, or a mirror that its settings name.'}, {cause: error});
}

const isThere = (folder: string): Promise<boolean> => stat(join(folder, 'lib')).then(() => true, () => false);
