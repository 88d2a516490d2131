import {spawn} from 'node:child_process';
import type {ChildProcess} from 'node:child_process';
import {once} from 'node:events';
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';

const program = join(import.meta.dirname, '../../dist/main.js');

/** A Millrace in a process of its own, which can be killed. */
export interface ServerProcess {
  readonly url: string;
  readonly pid: number;
  /** All it wrote. */
  output(): string;
  signal(name: NodeJS.Signals): void;
  /** How it ended, once it has. */
  readonly ended: Promise<{code: number | null; signal: NodeJS.Signals | null}>;
  /** Sends a signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<{code: number | null; signal: NodeJS.Signals | null}>;
}

export interface ServerOptions {
  readonly command?: 'serve' | 'work';
  readonly env?: Readonly<Record<string, string>>;
  readonly set?: readonly string[];
  /** Runs the command line by this program: `['prlimit', '--fsize=1000000']`. */
  readonly through?: readonly string[];
}

const running = new Set<ChildProcess>();

/** Starts the built program over a project folder and waits until it answers. @throws when it ends before */
export async function startServer(folder: string, options: ServerOptions = {}): Promise<ServerProcess> {
  const {child, output, ended} = launch(folder, options);
  const ready = /"url":"(http:[^"]+)".*"msg":"listening"/;
  for (;;) {
    const url = ready.exec(output())?.[1];
    if (url !== undefined) {
      return {
        url, pid: child.pid!, output, ended,
        signal: name => void process.kill(child.pid!, name),
        end: async name => {
          if (child.exitCode === null && child.signalCode === null) process.kill(child.pid!, name);
          return ended;
        },
      };
    }
    const result = await Promise.race([ended, sleep(20)]);
    if (result) throw new Error(`The server ended (${result.code ?? result.signal}):\n${output()}`);
  }
}

/** Starts the built program and waits for its end. */
export async function runServer(folder: string, options: ServerOptions = {}): Promise<{code: number | null; signal: NodeJS.Signals | null; output: string}> {
  const {output, ended} = launch(folder, options);
  return {...(await ended), output: output()};
}

function launch(folder: string, {command = 'serve', env = {}, set = [], through = []}: ServerOptions) {
  if (!existsSync(program)) throw new Error('Millrace is not built: npm run build');
  // Not by bin/millrace.mjs, which may start another Node: a signal is to reach the very process that does the work.
  const args = [
    ...through, process.execPath, '--enable-source-maps', program, command, '--json', '--project', folder, '--port', '0', '--log-level', 'info', '--log-format', 'json',
    ...['engine.memoryLimit=1GiB', 'pipelines.leaseSeconds=1', ...set].flatMap(entry => ['--set', entry]),
  ];
  const child = spawn(args[0]!, args.slice(1), {
    stdio: ['ignore', 'pipe', 'pipe'], env: {PATH: process.env.PATH, TMPDIR: process.env.TMPDIR, UV_THREADPOOL_SIZE: '16', ORT_DISABLE_TELEMETRY: '1', ...env},
  });
  running.add(child);
  let written = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece: Buffer) => (written += piece.toString()));
  const ended = once(child, 'close').then(([code, signal]) => {
    running.delete(child);
    return {code: code as number | null, signal: signal as NodeJS.Signals | null};
  });
  return {child, output: () => written, ended};
}

/** Kills what a test left running. For `afterAll`. */
export async function killServers(): Promise<void> {
  await Promise.all([...running].map(async child => {
    child.kill('SIGKILL');
    await once(child, 'close');
  }));
}
