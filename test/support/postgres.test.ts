import {spawn, spawnSync} from 'node:child_process';
import {once} from 'node:events';
import {chmodSync, existsSync, mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {createDatabase} from './postgres.ts';
import type {TestDatabase} from './postgres.ts';
import {isRunning, unprivileged} from './postgres-server.ts';

const open: TestDatabase[] = [];
afterAll(async () => { for (const database of open) await database.drop(); });
const create = async (template?: string) => {
  const database = await createDatabase(template);
  open.push(database);
  return database;
};

test('gives each caller a database of its own, or a copy of a template', async () => {
  const first = await create();
  await first.query('CREATE TABLE seen (x int)');
  const [second, copy] = [await create(), await create(first.url)];
  const tables = (database: TestDatabase) => database.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'");
  expect(await tables(second)).toEqual([]);
  expect(await tables(copy)).toEqual([{tablename: 'seen'}]);
});

test('runs in a time zone that is not UTC', async () => {
  const database = await create();
  expect(await database.query('SHOW timezone')).toEqual([{TimeZone: 'America/New_York'}]);
  expect(await database.query("SELECT '2001-06-01 00:00Z'::timestamptz::text AS at")).toEqual([{at: '2001-05-31 20:00:00-04'}]);
});

test('drops a database somebody is still connected to', async () => {
  const database = await createDatabase();
  await database.drop();
  await expect(database.query('SELECT 1')).rejects.toThrow(/does not exist/);
});

/** Whom to start Node as: not root, unless the project lies where only root may read. */
function ordinaryUser() {
  const identity = unprivileged();
  return spawnSync(process.execPath, ['--version'], identity).status === 0 ? identity : {};
}

/** Starts a server in a process of its own that never stops it; gives that process and the server's numbers. */
async function elsewhere(folder: string, identity: {uid?: number; gid?: number}) {
  const script = `
    const {startPostgres} = await import(${JSON.stringify(join(import.meta.dirname, 'postgres-server.ts'))});
    console.log(JSON.stringify(await startPostgres({folder: ${JSON.stringify(join(folder, 'pg'))}})));
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {...identity, stdio: ['ignore', 'pipe', 'inherit']});
  const [line] = (await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])) as [Buffer];
  return {child, server: JSON.parse(line.toString()) as {pid: number; watcher: number}};
}

test('runs as an ordinary user, and ends with its owner even when that is killed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-pg-'));
  chmodSync(folder, 0o777);
  try {
    const {child, server} = await elsewhere(folder, ordinaryUser());
    const user = spawnSync('ps', ['-o', 'uid=', '-p', String(server.pid)], {encoding: 'utf8'}).stdout.trim();
    expect(user).not.toBe('0');
    child.kill('SIGKILL');
    await once(child, 'exit');
    for (let waited = 0; waited < 10_000 && (isRunning(server.watcher) || existsSync(join(folder, 'pg'))); waited += 50) await sleep(50);
    expect([server.pid, server.watcher].filter(isRunning)).toEqual([]);
    expect(existsSync(join(folder, 'pg'))).toBe(false);
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
});
