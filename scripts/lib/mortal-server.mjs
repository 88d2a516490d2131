/** What the scripts share that kill servers at random moments. */
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {node24} from './node.mjs';
import {root} from './project.mjs';

/** Numbers from 0 to 1, the same for the same seed (mulberry32). @param {number} seed */
export function randomFrom(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Starts a server of the built project; `url` is null when it ends before it listens. @param {string} folder @param {readonly string[]} [settings] `key=value` */
export function launch(folder, settings = []) {
  const set = ['pipelines.leaseSeconds=1', 'engine.memoryLimit=1GiB', ...settings].flatMap(setting => ['--set', setting]);
  const child = spawn(node24(), ['--enable-source-maps', join(root, 'dist/main.js'), 'serve', '--json', '--project', folder, '--port', '0', '--log-format', 'json', ...set], {
    stdio: ['ignore', 'pipe', 'pipe'], env: {...process.env, UV_THREADPOOL_SIZE: '16', ORT_DISABLE_TELEMETRY: '1'},
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', piece => (output += piece));
  const ended = once(child, 'close');
  const url = (async () => {
    for (;;) {
      const found = /"url":"(http:[^"]+)".*"msg":"listening"/.exec(output)?.[1];
      if (found !== undefined) return found;
      if (child.exitCode !== null || child.signalCode !== null) return null;
      await sleep(10);
    }
  })();
  return {child, ended, url, output: () => output};
}

/** @param {string} url @param {string} query @param {Record<string, unknown>} [variables] */
export async function ask(url, query, variables = {}) {
  const response = await fetch(`${url}/graphql`, {method: 'POST', headers: {'content-type': 'application/json'}, body: JSON.stringify({query, variables})});
  const {data, errors} = await response.json();
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}
