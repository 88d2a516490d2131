import {execFileSync} from 'node:child_process';
import {createServer as createHttpServer} from 'node:http';
import {mkdir, mkdtemp, readFile, readdir, rm, writeFile} from 'node:fs/promises';
import {createServer as createTcpServer, connect} from 'node:net';
import type {AddressInfo, Server, Socket} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {createServer as createTlsServer} from 'node:tls';
import {setTimeout as sleep} from 'node:timers/promises';
import {tableFromIPC} from 'apache-arrow';
import {createDuckDbEngine} from '../../../src/engines/duckdb/engine.ts';
import type {Engine} from '../../../src/engines/engine.ts';
import type {RemoteEngine, RemoteWork} from '../../../src/engines/remote-engine.ts';
import {createSparkEngine} from '../../../src/engines/spark/engine.ts';
import {freePort} from '../../support/postgres-server.ts';
import {startTestSpark} from '../../support/spark.ts';
import type {TestSpark} from '../../support/spark.ts';
import {proxyTo} from '../../support/tcp-proxy.ts';
import {numbered} from '../../conformance/remote-engine.ts';

const token = 'a token; with = signs';
const int64 = numbered({id: 'int64'});
/** Some seconds of work in several stages, with one right answer. */
const rows = 3_000_000;
const slow = `SELECT id FROM range(0, ${rows}, 1, 16) ORDER BY hash(id), id`;

let folder: string;
let spark: TestSpark;
let duck: Engine;
const engines: RemoteEngine[] = [];
const servers: Server[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'faults-'));
  duck = createDuckDbEngine({allowedFolders: [folder], threads: 2, tempFolder: join(folder, 'tmp'), maxQueries: 2});
  await duck.start();
  // Executors are processes of their own.
  spark = await startTestSpark({master: 'local-cluster[2,1,768]', token, conf: {'spark.executor.memory': '768m', 'spark.sql.shuffle.partitions': '4'}});
}, 300_000);

afterAll(async () => {
  await Promise.all(engines.map(engine => engine.stop()));
  await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))));
  await spark?.close();
  await duck?.stop();
  await rm(folder, {recursive: true, force: true});
});

function engineAt(url: string, more: {reconnectSeconds?: number; certificates?: string} = {}): RemoteEngine {
  const engine = createSparkEngine({url, sessions: 2, keepAliveSeconds: 600, reconnectSeconds: 60, certificates: null, ...more});
  engines.push(engine);
  return engine;
}

const withToken = (port: number, more = ''): string => `sc://127.0.0.1:${port}/;token=${encodeURIComponent(token)}${more}`;

async function write(engine: RemoteEngine, sql: string, work?: RemoteWork): Promise<{out: string; sum: unknown; count: unknown}> {
  const out = await mkdtemp(join(folder, 'out-'));
  const files = await engine.materialize({sql, relations: {}}, {folder: out, schema: int64}, work);
  expect((await readdir(out)).map(name => join(out, name)).toSorted()).toEqual([...files].toSorted());
  const [row] = await duck.rows({sql: 'SELECT sum(id) AS sum, count(DISTINCT id) AS count FROM t', relations: {t: {kind: 'raw', format: 'parquet', files, options: {}}}});
  return {out, sum: String(row!.sum), count: row!.count};
}

