import {createHash} from 'node:crypto';
import {readFile, stat} from 'node:fs/promises';
import {Worker} from 'node:worker_threads';

/** Files up to this size are hashed at once: 1 MiB takes about a millisecond, a thread eighty to start. */
const small = 1024 * 1024;

/** Milliseconds after which a thread with nothing to do ends. */
const patience = 5_000;

/**
 * The thread's program is text, so that it runs the same from the sources, from dist and under a test runner: a module would be
 * loaded without whatever compiles this one.
 */
const program = `
const {parentPort} = require('node:worker_threads');
const {createHash} = require('node:crypto');
const {openSync, readSync, closeSync} = require('node:fs');
const buffer = Buffer.allocUnsafe(4 * 1024 * 1024);
parentPort.on('message', paths => parentPort.postMessage(paths.map(path => {
  const hash = createHash('sha256');
  const file = openSync(path, 'r');
  try {
    for (let length; (length = readSync(file, buffer)) > 0; ) hash.update(buffer.subarray(0, length));
  } finally {
    closeSync(file);
  }
  return hash.digest('hex');
})));
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

/** Threads with nothing to do, and what ends each. They keep no process alive. */
const idle: {readonly worker: Worker; readonly end: NodeJS.Timeout}[] = [];

async function inWorker(paths: readonly string[]): Promise<string[]> {
  const worker = awake();
  const hashes = await new Promise<string[]>((resolve, reject) => {
    // A file that cannot be read ends the thread.
    worker.once('error', reject);
    worker.once('message', answer => {
      worker.off('error', reject);
      resolve(answer);
    });
    worker.postMessage(paths);
  });
  worker.unref();
  const end = setTimeout(() => {
    idle.splice(idle.findIndex(one => one.worker === worker), 1);
    void worker.terminate();
  }, patience).unref();
  idle.push({worker, end});
  return hashes;
}

function awake(): Worker {
  const known = idle.pop();
  if (!known) return new Worker(program, {eval: true});
  clearTimeout(known.end);
  known.worker.ref();
  return known.worker;
}
