import {mkdir} from 'node:fs/promises';
import {availableParallelism} from 'node:os';
import {join} from 'node:path';
import {MillraceError} from '../../core/errors.ts';
import {isLoopback} from '../../core/loopback.ts';
import {findJava} from '../installation.ts';
import type {EngineServers, StartOptions} from '../installation.ts';
import {provePortFree, startServerProcess} from '../server-process.ts';
import type {ServerProcess} from '../server-process.ts';
import {parseSparkUrl} from './address.ts';
import {installSpark, sparkVersion} from './install.ts';
import {Connection} from './protocol.ts';
import {Session} from './session.ts';

export interface SparkServerOptions extends StartOptions {
  /** Where it works: its log, what it spills. Made when it is not there. */
  readonly work: string;
  /** More settings of Spark's. */
  readonly conf?: Readonly<Record<string, string>>;
}

export interface SparkServer {
  /** For the setting `spark.url`, with the token. */
  readonly url: string;
  readonly version: string;
  readonly process: ServerProcess;
  readonly log: string;
}

/** Where the server's own parts meet, and where it is asked whether it answers. */
const loopback = '127.0.0.1';

export const sparkServers: EngineServers = {
  name: 'spark',
  version: sparkVersion,
  size: '460 MB',
  install: installSpark,
  async start(folder, options, signal) {
    const {url, version, process, log} = await startSpark(folder, {...options, work: `${folder}-work`}, signal);
    return {settings: {'spark.url': url}, version, process, log};
  },
};

/** Starts a Spark Connect server and waits until it answers. @param folder where it is installed. @throws ENGINE_START_FAILED, ENGINE_INSTALL_FAILED, PORT_IN_USE; the signal's reason */
export async function startSpark(folder: string, options: SparkServerOptions, signal?: AbortSignal): Promise<SparkServer> {
  const {work, host = loopback, master = `local[${availableParallelism()}]`, port = 15_002, token, memory = '1g', env} = options;
  const [home, log] = [join(folder, 'pyspark'), join(work, 'server.log')];
  await findJava('Spark', env);
  if (!isLoopback(host) && !token) throw new MillraceError('USAGE', {reason: `Spark would run what anybody asks for at ${host}: say a --token.`});
  await provePortFree(host, port);
  await mkdir(work, {recursive: true});
  const url = `sc://${loopback}:${port}${token === undefined ? '' : `/;token=${encodeURIComponent(token)}`}`;
  const conf = {
    'spark.connect.grpc.binding.address': host,
    'spark.connect.grpc.binding.port': String(port),
    'spark.driver.bindAddress': loopback,
    'spark.driver.host': loopback,
    'spark.ui.enabled': 'false',
    'spark.local.dir': join(work, 'tmp'),
    'spark.sql.warehouse.dir': join(work, 'warehouse'),
    // A live run shows what happens, so it is told a few times a second.
    'spark.connect.progress.reportInterval': '250ms',
    'spark.sql.shuffle.partitions': '8',
    ...options.conf,
  };
  const args = ['--class', 'org.apache.spark.sql.connect.service.SparkConnectServer', '--master', master, '--driver-memory', memory];
  const connection = new Connection(parseSparkUrl(url), null);
  let version = '';
  const answers = async (): Promise<boolean> => {
    try {
      const session = await Session.open(connection, 'millrace', 0);
      version = await session.version(5);
      await session.release();
      return true;
    } catch {
      return false;
    }
  };
  try {
    const server = await startServerProcess({
      name: 'Spark', command: [join(home, 'bin/spark-submit'), ...args, ...Object.entries(conf).flatMap(([key, value]) => ['--conf', `${key}=${value}`]), 'spark-internal'],
      cwd: work, log, answers,
      // What the user has set for another Spark does not apply to this one; a token on the command line would be seen by all.
      env: {...env, SPARK_HOME: home, SPARK_CONF_DIR: undefined, SPARK_CONNECT_MODE: undefined, SPARK_LOCAL_IP: loopback, SPARK_NO_DAEMONIZE: '1', SPARK_CONNECT_AUTHENTICATE_TOKEN: token},
    }, signal);
    return {url, version, process: server, log};
  } finally {
    connection.close();
  }
}
