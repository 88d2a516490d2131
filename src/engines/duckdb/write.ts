import {open, rm, stat} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {MillraceError} from '../../core/errors.ts';
import {legalNames} from '../../schemas/names.ts';
import type {Field} from '../../schemas/schema.ts';
import type {Query, StagedColumn, StagedFile, WriteTarget} from '../engine.ts';
import {identifier, literal, sqlType} from '../sql-text.ts';
import {bind} from './database.ts';
import type {Lease} from './database.ts';
import {queryColumns, statement} from './relations.ts';
import {fieldIds, rowIdFieldId, rowIdName} from './types.ts';

/** Rows a row group: DuckDB's own size, which its readers split work by. */
const rowGroupSize = 122_880;

/** Smaller ones cost more than they spare. */
const leastRowGroup = 2_048;

const rowIdField: Field = {id: rowIdFieldId, name: rowIdName, type: {kind: 'int', bits: 64, signed: true}, nullable: false};

/** The columns a target's files have. */
export const targetFields = (target: WriteTarget): readonly Field[] => (target.storeRowIds ? [...target.schema.fields, rowIdField] : target.schema.fields);

/** Legal names for a query's columns; `_row_id` keeps its own, which no column of a user can have. */
export function columnNames(names: readonly string[]): string[] {
  const at = names.indexOf(rowIdName);
  if (at < 0) return legalNames(names);
  const others = legalNames(names.filter((_, index) => index !== at));
  return [...others.slice(0, at), rowIdName, ...others.slice(at)];
}

/** The query with the target's columns, in its order and types; a column that the query does not have is null. */
async function conformed(lease: Lease, query: Query, fields: readonly Field[]): Promise<string> {
  const sql = statement(query);
  const names = columnNames((await queryColumns(lease, sql)).map(column => column.name));
  const has = new Set(names);
  const extra = names.find(name => !fields.some(field => field.name === name));
  if (extra !== undefined) throw new MillraceError('INTERNAL', {reason: `the query's column '${extra}' is not in the schema it is written with`});
  const columns = fields.map(field => `${has.has(field.name) ? `CAST(${identifier(field.name)} AS ${sqlType(field.type)})` : `NULL::${sqlType(field.type)}`} AS ${identifier(field.name)}`);
  return `SELECT ${columns.join(', ')} FROM (\n${sql}\n) AS q(${names.map(identifier).join(', ')})`;
}

/** Runs the query into Parquet files of the target's folder, which are on disk when this returns. */
export async function writeParquet(lease: Lease, query: Query, target: WriteTarget): Promise<StagedFile[]> {
  const fields = targetFields(target);
  const select = await conformed(lease, query, fields);
  return copyParquet(lease, select, query.params, fields, target);
}

/** COPYs a SELECT with exactly these fields. */
export async function copyParquet(lease: Lease, select: string, params: Query['params'], fields: readonly Field[], target: WriteTarget): Promise<StagedFile[]> {
  const options = [`FORMAT parquet`, `COMPRESSION zstd`, `FIELD_IDS ${fieldIds(fields)}`, `RETURN_STATS`];
  if (target.rowsPerFile === undefined && target.rowsOfFiles === undefined) {
    const path = join(target.folder, 'part-00000.parquet');
    const files = await copy(lease, select, params, path, [...options, `ROW_GROUP_SIZE ${rowGroupSize}`]);
    return settle(files, target.folder);
  }
  return copyInParts(lease, select, params, options, fields, target);
}

/**
 * DuckDB can split by size only, and not to the row: the rows are written to one file first, and that is cut into ranges of row
 * numbers, which its readers find by row group. Costs one more pass, only where parts are asked for.
 */
