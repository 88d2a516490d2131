import {existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Worker} from 'node:worker_threads';
import type {PoolConfig} from 'pg';
import {MillraceError} from '../core/errors.ts';
import {lockFolder} from './folder-lock.ts';
import {workerUrl} from './worker-url.ts';

export interface EmbeddedDatabase {
  readonly connection: PoolConfig;
  stop(): Promise<void>;
}

/** A Unix socket's path may have 107 bytes. */
const longestSocketPath = 100;

/**
 * Opens (or makes) the embedded database in a folder, alone.
 *
 * PGlite has no version of its own in the folder's name: a folder made by another PostgreSQL is refused, not opened.
 * @throws FOLDER_IN_USE, FOLDER_VERSION
 */
export async function startEmbedded(folder: string): Promise<EmbeddedDatabase> {
  const lock = lockFolder(folder);
  let scratch: string | undefined;
  try {
    const dataFolder = join(folder, 'pgdata');
    const madeFile = join(folder, 'version.json');
    // Written when a database has been made to its end; a first start that died half-way begins anew.
    const isNew = !existsSync(madeFile);
    if (isNew) rmSync(dataFolder, {recursive: true, force: true});
    mkdirSync(dataFolder, {recursive: true, mode: 0o700});

    let socketFolder = folder;
    if (Buffer.byteLength(join(folder, '.s.PGSQL.5432')) > longestSocketPath) {
      socketFolder = scratch = mkdtempSync(join(tmpdir(), 'millrace-'));
    }
    const socket = join(socketFolder, '.s.PGSQL.5432');
    const template = isNew ? readTemplate() : null;

    if (!isNew) refuseOtherVersion(folder);
    // PostgreSQL's own lock: empty, when its owner was killed while it wrote it, and then nothing opens the folder. Ours has been taken.
    rmSync(join(dataFolder, 'postmaster.pid'), {force: true});
    const worker = new Worker(workerUrl('pglite-worker', import.meta.url), {workerData: {folder: dataFolder, socket, template}});
    const version = await new Promise<string>((resolve, reject) => {
      worker.on('message', message => message.ready && resolve(message.ready));
      worker.once('error', reject);
      worker.once('exit', code => reject(new Error(`the embedded database ended (${code})`)));
    });
    if (isNew) writeFileSync(madeFile, JSON.stringify({postgres: version}));

    return {
      connection: {host: socketFolder, port: 5432, user: 'postgres', database: 'postgres', password: 'none'},
      stop: async () => {
        const ended = new Promise(resolve => worker.once('exit', resolve));
        worker.postMessage({stop: true});
        await ended;
        lock.release();
        if (scratch) rmSync(scratch, {recursive: true, force: true});
      },
    };
  } catch (error) {
    lock.release();
    if (scratch) rmSync(scratch, {recursive: true, force: true});
    throw error;
  }
}

/**
 * A prepared empty database, made by the build: opening it takes 0.7 s where making one takes 5 s. Without it everything works,
 * later. Migrations newer than it are applied on top.
 */
function readTemplate(): Uint8Array | null {
  const file = new URL('../../dist/catalog/template.tar.gz', import.meta.url);
  return existsSync(file) ? readFileSync(file) : null;
}

const expectedPostgres = '18';

function refuseOtherVersion(folder: string): void {
  const found = readFileSync(join(folder, 'pgdata', 'PG_VERSION'), 'utf8').trim();
  if (found !== expectedPostgres) {
    throw new MillraceError('FOLDER_VERSION', {path: folder, found: `PostgreSQL ${found}`, expected: `PostgreSQL ${expectedPostgres}`});
  }
}
