import {createReadStream, createWriteStream} from 'node:fs';
import {Transform} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {createGunzip, createZstdDecompress} from 'node:zlib';
import {MillraceError} from '../core/errors.ts';

/** Bytes a chunk: few turns of the event loop for a large file; the work itself is done on libuv's threads. */
const chunkSize = 1024 * 1024;

/** Below it any expansion is harmless. */
const harmless = 64 * 2 ** 20;

/**
 * Unpacks a file. DuckDB takes the end of a truncated gzip file for the end of the data, so without this rows would be missing in silence;
 * and only a plain file can be sampled all over, and read by several threads.
 *
 * @param most how many times its size a file may expand to, past 64 MiB
 * @throws SOURCE_EXPANDS, SOURCE_UNREADABLE
 */
export async function unpack(file: {readonly name: string; readonly path: string; readonly bytes: number}, compression: 'gzip' | 'zstd', out: string, most: number): Promise<void> {
  const limit = Math.max(harmless, file.bytes * most);
  let bytes = 0;
  const bounded = new Transform({
    highWaterMark: chunkSize,
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > limit) done(new MillraceError('SOURCE_EXPANDS', {path: file.name, times: most}));
      else done(null, chunk);
    },
  });
  const inflate = compression === 'gzip' ? createGunzip({chunkSize}) : createZstdDecompress({chunkSize});
  try {
    await pipeline(createReadStream(file.path, {highWaterMark: chunkSize}), inflate, bounded, createWriteStream(out));
  } catch (error) {
    const {code = '', message} = error as NodeJS.ErrnoException;
    if (error instanceof MillraceError || ['ENOSPC', 'EDQUOT', 'EFBIG'].includes(code)) throw error;
    throw new MillraceError('SOURCE_UNREADABLE', {path: file.name, format: compression, reason: `it is cut off or damaged (${message}).`}, {cause: error});
  }
}
