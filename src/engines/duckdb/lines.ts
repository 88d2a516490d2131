import type {Lines, Query} from '../engine.ts';
import {bind} from './database.ts';
import type {Lease} from './database.ts';
import {statement} from './relations.ts';
import {textPieces} from './texts.ts';

/** Bytes handed out at a time, at least: a filter leaves few rows of many chunks. */
const leastBytes = 65_536;

/** The texts of a query's single column with a line feed after each. */
export async function* readLines(lease: Lease, query: Query): AsyncGenerator<Lines> {
  const prepared = await lease.prepare(`SELECT line || chr(10) FROM (\n${statement(query)}\n) AS lines(line)`);
  try {
    bind(prepared, query.params);
    const result = await prepared.stream();
    let gathered: Buffer[] = [];
    let [rowCount, length] = [0, 0];
    const take = (): Lines => {
      const lines = {rowCount, bytes: gathered.length === 1 ? gathered[0]! : Buffer.concat(gathered)};
      gathered = [];
      [rowCount, length] = [0, 0];
      return lines;
    };
    for (let chunk = await result.fetchChunk(); chunk && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
      const bytes = Buffer.concat(textPieces(chunk.getColumnVector(0), 0, chunk.rowCount, null));
      gathered.push(bytes);
      rowCount += chunk.rowCount;
      length += bytes.length;
      if (length >= leastBytes) yield take();
    }
    if (rowCount > 0) yield take();
  } finally {
    prepared.destroySync();
  }
}
