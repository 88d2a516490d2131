import duckdb from '@duckdb/node-bindings';
import type {DuckDBVector} from '@duckdb/node-api';

/** DuckDB keeps texts of up to so many bytes within the 16 it has for each value, others behind a pointer. */
export const inlineLength = 12;

/** What node-api's vectors of texts hold, typed as private there. */
interface TextInsides {
  readonly dataView: DataView;
}

/**
 * The bytes of `count` texts of a vector, one after the other, in as few pieces as they lie in: texts that one operator made lie side by
 * side, so most chunks are one piece. The pieces are DuckDB's own memory: they are to be copied while the chunk is in use.
 * @param isNull rows to pass over, whose bytes mean nothing
 */
export function textPieces(vector: DuckDBVector, from: number, count: number, isNull: ((row: number) => boolean) | null): Uint8Array[] {
  const {buffer, byteOffset, byteLength} = (vector as unknown as TextInsides).dataView;
  const words = new Uint32Array(buffer, byteOffset, byteLength >> 2);
  const pieces: Uint8Array[] = [];
  let begin = 0; // The place of the pointer to the piece that is being found.
  let length = 0;
  let end = -1; // The address behind it.
  const take = () => {
    if (length > 0) pieces.push(duckdb.get_data_from_pointer(buffer as ArrayBuffer, byteOffset + begin, length));
    length = 0;
  };
  for (let row = from; row < from + count; row++) {
    if (isNull?.(row)) continue;
    const word = row << 2;
    const bytes = words[word]!;
    if (bytes <= inlineLength) {
      take();
      end = -1;
      if (bytes > 0) pieces.push(new Uint8Array(buffer, byteOffset + (row << 4) + 4, bytes));
      continue;
    }
    const address = words[word + 2]! + words[word + 3]! * 2 ** 32;
    if (address !== end) {
      take();
      begin = (row << 4) + 8;
      end = address;
    }
    length += bytes;
    end += bytes;
  }
  take();
  return pieces;
}
