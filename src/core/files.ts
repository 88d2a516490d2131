import {open, rename, rm, writeFile} from 'node:fs/promises';
import {dirname} from 'node:path';

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
