import {createReadStream, createWriteStream} from 'node:fs';
import {open} from 'node:fs/promises';
import {Transform} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import type {RawOptions} from '../engines/engine.ts';
import {afterLines, readRecords} from '../schemas/detection/csv-text.ts';
import type {Marks} from '../schemas/detection/csv-text.ts';
import type {Evidence} from '../schemas/detection/detection.ts';
import {inferDialect} from '../schemas/detection/infer-dialect.ts';

/** What engines take for part of a value, or refuse, in delimited text of UTF-8. */
export interface Untidy {
  readonly marks: Marks;
  /** Between a delimiter and a quote. */
  readonly spaces: boolean;
  /** Some lines end with CR LF, some with LF. */
  readonly newlines: boolean;
  readonly evidence: readonly Evidence[];
}

const headBytes = 64 * 1024;
const chunkSize = 4 * 1024 * 1024;

/** What the beginning of a file, and how its last line ends, show of it; null when it is tidy. */
export async function findUntidy(path: string, said: RawOptions): Promise<Untidy | null> {
  const {head, whole, end} = await ends(path);
  const text = head.toString('utf8');
  const spaced = spacedMarks(text, whole, said);
  const maybeMixed = text.includes('\r\n') ? end === 'lf' || /[^\r]\n/.test(text) : end === 'crlf';
  if (spaced === null && !maybeMixed) return null;
  const marks = spaced ?? inferDialect(text, whole, said);
  if (marks.delimiter.length !== 1 || marks.quote.length > 1) return null;
  const tidy = new Tidying(marks, true, true);
  tidy.push(head);
  const {crlf, lf} = tidy;
  const newlines = (crlf > 0 && (lf > 0 || end === 'lf')) || (lf > 0 && end === 'crlf');
  if (spaced === null && !newlines) return null;
  return {
    marks, spaces: spaced !== null, newlines,
    evidence: [
      ...(spaced ? [{rule: 'quote', detail: 'spaces between a delimiter and a quote are no part of a value: left out', count: tidy.spaced} as const] : []),
      ...(newlines ? [{rule: 'newlines', detail: 'some lines end with CR LF, some with LF: both end a line', count: null} as const] : []),
    ],
  };
}

