import {fork} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';

/**
 * Runs the sides of a benchmark in turns (A B A B …), so that a noisy machine is noisy for all of them. Each side has a process and
 * a folder of its own, started once, one after the other; a side's exported function gets the folder, and one that they share, and
 * answers with `run(round)` and `stop()`.
 *
 * @param {string} url the benchmark's `import.meta.url`; it exports `sides`
 * @param {readonly string[]} names which sides, in their order
 * @param {{rounds: number, warmUps?: number, progress?: (text: string) => void}} options warm-ups (default 1) are run and forgotten
 * @returns by side, what each round told (`milliseconds`, and what `run` answered) and the process's peak memory in bytes
 */
export async function takeTurns(url, names, {rounds, warmUps = 1, progress = () => {}}) {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  const sides = [];
  try {
    const told = Object.fromEntries(names.map((name) => [name, {rounds: [], peakMemory: NaN}]));
    for (const name of names) {
      progress(`preparing ${name}`);
      const side = new Side(url, name, join(folder, name), folder);
      sides.push(side);
      await side.started;
    }
    for (let round = -warmUps; round < rounds; round++) {
      progress(round < 0 ? 'warming up' : `round ${round + 1} of ${rounds}`);
      for (const side of sides) {
        const answer = await side.ask('run', round + warmUps);
        if (round >= 0) told[side.name].rounds.push(answer);
      }
    }
    for (const side of sides) told[side.name].peakMemory = (await side.ask('stop')).peakMemory;
    return told;
  } finally {
    for (const side of sides) side.kill();
    rmSync(folder, {recursive: true, force: true});
  }
}

/** One side's process. `started` answers with what the side itself tells (`url`), `ask` with what its action did. */
export class Side {
  constructor(url, name, folder, shared) {
    this.name = name;
    this.waiting = [];
    // The same settings of the process as bin/millrace.mjs gives.
    const env = {...process.env, UV_THREADPOOL_SIZE: '16', ORT_DISABLE_TELEMETRY: '1'};
    this.child = fork(fileURLToPath(new URL('side.mjs', import.meta.url)), [url, name, folder, shared], {env});
    this.child.on('message', (message) => this.settle(message));
    this.child.on('exit', (code) => this.settle({error: `the process of '${name}' ended (${code})`}));
    this.started = this.next();
  }

  next() {
    return new Promise((resolve, reject) => { this.waiting.push({resolve, reject}); });
  }

  settle({answer, error}) {
    const waiting = this.waiting.shift();
    if (error !== undefined) waiting?.reject(new Error(error));
    else waiting?.resolve(answer);
  }

  ask(action, round) {
    const answer = this.next();
    this.child.send({action, round});
    return answer;
  }

  kill() {
    if (this.child.exitCode === null) this.child.kill('SIGKILL');
  }
}
