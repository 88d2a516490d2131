import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {installHive} from '../../src/engines/hive/install/install.ts';
import {startHive} from '../../src/engines/hive/install/serve.ts';
import type {HiveServer, HiveServerOptions} from '../../src/engines/hive/install/serve.ts';

export interface TestHive extends HiveServer {
  readonly url: string;
}

/** Kept between runs; the first one needs Java, Maven and half a minute. */
const installation = join(import.meta.dirname, '../../node_modules/.cache/millrace/engines/hive');

/** A HiveServer2 of the test's own, with its metastore. Stop it. @throws ENGINE_INSTALL_FAILED with what is missing and how it is installed */
export async function testHive(options: Omit<HiveServerOptions, 'home'> = {}): Promise<TestHive> {
  const installed = await installHive(installation);
  const home = await mkdtemp(join(tmpdir(), 'hive-'));
  const server = await startHive('hiveserver2', installed, {home, heap: 512, ...options});
  return {
    ...server,
    url: `hive2://127.0.0.1:${server.port}/default`,
    async stop() {
      await server.stop();
      await rm(home, {recursive: true, force: true});
    },
  };
}
