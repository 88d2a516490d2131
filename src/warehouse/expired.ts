import type {Stores} from '../catalog/catalog.ts';
import {MillraceError} from '../core/errors.ts';
import type {Retention} from '../schemas/contract.ts';
import type {SnapshotRecord} from './warehouse.ts';

/** SNAPSHOT_EXPIRED with the rule of now. */
export async function snapshotExpired(stores: Stores, {id, datasetName, expiredAt}: SnapshotRecord): Promise<MillraceError> {
  const {retention = {}} = (await stores.datasets.byName(datasetName))?.contract ?? {};
  return new MillraceError('SNAPSHOT_EXPIRED', {id, dataset: datasetName, at: expiredAt!.toISOString(), rule: retentionText(retention)});
}

/** A rule in words: `the last 3 snapshots and those of the last 7 days`. */
export function retentionText({snapshots, days}: Retention): string {
  const rules = [
    snapshots === undefined ? null : snapshots === 1 ? 'the newest snapshot' : `the last ${snapshots} snapshots`,
    days === undefined ? null : days === 1 ? 'what was newest within the last day' : `what was newest within the last ${days} days`,
  ].filter(rule => rule !== null);
  return rules.length === 0 ? 'every snapshot, now' : rules.join(' and ');
}
