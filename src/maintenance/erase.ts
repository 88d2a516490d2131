import {mkdir, rename, rm} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import type {Stores} from '../catalog/catalog.ts';
import {boundary} from '../core/boundaries.ts';
import {MillraceError, didYouMean} from '../core/errors.ts';
import {syncPath} from '../core/files.ts';
import {newId} from '../core/ids.ts';
import {sha256OfFile} from '../core/sha256.ts';
import type {Viewer} from '../core/viewer.ts';
import {identifier} from '../engines/sql-text.ts';
import {quarantineOf} from '../schemas/contract.ts';
import type {Schema} from '../schemas/schema.ts';
import {hashContent, tableOf} from '../warehouse/content.ts';
import type {DatasetRecord, FileRecord, SnapshotRecord} from '../warehouse/warehouse.ts';
import {removeLeftovers} from './garbage.ts';
import type {EraseInput, ErasePlaces, ErasedSnapshot, ErasureRecord, Rewritten} from './maintenance.ts';
import {rowsOf, selectionOf} from './row-selection.ts';
import type {Selection} from './row-selection.ts';

/** Commits that may come in between before the erasure gives way. */
const tries = 10;

/**
 * Removes rows from every snapshot of a dataset and of its quarantine: the one exception to their immutability. Files that have such
 * rows are written anew without them; then one unit of work puts the new files in the old ones' place, with the record; then the old
 * ones are removed. A kill before that unit of work leaves everything as it was, one after it is made up for by the next start.
 */
export async function eraseRows(places: ErasePlaces, viewer: Viewer, input: EraseInput): Promise<ErasureRecord> {
  if (input.reason.trim() === '') throw new MillraceError('ARGUMENT_INVALID', {name: 'reason', reason: 'it is empty.'});
  const {catalog, engine} = places;
  const dataset = await datasetNamed(places, input.dataset);
  const head = await catalog.read(({datasets}) => datasets.head('main', dataset.name));
  const erasure = new Erasure(places, await selectionOf(engine, dataset, head?.schema ?? {fields: []}, input), dataset);
  try {
    for (let left = tries; left > 0; left--) {
      const record = await erasure.attempt(viewer, input.reason);
      if (!record) continue;
      boundary('rows erased');
      await removeLeftovers(places);
      return record;
    }
    throw new MillraceError('COMMIT_CONFLICT', {dataset: dataset.name});
  } finally {
    await erasure.discard();
  }
}

/** @throws DATASET_NOT_FOUND */
export async function datasetNamed({catalog}: Pick<ErasePlaces, 'catalog'>, name: string): Promise<DatasetRecord> {
  return catalog.read(async ({datasets}) => {
    const found = await datasets.byName(name);
    if (found) return found;
    throw new MillraceError('DATASET_NOT_FOUND', {name, didYouMean: didYouMean(name, (await datasets.list()).map(dataset => dataset.name))});
  });
}

/** What is to be done to a file; null: nothing. */
type Finding = (Rewritten & {readonly rowIds: readonly bigint[]}) | null;

/** A dataset's past as it was looked at. */
interface Looked {
  readonly dataset: DatasetRecord;
  readonly files: readonly FileRecord[];
  readonly snapshots: readonly SnapshotRecord[];
}

class Erasure {
  private readonly id = newId();
  private readonly draft: string;
  /** By file id. Files never change, so each is looked at once. */
  private readonly found = new Map<string, Finding>();
  private readonly drafts: string[] = [];

  constructor(
    private readonly places: ErasePlaces,
    private readonly selection: Selection,
    private readonly main: DatasetRecord,
  ) {
    this.draft = join(places.warehouse, 'staging', `erase-${this.id}`);
  }

  /** Answers null when a commit came in between: there are files that were not looked at. */
  async attempt(viewer: Viewer, reason: string): Promise<ErasureRecord | null> {
    const {catalog} = this.places;
    const looked = await catalog.read(stores => this.look(stores));
    for (const {dataset, files} of looked) {
      const schemas = await catalog.read(stores => stores.erasures.schemas(dataset.id));
      for (const file of files) if (!this.found.has(file.id)) this.found.set(file.id, await this.rewrite(dataset, file, schemas.get(file.schemaVersion)!));
    }
    const snapshots: ErasedSnapshot[] = [];
    for (const one of looked) for (const snapshot of this.touched(one)) snapshots.push(await this.without(snapshot, one));
    const datasetIds = looked.map(({dataset}) => dataset.id);
    const snapshotIds = snapshots.map(({id}) => id);
    const keylessRows = await this.keyless(looked);
    const affected = {...(await catalog.read(stores => stores.erasures.affected(datasetIds, snapshotIds))), ...(keylessRows > 0 ? {keylessRows} : {})};
    boundary('files rewritten');

    const record = await catalog.transaction(async stores => {
      for (const id of datasetIds.toSorted()) await stores.expiry.lock(id);
      const now = await this.look(stores);
      if (fingerprint(now) !== fingerprint(looked)) return null;
      const files = now.flatMap(one => one.files.map(file => this.found.get(file.id)).filter(finding => finding != null));
      const made = await stores.erasures.erase(
        {id: this.id, datasetId: this.main.id, ...this.selection.recorded, requestedBy: viewer.name, reason, rows: rowsIn(now, this.found), snapshotIds, affected}, datasetIds, files, snapshots);
      for (const {dataset: {name}} of looked) await stores.changes.tell('data', name);
      return made;
    });
    return record;
  }

