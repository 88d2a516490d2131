import type {Column} from '../../../engines/engine.ts';

export const isPresent = ({validity}: Column, row: number): boolean => validity === null || (validity[row >> 3]! & (1 << (row & 7))) !== 0;

/** JSON texts of a column's values, in the forms the engine's own JSON has. */
export function columnJson(column: Column): (row: number) => string {
  const present = valueJson(column);
  return row => (isPresent(column, row) ? present(row) : 'null');
}

function valueJson(column: Column): (row: number) => string {
  switch (column.kind) {
    case 'booleans':
      return row => (column.values[row] ? 'true' : 'false');
    case 'strings':
      return row => JSON.stringify(column.dictionary[column.indices[row]!]);
    case 'numbers': {
      const {values, type} = column;
      const wide = type.kind === 'int' && (type.bits === 64 || (type.bits === 32 && !type.signed));
      return row => {
        const value = values[row]!;
        return wide || (typeof value === 'number' && !Number.isFinite(value)) ? `"${value}"` : String(value);
      };
    }
  }
}

/** A copy of a column, of some of its rows or of all: whoever scores it may take its buffers away. */
export function takeRows(column: Column, rows: readonly number[] | null): Column {
  const validity = takeValidity(column, rows);
  switch (column.kind) {
    case 'booleans':
      return {...column, values: rows ? Uint8Array.from(rows, row => column.values[row]!) : column.values.slice(), validity};
    case 'strings':
      return {...column, indices: rows ? Uint32Array.from(rows, row => column.indices[row]!) : column.indices.slice(), validity};
    case 'numbers': {
      const values = column.values.slice(0, rows?.length);
      if (rows) rows.forEach((row, index) => (values[index] = column.values[row]!));
      return {...column, values, validity};
    }
  }
}

function takeValidity(column: Column, rows: readonly number[] | null): Uint8Array | null {
  if (column.validity === null) return null;
  if (rows === null) return column.validity.slice();
  const validity = new Uint8Array((rows.length + 7) >> 3);
  rows.forEach((row, index) => {
    if (isPresent(column, row)) validity[index >> 3]! |= 1 << (index & 7);
  });
  return validity;
}
