import {rm} from 'node:fs/promises';
import {basename, dirname, join} from 'node:path';
import {boundary} from '../core/boundaries.ts';
import {sweepFolder, syncPath} from '../core/files.ts';
import type {Retention} from '../schemas/contract.ts';
import {writeManifest} from '../warehouse/manifest.ts';
import type {DatasetRecord} from '../warehouse/warehouse.ts';
import type {Amount, DatasetGarbage, Garbage, KeptBy, Leftover, PastSnapshot, Places} from './maintenance.ts';

export interface GarbageOptions {
  /** Hours that files stay after the last snapshot naming them has expired. */
  readonly graceHours: number;
  /** Days that uploads are kept; 0: for ever. */
  readonly uploadDays: number;
  /** Days that a finished run's events are kept. */
  readonly eventDays: number;
  /** Removes what runs and commits that died left behind; answers how many folders. */
  readonly sweep: () => Promise<number>;
}

const nothing: Amount = {files: 0, bytes: 0n};

const sum = (amounts: readonly Amount[]): Amount => amounts.reduce((all, {files, bytes}) => ({files: all.files + files, bytes: all.bytes + bytes}), nothing);

/** What a collection would do. Leftovers that are due and what expires without a grace are removed; folders are not looked at. */
export async function planGarbage({catalog}: Places, {graceHours, uploadDays, eventDays}: GarbageOptions): Promise<Garbage> {
  return catalog.read(async stores => {
    const datasets: DatasetGarbage[] = [];
    for (const dataset of (await stores.datasets.list()).filter(hasRule)) {
      const found = whatExpires(await stores.expiry.past(dataset.id), dataset.contract.retention!);
      datasets.push({dataset: dataset.name, retention: dataset.contract.retention!, ...found, freed: await stores.expiry.freed(dataset.id, found.expires.map(({id}) => id))});
    }
    const freed = sum(datasets.map(dataset => dataset.freed));
    const {due, later} = await stores.expiry.waiting();
    const uploads = uploadDays === 0 ? nothing : await stores.uploads.old(uploadDays).then(({count, bytes}) => ({files: count, bytes}));
    return {
      datasets, removed: graceHours === 0 ? sum([due, freed]) : due, waiting: graceHours === 0 ? later : sum([later, freed]), folders: 0, uploads,
      events: await stores.runs.oldEvents(eventDays),
    };
  });
}

/** Does it. What a kill interrupts, the next collection goes on with. */
export async function collectGarbage(places: Places, options: GarbageOptions): Promise<Garbage> {
  const {catalog} = places;
  const datasets: DatasetGarbage[] = [];
  for (const dataset of (await catalog.read(stores => stores.datasets.list())).filter(hasRule)) datasets.push(await expire(places, dataset, options.graceHours));
  const removed = await removeLeftovers(places);
  const {later: waiting} = await catalog.read(stores => stores.expiry.waiting());
  const folders = await options.sweep();
  const uploads = await removeUploads(places, options);
  const events = await catalog.transaction(stores => stores.runs.expireEvents(options.eventDays));
  return {datasets, removed, waiting, folders, uploads, events};
}

const hasRule = ({contract: {retention}}: DatasetRecord): boolean => retention?.snapshots !== undefined || retention?.days !== undefined;

/** Decides anew behind the lock: a pin, a run or a commit may have come since the list was read. */
async function expire({catalog}: Places, {id, name}: DatasetRecord, graceHours: number): Promise<DatasetGarbage> {
  const done = await catalog.transaction(async ({datasets, expiry}) => {
    await expiry.lock(id);
    const retention = (await datasets.byName(name))?.contract.retention ?? {};
    const found = whatExpires(await expiry.past(id), retention);
    const expiring = found.expires.map(snapshot => snapshot.id);
    const freed = await expiry.freed(id, expiring);
    if (expiring.length > 0) await expiry.expire(id, expiring, graceHours);
    return {dataset: name, retention, ...found, freed};
  });
  if (done.expires.length > 0) boundary('snapshots expired');
  return done;
}

/**
 * Takes a dataset's past apart. Of `days` a snapshot stays that was the newest at some time within them, so that the dataset as of any
 * such time can be asked for.
 * @param past newest first
 */
export function whatExpires(past: readonly PastSnapshot[], {snapshots, days}: Retention): Pick<DatasetGarbage, 'expires' | 'keeps'> {
  const expires: PastSnapshot[] = [];
  const keeps: DatasetGarbage['keeps'][number][] = [];
  past.forEach((snapshot, index) => {
    const {isHead, daysPast, pinnedBy, trained, runId} = snapshot;
    const isOfRule = (snapshots === undefined && days === undefined) || index < (snapshots ?? 0) || (days !== undefined && (daysPast ?? 0) < days);
    const kept = (by: KeptBy, detail: string | null = null): unknown => keeps.push({snapshot, by, detail});
    if (isHead || daysPast === null) kept('newest');
    else if (isOfRule) kept('rule');
    else if (pinnedBy !== null) kept('pin', pinnedBy);
    else if (trained !== null) kept('model', trained);
    else if (runId !== null) kept('run', runId);
    else expires.push(snapshot);
  });
  return {expires, keeps};
}

/** How many leftovers are taken at once. */
const batch = 500;

/** Brings the disk to where the catalog is: writes manifests anew, then removes files that are due. What it answers is on the disk. */
export async function removeLeftovers(places: Pick<Places, 'catalog' | 'warehouse'>): Promise<Amount> {
  let removed = nothing;
  for (;;) {
    const due = await places.catalog.read(stores => stores.expiry.due(batch));
    if (due.length === 0) return removed;
    for (const leftover of due) if (leftover.snapshotId !== null) await rewriteManifest(places, leftover);
    const files = due.filter(({snapshotId}) => snapshotId === null);
    for (const {path} of files) await rm(join(places.warehouse, path), {force: true});
    for (const folder of new Set(files.map(({path}) => dirname(join(places.warehouse, path))))) await syncPath(folder).catch(unlessGone);
    boundary('leftovers removed');
    await places.catalog.transaction(stores => stores.expiry.forget(due.map(({path}) => path)));
    removed = sum([removed, {files: files.length, bytes: files.reduce((all, {bytes}) => all + bytes, 0n)}]);
  }
}

async function rewriteManifest({catalog, warehouse}: Pick<Places, 'catalog' | 'warehouse'>, {path, snapshotId}: Leftover): Promise<void> {
  const manifest = await catalog.read(async ({datasets}) => {
    const snapshot = await datasets.snapshot(snapshotId!);
    const dataset = snapshot && (await datasets.byName(snapshot.datasetName));
    return dataset && {dataset, snapshot, files: (await datasets.filesOf([snapshot.id])).get(snapshot.id)!};
  });
  if (manifest) await writeManifest(join(warehouse, path), manifest);
}

function unlessGone(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

/** Uploads that came in long ago, and files in their folder that none of them names. */
async function removeUploads({catalog, uploads}: Places, {uploadDays, graceHours}: GarbageOptions): Promise<Amount> {
  const expired = uploadDays === 0 ? [] : await catalog.transaction(stores => stores.uploads.expire(uploadDays));
  for (const {path} of expired) await rm(path, {force: true});
  // A file is there before its row is: only what is old is nobody's.
  const known = new Set([...(await catalog.read(stores => stores.uploads.paths()))].map(path => basename(path)));
  await sweepFolder(uploads, Math.max(24, graceHours), name => known.has(name));
  return {files: expired.length, bytes: expired.reduce((all, {bytes}) => all + bytes, 0n)};
}
