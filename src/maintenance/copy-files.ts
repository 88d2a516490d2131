import {constants} from 'node:fs';
import {copyFile, link, mkdir, stat} from 'node:fs/promises';
import {dirname} from 'node:path';
import {syncPath} from '../core/files.ts';
import {sha256OfFile} from '../core/sha256.ts';
import type {BackupProgress, OnProgress} from './maintenance.ts';

/** A file as the catalog knows it, and where it is to go. */
export interface CopiedFile {
  readonly from: string;
  readonly to: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Left out when it is not there. Default: it must be there. */
  readonly optional?: boolean;
}

/** Why a file is not what the catalog says, in words; null when it is. */
export async function damageOf(path: string, bytes: number, sha256: string): Promise<string | null> {
  try {
    const found = (await stat(path)).size;
    if (found !== bytes) return `it has ${found} bytes instead of ${bytes}`;
    return (await sha256OfFile(path)) === sha256 ? null : 'its checksum differs';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'it is missing' : (error as Error).message;
  }
}

/** Links a file, which is never written again, into another folder; where that is on another disk, copies it. */
export async function linkOrCopy(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), {recursive: true});
  try {
    await link(from, to);
  } catch (error) {
    if (!['EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  }
  await syncPath(to);
}

/** Does something for each, four at a time. After a failure it begins no more, and rejects when nothing is left running. */
export async function eachOf<T>(items: Iterable<T> | AsyncIterable<T>, work: (item: T) => Promise<void>): Promise<void> {
  const running = new Set<Promise<void>>();
  try {
    for await (const item of items) {
      const task = work(item).then(() => void running.delete(task));
      running.add(task);
      if (running.size >= 4) await Promise.race(running);
    }
    await Promise.all(running);
  } finally {
    await Promise.allSettled(running);
  }
}

/**
 * Copies checked files, four at a time.
 * @param onDamage makes the error for a file that is not what the catalog says
 * @returns how many files and bytes
 */
export async function copyFiles(
  files: AsyncIterable<CopiedFile>,
  ofFiles: number,
  onDamage: (file: CopiedFile, reason: string) => Error,
  report: OnProgress = () => undefined,
): Promise<Pick<BackupProgress, 'files' | 'bytes'>> {
  const done = {files: 0, bytes: 0};
  await eachOf(files, async file => {
    const damage = await damageOf(file.from, file.bytes, file.sha256);
    if (damage !== null && file.optional) return;
    if (damage !== null) throw onDamage(file, damage);
    await linkOrCopy(file.from, file.to);
    done.files++;
    done.bytes += file.bytes;
    report({...done, ofFiles});
  });
  return done;
}
