import {
  Binary, Bool, DateDay, Decimal, Field as ArrowField, Float32, Float64, Int16, Int32, Int64, Int8, IntervalMonthDayNano, List, makeData, Struct, TimeMicrosecond, TimestampMicrosecond, Uint16, Uint32,
  Uint64, Uint8, Utf8,
} from 'apache-arrow';
import type {Data, DataType as ArrowType} from 'apache-arrow';
import {DuckDBArrayType, DuckDBDecimalType, DuckDBListType, DuckDBMapType, DuckDBStructType, DuckDBTypeId} from '@duckdb/node-api';
import type {DuckDBListVector, DuckDBStructVector, DuckDBType, DuckDBVector} from '@duckdb/node-api';
import {MillraceError} from '../../core/errors.ts';
import type {ColumnName} from '../engine.ts';
import {identifier} from '../sql-text.ts';
import {textPieces} from './texts.ts';
import {copyBits} from './vectors.ts';

/**
 * Columns of Arrow from DuckDB's chunks: numbers, times and texts as the bytes they are, nested ones as deep as they go. Decimals become
 * 128 bits wide; what Arrow has no type for is text; maps are lists of `{key, value}`.
 */

/** The SQL type of a column whose vectors can be taken over; null where that is its own. */
export function takenAs(type: DuckDBType): string | null {
  const whole = sqlOf(type);
  return whole.converted ? whole.sql : null;
}

interface TakenType {
  readonly sql: string;
  readonly converted: boolean;
}

const converted: Partial<Record<DuckDBTypeId, string>> = {
  [DuckDBTypeId.HUGEINT]: 'DECIMAL(38, 0)', [DuckDBTypeId.UHUGEINT]: 'DECIMAL(38, 0)', [DuckDBTypeId.TIME_NS]: 'TIME',
  [DuckDBTypeId.TIMESTAMP_S]: 'TIMESTAMP', [DuckDBTypeId.TIMESTAMP_MS]: 'TIMESTAMP', [DuckDBTypeId.TIMESTAMP_NS]: 'TIMESTAMP',
};

function sqlOf(type: DuckDBType): TakenType {
  if (type instanceof DuckDBListType || type instanceof DuckDBArrayType) {
    const inner = sqlOf(type.valueType);
    return {sql: `${inner.sql}[]`, converted: inner.converted || type instanceof DuckDBArrayType};
  }
  if (type instanceof DuckDBStructType) {
    const members = type.entryTypes.map(sqlOf);
    return {sql: `STRUCT(${members.map(({sql}, index) => `${identifier(type.entryNames[index]!)} ${sql}`).join(', ')})`, converted: members.some(member => member.converted)};
  }
  if (type instanceof DuckDBMapType) {
    const [key, value] = [sqlOf(type.keyType), sqlOf(type.valueType)];
    return {sql: `MAP(${key.sql}, ${value.sql})`, converted: key.converted || value.converted};
  }
  if (leafType(type) !== null) return {sql: type.toString(), converted: false};
  return {sql: converted[type.typeId] ?? 'VARCHAR', converted: true};
}

function leafType(type: DuckDBType): ArrowType | null {
  if (type instanceof DuckDBDecimalType) return new Decimal(type.scale, type.width, 128);
  switch (type.typeId) {
    case DuckDBTypeId.BOOLEAN: return new Bool();
    case DuckDBTypeId.TINYINT: return new Int8();
    case DuckDBTypeId.SMALLINT: return new Int16();
    case DuckDBTypeId.INTEGER: return new Int32();
    case DuckDBTypeId.BIGINT: return new Int64();
    case DuckDBTypeId.UTINYINT: return new Uint8();
    case DuckDBTypeId.USMALLINT: return new Uint16();
    case DuckDBTypeId.UINTEGER: return new Uint32();
    case DuckDBTypeId.UBIGINT: return new Uint64();
    case DuckDBTypeId.FLOAT: return new Float32();
    case DuckDBTypeId.DOUBLE: return new Float64();
    case DuckDBTypeId.VARCHAR: return new Utf8();
    case DuckDBTypeId.BLOB: return new Binary();
    case DuckDBTypeId.DATE: return new DateDay();
    case DuckDBTypeId.TIME: return new TimeMicrosecond();
    case DuckDBTypeId.TIMESTAMP: return new TimestampMicrosecond(null);
    case DuckDBTypeId.TIMESTAMP_TZ: return new TimestampMicrosecond('UTC');
    case DuckDBTypeId.INTERVAL: return new IntervalMonthDayNano();
    default: return null;
  }
}

