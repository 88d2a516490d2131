import {createHash} from 'node:crypto';
import {mkdtemp, open, rm, stat} from 'node:fs/promises';
import {basename, join} from 'node:path';
import {MillraceError} from '../core/errors.ts';
import type {RawFormat, RawOptions} from '../engines/engine.ts';
import {sha256OfFiles} from '../core/sha256.ts';
import type {OpenedSource, RawFile, SourceFormat, SourceSpec} from './source.ts';
import {findEncoding, toUtf8} from './text-encoding.ts';
import type {FoundEncoding} from './text-encoding.ts';
import {findUntidy, tidied} from './tidy-text.ts';
import {unpack} from './unpack.ts';

/** Converts an Arrow IPC file or stream into Parquet: an engine does it. */
export type ImportArrow = (path: string, out: string) => Promise<void>;

export interface OpenOptions {
  readonly importArrow: ImportArrow;
  /** How many times its size a compressed file may expand to. */
  readonly maxExpansion: number;
}

/** A file that was found: `name` as lineage shows it, `path` the real one, `fileName` the name whose ending tells the format. */
export interface FoundFile {
  readonly name: string;
  readonly path: string;
  readonly fileName: string;
}

const formats: Readonly<Record<string, SourceFormat>> = {
  csv: 'csv', tsv: 'tsv', tab: 'tsv', json: 'json', geojson: 'json', ndjson: 'ndjson', jsonl: 'ndjson', parquet: 'parquet', pq: 'parquet',
  arrow: 'arrow', arrows: 'arrow', feather: 'arrow', ipc: 'arrow',
};

const compressions: Readonly<Record<string, 'gzip' | 'zstd'>> = {gz: 'gzip', zst: 'zstd', zstd: 'zstd'};

/** Bytes at each end that are looked at before an engine reads the file. */
const peeked = 64 * 1024;

/**
 * Looks at the files and hands them out as one raw relation that an engine reads as it is: text is plain UTF-8, Arrow is Parquet. Copies
 * that this needs lie in `scratch`, and are removed on close.
 * @throws SOURCE_EMPTY, SOURCE_FORMAT_UNKNOWN, SOURCE_UNREADABLE, SOURCE_ENCODING, SOURCE_EXPANDS
 */
export async function openFiles(found: readonly FoundFile[], spec: SourceSpec, scratch: string, open: OpenOptions): Promise<OpenedSource> {
  const kinds = found.map(file => kindOf(file, spec));
  const {format, compression} = kinds[0]!;
  const other = kinds.findIndex(kind => kind.format !== format || kind.compression !== compression);
  if (other > 0) {
    throw new MillraceError('SOURCE_UNREADABLE', {path: found[other]!.name, format, reason: `the files of one source have one format, but ${found[0]!.name} has another.`});
  }
  const looked: Looked[] = [];
  for (const file of found) looked.push(await look(file, format, compression));
  const hashing = sha256OfFiles(found.map(file => file.path));
  const options: RawOptions = {...(format === 'tsv' ? {delimiter: '\t'} : {}), ...spec.options, compression: undefined};
  // Most files need no copy, and so no folder.
  let copies: Promise<string> | null = null;
  const close = async (): Promise<void> => {
    if (copies) await rm(await copies, {recursive: true, force: true});
  };
  try {
    const [{paths, text}, hashes] = await Promise.all([readable(looked, format, compression, options, () => (copies ??= mkdtemp(join(scratch, 'source-'))), open), hashing]);
    await unchanged(looked);
    const files = looked.map(({inode: _inode, ...file}, index): RawFile => ({...file, sha256: hashes[index]!}));
    return {
      files, text,
      raw: {kind: 'raw', format: engineFormat[format], files: paths, names: files.map(file => file.name), options},
      fingerprint: createHash('sha256').update(JSON.stringify([format, options, hashes])).digest('hex'),
      unchanged: () => unchanged(looked),
      close,
    };
  } catch (error) {
    await Promise.allSettled([hashing]);
    await close();
    throw error;
  }
}

