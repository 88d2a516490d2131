import {MillraceError} from '../core/errors.ts';
import type {Column, ColumnBatch} from '../engines/engine.ts';
import type {Field} from '../schemas/schema.ts';
import {typeName} from '../schemas/schema.ts';

type Row = Readonly<Record<string, unknown>>;

/** Plain values as a batch in signature order; what is not an input is left out. @throws INPUT_INVALID with every problem */
export function batchOf(inputs: readonly Field[], rows: readonly Row[]): ColumnBatch {
  const issues: string[] = [];
  const columns = inputs.map(field => columnOf(field, rows, issue => issues.push(issue)));
  if (issues.length > 0) throw new MillraceError('INPUT_INVALID', {issues: issues.slice(0, 20).join('; ')});
  return {rowCount: rows.length, columns};
}

function columnOf(field: Field, rows: readonly Row[], report: (issue: string) => void): Column {
  const validity = new Uint8Array(Math.ceil(rows.length / 8));
  let nulls = 0;
  const each = <T>(convert: (value: unknown) => T | undefined, put: (row: number, value: T) => void): void => {
    rows.forEach((row, index) => {
      const value = row[field.name];
      if (value === undefined) return report(`row ${index}: '${field.name}' is missing`);
      if (value === null) return void nulls++;
      const converted = convert(value);
      if (converted === undefined) return report(`row ${index}: '${field.name}' must be ${typeName(field.type)}`);
      validity[index >> 3]! |= 1 << (index & 7);
      put(index, converted);
    });
  };
  const present = (): Uint8Array | null => (nulls === 0 ? null : validity);
  switch (field.type.kind) {
    case 'float': {
      const values = field.type.bits === 64 ? new Float64Array(rows.length) : new Float32Array(rows.length);
      each(value => (typeof value === 'number' ? value : undefined), (row, value) => (values[row] = value));
      return {kind: 'numbers', type: field.type, values, validity: present()};
    }
    case 'int': {
      if (field.type.bits === 64) {
        const values = new BigInt64Array(rows.length);
        each(bigInteger, (row, value) => (values[row] = value));
        return {kind: 'numbers', type: field.type, values, validity: present()};
      }
      const values = new {8: Int8Array, 16: Int16Array, 32: Int32Array}[field.type.bits](rows.length);
      const most = 2 ** (field.type.bits - 1);
      each(value => (Number.isInteger(value) && (value as number) >= -most && (value as number) < most ? (value as number) : undefined), (row, value) => (values[row] = value));
      return {kind: 'numbers', type: field.type, values, validity: present()};
    }
    case 'bool': {
      const values = new Uint8Array(rows.length);
      each(value => (typeof value === 'boolean' ? value : undefined), (row, value) => (values[row] = value ? 1 : 0));
      return {kind: 'booleans', values, validity: present()};
    }
    default: {
      const dictionary: string[] = [];
      const indices = new Uint32Array(rows.length);
      each(value => (typeof value === 'string' ? value : undefined), (row, value) => (indices[row] = dictionary.push(value) - 1));
      return {kind: 'strings', dictionary, indices, validity: present()};
    }
  }
}

/** 64-bit integers come as JSON numbers while they are exact, or as text. */
function bigInteger(value: unknown): bigint | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  if (typeof value !== 'string' || !/^-?\d{1,19}$/.test(value)) return undefined;
  const wide = BigInt(value);
  return BigInt.asIntN(64, wide) === wide ? wide : undefined;
}

/** Output columns as plain values; 64-bit integers as text. */
export function valuesOf(outputs: readonly Field[], columns: readonly Column[], rowCount: number): Record<string, unknown>[] {
  return Array.from({length: rowCount}, (_, row) => Object.fromEntries(outputs.map((field, index) => [field.name, valueAt(columns[index]!, row)])));
}

/** One value of a column as JSON has it. */
export function valueAt(column: Column, row: number): unknown {
  if (column.validity && (column.validity[row >> 3]! & (1 << (row & 7))) === 0) return null;
  switch (column.kind) {
    case 'booleans':
      return column.values[row] === 1;
    case 'strings':
      return column.dictionary[column.indices[row]!];
    case 'numbers': {
      const value = column.values[row]!;
      if (typeof value === 'bigint') return value.toString();
      return column.values instanceof Float32Array ? Number(value.toPrecision(9)) : value;
    }
  }
}
