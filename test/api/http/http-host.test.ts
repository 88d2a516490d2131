import {createServer, request as httpRequest} from 'node:http';
import {type AddressInfo, connect} from 'node:net';
import {setTimeout as sleep} from 'node:timers/promises';
import {WebSocket, WebSocketServer} from 'ws';
import type {Mount} from '../../../src/api/http/mount.ts';
import {MillraceError} from '../../../src/core/errors.ts';
import type {LifecycleState} from '../../../src/core/lifecycle.ts';
import {logContext} from '../../../src/core/logging.ts';
import {closeHosts, startHost} from './support.ts';

afterEach(closeHosts);

const secret = 'a secret for these tests';
const whoAsks: Mount = (app) => {
  app.get('/who', (request) => ({viewer: request.viewer.name, limits: request.viewer.limits}));
};

/** `fetch` sets Host by itself; node:http lets us say it. */
function ask(port: number, path: string, options: {headers?: Record<string, string>; method?: string; body?: string} = {}) {
  return new Promise<{status: number; headers: Record<string, unknown>; body: string}>((resolve, reject) => {
    const request = httpRequest({port, path, host: '127.0.0.1', agent: false, ...options}, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk) => (body += chunk)).on('end', () => resolve({status: response.statusCode!, headers: response.headers, body}));
    });
    request.on('error', reject).end(options.body);
  });
}

describe('where a request comes from', () => {
  const attempts = (port: number): [string, Record<string, string>, number][] => [
    ['no Origin', {}, 200],
    ['localhost', {host: `localhost:${port}`, origin: `http://localhost:${port}`}, 200],
    ['IPv6', {host: `[::1]:${port}`, origin: `http://[::1]:${port}`}, 200],
    ['one loopback name asking by another', {host: `127.0.0.1:${port}`, origin: `http://localhost:${port}`}, 200],
    ['a configured origin', {origin: 'https://data.example.org'}, 200],
    ['a configured host', {host: 'data.example.org'}, 200],
    ['a re-pointed name', {host: `evil.example:${port}`}, 403],
    ['a re-pointed name that looks alike', {host: `localhost.evil.example:${port}`}, 403],
    ['a host with a user part', {host: `localhost:${port}@evil.example`}, 403],
    ['another local server', {origin: 'http://localhost:1'}, 403],
    ['another port as Host', {host: 'localhost:1'}, 403],
    ['another site', {origin: 'https://evil.example'}, 403],
    ['a longer origin', {origin: 'https://data.example.org.evil.example'}, 403],
    ['a file or a sandbox', {origin: 'null'}, 403],
    ['an image on another site', {'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors'}, 403],
    ['a link on another site', {'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate'}, 200],
    ['the address bar', {'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate'}, 200],
  ];

  test('requests', async () => {
    const refused = {error: {code: 'ORIGIN_REFUSED', hint: expect.stringContaining('api.origins')}};
    const {port} = await startHost(['api.origins=https://data.example.org'], {mounts: [whoAsks]});
    for (const [what, headers, status] of attempts(port)) {
      const answer = await ask(port, '/who', {headers});
      expect([what, answer.status]).toEqual([what, status]);
      expect(JSON.parse(answer.body)).toMatchObject(status === 403 ? refused : {viewer: 'local'});
    }
  });

  test('WebSocket upgrades', async () => {
    const sockets = new WebSocketServer({noServer: true});
    const {port} = await startHost(['api.origins=https://data.example.org'], {
      mounts: [(app, host) => {
        host.onUpgrade('/ws', (request, socket, head) => sockets.handleUpgrade(request, socket, head, (client) => client.send('hello')));
        app.addHook('preClose', async () => void sockets.close());
      }],
    });
    const open = (path: string, headers: Record<string, string>) => new Promise<string>((resolve) => {
      const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, {headers});
      socket.on('message', (data) => {
        resolve(String(data));
        socket.terminate();
      }).on('error', ({message}) => resolve(message));
    });
    for (const [what, headers, status] of attempts(port)) {
      expect([what, await open('/ws', headers)]).toEqual([what, status === 200 ? 'hello' : 'Unexpected server response: 403']);
    }
    expect(await open('/elsewhere', {})).toBe('Unexpected server response: 404');
  });

  test('pages of configured origins may ask, by CORS', async () => {
    const {port} = await startHost(['api.origins=https://data.example.org', `api.adminSecret=${secret}`], {mounts: [whoAsks]});
    const origin = 'https://data.example.org';
    const preflight = await ask(port, '/who', {method: 'OPTIONS', headers: {origin, 'access-control-request-method': 'GET', 'access-control-request-headers': 'authorization'}});
    expect(preflight).toMatchObject({status: 204, headers: {'access-control-allow-origin': origin, 'access-control-allow-headers': 'authorization', vary: 'origin'}});
    const refused = await ask(port, '/who', {method: 'OPTIONS', headers: {origin: 'https://evil.example', 'access-control-request-method': 'GET'}});
    expect(refused.status).toBe(403);
    expect(refused.headers).not.toHaveProperty('access-control-allow-origin');
  });

  test('a server others can reach has unknown names, and takes pages from the name it is asked by', async () => {
    const {port} = await startHost(['api.host=0.0.0.0', `api.adminSecret=${secret}`], {mounts: [whoAsks]});
    const asks = async (headers: Record<string, string>) => (await ask(port, '/who', {headers: {authorization: `Bearer ${secret}`, ...headers}})).status;
    expect(await asks({host: 'millrace.internal:8443', origin: 'https://millrace.internal:8443'})).toBe(200);
    expect(await asks({host: 'millrace.internal', origin: 'https://evil.example'})).toBe(403);
  });
});

