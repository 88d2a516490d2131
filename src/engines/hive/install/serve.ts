import {mkdir, writeFile} from 'node:fs/promises';
import {createConnection} from 'node:net';
import {join} from 'node:path';
import {findJava} from '../../installation.ts';
import type {EngineServers, Environment} from '../../installation.ts';
import {provePortFree, startServerProcess} from '../../server-process.ts';
import type {ServerProcess} from '../../server-process.ts';
import {hiveVersion, installHive} from './install.ts';
import {sites} from './sites.ts';
import type {Properties} from './sites.ts';

export interface HiveServerOptions {
  readonly env: Environment;
  /** The server's own folder: configuration, warehouse, log. Made when it is not there. */
  readonly work: string;
  /** Default: this machine's own. */
  readonly host?: string;
  readonly port: number;
  /** Of Java's heap, in its notation. Default 512m. */
  readonly memory?: string;
  /** `thrift://host:port`; default: a metastore inside HiveServer2, which only one server may have for a folder. */
  readonly metastore?: string;
  /** Time zone of the Java process; default: UTC, by which alone instants are read from Parquet as they are. */
  readonly zone?: string;
  /** Of hive-site.xml; they go before those of `sites`. */
  readonly properties?: Properties;
}

const programs = {
  hiveserver2: {name: 'HiveServer2', main: 'org.apache.hive.service.server.HiveServer2', args: () => []},
  metastore: {name: "Hive's metastore", main: 'org.apache.hadoop.hive.metastore.HiveMetaStore', args: (port: number) => ['-p', String(port)]},
} as const;

const loopback = '127.0.0.1';

export const hiveServers: EngineServers = {
  name: 'hive',
  version: hiveVersion,
  size: '280 MB',
  install: installHive,
  async start(folder, {env, host = loopback, port = 10_000, memory}, signal) {
    // What it keeps outlives an installation of another version.
    const work = `${folder}-data`;
    const metastore = await startHive('metastore', folder, {env, work, port: 9083}, signal);
    try {
      const server = await startHive('hiveserver2', folder, {env, work, host, port, memory, metastore: `thrift://${loopback}:9083`}, signal);
      const process = {
        pid: server.process.pid,
        ended: Promise.race([server.process.ended, metastore.process.ended]),
        async stop() {
          await server.process.stop();
          await metastore.process.stop();
        },
      };
      return {settings: {'hive.url': `hive2://${loopback}:${port}/default`}, version: hiveVersion, process, log: server.log};
    } catch (error) {
      await metastore.process.stop();
      throw error;
    }
  },
};

/** Starts one program and waits until it listens. @param folder where Hive is installed. @throws ENGINE_START_FAILED, ENGINE_INSTALL_FAILED, PORT_IN_USE; the signal's reason */
export async function startHive(program: keyof typeof programs, folder: string, options: HiveServerOptions, signal?: AbortSignal): Promise<{readonly process: ServerProcess; readonly log: string}> {
  const {env, work, host = loopback, port, memory = '512m', zone = 'UTC', metastore, properties} = options;
  const java = await findJava('Hive', env);
  await provePortFree(host, port);
  const [conf, temporary, log] = [join(work, `conf-${program}`), join(work, 'tmp'), join(work, `${program}.log`)];
  const files = sites(work, {
    'hive.server2.thrift.bind.host': host, 'hive.server2.thrift.port': String(port), 'hive.server2.thrift.http.port': String(port), ...(metastore ? {'hive.metastore.uris': metastore} : {}), ...properties,
  });
  await Promise.all([conf, temporary, join(work, 'warehouse')].map(path => mkdir(path, {recursive: true})));
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(conf, name), text, {mode: 0o600})));
  const {name, main, args} = programs[program];
  const process = await startServerProcess({
    name, cwd: work, log, startSeconds: 180, answers: () => listening(port),
    command: [
      java, `-Xmx${memory}`, '-XX:+UseSerialGC', `-Duser.timezone=${zone}`, ...opened, `-Dlog4j2.configurationFile=file:${join(conf, 'hive-log4j2.properties')}`,
      `-Dderby.stream.error.file=${join(temporary, 'derby.log')}`, `-Djava.io.tmpdir=${temporary}`,
      '-cp', [conf, join(folder, 'lib/*'), join(folder, 'last/*')].join(':'), main, ...args(port),
    ],
    env: {...env, HIVE_CONF_DIR: conf, HADOOP_CONF_DIR: conf, TEZ_CONF_DIR: conf, HIVE_HOME: folder, HADOOP_HOME: folder},
  }, signal);
  return {process, log};
}

/** Packages of Java that Hive, Tez and Kryo look into. */
const opened = [
  ...['java.lang', 'java.lang.reflect', 'java.lang.invoke', 'java.io', 'java.net', 'java.nio', 'java.util', 'java.util.concurrent', 'java.util.concurrent.atomic', 'java.util.regex', 'java.time', 'sun.nio.ch']
    .map(name => `--add-opens=java.base/${name}=ALL-UNNAMED`),
  '--add-opens=java.sql/java.sql=ALL-UNNAMED',
];

function listening(port: number): Promise<boolean> {
  const {promise, resolve} = Promise.withResolvers<boolean>();
  const socket = createConnection({port, host: loopback}, () => resolve(true)).on('error', () => resolve(false)).setTimeout(1000, () => resolve(false));
  return promise.finally(() => socket.destroy());
}