const all = {sum: String((BigInt(rows) * BigInt(rows - 1)) / 2n), count: BigInt(rows)};

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>(resolve => void server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

describe('what answers is not what was meant', () => {
  test('nothing', async () => {
    const engine = engineAt(`sc://127.0.0.1:${await freePort()}`);
    expect(await engine.status()).toMatchObject({health: 'unreachable', version: null, detail: expect.stringContaining('ECONNREFUSED')});
    await expect(engine.fingerprint()).rejects.toMatchObject({code: 'ENGINE_UNAVAILABLE'});
    await expect(engine.check({sql: 'SELECT 1', relations: {}})).rejects.toMatchObject({code: 'ENGINE_UNAVAILABLE'});
  });

  test('no address', async () => {
    const engine = createSparkEngine({url: null, sessions: 2, keepAliveSeconds: 600, reconnectSeconds: 60, certificates: null});
    expect(await engine.status()).toMatchObject({health: 'unset'});
    await expect(engine.fingerprint()).rejects.toMatchObject({code: 'ENGINE_UNAVAILABLE', message: expect.stringContaining('spark.url')});
  });

  test('a web server', async () => {
    const port = await listen(createHttpServer((_request, response) => response.end('hello')));
    expect(await engineAt(`sc://127.0.0.1:${port}`).status()).toMatchObject({health: 'unsupported', detail: expect.stringMatching(/no Spark Connect server/)});
  });

  test('a server of another protocol', async () => {
    const port = await listen(createTcpServer(socket => void socket.on('error', () => undefined).once('data', () => socket.end('220 mail ready\r\n'))));
    expect(await engineAt(`sc://127.0.0.1:${port}`).status()).toMatchObject({health: 'unsupported', detail: expect.stringMatching(/no Spark Connect server/)});
  });

  test('a URL that is none', () => {
    for (const url of ['http://localhost:15002', 'sc://', 'sc://host:99999', 'sc://host/;token', 'sc://host/;use_ssl=maybe']) expect(() => engineAt(url)).toThrow(expect.objectContaining({code: 'CONFIG_INVALID'}));
  });
});

describe('credentials and TLS', () => {
  test('a wrong token, or none, is refused; neither is shown', async () => {
    for (const url of [`sc://127.0.0.1:${spark.port}/;token=wrong`, `sc://127.0.0.1:${spark.port}`]) {
      const engine = engineAt(url);
      const status = await engine.status();
      expect(status).toMatchObject({health: 'refused'});
      expect(JSON.stringify([status, engine.address])).not.toContain('wrong');
      await expect(engine.check({sql: 'SELECT 1', relations: {}})).rejects.toMatchObject({code: 'ENGINE_REFUSED'});
    }
  });

  test('over TLS, by an authority that is named, and not by one that is not', async () => {
    const [store, authority] = [join(folder, 'server.p12'), join(folder, 'authority.pem')];
    const keytool = (...args: string[]): string => execFileSync('keytool', [...args, '-keystore', store, '-storetype', 'PKCS12', '-storepass', 'secret', '-alias', 'server'], {encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore']});
    keytool('-genkeypair', '-keyalg', 'EC', '-dname', 'CN=localhost', '-ext', 'SAN=dns:localhost,ip:127.0.0.1', '-validity', '2');
    await writeFile(authority, keytool('-exportcert', '-rfc'));
    const secured = createTlsServer({pfx: await readFile(store), passphrase: 'secret', ALPNProtocols: ['h2']}, socket => {
      const upstream = connect(spark.port, '127.0.0.1');
      for (const [from, to] of [[socket, upstream], [upstream, socket]] as [Socket, Socket][]) from.on('error', () => undefined).on('close', () => to.destroy()).pipe(to);
    });
    const url = withToken(await listen(secured), ';use_ssl=true').replace('127.0.0.1', 'localhost');
    expect(await engineAt(url, {certificates: authority}).status()).toMatchObject({health: 'ready', version: spark.version});
    expect(await engineAt(url).status()).toMatchObject({health: 'unreachable', detail: expect.stringMatching(/certificate/i)});
    for (const engine of engines.splice(-2)) await engine.stop();
  });
});

describe('things break while a statement runs', () => {
  test('a stream that is cut every 10 MB loses nothing and doubles nothing', async () => {
    const proxy = await proxyTo(`http://127.0.0.1:${spark.port}`);
    const engine = engineAt(withToken(Number(new URL(proxy.url).port)));
    const pieces: Uint8Array[] = [];
    let [since, cuts] = [0, 0];
    for await (const {bytes} of engine.arrow({sql: "SELECT id, id * 2 AS twice, concat('row ', id) AS text FROM range(0, 1000000, 1, 12)", relations: {}})) {
      pieces.push(bytes);
      since += bytes.length;
      if (since > 10e6) {
        [since, cuts] = [0, cuts + 1];
        await proxy.cut();
        await proxy.restore();
      }
    }
    await engine.stop();
    await proxy.close();
    expect(cuts).toBeGreaterThan(1);
    const table = tableFromIPC(Buffer.concat(pieces));
    expect(table.numRows).toBe(1_000_000);
    const seen = new Uint8Array(1_000_000);
    for (const batch of table.batches) for (const id of batch.getChildAt(0)!.data[0]!.values as BigInt64Array) seen[Number(id)]!++;
    expect(seen.every(times => times === 1)).toBe(true);
  });

  test('an executor that is killed: the step goes on', async () => {
    const result = await write(engineAt(spark.url), slow, once(async () => {
      const executors = executorsOf(spark.process.pid, await childProcesses());
      expect(executors.length).toBe(2);
      process.kill(executors[0]!, 'SIGKILL');
    }));
    expect(result).toMatchObject(all);
  });

  test('a server that is killed: who waits for it finishes right, who does not fails and can be run again', async () => {
    const [patient, impatient] = [engineAt(spark.url, {reconnectSeconds: 240}), engineAt(spark.url, {reconnectSeconds: 1})];
    const begun = Promise.withResolvers<void>();
    const fails = write(impatient, slow, once(begun.resolve)).catch((error: unknown) => error);
    await begun.promise;
    const finishes = write(patient, slow, once(() => spark.kill()));
    expect(await fails).toMatchObject({code: 'ENGINE_UNAVAILABLE', hint: expect.stringContaining('retryRun')});
    await spark.restart();
    expect(await finishes).toMatchObject(all);
    expect(await write(impatient, 'SELECT id FROM range(3)')).toMatchObject({sum: '3', count: 3n});
    expect(await patient.status()).toMatchObject({health: 'ready', running: []});
  }, 300_000);

  test('a server that hangs: what was asked for can be given up', async () => {
    const proxy = await proxyTo(`http://127.0.0.1:${spark.port}`);
    const engine = engineAt(withToken(Number(new URL(proxy.url).port)));
    const giveUp = new AbortController();
    const out = join(folder, 'hangs');
    await mkdir(out);
    const failed = engine.materialize({sql: slow, relations: {}}, {folder: out, schema: int64}, {signal: giveUp.signal, ...once(() => proxy.block())}).catch((error: unknown) => error);
    await sleep(1_500);
    proxy.block();
    giveUp.abort(new Error('enough of it'));
    expect(await failed).toMatchObject({message: 'enough of it'});
    await engine.stop();
    await proxy.close();
  });
});

/** Does something when the statement is first seen to run. */
function once(what: () => unknown): RemoteWork {
  let done = false;
  return {
    onProgress: (_fraction, progress) => {
      if (done || !progress || progress.tasksDone === 0) return;
      done = true;
      void what();
    },
  };
}

interface Child {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

async function childProcesses(): Promise<Child[]> {
  const found: Child[] = [];
  for (const name of (await readdir('/proc')).filter(entry => /^\d+$/.test(entry))) {
    try {
      const stat = await readFile(`/proc/${name}/stat`, 'utf8');
      found.push({pid: Number(name), parent: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]), command: await readFile(`/proc/${name}/cmdline`, 'utf8')});
    } catch {
      // It ended meanwhile.
    }
  }
  return found;
}

const executorsOf = (driver: number, all: readonly Child[]): number[] => all.filter(({parent, command}) => parent === driver && command.includes('CoarseGrainedExecutorBackend')).map(({pid}) => pid);
