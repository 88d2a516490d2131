import {spawn} from 'node:child_process';
import {Agent, request} from 'node:http';
import {createServer} from 'node:net';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {root} from '../../scripts/lib/project.mjs';
import {sampleFolder, threads} from './app.mjs';
import {peakMemory} from './memory.mjs';

const agent = new Agent({keepAlive: true, maxSockets: 64});

/** Asks by HTTP on a connection that is kept. @returns the status and the body's bytes */
export function ask(/** @type {string} */ url, /** @type {string | undefined} */ body = undefined) {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, {agent, method: body === undefined ? 'GET' : 'POST', headers: body === undefined ? {} : {'content-type': 'application/json'}}, (incoming) => {
      /** @type {Buffer[]} */
      const chunks = [];
      incoming.on('data', (chunk) => chunks.push(chunk)).on('error', reject).on('end', () => resolve({status: incoming.statusCode, body: Buffer.concat(chunks)}));
    });
    outgoing.on('error', reject).end(body);
  });
}

/** The data of a GraphQL answer. @throws when there are errors */
export async function query(/** @type {string} */ url, /** @type {string} */ text, variables = {}) {
  const {body} = await ask(`${url}/graphql`, JSON.stringify({query: text, variables}));
  const {data, errors} = JSON.parse(body.toString());
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

/** Starts `millrace serve` on a project's folder, as a user does; does not wait for it. */
export async function serve(/** @type {string} */ folder) {
  const port = await freePort();
  const child = spawn(process.execPath, [join(root, 'bin/millrace.mjs'), 'serve', '--port', String(port)], {
    cwd: folder, stdio: ['ignore', 'ignore', 'inherit'],
    env: {...process.env, MILLRACE_SOURCES_ROOTS: sampleFolder, MILLRACE_LOG_LEVEL: 'error', MILLRACE_ENGINE_THREADS: String(threads), MILLRACE_INFERENCE_THREADS: String(threads)},
  });
  const ended = new Promise((resolve) => { child.once('exit', resolve); });
  return {
    url: `http://127.0.0.1:${port}`,
    pid: child.pid,
    peakMemory: () => peakMemory(child.pid),
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** Asks until there is an answer without errors. */
export async function firstAnswer(/** @type {string} */ url, /** @type {string} */ text) {
  for (const until = performance.now() + 60_000; performance.now() < until; await sleep(5)) {
    const data = await query(url, text).catch(() => null);
    if (data) return data;
  }
  throw new Error(`${url} does not answer`);
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  const {port} = server.address();
  await new Promise((resolve) => { server.close(resolve); });
  return port;
}
