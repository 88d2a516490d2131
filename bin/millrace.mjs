#!/usr/bin/env node
/**
 * The command `millrace`. Runs on any Node from 20 on: gives the program a new enough Node, and settings that a process can
 * only have from its start.
 */
import {spawn} from 'node:child_process';
import {existsSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath, pathToFileURL} from 'node:url';
import {node24} from '../scripts/lib/node.mjs';

const main = join(dirname(dirname(fileURLToPath(import.meta.url))), 'dist/main.js');

// The engine's queries occupy threads of libuv's pool; with its default of 4, four queries would stop every file read.
// The pool takes its size from here when it is first used, which nothing did yet.
process.env.UV_THREADPOOL_SIZE ??= '16';

// ONNX Runtime reports to its maker unless it is told not to before it is loaded; what Millrace does is nobody's business.
process.env.ORT_DISABLE_TELEMETRY ??= '1';

/** Runs the program by another Node in place of this process: same streams, signals passed on, same end. */
function launch(/** @type {string} */ node) {
  const child = spawn(node, ['--enable-source-maps', main, ...process.argv.slice(2)], {stdio: 'inherit'});
  /** @type {NodeJS.Signals[]} */
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2'];
  for (const signal of signals) {
    // A terminal sends Ctrl-C to both processes; a second one would mean "at once".
    process.on(signal, () => { if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal); });
  }
  child.on('error', fail);
  child.on('exit', (code, signal) => {
    for (const name of signals) process.removeAllListeners(name);
    if (signal !== null) process.kill(process.pid, signal);
    else process.exitCode = code ?? 1;
  });
}

function fail(/** @type {Error} */ error) {
  console.error(`millrace: ${error.message}`);
  process.exitCode = 1;
}

let node;
try {
  if (!existsSync(main)) throw new Error('Millrace is not built yet. Build it with: npm run build');
  node = node24();
} catch (error) {
  fail(/** @type {Error} */ (error));
}
if (node === process.execPath) {
  process.setSourceMapsEnabled(true);
  await import(pathToFileURL(main).href);
} else if (node !== undefined) {
  launch(node);
}
