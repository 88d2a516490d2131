#!/usr/bin/env node
/**
 * The command `millrace`. Runs on any Node from 20 on: gives the program a new enough Node, and settings that a process can
 * only have from its start.
 */
import {spawn} from 'node:child_process';
import {existsSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {node24} from '../scripts/lib/node.mjs';

const main = join(dirname(dirname(fileURLToPath(import.meta.url))), 'dist/main.js');

/** The engine's queries occupy threads of libuv's pool; with its default of 4, four queries would stop every file read. */
const threadPoolSize = '16';

/** Runs the program with `args` in place of this process: same streams, signals passed on, same end. */
function launch(args) {
  const child = spawn(node24(), ['--enable-source-maps', main, ...args], {
    stdio: 'inherit',
    env: {UV_THREADPOOL_SIZE: threadPoolSize, ...process.env},
  });
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2'];
  for (const signal of signals) {
    // A terminal sends Ctrl-C to both processes; a second one would mean "at once".
    process.on(signal, () => { if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal); });
  }
  child.on('error', (error) => {
    console.error(`millrace: ${error.message}`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    for (const name of signals) process.removeAllListeners(name);
    if (signal !== null) process.kill(process.pid, signal);
    else process.exitCode = code ?? 1;
  });
}

try {
  if (!existsSync(main)) throw new Error('Millrace is not built yet. Build it with: npm run build');
  launch(process.argv.slice(2));
} catch (error) {
  console.error(`millrace: ${error.message}`);
  process.exitCode = 1;
}
