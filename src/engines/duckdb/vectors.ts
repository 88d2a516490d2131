import type {DuckDBDataChunk, DuckDBVector} from '@duckdb/node-api';
import type {DataType} from '../../schemas/schema.ts';
import type {Column, ColumnBatch} from '../engine.ts';
import {inlineLength} from './texts.ts';

/**
 * Column batches from DuckDB's chunks (2,048 rows at most), without a JavaScript value for each of them: numbers are copied as buffers,
 * strings are found again in a dictionary by the 16 bytes that DuckDB has for each.
 */

// Taken out of Math: where globals are looked up slowly (a test's own realm) the loops below would be.
const {imul} = Math;

type Numbers = Extract<Column, {kind: 'numbers'}>['values'];
type NumbersConstructor = {new (length: number): Numbers; readonly BYTES_PER_ELEMENT: number};

/** How a column of a type is handed out: which values, and the SQL that makes them of a column's name. */
export interface ColumnPlan {
  readonly kind: Column['kind'];
  readonly type: DataType;
  readonly values: NumbersConstructor | null;
  readonly sql: (column: string) => string;
}

const itself = (column: string) => column;
const float64: DataType = {kind: 'float', bits: 64};

/** Dates are days and times microseconds since their beginning; decimals become floats; what has no numbers is text. */
export function planColumn(type: DataType): ColumnPlan {
  const numbers = (values: unknown, sql = itself, as = type): ColumnPlan => ({kind: 'numbers', type: as, values: values as NumbersConstructor, sql});
  switch (type.kind) {
    case 'bool':
      return {kind: 'booleans', type, values: null, sql: itself};
    case 'int':
      return numbers({8: [Uint8Array, Int8Array], 16: [Uint16Array, Int16Array], 32: [Uint32Array, Int32Array], 64: [BigUint64Array, BigInt64Array]}[type.bits][type.signed ? 1 : 0]);
    case 'float':
      return numbers(type.bits === 32 ? Float32Array : Float64Array);
    case 'decimal':
      return numbers(Float64Array, column => `CAST(${column} AS DOUBLE)`, float64);
    case 'date':
      return numbers(Int32Array);
    case 'time':
      return numbers(BigInt64Array, column => `CAST(${column} AS TIME)`);
    case 'timestamp':
      return numbers(BigInt64Array, column => `CAST(${column} AS ${type.zoned ? 'TIMESTAMP WITH TIME ZONE' : 'TIMESTAMP'})`);
    case 'utf8':
      return {kind: 'strings', type, values: null, sql: column => `CAST(${column} AS VARCHAR)`};
    case 'list':
    case 'struct':
    case 'map':
      return {kind: 'strings', type: {kind: 'utf8'}, values: null, sql: column => `CAST(to_json(${column}) AS VARCHAR)`};
    default:
      return {kind: 'strings', type: {kind: 'utf8'}, values: null, sql: column => `CAST(${column} AS VARCHAR)`};
  }
}

/** What node-api's vectors hold, typed as private there: its public accessors make a value a call. */
interface Insides {
  readonly items?: Numbers;
  readonly dataView?: DataView;
  readonly validity: {readonly data: BigUint64Array | null};
}

const insides = (vector: DuckDBVector): Insides => vector as unknown as Insides;

/** Gathers chunks into batches of exactly `batchRows` rows, but for the last. */
export class Batcher {
  private readonly builders: Builder[];
  private filled = 0;

  constructor(plans: readonly ColumnPlan[], private readonly batchRows: number) {
    this.builders = plans.map(plan => (plan.kind === 'strings' ? new StringBuilder(batchRows) : new FixedBuilder(plan, batchRows)));
  }

  /** The batches that are full with this chunk. */
  *add(chunk: DuckDBDataChunk): Generator<ColumnBatch> {
    const rows = chunk.rowCount;
    const vectors = this.builders.map((_, index) => chunk.getColumnVector(index));
    for (const builder of this.builders) builder.newChunk();
    for (let from = 0; from < rows; ) {
      const count = Math.min(rows - from, this.batchRows - this.filled);
      this.builders.forEach((builder, index) => builder.append(vectors[index]!, from, count, this.filled));
      from += count;
      this.filled += count;
      if (this.filled === this.batchRows) yield this.take();
    }
  }

