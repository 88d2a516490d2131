import {MillraceError} from '../core/errors.ts';
import type {Column, ColumnBatch} from '../engines/engine.ts';
import {columnOfValues, valueAt} from '../inference/values.ts';
import type {Field} from '../schemas/schema.ts';

/** Plain rows as a batch in signature order; what is not an input is left out. @throws INPUT_INVALID with the first problem of each input */
export function batchOf(inputs: readonly Field[], rows: readonly Readonly<Record<string, unknown>>[]): ColumnBatch {
  const issues: string[] = [];
  const columns = inputs.flatMap(field => {
    const missing = rows.findIndex(row => row[field.name] === undefined);
    if (missing >= 0) {
      issues.push(`column '${field.name}' is missing in row ${missing}`);
      return [];
    }
    try {
      return [columnOfValues(field, rows.map(row => row[field.name]), issue => {
        throw new MillraceError('INPUT_INVALID', {issues: issue});
      })];
    } catch (error) {
      issues.push(String((error as MillraceError).details.issues));
      return [];
    }
  });
  if (issues.length > 0) throw new MillraceError('INPUT_INVALID', {issues: issues.join('; ')});
  return {rowCount: rows.length, columns};
}

/** Output columns as rows of JSON values: 64-bit integers as text, and a 32-bit float in as few digits as tell it from its neighbours. */
export function valuesOf(outputs: readonly Field[], columns: readonly Column[], rowCount: number): Record<string, unknown>[] {
  return Array.from({length: rowCount}, (_, row) => Object.fromEntries(outputs.map((field, index) => [field.name, jsonValue(columns[index]!, row)])));
}

function jsonValue(column: Column, row: number): unknown {
  const value = valueAt(column, row);
  if (typeof value === 'bigint') return value.toString();
  return column.kind === 'numbers' && column.values instanceof Float32Array && typeof value === 'number' ? shortest(value) : value;
}

function shortest(value: number): number {
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return Number(value.toPrecision(9));
}