  private async look({erasures, datasets}: Stores): Promise<Looked[]> {
    const looked: Looked[] = [];
    // Ids of rows are a dataset's own. A quarantine may come with any commit.
    const quarantine = this.selection.recorded.selectedBy === 'row_ids' ? null : await datasets.byName(quarantineOf(this.main.name));
    for (const dataset of quarantine ? [this.main, quarantine] : [this.main]) {
      const snapshots = (await datasets.snapshots(dataset.id, 2 ** 31 - 1)).filter(snapshot => snapshot.expiredAt === null);
      looked.push({dataset, files: await erasures.files(dataset.id), snapshots});
    }
    return looked;
  }

  /** Writes a file anew beside the old one, when it has rows that are meant. */
  private async rewrite(dataset: DatasetRecord, file: FileRecord, schema: Schema): Promise<Finding> {
    const {catalog, engine, warehouse} = this.places;
    const names = new Set(file.columns.map(column => column.name));
    const own: Schema = {fields: schema.fields.filter(field => names.has(field.name))};
    const table = tableOf(warehouse, {schema: own, schemaVersion: file.schemaVersion}, [file]);
    const isMain = dataset.id === this.main.id;
    const picked = rowsOf(table, this.selection, isMain, true);
    const rowIds = (await engine.rows({...picked, sql: `SELECT _row_id FROM (${picked.sql})`})).map(row => BigInt(row._row_id as bigint));
    if (rowIds.length === 0) return null;
    if (BigInt(rowIds.length) === file.rowCount) return {fileId: file.id, file: null, rowIds};

    const folder = join(this.draft, file.id);
    await mkdir(folder, {recursive: true});
    const [written] = await engine.materialize(rowsOf(table, this.selection, isMain, false), {folder, schema: own, storeRowIds: true});
    const id = newId();
    const path = `${dirname(file.path)}/part-${id}.parquet`;
    const bytes = BigInt(written!.bytes);
    const sha256 = await sha256OfFile(written!.path);
    // Noted first, so that whatever becomes of this process somebody removes it.
    await catalog.transaction(stores => stores.expiry.leave([{path, bytes}], {hours: 24, isDraft: true}));
    this.drafts.push(path);
    await rename(written!.path, join(warehouse, path));
    await syncPath(dirname(join(warehouse, path)));
    return {fileId: file.id, rowIds, file: {id, path, rowCount: BigInt(written!.rowCount), bytes, sha256, columns: written!.columns.filter(column => column.name !== '_row_id')}};
  }

  /** How many quarantined rows lack a value of the key, so that no erasure by key finds them. */
  private async keyless([, quarantine]: readonly Looked[]): Promise<number> {
    const {catalog, engine, warehouse} = this.places;
    const {selectedBy, columns: key} = this.selection.recorded;
    if (selectedBy !== 'key' || !quarantine || quarantine.files.length === 0) return 0;
    const schemas = await catalog.read(stores => stores.erasures.schemas(quarantine.dataset.id));
    const tables = quarantine.files.map(file => {
      const names = new Set(file.columns.map(column => column.name));
      const schema: Schema = {fields: schemas.get(file.schemaVersion)!.fields.filter(field => names.has(field.name))};
      const lacks = key.map(column => (names.has(column) ? `${identifier(column)} IS NULL` : 'true')).join(' OR ');
      return {lacks, table: {...tableOf(warehouse, {schema, schemaVersion: file.schemaVersion}, [file]), rowIds: true}};
    });
    const sql = `SELECT count(DISTINCT _row_id) AS keyless FROM (${tables.map(({lacks}, index) => `SELECT _row_id FROM file_${index} WHERE ${lacks}`).join(' UNION ALL ')})`;
    const [row] = await engine.rows({sql, relations: Object.fromEntries(tables.map(({table}, index) => [`file_${index}`, table]))});
    return Number(row!.keyless);
  }

  /** Snapshots that have a file with such rows. */
  private touched({snapshots, files}: Looked): SnapshotRecord[] {
    return snapshots.filter(snapshot => files.some(file => isIn(file, snapshot) && this.found.get(file.id)));
  }

  private async without(snapshot: SnapshotRecord, {files}: Looked): Promise<ErasedSnapshot> {
    const left = files.filter(file => isIn(file, snapshot)).flatMap((file): FileRecord[] => {
      const finding = this.found.get(file.id);
      return !finding ? [file] : finding.file ? [{...file, ...finding.file, firstRowId: 0n, rowIds: 'stored'}] : [];
    });
    const total = (of: (file: FileRecord) => bigint): bigint => left.reduce((all, file) => all + of(file), 0n);
    return {
      id: snapshot.id, rowCount: total(file => file.rowCount), bytes: total(file => file.bytes), fileCount: left.length, contentHash: hashContent(snapshot.schema, left),
      profile: await this.places.engine.profile(tableOf(this.places.warehouse, snapshot, left)),
    };
  }

  /** Removes what was written and is not used. */
  async discard(): Promise<void> {
    await rm(this.draft, {recursive: true, force: true});
    // Those that are still drafts: where the answer of a commit was lost, it may stand all the same.
    if ((await this.places.catalog.transaction(stores => stores.expiry.giveUp(this.drafts))) > 0) await removeLeftovers(this.places);
  }
}

const isIn = ({addedAt, removedAt}: FileRecord, {sequence}: SnapshotRecord): boolean => addedAt <= sequence && (removedAt === null || sequence < removedAt);

/** Tells whether the same snapshots have the same files as before. */
const fingerprint = (looked: readonly Looked[]): string =>
  JSON.stringify(looked.map(({dataset, files, snapshots}) => [dataset.id, files.map(({id, removedAt}) => [id, removedAt]), snapshots.map(({id}) => id)]));

/** Different rows: compaction puts the same row into several files. */
function rowsIn(looked: readonly Looked[], found: ReadonlyMap<string, Finding>): bigint {
  return looked.reduce((all, {files}) => all + BigInt(new Set(files.flatMap(file => found.get(file.id)?.rowIds ?? [])).size), 0n);
}
