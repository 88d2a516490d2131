import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import {mountConsole} from '../../../src/api/console/mount-console.ts';
import {closeHosts, startHost} from '../http/support.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-console-'));
  await mkdir(join(folder, 'assets'));
  await writeFile(join(folder, 'index.html'), '<html><!-- tabs --></html>');
  await writeFile(join(folder, 'assets/main-ABC.js'), 'plain');
  await writeFile(join(folder, 'assets/main-ABC.js.gz'), gzipSync('zipped'));
});
afterEach(async () => {
  await closeHosts();
  await rm(folder, {recursive: true});
});

const start = (settings: string[] = []) =>
  startHost(settings, {mounts: [(app) => mountConsole(app, {folder, tabs: [{title: 'T', query: 'query T { a } # </script><b>$& $1'}]})]});

test('the page has the tabs, a strict policy and an etag', async () => {
  const {host} = await start();
  const answer = await fetch(`${host.url}/`);
  const page = await answer.text();
  expect(page).not.toContain('</script><b>');
  const tabs = /<script type="application\/json" id="tabs">(.*)<\/script>/.exec(page)![1]!;
  expect(JSON.parse(tabs)).toEqual([{title: 'T', query: 'query T { a } # </script><b>$& $1'}]);
  expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(answer.headers.get('content-security-policy')).toMatch(/default-src 'self'.*frame-ancestors 'none'/);
  expect(answer.headers.get('content-security-policy')).not.toMatch(/https?:|unsafe-eval|script-src[^;]*unsafe/);
  const again = await fetch(`${host.url}/`, {headers: {'if-none-match': answer.headers.get('etag')!}});
  expect(again.status).toBe(304);
});

test('assets are kept by browsers for good and sent compressed', async () => {
  const {host} = await start();
  const zipped = await fetch(`${host.url}/assets/main-ABC.js`);
  expect([await zipped.text(), zipped.headers.get('content-encoding'), zipped.headers.get('cache-control')]).toEqual(['zipped', 'gzip', 'public, max-age=31536000, immutable']);
  expect(zipped.headers.get('content-type')).toContain('javascript');
  const plain = await fetch(`${host.url}/assets/main-ABC.js`, {headers: {'accept-encoding': 'identity'}});
  expect(await plain.text()).toBe('plain');
  const missing = await fetch(`${host.url}/assets/none.js`);
  expect([missing.status, ((await missing.json()) as {error: {code: string}}).error.code]).toEqual([404, 'NOT_FOUND']);
  for (const path of ['/assets/../index.html', '/assets/%2e%2e/index.html', '/assets/..%2findex.html']) expect((await fetch(host.url + path)).status).not.toBe(200);
});

test('it needs no admin secret, because it holds no data; pages of other sites do not get it', async () => {
  const {host} = await start(['api.adminSecret=a secret for these tests']);
  expect((await fetch(`${host.url}/`)).status).toBe(200);
  expect((await fetch(`${host.url}/assets/main-ABC.js`)).status).toBe(200);
  expect((await fetch(`${host.url}/`, {headers: {origin: 'https://evil.example'}})).status).toBe(403);
});

test('a console that was not built says how to build it', async () => {
  await rm(join(folder, 'index.html'));
  const {host} = await start();
  expect(await (await fetch(`${host.url}/`)).text()).toContain('npm run build');
});
