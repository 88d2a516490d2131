import {createReadStream} from 'node:fs';
import {readFile} from 'node:fs/promises';
import {basename, join} from 'node:path';
import {z} from 'zod';
import {MillraceError} from '../core/errors.ts';
import {sha256OfFile} from '../core/sha256.ts';
import type {CopiedFile} from './copy-files.ts';
import type {BackupSummary, Places} from './maintenance.ts';

export const manifestName = 'manifest.json';

const shape = z.object({
  format: z.literal('millrace-backup'),
  version: z.literal(1),
  createdAt: z.string(),
  migrations: z.array(z.string()),
  tables: z.record(z.string().regex(/^\w+$/), z.object({rows: z.number(), sha256: z.string()})),
  files: z.number(),
  bytes: z.number(),
});

/** What a complete backup says of itself. */
export type BackupManifest = z.infer<typeof shape>;

/** @throws BACKUP_INVALID */
export async function readManifest(folder: string): Promise<BackupManifest> {
  const invalid = (reason: string, cause?: unknown): MillraceError => new MillraceError('BACKUP_INVALID', {path: folder, reason}, {cause});
  let text: string;
  try {
    text = await readFile(join(folder, manifestName), 'utf8');
  } catch (cause) {
    throw invalid('it has no manifest, so it was not written to its end.', cause);
  }
  let manifest: BackupManifest;
  try {
    manifest = shape.parse(JSON.parse(text));
  } catch (cause) {
    throw invalid('its manifest cannot be read.', cause);
  }
  for (const [table, {sha256}] of Object.entries(manifest.tables)) {
    const found = await sha256OfFile(tablePath(folder, table)).catch(() => null);
    if (found !== sha256) throw invalid(`catalog/${table}.ndjson is ${found === null ? 'missing' : 'damaged'}.`);
  }
  return manifest;
}

export const tablePath = (folder: string, table: string): string => join(folder, 'catalog', `${table}.ndjson`);

/** The lines of a dumped table. (node:readline would also end a line at U+2028, which JSON may contain.) */
export async function* linesOf(folder: string, table: string): AsyncIterable<string> {
  let rest = '';
  for await (const piece of createReadStream(tablePath(folder, table), 'utf8')) {
    const lines = (rest + piece).split('\n');
    rest = lines.pop()!;
    yield* lines;
  }
}

async function* rowsOf<T>(folder: string, table: string): AsyncIterable<T> {
  for await (const line of linesOf(folder, table)) yield JSON.parse(line) as T;
}

/** A file that the dumped catalog names. */
export interface NamedFile extends Pick<CopiedFile, 'bytes' | 'sha256' | 'optional'> {
  /** Where it was when the catalog was dumped. */
  readonly original: string;
  readonly inBackup: string;
  /** Where it belongs in these places. */
  readonly ours: string;
}

/** Every file that the catalog dumped into a folder names. */
export async function* namedFiles(folder: string, places: Pick<Places, 'warehouse' | 'models' | 'uploads'>): AsyncIterable<NamedFile> {
  for await (const {path, bytes, sha256} of rowsOf<{path: string; bytes: number; sha256: string}>(folder, 'data_file')) {
    const ours = join(places.warehouse, path);
    yield {original: ours, inBackup: join(folder, 'warehouse', path), ours, bytes, sha256};
  }
  for await (const {artifact} of rowsOf<{artifact: {folder: string; files: {name: string; bytes: number; sha256: string}[]}}>(folder, 'model_version')) {
    for (const {name, bytes, sha256} of artifact.files) {
      const ours = join(places.models, artifact.folder, name);
      yield {original: ours, inBackup: join(folder, 'models', artifact.folder, name), ours, bytes, sha256};
    }
  }
  // An upload that was used may be gone.
  for await (const {path, bytes, sha256} of rowsOf<{path: string; bytes: number; sha256: string}>(folder, 'upload')) {
    yield {original: path, inBackup: join(folder, 'uploads', basename(path)), ours: uploadPath(places, path), bytes, sha256, optional: true};
  }
}

/** Where an upload of another installation lies in this one. */
export const uploadPath = (places: Pick<Places, 'uploads'>, path: string): string => join(places.uploads, basename(path));

/** Counts what a folder's dump names. */
export async function countsOf(folder: string, manifest: Pick<BackupManifest, 'tables'>): Promise<Pick<BackupSummary, 'datasets' | 'snapshots'> & {ofFiles: number}> {
  let ofFiles = 0;
  for await (const file of namedFiles(folder, {warehouse: '', models: '', uploads: ''})) if (file) ofFiles++;
  return {ofFiles, datasets: manifest.tables.dataset?.rows ?? 0, snapshots: manifest.tables.snapshot?.rows ?? 0};
}
