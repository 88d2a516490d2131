/** Programs of others that an engine needs, installed into folders of ours: whole or not at all, and once. */
import {spawn} from 'node:child_process';
import {mkdir, readFile, rename, rm, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {MillraceError} from '../core/errors.ts';
import type {RemoteName} from './remote-engine.ts';
import type {ServerProcess} from './server-process.ts';

/** An engine whose servers can be had on this machine without containers: each in one folder of its own. */
export interface EngineServers {
  readonly name: RemoteName;
  readonly version: string;
  /** What is downloaded, for people. */
  readonly size: string;
  /** Installs it unless it is there. @returns whether anything had to be done. @throws ENGINE_INSTALL_FAILED */
  install(folder: string, options: {readonly env: Environment; readonly signal?: AbortSignal}): Promise<boolean>;
  /** Starts what was installed, and waits until it answers. @throws ENGINE_START_FAILED, ENGINE_INSTALL_FAILED, PORT_IN_USE; the signal's reason */
  start(folder: string, options: StartOptions, signal?: AbortSignal): Promise<StartedServers>;
}

export interface StartOptions {
  readonly env: Environment;
  /** The address to listen on. Default: this machine's own; another one of Spark needs a token. */
  readonly host?: string;
  /** Default: the engine's usual one. */
  readonly port?: number;
  /** Whoever asks must have it. Default: anybody on this machine may ask. */
  readonly token?: string;
  /** What Spark calls so: where the work is done. */
  readonly master?: string;
  /** Of the server, in Java's notation. */
  readonly memory?: string;
}

export interface StartedServers {
  /** What makes this Millrace use them: settings by their keys. */
  readonly settings: Readonly<Record<string, string>>;
  readonly version: string;
  readonly process: Pick<ServerProcess, 'pid' | 'ended' | 'stop'>;
  readonly log: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

const stampName = '.millrace';

/** Whether the folder holds exactly this. */
export const isInstalled = async (folder: string, stamp: string): Promise<boolean> => (await readFile(join(folder, stampName), 'utf8').catch(() => '')) === stamp;

/**
 * Fills a folder, unless it holds the same already. It is filled under another name, so that one that was broken off is never taken for
 * whole; of two who install at once one wins.
 * @param stamp names what is installed: versions and checksums
 * @returns whether anything had to be done
 */
export async function installOnce(folder: string, stamp: string, fill: (draft: string) => Promise<void>): Promise<boolean> {
  if (await isInstalled(folder, stamp)) return false;
  const draft = `${folder}.${process.pid}.draft`;
  await rm(draft, {recursive: true, force: true});
  await mkdir(draft, {recursive: true});
  try {
    await fill(draft);
    await writeFile(join(draft, stampName), stamp, {flush: true});
    await mkdir(dirname(folder), {recursive: true});
    if (await isInstalled(folder, stamp)) return false;
    await rm(folder, {recursive: true, force: true});
    await rename(draft, folder);
    return true;
  } finally {
    await rm(draft, {recursive: true, force: true});
  }
}

export interface ToolRun {
  readonly ok: boolean;
  /** All it wrote, or why it could not be started. */
  readonly output: string;
}

/** Runs a program to its end; never throws but for the signal's reason. */
export async function runTool(command: readonly [program: string, ...args: string[]], options: {readonly env: Environment; readonly cwd?: string; readonly signal?: AbortSignal}): Promise<ToolRun> {
  const [program, ...args] = command;
  const child = spawn(program, args, {env: {...options.env}, cwd: options.cwd, stdio: ['ignore', 'pipe', 'pipe'], signal: options.signal});
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece: Buffer) => (output += piece.toString()));
  const code = await new Promise<number | null>(resolve => {
    child.once('error', error => {
      output += error.message;
      resolve(null);
    });
    child.once('close', resolve);
  });
  options.signal?.throwIfAborted();
  return {ok: code === 0, output};
}

/** The least Java that servers of ours run on. */
const leastJava = 17;

/** The `java` that the environment names. @throws ENGINE_INSTALL_FAILED with the command that installs one */
export async function findJava(engine: string, env: Environment): Promise<string> {
  const program = env.JAVA_HOME ? join(env.JAVA_HOME, 'bin/java') : 'java';
  const {ok, output} = await runTool([program, '-version'], {env});
  const version = Number(/version "(\d+)/.exec(output)?.[1] ?? 0);
  if (ok && version >= leastJava) return program;
  const reason = version > 0 ? `it needs Java ${leastJava} or later; \`${program}\` is ${version}.` : `it needs Java ${leastJava} or later, and there is no \`${program}\`.`;
  throw new MillraceError('ENGINE_INSTALL_FAILED', {engine, reason, advice: 'Install Java: apt-get install openjdk-17-jre-headless (as root), or set JAVA_HOME.'});
}
