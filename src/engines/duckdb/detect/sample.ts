import {open} from 'node:fs/promises';
import type {FileHandle} from 'node:fs/promises';
import {longestLine} from '../failures.ts';
import {MillraceError} from '../../../core/errors.ts';
import {afterLines, readRecords} from '../../../schemas/detection/csv-text.ts';
import type {TextDialect} from '../../../schemas/detection/infer-dialect.ts';

/** Bytes of the beginning from which the dialect is told, and of each further piece. */
const headBytes = 64 * 1024;
const pieceBytes = 8 * 1024;
/** Pieces in all, spread evenly over all files. */
const pieces = 24;

export interface Head {
  /** Without a byte order mark. */
  readonly text: string;
  /** The text is the whole file. */
  readonly whole: boolean;
  readonly bom: boolean;
}

/** The beginning of a file, with at least one whole line. @throws SOURCE_LINE_TOO_LONG */
export async function readHead(path: string, name: string): Promise<Head> {
  return withFile(path, async (file, size) => {
    for (let length = headBytes; ; length *= 8) {
      const bytes = await bytesAt(file, 0, Math.min(length, size));
      const whole = bytes.length >= size;
      const bom = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
      if (whole || hasLine(bytes)) return {text: decode(bytes.subarray(bom ? 3 : 0), whole), whole, bom};
      if (length > longestLine) throw new MillraceError('SOURCE_LINE_TOO_LONG', {path: name, limit: longestLine, at: ' (line 1)'});
    }
  });
}

const hasLine = (bytes: Buffer): boolean => bytes.includes(10) || bytes.includes(13);

/** Rows of a width, without headers, from pieces all over the files, their beginnings included. */
export async function sampleRows(files: readonly string[], dialect: TextDialect, width: number): Promise<(string | null)[][]> {
  const rows: (string | null)[][] = [];
  const each = Math.max(1, Math.floor(pieces / files.length));
  // Of many files, evenly chosen ones.
  const step = Math.max(1, files.length / pieces);
  for (let index = 0; index < files.length; index += step) {
    await withFile(files[Math.floor(index)]!, async (file, size) => {
      if (size <= headBytes + each * pieceBytes) {
        rows.push(...records(decode(await bytesAt(file, 0, size), true), true, true));
        return;
      }
      rows.push(...records(decode(await bytesAt(file, 0, headBytes), false), true, false));
      for (let piece = 1; piece <= each; piece++) {
        const at = Math.max(headBytes, Math.floor((size - pieceBytes) * (piece / each)));
        rows.push(...records(decode(await bytesAt(file, at, pieceBytes), at + pieceBytes >= size), false, at + pieceBytes >= size));
      }
    });
  }
  return rows;

  /** A piece begins within a record, maybe within quotes: rows of another width are not rows. */
  function records(text: string, head: boolean, whole: boolean): (string | null)[][] {
    if (head) return readRecords(afterLines(text.replace(/^\ufeff/, ''), dialect.skip), dialect, whole).rows.slice(dialect.header ? 1 : 0).filter(row => row.length === width) as (string | null)[][];
    let from = 0;
    for (let tries = 0; tries < 4; tries++) {
      const next = text.slice(from).search(/[\r\n]/);
      if (next < 0) return [];
      from += next + (text.startsWith('\r\n', from + next) ? 2 : 1);
      const {rows: found, errors} = readRecords(text.slice(from), dialect, whole);
      if (errors === 0 && found.every(row => row.length === width)) return found as (string | null)[][];
    }
    return [];
  }
}

async function withFile<T>(path: string, work: (file: FileHandle, size: number) => Promise<T>): Promise<T> {
  const file = await open(path, 'r');
  try {
    return await work(file, (await file.stat()).size);
  } finally {
    await file.close();
  }
}

async function bytesAt(file: FileHandle, at: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const {bytesRead} = await file.read(buffer, 0, length, at);
  return buffer.subarray(0, bytesRead);
}

/** Bytes as text; halves of characters at the ends of a piece are left out. */
function decode(bytes: Buffer, whole: boolean): string {
  let from = 0;
  while (from < 3 && from < bytes.length && (bytes[from]! & 0xc0) === 0x80) from++;
  let to = bytes.length;
  if (!whole) while (to > 0 && to > bytes.length - 4 && (bytes[to - 1]! & 0x80) !== 0) to--;
  return bytes.toString('utf8', from, to);
}