/** Whether a row of the column around this one is there; null: all are. */
type Within = ((row: number) => boolean) | null;

/** Gathers values of one column, chunk by chunk. */
export interface Gatherer {
  readonly type: ArrowType;
  /** Bytes gathered since the last `take`. */
  readonly bytes: number;
  add(vector: DuckDBVector, from: number, count: number, within: Within): void;
  /** Good until the next `add`. */
  take(): Data;
}

/** For a column of a type of which `takenAs` is null. @param members names of the members of its struct, by their places */
export function gatherer(type: DuckDBType, members: readonly ColumnName[] | undefined): Gatherer {
  if (type instanceof DuckDBListType) return new ListGatherer(gatherer(type.valueType, members));
  if (type instanceof DuckDBMapType) return new ListGatherer(new StructGatherer(['key', 'value'], [gatherer(type.keyType, undefined), gatherer(type.valueType, undefined)]));
  if (type instanceof DuckDBStructType) {
    return new StructGatherer(type.entryNames.map((name, index) => members?.[index]?.name ?? name), type.entryTypes.map((entry, index) => gatherer(entry, members?.[index]?.members)));
  }
  const leaf = leafType(type);
  if (!leaf) throw new MillraceError('INTERNAL', {reason: `no Arrow type for ${type}`});
  if (leaf instanceof Bool) return new BoolGatherer(leaf);
  if (leaf instanceof Utf8 || leaf instanceof Binary) return new TextGatherer(leaf);
  if (type instanceof DuckDBDecimalType) return new WordsGatherer(leaf, type.width <= 4 ? 'int16' : type.width <= 9 ? 'int32' : type.width <= 18 ? 'int64' : 'int128');
  if (leaf instanceof IntervalMonthDayNano) return new WordsGatherer(leaf, 'interval');
  return new FixedGatherer(leaf);
}

type Numbers = Int8Array | Int16Array | Int32Array | BigInt64Array | Uint8Array | Uint16Array | Uint32Array | BigUint64Array | Float32Array | Float64Array;
type NumbersConstructor = {new (length: number): Numbers; readonly BYTES_PER_ELEMENT: number};

/** What node-api's vectors hold, typed as private there. */
interface Insides {
  readonly items?: Numbers;
  readonly dataView?: DataView;
  readonly validity: {readonly data: BigUint64Array | null; readonly offset: number};
}

const insides = (vector: DuckDBVector): Insides => vector as unknown as Insides;

/** An array that grows, and is filled again once it was taken: what was taken is good until then. */
class Growing<T extends Numbers> {
  private array: T;
  length = 0;

  constructor(private readonly make: new (length: number) => T, capacity = 4096) {
    this.array = new make(capacity);
  }

  /** Where `count` more values belong. */
  room(count: number): T {
    if (this.length + count > this.array.length) {
      const larger = new this.make(Math.max(this.array.length * 2, this.length + count));
      larger.set(this.array.subarray(0, this.length) as never);
      this.array = larger;
    }
    const from = this.length;
    this.length += count;
    return this.array.subarray(from, this.length) as T;
  }

  take(): T {
    const taken = this.array.subarray(0, this.length) as T;
    this.length = 0;
    return taken;
  }
}

abstract class Base implements Gatherer {
  protected rows = 0;
  private validity: Uint8Array | null = null;
  private anyNull = false;

  constructor(readonly type: ArrowType) {}

  abstract get bytes(): number;
  abstract add(vector: DuckDBVector, from: number, count: number, within: Within): void;
  abstract take(): Data;

  /** Notes which of the rows are null, and counts them. */
  protected addRows(vector: DuckDBVector, from: number, count: number): void {
    const {data, offset} = insides(vector).validity;
    const end = this.rows + count;
    if (data && !this.validity) this.validity = new Uint8Array(Math.max(512, (end + 7) >> 3)).fill(0xff);
    if (this.validity) {
      if (this.validity.length * 8 < end) {
        const larger = new Uint8Array(Math.max(this.validity.length * 2, (end + 7) >> 3)).fill(0xff);
        larger.set(this.validity);
        this.validity = larger;
      }
      if (data) {
        copyBits(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset + from, this.validity, this.rows, count);
        this.anyNull = true;
      }
    }
    this.rows = end;
  }