/** The files as an engine reads them: themselves, or copies. */
async function readable(
  looked: readonly Looked[], format: SourceFormat, compression: 'gzip' | 'zstd' | undefined, options: RawOptions, folder: () => Promise<string>, {importArrow, maxExpansion}: OpenOptions,
): Promise<{paths: string[]; text: OpenedSource['text']}> {
  const {encoding: said} = options;
  const paths: string[] = [];
  const texts: FoundEncoding[] = [];
  for (const [index, file] of looked.entries()) {
    let {path} = file;
    if (format === 'arrow') {
      path = join(await folder(), `${index}.parquet`);
      await importArrow(file.path, path);
    } else if (format !== 'parquet') {
      if (compression) await unpack(file, compression, (path = join(await folder(), `${index}.unpacked`)), maxExpansion);
      const text = said ? {encoding: said, evidence: [{rule: 'encoding', detail: `${said}, as was said`, count: null} as const]} : await findEncoding(file.name, path);
      const rewrite = async (write: (from: string, to: string) => Promise<void>, ending: string): Promise<void> => {
        const from = path;
        await write(from, (path = join(await folder(), `${index}.${ending}`)));
        if (from !== file.path) await rm(from);
      };
      if (text.encoding !== 'utf-8') await rewrite((from, to) => toUtf8(file.name, from, text.encoding, to), 'utf8');
      const untidy = engineFormat[format] === 'csv' ? await findUntidy(path, options) : null;
      if (untidy) await rewrite((from, to) => tidied(from, untidy, to), 'tidy');
      texts.push({...text, evidence: [...text.evidence, ...(untidy?.evidence ?? [])]});
    }
    paths.push(path);
  }
  return {paths, text: texts.find(({evidence}) => evidence.length > 0) ?? texts[0] ?? null};
}

const engineFormat: Readonly<Record<SourceFormat, RawFormat>> = {csv: 'csv', tsv: 'csv', json: 'json', ndjson: 'ndjson', parquet: 'parquet', arrow: 'parquet'};

function kindOf(file: FoundFile, spec: SourceSpec): {format: SourceFormat; compression: 'gzip' | 'zstd' | undefined} {
  const endings = basename(file.fileName).toLowerCase().split('.').slice(1);
  const ending = compressions[endings.at(-1) ?? ''];
  if (ending) endings.pop();
  const compression = spec.options?.compression ?? ending;
  const format = spec.format ?? formats[endings.at(-1) ?? ''];
  // Parquet and Arrow are compressed inside; a compressed whole cannot be read by its parts.
  if (!format || (compression && (format === 'parquet' || format === 'arrow'))) throw new MillraceError('SOURCE_FORMAT_UNKNOWN', {path: file.name});
  return {format, compression};
}

type Looked = Omit<RawFile, 'sha256'> & {readonly inode: bigint};

async function look(file: FoundFile, format: SourceFormat, compression: 'gzip' | 'zstd' | undefined): Promise<Looked> {
  const handle = await open(file.path, 'r').catch((error: NodeJS.ErrnoException) => {
    throw new MillraceError('SOURCE_UNREADABLE', {path: file.name, format, reason: error.code === 'EACCES' ? 'reading it is not permitted.' : error.message}, {cause: error});
  });
  try {
    const {size, mtimeMs, ino} = await handle.stat({bigint: true});
    if (size === 0n) throw new MillraceError('SOURCE_EMPTY', {path: file.name});
    const bytes = Number(size);
    const head = Buffer.alloc(Math.min(peeked, bytes));
    await handle.read(head, 0, head.length, 0);
    const tail = Buffer.alloc(Math.min(8, bytes));
    await handle.read(tail, 0, tail.length, bytes - tail.length);
    const wrong = compression ? wrongCompression(head, compression) : wrongContent(head, tail, format);
    if (wrong) throw new MillraceError('SOURCE_UNREADABLE', {path: file.name, format, reason: wrong});
    return {name: file.name, path: file.path, bytes, modifiedAt: Number(mtimeMs), inode: ino};
  } finally {
    await handle.close();
  }
}

/** What an engine would report less clearly, or take for one strange column of text. */
function wrongContent(head: Buffer, tail: Buffer, format: SourceFormat): string | null {
  switch (format) {
    case 'parquet':
      if (head.toString('latin1', 0, 4) !== 'PAR1') return 'it does not begin as a Parquet file.';
      return tail.toString('latin1', tail.length - 4) === 'PAR1' ? null : 'it does not end as a Parquet file; it is probably cut off.';
    case 'arrow':
      return head.toString('latin1', 0, 6) === 'ARROW1' || head.readInt32LE(0) === -1 ? null : 'it begins neither as an Arrow file nor as an Arrow stream.';
    default:
      return null;
  }
}

function wrongCompression(head: Buffer, compression: string): string | null {
  const magic = compression === 'gzip' ? [0x1f, 0x8b] : [0x28, 0xb5, 0x2f, 0xfd];
  return magic.every((byte, index) => head[index] === byte) ? null : `it is not compressed with ${compression}, as its name says.`;
}

async function unchanged(files: readonly Looked[]): Promise<void> {
  for (const file of files) {
    const now = await stat(file.path, {bigint: true}).catch(() => null);
    if (!now || Number(now.size) !== file.bytes || Number(now.mtimeMs) !== file.modifiedAt || now.ino !== file.inode) {
      throw new MillraceError('SOURCE_CHANGED', {path: file.name});
    }
  }
}