test('without an admin secret whoever reaches the server is local, with the configured limits', async () => {
  const {host} = await startHost(['limits.rows=7', 'api.queryTimeoutSeconds=9'], {mounts: [whoAsks]});
  expect(await (await fetch(`${host.url}/who`)).json()).toMatchObject({viewer: 'local', limits: {rows: 7, seconds: 9, depth: 16}});
});

test('with one, everything but health and public files needs it', async () => {
  const {host} = await startHost([`api.adminSecret=${secret}`], {mounts: [whoAsks]});
  const asks = async (path: string, authorization?: string) => fetch(host.url + path, {headers: authorization === undefined ? {} : {authorization}});
  for (const authorization of [undefined, '', 'Bearer', 'Bearer ', 'Bearer wrong', `Basic ${secret}`, secret, `Bearer ${secret}x`, `Bearer ${secret.slice(1)}`]) {
    for (const path of ['/who', '/metrics', '/unknown']) {
      const answer = await asks(path, authorization);
      expect([authorization, path, answer.status, answer.headers.get('www-authenticate')]).toEqual([authorization, path, 401, 'Bearer']);
      expect(((await answer.json()) as {error: {code: string}}).error.code).toBe('UNAUTHENTICATED');
    }
  }
  expect(await (await asks('/who', `Bearer ${secret}`)).json()).toMatchObject({viewer: 'admin'});
  expect((await asks('/metrics', `bearer ${secret}`)).status).toBe(200);
  expect((await asks('/health/live')).status).toBe(200);
  expect((await asks('/health/ready')).status).toBe(200);
});

test('errors are answered from the table; only defects are logged, with the id of the request', async () => {
  const {host, port, log} = await startHost(['api.maxBodyBytes=100'], {
    mounts: [(app) => {
      app.get('/known', () => { throw new MillraceError('DATASET_NOT_FOUND', {name: 'x'}); });
      app.get('/defect', async () => { throw new Error('broken'); });
      app.post('/echo', (request) => request.body as object);
    }],
  });
  const ask = async (path: string, init?: RequestInit) => {
    const answer = await fetch(host.url + path, init);
    return {status: answer.status, id: answer.headers.get('x-request-id')!, ...((await answer.json()) as object)};
  };
  const json = {'content-type': 'application/json'};
  expect(await ask('/known')).toMatchObject({status: 404, error: {code: 'DATASET_NOT_FOUND', message: "There is no dataset 'x'.", hint: expect.any(String)}});
  expect(await ask('/nowhere?x=1')).toMatchObject({status: 404, error: {code: 'NOT_FOUND', message: "There is nothing at '/nowhere'."}});
  expect(await ask('/echo', {method: 'POST', headers: json, body: JSON.stringify('x'.repeat(200))})).toMatchObject({status: 413, error: {code: 'BODY_TOO_LARGE'}});
  expect(await ask('/echo', {method: 'POST', headers: json, body: '{'})).toMatchObject({status: 400, error: {code: 'REQUEST_INVALID'}});
  expect(await ask('/echo', {method: 'POST', headers: {'content-type': 'x/y'}, body: '{'})).toMatchObject({status: 400, error: {code: 'REQUEST_INVALID'}});
  expect(await ask('/%zz')).toMatchObject({status: 400, error: {code: 'REQUEST_INVALID'}});
  expect(log.filter((line) => line.includes('"level":"error"'))).toEqual([]);
  const defect = await ask('/defect');
  expect(defect).toMatchObject({status: 500, error: {code: 'INTERNAL'}});
  expect(log.map((line) => JSON.parse(line)).filter(({level}) => level === 'error')).toMatchObject([{requestId: defect.id, err: {cause: {message: 'broken'}}}]);
  expect(port).toBeGreaterThan(0);
});

test('a request has one id, given or made, that follows it past its body', async () => {
  const {host} = await startHost([], {
    mounts: [(app) => {
      app.post('/id', async () => {
        await sleep(2);
        return logContext();
      });
    }],
  });
  const ask = async (id?: string) => {
    const answer = await fetch(`${host.url}/id`, {method: 'POST', body: JSON.stringify('x'.repeat(300_000)), headers: {'content-type': 'application/json', ...(id ? {'x-request-id': id} : {})}});
    return [answer.headers.get('x-request-id'), ((await answer.json()) as {requestId: string}).requestId];
  };
  expect(await ask('mine-1')).toEqual(['mine-1', 'mine-1']);
  const [forged, ids] = [await ask('a b {"x":1}'), await Promise.all([ask(), ask(), ask()])];
  expect(forged[0]).toMatch(/^[0-9a-f-]{36}$/);
  for (const [header, inside] of ids) expect(inside).toBe(header);
  expect(new Set(ids.flat()).size).toBe(3);
});

