/**
 * Protobuf's wire format, read and written by hand: a message is a sequence of (field number, wire type, value).
 * @see https://protobuf.dev/programming-guides/encoding/
 */

export const VARINT = 0;
const FIXED64 = 1;
export const BYTES = 2;
const FIXED32 = 5;

/** One field of a message. `number` holds a varint (exact up to 2^53, else rounded); `bytes` a length-delimited value, not copied. */
export interface WireField {
  readonly field: number;
  readonly wire: number;
  readonly number: number;
  readonly bytes: Uint8Array;
  /** Where the field, tag included, begins and ends in the message. */
  readonly start: number;
  readonly end: number;
}

const nothing = new Uint8Array(0);

/** The fields of a message in order. @throws Error where the bytes are not a message. */
export function* fieldsOf(message: Uint8Array): Generator<WireField> {
  let at = 0;
  /** As a signed 64-bit number. */
  const varint = (): number => {
    const {value, length} = varintAt(message, at);
    at += length;
    return value;
  };
  while (at < message.length) {
    const start = at;
    const tag = varint();
    const [field, wire] = [Math.floor(tag / 8), tag % 8];
    if (field <= 0) throw new Error('a field has the number 0');
    let number = 0;
    let bytes: Uint8Array = nothing;
    if (wire === VARINT) {
      number = varint();
    } else if (wire === BYTES) {
      const length = varint();
      if (length < 0 || length > message.length - at) throw new Error('it is shorter than it says');
      bytes = message.subarray(at, at + length);
      at += length;
    } else if (wire === FIXED64 || wire === FIXED32) {
      at += wire === FIXED64 ? 8 : 4;
      if (at > message.length) throw new Error('it ends within a number');
    } else {
      throw new Error(`wire type ${wire} is not known`);
    }
    yield {field, wire, number, bytes, start, end: at};
  }
}

/** The number at a place, as a signed one of 64 bits, and how many bytes it takes. */
function varintAt(bytes: Uint8Array, at: number): {value: number; length: number} {
  let value = 0;
  let scale = 1;
  for (let length = 1; length <= EXACT_BYTES; length++) {
    const byte = byteAt(bytes, at + length - 1);
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return {value, length};
    scale *= 128;
  }
  let wide = BigInt(value);
  for (let length = EXACT_BYTES + 1; length <= 10; length++) {
    const byte = byteAt(bytes, at + length - 1);
    wide |= BigInt(byte & 0x7f) << BigInt(7 * (length - 1));
    if (byte < 0x80) return {value: Number(BigInt.asIntN(64, wide)), length};
  }
  throw new Error('a number is longer than 64 bits');
}

/** Seven bits each: so many stay below 2^53. */
const EXACT_BYTES = 7;

function byteAt(bytes: Uint8Array, at: number): number {
  const byte = bytes[at];
  if (byte === undefined) throw new Error('it ends within a number');
  return byte;
}

/** The varints of a repeated field, packed or not. */
export function* varintsOf(field: WireField): Generator<number> {
  if (field.wire === VARINT) {
    yield field.number;
    return;
  }
  for (let at = 0; at < field.bytes.length; ) {
    const {value, length} = varintAt(field.bytes, at);
    yield value;
    at += length;
  }
}

const decoder = new TextDecoder();
export const textOf = (value: WireField): string => decoder.decode(value.bytes);

function varintBytes(value: number): number[] {
  const bytes: number[] = [];
  for (; value >= 0x80; value = Math.floor(value / 128)) bytes.push((value % 128) | 0x80);
  return [...bytes, value];
}

/** A length-delimited field. */
export const bytesField = (field: number, bytes: Uint8Array): Uint8Array => concat([Uint8Array.from([...varintBytes(field * 8 + BYTES), ...varintBytes(bytes.length)]), bytes]);
export const textField = (field: number, text: string): Uint8Array => bytesField(field, new TextEncoder().encode(text));
/** A varint field; not for negative numbers. */
export const numberField = (field: number, value: number): Uint8Array => Uint8Array.from([...varintBytes(field * 8 + VARINT), ...varintBytes(value)]);

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
