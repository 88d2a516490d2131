import {statfs} from 'node:fs/promises';
import {join} from 'node:path';
import {asMillraceError, errorTable} from '../core/errors.ts';
import type {FileRecord} from '../warehouse/warehouse.ts';
import {damageOf, eachOf} from './copy-files.ts';
import type {Finding, Places} from './maintenance.ts';
import {checkManifests, entriesOf, snapshotFolders, snapshotPages} from './manifests.ts';

export interface DoctorOptions {
  /** Looks at every snapshot instead of the newest of each dataset. */
  readonly deep?: boolean;
}

type Verdict = Omit<Finding, 'check'>;

const ok = (detail: string): Verdict => ({status: 'ok', detail, hint: null});
const warn = (detail: string, hint: string): Verdict => ({status: 'warn', detail, hint});
const failed = (detail: string, hint: string): Verdict => ({status: 'failed', detail, hint});

/** The first few of a list, in words. */
const some = (items: readonly string[]): string => items.slice(0, 5).join(', ') + (items.length > 5 ? ` and ${items.length - 5} more` : '');

/**
 * Looks whether everything is as it should be. Changes nothing but one thing: a missing manifest is written again. A check that
 * cannot be done is a finding too; the others go on.
 */
export async function doctor(places: Places, {deep = false}: DoctorOptions = {}): Promise<Finding[]> {
  const checks: readonly (readonly [Finding['check'], () => Promise<Verdict>])[] = [
    ['catalog', () => checkCatalog(places)],
    ['heads', () => checkHeads(places)],
    ['files', () => checkFiles(places, deep)],
    ['manifests', () => checkBeside(places, deep)],
    ['models', () => checkModels(places)],
    ['left over', () => checkLeftOver(places)],
    ['workers', () => checkWorkers(places)],
    ['disk', () => checkDisk(places)],
  ];
  const findings: Finding[] = [];
  for (const [check, look] of checks) {
    const verdict = await look().catch((error: unknown) => {
      const {message, hint} = asMillraceError(error);
      return failed(message, hint);
    });
    findings.push({check, ...verdict});
  }
  return findings;
}

async function checkCatalog({catalog}: Places): Promise<Verdict> {
  const version = await catalog.read(stores => stores.changes.count('graph'));
  const datasets = await catalog.read(stores => stores.datasets.list());
  return ok(`${datasets.length} datasets, graph version ${version}`);
}

/** Each head's counts are the sums of its files'. */
async function checkHeads({catalog}: Places): Promise<Verdict> {
  const heads = await catalog.read(stores => stores.datasets.heads('main'));
  const files = await catalog.read(stores => stores.datasets.filesOf([...heads.values()].map(head => head.id)));
  const total = (of: readonly FileRecord[], value: (file: FileRecord) => bigint): bigint => of.reduce((sum, file) => sum + value(file), 0n);
  const wrong = [...heads.values()].filter(head => {
    const own = files.get(head.id)!;
    return total(own, file => file.rowCount) !== head.rowCount || total(own, file => file.bytes) !== head.bytes || own.length !== head.fileCount;
  });
  if (wrong.length === 0) return ok(`${heads.size} newest snapshots agree with their files`);
  return failed(`the newest snapshots of ${some(wrong.map(head => head.datasetName))} disagree with their files`, 'Restore a backup, or run the pipelines again.');
}

async function checkFiles(places: Places, deep: boolean): Promise<Verdict> {
  const {catalog, warehouse} = places;
  const damaged: string[] = [];
  let files = 0;
  let bytes = 0n;
  const look = async (file: Pick<FileRecord, 'path' | 'bytes' | 'sha256'>): Promise<void> => {
    files++;
    bytes += file.bytes;
    const damage = await damageOf(join(warehouse, file.path), Number(file.bytes), file.sha256);
    if (damage !== null) damaged.push(`${file.path} (${damage})`);
  };
  if (deep) {
    for (const dataset of await catalog.read(stores => stores.datasets.list())) {
      await eachOf(await catalog.read(stores => stores.datasets.everyFile(dataset.id)), look);
    }
  } else {
    for await (const {snapshots} of snapshotPages(places, {all: false})) {
      await eachOf(await catalog.read(stores => stores.datasets.files(snapshots[0]!)), look);
    }
  }
  if (damaged.length > 0) return failed(`FILE_DAMAGED: ${some(damaged)}`, errorTable.FILE_DAMAGED.hint);
  return ok(`${files} files, ${bytes} bytes, all with their checksums${deep ? '' : ' (of the newest snapshots; --deep for all)'}`);
}

async function checkBeside(places: Places, deep: boolean): Promise<Verdict> {
  const {checked, written, different} = await checkManifests(places, {all: deep});
  if (different.length > 0) return failed(`the manifests of the snapshots ${some(different)} say something else than the catalog`, 'Restore a backup, or run the pipelines again.');
  if (written > 0) return warn(`${written} of ${checked} manifests were missing`, 'They were written again; nothing to do.');
  return ok(`${checked} manifests agree with the catalog`);
}

async function checkModels({catalog, models}: Places): Promise<Verdict> {
  const versions = await catalog.read(async stores => [...(await stores.models.versionsOf((await stores.models.list()).map(model => model.id))).values()].flat());
  const damaged: string[] = [];
  await eachOf(versions.flatMap(version => version.artifact.files.map(file => ({version, file}))), async ({version, file}) => {
    const damage = await damageOf(join(models, version.artifact.folder, file.name), file.bytes, file.sha256);
    if (damage !== null) damaged.push(`${file.name} of ${version.modelName}@${version.number} (${damage})`);
  });
  if (damaged.length > 0) return failed(`damaged artifacts: ${some(damaged)}`, 'Restore them from a backup, or register the models again.');
  return ok(`${versions.length} versions, all artifacts with their checksums`);
}

async function checkLeftOver({catalog, warehouse}: Places): Promise<Verdict> {
  const named = await catalog.read(stores => stores.datasets.allSnapshotIds());
  const staged = await entriesOf(join(warehouse, 'staging'));
  const lost: string[] = [];
  let unnamed = 0;
  for await (const {id, hasManifest} of snapshotFolders(warehouse)) {
    if (named.has(id)) continue;
    if (hasManifest) lost.push(id);
    else unnamed++;
  }
  if (lost.length > 0) {
    return failed(`${lost.length} committed snapshots lie in the warehouse and are not in the catalog: ${some(lost)}`,
      'The catalog lost them, for example by a power cut: restore a backup, or move the catalog folder away and run `millrace doctor --rebuild`.');
  }
  if (staged.length + unnamed > 0) return warn(`${staged.length} staged and ${unnamed} unnamed folders`, 'Runs at work use them, or they are removed after `warehouse.graceHours`; nothing to do.');
  return ok('no folder is left over');
}

async function checkWorkers({catalog}: Places): Promise<Verdict> {
  const due = await catalog.read(stores => stores.runs.nextDue());
  if (due === null || due > -30) return ok('no step waits for a worker');
  return warn(`a step has waited for a worker for ${Math.round(-due)} s`, 'Start a worker: `millrace serve` or `millrace work`.');
}

async function checkDisk({warehouse}: Places): Promise<Verdict> {
  const {bavail, blocks, bsize} = await statfs(warehouse);
  const free = bavail * bsize;
  const share = Math.round((100 * bavail) / blocks);
  const detail = `${Math.round(free / 1e9)} GB free (${share} %)`;
  return free < 1e9 || share < 5 ? warn(detail, 'Free some space: a step that finds none fails with DISK_FULL.') : ok(detail);
}
