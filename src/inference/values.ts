/** Plain values (of JSON, or of an uploader's examples) as columns, and back. */
import {typeName} from '../schemas/schema.ts';
import type {Field} from '../schemas/schema.ts';
import type {Column} from '../engines/engine.ts';

export type Numbers = Extract<Column, {kind: 'numbers'}>['values'];

const arrays = {
  float32: Float32Array, float64: Float64Array, int8: Int8Array, int16: Int16Array, int32: Int32Array, int64: BigInt64Array,
  uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array, uint64: BigUint64Array, bool: Uint8Array,
} as const;

export type NumberType = keyof typeof arrays;

/** A zeroed array for so many values of a type. */
export const numbersOf = (type: NumberType, length: number): Numbers => new arrays[type](length);

/**
 * One column of a field's type. Null (also NaN as text) is absent; 64-bit integers may come as bigint or decimal text; 0 and 1 may
 * stand for a bool. A whole number that the type cannot hold exactly is refused; a fraction is rounded to the type.
 * @param report throws, given the issue: column, value and row in words
 */
export function columnOfValues(field: Field, values: readonly unknown[], report: (issue: string) => never): Column {
  const refuse = (row: number, value: unknown): never => {
    const given = typeof value === 'string' ? `'${value}'` : String(value);
    return report(`column '${field.name}' is ${given} in row ${row}, which is no ${typeName(field.type)}`);
  };
  const validity = validityOf(values);
  if (field.type.kind === 'utf8') return stringColumn(values, validity, refuse);
  if (field.type.kind === 'bool') {
    const bytes = Uint8Array.from(values, (value, row) => (value == null ? 0 : value === true || value === 1 ? 1 : value === false || value === 0 ? 0 : refuse(row, value)));
    return {kind: 'booleans', values: bytes, validity};
  }
  const numbers = numbersOf(typeName(field.type) as NumberType, values.length);
  values.forEach((value, row) => {
    if (value == null) return;
    if (!setNumber(numbers, row, value)) refuse(row, value);
  });
  return {kind: 'numbers', type: field.type, values: numbers, validity};
}

/** Stores the value and tells whether it is what was given. */
function setNumber(numbers: Numbers, row: number, value: unknown): boolean {
  if (numbers instanceof BigInt64Array || numbers instanceof BigUint64Array) {
    const whole = typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value)) || (typeof value === 'string' && /^-?\d{1,20}$/.test(value));
    if (!whole) return false;
    numbers[row] = BigInt(value as bigint | number | string);
    return numbers[row] === BigInt(value as bigint | number | string);
  }
  if (typeof value !== 'number' && typeof value !== 'bigint') return false;
  const number = Number(value);
  numbers[row] = number;
  if (Object.is(numbers[row], number) || numbers[row] === number) return typeof value === 'number' || BigInt(number) === value;
  return (numbers instanceof Float32Array || numbers instanceof Float64Array) && !Number.isInteger(number);
}

function stringColumn(values: readonly unknown[], validity: Uint8Array | null, refuse: (row: number, value: unknown) => never): Column {
  const places = new Map<string, number>();
  const indices = Uint32Array.from(values, (value, row) => {
    const text = value == null ? '' : typeof value === 'string' ? value : refuse(row, value);
    const place = places.get(text) ?? places.size;
    places.set(text, place);
    return place;
  });
  return {kind: 'strings', dictionary: [...places.keys()], indices, validity};
}

function validityOf(values: readonly unknown[]): Uint8Array | null {
  if (values.every(value => value != null)) return null;
  const bits = new Uint8Array(Math.ceil(values.length / 8));
  values.forEach((value, row) => {
    if (value != null) bits[row >> 3]! |= 1 << (row & 7);
  });
  return bits;
}

/** The value of a row as JavaScript has it; null where absent. */
export function valueAt(column: Column, row: number): string | number | bigint | boolean | null {
  if (column.validity && !((column.validity[row >> 3]! >> (row & 7)) & 1)) return null;
  if (column.kind === 'strings') return column.dictionary[column.indices[row]!] ?? null;
  if (column.kind === 'booleans') return column.values[row] !== 0;
  return column.values[row]!;
}
