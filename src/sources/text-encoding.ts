import {isAscii, isUtf8} from 'node:buffer';
import {createReadStream, createWriteStream} from 'node:fs';
import {open} from 'node:fs/promises';
import type {FileHandle} from 'node:fs/promises';
import {Transform} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {MillraceError} from '../core/errors.ts';
import type {TextEncoding} from '../engines/engine.ts';
import type {Evidence} from '../schemas/detection/detection.ts';

export interface FoundEncoding {
  readonly encoding: TextEncoding;
  readonly evidence: readonly Evidence[];
}

const chunkSize = 4 * 1024 * 1024;

/** Bytes that windows-1252 has no character for. */
const noCharacter = new Set([0x81, 0x8d, 0x8f, 0x90, 0x9d]);

/**
 * The encoding of a text file, of all its bytes: UTF-16 by its byte order mark, UTF-8 where every byte is, else windows-1252 (of which
 * Latin-1 is the printable part). Text that is partly UTF-8 and partly not is refused: read as either, some of it would be wrong.
 *
 * @throws SOURCE_ENCODING, SOURCE_UNREADABLE (NUL bytes: it is no text)
 */
export async function findEncoding(name: string, path: string): Promise<FoundEncoding> {
  const file = await open(path, 'r');
  try {
    const buffer = Buffer.allocUnsafe(chunkSize + 4);
    let kept = 0;
    /** Where the chunk begins in the file. */
    let from = 0;
    const seen: Seen = {multibyte: null, single: null, singles: 0, example: ''};
    for (let first = true; ; first = false) {
      const {bytesRead} = await file.read(buffer, kept, chunkSize);
      const bytes = buffer.subarray(0, kept + bytesRead);
      if (first && bytes[0] === 0xff && bytes[1] === 0xfe) return marked('utf-16le');
      if (first && bytes[0] === 0xfe && bytes[1] === 0xff) return marked('utf-16be');
      // A character may go on in the next chunk.
      const cut = bytesRead === 0 ? 0 : unfinished(bytes);
      const whole = bytes.subarray(0, bytes.length - cut);
      const nul = whole.indexOf(0);
      if (nul >= 0) throw new MillraceError('SOURCE_UNREADABLE', {path: name, format: 'text', reason: `it is binary, or UTF-16 without a mark: line ${await lineAt(file, from + nul)} has a NUL byte.`});
      if (!isAscii(whole)) {
        if (seen.single === null && isUtf8(whole)) seen.multibyte ??= from + whole.findIndex(byte => byte >= 0x80);
        else look(whole, from, seen);
        if (seen.multibyte !== null && seen.single !== null) throw new MillraceError('SOURCE_ENCODING', {path: name, line: await lineAt(file, seen.single), other: await lineAt(file, seen.multibyte)});
      }
      from += whole.length;
      if (bytesRead === 0) break;
      bytes.copyWithin(0, bytes.length - cut);
      kept = cut;
    }
    if (seen.single === null) return {encoding: 'utf-8', evidence: []};
    return {
      encoding: 'windows-1252',
      evidence: [{rule: 'encoding', detail: `it is not UTF-8: line ${await lineAt(file, seen.single)} is read as windows-1252 (Latin-1), '${seen.example}'`, count: seen.singles, ambiguous: true}],
    };
  } finally {
    await file.close();
  }
}

const marked = (encoding: TextEncoding): FoundEncoding => ({encoding, evidence: [{rule: 'byte_order_mark', detail: `a byte order mark says ${encoding.toUpperCase()}`, count: null}]});

/** Bytes at the end that begin a character of UTF-8 without ending it. */
function unfinished(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!;
    if ((byte & 0xc0) === 0x80) continue;
    return byte >= 0xf0 ? (back < 4 ? back : 0) : byte >= 0xe0 ? (back < 3 ? back : 0) : byte >= 0xc0 ? (back < 2 ? back : 0) : 0;
  }
  return 0;
}

/** Where in the file the first character of UTF-8 begins, and the first byte that is part of none. */
interface Seen {
  multibyte: number | null;
  single: number | null;
  singles: number;
  example: string;
}

/** Looks at each character past ASCII. */
function look(bytes: Buffer, from: number, seen: Seen): void {
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (byte < 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    if (byte >= 0xc2 && isUtf8(bytes.subarray(at, at + length)) && at + length <= bytes.length) {
      seen.multibyte ??= from + at;
      at += length - 1;
      continue;
    }
    if (seen.single === null) seen.example = new TextDecoder('windows-1252').decode(bytes.subarray(Math.max(0, at - 12), at + 12)).split(/[\r\n]/).find(part => /[^\0-\x7f]/.test(part)) ?? '';
    seen.single ??= from + at;
    seen.singles++;
    if (noCharacter.has(byte)) seen.example = `a byte 0x${byte.toString(16)} that is no character`;
  }
}

/** The line, from 1, that a place of a file is on. Read again: counting lines costs as much as all else, and is seldom told. */
async function lineAt(file: FileHandle, place: number): Promise<number> {
  const buffer = Buffer.allocUnsafe(chunkSize);
  let line = 1;
  for (let from = 0; from < place; from += chunkSize) {
    const {bytesRead} = await file.read(buffer, 0, Math.min(chunkSize, place - from), from);
    const bytes = buffer.subarray(0, bytesRead);
    for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) line++;
  }
  return line;
}

/** Writes a text file as UTF-8, without a byte order mark; memory does not depend on its size. @throws SOURCE_ENCODING */
export async function toUtf8(name: string, path: string, encoding: TextEncoding, out: string): Promise<void> {
  const decoder = new TextDecoder(encoding, {fatal: encoding !== 'windows-1252'});
  const decode = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      try {
        done(null, decoder.decode(chunk, {stream: true}));
      } catch (error) {
        done(error as Error);
      }
    },
    flush(done) {
      try {
        done(null, decoder.decode());
      } catch (error) {
        done(error as Error);
      }
    },
  });
  try {
    await pipeline(createReadStream(path, {highWaterMark: chunkSize}), decode, createWriteStream(out));
  } catch (error) {
    if (error instanceof TypeError || (error as {code?: string}).code === 'ERR_ENCODING_INVALID_ENCODED_DATA') throw new MillraceError('SOURCE_UNREADABLE', {path: name, format: encoding, reason: 'some of its bytes are no characters of that encoding.'}, {cause: error});
    throw error;
  }
}
