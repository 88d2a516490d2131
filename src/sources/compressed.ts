import {createReadStream} from 'node:fs';
import {Writable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {createGunzip, createZstdDecompress} from 'node:zlib';

/** Bytes a chunk: few turns of the event loop for a large file; the work itself is done on libuv's threads. */
const chunkSize = 1024 * 1024;

/**
 * Unpacks a file to nowhere and says what is wrong with it, or null. DuckDB takes the end of a truncated gzip file for the end of the
 * data, so without this rows would be missing in silence.
 */
export async function damage(path: string, compression: 'gzip' | 'zstd'): Promise<string | null> {
  const unpack = compression === 'gzip' ? createGunzip({chunkSize}) : createZstdDecompress({chunkSize});
  const nowhere = new Writable({write: (_chunk, _encoding, done) => done()});
  try {
    await pipeline(createReadStream(path, {highWaterMark: chunkSize}), unpack, nowhere);
    return null;
  } catch (error) {
    return `it is cut off or damaged (${(error as Error).message}).`;
  }
}
