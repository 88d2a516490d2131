import type {Piece, Query} from '../engine.ts';
import {chunks} from './chunks.ts';
import type {Lease} from './database.ts';
import {statement} from './relations.ts';
import {textPieces} from './texts.ts';

/** Bytes handed out at a time, at least: a filter leaves few rows of many chunks. */
const leastBytes = 65_536;

/** The texts of a query's single column with a line feed after each. */
export async function* readLines(lease: Lease, query: Query): AsyncGenerator<Piece> {
  let gathered: Buffer[] = [];
  let [rowCount, length] = [0, 0];
  const take = (): Piece => {
    const lines = {rowCount, bytes: gathered.length === 1 ? gathered[0]! : Buffer.concat(gathered)};
    gathered = [];
    [rowCount, length] = [0, 0];
    return lines;
  };
  for await (const chunk of chunks(lease, `SELECT line || chr(10) FROM (\n${statement(query)}\n) AS lines(line)`, query.params)) {
    const bytes = Buffer.concat(textPieces(chunk.getColumnVector(0), 0, chunk.rowCount, null));
    gathered.push(bytes);
    rowCount += chunk.rowCount;
    length += bytes.length;
    if (length >= leastBytes) yield take();
  }
  if (rowCount > 0) yield take();
}
