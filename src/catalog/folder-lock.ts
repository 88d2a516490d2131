import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import {MillraceError} from '../core/errors.ts';

/**
 * One owner of an embedded folder. The lock is SQLite's on a file, so the operating system frees it when the owner dies,
 * however it dies; a file with a process id would go stale (in containers every main process is 1).
 *
 * @throws FOLDER_IN_USE
 */
export function lockFolder(folder: string): {release(): void} {
  mkdirSync(folder, {recursive: true, mode: 0o700});
  const ownerFile = join(folder, 'owner.json');
  const database = new DatabaseSync(join(folder, 'lock.sqlite'), {timeout: 0});
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; CREATE TABLE IF NOT EXISTS lock (owner INTEGER); ');
  } catch (cause) {
    database.close();
    let pid: unknown = 'unknown';
    try {
      pid = JSON.parse(readFileSync(ownerFile, 'utf8')).pid;
    } catch {
      // the owner has not said yet who it is
    }
    throw new MillraceError('FOLDER_IN_USE', {path: folder, pid}, {cause});
  }
  writeFileSync(ownerFile, JSON.stringify({pid: process.pid}));
  return {release: () => database.close()};
}
