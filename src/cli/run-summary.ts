import type {RunView} from './run-events.ts';
import {count, duration} from './units.ts';

/** One line on how a run ended: `Run 0199… of flight_delays succeeded in 12.3 s: 6 steps, 2 reused, 3,000,000 rows written`. */
export function runSummary({id, pipelineName, status, steps, startedAt, finishedAt}: RunView): string {
  const reused = steps.filter((step) => step.reused).length;
  const rows = (of: 'rowsWritten' | 'rowsSuperseded' | 'rowsDeleted' | 'rowsQuarantined' | 'rowsDropped'): bigint => steps.reduce((sum, step) => sum + (step.reused ? 0n : BigInt(step[of])), 0n);
  const others = [['superseded', rows('rowsSuperseded')], ['deleted', rows('rowsDeleted')], ['quarantined', rows('rowsQuarantined')], ['dropped', rows('rowsDropped')]] as const;
  const took = startedAt !== null && finishedAt !== null ? ` in ${duration(Date.parse(finishedAt) - Date.parse(startedAt))}` : '';
  const details = [steps.length === 1 ? '1 step' : `${steps.length} steps`, ...(reused > 0 ? [`${reused} reused`] : []), `${count(rows('rowsWritten'))} rows written`, ...others.flatMap(([what, n]) => (n > 0n ? [`${count(n)} ${what}`] : []))];
  return `Run ${id} of ${pipelineName} ${status.toLowerCase()}${took}: ${details.join(', ')}\n`;
}
