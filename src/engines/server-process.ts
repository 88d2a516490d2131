/**
 * A server of others as a child of this process: started, watched until it answers, ended together with all that it started, also
 * when this process is killed.
 */
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {open, readFile} from 'node:fs/promises';
import {createServer} from 'node:net';
import {setTimeout as delay} from 'node:timers/promises';
import {MillraceError} from '../core/errors.ts';

export interface ServerProgram {
  /** As messages call it, such as `Spark`. */
  readonly name: string;
  readonly command: readonly [program: string, ...args: string[]];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Gets all that it writes; what was there before is gone. */
  readonly log: string;
  /** Asks it whether it answers, again and again until it does. */
  readonly answers: () => Promise<boolean>;
  /** Default 120. */
  readonly startSeconds?: number;
  /** Between being asked to end and being killed. Default 10. */
  readonly stopSeconds?: number;
}

export interface ServerProcess {
  /** Of the program, or of the first process of its command. */
  readonly pid: number;
  /** Its exit code, once it has ended; null when a signal ended it. */
  readonly ended: Promise<number | null>;
  /** Asks it and all that it started to end, and kills what does not. */
  stop(): Promise<void>;
}

/**
 * Runs the command in a process group of its own. Standard input is a pipe that closes when this process ends, however that happens:
 * then the group is asked to end. The first line of standard output tells the program's process id.
 */
const guard = `exec 3<&0
"$@" 3<&- </dev/null >>"$MILLRACE_LOG" 2>&1 &
child=$!
echo $child
{ read -r _ <&3; kill -TERM 0; } >/dev/null 2>&1 &
exec 3<&- >/dev/null 2>&1
trap : TERM INT HUP
while kill -0 $child; do wait $child; code=$?; done
exit $code`;

/** Java reads names of files, and some functions texts, by the locale: without one, everything but ASCII is lost. */
const utf8 = 'C.UTF-8';

/** Starts a server and waits until it answers. @throws ENGINE_START_FAILED with the end of its log, having ended it; the signal's reason */
export async function startServerProcess(program: ServerProgram, signal?: AbortSignal): Promise<ServerProcess> {
  const {name, command, cwd, env, log, answers, startSeconds = 120, stopSeconds = 10} = program;
  await (await open(log, 'w')).close();
  const child = spawn('/bin/sh', ['-c', guard, 'sh', ...command], {cwd, env: {...env, LC_ALL: utf8, MILLRACE_LOG: log}, detached: true, stdio: ['pipe', 'pipe', 'ignore']});
  let over = false;
  const ended = new Promise<number | null>(resolve => {
    child.once('error', () => resolve(null));
    child.once('exit', code => resolve(code));
  }).then(code => {
    over = true;
    killGroup(child.pid);
    return code;
  });
  const stop = async (): Promise<void> => {
    child.stdin.destroy();
    await Promise.race([ended, delay(stopSeconds * 1_000, undefined, {ref: false})]);
    if (!over) killGroup(child.pid);
    await ended;
  };
  child.stdin.on('error', () => undefined);
  const failed = async (reason: string): Promise<MillraceError> => {
    await stop();
    return new MillraceError('ENGINE_START_FAILED', {engine: name, reason, log, tail: lastLines(await readFile(log, 'utf8').catch(() => ''))});
  };

  const until = Date.now() + startSeconds * 1_000;
  const first = await Promise.race([once(child.stdout, 'data').then(([line]) => String(line)), ended]);
  while (!(await answers())) {
    if (over) throw await failed(`it ended${typeof first === 'string' ? ` with code ${await ended}` : ''}`);
    if (Date.now() > until) throw await failed(`it did not answer within ${startSeconds} s`);
    if (signal?.aborted) {
      await stop();
      signal.throwIfAborted();
    }
    await Promise.race([ended, delay(100, undefined, {signal}).catch(() => undefined)]);
  }
  if (over) throw await failed('it ended, and another server answers at its address');
  return {pid: Number(first), ended, stop};
}

/** Proves that nobody listens there: a server would seem to answer before it has found that out. @throws PORT_IN_USE */
export async function provePortFree(host: string, port: number): Promise<void> {
  const probe = createServer();
  try {
    await new Promise<void>((resolve, reject) => void probe.once('error', reject).listen(port, host, resolve));
  } catch (error) {
    throw new MillraceError('PORT_IN_USE', {host, port}, {cause: error});
  }
  await new Promise(resolve => probe.close(resolve));
}

/** Kills what is left of a group; its leader was a child of ours, so that the number is nobody else's. */
function killGroup(leader: number | undefined): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // Nothing is left of it.
  }
}

const lastLines = (log: string): string => log.trimEnd().split('\n').slice(-5).join('\n');
