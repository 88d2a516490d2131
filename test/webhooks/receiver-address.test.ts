import {isPublic, publicLookup, urlProblem} from '../../src/webhooks/receiver-address.ts';

test.each(['8.8.8.8', '1.1.1.1', '172.15.0.1', '172.32.0.1', '192.169.0.1', '2606:4700:4700::1111', '2001:4860:4860::8888'])('%s is public', address => {
  expect(isPublic(address)).toBe(true);
});

test.each([
  '127.0.0.1', '127.9.9.9', '0.0.0.0', '10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.1.1', '169.254.169.254', '100.64.0.1', '198.18.0.1', '224.0.0.1', '255.255.255.255',
  '::1', '::', 'fe80::1', 'fc00::1', 'fd12:3456::1', 'ff02::1', '::ffff:127.0.0.1', '::ffff:8.8.8.8', '64:ff9b::7f00:1', '2002:7f00:1::', '2001::1', '2001:db8::1', 'localhost', '',
])('%s is not', address => {
  expect(isPublic(address)).toBe(false);
});

test.each([
  'ftp://example.org', 'file:///etc/passwd', 'example.org/hook', '', 'http://user:pass@example.org', 'http://localhost:9000', 'http://a.localhost', 'http://127.0.0.1', 'http://127.1',
  'http://2130706433', 'http://0x7f.1', 'http://[::1]:80', 'http://[::ffff:127.0.0.1]', 'http://169.254.169.254/latest/meta-data', 'http://10.0.0.1',
])("'%s' is refused", url => {
  expect(urlProblem(url, [])).not.toBeNull();
});

test('names and public addresses are not, nor what is named as private', () => {
  for (const url of ['https://example.org/hook?token=1', 'http://8.8.8.8:8080/x', 'https://[2606:4700:4700::1111]/']) expect(urlProblem(url, [])).toBeNull();
  for (const [url, host] of [['http://127.0.0.1:9000', '127.0.0.1'], ['http://localhost', 'LOCALHOST'], ['http://[::1]', '[::1]'], ['http://[::1]', '::1']] as const) expect(urlProblem(url, [host])).toBeNull();
  expect(urlProblem('http://127.0.0.2', ['127.0.0.1'])).not.toBeNull();
});

test('a name is refused when it means a private address, at the time it is connected to', async () => {
  const found = (hosts: readonly string[], all: boolean) => new Promise((resolve, reject) => publicLookup(hosts)('localhost', {all}, (error, address) => (error ? reject(error) : resolve(address))));
  await expect(found([], true)).rejects.toThrow('no public address');
  await expect(found([], false)).rejects.toThrow('no public address');
  expect(await found(['localhost'], true)).toContainEqual(expect.objectContaining({address: expect.stringMatching(/127\.0\.0\.1|::1/)}));
  expect(await found(['localhost'], false)).toMatch(/127\.0\.0\.1|::1/);
});
