import {spawn} from 'node:child_process';
import type {ChildProcess} from 'node:child_process';
import {once} from 'node:events';
import {existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {setTimeout as delay} from 'node:timers/promises';
import {root} from '../rules/sources.ts';

export interface Ended {
  /** Or the signal that ended it. */
  readonly exit: number | string;
  readonly out: string;
  readonly err: string;
}

/** A command that runs, as a process of its own. */
export class Millrace {
  out = '';
  err = '';
  readonly process: ChildProcess;
  private readonly end: Promise<unknown[]>;

  constructor(cwd: string, args: readonly string[], input?: string) {
    // Neither the options of the test run nor its settings are meant for it.
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => name !== 'NODE_OPTIONS' && !name.startsWith('MILLRACE_')));
    this.process = spawn(process.execPath, [join(root, 'bin/millrace.mjs'), ...args], {cwd, env, stdio: ['pipe', 'pipe', 'pipe']});
    this.process.stdout!.setEncoding('utf8').on('data', (text: string) => (this.out += text));
    this.process.stderr!.setEncoding('utf8').on('data', (text: string) => (this.err += text));
    this.process.stdin!.on('error', () => {}).end(input ?? '');
    this.end = once(this.process, 'close');
  }

  async ended(): Promise<Ended> {
    const [code, signal] = (await this.end) as [number | null, string | null];
    return {exit: code ?? signal!, out: this.out, err: this.err};
  }

  /** Waits until it is true. @throws when the process ends before, or after a minute */
  async until(condition: () => boolean, seconds = 60): Promise<void> {
    for (const limit = Date.now() + seconds * 1000; !condition(); await delay(20)) {
      if (this.process.exitCode !== null || this.process.signalCode !== null || Date.now() > limit) throw new Error(`it did not come to that:\n${this.out}\n${this.err}`);
    }
  }

  async kill(signal: NodeJS.Signals): Promise<Ended> {
    this.process.kill(signal);
    return this.ended();
  }
}

/** A project folder for tests, and the servers that were started on it. */
export class Project {
  readonly folder = mkdtempSync(join(tmpdir(), 'millrace-cli-'));
  private readonly started: Millrace[] = [];

  write(files: Readonly<Record<string, string>>): this {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.folder, path)), {recursive: true});
      writeFileSync(join(this.folder, path), text);
    }
    return this;
  }

  start(args: readonly string[], input?: string): Millrace {
    const millrace = new Millrace(this.folder, args, input);
    this.started.push(millrace);
    return millrace;
  }

  run(args: readonly string[], input?: string): Promise<Ended> {
    return this.start(args, input).ended();
  }

  /** @throws when the command fails */
  async json(args: readonly string[]): Promise<any> {
    const {exit, out, err} = await this.run([...args, '--json']);
    if (exit !== 0) throw new Error(`millrace ${args.join(' ')} ended with ${exit}:\n${err}`);
    return JSON.parse(out);
  }

  async serve(...args: readonly string[]): Promise<Millrace> {
    const server = this.start(['serve', '--port', '0', ...args]);
    await server.until(() => existsSync(this.serverFile) && (JSON.parse(readFileSync(this.serverFile, 'utf8')) as {pid: number}).pid === server.process.pid);
    return server;
  }

  get serverFile(): string {
    return join(this.folder, '.millrace/server.json');
  }

  async remove(): Promise<void> {
    await Promise.all(this.started.map((millrace) => millrace.kill('SIGKILL')));
    rmSync(this.folder, {recursive: true, force: true});
  }
}
