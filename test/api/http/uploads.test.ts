import {execFileSync} from 'node:child_process';
import {createHash, randomBytes} from 'node:crypto';
import {mkdtemp, readFile, readdir, rm, utimes, writeFile} from 'node:fs/promises';
import {connect} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {mountUploads} from '../../../src/api/http/uploads.ts';
import {type RunningHost, closeHosts, startHost} from './support.ts';

afterEach(closeHosts);

const files = ({folder}: RunningHost) => readdir(join(folder, '.millrace/uploads'));

const send = async ({host}: RunningHost, name: string, body: RequestInit['body'], headers: Record<string, string> = {}) => {
  const answer = await fetch(`${host.url}/uploads?name=${encodeURIComponent(name)}`, {method: 'POST', body, headers, duplex: 'half'} as RequestInit);
  return {status: answer.status, ...((await answer.json()) as {id: string; bytes: number; sha256: string; error: {code: string}})};
};

/** Waits until the folder is empty: cleaning up follows the end of a connection. */
async function emptied(running: RunningHost): Promise<string[]> {
  for (let tries = 0; tries < 100 && (await files(running)).length > 0; tries++) await sleep(20);
  return files(running);
}

test.each(['application/octet-stream', 'text/csv', 'application/json', ''])('a body of type "%s" is kept as it came', async (type) => {
  const running = await startHost();
  const body = randomBytes(3_000_001);
  const sha256 = createHash('sha256').update(body).digest('hex');
  const answer = await send(running, 'flüge 2001.csv.gz', body, type === '' ? {} : {'content-type': type});
  expect(answer).toEqual({status: 201, id: expect.stringMatching(/^[0-9a-f-]{36}$/), name: 'flüge 2001.csv.gz', bytes: body.length, sha256});
  const [upload] = running.uploads;
  expect(upload).toMatchObject({id: answer.id, bytes: BigInt(body.length), sha256});
  expect(upload!.path).toMatch(/\.csv\.gz$/);
  expect((await readFile(upload!.path)).equals(body)).toBe(true);
  expect(await files(running)).toHaveLength(1);
});

test('an empty body and a chunked one of unknown length are uploads too', async () => {
  const running = await startHost();
  expect(await send(running, 'empty', new Uint8Array())).toMatchObject({status: 201, bytes: 0, sha256: createHash('sha256').digest('hex')});
  const chunks = ReadableStream.from((async function* () { for (let i = 0; i < 10; i++) yield Buffer.from(`line ${i}\n`); })());
  expect(await send(running, 'chunked', chunks as RequestInit['body'])).toMatchObject({status: 201, bytes: 70});
});

test('names must be plain', async () => {
  const running = await startHost();
  for (const name of ['', ' ', '..', '../etc/passwd', 'a/b', 'a\\b', 'a\nb', 'x'.repeat(256)]) {
    expect(await send(running, name, 'data')).toMatchObject({status: 400, error: {code: 'ARGUMENT_INVALID'}});
  }
  expect(await emptied(running)).toEqual([]);
});

test('too large a body is refused, by its declared length or as it comes, and leaves nothing', async () => {
  const running = await startHost(['uploads.maxBytes=100000']);
  expect(await send(running, 'exact', Buffer.alloc(100_000))).toMatchObject({status: 201});
  expect(await send(running, 'declared', Buffer.alloc(50_000_000))).toMatchObject({status: 413, error: {code: 'BODY_TOO_LARGE'}});
  const endless = ReadableStream.from((async function* () { for (let i = 0; i < 300; i++) yield Buffer.alloc(65_536); })());
  expect(await send(running, 'chunked', endless as RequestInit['body'])).toMatchObject({status: 413, error: {code: 'BODY_TOO_LARGE'}});
  expect(await files(running)).toHaveLength(1);
  expect(running.uploads).toHaveLength(1);
});

test.each([['content-length: 1000000', 'x'.repeat(1000)], ['transfer-encoding: chunked', '5\r\nhello\r\n']])('a client that goes away (%s) leaves nothing', async (header, body) => {
  const running = await startHost();
  const socket = connect(running.port, '127.0.0.1');
  socket.write(`POST /uploads?name=x HTTP/1.1\r\nhost: 127.0.0.1:${running.port}\r\n${header}\r\n\r\n${body}`);
  for (let tries = 0; tries < 100 && (await files(running)).length === 0; tries++) await sleep(10);
  expect(await files(running)).toHaveLength(1);
  socket.destroy();
  expect(await emptied(running)).toEqual([]);
  expect(running.uploads).toEqual([]);
});

test('a client that stops sending is cut off, and leaves nothing', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-idle-'));
  const {port} = await startHost([], {
    mounts: [(app) => void app.register(async (scope) => mountUploads(scope, {folder, maxBytes: 1e6, idleSeconds: 0.1}, async () => {}, () => {}), {prefix: '/idle'})],
  });
  const socket = connect(port, '127.0.0.1');
  const closed = new Promise((resolve) => socket.on('close', resolve));
  socket.on('error', () => {}).resume();
  socket.write(`POST /idle/uploads?name=x HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-length: 10\r\n\r\nabc`);
  await closed;
  await sleep(20);
  expect(await readdir(folder)).toEqual([]);
  await rm(folder, {recursive: true});
});

test('what the catalog does not take is removed', async () => {
  const running = await startHost([], {addUpload: async () => { throw Object.assign(new Error('down'), {code: 'ECONNREFUSED'}); }});
  expect(await send(running, 'x', 'data')).toMatchObject({status: 500});
  expect(await files(running)).toEqual([]);
});

/** tmpfs of one MiB, where the tests run as root; elsewhere there is no way to a full disk. */
const canMount = process.getuid?.() === 0 && process.platform === 'linux';
(canMount ? test : test.skip)('a full disk has its code and leaves nothing', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-full-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder], {stdio: 'pipe'});
  } catch {
    // A container without the right to mount.
    await rm(folder, {recursive: true});
    return;
  }
  try {
    const running = await startHost([`uploads.folder=${folder}`]);
    expect(await send(running, 'x', Buffer.alloc(8 << 20))).toMatchObject({status: 507, error: {code: 'DISK_FULL'}});
    expect(await readdir(folder)).toEqual([]);
    expect(await send(running, 'small', 'fits')).toMatchObject({status: 201});
    await closeHosts();
  } finally {
    execFileSync('umount', [folder]);
    await rm(folder, {recursive: true});
  }
});

test('an old partial file goes at the start, a fresh one stays', async () => {
  const running = await startHost();
  const folder = join(running.folder, '.millrace/uploads');
  await writeFile(join(folder, 'old.part'), 'x');
  await writeFile(join(folder, 'fresh.part'), 'x');
  const yesterday = Date.now() / 1000 - 2 * 24 * 3600;
  await utimes(join(folder, 'old.part'), yesterday, yesterday);
  await startHost([`uploads.folder=${folder}`]);
  expect(await files(running)).toEqual(['fresh.part']);
});