async function copyInParts(lease: Lease, select: string, params: Query['params'], options: readonly string[], fields: readonly Field[], target: WriteTarget): Promise<StagedFile[]> {
  const {rowsOfFiles, rowsPerFile = rowGroupSize} = target;
  const whole = join(target.folder, 'whole.parquet');
  try {
    const groupSize = rowsOfFiles ? Math.max(leastRowGroup, Math.min(...rowsOfFiles)) : rowsPerFile;
    const [all] = await copy(lease, select, params, whole, [...options, `ROW_GROUP_SIZE ${Math.min(rowGroupSize, groupSize)}`]);
    const lengths = rowsOfFiles ?? Array.from({length: Math.ceil(all!.rowCount / rowsPerFile)}, () => rowsPerFile);
    const files: StagedFile[] = [];
    const names = fields.map(field => identifier(field.name)).join(', ');
    let first = 0;
    for (const length of lengths) {
      const part = `SELECT ${names} FROM read_parquet(${literal(whole)}) WHERE file_row_number >= ${first} AND file_row_number < ${first + length}`;
      const path = join(target.folder, `part-${String(files.length).padStart(5, '0')}.parquet`);
      files.push(...(await copy(lease, part, undefined, path, [...options, `ROW_GROUP_SIZE ${rowGroupSize}`])));
      first += length;
    }
    return settle(files, target.folder);
  } finally {
    await rm(whole, {force: true});
  }
}

async function copy(lease: Lease, select: string, params: Query['params'], path: string, options: readonly string[]): Promise<StagedFile[]> {
  const prepared = await lease.prepare(`COPY (${select}) TO ${literal(path)} (${options.join(', ')})`);
  try {
    bind(prepared, params);
    const reader = await prepared.runAndReadAll();
    return reader.getRowObjectsJson().map(row => stagedFile(row as unknown as Returned));
  } finally {
    prepared.destroySync();
  }
}

/** A row of RETURN_STATS. */
interface Returned {
  readonly filename: string;
  readonly count: string;
  readonly file_size_bytes: string;
  readonly column_statistics: readonly {key: string; value: readonly {key: string; value: string}[]}[];
}

function stagedFile(row: Returned): StagedFile {
  // Nested columns are told leaf by leaf (`"a"."b"`): their bytes add up, and only top-level ones have bounds.
  const columns = new Map<string, StagedColumn>();
  for (const {key, value} of row.column_statistics) {
    const told = Object.fromEntries(value.map(entry => [entry.key, entry.value]));
    const [, quoted, nested] = /^"((?:[^"]|"")*)"(\.)?/.exec(key)!;
    const name = quoted!.replaceAll('""', '"');
    const before = columns.get(name);
    columns.set(name, {
      name,
      bytes: (before?.bytes ?? 0) + Number(told.column_size_bytes ?? 0),
      nulls: nested ? 0 : Number(told.null_count ?? 0),
      min: nested ? null : (told.min ?? null),
      max: nested ? null : (told.max ?? null),
    });
  }
  return {path: row.filename, rowCount: Number(row.count), bytes: Number(row.file_size_bytes), columns: [...columns.values()]};
}

/** Files without rows are removed, the others and their folder are on disk. */
async function settle(files: readonly StagedFile[], folder: string): Promise<StagedFile[]> {
  const kept = files.filter(file => file.rowCount > 0);
  await Promise.all(files.filter(file => file.rowCount === 0).map(file => rm(file.path, {force: true})));
  await Promise.all(kept.map(file => sync(file.path)));
  await sync(folder);
  return kept;
}

export async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export type PublishFormat = 'csv' | 'parquet' | 'json' | 'ndjson';

const publishOptions: Record<PublishFormat, string> = {
  csv: 'FORMAT csv, HEADER true',
  parquet: `FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${rowGroupSize}`,
  json: 'FORMAT json, ARRAY true',
  ndjson: 'FORMAT json, ARRAY false',
};

/** Runs the query into one file for others, which is on disk when this returns. */
export async function publishFile(lease: Lease, query: Query, path: string, format: PublishFormat): Promise<{rowCount: number; bytes: number}> {
  const prepared = await lease.prepare(`COPY (${statement(query)}) TO ${literal(path)} (${publishOptions[format]})`);
  try {
    bind(prepared, query.params);
    const [row] = (await prepared.runAndReadAll()).getRowObjectsJson();
    await sync(path);
    await sync(dirname(path));
    return {rowCount: Number(row!.Count), bytes: (await stat(path)).size};
  } finally {
    prepared.destroySync();
  }
}
