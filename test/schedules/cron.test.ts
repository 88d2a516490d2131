import fc from 'fast-check';
import {cronTimes} from '../../src/schedules/cron.ts';

/** The times of a pattern after one instant and up to another. */
function times(pattern: string, timeZone: string, from: string, to: string): string[] {
  const {next} = cronTimes(pattern, timeZone);
  const found: string[] = [];
  for (let at = next(new Date(from)); at <= new Date(to); at = next(at)) found.push(at.toISOString().replace(':00.000Z', 'Z'));
  return found;
}

test.each([
  ['15 6 * * 1-5', 'Europe/Berlin', '2026-11-20T00:00Z', '2026-11-24T23:00Z', ['2026-11-20T05:15Z', '2026-11-23T05:15Z', '2026-11-24T05:15Z']],
  ['0 0 1 * *', 'Pacific/Auckland', '2026-11-20T00:00Z', '2027-01-02T00:00Z', ['2026-11-30T11:00Z', '2026-12-31T11:00Z']],
  ['*/20 9 * * *', 'Asia/Kolkata', '2026-11-20T00:00Z', '2026-11-20T23:00Z', ['2026-11-20T03:30Z', '2026-11-20T03:50Z', '2026-11-20T04:10Z']],
  // Either of the two days, as cron has always had it.
  ['0 12 13 * 5', 'UTC', '2026-11-09T00:00Z', '2026-11-21T00:00Z', ['2026-11-13T12:00Z', '2026-11-20T12:00Z']],
])('%s in %s', (pattern, zone, from, to, expected) => {
  expect(times(pattern, zone, from, to)).toEqual(expected);
});

describe('when the clock goes forward (Berlin, 29 March 2026, from 2 to 3)', () => {
  const berlin = (pattern: string) => times(pattern, 'Europe/Berlin', '2026-03-29T00:00Z', '2026-03-29T03:00Z');

  test('a time that does not exist comes once, at the end of the gap', () => {
    expect(berlin('30 2 * * *')).toEqual(['2026-03-29T01:00Z']);
    expect(berlin('0,15,30 2 * * *')).toEqual(['2026-03-29T01:00Z']);
  });

  test('together with the time that is shown then, once', () => {
    expect(berlin('0 2,3,4 * * *')).toEqual(['2026-03-29T01:00Z', '2026-03-29T02:00Z']);
  });

  test('the days around it are as ever', () => {
    expect(times('30 2 * * *', 'Europe/Berlin', '2026-03-28T00:00Z', '2026-03-30T23:00Z')).toEqual(['2026-03-28T01:30Z', '2026-03-29T01:00Z', '2026-03-30T00:30Z']);
  });

  test('a pattern for every hour counts real time', () => {
    expect(berlin('*/30 * * * *')).toEqual(['2026-03-29T00:30Z', '2026-03-29T01:00Z', '2026-03-29T01:30Z', '2026-03-29T02:00Z', '2026-03-29T02:30Z', '2026-03-29T03:00Z']);
  });
});

describe('when the clock goes back (Berlin, 25 October 2026, from 3 to 2)', () => {
  const berlin = (pattern: string) => times(pattern, 'Europe/Berlin', '2026-10-24T22:30Z', '2026-10-25T02:30Z');

  test('a time that comes twice counts once, the first time', () => {
    expect(berlin('30 2 * * *')).toEqual(['2026-10-25T00:30Z']);
    expect(berlin('0,30 2 * * *')).toEqual(['2026-10-25T00:00Z', '2026-10-25T00:30Z']);
    expect(berlin('0 1,2,3 * * *')).toEqual(['2026-10-24T23:00Z', '2026-10-25T00:00Z', '2026-10-25T02:00Z']);
  });

  test('also for who asks between the two', () => {
    expect(times('30 2 * * *', 'Europe/Berlin', '2026-10-25T01:10Z', '2026-10-26T12:00Z')).toEqual(['2026-10-26T01:30Z']);
  });

  test('a pattern for every hour counts real time', () => {
    expect(berlin('0 * * * *')).toEqual(['2026-10-24T23:00Z', '2026-10-25T00:00Z', '2026-10-25T01:00Z', '2026-10-25T02:00Z']);
  });

  test('also where the clock changes at midnight, or by half an hour', () => {
    expect(times('30 0 * * *', 'Asia/Beirut', '2026-03-27T23:00Z', '2026-03-29T23:00Z')).toEqual(['2026-03-28T22:00Z', '2026-03-29T21:30Z']);
    expect(times('45 1 * * *', 'Australia/Lord_Howe', '2026-04-03T20:00Z', '2026-04-05T20:00Z')).toEqual(['2026-04-04T14:45Z', '2026-04-05T15:15Z']);
  });
});

test.each([
  ['* * * *', 'UTC', 'five fields'], ['* * * * * *', 'UTC', 'five fields'], ['@daily', 'UTC', 'five fields'], ['99 * * * *', 'UTC', 'minute'], ['0 0 31 2 *', 'UTC', 'never comes'],
  ['0 0 * * *', 'Mars/Olympus', 'no time zone'], ['* * * * *', 'Mars/Olympus', 'no time zone'],
])('%s in %s is refused', (pattern, zone, reason) => {
  expect(() => cronTimes(pattern, zone)).toThrow(reason);
});

test('a time of the day comes once on each day of the wall, in every zone, as late as the clock of that day allows', () => {
  const zones = ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Beirut', 'America/Santiago', 'Africa/Casablanca', 'Asia/Kathmandu', 'America/St_Johns', 'UTC'];
  fc.assert(fc.property(fc.constantFrom(...zones), fc.nat(23), fc.nat(59), (zone, hour, minute) => {
    const shown = new Intl.DateTimeFormat('sv-SE', {timeZone: zone, dateStyle: 'short', timeStyle: 'short'});
    const wall = (at: Date) => shown.format(at).split(' ') as [date: string, time: string];
    const wanted = `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`;
    const {next} = cronTimes(`${minute} ${hour} * * *`, zone);
    let at = next(new Date('2026-01-01T00:00:00Z'));
    for (let day = Date.parse(`${wall(at)[0]}T00:00:00Z`), days = 0; days < 365; days++, day += 86_400_000, at = next(at)) {
      const [date, time] = wall(at);
      expect(date).toBe(new Date(day).toISOString().slice(0, 10));
      // The time that was meant, or, where the clock left it out, the first one after.
      const minuteBefore = wall(new Date(at.getTime() - 60_000)).join(' ');
      expect(time === wanted || (minuteBefore < `${date} ${wanted}` && wanted < time)).toBe(true);
      // Nor a time that was shown before.
      expect(wall(new Date(at.getTime() - 3_600_000)).join(' ')).not.toBe(`${date} ${wanted}`);
    }
  }), {numRuns: 25});
});