  /** What `makeData` wants of the rows; begins anew. */
  protected takeRows(): {length: number; nullCount?: number; nullBitmap?: Uint8Array} {
    const {rows: length, validity, anyNull} = this;
    this.rows = 0;
    this.validity = null;
    this.anyNull = false;
    return anyNull ? {length, nullBitmap: validity!.subarray(0, (length + 7) >> 3)} : {length, nullCount: 0};
  }
}

/** Which rows are null, for loops that must not look at them. */
function nullsOf(vector: DuckDBVector, within: Within): ((row: number) => boolean) | null {
  const {data, offset} = insides(vector).validity;
  if (!data) return within && (row => !within(row));
  const bits = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const own = (row: number) => (bits[(offset + row) >> 3]! & (1 << ((offset + row) & 7))) === 0;
  return within ? row => !within(row) || own(row) : own;
}

class FixedGatherer extends Base {
  private readonly values: Growing<Numbers>;

  constructor(type: ArrowType) {
    super(type);
    this.values = new Growing(type.ArrayType as unknown as NumbersConstructor);
  }

  get bytes(): number {
    return this.values.length * (this.type.ArrayType as unknown as NumbersConstructor).BYTES_PER_ELEMENT;
  }

  add(vector: DuckDBVector, from: number, count: number): void {
    const {items} = insides(vector);
    this.values.room(count).set(items!.subarray(from, from + count) as never);
    this.addRows(vector, from, count);
  }

  take(): Data {
    return makeData({type: this.type, data: this.values.take(), ...this.takeRows()} as never);
  }
}

class BoolGatherer extends Base {
  private readonly values = new Growing(Uint8Array);

  get bytes(): number {
    return this.values.length;
  }

  add(vector: DuckDBVector, from: number, count: number): void {
    const {buffer, byteOffset} = insides(vector).dataView!;
    this.values.room(count).set(new Uint8Array(buffer, byteOffset + from, count));
    this.addRows(vector, from, count);
  }

  take(): Data {
    const values = this.values.take();
    const data = new Uint8Array((values.length + 7) >> 3);
    for (let row = 0; row < values.length; row++) if (values[row]) data[row >> 3]! |= 1 << (row & 7);
    return makeData({type: new Bool(), data, ...this.takeRows()});
  }
}

/** Values of 128 bits: decimals, which DuckDB keeps as narrow as they fit, and intervals. */
class WordsGatherer extends Base {
  private readonly words = new Growing(Int32Array);

  constructor(type: ArrowType, private readonly kept: 'int16' | 'int32' | 'int64' | 'int128' | 'interval') {
    super(type);
  }

  get bytes(): number {
    return this.words.length * 4;
  }

  add(vector: DuckDBVector, from: number, count: number): void {
    const {buffer, byteOffset} = insides(vector).dataView!;
    const words = this.words.room(count * 4);
    if (this.kept === 'int128') words.set(new Int32Array(buffer, byteOffset + from * 16, count * 4));
    else if (this.kept === 'int64') {
      const source = new Int32Array(buffer, byteOffset + from * 8, count * 2);
      for (let row = 0; row < count; row++) {
        words[row * 4] = source[row * 2]!;
        words[row * 4 + 1] = source[row * 2 + 1]!;
        words[row * 4 + 2] = words[row * 4 + 3] = source[row * 2 + 1]! >> 31;
      }
    } else if (this.kept === 'interval') {
      // Months and days stay; microseconds become nanoseconds.
      words.set(new Int32Array(buffer, byteOffset + from * 16, count * 4));
      const times = new BigInt64Array(words.buffer, words.byteOffset, count * 2);
      for (let row = 0; row < count; row++) times[row * 2 + 1]! *= 1000n;
    } else {
      const source = this.kept === 'int16' ? new Int16Array(buffer, byteOffset + from * 2, count) : new Int32Array(buffer, byteOffset + from * 4, count);
      for (let row = 0; row < count; row++) {
        words[row * 4] = source[row]!;
        words[row * 4 + 1] = words[row * 4 + 2] = words[row * 4 + 3] = source[row]! >> 31;
      }
    }
    this.addRows(vector, from, count);
  }

