/** Cutting batches and handing them to threads without copying what need not be copied. */
import type {Column, ColumnBatch} from '../../engines/engine.ts';

type Values = Extract<Column, {kind: 'numbers'}>['values'];

/** The buffers of columns that may be transferred: each once. */
export function buffersOf(columns: readonly Column[]): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  for (const column of columns) {
    const values = column.kind === 'strings' ? column.indices : column.values;
    for (const array of [values, column.validity]) if (array?.buffer instanceof ArrayBuffer) buffers.add(array.buffer);
  }
  return [...buffers];
}

/**
 * Rows [start, end) as a batch whose buffers hold nothing else, so that they can be transferred; `start` must be a multiple of 8.
 * Arrays that already are such are kept. A dictionary larger than the rows is cut to the words they use.
 */
export function cutBatch(batch: ColumnBatch, start: number, end: number): ColumnBatch {
  return {rowCount: end - start, columns: batch.columns.map(column => cutColumn(column, start, end))};
}

function cutColumn(column: Column, start: number, end: number): Column {
  const validity = column.validity && own(column.validity, start / 8, Math.ceil(end / 8));
  if (column.kind === 'strings') return {kind: 'strings', ...cutWords(column.dictionary, own(column.indices, start, end)), validity};
  if (column.kind === 'booleans') return {kind: 'booleans', values: own(column.values, start, end), validity};
  return {kind: 'numbers', type: column.type, values: own(column.values, start, end), validity};
}

/** The part as the only view of its buffer. */
function own<Kind extends Values>(array: Kind, start: number, end: number): Kind {
  const alone = array.buffer instanceof ArrayBuffer && array.byteLength === array.buffer.byteLength;
  return alone && start === 0 && end === array.length ? array : (array.slice(start, end) as Kind);
}

function cutWords(dictionary: readonly string[], indices: Uint32Array): {dictionary: readonly string[]; indices: Uint32Array} {
  if (dictionary.length <= Math.max(indices.length, 64)) return {dictionary, indices};
  const places = new Map<number, number>();
  const words: string[] = [];
  const renamed = indices.map(index => {
    let place = places.get(index);
    if (place === undefined) {
      places.set(index, (place = words.length));
      words.push(dictionary[index] ?? '');
    }
    return place;
  });
  return {dictionary: words, indices: renamed};
}

/** The parts of an answer, in order, as one. */
export function joinColumns(parts: readonly (readonly Column[])[]): readonly Column[] {
  const [first] = parts;
  if (!first || parts.length === 1) return first ?? [];
  return first.map((column, index) => {
    const all = parts.map(part => part[index]!);
    if (column.kind === 'strings') return joinWords(all as Extract<Column, {kind: 'strings'}>[]);
    const arrays = all.map(each => (each as Exclude<Column, {kind: 'strings'}>).values as Float64Array);
    const values = new (arrays[0]!.constructor as new (length: number) => Float64Array)(arrays.reduce((sum, array) => sum + array.length, 0));
    let at = 0;
    for (const array of arrays) {
      values.set(array, at);
      at += array.length;
    }
    return {...column, values, validity: null} as Column;
  });
}

function joinWords(parts: readonly Extract<Column, {kind: 'strings'}>[]): Column {
  const places = new Map<string, number>();
  const indices = new Uint32Array(parts.reduce((sum, part) => sum + part.indices.length, 0));
  let at = 0;
  for (const {dictionary, indices: own} of parts) {
    for (const index of own) {
      const word = dictionary[index]!;
      if (!places.has(word)) places.set(word, places.size);
      indices[at++] = places.get(word)!;
    }
  }
  return {kind: 'strings', dictionary: [...places.keys()], indices, validity: null};
}
