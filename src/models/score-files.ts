/**
 * The kept outputs of models: for each file of a dataset's table that was scored as a whole, a Parquet file whose row n holds the
 * outputs for its row n. Files of a dataset never change and are shared by snapshots, so a new snapshot scores its new files only.
 *
 * Everything here can be removed at any time, and is made again when it is asked for. A kept file's path tells whose it is, its name
 * by what it was scored (model version, features, engine) and the checksum of its bytes.
 */
import {createHash} from 'node:crypto';
import {existsSync} from 'node:fs';
import {mkdir, mkdtemp, readdir, rename, rm, rmdir, stat, utimes} from 'node:fs/promises';
import {basename, dirname, join, relative, sep} from 'node:path';
import {boundary} from '../core/boundaries.ts';
import {MillraceError} from '../core/errors.ts';
import {sweepFolder} from '../core/files.ts';
import {newId} from '../core/ids.ts';
import {sha256OfFile} from '../core/sha256.ts';
import type {Column, ColumnBatch, Engine, SqlValue, Table, TableFile} from '../engines/engine.ts';
import type {Field} from '../schemas/schema.ts';

/** How every row of a table is to be scored. */
export interface TableScoring {
  /** The name by which features know the table. */
  readonly dataset: string;
  readonly table: Table;
  /** SQL over the table's columns, in the order in which `score` takes them; `params` are bound to them. */
  readonly features: readonly string[];
  readonly params: readonly SqlValue[];
  readonly outputs: readonly Field[];
  /** Whatever decides the outputs beside the features: the model version. */
  readonly fingerprint: string;
  /** Rows of a run of the model. */
  readonly batchRows: number;
  /** One column for each output, as many rows as the batch. */
  readonly score: (batch: ColumnBatch) => Promise<readonly Column[]>;
}

export interface ScoreFilesOptions {
  readonly folder: string;
  /** Below it lie the files of tables. */
  readonly warehouse: string;
  /** Bytes kept at most; what was unused longest goes first. */
  readonly bytes: number;
  /** Of the inference runtime. */
  readonly runtime: string;
  /** Batches in flight at once. */
  readonly concurrency: number;
}

/** Rows scored in one go at least, where a table has many small files. */
const rowsAtOnce = 2 ** 20;
/** Model runs a batch. */
const runsPerBatch = 32;

const drafts = 'drafts';
/** Hours. */
const graceOfDrafts = 24;

/** A file being scored for whoever waits for it. */
interface Filling {
  readonly done: Promise<void>;
  readonly stop: AbortController;
  waiting: number;
}

export class ScoreFiles {
  /** Kept files whose bytes were checked in this process, by place. */
  private readonly known = new Map<string, Known>();
  private readonly filling = new Map<string, Filling>();
  private readonly drafting = new Set<string>();
  /** What nobody waits for, and goes on. */
  private alone: Filling | null = null;
  /** Bytes kept since the last sweep. */
  private added = 0;

  constructor(
    private readonly options: ScoreFilesOptions,
    private readonly engine: Engine,
  ) {}

  /** A kept file for each of the table's; null where some would have to be scored first. */
  async kept(scoring: TableScoring): Promise<readonly string[] | null> {
    const key = this.keyOf(scoring);
    const found = await Promise.all(scoring.table.files.map(file => this.find(this.placeOf(file, key))));
    return found.every(path => path !== null) ? (found as string[]) : null;
  }

  /**
   * A kept file for each of the table's, scoring those that are not kept. Several who wait for the same one share the work; it stops
   * when the last of them leaves, unless for want of time. @throws what `score` throws; DISK_FULL
   */
  async of(scoring: TableScoring, signal?: AbortSignal): Promise<readonly string[]> {
    const key = this.keyOf(scoring);
    const places = scoring.table.files.map(file => this.placeOf(file, key));
    for (let tries = 0; tries < 3; tries++) {
      signal?.throwIfAborted();
      const found = await Promise.all(places.map(place => this.find(place)));
      if (found.every(path => path !== null)) return found as string[];
      const missing = scoring.table.files.flatMap((file, index) => (found[index] === null ? [{file, place: places[index]!}] : []));
      for (const group of inGroups(missing)) await this.filled(scoring, group, signal);
    }
    throw new MillraceError('INTERNAL', {reason: 'outputs of a model were removed as soon as they were kept'});
  }