  take(): Data {
    const words = this.words.take();
    return makeData({type: this.type, data: this.kept === 'interval' ? words : new Uint32Array(words.buffer, words.byteOffset, words.length), ...this.takeRows()} as never);
  }
}

const longest = 2 ** 31 - 1;

class TextGatherer extends Base {
  private readonly offsets = new Growing(Int32Array);
  private readonly data = new Growing(Uint8Array, 65_536);

  get bytes(): number {
    return this.data.length + this.offsets.length * 4;
  }

  add(vector: DuckDBVector, from: number, count: number, within: Within): void {
    const isNull = nullsOf(vector, within);
    const {buffer, byteOffset, byteLength} = insides(vector).dataView!;
    const words = new Uint32Array(buffer, byteOffset, byteLength >> 2);
    const offsets = endsAfterZero(this.offsets, count);
    let end = this.data.length;
    for (let row = 0; row < count; row++) {
      if (!isNull?.(from + row)) end += words[(from + row) << 2]!;
      offsets[row] = end;
    }
    if (end > longest) throw new MillraceError('RESULT_TOO_LARGE', {limit: longest, unit: `bytes in ${count} values of one column`});
    for (const piece of textPieces(vector, from, count, isNull)) this.data.room(piece.length).set(piece);
    this.addRows(vector, from, count);
  }

  take(): Data {
    return makeData({type: this.type, valueOffsets: offsetsOf(this.offsets), data: this.data.take(), ...this.takeRows()} as never);
  }
}

/** Room for the ends of `count` more values. Arrow has the beginning of the first as well. */
function endsAfterZero(offsets: Growing<Int32Array>, count: number): Int32Array {
  if (offsets.length === 0) offsets.room(1)[0] = 0;
  return offsets.room(count);
}

function offsetsOf(offsets: Growing<Int32Array>): Int32Array {
  endsAfterZero(offsets, 0);
  return offsets.take();
}

class StructGatherer extends Base {
  constructor(names: readonly string[], private readonly members: readonly Gatherer[]) {
    super(new Struct(members.map((member, index) => new ArrowField(names[index]!, member.type, true))));
  }

  get bytes(): number {
    return this.members.reduce((sum, {bytes}) => sum + bytes, this.rows >> 3);
  }

  add(vector: DuckDBVector, from: number, count: number, within: Within): void {
    const isNull = nullsOf(vector, within);
    const struct = vector as DuckDBStructVector;
    this.members.forEach((member, index) => member.add(struct.entryVectorAt(index), from, count, isNull && (row => !isNull(row))));
    this.addRows(vector, from, count);
  }

  take(): Data {
    return makeData({type: this.type as Struct, children: this.members.map(member => member.take()), ...this.takeRows()});
  }
}

class ListGatherer extends Base {
  private readonly ends = new Growing(Int32Array);
  private elements = 0;

  constructor(private readonly element: Gatherer) {
    super(new List(new ArrowField('item', element.type, true)));
  }

  get bytes(): number {
    return this.element.bytes + this.ends.length * 4;
  }

  add(vector: DuckDBVector, from: number, count: number, within: Within): void {
    const list = 'listVector' in vector ? (vector as unknown as {listVector: DuckDBListVector}).listVector : (vector as DuckDBListVector);
    const isNull = nullsOf(list, within);
    const ends = endsAfterZero(this.ends, count);
    // Lists mostly lie one after the other, and are taken together.
    let [begin, length] = [0, 0];
    const take = () => {
      if (length > 0) this.element.add(list.childVector, begin, length, null);
      length = 0;
    };
    for (let row = 0; row < count; row++) {
      const size = isNull?.(from + row) ? 0 : list.getEntryLength(from + row);
      if (size > 0) {
        const at = list.getEntryOffset(from + row);
        if (at !== begin + length) {
          take();
          begin = at;
        }
        length += size;
        this.elements += size;
      }
      ends[row] = this.elements;
    }
    take();
    this.addRows(list, from, count);
  }

  take(): Data {
    this.elements = 0;
    return makeData({type: this.type as List, valueOffsets: offsetsOf(this.ends), child: this.element.take(), ...this.takeRows()});
  }
}
