import type {Relation} from '../../../engines/engine.ts';
import {identifier} from '../../../engines/sql-text.ts';
import type {SnapshotRecord} from '../../../warehouse/warehouse.ts';
import type {DataContext} from './graph-model.ts';

/** Scales of columns that no profile bounds, found by a scan: once for each snapshot. */
const scanned = new WeakMap<SnapshotRecord, Map<string, Promise<number>>>();

/**
 * The power of two that brings every finite value of a float column below 2^61: the grid on which sums are exact. From the
 * snapshot's profile where it has bounds.
 */
export async function scaleOf(snapshot: SnapshotRecord, column: string, relation: Relation, context: DataContext): Promise<number> {
  const profile = snapshot.profile.find(({name}) => name === column);
  if (profile && profile.min !== null && profile.max !== null) {
    const greatest = Math.max(Math.abs(Number(profile.min)), Math.abs(Number(profile.max)));
    if (Number.isFinite(greatest)) return powerFor(greatest);
  }
  let known = scanned.get(snapshot);
  if (!known) scanned.set(snapshot, (known = new Map()));
  let scale = known.get(column);
  if (!scale) {
    scale = scan(snapshot.datasetName, column, relation, context);
    known.set(column, scale);
    // A request that was cancelled must not leave its failure to the next.
    scale.catch(() => known.delete(column));
  }
  return scale;
}

async function scan(dataset: string, column: string, relation: Relation, context: DataContext): Promise<number> {
  const sql = `SELECT max(abs(${identifier(column)}::DOUBLE)) FILTER (WHERE isfinite(${identifier(column)})) AS greatest FROM ${identifier(dataset)}`;
  const [row] = await context.engine.rows({sql, relations: {[dataset]: relation}}, {signal: context.signal});
  return powerFor(Number(row?.greatest ?? 1));
}

/**
 * Never so great that the power itself overflows. Only each eighth power is used: the grid seldom changes with a commit, so sums that are kept
 * of files stay good, and values that are the greatest still have 52 bits.
 */
const powerFor = (greatest: number): number => 2 ** (60 - 8 * Math.ceil(Math.log2(Math.max(greatest, 1e-280)) / 8));
