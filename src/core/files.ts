import {createHash} from 'node:crypto';
import {createReadStream} from 'node:fs';
import {open, rename, rm, writeFile} from 'node:fs/promises';
import {dirname} from 'node:path';

/** SHA-256 of a file's bytes in hex, read in pieces so that other work goes on between them. */
export async function sha256OfFile(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path, {highWaterMark: 1 << 18, signal})) hash.update(piece as Buffer);
  return hash.digest('hex');
}

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
