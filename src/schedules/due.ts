import {timesOf} from './keep-schedule.ts';
import type {ScheduleRecord} from './schedule.ts';

/** Milliseconds that a time may have passed and still be on time. */
const grace = 60_000;

/** Times that `all` makes up for. */
const mostRuns = 100;

/** Runs that are made by one unit of work; the rest is left for the next look, as are times past so many. */
const runsAtOnce = 10;
const timesAtOnce = 1_000;

/** What becomes of the times up to now: those that are run, how many are not, and the first time that is still to be decided about. */
export function missed({rule: {schedule}, nextAt}: Pick<ScheduleRecord, 'rule' | 'nextAt'>, now: Date): {starts: Date[]; skipped: number; nextAt: Date | null} {
  if (!schedule || nextAt === null || nextAt > now) return {starts: [], skipped: 0, nextAt};
  const times = timesOf(schedule);
  const passed: Date[] = [];
  let next = nextAt;
  for (; next <= now && passed.length < timesAtOnce; next = times.next(next)) passed.push(next);
  if (next <= now) {
    // Those that `all` may make up for are decided about with the rest.
    const kept = schedule.catchUp === 'all' ? mostRuns : 0;
    return {starts: [], skipped: passed.length - kept, nextAt: passed[passed.length - kept] ?? next};
  }
  const wanted = runsOf(passed, schedule.catchUp ?? 'last', now);
  return {starts: wanted.slice(0, runsAtOnce), skipped: passed.length - wanted.length, nextAt: wanted[runsAtOnce] ?? next};
}

function runsOf(passed: readonly Date[], catchUp: 'none' | 'last' | 'all', now: Date): Date[] {
  switch (catchUp) {
    case 'none':
      return passed.slice(-1).filter(time => now.getTime() - time.getTime() <= grace);
    case 'last':
      return passed.slice(-1);
    case 'all':
      return passed.slice(-mostRuns);
  }
}

/** Whether the datasets it waits for have new snapshots. */
export const isTriggered = ({rule: {when}, fresh}: ScheduleRecord): boolean =>
  when !== undefined && (when.mode === 'any' ? when.datasets.some(name => fresh.includes(name)) : when.datasets.every(name => fresh.includes(name)));

/** In words; null: for nothing but its next time. */
export function waitingFor({paused, rule: {when}, fresh}: ScheduleRecord): string | null {
  if (paused) return 'being resumed';
  const missing = (when?.datasets ?? []).filter(name => !fresh.includes(name));
  return missing.length === 0 ? null : `a new snapshot of ${missing.join(when!.mode === 'any' ? ' or ' : ' and ')}`;
}
