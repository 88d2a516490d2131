import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {parseHiveUrl} from '../../src/engines/hive/address.ts';
import {installHive} from '../../src/engines/hive/install/install.ts';
import {startHive} from '../../src/engines/hive/install/serve.ts';
import type {HiveServerOptions} from '../../src/engines/hive/install/serve.ts';
import {HiveSession} from '../../src/engines/hive/session.ts';
import {freePort} from './postgres-server.ts';
import {enginesCache} from './spark.ts';

export interface TestHive {
  readonly url: string;
  readonly port: number;
  /** Runs statements, one after the other; of the last one the texts of its first column. */
  run(...statements: readonly string[]): Promise<readonly string[]>;
  /** Ends it at once, as a crash does. */
  kill(): Promise<void>;
  /** Ends it and removes what it left. For `afterAll`. */
  close(): Promise<void>;
}

/** A HiveServer2 of the test's own, with its metastore in it; installs Hive where that was not done. @throws with the command that installs what is missing */
export async function startTestHive(options: Partial<Omit<HiveServerOptions, 'env' | 'work' | 'port'>> = {}): Promise<TestHive> {
  const folder = join(enginesCache(), 'hive');
  await installHive(folder, {env: process.env});
  const work = await mkdtemp(join(tmpdir(), 'hive-'));
  const port = await freePort();
  const {process: server} = await startHive('hiveserver2', folder, {...options, env: process.env, work, port});
  const url = `hive2://127.0.0.1:${port}/default`;
  let session: HiveSession | undefined;
  return {
    url, port,
    async run(...statements) {
      session ??= await HiveSession.open(parseHiveUrl(url), async () => undefined);
      let lines: readonly string[] = [];
      for (const statement of statements) lines = await session.lines(statement);
      return lines;
    },
    async kill() {
      process.kill(server.pid, 'SIGKILL');
      await server.ended;
    },
    async close() {
      await session?.close();
      await server.stop();
      await rm(work, {recursive: true, force: true});
    },
  };
}
