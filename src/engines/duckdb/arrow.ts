import {open, rm} from 'node:fs/promises';
import {setImmediate as nextTurn} from 'node:timers/promises';
import {
  Bool, DataType as ArrowType, DateDay, Field as ArrowField, Float32, Float64, Int16, Int32, Int64, Int8, makeData, RecordBatch, RecordBatchFileWriter, RecordBatchReader, Schema as ArrowSchema,
  Struct, TimeMicrosecond, TimestampMicrosecond, TimeUnit, Uint16, Uint32, Uint64, Uint8, Utf8,
} from 'apache-arrow';
import type {Data, Vector} from 'apache-arrow';
import {DuckDBBlobValue, DuckDBDataChunk, DuckDBDateValue, DuckDBDecimalValue, DuckDBTimestampTZValue, DuckDBTimestampValue, DuckDBTimeValue} from '@duckdb/node-api';
import type {DuckDBConnection} from '@duckdb/node-api';
import {MillraceError} from '../../core/errors.ts';
import type {DataType} from '../../schemas/schema.ts';
import type {Column, Query} from '../engine.ts';
import {identifier, literal} from '../sql-text.ts';
import {batches, columnsSql} from './columns.ts';
import {bind} from './database.ts';
import type {Lease} from './database.ts';
import {statement} from './relations.ts';
import {sync} from './write.ts';

/** Rows a record batch: one is encoded in a few milliseconds, so that others get their turn. */
const batchRows = 16_384;

