import {mkdtemp, rm} from 'node:fs/promises';
import {homedir, tmpdir} from 'node:os';
import {join} from 'node:path';
import {installSpark} from '../../src/engines/spark/install.ts';
import {startSpark} from '../../src/engines/spark/server.ts';
import type {SparkServer, SparkServerOptions} from '../../src/engines/spark/server.ts';
import {freePort} from './postgres-server.ts';

/** Where test runs, and `npm run setup`, keep installed engines; shared by all checkouts of a user. */
export const enginesCache = (): string => join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'millrace/engines');

export interface TestSpark extends SparkServer {
  readonly port: number;
  /** Ends it at once, as a crash does. */
  kill(): Promise<void>;
  /** Starts it again at the same port, after `kill` or `stop`. */
  restart(): Promise<void>;
  /** Ends it and removes what it left. For `afterAll`. */
  close(): Promise<void>;
}

/** A Spark Connect server of a test's own, on a free port; installs Spark where that was not done. @throws with the command that installs what is missing */
export async function startTestSpark(options: Partial<Omit<SparkServerOptions, 'env' | 'work' | 'port'>> = {}): Promise<TestSpark> {
  const folder = join(enginesCache(), 'spark');
  await installSpark(folder, {env: process.env});
  const work = await mkdtemp(join(tmpdir(), 'spark-'));
  const port = await freePort();
  const start = (): Promise<SparkServer> => startSpark(folder, {
    master: 'local[2]', memory: '768m', ...options, conf: {'spark.sql.shuffle.partitions': '2', ...options.conf}, work, port, env: process.env,
  });
  let server = await start();
  return {
    get url() { return server.url; },
    get version() { return server.version; },
    get process() { return server.process; },
    get log() { return server.log; },
    port,
    async kill() {
      process.kill(server.process.pid, 'SIGKILL');
      await server.process.ended;
    },
    async restart() {
      server = await start();
    },
    async close() {
      await server.process.stop();
      await rm(work, {recursive: true, force: true});
    },
  };
}
