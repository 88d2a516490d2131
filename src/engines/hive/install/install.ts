import {createHash} from 'node:crypto';
import {mkdir, readdir, rename, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {MillraceError} from '../../../core/errors.ts';
import {findJava, installOnce, runTool} from '../../installation.ts';
import type {Environment} from '../../installation.ts';
import {harmful, last, pom, settings, versions} from './maven.ts';

export const hiveVersion = versions.hive;

/**
 * Puts a Hive together in a folder by Maven, unless it is there: 280 MB, half a minute. Maven is configured as usual (mirrors, proxies).
 * @returns whether anything had to be done. @throws ENGINE_INSTALL_FAILED
 */
export async function installHive(folder: string, options: {readonly env: Environment; readonly signal?: AbortSignal}): Promise<boolean> {
  await findJava('Hive', options.env);
  return installOnce(folder, `hive ${hiveVersion} ${createHash('sha256').update(pom).digest('hex')}`, async draft => {
    const [lib, behind] = [join(draft, 'lib'), join(draft, 'last')];
    await mkdir(behind);
    await Promise.all([writeFile(join(draft, 'pom.xml'), pom), writeFile(join(draft, 'settings.xml'), settings)]);
    const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${lib}`, '-DincludeScope=runtime'];
    const {ok, output} = await runTool(['mvn', '-q', '-B', '-Dstyle.color=never', '-f', join(draft, 'pom.xml'), '-gs', join(draft, 'settings.xml'), ...goal], options);
    if (!ok) throw new MillraceError('ENGINE_INSTALL_FAILED', {engine: 'Hive', reason: firstError(output), advice: 'It is put together by Maven: apt-get install maven (as root). See that Maven reaches its central repository, or a mirror that its settings name.'});
    for (const name of await readdir(lib)) {
      if (harmful.some(pattern => pattern.test(name))) await rm(join(lib, name));
      else if (last.test(name)) await rename(join(lib, name), join(behind, name));
    }
  });
}

const firstError = (output: string): string => output.split('\n').find(line => line.includes('ERROR'))?.trim() ?? output.trim().split('\n').at(-1) ?? '';
