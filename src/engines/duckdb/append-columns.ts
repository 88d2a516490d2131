import {DuckDBDataChunk} from '@duckdb/node-api';
import type {DuckDBAppender, DuckDBConnection, DuckDBType} from '@duckdb/node-api';
import type {Column} from '../engine.ts';

/** Rows a chunk of DuckDB's. */
const chunkRows = 2048;

/** Adds columns to a table, chunk by chunk, as buffers. */
export class ColumnAppender {
  private constructor(
    private readonly appender: DuckDBAppender,
    private readonly types: readonly DuckDBType[],
  ) {}

  static async open(connection: DuckDBConnection, table: string): Promise<ColumnAppender> {
    const appender = await connection.createAppender(table);
    return new ColumnAppender(appender, Array.from({length: appender.columnCount}, (_, index) => appender.columnType(index)));
  }

  add(columns: readonly Column[], rowCount: number): void {
    for (let from = 0; from < rowCount; from += chunkRows) {
      const count = Math.min(chunkRows, rowCount - from);
      const chunk = DuckDBDataChunk.create(this.types, count);
      columns.forEach((column, index) => fill(chunk, index, column, from, count));
      this.appender.appendDataChunk(chunk);
    }
  }

  close(): void {
    this.appender.closeSync();
  }
}

function fill(chunk: DuckDBDataChunk, index: number, column: Column, from: number, count: number): void {
  const vector = chunk.getColumnVector(index);
  const isNull = (row: number) => column.validity !== null && (column.validity[row >> 3]! & (1 << (row & 7))) === 0;
  // node-api types its vectors' arrays as private; setItem would check each value of millions.
  const {items} = vector as unknown as {items?: Float32Array};
  if (column.kind === 'numbers' && items && column.values.constructor === items.constructor) {
    items.set((column.values as Float32Array).subarray(from, from + count));
    if (column.validity) for (let row = 0; row < count; row++) if (isNull(from + row)) vector.setItem(row, null as never);
  } else {
    const value = (row: number) => (column.kind === 'strings' ? column.dictionary[column.indices[row]!] : column.kind === 'booleans' ? column.values[row] === 1 : column.values[row]);
    for (let row = 0; row < count; row++) vector.setItem(row, (isNull(from + row) ? null : value(from + row)) as never);
  }
  vector.flush();
}