  /** Looks again at kept files that could not be read, and lets go of the damaged ones; tells whether there was one. */
  async recheck(paths: readonly string[]): Promise<boolean> {
    const whole = await Promise.all(paths.map(isWhole));
    const damaged = paths.filter((_, index) => !whole[index]);
    for (const path of damaged) await this.remove(path);
    return damaged.length > 0;
  }

  /** Removes what belongs to no file any more, what is too much, and what killed processes left some hours ago; zero hours: only while no other process scores. */
  async sweep(graceHours: number): Promise<void> {
    this.added = 0;
    await sweepFolder(join(this.options.folder, drafts), graceHours, name => this.drafting.has(name));
    const kept: {path: string; bytes: number; usedAt: number}[] = [];
    await this.walk(this.options.folder, kept);
    let bytes = kept.reduce((sum, one) => sum + one.bytes, 0);
    for (const {path, bytes: freed} of kept.toSorted((a, b) => a.usedAt - b.usedAt)) {
      if (bytes <= this.options.bytes) break;
      await this.remove(path);
      bytes -= freed;
    }
  }

  private async walk(folder: string, kept: {path: string; bytes: number; usedAt: number}[]): Promise<void> {
    for (const entry of await readdir(folder, {withFileTypes: true}).catch(() => [])) {
      const path = join(folder, entry.name);
      if (folder === this.options.folder && entry.name === drafts) continue;
      if (!entry.isDirectory()) {
        const {size, mtimeMs} = await stat(path).catch(() => ({size: 0, mtimeMs: 0}));
        kept.push({path, bytes: size, usedAt: mtimeMs});
      } else if (entry.name.endsWith(ofFile)) {
        if (existsSync(this.sourceOf(path))) await this.walk(path, kept);
        else await this.removeFolder(path);
      } else {
        await this.walk(path, kept);
        await rmdir(path).catch(() => undefined); // only where it is empty
      }
    }
  }

  private async remove(path: string): Promise<void> {
    for (const [place, known] of this.known) if (known.path === path) this.known.delete(place);
    await rm(path, {force: true});
  }

  private async removeFolder(folder: string): Promise<void> {
    for (const [place, known] of this.known) if (known.path.startsWith(folder + sep)) this.known.delete(place);
    await rm(folder, {recursive: true, force: true});
  }

  /** Of everything that decides the outputs but the file itself. Only the columns that the features name count. */
  private keyOf({dataset, table, features, params, outputs, fingerprint}: TableScoring): string {
    const text = features.join('\n').toLowerCase();
    const columns = table.schema.fields.filter(({name}) => text.includes(name.toLowerCase())).map(({id, name, type}) => [id, name, type]);
    const names = outputs.map(({name, type}) => [name, type]);
    return createHash('sha256').update(JSON.stringify([1, fingerprint, this.options.runtime, this.engine.fingerprint, dataset, features, params.map(value => [typeof value, String(value)]), columns, names])).digest('hex').slice(0, 32);
  }

  private placeOf(file: TableFile, key: string): string {
    return join(this.options.folder, `${relative(this.options.warehouse, file.path)}${ofFile}`, `${key}-${file.rowCount}-${file.bytes}`);
  }

  private sourceOf(folder: string): string {
    return join(this.options.warehouse, relative(this.options.folder, folder)).slice(0, -ofFile.length);
  }

  private async find(place: string): Promise<string | null> {
    const known = this.known.get(place);
    if (known && (await stampOf(known.path)) === known.stamp) return known.path;
    this.known.delete(place);
    const folder = dirname(place);
    const start = `${basename(place)}.`;
    for (const name of await readdir(folder).catch(() => [])) {
      if (!name.startsWith(start)) continue;
      const path = join(folder, name);
      if (await isWhole(path)) {
        const now = new Date();
        await utimes(path, now, now).catch(() => undefined);
        await this.remember(place, path);
        return path;
      }
      await rm(path, {force: true});
    }
    return null;
  }

  private async remember(place: string, path: string): Promise<void> {
    const stamp = await stampOf(path);
    if (stamp !== null) this.known.set(place, {path, stamp});
  }

