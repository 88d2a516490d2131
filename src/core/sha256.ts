import {createHash} from 'node:crypto';
import {readFile, stat} from 'node:fs/promises';
import {Worker} from 'node:worker_threads';

/** Files up to this size are hashed at once: 1 MiB takes about a millisecond, a worker thirty to start. */
const small = 1024 * 1024;

/**
 * The worker's program is text, so that it runs the same from the sources, from dist and under a test runner: a worker's module would be
 * loaded without whatever compiles this one.
 */
const program = `
const {parentPort, workerData} = require('node:worker_threads');
const {createHash} = require('node:crypto');
const {openSync, readSync, closeSync} = require('node:fs');
const buffer = Buffer.allocUnsafe(4 * 1024 * 1024);
parentPort.postMessage(workerData.map(path => {
  const hash = createHash('sha256');
  const file = openSync(path, 'r');
  try {
    for (let length; (length = readSync(file, buffer)) > 0; ) hash.update(buffer.subarray(0, length));
  } finally {
    closeSync(file);
  }
  return hash.digest('hex');
}));
`;

/** The SHA-256 of each file's bytes, in hex; large files are read outside this thread. */
export async function sha256OfFiles(paths: readonly string[]): Promise<string[]> {
  const result = new Map<string, string>();
  const large: string[] = [];
  for (const path of paths) {
    if ((await stat(path)).size <= small) result.set(path, createHash('sha256').update(await readFile(path)).digest('hex'));
    else large.push(path);
  }
  if (large.length > 0) {
    const hashes = await inWorker(large);
    large.forEach((path, index) => result.set(path, hashes[index]!));
  }
  return paths.map(path => result.get(path)!);
}

/** The SHA-256 of one file's bytes, in hex. */
export async function sha256OfFile(path: string): Promise<string> {
  return (await sha256OfFiles([path]))[0]!;
}

async function inWorker(paths: readonly string[]): Promise<string[]> {
  const worker = new Worker(program, {eval: true, workerData: paths});
  try {
    return await new Promise<string[]>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
  } finally {
    await worker.terminate();
  }
}
