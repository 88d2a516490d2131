import type {Column, ColumnBatch} from '../../../../engines/engine.ts';
import type {Field} from '../../../../schemas/schema.ts';
import {isPresent, takeRows} from '../column-json.ts';

/** The rows that have every input the model needs; null when all have. */
export function completeRows(inputs: readonly Field[], {rowCount, columns}: ColumnBatch): readonly number[] | null {
  const needed = columns.filter(({validity}, index) => validity !== null && !inputs[index]!.nullable);
  if (needed.length === 0) return null;
  const rows: number[] = [];
  for (let row = 0; row < rowCount; row++) if (needed.every(column => isPresent(column, row))) rows.push(row);
  return rows.length === rowCount ? null : rows;
}

/** Scores the rows that have every input the model needs; all outputs of the others are null. */
export async function scoreComplete(inputs: readonly Field[], outputs: readonly Field[], batch: ColumnBatch, score: (batch: ColumnBatch) => Promise<readonly Column[]>): Promise<readonly Column[]> {
  const complete = completeRows(inputs, batch);
  if (complete === null) return score(batch);
  const scored = complete.length === 0 ? outputs.map(emptyColumn) : await score({rowCount: complete.length, columns: batch.columns.map(column => takeRows(column, complete))});
  return scored.map(column => spread(column, complete, batch.rowCount));
}

/** A column without rows. */
export function emptyColumn({type}: Field): Column {
  if (type.kind === 'bool') return {kind: 'booleans', values: new Uint8Array(0), validity: null};
  if (type.kind === 'utf8') return {kind: 'strings', dictionary: [], indices: new Uint32Array(0), validity: null};
  return {kind: 'numbers', type, values: new Float64Array(0), validity: null};
}

/** A column's values at the places of some rows among more; the others are absent. */
function spread(column: Column, rows: readonly number[], rowCount: number): Column {
  const validity = new Uint8Array((rowCount + 7) >> 3);
  rows.forEach((row, index) => {
    if (isPresent(column, index)) validity[row >> 3]! |= 1 << (row & 7);
  });
  const place = <T extends {[index: number]: unknown; readonly constructor: Function}>(from: T): T => {
    const to = new (from.constructor as new (length: number) => T)(rowCount);
    rows.forEach((row, index) => ((to as Record<number, unknown>)[row] = from[index]));
    return to;
  };
  if (column.kind === 'strings') return {...column, indices: place(column.indices), validity};
  return column.kind === 'booleans' ? {...column, values: place(column.values), validity} : {...column, values: place(column.values), validity};
}
