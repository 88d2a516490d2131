import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {MillraceError} from '../../core/errors.ts';
import {findJava, installOnce, runTool} from '../installation.ts';
import type {Environment} from '../installation.ts';

/** Of pip's package `pyspark`, which carries Spark's servers. */
export const sparkVersion = '4.3.0';
const sha256 = 'e8c517948eff7088a7aa07449aa8eafa4a15a8d50319de2525a6fd26622476c6';

/**
 * Installs Spark into a folder by pip (its SPARK_HOME is `pyspark` there), in the version that is known to work and with its checksum, unless it is there. pip is configured
 * as usual (indexes, proxies); 480 MB are downloaded.
 * @returns whether anything had to be done. @throws ENGINE_INSTALL_FAILED
 */
export async function installSpark(folder: string, options: {readonly env: Environment; readonly signal?: AbortSignal}): Promise<boolean> {
  await findJava('Spark', options.env);
  return installOnce(folder, `pyspark==${sparkVersion} sha256:${sha256}`, async draft => {
    const requirements = join(draft, 'requirements.txt');
    await writeFile(requirements, `pyspark==${sparkVersion} --hash=sha256:${sha256}\n`);
    const shared = ['--no-deps', '--require-hashes', '--target', draft, '-r', requirements] as const;
    // pip would keep a second copy for other environments.
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-input', '--no-cache-dir', '--no-compile', ...shared] as const;
    const tried: string[] = [];
    for (const command of [['python3', ...pip], ['uv', 'pip', 'install', '--quiet', '--no-cache', ...shared]] as const) {
      const {ok, output} = await runTool(command, options);
      if (ok) return;
      tried.push(`${command[0]}: ${lastLine(output)}`);
    }
    throw new MillraceError('ENGINE_INSTALL_FAILED', {
      engine: 'Spark', reason: tried.join('; '), advice: 'It is installed by pip of Python 3.10 or later, or by uv: apt-get install python3-pip (as root). See that pip reaches its index.',
    });
  });
}

const lastLine = (output: string): string => output.trim().split('\n').findLast(line => /error|no module|not found|ENOENT/i.test(line)) ?? output.trim().split('\n').at(-1) ?? '';