test('ready tells the truth: which check failed, and the state of the process', async () => {
  let state: LifecycleState = 'starting';
  let broken = false;
  const {host} = await startHost([], {
    health: {
      state: () => state,
      checkSeconds: 0.05,
      checks: {
        catalog: async () => { if (broken) throw new Error('connection refused'); },
        disk: (signal) => new Promise((resolve, reject) => (broken ? signal.addEventListener('abort', reject) : resolve(1))),
      },
    },
  });
  const ready = async () => {
    const answer = await fetch(`${host.url}/health/ready`);
    return {code: answer.status, ...((await answer.json()) as object)};
  };
  expect(await ready()).toMatchObject({code: 503, status: 'not ready', state: 'starting', checks: {catalog: {ok: true}, disk: {ok: true}}});
  state = 'ready';
  expect(await ready()).toMatchObject({code: 200, status: 'ready'});
  broken = true;
  expect(await ready()).toMatchObject({
    code: 503, status: 'not ready', checks: {catalog: {ok: false, reason: 'connection refused'}, disk: {ok: false, reason: 'no answer after 0.05 s'}},
  });
  expect(await (await fetch(`${host.url}/health/live`)).json()).toEqual({status: 'live'});
  broken = false;
  state = 'stopping';
  expect(await ready()).toMatchObject({code: 503, state: 'stopping'});
});

test('a mount that fails keeps the server from starting, and its port is free', async () => {
  await expect(startHost([], {mounts: [async () => { throw new Error('no schema'); }]})).rejects.toThrow('no schema');
});

test('requests are measured by route, not by path', async () => {
  const {host} = await startHost([], {mounts: [(app) => void app.get('/thing/:id', () => 'x')]});
  for (const id of ['a', 'b']) await (await fetch(`${host.url}/thing/${id}`)).text();
  await (await fetch(`${host.url}/none/at-all`)).text();
  const text = await (await fetch(`${host.url}/metrics`)).text();
  expect(text).toContain('millrace_http_seconds_count{method="GET",route="/thing/:id",status="200"} 2');
  expect(text).toContain('millrace_http_seconds_count{method="GET",route="none",status="404"} 1');
  expect(text).toContain('millrace_http_in_flight 1');
  expect(text).not.toContain('at-all');
});

describe('the end', () => {
  const slow = (finished: string[]): Mount => (app) => {
    app.get('/slow', async () => {
      await sleep(150);
      finished.push('slow');
      return 'done';
    });
  };

  test('draining answers what is in flight, takes nothing new and closes idle connections', async () => {
    const finished: string[] = [];
    const {host, port} = await startHost([], {mounts: [slow(finished)]});
    const idle = connect(port, '127.0.0.1');
    const idleClosed = new Promise((resolve) => idle.on('close', resolve));
    idle.write('GET /health/live HTTP/1.1\r\nhost: 127.0.0.1:' + port + '\r\n\r\n');
    await new Promise((resolve) => idle.once('data', resolve));
    idle.resume();
    const answer = fetch(`${host.url}/slow`).then((response) => response.text());
    await sleep(40);
    const draining = host.drain(new AbortController().signal);
    await idleClosed;
    await expect(fetch(`${host.url}/health/live`)).rejects.toThrow();
    expect(await answer).toBe('done');
    await draining;
    await host.stop();
    expect(finished).toEqual(['slow']);
  });

  test('the deadline cuts what hangs, sockets included', async () => {
    const sockets = new WebSocketServer({noServer: true});
    const {host, port} = await startHost([], {
      mounts: [(app, mountHost) => {
        app.get('/hang', () => new Promise(() => {}));
        mountHost.onUpgrade('/ws', (request, socket, head) => sockets.handleUpgrade(request, socket, head, () => {}));
      }],
    });
    const hanging = fetch(`${host.url}/hang`).catch(() => 'cut');
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`);
    const socketClosed = new Promise((resolve) => socket.on('close', resolve));
    await new Promise((resolve) => socket.on('open', resolve));
    const began = performance.now();
    await host.drain(AbortSignal.timeout(100));
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(await hanging).toBe('cut');
    await socketClosed;
    sockets.close();
  });
});

test('a taken port and a foreign address have codes', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const {port} = other.address() as AddressInfo;
  await expect(startHost([`api.port=${port}`])).rejects.toMatchObject({code: 'PORT_IN_USE', message: expect.stringContaining(`127.0.0.1:${port}`)});
  await new Promise((resolve) => other.close(resolve));
  await expect(startHost(['api.host=192.0.2.1', `api.adminSecret=${secret}`])).rejects.toMatchObject({code: 'PORT_REFUSED'});
});
