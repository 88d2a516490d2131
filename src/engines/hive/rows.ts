import type {Status} from './connection.ts';

/**
 * The answer of FetchResults, from its bytes (Thrift's binary protocol, big-endian): a status and a list of columns, each a list of
 * values of one kind and a map of nulls.
 */

/** Where one column's values are: `count` of them, beginning at `at`. Texts and binaries stand behind their lengths. */
export interface WireValues {
  readonly bytes: Buffer;
  readonly kind: 'booleans' | 'bytes' | 'int16' | 'int32' | 'int64' | 'doubles' | 'texts' | 'binaries';
  readonly count: number;
  readonly at: number;
  readonly end: number;
  /** Least significant bit first, 1 = null; bytes that are missing at its end are 0. */
  readonly nulls: Uint8Array;
}

export interface Fetched {
  readonly status: Status;
  readonly rowCount: number;
  readonly columns: readonly WireValues[];
}

const kinds = [null, 'booleans', 'bytes', 'int16', 'int32', 'int64', 'doubles', 'texts', 'binaries'] as const;
const widths = {booleans: 1, bytes: 1, int16: 2, int32: 4, int64: 8, doubles: 8};

/** Numbers of Thrift's types. */
const [stop, bool, byte, double, i16, i32, i64, string, struct, map, set, list] = [0, 2, 3, 4, 6, 8, 10, 11, 12, 13, 14, 15];
const fixed: Readonly<Record<number, number>> = {[bool]: 1, [byte]: 1, [double]: 8, [i16]: 2, [i32]: 4, [i64]: 8};

/** @throws Error (RangeError) when the bytes are cut off */
export function readFetched(bytes: Buffer): Fetched {
  let at = 0;

  /** Calls `field` for each field of the struct; what it does not take (by answering true) is passed over. */
  const fields = (field: (id: number) => boolean): void => {
    for (;;) {
      const type = bytes.readUInt8(at);
      at += 1;
      if (type === stop) return;
      const id = bytes.readInt16BE(at);
      at += 2;
      if (!field(id)) pass(type);
    }
  };
  const number = (): number => {
    const value = bytes.readInt32BE(at);
    at += 4;
    return value;
  };
  const slice = (): Buffer => {
    const length = number();
    at += length;
    return bytes.subarray(at - length, at);
  };
  const pass = (type: number): void => {
    if (type in fixed) at += fixed[type]!;
    else if (type === string) slice();
    else if (type === struct) fields(() => false);
    else {
      const key = type === map ? bytes.readUInt8(at++) : null;
      const value = bytes.readUInt8(at++);
      if (type !== map && type !== set && type !== list) throw new RangeError('an unknown type in an answer');
      for (let left = number(); left > 0; left -= 1) {
        if (key !== null) pass(key);
        pass(value);
      }
    }
  };
  const each = (item: () => void): void => {
    at += 1; // the type of the items
    for (let left = number(); left > 0; left -= 1) item();
  };

  const readStatus = (): Status => {
    const status: {-readonly [K in keyof Status]: Status[K]} = {statusCode: 0};
    fields(id => {
      if (id === 1) status.statusCode = number();
      else if (id === 3) status.sqlState = slice().toString();
      else if (id === 4) status.errorCode = number();
      else if (id === 5) status.errorMessage = slice().toString();
      else return false;
      return true;
    });
    return status;
  };

  const readColumn = (): WireValues => {
    let column: WireValues | undefined;
    fields(id => {
      const kind = kinds[id]!;
      let values: Omit<WireValues, 'nulls'> | undefined;
      let nulls: Uint8Array = new Uint8Array();
      fields(part => {
        if (part === 2) nulls = slice();
        if (part !== 1) return part === 2;
        at += 1;
        const count = number();
        const from = at;
        if (kind === 'texts' || kind === 'binaries') for (let left = count; left > 0; left -= 1) at += 4 + bytes.readInt32BE(at);
        else at += count * widths[kind];
        values = {bytes, kind, count, at: from, end: at};
        return true;
      });
      column = {...values!, nulls};
      return true;
    });
    return column!;
  };

  let status: Status = {statusCode: 0};
  const columns: WireValues[] = [];
  // The answer is a struct whose field 0 is the result.
  fields(() => {
    fields(id => {
      if (id === 1) status = readStatus();
      else if (id === 3) {
        fields(part => {
          if (part !== 3) return false;
          each(() => void columns.push(readColumn()));
          return true;
        });
      } else return false;
      return true;
    });
    return true;
  });
  if (at > bytes.length) throw new RangeError('the answer is cut off');
  return {status, rowCount: columns[0]?.count ?? 0, columns};
}

/** The texts of a column of texts; of a null there is ''. */
export function textsOf({bytes, at, count}: WireValues): string[] {
  let from = at;
  return Array.from({length: count}, () => {
    const length = bytes.readInt32BE(from);
    from += 4 + length;
    return bytes.toString('utf8', from - length, from);
  });
}
