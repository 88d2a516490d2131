/** Dates and times as they are written. */

/** A form of dates: as strptime has it, and what is written so. */
export interface DateForm {
  readonly format: string;
  readonly pattern: RegExp;
  readonly kind: 'date' | 'timestamp';
  /** `dmy` and `mdy` can be mistaken for each other; `name`, `ymd` cannot. */
  readonly order: 'dmy' | 'mdy' | 'ymd' | 'name';
}

const clocks: readonly (readonly [format: string, pattern: string])[] = [
  ['', ''], [' %H:%M', ' \\d{1,2}:\\d{2}'], [' %H:%M:%S', ' \\d{1,2}:\\d{2}:\\d{2}'], [' %I:%M %p', ' \\d{1,2}:\\d{2} [AaPp][Mm]'], [' %I:%M:%S %p', ' \\d{1,2}:\\d{2}:\\d{2} [AaPp][Mm]'],
];

const days: readonly (readonly [format: string, pattern: string, order: DateForm['order']])[] = [
  ...['/', '.', '-'].flatMap(mark => {
    const dot = mark === '.' ? '\\.' : mark;
    const two = `\\d{1,2}${dot}\\d{1,2}${dot}`;
    return (['%Y', '%y'] as const).flatMap(year => {
      const digits = year === '%Y' ? '\\d{4}' : '\\d{2}';
      return [[`%d${mark}%m${mark}${year}`, two + digits, 'dmy'], [`%m${mark}%d${mark}${year}`, two + digits, 'mdy']] as const;
    });
  }),
  ['%Y/%m/%d', '\\d{4}/\\d{1,2}/\\d{1,2}', 'ymd'], ['%Y.%m.%d', '\\d{4}\\.\\d{1,2}\\.\\d{1,2}', 'ymd'],
  ...[' ', '-'].flatMap(mark => (['%Y', '%y'] as const).flatMap(year => (['%b', '%B'] as const).map(month =>
    [`%d${mark}${month}${mark}${year}`, `\\d{1,2}${mark}[A-Za-z]{3${month === '%b' ? '' : ',9'}}${mark}\\d{${year === '%Y' ? 4 : 2}}`, 'name'] as const))),
  ...(['%b', '%B'] as const).flatMap(month => ([' ', ', '] as const).flatMap(mark => (['%Y', '%y'] as const).map(year =>
    [`${month} %d${mark}${year}`, `[A-Za-z]{3${month === '%b' ? '' : ',9'}} \\d{1,2}${mark}\\d{${year === '%Y' ? 4 : 2}}`, 'name'] as const))),
];

export const dateForms: readonly DateForm[] = days.flatMap(([format, pattern, order]) =>
  clocks.map(([clock, digits]): DateForm => ({format: format + clock, pattern: new RegExp(`^${pattern}${digits}$`), kind: clock === '' ? 'date' : 'timestamp', order})));

export const isoDate = /^\d{4}-\d{1,2}-\d{1,2}$/;
export const isoTimestamp = /^\d{4}-\d{1,2}-\d{1,2}(?:[ T]\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,6}0*)?)?)?$/;
export const isoInstant = /^\d{4}-\d{1,2}-\d{1,2}[ T]\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,6}0*)?)?(?:Z|[+-]\d{2}(?::?\d{2})?)$/;
export const isoTime = /^\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?$/;

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const longMonths = ['january', 'february', 'march', 'april', 'may', 'june', 'july', 'august', 'september', 'october', 'november', 'december'];

/** Whether a text is written in a form, and names a day that exists. */
export function isOfForm(text: string, {pattern, format}: DateForm): boolean {
  if (!pattern.test(text)) return false;
  const parts = text.split(/[^A-Za-z0-9]+/);
  const names = format.split(/[^%A-Za-z]+/).filter(name => name !== '');
  const part = (letter: string): string | undefined => parts[names.findIndex(name => name === `%${letter}`)];
  const month = part('m') ?? '';
  const named = (part('b') ?? part('B') ?? '').toLowerCase();
  const number = month !== '' ? Number(month) : 1 + (part('b') !== undefined ? months : longMonths).indexOf(named);
  const year = Number(part('Y') ?? 2000 + Number(part('y')));
  const hour = Number(part('H') ?? part('I') ?? 0);
  const inTime = part('I') === undefined ? hour < 24 : hour >= 1 && hour <= 12;
  return isDay(year, number, Number(part('d'))) && inTime && Number(part('M') ?? 0) < 60 && Number(part('S') ?? 0) < 60;
}

export const isDay = (year: number, month: number, day: number): boolean => month >= 1 && month <= 12 && day >= 1 && day <= new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate();

/** Whether the date that an ISO text begins with exists. */
export function isIsoDay(text: string): boolean {
  const [year, month, day] = text.split(/[- T]/, 3).map(Number);
  return isDay(year!, month!, day!);
}
