import {mkdir, readdir, rename, rm, stat, symlink} from 'node:fs/promises';
import {basename, join, resolve} from 'node:path';
import {isDeepStrictEqual} from 'node:util';
import type {Catalog} from '../catalog/catalog.ts';
import {MillraceError} from '../core/errors.ts';
import {newId} from '../core/ids.ts';
import {onlyAdmin} from '../core/viewer.ts';
import type {Viewer} from '../core/viewer.ts';
import type {Engine, Table, TableFile} from '../engines/engine.ts';
import type {ForeignTable, Metastore, OutsideTable, TableSink} from '../engines/metastore.ts';
import type {Schema} from '../schemas/schema.ts';
import type {SnapshotRecord, Warehouse} from '../warehouse/warehouse.ts';
import type {HiveTarget, Publications} from './pipeline.ts';

export interface PublicationOptions {
  readonly catalog: Catalog;
  readonly warehouse: Pick<Warehouse, 'table' | 'pathOf'>;
  /** The embedded one, which rewrites files. */
  readonly engine: Engine;
  readonly metastore: Metastore;
  readonly sink: TableSink;
  /** For folders of links, under a path that Hive's processes see as well. */
  readonly folder: string;
}

interface Place {
  readonly database: string;
  readonly name: string;
}

/** Files of a snapshot by how they come to be read by the names of their columns. */
interface Parted {
  readonly table: Table;
  readonly linked: readonly TableFile[];
  /** Written when columns had other names or types. */
  readonly rewritten: readonly TableFile[];
}

/** Seconds of a pin that ends when somebody unpublishes: a hundred years. */
const forever = 100 * 365.25 * 86_400;
const rowsPerFile = 1_000_000;

/**
 * Snapshots as tables of Hive. Each lies in a folder of links to its own files, stays readable under a name of its own, and is pinned for
 * as long; a view under the name that people know shows the last one. The tables' properties say what they are, the pins whose they are.
 */
export class PublicationService implements Publications {
  constructor(private readonly options: PublicationOptions) {}

  /** What publishing will do, in words. @throws ENGINE_UNSUPPORTED for a column that Hive cannot show */
  async look({snapshot, table}: {readonly snapshot: SnapshotRecord | null; readonly table: Table}): Promise<readonly string[]> {
    const shown = this.options.sink.shows(table.schema);
    const old = snapshot?.profile.some(({name, min}) => min !== null && hasDays(table.schema, name) && beforeGregory(min)) === true
      ? ['dates before 1582-10-15 are other days for readers that do not set `hive.parquet.date.proleptic.gregorian.default`'] : [];
    if (snapshot === null) return shown;
    const {linked, rewritten} = await this.part(snapshot);
    const links = `${counted(linked)} ${linked.length === 1 ? 'is' : 'are'} linked, not copied`;
    return [rewritten.length === 0 ? links : `${links}; ${counted(rewritten)}, written when columns had other names or types, ${rewritten.length === 1 ? 'is' : 'are'} rewritten`, ...shown, ...old];
  }

  /** @throws ENGINE_UNAVAILABLE, ENGINE_UNSUPPORTED, SOURCE_NOT_FOUND without the database, NAME_TAKEN */
  async check(target: HiveTarget, dataset: string, schema: Schema): Promise<void> {
    const place = placeOf(target.table);
    await this.options.sink.check(schema);
    const there = await this.find(place);
    const taken = (by: string): never => {
      throw new MillraceError('NAME_TAKEN', {name: shownName(place), by, suggestion: `${shownName(place)}_of_${dataset}`});
    };
    if (there && there.properties['millrace.table'] !== shownName(place)) taken(`${there.view ? 'a view' : 'a table'} of others in Hive`);
    if (there && there.properties['millrace.dataset'] !== dataset) taken(`the dataset '${there.properties['millrace.dataset']}', which is published there`);
  }

