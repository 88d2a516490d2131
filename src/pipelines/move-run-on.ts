import type {Stores} from '../catalog/catalog.ts';
import {startPartitions} from './backfill.ts';
import type {RunEventData} from './pipeline.ts';

/**
 * What follows from a change of a run, in the same unit of work: steps that may run now are queued, the run ends when all have, runs
 * that waited for it go on, its backfill makes the next one, webhooks hear of a failure, and workers are woken. Events are appended
 * last, because they hold the run's row.
 */
export async function moveRunOn(stores: Stores, runId: string, events: readonly RunEventData[]): Promise<void> {
  const followed = await stores.runs.advance(runId);
  if (followed.some(event => event.kind === 'run_finished')) {
    for (const backfill of await stores.backfills.lockByRun(runId)) await startPartitions(stores, backfill);
    await letGo(stores, await stores.runs.admit(runId));
  }
  if (followed.some(event => event.kind === 'run_finished' && event.status === 'failed')) {
    await stores.webhooks.enqueue({kind: 'run_failed', run: (await stores.runs.run(runId))!});
  }
  const all = [...events, ...followed];
  if (all.length > 0) await stores.runs.appendEvents(runId, all);
  await stores.jobs.wake(runId);
}

/** Begins runs that were admitted. */
export async function letGo(stores: Stores, admitted: readonly string[]): Promise<void> {
  for (const id of admitted) {
    const begun = await stores.runs.advance(id);
    if (begun.length > 0) await stores.runs.appendEvents(id, begun);
  }
}
