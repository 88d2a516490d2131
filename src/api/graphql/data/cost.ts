import {MillraceError} from '../../../core/errors.ts';
import type {TableFile} from '../../../engines/engine.ts';
import type {QueryLimits} from '../../../core/viewer.ts';

/** What a statement has to read at most, from the manifests. */
export interface Cost {
  readonly rows: number;
  /** Of the columns it reads, as they lie in the files. */
  readonly bytes: number;
}

/** @param columns those that are read; null: all */
export function costOf(files: readonly TableFile[], columns: ReadonlySet<string> | null): Cost {
  let rows = 0;
  let bytes = 0;
  for (const file of files) {
    rows += file.rowCount;
    bytes += columns === null || !file.columns ? file.bytes : file.columns.reduce((sum, column) => (columns.has(column.name) ? sum + column.bytes : sum), 0);
  }
  return {rows, bytes};
}

/** @throws QUERY_TOO_COSTLY */
export function refuseCostly(costs: Iterable<Cost>, {cost, scanBytes}: Pick<QueryLimits, 'cost' | 'scanBytes'>): void {
  let rows = 0;
  let bytes = 0;
  for (const one of costs) {
    rows += one.rows;
    bytes += one.bytes;
  }
  if (rows > cost) throw new MillraceError('QUERY_TOO_COSTLY', {estimate: `${rows} rows`, limit: cost});
  if (bytes > scanBytes) throw new MillraceError('QUERY_TOO_COSTLY', {estimate: `${bytes} bytes`, limit: scanBytes});
}