  /** What is left at the end; null when nothing is. */
  rest(): ColumnBatch | null {
    return this.filled === 0 ? null : this.take();
  }

  private take(): ColumnBatch {
    const rowCount = this.filled;
    this.filled = 0;
    return {rowCount, columns: this.builders.map(builder => builder.take(rowCount))};
  }
}

abstract class Builder {
  protected validity: Uint8Array | null = null;
  constructor(protected readonly capacity: number) {}
  newChunk(): void {}
  abstract append(vector: DuckDBVector, from: number, count: number, at: number): void;
  abstract take(rows: number): Column;

  protected appendValidity(bits: BigUint64Array | null, from: number, count: number, at: number): void {
    if (!bits) return;
    this.validity ??= new Uint8Array(Math.ceil(this.capacity / 8)).fill(0xff);
    copyBits(new Uint8Array(bits.buffer, bits.byteOffset, bits.byteLength), from, this.validity, at, count);
  }

  /** DuckDB keeps a mask for vectors without a null too; then there is none to hand out. */
  protected takeValidity(rows: number): Uint8Array | null {
    const bits = this.validity?.subarray(0, Math.ceil(rows / 8)) ?? null;
    this.validity = null;
    return bits && !allSet(bits, rows) ? bits : null;
  }
}

class FixedBuilder extends Builder {
  private values: Numbers;
  constructor(private readonly plan: ColumnPlan, capacity: number) {
    super(capacity);
    this.values = this.fresh();
  }

  append(vector: DuckDBVector, from: number, count: number, at: number): void {
    const {items, dataView, validity} = insides(vector);
    const source = items ?? new Uint8Array(dataView!.buffer, dataView!.byteOffset, dataView!.byteLength);
    // Both are the array that the column's type has, so the copy is one of bytes.
    (this.values as Uint8Array).set((source as Uint8Array).subarray(from, from + count), at);
    this.appendValidity(validity.data, from, count, at);
  }

  take(rows: number): Column {
    const values = rows === this.capacity ? this.values : (this.values.slice(0, rows) as Numbers);
    const validity = this.takeValidity(rows);
    this.values = this.fresh();
    return this.plan.kind === 'booleans' ? {kind: 'booleans', values: values as Uint8Array, validity} : {kind: 'numbers', type: this.plan.type, values, validity};
  }

  private fresh(): Numbers {
    return new (this.plan.values ?? (Uint8Array as unknown as NumbersConstructor))(this.capacity);
  }
}

/** A dictionary that has grown past this many strings is left to its batches, and a new one begun: memory stays bounded. */
const largestDictionary = 1 << 16;

class StringBuilder extends Builder {
  private indices: Uint32Array;
  private dictionary: string[] = [];
  private byText = new Map<string, number>();
  private slots = new Slots();
  /** Longer strings lie behind a pointer that means the same text only within its chunk. */
  private chunkSlots = new Slots();

  constructor(capacity: number) {
    super(capacity);
    this.indices = new Uint32Array(capacity);
  }

  override newChunk(): void {
    if (this.chunkSlots.used > 0) this.chunkSlots.clear();
  }

  append(vector: DuckDBVector, from: number, count: number, at: number): void {
    const {dataView, validity} = insides(vector);
    const words = new Int32Array(dataView!.buffer, dataView!.byteOffset, dataView!.byteLength >> 2);
    const bits = validity.data && new Uint8Array(validity.data.buffer, validity.data.byteOffset, validity.data.byteLength);
    const {indices} = this;
    for (let row = from, out = at; row < from + count; row++, out++) {
      if (bits && (bits[row >> 3]! & (1 << (row & 7))) === 0) continue;
      const word = row << 2;
      const slots = words[word]! <= inlineLength ? this.slots : this.chunkSlots;
      const slot = slots.find(words[word]!, words[word + 1]!, words[word + 2]!, words[word + 3]!);
      let index = slots.values[slot]!;
      if (index < 0) {
        index = this.indexOf(vector.getItem(row) as string);
        slots.add(slot, words[word]!, words[word + 1]!, words[word + 2]!, words[word + 3]!, index);
      }
      indices[out] = index;
    }
    this.appendValidity(validity.data, from, count, at);
  }

