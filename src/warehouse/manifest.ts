import {mkdir, readFile} from 'node:fs/promises';
import {dirname} from 'node:path';
import {writeDurably} from '../core/files.ts';
import type {DatasetRecord, FileRecord, SnapshotRecord} from './warehouse.ts';

/**
 * What the catalog knows of a committed snapshot, in a small file beside its data. The embedded database does not force its writes
 * to the disk; this file is forced, so that datasets can be made again after a power cut.
 */
export interface SnapshotManifest {
  readonly dataset: DatasetRecord;
  readonly snapshot: SnapshotRecord;
  readonly files: readonly FileRecord[];
}

export const manifestName = 'manifest.json';

/** The path of a snapshot's manifest, relative to the warehouse. */
export const manifestPath = (snapshot: Pick<SnapshotRecord, 'id' | 'datasetName'>): string => `data/${snapshot.datasetName}/${snapshot.id}/${manifestName}`;

/** A manifest as text. Numbers of 64 bits are strings. */
export const manifestText = (manifest: SnapshotManifest): string =>
  JSON.stringify(manifest, (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));

export async function writeManifest(path: string, manifest: SnapshotManifest): Promise<void> {
  await mkdir(dirname(path), {recursive: true});
  await writeDurably(path, manifestText(manifest));
}

/** A manifest that was written, or null when there is none or it is no manifest. */
export async function readManifest(path: string): Promise<SnapshotManifest | null> {
  try {
    const {dataset, snapshot, files} = JSON.parse(await readFile(path, 'utf8')) as SnapshotManifest;
    return {
      dataset: {...dataset, createdAt: new Date(dataset.createdAt)},
      snapshot: {
        ...snapshot, rowCount: BigInt(snapshot.rowCount), bytes: BigInt(snapshot.bytes), nextRowId: BigInt(snapshot.nextRowId), committedAt: new Date(snapshot.committedAt),
        expiredAt: snapshot.expiredAt ? new Date(snapshot.expiredAt) : null,
      },
      files: files.map(file => ({...file, partition: file.partition ?? null, firstRowId: BigInt(file.firstRowId), rowCount: BigInt(file.rowCount), bytes: BigInt(file.bytes)})),
    };
  } catch {
    return null;
  }
}
