import {existsSync} from 'node:fs';
import {readdir} from 'node:fs/promises';
import {join} from 'node:path';
import {manifestName, manifestPath, manifestText, readManifest, writeManifest} from '../warehouse/manifest.ts';
import type {SnapshotManifest} from '../warehouse/manifest.ts';
import type {DatasetRecord, SnapshotRecord} from '../warehouse/warehouse.ts';
import {eachOf} from './copy-files.ts';
import type {Places} from './maintenance.ts';

/** Snapshots looked at at once. */
const pageSize = 100;

/** Every snapshot of every dataset, or only the newest of each, in pages. */
export async function* snapshotPages({catalog}: Pick<Places, 'catalog'>, {all}: {readonly all: boolean}): AsyncIterable<{dataset: DatasetRecord; snapshots: SnapshotRecord[]}> {
  for (const dataset of await catalog.read(stores => stores.datasets.list())) {
    let before: number | undefined;
    for (;;) {
      const snapshots = await catalog.read(stores => stores.datasets.snapshots(dataset.id, all ? pageSize : 1, before));
      if (snapshots.length > 0) yield {dataset, snapshots};
      before = snapshots.at(-1)?.sequence;
      if (!all || snapshots.length < pageSize) break;
    }
  }
}

export interface ManifestsFound {
  readonly checked: number;
  /** Missing or unreadable ones, which were written again. */
  readonly written: number;
  /** Ids of snapshots whose manifest says something else than the catalog. */
  readonly different: readonly string[];
}

/** Compares the manifests beside the data with the catalog; a missing one is written. */
export async function checkManifests(places: Pick<Places, 'catalog' | 'warehouse'>, which: {readonly all: boolean}): Promise<ManifestsFound> {
  let checked = 0;
  let written = 0;
  const different: string[] = [];
  for await (const {dataset, snapshots} of snapshotPages(places, which)) {
    const files = await places.catalog.read(stores => stores.datasets.filesOf(snapshots.map(snapshot => snapshot.id)));
    await eachOf(snapshots, async snapshot => {
      const path = join(places.warehouse, manifestPath(snapshot));
      const ours: SnapshotManifest = {dataset, snapshot, files: files.get(snapshot.id)!};
      const found = await readManifest(path);
      checked++;
      if (!found) {
        await writeManifest(path, ours);
        written++;
      } else if (contentOf(found) !== contentOf(ours)) different.push(snapshot.id);
    });
  }
  return {checked, written, different};
}

/** What never changes of a snapshot: files may be removed from later ones, its contract may be set anew. */
const contentOf = ({dataset, snapshot, files}: SnapshotManifest): string =>
  manifestText({
    dataset: {id: dataset.id, name: dataset.name} as DatasetRecord,
    snapshot: {id: snapshot.id, sequence: snapshot.sequence, contentHash: snapshot.contentHash, rowCount: snapshot.rowCount} as SnapshotRecord,
    files: files.map(({id, path, sha256, firstRowId}) => ({id, path, sha256, firstRowId})) as unknown as SnapshotManifest['files'],
  });

/** Every folder of the warehouse that holds, or was to hold, a snapshot; `path` is absolute. */
export async function* snapshotFolders(warehouse: string): AsyncIterable<{readonly id: string; readonly path: string; readonly hasManifest: boolean}> {
  const data = join(warehouse, 'data');
  for (const dataset of await entriesOf(data)) {
    for (const id of await entriesOf(join(data, dataset))) {
      const path = join(data, dataset, id);
      yield {id, path, hasManifest: existsSync(join(path, manifestName))};
    }
  }
}

/** Names in a folder; none when it does not exist. */
export async function entriesOf(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