  take(rows: number): Column {
    const indices = rows === this.capacity ? this.indices : this.indices.slice(0, rows);
    const column: Column = {kind: 'strings', dictionary: this.dictionary, indices, validity: this.takeValidity(rows)};
    this.indices = new Uint32Array(this.capacity);
    if (this.dictionary.length > largestDictionary) {
      this.dictionary = [];
      this.byText = new Map();
      this.slots = new Slots();
      this.chunkSlots = new Slots();
    }
    return column;
  }

  private indexOf(text: string): number {
    let index = this.byText.get(text);
    if (index === undefined) {
      index = this.dictionary.push(text) - 1;
      this.byText.set(text, index);
    }
    return index;
  }
}

/** An open-addressing hash table from four 32-bit words to a number; -1 stands for a free slot. */
class Slots {
  private size = 1024;
  private keys = new Int32Array(this.size * 4);
  values = new Int32Array(this.size).fill(-1);
  used = 0;

  /** The slot of the key, or the free one where it belongs. */
  find(a: number, b: number, c: number, d: number): number {
    const {keys, values} = this;
    const mask = this.size - 1;
    let hash = imul(a, 0x9e3779b1) ^ imul(b, 0x85ebca6b) ^ imul(c, 0xc2b2ae35) ^ imul(d, 0x27d4eb2f);
    hash ^= hash >>> 15;
    for (let slot = imul(hash, 0x2c1b3c6d) >>> 7; ; slot++) {
      slot &= mask;
      const key = slot << 2;
      if (values[slot]! < 0 || (keys[key] === a && keys[key + 1] === b && keys[key + 2] === c && keys[key + 3] === d)) return slot;
    }
  }

  /** Fills the free slot that `find` gave. */
  add(slot: number, a: number, b: number, c: number, d: number, value: number): void {
    const key = slot << 2;
    this.keys[key] = a;
    this.keys[key + 1] = b;
    this.keys[key + 2] = c;
    this.keys[key + 3] = d;
    this.values[slot] = value;
    if (++this.used * 2 > this.size) this.grow();
  }

  clear(): void {
    this.values.fill(-1);
    this.used = 0;
  }

  private grow(): void {
    const {keys, values, size} = this;
    this.size = size * 2;
    this.keys = new Int32Array(this.size * 4);
    this.values = new Int32Array(this.size).fill(-1);
    for (let slot = 0; slot < size; slot++) {
      if (values[slot]! < 0) continue;
      const key = slot << 2;
      const to = this.find(keys[key]!, keys[key + 1]!, keys[key + 2]!, keys[key + 3]!);
      this.keys.set(keys.subarray(key, key + 4), to << 2);
      this.values[to] = values[slot]!;
    }
  }
}

export function copyBits(source: Uint8Array, from: number, target: Uint8Array, at: number, count: number): void {
  let done = 0;
  // Chunks mostly begin at a byte, and then whole bytes can be taken.
  if ((from & 7) === 0 && (at & 7) === 0) {
    const bytes = count >> 3;
    target.set(source.subarray(from >> 3, (from >> 3) + bytes), at >> 3);
    done = bytes << 3;
  }
  for (; done < count; done++) {
    const bit = from + done;
    const to = at + done;
    if ((source[bit >> 3]! & (1 << (bit & 7))) === 0) target[to >> 3]! &= ~(1 << (to & 7));
    else target[to >> 3]! |= 1 << (to & 7);
  }
}

function allSet(bits: Uint8Array, rows: number): boolean {
  const whole = rows >> 3;
  for (let byte = 0; byte < whole; byte++) if (bits[byte] !== 0xff) return false;
  const last = (1 << (rows & 7)) - 1;
  return last === 0 || (bits[whole]! & last) === last;
}
