import {rm} from 'node:fs/promises';
import {join} from 'node:path';
import type {TableRows} from '../catalog/catalog.ts';
import {MillraceError, asMillraceError} from '../core/errors.ts';
import {countsOf, linesOf, namedFiles, readManifest, uploadPath} from './backup-folder.ts';
import type {BackupManifest} from './backup-folder.ts';
import {copyFiles} from './copy-files.ts';
import {checkManifests, entriesOf} from './manifests.ts';
import type {BackupSummary, OnProgress, Places} from './maintenance.ts';

/** Lines sent to the catalog at once. */
const batchLines = 500;

/**
 * Fills an empty installation from a backup: files first, each compared with its checksum, then the catalog, all or nothing. A
 * restore that fails leaves the target empty. Steps that were running when the backup was taken are taken over by the next worker.
 *
 * @param places started, but nothing on it: no server, no worker
 * @throws BACKUP_INVALID, TARGET_NOT_EMPTY, DISK_FULL
 */
export async function restore(places: Places, folder: string, report?: OnProgress): Promise<BackupSummary> {
  const manifest = await readManifest(folder);
  const targets = [join(places.warehouse, 'data'), places.models, places.uploads];
  for (const target of targets) {
    if ((await entriesOf(target)).length > 0) throw new MillraceError('TARGET_NOT_EMPTY', {path: target});
  }
  if (!(await places.catalog.isEmpty())) throw new MillraceError('TARGET_NOT_EMPTY', {path: 'the catalog'});
  await refuseNewer(folder, manifest, places);

  const {ofFiles, ...counts} = await countsOf(folder, manifest);
  async function* files() {
    for await (const {inBackup, ours, ...file} of namedFiles(folder, places)) yield {...file, from: inBackup, to: ours};
  }
  try {
    const copied = await copyFiles(files(), ofFiles, (file, reason) =>
      new MillraceError('BACKUP_INVALID', {path: folder, reason: `${file.from.slice(folder.length + 1)}: ${reason}.`}), report);
    await places.catalog.load(rows(folder, manifest, places));
    await checkManifests(places, {all: true});
    return {folder, ...copied, ...counts};
  } catch (error) {
    for (const target of targets) {
      for (const name of await entriesOf(target)) await rm(join(target, name), {recursive: true, force: true});
    }
    throw asMillraceError(error);
  }
}

async function* rows(folder: string, manifest: BackupManifest, places: Places): AsyncIterable<TableRows> {
  for (const table of Object.keys(manifest.tables)) {
    let batch: string[] = [];
    for await (const line of linesOf(folder, table)) {
      batch.push(table === 'upload' ? withPath(line, places) : line);
      if (batch.length === batchLines) {
        yield {table, rows: batch};
        batch = [];
      }
    }
    if (batch.length > 0) yield {table, rows: batch};
  }
}

function withPath(line: string, places: Places): string {
  const upload = JSON.parse(line) as {path: string};
  return JSON.stringify({...upload, path: uploadPath(places, upload.path)});
}

/** The restored catalog is brought up to date by its columns' defaults; one from a later version has what is not known here. */
async function refuseNewer(folder: string, {migrations}: BackupManifest, {catalog}: Places): Promise<void> {
  const known = new Set((await catalog.dump(async () => undefined)).migrations);
  const unknown = migrations.find(name => !known.has(name));
  if (unknown !== undefined) throw new MillraceError('BACKUP_INVALID', {path: folder, reason: `it was written by a later version of Millrace (${unknown}).`});
}

