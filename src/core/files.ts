import {open, readdir, rename, rm, stat, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';

/** Forces a file's or a folder's content to the disk. */
export async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Writes a whole file so that a crash leaves the old one or the new one, on the disk when this returns. */
export async function writeDurably(path: string, content: string | Uint8Array): Promise<void> {
  const draft = `${path}.${process.pid}.tmp`;
  try {
    await writeFile(draft, content, {flush: true});
    await rename(draft, path);
    await syncPath(dirname(path));
  } catch (error) {
    await rm(draft, {force: true});
    throw error;
  }
}

/** Removes what lies in a folder for longer than some hours: what killed processes left. Zero hours: only while nothing else writes there. */
export async function sweepFolder(folder: string, graceHours: number, keep: (name: string) => boolean = () => false): Promise<void> {
  const oldest = Date.now() - graceHours * 3_600_000;
  for (const name of await readdir(folder).catch(() => [])) {
    if (keep(name)) continue;
    const path = join(folder, name);
    // Another process may sweep too.
    const {mtimeMs} = await stat(path).catch(() => ({mtimeMs: Infinity}));
    if (mtimeMs <= oldest) await rm(path, {recursive: true, force: true});
  }
}
