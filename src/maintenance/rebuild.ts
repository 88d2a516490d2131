import {existsSync} from 'node:fs';
import {stat} from 'node:fs/promises';
import {join, relative} from 'node:path';
import {MillraceError} from '../core/errors.ts';
import {manifestName, readManifest} from '../warehouse/manifest.ts';
import type {SnapshotManifest} from '../warehouse/manifest.ts';
import type {Places, Rebuilt} from './maintenance.ts';
import {entriesOf, snapshotFolders} from './manifests.ts';

/**
 * Makes the datasets again from the manifests beside their data, into a catalog that has none: same names, ids, snapshots, row ids.
 * Runs, models and their aliases are not in them and are lost; the graph is told to look again.
 *
 * @throws TARGET_NOT_EMPTY when the catalog has datasets
 */
export async function rebuild({catalog, warehouse}: Pick<Places, 'catalog' | 'warehouse'>): Promise<Rebuilt> {
  if ((await catalog.read(stores => stores.datasets.list())).length > 0) throw new MillraceError('TARGET_NOT_EMPTY', {path: 'the catalog'});
  const skipped: string[] = [];
  const found: SnapshotManifest[] = [];
  const folders: string[] = [];
  for await (const {path, hasManifest} of snapshotFolders(warehouse)) {
    if (!hasManifest) continue;
    folders.push(path);
    const manifest = await readManifest(join(path, manifestName));
    const missing = manifest?.files.find(file => !existsSync(join(warehouse, file.path)));
    if (!manifest) skipped.push(`${path}: the manifest cannot be read`);
    else if (missing) skipped.push(`${path}: ${missing.path} is missing`);
    else found.push(manifest);
  }

  const datasets = [...Map.groupBy(found, manifest => manifest.dataset.id).values()].map(of => of.sort((a, b) => a.snapshot.sequence - b.snapshot.sequence));
  await catalog.transaction(async stores => {
    // The newest manifest has the dataset's contract as it was last.
    for (const snapshots of datasets) await stores.datasets.rebuild(snapshots.at(-1)!.dataset, snapshots);
    await stores.changes.tell('graph', '');
  });
  if (skipped.length === 0) await leaveUnnamed({catalog, warehouse}, folders, new Set(found.flatMap(({files}) => files.map(file => file.path))));
  return {datasets: datasets.length, snapshots: found.length, skipped};
}

/** Files whose removal the lost catalog had yet to see to: of expired snapshots, and of rows that were erased. */
async function leaveUnnamed({catalog, warehouse}: Pick<Places, 'catalog' | 'warehouse'>, folders: readonly string[], named: ReadonlySet<string>): Promise<void> {
  const leftovers: {path: string; bytes: bigint}[] = [];
  for (const folder of folders) {
    for (const name of await entriesOf(folder)) {
      const path = relative(warehouse, join(folder, name)).replaceAll('\\', '/');
      if (name.endsWith('.parquet') && !named.has(path)) leftovers.push({path, bytes: BigInt((await stat(join(folder, name))).size)});
    }
  }
  await catalog.transaction(stores => stores.expiry.leave(leftovers));
}
