import {spawn} from 'node:child_process';
import {createWriteStream} from 'node:fs';
import {mkdir, writeFile} from 'node:fs/promises';
import {createConnection, createServer} from 'node:net';
import type {AddressInfo} from 'node:net';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {MillraceError} from '../../../core/errors.ts';
import type {InstalledHive} from './install.ts';
import {sites} from './sites.ts';
import type {Properties} from './sites.ts';

export interface HiveServerOptions {
  /** The server's own folder: configuration, warehouse, log. Absolute; made when it is not there. */
  readonly home: string;
  /** Default: any free one. */
  readonly port?: number;
  /** Mebibytes of the Java heap. Default 512. */
  readonly heap?: number;
  /** `thrift://host:port`; default: a metastore inside HiveServer2. Only one server may have that of a `home`. */
  readonly metastore?: string;
  /** Properties of hive-site.xml, which go before those of `sites`. */
  readonly properties?: Properties;
  /** Time zone of the Java process; default: UTC, by which alone instants are read from Parquet as they are. */
  readonly zone?: string;
  readonly signal?: AbortSignal;
}

export interface HiveServer {
  readonly port: number;
  readonly pid: number;
  /** Where its log is. */
  readonly log: string;
  /** Resolves when it has ended, for whatever reason. */
  readonly ended: Promise<void>;
  /** Ends it and all that it started: at first politely. */
  stop(): Promise<void>;
}

const programs = {
  hiveserver2: {main: 'org.apache.hive.service.server.HiveServer2', args: () => []},
  metastore: {main: 'org.apache.hadoop.hive.metastore.HiveMetaStore', args: (port: number) => ['-p', String(port)]},
} as const;

/** Seconds a server may take to listen, on a busy machine with few processors. */
const startSeconds = 180;
const politeSeconds = 8;

/**
 * Starts HiveServer2 or a metastore as a child of this process; it is ready when this returns.
 * @throws ENGINE_START_FAILED with the end of its log, ENGINE_INSTALL_FAILED without Java; the signal's reason
 */
export async function startHive(program: keyof typeof programs, installed: InstalledHive, options: HiveServerOptions): Promise<HiveServer> {
  const {home, heap = 512, zone = 'UTC', metastore, properties} = options;
  const port = options.port ?? (await freePort());
  const conf = join(home, 'conf');
  const temporary = join(home, 'tmp');
  const files = sites(home, {
    'hive.server2.thrift.port': String(port), 'hive.server2.thrift.http.port': String(port), ...(metastore ? {'hive.metastore.uris': metastore} : {}), ...properties,
  });
  await Promise.all([conf, temporary, join(home, 'warehouse')].map(folder => mkdir(folder, {recursive: true})));
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(conf, name), text, {mode: 0o600})));

  const {main, args} = programs[program];
  const log = join(home, `${program}.log`);
  const child = spawn(javaPath(), [
    `-Xmx${heap}m`, '-XX:+UseSerialGC', `-Duser.timezone=${zone}`, ...opened, `-Dlog4j2.configurationFile=file:${join(conf, 'hive-log4j2.properties')}`,
    `-Dderby.stream.error.file=${join(temporary, 'derby.log')}`, `-Djava.io.tmpdir=${temporary}`,
    '-cp', [conf, join(installed.folder, 'lib/*'), join(installed.folder, 'last/*')].join(':'), main, ...args(port),
  ], {
    cwd: home, stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that what it starts ends with it.
    detached: true,
    env: {...process.env, HIVE_CONF_DIR: conf, HADOOP_CONF_DIR: conf, TEZ_CONF_DIR: conf, HIVE_HOME: installed.folder, HADOOP_HOME: installed.folder},
  });
  const file = createWriteStream(log, {flags: 'a'});
  let tail = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      file.write(text);
      tail = (tail + text).slice(-4000);
    });
  }
  const over = Promise.withResolvers<void>();
  let failure: Error | undefined;
  child.on('error', error => {
    failure = (error as NodeJS.ErrnoException).code === 'ENOENT' ? new MillraceError('ENGINE_INSTALL_FAILED', {engine: 'Hive', reason: 'Java is not there', advice: javaAdvice}) : error;
  });
  child.on('close', () => {
    file.end();
    over.resolve();
  });
  const signalled = (signal: NodeJS.Signals) => {
    try {
      process.kill(-child.pid!, signal);
    } catch {
      // It has ended.
    }
  };
  const stop = async () => {
    signalled('SIGTERM');
    await Promise.race([over.promise, sleep(politeSeconds * 1000, undefined, {ref: false})]);
    signalled('SIGKILL');
    await over.promise;
  };

  const notStarted = (reason: string) => new MillraceError('ENGINE_START_FAILED', {engine: `Hive's ${program}`, reason, log, tail: tail.trim().split('\n').slice(-5).join('\n')});
  let ended = false;
  void over.promise.then(() => (ended = true));
  const until = performance.now() + startSeconds * 1000;
  try {
    while (!(await listening(port))) {
      options.signal?.throwIfAborted();
      if (ended) throw failure ?? notStarted('it ended');
      if (performance.now() > until) throw notStarted(`it does not listen after ${startSeconds} s`);
      await sleep(100);
    }
  } catch (error) {
    if (child.pid !== undefined) await stop();
    throw error;
  }
  return {port, pid: child.pid!, log, ended: over.promise, stop};
}

/** Packages of Java that Hive, Tez and Kryo look into. */
const opened = [
  ...['java.lang', 'java.lang.reflect', 'java.lang.invoke', 'java.io', 'java.net', 'java.nio', 'java.util', 'java.util.concurrent', 'java.util.concurrent.atomic', 'java.util.regex', 'java.time', 'sun.nio.ch']
    .map(name => `--add-opens=java.base/${name}=ALL-UNNAMED`),
  '--add-opens=java.sql/java.sql=ALL-UNNAMED',
];

const javaAdvice = 'Install Java 17 (in Debian `apt-get install openjdk-17-jre-headless`), or set JAVA_HOME.';

const javaPath = (): string => (process.env.JAVA_HOME ? join(process.env.JAVA_HOME, 'bin/java') : 'java');

/** A port that nothing listens on. */
export async function freePort(): Promise<number> {
  const {promise, resolve, reject} = Promise.withResolvers<number>();
  const server = createServer().on('error', reject).listen(0, '127.0.0.1', () => {
    const {port} = server.address() as AddressInfo;
    server.close(() => resolve(port));
  });
  return promise;
}

function listening(port: number): Promise<boolean> {
  const {promise, resolve} = Promise.withResolvers<boolean>();
  const socket = createConnection({port, host: '127.0.0.1'}, () => resolve(true)).on('error', () => resolve(false)).setTimeout(1000, () => resolve(false));
  return promise.finally(() => socket.destroy());
}