/** Writes the query as one Arrow IPC file, a batch at a time. */
export async function publishArrow(lease: Lease, query: Query, path: string): Promise<{rowCount: number; bytes: number}> {
  const {sql, plans, names} = await columnsSql(lease, statement(query), undefined);
  const schema = new ArrowSchema(plans.map((plan, index) => new ArrowField(names[index]!, arrowType(plan.type), true)));
  const prepared = await lease.prepare(sql);
  const file = await open(path, 'w');
  const writer = new RecordBatchFileWriter();
  const written: {bytes: number; failure?: unknown} = {bytes: 0};
  let rowCount = 0;
  try {
    bind(prepared, query.params);
    writer.reset(undefined, schema);
    const chunks = writer[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
    const pump = (async () => {
      for (let chunk = await chunks.next(); !chunk.done; chunk = await chunks.next()) {
        const buffer = chunk.value;
        for (let at = 0; at < buffer.byteLength; ) at += (await file.write(buffer, at)).bytesWritten;
        written.bytes += buffer.byteLength;
      }
    })().catch(error => (written.failure = error));
    for await (const batch of batches(await prepared.stream(), plans, batchRows)) {
      const before = written.bytes;
      writer.write(new RecordBatch(schema, makeData({type: new Struct(schema.fields), length: batch.rowCount, nullCount: 0, children: batch.columns.map(column => arrowData(column, batch.rowCount))})));
      rowCount += batch.rowCount;
      // The writer has no high-water mark: what it made is written before more is made.
      while (written.bytes === before && !written.failure) await nextTurn();
      if (written.failure) throw written.failure;
    }
    writer.finish();
    await pump;
    if (written.failure) throw written.failure;
  } catch (error) {
    writer.abort(error);
    await file.close();
    await rm(path, {force: true});
    throw error;
  } finally {
    prepared.destroySync();
    await file.close().catch(() => {});
  }
  await sync(path);
  return {rowCount, bytes: written.bytes};
}

function arrowType(type: DataType): ArrowType {
  switch (type.kind) {
    case 'bool':
      return new Bool();
    case 'int':
      return new ({8: [Uint8, Int8], 16: [Uint16, Int16], 32: [Uint32, Int32], 64: [Uint64, Int64]} as const)[type.bits][type.signed ? 1 : 0]();
    case 'float':
      return type.bits === 32 ? new Float32() : new Float64();
    case 'date':
      return new DateDay();
    case 'time':
      return new TimeMicrosecond();
    case 'timestamp':
      return new TimestampMicrosecond(type.zoned ? 'UTC' : null);
    default:
      return new Utf8();
  }
}

function arrowData(column: Column, rows: number): Data {
  const nulls = column.validity ? {nullBitmap: column.validity} : {nullCount: 0};
  if (column.kind === 'numbers') return makeData({type: arrowType(column.type), length: rows, data: column.values, ...nulls} as never);
  if (column.kind === 'booleans') {
    const data = new Uint8Array(Math.ceil(rows / 8));
    for (let row = 0; row < rows; row++) data[row >> 3]! |= column.values[row]! << (row & 7);
    return makeData({type: new Bool(), length: rows, data, ...nulls});
  }
  return makeData({type: new Utf8(), length: rows, ...text(column, rows), ...nulls});
}

/** Each string of the dictionary is encoded once, and its bytes are copied to the rows. */
function text(column: Extract<Column, {kind: 'strings'}>, rows: number): {valueOffsets: Int32Array; data: Uint8Array} {
  const encoded = new Map<number, Uint8Array>();
  const encoder = new TextEncoder();
  const valueOffsets = new Int32Array(rows + 1);
  const isNull = (row: number) => column.validity !== null && (column.validity[row >> 3]! & (1 << (row & 7))) === 0;
  for (let row = 0; row < rows; row++) {
    let length = 0;
    if (!isNull(row)) {
      const index = column.indices[row]!;
      let bytes = encoded.get(index);
      if (!bytes) encoded.set(index, (bytes = encoder.encode(column.dictionary[index]!)));
      length = bytes.length;
    }
    valueOffsets[row + 1] = valueOffsets[row]! + length;
  }
  const data = new Uint8Array(valueOffsets[rows]!);
  for (let row = 0; row < rows; row++) {
    if (valueOffsets[row + 1] !== valueOffsets[row]) data.set(encoded.get(column.indices[row]!)!, valueOffsets[row]!);
  }
  return {valueOffsets, data};
}

/** Reads an Arrow IPC file or stream, batch by batch, into one Parquet file. */
export async function arrowToParquet(connection: DuckDBConnection, path: string, out: string, signal: AbortSignal | undefined): Promise<void> {
  const unreadable = (error: unknown) => new MillraceError('SOURCE_UNREADABLE', {path, format: 'arrow', reason: String((error as Error | null)?.message ?? error)}, {cause: error});
  const file = await open(path, 'r');
  const table = 'arrow_import';
  try {
    const reader = await RecordBatchReader.from(file).catch(error => {
      throw unreadable(error);
    });
    await reader.open().catch((error: unknown) => {
      throw unreadable(error);
    });
    const {fields} = reader.schema;
    if (fields.length === 0) throw new MillraceError('SOURCE_EMPTY', {path});
    const readers = fields.map(field => columnReader(field.type));
    await connection.run(`CREATE TEMP TABLE ${table} (${fields.map((field, index) => `${identifier(field.name)} ${readers[index]!.sql}`).join(', ')})`);
    const appender = await connection.createAppender(table);
    try {
      for await (const batch of failing(reader, unreadable)) {
        const columns = readers.map((column, index) => column.read(batch.getChildAt(index)!));
        for (let from = 0; from < batch.numRows; from += 2048) {
          signal?.throwIfAborted();
          const count = Math.min(2048, batch.numRows - from);
          const chunk = DuckDBDataChunk.create(Array.from({length: fields.length}, (_, index) => appender.columnType(index)), count);
          columns.forEach((value, index) => chunk.setColumnValues(index, Array.from({length: count}, (_, row) => value(from + row)) as never));
          appender.appendDataChunk(chunk);
          await nextTurn();
        }
      }
    } finally {
      appender.closeSync();
    }
    await connection.run(`COPY ${table} TO ${literal(out)} (FORMAT parquet)`);
  } finally {
    await file.close().catch(() => {});
  }
}

async function* failing(reader: AsyncIterable<RecordBatch>, wrap: (error: unknown) => Error): AsyncGenerator<RecordBatch> {
  const batches = reader[Symbol.asyncIterator]();
  for (;;) {
    const next = await batches.next().catch(error => {
      throw wrap(error);
    });
    if (next.done) return;
    yield next.value;
  }
}

interface ColumnReader {
  readonly sql: string;
  /** A function from row to value; times go as text or integers that DuckDB casts without loss. */
  readonly read: (vector: Vector) => (row: number) => unknown;
}

function columnReader(type: ArrowType): ColumnReader {
  if (ArrowType.isDictionary(type)) return columnReader(type.dictionary);
  const plain = (sql: string): ColumnReader => ({sql, read: vector => row => vector.get(row)});
  if (ArrowType.isBool(type)) return plain('BOOLEAN');
  if (ArrowType.isInt(type)) return plain(`${type.isSigned ? '' : 'U'}${({8: 'TINYINT', 16: 'SMALLINT', 32: 'INTEGER', 64: 'BIGINT'} as const)[type.bitWidth]}`);
  if (ArrowType.isFloat(type)) return plain(type.precision === 2 ? 'DOUBLE' : 'FLOAT');
  if (ArrowType.isUtf8(type) || ArrowType.isLargeUtf8(type)) return plain('VARCHAR');
  if (ArrowType.isNull(type)) return {sql: 'VARCHAR', read: () => () => null};
  if (ArrowType.isBinary(type) || ArrowType.isLargeBinary(type) || ArrowType.isFixedSizeBinary(type)) return {sql: 'BLOB', read: vector => present(vector, row => new DuckDBBlobValue(vector.get(row) as Uint8Array))};
  if (ArrowType.isDecimal(type)) {
    return {sql: `DECIMAL(${type.precision}, ${type.scale})`, read: vector => present(vector, row => new DuckDBDecimalValue(decimal(vector.get(row) as Uint32Array), type.precision, type.scale))};
  }
  if (ArrowType.isDate(type)) {
    const days = (raw: number | bigint) => (type.unit === 0 ? Number(raw) : Number(BigInt(raw) / 86_400_000n));
    return {sql: 'DATE', read: vector => present(vector, row => new DuckDBDateValue(days(rawValue(vector, row))))};
  }
  if (ArrowType.isTime(type)) return {sql: 'TIME', read: vector => present(vector, row => new DuckDBTimeValue(micros(rawValue(vector, row), type.unit)))};
  if (ArrowType.isTimestamp(type)) {
    return type.timezone
      ? {sql: 'TIMESTAMP WITH TIME ZONE', read: vector => present(vector, row => new DuckDBTimestampTZValue(micros(rawValue(vector, row), type.unit)))}
      : {sql: 'TIMESTAMP', read: vector => present(vector, row => new DuckDBTimestampValue(micros(rawValue(vector, row), type.unit)))};
  }
  // Nested values keep their shape as JSON; what has no type of ours is told as text of the same kind.
  return {sql: 'JSON', read: vector => row => jsonText(vector.get(row))};
}

const present = (vector: Vector, value: (row: number) => unknown) => (row: number) => (vector.isValid(row) ? value(row) : null);

/** Arrow's own accessors turn times into floats of milliseconds, so the integer behind them is taken. A batch's vector is one piece. */
const rawValue = (vector: Vector, row: number): number | bigint => (vector.data[0]!.values as Int32Array | BigInt64Array)[row]!;

/** Microseconds, the unit that times have here; nanoseconds lose their last three digits. */
function micros(raw: number | bigint, unit: TimeUnit): bigint {
  const value = BigInt(raw);
  return unit === TimeUnit.NANOSECOND ? value / 1000n : value * {[TimeUnit.SECOND]: 1_000_000n, [TimeUnit.MILLISECOND]: 1000n, [TimeUnit.MICROSECOND]: 1n}[unit];
}

/** Little-endian words of a two's complement integer. */
const decimal = (words: Uint32Array): bigint => BigInt.asIntN(words.length * 32, words.reduceRight((value, word) => (value << 32n) | BigInt(word), 0n));

const jsonText = (value: unknown): string | null => (value === null || value === undefined ? null : JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? part.toString() : part)));

