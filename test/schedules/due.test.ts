import {missed} from '../../src/schedules/due.ts';
import type {CatchUp} from '../../src/schedules/schedule.ts';

const begin = Date.UTC(2026, 0, 1);
const minutes = (count: number): Date => new Date(begin + count * 60_000);

/** What becomes of a schedule of every minute, whose next time is minute 0, at some minute; over as many looks as it takes. */
function decided(catchUp: CatchUp, now: Date) {
  const starts: Date[] = [];
  let [skipped, looks] = [0, 0];
  let nextAt: Date | null = minutes(0);
  for (; nextAt! <= now; looks++) {
    const look = missed({rule: {schedule: {cron: '* * * * *', catchUp}}, nextAt}, now);
    expect(look.starts.length).toBeLessThanOrEqual(10);
    starts.push(...look.starts);
    skipped += look.skipped;
    nextAt = look.nextAt;
  }
  return {starts, skipped, looks, nextAt};
}

test("'all' makes up for the newest hundred, ten by one unit of work, the oldest first", () => {
  expect(decided('all', minutes(149))).toEqual({starts: Array.from({length: 100}, (_, index) => minutes(50 + index)), skipped: 50, looks: 10, nextAt: minutes(150)});
});

test('after days without a server, few times are reckoned at once and each is counted', () => {
  const days = 2 * 24 * 60;
  expect(decided('last', minutes(days - 1))).toEqual({starts: [minutes(days - 1)], skipped: days - 1, looks: 3, nextAt: minutes(days)});
});

test("'all' makes up for the newest hundred however many there were", () => {
  for (const count of [1_000, 1_001, 1_005, 2 * 24 * 60]) {
    const {starts, skipped, nextAt} = decided('all', minutes(count - 1));
    expect({starts, skipped, nextAt}).toEqual({starts: Array.from({length: 100}, (_, index) => minutes(count - 100 + index)), skipped: count - 100, nextAt: minutes(count)});
  }
});

test("a time is on time for a minute, by 'none'", () => {
  expect(decided('none', new Date(minutes(3).getTime() + 59_999))).toMatchObject({starts: [minutes(3)], skipped: 3});
  expect(missed({rule: {schedule: {cron: '0 * * * *', catchUp: 'none'}}, nextAt: minutes(0)}, new Date(minutes(1).getTime() + 1))).toEqual({starts: [], skipped: 1, nextAt: minutes(60)});
});

test('what follows no clock, or is not due, is left as it is', () => {
  expect(missed({rule: {when: {datasets: ['a']}}, nextAt: null}, minutes(9))).toEqual({starts: [], skipped: 0, nextAt: null});
  expect(missed({rule: {schedule: {cron: '* * * * *'}}, nextAt: minutes(10)}, minutes(9))).toEqual({starts: [], skipped: 0, nextAt: minutes(10)});
});