  /** @param prove called last before readers see the snapshot. @throws as `check`; ENGINE_FILES_UNREACHABLE, SNAPSHOT_NOT_FOUND, DISK_FULL */
  async publish(target: HiveTarget, snapshot: SnapshotRecord, signal: AbortSignal, prove: () => Promise<void>): Promise<{rowCount: number; bytes: number}> {
    const {catalog, sink} = this.options;
    const place = placeOf(target.table);
    await this.check(target, snapshot.datasetName, snapshot.schema);
    const pin = await catalog.transaction(async ({datasets}) =>
      (await datasets.pinsOf(ownerOf(place))).some(({snapshotId}) => snapshotId === snapshot.id) ? null : datasets.pin(snapshot.id, ownerOf(place), forever));
    let table: OutsideTable;
    try {
      table = await this.putTable(place, snapshot, signal);
      signal.throwIfAborted();
      await prove();
    } catch (error) {
      // Who has lost the step to another worker takes nothing back: that one may show it already.
      if (pin) await prove().then(() => this.letGo(place, snapshot.id, [pin])).catch(() => undefined);
      throw error;
    }
    await sink.show({...place, properties: propertiesOf(place, snapshot)}, table);
    if (target.keep !== undefined) await this.keepNewest(place, target.keep, snapshot.id);
    return {rowCount: table.rowCount, bytes: table.bytes};
  }

  async unpublish(viewer: Viewer, given: string): Promise<readonly string[]> {
    onlyAdmin(viewer);
    const {catalog, metastore, sink, folder} = this.options;
    const place = placeOf(given);
    const pins = await catalog.read(({datasets}) => datasets.pinsOf(ownerOf(place)));
    const names = (await metastore.tables(place.database)).filter(name => name === place.name || name.startsWith(`${place.name}__`));
    const ours = (await Promise.all(names.map(name => metastore.table(place.database, name)))).filter(({properties}) => properties['millrace.table'] === shownName(place));
    if (ours.length === 0 && pins.length === 0) throw new MillraceError('PUBLICATION_NOT_FOUND', {table: given});
    for (const view of [true, false]) for (const one of ours) if (one.view === view) await sink.drop(view ? 'view' : 'table', one.database, one.name);
    await rm(join(folder, shownName(place)), {recursive: true, force: true});
    await catalog.transaction(async ({datasets}) => {
      for (const {id} of pins) await datasets.unpin(id);
    });
    return ours.map(shownName);
  }

  /** After rows were erased from snapshots: the folders of those that are published have the new files. Hive need not be asked. */
  async renew(snapshotIds: readonly string[]): Promise<void> {
    for (const shown of await readdir(this.options.folder)) {
      for (const id of snapshotIds) {
        const home = join(this.options.folder, shown, id);
        for (const name of await readdir(home).catch(() => [])) {
          const folder = join(home, name);
          // Drafts, which somebody makes now or a death has left, may have the rows.
          const draft = name.includes('-') ? null : await this.draft(folder, (await this.options.catalog.read(({datasets}) => datasets.snapshot(id)))!);
          const old = `${folder}-${newId()}`;
          await rename(folder, old);
          if (draft !== null) await rename(draft, folder);
          await rm(old, {recursive: true, force: true});
        }
      }
    }
  }

  /** A table that has the rows of the snapshot; one that is there and has them stays as it is. */
  private async putTable(place: Place, snapshot: SnapshotRecord, signal: AbortSignal): Promise<OutsideTable> {
    const name = tableName(place, snapshot.id);
    const there = await this.find({...place, name});
    if (there && there.properties['millrace.table'] !== shownName(place)) throw new MillraceError('NAME_TAKEN', {name: shownName({...place, name}), by: 'a table of others in Hive', suggestion: `${shownName(place)}_2`});
    // Rows that were erased since give the snapshot another content, and so another folder.
    const home = this.homeOf(place, snapshot.id);
    const folder = join(home, snapshot.contentHash.slice(0, 16));
    if (!(await stat(folder).catch(() => null))) {
      const draft = await this.draft(folder, snapshot, signal);
      // Another try may have been faster.
      await rename(draft, folder).catch(async (error: NodeJS.ErrnoException) => {
        await rm(draft, {recursive: true, force: true});
        if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
      });
    }
    const sizes = await Promise.all((await readdir(folder)).map(async file => (await stat(join(folder, file))).size));
    const table: OutsideTable = {
      ...place, name, schema: snapshot.schema, folder, rowCount: Number(snapshot.rowCount), fileCount: sizes.length, bytes: sizes.reduce((sum, size) => sum + size, 0),
      properties: propertiesOf(place, snapshot),
    };
    await this.options.sink.put(table, there !== null, signal);
    for (const other of await readdir(home)) if (other !== basename(folder)) await rm(join(home, other), {recursive: true, force: true});
    return table;
  }

