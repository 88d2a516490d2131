/** Functions of dates and timestamps. Weeks begin on Monday; the session's time zone is UTC. */
import {typeText} from '../casts.ts';
import type {Call, Entry} from '../entries.ts';
import {NotPortable} from '../expr.ts';
import type {RemoteName} from '../../remote-engine.ts';

type PerEngine = Partial<Record<RemoteName, string>>;
const both = (text: string): PerEngine => ({spark: text, hive: text});

/** A part of a date or a timestamp, as an integer. */
export const parts: Readonly<Record<string, PerEngine>> = {
  year: both('year($1)'),
  quarter: both('quarter($1)'),
  month: both('month($1)'),
  day: both('day($1)'),
  dayofmonth: both('day($1)'),
  dayofweek: both('(dayofweek($1) - 1)'),
  dow: both('(dayofweek($1) - 1)'),
  weekday: both('(dayofweek($1) - 1)'),
  isodow: {spark: '(weekday($1) + 1)', hive: '(pmod(dayofweek($1) + 5, 7) + 1)'},
  dayofyear: {spark: 'dayofyear($1)'},
  doy: {spark: 'dayofyear($1)'},
  week: both('weekofyear($1)'),
  weekofyear: both('weekofyear($1)'),
  isoyear: {spark: 'extract(YEAROFWEEK FROM $1)'},
};

/** Of timestamps only. */
export const clockParts: Readonly<Record<string, PerEngine>> = {hour: both('hour($1)'), minute: both('minute($1)'), second: both('second($1)')};

const truncations = ['year', 'quarter', 'month', 'week', 'day', 'hour', 'minute', 'second'] as const;

function partForms(name: string, texts: PerEngine, types: readonly string[]): Entry[] {
  const text = (engine: RemoteName) => (texts[engine] === undefined ? {} : {[engine]: `CAST(${texts[engine]} AS BIGINT)`});
  return types.flatMap(type => {
    const written = {...text('spark'), ...text('hive')};
    const shifted = Object.fromEntries(Object.entries(written).map(([engine, of]) => [engine, of.replace('$1', '$2')]));
    return [{is: `${name}(${type}): int64`, ...written}, {is: `date_part('${name}', ${type}): int64`, ...shifted}, {is: `datepart('${name}', ${type}): int64`, ...shifted}];
  });
}

const truncated = (call: Call): string => {
  const unit = String(call.constant(0)).toLowerCase();
  if (!(truncations as readonly string[]).includes(unit)) throw new NotPortable(`to '${unit}' is not in the portable core; it has ${truncations.join(', ')}`);
  const {type} = call.args[1]!;
  return `CAST(date_trunc('${unit.toUpperCase()}', ${call.sql(1)}) AS ${typeText(type.kind === 'date' ? {kind: 'timestamp', zoned: false} : type, call.dialect)})`;
};

const microseconds: Readonly<Record<string, number>> = {hour: 3_600_000_000, minute: 60_000_000, second: 1_000_000, millisecond: 1000, microsecond: 1};

/** How often a boundary of the unit lies between the two. */
const difference = (call: Call): string => {
  const unit = String(call.constant(0)).toLowerCase();
  const [from, to] = [call.sql(1), call.sql(2)];
  const months = (of: string) => `(year(${of}) * 12 + month(${of}))`;
  switch (unit) {
    case 'day':
      return `CAST(datediff(${to}, ${from}) AS BIGINT)`;
    case 'month':
      return `CAST(${months(to)} - ${months(from)} AS BIGINT)`;
    case 'quarter':
      return `CAST((year(${to}) * 4 + quarter(${to})) - (year(${from}) * 4 + quarter(${from})) AS BIGINT)`;
    case 'year':
      return `CAST(year(${to}) - year(${from}) AS BIGINT)`;
    default: {
      const size = microseconds[unit];
      if (size === undefined || call.args[1]!.type.kind === 'date') throw new NotPortable(`in '${unit}' of these types is not in the portable core`);
      // `div` cuts towards zero, which is another boundary before 1970.
      const whole = (of: string) => (unit === 'microsecond' ? `unix_micros(CAST(${of} AS TIMESTAMP_LTZ))` : `(unix_micros(date_trunc('${unit.toUpperCase()}', ${of})) div ${size})`);
      return `(${whole(to)} - ${whole(from)})`;
    }
  }
};

const differences = ['date_diff', 'datediff'].flatMap(name => ['date', 'timestamp', 'timestamptz'].map(type => ({is: `${name}(literal, ${type}, ${type}): int64`, spark: difference})));

/** Letters of strftime, and of the patterns there. */
const letters: Readonly<Record<string, string>> = {Y: 'yyyy', m: 'MM', d: 'dd', H: 'HH', M: 'mm', S: 'ss', f: 'SSSSSS', j: 'DDD', y: 'yy', b: 'MMM', B: 'MMMM', a: 'EEE', A: 'EEEE', I: 'hh', p: 'a'};

const formatted = (call: Call): string => {
  const pattern = String(call.constant(1)).replace(/((?:[^%]|%%)+)|%(.?)/gs, (whole, text: string | undefined, letter: string | undefined) => {
    if (text !== undefined) return `'${text.replaceAll('%%', '%').replaceAll("'", "''")}'`;
    const there = letters[letter!];
    if (there === undefined) throw new NotPortable(`in '${whole}' is not in the portable core; it has ${Object.keys(letters).map(one => `%${one}`).join(' ')} %%`);
    return there;
  });
  return `date_format($1, ${call.dialect.text(pattern)})`;
};

/** Microseconds since 1970. */
const micros = 'unix_micros(CAST($1 AS TIMESTAMP_LTZ))';

export const timeFunctions: readonly Entry[] = [
  ...Object.entries(parts).flatMap(([name, texts]) => partForms(name, texts, ['date', 'timestamp', 'timestamptz'])),
  ...Object.entries(clockParts).flatMap(([name, texts]) => partForms(name, texts, ['timestamp', 'timestamptz'])),
  ...['date_trunc', 'datetrunc'].flatMap(name => [
    {is: `${name}(literal, date): timestamp`, spark: truncated},
    {is: `${name}(literal, timestamp): timestamp`, spark: truncated},
    {is: `${name}(literal, timestamptz): timestamptz`, spark: truncated},
  ]),
  ...differences,
  ...['date', 'timestamp', 'timestamptz'].flatMap(type => [
    {is: `epoch_us(${type}): int64`, spark: micros},
    {is: `epoch(${type}): float64`, spark: `(CAST(${micros} AS DOUBLE) / 1E6D)`},
  ]),
  ...['date', 'timestamp'].flatMap(type => [
    {is: `monthname(${type}): utf8`, spark: "date_format($1, 'MMMM')"},
    {is: `dayname(${type}): utf8`, spark: "date_format($1, 'EEEE')"},
    {is: `strftime(${type}, literal): utf8`, spark: formatted},
  ]),
  {is: 'epoch_ms(timestamp): int64', spark: `(unix_micros(CAST($1 AS TIMESTAMP_LTZ)) div 1000)`, note: 'cut towards 1970'},
  {is: 'last_day(date): date', spark: 'last_day($1)', hive: 'CAST(last_day($1) AS DATE)'},
  {is: 'make_date(int32, int32, int32): date', spark: 'make_date($*)'},
];
