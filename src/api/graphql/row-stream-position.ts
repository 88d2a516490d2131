import {MillraceError} from '../../core/errors.ts';
import type {SnapshotRecord} from '../../warehouse/warehouse.ts';

/**
 * How far a stream has come. Row ids rise with each commit, and a row keeps its own, so the last id is all that tells old rows from new
 * ones; the snapshot tells in which state they are read.
 */
export interface StreamPosition {
  readonly datasetId: string;
  /** Of the snapshot that was read last. */
  readonly sequence: number;
  /** `_row_id` of the last row that was given, or looked at; -1 before the first. */
  readonly rowId: bigint;
}

/** Rows that come next, all in one snapshot. */
export interface StreamRange {
  readonly snapshot: SnapshotRecord;
  readonly through: bigint;
  readonly settled: bigint;
}

export const cursorOf = ({datasetId, sequence, rowId}: StreamPosition): string => Buffer.from(JSON.stringify([1, datasetId, sequence, String(rowId)])).toString('base64url');

/** @throws CURSOR_INVALID */
export function readCursor(cursor: string, head: SnapshotRecord): StreamPosition {
  const refuse = (reason: string): never => {
    throw new MillraceError('CURSOR_INVALID', {reason});
  };
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    value = null;
  }
  const [version, datasetId, sequence, rowId] = Array.isArray(value) && value.length === 4 ? (value as unknown[]) : [];
  if (version !== 1 || typeof datasetId !== 'string' || !Number.isInteger(sequence) || typeof rowId !== 'string' || !/^(-1|\d{1,18})$/.test(rowId)) return refuse('it is not complete.');
  if (datasetId !== head.datasetId) return refuse(`it is not of '${head.datasetName}'.`);
  if ((sequence as number) > head.sequence || BigInt(rowId) >= head.nextRowId) return refuse('it is of a state that is not there any more.');
  return {datasetId, sequence: sequence as number, rowId: BigInt(rowId)};
}

/**
 * What a stream reads next; null when there is nothing new. `snapshots`: those from the position's on, in order, without gaps;
 * `complete`: to the newest. It is unknown where those after them have to be looked at.
 *
 * Rows are read in the snapshot that brought them, since a later one may have lost or changed them. Where only appends and
 * compactions come after it a later one has the same rows, so that many small commits are read at once, and expired ones do no harm.
 * @throws CURSOR_EXPIRED
 */
export function nextRange(position: StreamPosition, snapshots: readonly SnapshotRecord[], complete: boolean): StreamRange | 'unknown' | null {
  const first = snapshots.findIndex(({nextRowId}) => nextRowId > position.rowId + 1n);
  if (first < 0) return complete ? null : 'unknown';
  const rest = snapshots.slice(first + 1);
  const end = rest.findIndex(({operation}) => operation !== 'append' && operation !== 'replace');
  const same = [snapshots[first]!, ...(end < 0 ? rest : rest.slice(0, end))].filter(({expiredAt}) => expiredAt === null);
  // A compaction's files are as large as all; what the last commit brought lies in small ones before it.
  const snapshot = same.findLast(({operation}) => operation !== 'replace') ?? same.at(-1);
  if (!snapshot && end < 0 && !complete) return 'unknown';
  if (!snapshot) throw new MillraceError('CURSOR_EXPIRED', {dataset: snapshots[first]!.datasetName, at: snapshots[first]!.expiredAt!.toISOString()});
  const before = snapshots.find(({sequence}) => sequence === snapshot.sequence - 1);
  return {snapshot, through: snapshot.nextRowId - 1n, settled: before?.nextRowId ?? snapshot.nextRowId};
}