  /** All that is to be in a folder, beside it. */
  private async draft(folder: string, snapshot: SnapshotRecord, signal?: AbortSignal): Promise<string> {
    const {table, linked, rewritten} = await this.part(snapshot);
    const draft = `${folder}-${newId()}`;
    await mkdir(draft, {recursive: true});
    if (rewritten.length > 0) {
      const input: Table = {...table, uniform: false, files: rewritten};
      await this.options.engine.materialize({sql: 'SELECT * FROM input', relations: {input}}, {folder: draft, schema: table.schema, rowsPerFile}, {signal});
    }
    for (const [index, {path}] of linked.entries()) await symlink(resolve(path), join(draft, `link-${String(index).padStart(6, '0')}-${basename(path)}`));
    return draft;
  }

  private async part(snapshot: SnapshotRecord): Promise<Parted> {
    const {catalog, warehouse} = this.options;
    const table = await warehouse.table(snapshot);
    const [records, versions] = await catalog.read(async ({datasets}) =>
      [await datasets.files(snapshot), (await datasets.schemaVersionsOf([snapshot.datasetId], allVersions)).get(snapshot.datasetId)!]);
    const fitting = new Set(versions.filter(({schema}) => foundByName(schema, snapshot.schema)).map(({version}) => version));
    const paths = new Set(records.filter(({schemaVersion}) => fitting.has(schemaVersion)).map(({path}) => warehouse.pathOf(path)));
    return {table, linked: table.files.filter(({path}) => paths.has(path)), rewritten: table.files.filter(({path}) => !paths.has(path))};
  }

  private async keepNewest(place: Place, keep: number, shown: string): Promise<void> {
    const pins = await this.options.catalog.read(({datasets}) => datasets.pinsOf(ownerOf(place)));
    const others = [...new Set(pins.map(({snapshotId}) => snapshotId).filter(id => id !== shown))];
    for (const id of others.slice(0, Math.max(0, others.length - keep + 1))) await this.letGo(place, id, pins.filter(({snapshotId}) => snapshotId === id).map(pin => pin.id));
  }

  /** The pin goes last: as long as there is a table, its files stay. */
  private async letGo(place: Place, snapshotId: string, pins: readonly string[]): Promise<void> {
    await this.options.sink.drop('table', place.database, tableName(place, snapshotId));
    await rm(this.homeOf(place, snapshotId), {recursive: true, force: true});
    await this.options.catalog.transaction(async ({datasets}) => {
      for (const id of pins) await datasets.unpin(id);
    });
  }

  private homeOf(place: Place, snapshotId: string): string {
    return join(this.options.folder, shownName(place), snapshotId);
  }

  private async find({database, name}: Place): Promise<ForeignTable | null> {
    const {metastore} = this.options;
    return (await metastore.tables(database)).includes(name) ? metastore.table(database, name) : null;
  }
}

const allVersions = 1_000_000;

/** Hive knows no capitals. */
function placeOf(table: string): Place {
  const [, database, name] = /^(\w+)\.(\w+)$/.exec(table.toLowerCase()) ?? [];
  if (name === undefined) throw new MillraceError('ARGUMENT_INVALID', {name: 'table', reason: 'it is a database and a name with a dot between.'});
  return {database: database!, name};
}

const shownName = ({database, name}: Place): string => `${database}.${name}`;
const ownerOf = (place: Place): string => `hive:${shownName(place)}`;
/** The end of an id is random, its beginning the time. */
const tableName = ({name}: Place, snapshotId: string): string => `${name}__${snapshotId.slice(-12)}`;

const propertiesOf = (place: Place, {id, datasetName}: SnapshotRecord): Readonly<Record<string, string>> =>
  ({'millrace.table': shownName(place), 'millrace.dataset': datasetName, 'millrace.snapshot': id});

/** Whether who looks for columns by their names finds in a file of one schema what it holds of another. */
function foundByName(written: Schema, now: Schema): boolean {
  const names = new Set(now.fields.map(({name}) => name.toLowerCase()));
  return written.fields.every(field => {
    const same = now.fields.find(({id}) => id === field.id);
    return same ? same.name === field.name && isDeepStrictEqual(same.type, field.type) : !names.has(field.name.toLowerCase());
  });
}

const counted = (files: readonly TableFile[]): string => `${files.length} file${files.length === 1 ? '' : 's'} (${(files.reduce((sum, {bytes}) => sum + bytes, 0) / 1e6).toFixed(1)} MB)`;

const hasDays = ({fields}: Schema, column: string): boolean => ['date', 'timestamp'].includes(fields.find(({name}) => name === column)?.type.kind ?? '');
const beforeGregory = (day: string): boolean => day < '1582-10-15' || day.includes('BC');