/** The marks by which fields have spaces before or after their quotes, and every record as many fields; null where none do. */
function spacedMarks(text: string, whole: boolean, said: RawOptions): Marks | null {
  const quote = said.quote ?? '"';
  const found = quote === '' ? [] : [...new Set([...text.matchAll(/([,;\t|]) +(["'])/g)].filter(match => match[2] === quote).map(match => match[1]!))];
  if (found.length === 0) return null;
  const asIs = inferDialect(text, whole, said);
  const {rows} = readRecords(afterLines(text, asIs.skip), asIs, whole);
  const isClean = asIs.problem === null && rows.some(row => row.length > 1);
  if (isClean && !rows.some(row => row.some(field => field !== null && /^ +/.test(field) && field.trimStart().startsWith(quote)))) return null;
  const delimiters = said.delimiter !== undefined ? [said.delimiter] : isClean ? [asIs.delimiter] : found;
  const escapes = said.escape !== undefined ? [said.escape] : text.includes(`\\${quote}`) ? [quote, '\\'] : [quote];
  for (const delimiter of delimiters.filter(one => one.length === 1)) {
    for (const escape of escapes) {
      const marks = {delimiter, quote, escape};
      const tidy = new Tidying(marks, true, false).push(Buffer.from(text)).toString('utf8');
      const read = inferDialect(tidy, whole, {...said, ...marks});
      const {errors, rows: tidied} = readRecords(afterLines(tidy, read.skip), marks, whole);
      if (errors === 0 && read.problem === null && (tidied[0]?.length ?? 0) > 1) return marks;
    }
  }
  return null;
}

/** Writes the text without spaces around quotes, and with LF after every line; what is quoted stays as it is. Memory does not depend on its size. */
export async function tidied(path: string, {marks, spaces, newlines}: Untidy, out: string): Promise<void> {
  const tidying = new Tidying(marks, spaces, newlines);
  const transform = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      done(null, tidying.push(chunk));
    },
    flush(done) {
      done(null, tidying.end());
    },
  });
  await pipeline(createReadStream(path, {highWaterMark: chunkSize}), transform, createWriteStream(out));
}

const space = 0x20;
const cr = 0x0d;
const lf = 0x0a;

/** One pass over bytes: no mark is a byte of a longer character of UTF-8. */
class Tidying {
  /** What was found outside quotes. */
  spaced = 0;
  crlf = 0;
  lf = 0;
  private place: 'start' | 'plain' | 'quoted' | 'escaped' | 'closed' = 'start';
  /** Spaces, and a CR, that may have to be left out. */
  private held = 0;
  private heldCr = false;
  private readonly delimiter: number;
  private readonly quote: number;
  private readonly escape: number;
  private readonly spaces: boolean;
  private readonly newlines: boolean;

  constructor({delimiter, quote, escape}: Marks, spaces: boolean, newlines: boolean) {
    [this.delimiter, this.quote, this.escape] = [delimiter, quote, escape].map(mark => (mark === '' ? -1 : mark.charCodeAt(0))) as [number, number, number];
    this.spaces = spaces;
    this.newlines = newlines;
  }

  push(chunk: Buffer): Buffer {
    // Spaces of the chunk before may come back.
    const out = Buffer.allocUnsafe(chunk.length + this.held + 1);
    let to = 0;
    const release = (): void => {
      for (; this.held > 0; this.held--) out[to++] = space;
    };
    for (const byte of chunk) {
      if (this.place === 'escaped') this.place = 'quoted';
      else if (this.place === 'quoted') {
        if (byte === this.escape && this.escape !== this.quote) this.place = 'escaped';
        else if (byte === this.quote) this.place = 'closed';
      } else {
        if (this.heldCr) {
          this.heldCr = false;
          if (byte === lf) this.crlf++;
          if (byte !== lf || !this.newlines) out[to++] = cr;
        } else if (byte === lf) this.lf++;
        const isEnd = byte === this.delimiter || byte === lf || byte === cr;
        if (byte === space && this.spaces && this.place !== 'plain') {
          this.held++;
          continue;
        }
        if (this.place === 'start' && byte === this.quote) {
          this.spaced += Number(this.held > 0);
          this.held = 0;
          this.place = 'quoted';
        } else if (this.place === 'closed' && isEnd) {
          this.spaced += Number(this.held > 0);
          this.held = 0;
          this.place = 'start';
        } else if (this.place === 'closed' && byte === this.quote && this.held === 0 && this.escape === this.quote) this.place = 'quoted';
        else {
          release();
          this.place = isEnd ? 'start' : 'plain';
        }
        if (byte === cr) {
          this.heldCr = true;
          continue;
        }
      }
      out[to++] = byte;
    }
    return out.subarray(0, to);
  }

  /** What is held at the end of the text. */
  end(): Buffer {
    const held = this.place === 'closed' ? 0 : this.held;
    return Buffer.from(' '.repeat(held) + (this.heldCr ? '\r' : ''));
  }
}

async function ends(path: string): Promise<{head: Buffer; whole: boolean; end: 'lf' | 'crlf' | null}> {
  const file = await open(path, 'r');
  try {
    const {size} = await file.stat();
    const head = Buffer.alloc(Math.min(headBytes, size));
    await file.read(head, 0, head.length, 0);
    const tail = Buffer.alloc(Math.min(2, size));
    await file.read(tail, 0, tail.length, size - tail.length);
    const end = tail.at(-1) !== lf ? null : tail.length > 1 && tail[0] === cr ? 'crlf' : 'lf';
    return {head, whole: head.length >= size, end};
  } finally {
    await file.close();
  }
}
