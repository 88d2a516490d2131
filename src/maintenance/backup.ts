import {createHash} from 'node:crypto';
import type {Hash} from 'node:crypto';
import {mkdir, open, readdir} from 'node:fs/promises';
import type {FileHandle} from 'node:fs/promises';
import {join} from 'node:path';
import {MillraceError, asMillraceError} from '../core/errors.ts';
import {syncPath, writeDurably} from '../core/files.ts';
import {countsOf, manifestName, namedFiles, tablePath} from './backup-folder.ts';
import type {BackupManifest} from './backup-folder.ts';
import {copyFiles} from './copy-files.ts';
import type {BackupSummary, OnProgress, Places} from './maintenance.ts';

/**
 * Writes a backup into an empty or new folder, while everything goes on: the catalog as of one moment, then the files it names.
 * Those are never written again, so on the same disk they are linked and take no space. Every file's checksum is compared.
 *
 * @throws TARGET_NOT_EMPTY, FILE_DAMAGED, CATALOG_UNAVAILABLE, DISK_FULL
 */
export async function backup(places: Places, folder: string, report?: OnProgress): Promise<BackupSummary> {
  try {
    return await write(places, folder, report);
  } catch (error) {
    throw asMillraceError(error);
  }
}

async function write(places: Places, folder: string, report?: OnProgress): Promise<BackupSummary> {
  await mkdir(folder, {recursive: true});
  if ((await readdir(folder)).length > 0) throw new MillraceError('TARGET_NOT_EMPTY', {path: folder});
  const manifest = await dump(places, folder);
  const {ofFiles, ...counts} = await countsOf(folder, manifest);

  async function* files() {
    for await (const {original, inBackup, ...file} of namedFiles(folder, places)) yield {...file, from: original, to: inBackup};
  }
  const copied = await copyFiles(files(), ofFiles, file => new MillraceError('FILE_DAMAGED', {path: file.from}), report);
  await syncFolders(folder);
  const complete: BackupManifest = {...manifest, ...copied};
  await writeDurably(join(folder, manifestName), `${JSON.stringify(complete, null, 2)}\n`);
  return {folder, ...copied, ...counts};
}

/** The catalog's tables as files. */
async function dump({catalog}: Places, folder: string): Promise<Omit<BackupManifest, 'files' | 'bytes'>> {
  await mkdir(join(folder, 'catalog'));
  const createdAt = new Date().toISOString();
  const written = new Map<string, TableFile>();
  try {
    const {tables, migrations} = await catalog.dump(async ({table, rows}) => {
      const file = written.get(table) ?? (await TableFile.create(tablePath(folder, table)));
      written.set(table, file);
      await file.write(rows);
    });
    for (const table of tables) if (!written.has(table)) written.set(table, await TableFile.create(tablePath(folder, table)));
    return {format: 'millrace-backup', version: 1, createdAt, migrations: [...migrations], tables: Object.fromEntries(tables.map(table => [table, written.get(table)!.summary()]))};
  } finally {
    for (const file of written.values()) await file.close();
  }
}

/** One table's file while it is written. */
class TableFile {
  private rows = 0;
  private readonly hash: Hash = createHash('sha256');

  private constructor(private readonly handle: FileHandle) {}

  static async create(path: string): Promise<TableFile> {
    return new TableFile(await open(path, 'wx'));
  }

  async write(rows: readonly string[]): Promise<void> {
    const text = Buffer.from(rows.map(row => `${row}\n`).join(''));
    this.rows += rows.length;
    this.hash.update(text);
    await this.handle.writeFile(text);
  }

  summary(): {rows: number; sha256: string} {
    return {rows: this.rows, sha256: this.hash.copy().digest('hex')};
  }

  async close(): Promise<void> {
    await this.handle.sync();
    await this.handle.close();
  }
}

/** Forces the names of what was written to the disk. */
async function syncFolders(folder: string): Promise<void> {
  for (const entry of await readdir(folder, {recursive: true, withFileTypes: true})) {
    if (entry.isDirectory()) await syncPath(join(entry.parentPath, entry.name));
  }
  await syncPath(folder);
}
