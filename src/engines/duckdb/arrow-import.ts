import {open} from 'node:fs/promises';
import {setImmediate as nextTurn} from 'node:timers/promises';
import {DataType as ArrowType, RecordBatchReader, TimeUnit} from 'apache-arrow';
import type {RecordBatch, Vector} from 'apache-arrow';
import {DuckDBBlobValue, DuckDBDataChunk, DuckDBDateValue, DuckDBDecimalValue, DuckDBTimestampTZValue, DuckDBTimestampValue, DuckDBTimeValue} from '@duckdb/node-api';
import type {DuckDBConnection} from '@duckdb/node-api';
import {MillraceError} from '../../core/errors.ts';
import {identifier, literal} from '../sql-text.ts';

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

