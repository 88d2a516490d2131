import {Cron} from 'croner';

/**
 * The times of a cron pattern in a time zone.
 *
 * A pattern for every hour (`*` in the second field) counts real time: it goes on through a change of the clock. Every other pattern
 * means the clock on the wall: a time that a change leaves out comes once, when the change is over; one that comes twice counts
 * the first time.
 */
export interface CronTimes {
  /** The first time after an instant. */
  next(after: Date): Date;
}

/** @throws an Error that says what is wrong with the pattern or the time zone, also of a pattern whose time never comes */
export function cronTimes(pattern: string, timeZone: string): CronTimes {
  if (pattern.trim().split(/\s+/).length !== 5) throw new Error(`'${pattern}' does not have five fields`);
  const offset = zoneOffset(timeZone);
  const everyHour = pattern.trim().split(/\s+/)[1] === '*';
  // Times on the wall are reckoned as if they were UTC: no day of that clock is longer or shorter than another.
  const cron = new Cron(pattern, {timezone: everyHour ? timeZone : 'UTC', mode: '5-part'});
  const following = (after: Date): Date => {
    const next = cron.nextRun(after);
    if (!next) throw new Error(`the time of '${pattern}' never comes`);
    return next;
  };
  const next = (after: Date): Date => {
    if (everyHour) return following(after);
    let wall = new Date(after.getTime() + offset(after.getTime()));
    for (;;) {
      wall = following(wall);
      const instant = instantOf(wall.getTime(), offset);
      if (instant > after.getTime()) return new Date(instant);
    }
  };
  next(new Date(0));
  return {next};
}

const day = 86_400_000;

/** The first instant at which the wall shows a time; of a time that is left out, the end of the gap. Later times give no earlier instants. */
function instantOf(wall: number, offset: (instant: number) => number): number {
  const [before, after] = [wall - offset(wall - day), wall - offset(wall + day)];
  const shows = (instant: number): boolean => instant + offset(instant) === wall;
  const found = [before, after].filter(shows);
  if (found.length > 0) return Math.min(...found);
  // The clock goes forward between the two.
  let [low, high] = [after, before];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (middle + offset(middle) > wall) high = middle;
    else low = middle;
  }
  return high;
}

/** Milliseconds that the clock of a zone is ahead of UTC at an instant. @throws an Error for a zone that is none */
export function zoneOffset(timeZone: string): (instant: number) => number {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone, calendar: 'iso8601', hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric',
    });
  } catch {
    throw new Error(`'${timeZone}' is no time zone`);
  }
  return instant => {
    const part = Object.fromEntries(format.formatToParts(instant).map(({type, value}) => [type, Number(value)])) as Record<'year' | 'month' | 'day' | 'hour' | 'minute' | 'second', number>;
    return Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second) - Math.floor(instant / 1_000) * 1_000;
  };
}