  private async filled(scoring: TableScoring, group: readonly Missing[], signal: AbortSignal | undefined): Promise<void> {
    const name = group.map(({place}) => place).join('\n');
    let filling = this.filling.get(name);
    if (!filling) {
      const stop = new AbortController();
      filling = {stop, waiting: 0, done: this.fill(scoring, group, stop.signal).finally(() => this.filling.delete(name))};
      filling.done.catch(() => undefined);
      this.filling.set(name, filling);
    }
    const {done, stop} = filling;
    filling.waiting++;
    let leave: (() => void) | undefined;
    try {
      await Promise.race([done, new Promise<never>((_, reject) => signal?.addEventListener('abort', (leave = () => reject(signal.reason)), {once: true}))]);
    } finally {
      if (leave) signal?.removeEventListener('abort', leave);
      if (--filling.waiting === 0 && !this.goesOn(filling, signal)) {
        if (this.filling.get(name) === filling) this.filling.delete(name);
        stop.abort();
      }
    }
  }

  /** Whoever ran out of time will ask again, and would never see the end of it: so one work at a time goes on without anybody who waits. */
  private goesOn(filling: Filling, signal: AbortSignal | undefined): boolean {
    if (!signal?.aborted || (signal.reason as {code?: unknown} | undefined)?.code !== 'QUERY_TIMEOUT') return false;
    if (this.alone !== null && this.alone !== filling) return false;
    this.alone = filling;
    const forget = () => {
      if (this.alone === filling) this.alone = null;
    };
    filling.done.then(forget, forget);
    return true;
  }

  private async fill({dataset, table, features, params, outputs, batchRows, score}: TableScoring, group: readonly Missing[], signal: AbortSignal): Promise<void> {
    const {folder, concurrency} = this.options;
    await mkdir(join(folder, drafts), {recursive: true});
    const draft = await mkdtemp(join(folder, drafts, 'scores-'));
    this.drafting.add(basename(draft));
    try {
      const names = features.map((_, index) => `f${index}`);
      const fields = outputs.map((field, index): Field => ({...field, id: index + 1, nullable: true}));
      const query = {
        sql: `SELECT ${features.map((feature, index) => `${feature} AS ${names[index]}`).join(', ')} FROM "${dataset}"`,
        relations: {[dataset]: {...table, files: group.map(({file}) => file), rowIds: false, beside: undefined}},
        params,
      };
      const rows = group.map(({file}) => file.rowCount);
      const made = await this.engine.materializeScored(
        query, {features: names, outputs: fields, batchRows: batchRows * runsPerBatch, concurrency, score}, {folder: draft, schema: {fields}, ...(rows.length > 1 ? {rowsOfFiles: rows} : {})}, {signal});
      if (made.length !== rows.length || made.some((file, index) => file.rowCount !== rows[index])) throw new MillraceError('INTERNAL', {reason: 'a model answered with another number of rows than it was given'});
      boundary('outputs scored');
      for (const [index, {place, file}] of group.entries()) {
        // No name comes twice: engines may remember what they read of a file that was damaged.
        const path = `${place}.${newId()}.${(await sha256OfFile(made[index]!.path)).slice(0, checksumLength)}.parquet`;
        await mkdir(dirname(path), {recursive: true});
        await rename(made[index]!.path, path);
        // An erasure removes the file first and what was kept of it after: one of the two sees the other.
        if (!existsSync(file.path)) await this.removeFolder(dirname(path));
        else await this.remember(place, path);
        this.added += made[index]!.bytes;
      }
    } finally {
      this.drafting.delete(basename(draft));
      await rm(draft, {recursive: true, force: true});
    }
    // Hours may pass before the next sweep that somebody asks for.
    if (this.added > this.options.bytes / 8) await this.sweep(graceOfDrafts);
  }
}

interface Missing {
  readonly file: TableFile;
  readonly place: string;
}

interface Known {
  readonly path: string;
  /** Tells whether somebody has changed it since. */
  readonly stamp: string;
}

const stampOf = (path: string): Promise<string | null> => stat(path).then(({mtimeMs, size, ino}) => `${mtimeMs} ${size} ${ino}`, () => null);

/** How the folder of what is kept of a file ends. */
const ofFile = '.scores';
const checksumLength = 32;

async function isWhole(path: string): Promise<boolean> {
  const checksum = /\.([0-9a-f]+)\.parquet$/.exec(path)?.[1];
  return checksum !== undefined && (await sha256OfFile(path).catch(() => '')).slice(0, checksumLength) === checksum;
}

/** Small files together; a large one alone. */
function inGroups(missing: readonly Missing[]): Missing[][] {
  const groups: Missing[][] = [];
  let rows = Infinity;
  for (const one of missing) {
    if (rows + one.file.rowCount > rowsAtOnce) {
      groups.push([]);
      rows = 0;
    }
    groups.at(-1)!.push(one);
    rows += one.file.rowCount;
  }
  return groups;
}
