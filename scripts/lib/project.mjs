/**
 * What the scripts of this folder share. Everything here runs on Node 20 without any package, because it is what installs them.
 */
import {spawn} from 'node:child_process';
import {dirname} from 'node:path';
import {fileURLToPath} from 'node:url';

/** The project's folder. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/**
 * Runs a program in the project's folder.
 * @param {string} command
 * @param {string[]} args
 * @param {{env?: NodeJS.ProcessEnv, cwd?: string, show?: boolean, timeout?: number}} options `show`: write its output as it
 *   comes; `timeout`: milliseconds after which it is killed. Default: never.
 * @returns {Promise<{ok: boolean, output: string}>} `output` is both streams together, '' with `show`.
 */
export function run(command, args, {env = process.env, cwd = root, show = false, timeout} = {}) {
  return new Promise((resolve) => {
    let output = '';
    const child = spawn(command, args, {cwd, env, timeout, killSignal: 'SIGKILL', stdio: show ? 'inherit' : ['ignore', 'pipe', 'pipe']});
    const collect = (/** @type {Buffer} */ chunk) => { output += chunk.toString(); };
    child.stdout?.on('data', collect);
    child.stderr?.on('data', collect);
    child.on('error', (error) => resolve({ok: false, output: `${command}: ${error.message}`}));
    child.on('close', (code) => resolve({ok: code === 0, output}));
  });
}

/** A duration for people: `3.2 s`, `2 min 5 s`. */
export function duration(/** @type {number} */ milliseconds) {
  const seconds = milliseconds / 1000;
  return seconds < 60 ? `${seconds.toFixed(1)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

/**
 * Shows that `work` is under way: on a terminal one line whose time ticks, elsewhere a line at the start, every ten seconds and at the end.
 * @template T
 * @param {string} title
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withProgress(title, work) {
  const out = process.stderr;
  const started = Date.now();
  const elapsed = () => duration(Date.now() - started);
  if (!out.isTTY) out.write(`${title} …\n`);
  const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
  let tick = 0;
  const timer = out.isTTY
    ? setInterval(() => out.write(`\r\x1b[2K${frames[tick++ % frames.length]} ${title} ${elapsed()}`), 100)
    : setInterval(() => out.write(`  still ${title[0]?.toLowerCase()}${title.slice(1)} (${elapsed()})\n`), 10_000);
  const end = (/** @type {string} */ mark) => {
    clearInterval(timer);
    out.write(`${out.isTTY ? '\r\x1b[2K' : ''}${mark} ${title} ${elapsed()}\n`);
  };
  try {
    const result = await work();
    end('✓');
    return result;
  } catch (error) {
    end('✗');
    throw error;
  }
}

/** Ends the process with a message for people when `work` fails; a stack trace would not help them. */
export async function orExit(/** @type {Promise<unknown>} */ work) {
  try {
    await work;
  } catch (error) {
    console.error(`\n${error instanceof Error ? error.message : String(error)}`);
    process.exit(1);
  }
}
