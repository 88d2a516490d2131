import {open, rm} from 'node:fs/promises';
import {Field as ArrowField, makeData, RecordBatch, Schema as ArrowSchema, Struct} from 'apache-arrow';
import type {DuckDBType} from '@duckdb/node-api';
import {encoder} from '../arrow-encoder.ts';
import type {ArrowForm} from '../arrow-encoder.ts';
import type {ColumnName, Piece, Query} from '../engine.ts';
import {identifier} from '../sql-text.ts';
import {gatherer, takenAs} from './arrow-columns.ts';
import type {Gatherer} from './arrow-columns.ts';
import {chunks} from './chunks.ts';
import type {Lease} from './database.ts';
import {statement} from './relations.ts';
import {columnNames, sync} from './write.ts';

/** A record batch ends with the chunk that makes it this large: large enough for readers, small enough to be encoded in a few milliseconds. */
const batchRows = 65_536;
const batchBytes = 4 * 2 ** 20;

/** The columns of a query in Arrow's IPC format, the schema first: as a stream, or as a file. */
export async function* readArrow(lease: Lease, query: Query, names: readonly ColumnName[] | undefined, form: ArrowForm): AsyncGenerator<Piece> {
  const {sql, columns} = await taken(lease, statement(query), names);
  const schema = new ArrowSchema(columns.map(({name, gathered}) => new ArrowField(name, gathered.type, true)));
  const {writer, written} = encoder(form);
  writer.reset(undefined, schema);
  let rowCount = 0;
  const take = (): Piece => {
    if (rowCount > 0) writer.write(new RecordBatch(schema, makeData({type: new Struct(schema.fields), length: rowCount, nullCount: 0, children: columns.map(({gathered}) => gathered.take())})));
    const piece = {rowCount, bytes: written()};
    rowCount = 0;
    return piece;
  };
  yield take();
  for await (const chunk of chunks(lease, sql, query.params)) {
    columns.forEach(({gathered}, index) => gathered.add(chunk.getColumnVector(index), 0, chunk.rowCount, null));
    rowCount += chunk.rowCount;
    if (rowCount >= batchRows || columns.reduce((sum, {gathered}) => sum + gathered.bytes, 0) >= batchBytes) yield take();
  }
  if (rowCount > 0) yield take();
  writer.finish();
  yield take();
}

/** Writes the query as one Arrow IPC file, a batch at a time. */
export async function publishArrow(lease: Lease, query: Query, path: string): Promise<{rowCount: number; bytes: number}> {
  const file = await open(path, 'w');
  let [rowCount, bytes] = [0, 0];
  try {
    for await (const piece of readArrow(lease, query, undefined, 'file')) {
      for (let at = 0; at < piece.bytes.byteLength; ) at += (await file.write(piece.bytes, at)).bytesWritten;
      rowCount += piece.rowCount;
      bytes += piece.bytes.byteLength;
    }
  } catch (error) {
    await file.close();
    await rm(path, {force: true});
    throw error;
  }
  await file.close();
  await sync(path);
  return {rowCount, bytes};
}

interface NamedColumn {
  readonly name: string;
  readonly gathered: Gatherer;
}

/** The statement in types whose vectors can be taken over. */
async function taken(lease: Lease, sql: string, names: readonly ColumnName[] | undefined): Promise<{sql: string; columns: NamedColumn[]}> {
  const given = await described(lease, sql);
  const casts = given.map(({type}) => takenAs(type));
  const legal = columnNames(given.map(({name}) => name));
  const named = (types: readonly Described[]) => types.map(({type}, index): NamedColumn => ({name: names?.[index]?.name ?? legal[index]!, gathered: gatherer(type, names?.[index]?.members)}));
  if (casts.every(cast => cast === null)) return {sql, columns: named(given)};
  // By place, since names may come twice.
  const places = given.map((_, index) => identifier(`c${index}`));
  const cast = `SELECT ${casts.map((cast, index) => (cast === null ? places[index]! : `CAST(${places[index]} AS ${cast}) AS ${places[index]}`)).join(', ')} FROM (\n${sql}\n) AS q(${places.join(', ')})`;
  return {sql: cast, columns: named(await described(lease, cast))};
}

interface Described {
  readonly name: string;
  readonly type: DuckDBType;
}

async function described(lease: Lease, sql: string): Promise<Described[]> {
  const prepared = await lease.prepare(sql);
  try {
    return Array.from({length: prepared.columnCount}, (_, index) => ({name: prepared.columnName(index), type: prepared.columnType(index)}));
  } finally {
    prepared.destroySync();
  }
}
