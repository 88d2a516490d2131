import {MillraceError} from '../../core/errors.ts';
import type {Piece} from '../engine.ts';
import type {ArrowBatch} from './session.ts';

/** What stands before each message of a stream, and, with length 0, at its end. */
const continuation = 0xffff_ffff;
const endMark = new Uint8Array([0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]);

/** Messages with these headers, by Arrow's Message.fbs. */
const schemaHeader = 1;

/** One stream of many: each of Spark's batches is a whole one, of the same schema. No row is touched. */
export async function* onePiece(batches: AsyncIterable<ArrowBatch>): AsyncGenerator<Piece> {
  let begun = false;
  for await (const {rowCount, data} of batches) {
    const parts: Uint8Array[] = [];
    for (const {header, bytes} of messages(data)) {
      if (header !== schemaHeader) parts.push(bytes);
      else if (!begun) {
        begun = true;
        yield {rowCount: 0, bytes};
      }
    }
    if (rowCount > 0) yield {rowCount, bytes: parts.length === 1 ? parts[0]! : Buffer.concat(parts)};
  }
  if (!begun) throw new MillraceError('INTERNAL', {reason: 'Spark sent no schema'});
  yield {rowCount: 0, bytes: endMark};
}

/** The messages of a stream, each with its prefix and its body. */
function* messages(data: Buffer): Generator<{header: number; bytes: Buffer}> {
  for (let at = 0; at + 8 <= data.length; ) {
    const metadataBytes = data.readInt32LE(at + 4);
    if (data.readUInt32LE(at) !== continuation) throw new MillraceError('INTERNAL', {reason: "a batch of Spark's is no Arrow stream"});
    if (metadataBytes === 0) return;
    const message = at + 8;
    const table = message + data.readInt32LE(message);
    const end = message + metadataBytes + Number(member(data, table, 3, place => data.readBigInt64LE(place), 0n));
    yield {header: member(data, table, 1, place => data.readUInt8(place), 0), bytes: data.subarray(at, end)};
    at = end;
  }
}

/** A scalar of a FlatBuffers table by its number. */
function member<T>(data: Buffer, table: number, number: number, read: (place: number) => T, absent: T): T {
  const vtable = table - data.readInt32LE(table);
  const entry = vtable + 4 + 2 * number;
  const offset = entry < vtable + data.readUInt16LE(vtable) ? data.readUInt16LE(entry) : 0;
  return offset === 0 ? absent : read(table + offset);
}
