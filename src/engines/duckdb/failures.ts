import {MillraceError} from '../../core/errors.ts';
import type {Query, RawFiles} from '../engine.ts';
import {linesBefore} from './relations.ts';

const fullDisk = /no space left on device|disk quota exceeded|file too large|could not write.*space|ENOSPC|EDQUOT|EFBIG|max_temp_directory_size/i;
const unreadable = /^(?:IO|Invalid Input|Conversion|HTTP|Serialization|Invalid|Invalid Configuration|Not implemented|Binder|TransactionContext|INTERNAL|Parameter Not Resolved|Out of Range) Error/i;

/** What was being done when DuckDB failed: tells which code the failure gets. */
export interface Doing {
  readonly query?: Query;
  /** The file or folder that is written. */
  readonly writing?: string;
}

/** Bytes that DuckDB takes for one line at most. */
export const longestLine = 2_000_000;

/** A failure of DuckDB as an error of the table; its message without class names, repeats and advice meant for DuckDB's shell. */
export function failure(error: unknown, doing: Doing = {}): Error {
  if (error instanceof MillraceError) return error;
  const text = String((error as Error | null)?.message ?? error);
  if (fullDisk.test(text)) return new MillraceError('DISK_FULL', {path: doing.writing ?? 'the temporary files'}, {cause: error});
  const kind = /^(\w[\w ]*?) Error:/.exec(text)?.[1] ?? '';
  const raw = Object.values(doing.query?.relations ?? {}).find(relation => relation.kind === 'raw');
  if (raw?.kind === 'raw' && unreadable.test(text)) return lineTooLong(text, raw) ?? sourceUnreadable(text, raw, error);
  const damaged = tablePaths(doing.query).find(path => text.includes(path));
  if (damaged !== undefined && (kind === 'IO' || kind === 'Invalid Input')) return new MillraceError('FILE_DAMAGED', {path: damaged}, {cause: error});
  if (kind === 'Permission') return new MillraceError('SQL_NOT_ALLOWED', {reason: readable(text)}, {cause: error});
  if (['Parser', 'Binder', 'Catalog', 'Syntax'].includes(kind)) {
    return new MillraceError('SQL_INVALID', {reason: `${readable(text)}${place(text, doing.query ? linesBefore(doing.query) : 0)}`}, {cause: error});
  }
  if (kind === 'Out of Memory') return new MillraceError('ENGINE_OUT_OF_MEMORY', {reason: readable(text)}, {cause: error});
  return new MillraceError('SQL_FAILED', {reason: readable(text)}, {cause: error});
}

const tablePaths = (query: Query | undefined): string[] =>
  Object.values(query?.relations ?? {}).flatMap(relation => (relation.kind === 'table' ? relation.files.map(file => file.path) : []));

/** The file that a text names, as people know it; the first where it names none. */
export function nameOf(text: string, {files, names}: RawFiles): string {
  const index = Math.max(0, files.findIndex(file => text.includes(file)));
  return names?.[index] ?? files[index] ?? '';
}

export function sourceUnreadable(text: string, raw: RawFiles, cause?: unknown): MillraceError {
  const reason = raw.files.reduce((sentence, file, index) => sentence.replaceAll(file, raw.names?.[index] ?? file), readable(text));
  return new MillraceError('SOURCE_UNREADABLE', {path: nameOf(text, raw), format: raw.format, reason}, {cause});
}

function lineTooLong(text: string, raw: RawFiles): MillraceError | null {
  // The second is what DuckDB says of a line that is longer than what it reads at once.
  if (!/Maximum line size of \d+ bytes exceeded|Parallel CSV Reader currently does not support a full read/.test(text)) return null;
  const line = /CSV Error on Line: (\d+)/.exec(text)?.[1];
  return new MillraceError('SOURCE_LINE_TOO_LONG', {path: nameOf(text, raw), limit: longestLine, at: line === undefined ? '' : ` (line ${line})`});
}

/** The first paragraph, without the error's class. */
export function readable(text: string): string {
  const body = text.replace(/^(?:\w[\w ]*? Error: ?)+/, '').split(/\n\s*\n|\nLINE \d+:|\nPossible (?:fixes|solutions):|\n\s*(?:Candidate|file ?=)/)[0]!;
  return body.replace(/\s*\n\s*/g, ' ').trim();
}

/** Where in the user's own text DuckDB's `LINE n: …` with its caret points. */
function place(text: string, before: number): string {
  const match = /\nLINE (\d+): ([^\n]*)\n( *)\^/.exec(text);
  if (!match) return '';
  const line = Number(match[1]) - before;
  if (line < 1) return '';
  const column = match[3]!.length - `LINE ${match[1]}: `.length + 1;
  return match[2]!.startsWith('...') || column < 1 ? ` (line ${line})` : ` (line ${line}, column ${column})`;
}
