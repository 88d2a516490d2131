import {Binary, Bool, DateDay, Decimal, Float32, Float64, Int16, Int32, Int64, Int8, makeData, TimestampMicrosecond, Utf8} from 'apache-arrow';
import type {Data, DataType as ArrowType} from 'apache-arrow';
import {MillraceError} from '../../core/errors.ts';
import type {DataType} from '../../schemas/schema.ts';
import type {WireValues} from './rows.ts';
import {days, decimal128, microseconds} from './texts.ts';

/** Columns of Arrow from those of the wire: numbers by their bytes, decimals and times from the texts they are sent as. Nothing is rounded. */

export function arrowType(type: DataType): ArrowType {
  switch (type.kind) {
    case 'bool': return new Bool();
    case 'int': return {8: new Int8(), 16: new Int16(), 32: new Int32(), 64: new Int64()}[type.bits];
    case 'float': return type.bits === 32 ? new Float32() : new Float64();
    case 'decimal': return new Decimal(type.scale, type.precision, 128);
    case 'date': return new DateDay();
    case 'timestamp': return new TimestampMicrosecond(type.zoned ? 'UTC' : null);
    case 'binary': return new Binary();
    default: return new Utf8();
  }
}

/** @throws SQL_FAILED for a value that the type cannot hold */
export function arrowColumn(values: WireValues, type: DataType): Data {
  const {count: length} = values;
  const {nullBitmap, nullCount} = validity(values);
  const common = {length, nullCount, nullBitmap: nullCount === 0 ? undefined : nullBitmap};
  const arrow = arrowType(type);
  if (values.kind === 'texts' || values.kind === 'binaries') {
    if (type.kind === 'date') return makeData({...common, type: arrow as DateDay, data: parsed(values, new Int32Array(length), days, 'a date')});
    if (type.kind === 'timestamp') return makeData({...common, type: arrow as TimestampMicrosecond, data: parsed(values, new BigInt64Array(length), microseconds, 'a timestamp with microseconds')});
    if (type.kind === 'decimal') return makeData({...common, type: arrow as Decimal, data: decimals(values, type)});
    const {valueOffsets, data} = texts(values);
    return makeData({...common, type: arrow as Utf8, valueOffsets, data});
  }
  if (values.kind === 'booleans') return makeData({...common, type: arrow as Bool, data: bits(values)});
  if (values.kind === 'doubles' && type.kind === 'float' && type.bits === 32) return makeData({...common, type: arrow as Float32, data: Float32Array.from(numbers(values) as Float64Array)});
  return makeData({...common, type: arrow as Int32, data: numbers(values) as Int32Array});
}

/** Arrow's bits say which values are there, the wire's which are not. */
function validity({count, nulls}: WireValues): {nullBitmap: Uint8Array; nullCount: number} {
  const bytes = Math.ceil(count / 8);
  const nullBitmap = new Uint8Array(bytes).fill(0xff);
  let nullCount = 0;
  for (let index = 0; index < Math.min(bytes, nulls.length); index += 1) {
    let gone = nulls[index]!;
    if (gone === 0) continue;
    if (index === bytes - 1 && count % 8 !== 0) gone &= (1 << count % 8) - 1;
    nullBitmap[index] = ~gone;
    for (; gone !== 0; gone &= gone - 1) nullCount += 1;
  }
  return {nullBitmap, nullCount};
}

const isNull = ({nulls}: WireValues, row: number): boolean => row >> 3 < nulls.length && (nulls[row >> 3]! & (1 << (row & 7))) !== 0;

function numbers({bytes, kind, at, end}: WireValues): ArrayLike<number | bigint> {
  const own = Buffer.from(new ArrayBuffer(end - at));
  bytes.copy(own, 0, at, end);
  switch (kind) {
    case 'bytes': return new Int8Array(own.buffer);
    case 'int16': return new Int16Array(own.swap16().buffer);
    case 'int32': return new Int32Array(own.swap32().buffer);
    case 'int64': return new BigInt64Array(own.swap64().buffer);
    default: return new Float64Array(own.swap64().buffer);
  }
}

function bits({bytes, at, count}: WireValues): Uint8Array {
  const packed = new Uint8Array(Math.ceil(count / 8));
  for (let row = 0; row < count; row += 1) if (bytes[at + row] !== 0) packed[row >> 3]! |= 1 << (row & 7);
  return packed;
}

/** Below this many bytes a loop is faster than a call. */
const short = 24;

function texts({bytes, at, end, count}: WireValues): {valueOffsets: Int32Array; data: Uint8Array} {
  const valueOffsets = new Int32Array(count + 1);
  const data = new Uint8Array(end - at - 4 * count);
  let to = 0;
  let from = at;
  for (let row = 0; row < count; row += 1) {
    const length = (bytes[from]! << 24) | (bytes[from + 1]! << 16) | (bytes[from + 2]! << 8) | bytes[from + 3]!;
    from += 4;
    if (length < short) for (let index = 0; index < length; index += 1) data[to + index] = bytes[from + index]!;
    else data.set(bytes.subarray(from, from + length), to);
    to += length;
    from += length;
    valueOffsets[row + 1] = to;
  }
  return {valueOffsets, data};
}

function parsed<T extends Int32Array | BigInt64Array>(values: WireValues, into: T, parse: (bytes: Buffer, from: number, to: number) => T[number] | null, what: string): T {
  const {bytes} = values;
  let from = values.at;
  for (let row = 0; row < values.count; row += 1) {
    const length = bytes.readInt32BE(from);
    from += 4;
    if (length > 0 && !isNull(values, row)) {
      const value = parse(bytes, from, from + length);
      if (value === null) throw unreadable(bytes, from, length, what);
      into[row] = value;
    }
    from += length;
  }
  return into;
}

function decimals(values: WireValues, {precision, scale}: {precision: number; scale: number}): Uint32Array {
  const {bytes} = values;
  const into = new Uint32Array(values.count * 4);
  let from = values.at;
  for (let row = 0; row < values.count; row += 1) {
    const length = bytes.readInt32BE(from);
    from += 4;
    if (length > 0 && !isNull(values, row) && !decimal128(bytes, from, from + length, scale, into, row * 4)) throw unreadable(bytes, from, length, `a decimal(${precision},${scale})`);
    from += length;
  }
  return into;
}

const unreadable = (bytes: Buffer, from: number, length: number, what: string): MillraceError =>
  new MillraceError('SQL_FAILED', {reason: `'${bytes.toString('utf8', from, from + length)}' is not ${what}; cast the column to text, or to a type that holds it`});
