import {booleanSpelling, isNullWord} from './words.ts';
import {dateForms, isIsoDay, isOfForm, isoDate, isoInstant, isoTime, isoTimestamp} from './dates.ts';
import type {DateForm} from './dates.ts';
import type {Evidence} from './detection.ts';
import {isCode, isFormattedNumber, readNumber} from './numbers.ts';

/** How the texts of a column are read as values. */
export interface Reading {
  /** In `typeName`'s form. `int64` and `decimal(38,s)` are made narrower once the bounds of all values are known. */
  readonly type: string;
  /** Words that are null here, as they are written; a field with nothing in it always is. */
  readonly nulls?: readonly string[];
  /** Of dates and timestamps in strptime's form; default: ISO 8601. */
  readonly format?: string;
  /** Words of true and false in lower case; default: `true` and `false`. */
  readonly booleans?: readonly [yes: string, no: string];
}

/** What a sample of a column says. Counts of its evidence are those of the sample. */
export interface Guess {
  readonly reading: Reading;
  /** Of a text column: what most of its values could be read as, though not all or not without a choice. */
  readonly nearly?: Reading;
  readonly evidence: readonly Evidence[];
}

/** What is known beside the column's own values. */
export interface Hints {
  /** Formats the user said. */
  readonly dateFormat?: string;
  readonly timestampFormat?: string;
  /** The order of day and month that other columns of the file prove. */
  readonly order?: 'dmy' | 'mdy';
  /** Words the user said are null: then no others are. */
  readonly nulls?: readonly string[];
  /** They are texts where they come from (strings of JSON): only dates are looked for. */
  readonly strings?: boolean;
}

/** Values of one type from which on those that are none of it are told as exceptions. */
const most = 0.9;

const text: Reading = {type: 'utf8'};

/** The narrowest reading that all values of a sample have; text where there is none. Values are those of fields that are not empty. */
export function inferColumn(values: readonly string[], hints: Hints = {}): Guess {
  const trimmed = values.map(value => value.trim());
  const isNull = hints.nulls ? (word: string): boolean => word === '' : isNullWord;
  const words = values.filter((_, index) => isNull(trimmed[index]!));
  const rest = trimmed.filter(value => !isNull(value));
  const nulls = [...new Set(words)].sort();
  const spoken = [...new Set(words.map(word => word.trim()))].filter(word => word !== '').sort();
  if (rest.length === 0) {
    const evidence: Evidence[] = spoken.length > 0 ? [{rule: 'null_categories', detail: `only ${quoted(spoken)}: words, kept as text`, count: words.length}]
      : [{rule: 'no_values', detail: 'no value tells a type', count: null}];
    return {reading: text, evidence};
  }
  const typed = readingOf(rest, hints);
  if (typed && typed.reading.type !== 'utf8') {
    const evidence = [...typed.evidence];
    if (nulls.length > 0) evidence.push({rule: 'null_words', detail: `${quoted(nulls)} among values of type ${typed.reading.type} ${nulls.length > 1 ? 'are' : 'is'} null`, count: words.length});
    const spaced = values.filter((value, index) => value !== trimmed[index] && !isNull(trimmed[index]!)).length;
    if (spaced > 0) evidence.push({rule: 'spaces_trimmed', detail: 'spaces around values are left out', count: spaced});
    return {reading: {...typed.reading, ...(nulls.length > 0 ? {nulls} : {})}, evidence};
  }
  const evidence = [...(typed?.evidence ?? [])];
  let nearly = typed?.nearly;
  if (!typed) {
    const mixed = exceptions(rest, hints);
    if (mixed) {
      nearly = mixed.reading;
      evidence.push({rule: 'mixed_types', detail: `most values are ${mixed.reading.type}, some are not, as ${quoted(mixed.others.slice(0, 3))}: all are kept as text`, count: mixed.others.length, ambiguous: true});
    }
  }
  if (spoken.length > 0) evidence.push({rule: 'null_categories', detail: `${quoted(spoken)} among text ${spoken.length > 1 ? 'are words' : 'is a word'}, not null`, count: words.length});
  return {reading: text, ...(nearly ? {nearly: {...nearly, ...(nulls.length > 0 ? {nulls} : {})}} : {}), evidence};
}

/** The reading that all of these texts have, or why they are text though they look like something else; null when they look like nothing. */
function readingOf(values: readonly string[], hints: Hints): Guess | null {
  if (hints.strings) return dates(values, hints);
  const booleans = booleanSpelling(values);
  if (booleans) {
    const usual = booleans[0] === 'true';
    return {reading: {type: 'bool', ...(usual ? {} : {booleans})}, evidence: usual ? [] : [{rule: 'boolean_words', detail: `'${booleans[0]}' is true, '${booleans[1]}' is false`, count: values.length}]};
  }
  return numbers(values) ?? dates(values, hints);
}

function numbers(values: readonly string[]): Guess | null {
  let codes = 0;
  let plus = 0;
  let minus = 0;
  let whole = 0;
  let fraction = 0;
  let exact = true;
  let exponents = false;
  const kinds = new Set<string>();
  for (const value of values) {
    const read = readNumber(value);
    if (!read) {
      if (!isCode(value) || !/^[+-]?\d+(?:\.\d+)?$/.test(value)) return formatted(values);
      codes++;
      continue;
    }
    if (value.startsWith('+')) plus++;
    else if (value.startsWith('-')) minus++;
    kinds.add(read.kind);
    whole = Math.max(whole, read.digits[0]);
    fraction = Math.max(fraction, read.digits[1]);
    if (read.kind === 'float') exponents ||= /[eE]/.test(value);
    else if (read.kind !== 'decimal' && read.digits[0] > 15) exact = exact && isFloatExact(value);
  }
  if (codes > 0) return {reading: text, nearly: {type: 'int64'}, evidence: [{rule: 'leading_zeros', detail: `digits after a leading zero, as ${quoted([values.find(isCode)!])}, are a code: kept as text`, count: codes}]};
  if (plus > 0 && minus === 0) return {reading: text, evidence: [{rule: 'plus_sign', detail: 'a plus sign and never a minus: kept as text', count: plus, ambiguous: true}]};
  if (!kinds.has('decimal') && !kinds.has('float')) {
    if (!kinds.has('huge')) return {reading: {type: 'int64'}, evidence: integers(values)};
    return {reading: {type: 'decimal(38,0)'}, evidence: [{rule: 'wide_integer', detail: `up to ${whole} digits: more than 64 bits hold`, count: null}]};
  }
  if (!kinds.has('decimal') && exact) return {reading: {type: 'float64'}, evidence: []};
  if (exponents || whole + fraction > 38) return {reading: text, evidence: [{rule: 'exact_decimal', detail: 'more digits than any number holds: kept as text', count: null}]};
  return {reading: {type: `decimal(38,${fraction})`}, evidence: [{rule: 'exact_decimal', detail: `up to ${whole} digits before the point and ${fraction} after: a float would round them`, count: null}]};
}

const isFloatExact = (value: string): boolean => BigInt(Number(value)) === BigInt(value.replace('+', ''));

function integers(values: readonly string[]): Evidence[] {
  const seen = new Set(values);
  if (seen.size === 2 && seen.has('0') && seen.has('1')) return [{rule: 'zero_one', detail: 'only 0 and 1: numbers, though they may mean false and true', count: values.length}];
  if (values.every(value => /^(?:19|20)\d{6}$/.test(value) && isIsoDay(`${value.slice(0, 4)}-${value.slice(4, 6)}-${value.slice(6)}`))) {
    return [{rule: 'digits_as_date', detail: `eight digits that are all dates, as ${values[0]}: kept as numbers`, count: values.length, ambiguous: true}];
  }
  return [];
}

function formatted(values: readonly string[]): Guess | null {
  if (!values.every(value => isFormattedNumber(value) || readNumber(value))) return null;
  const example = values.find(isFormattedNumber)!;
  return {reading: text, evidence: [{rule: 'formatted_number', detail: `numbers with signs for people, as ${quoted([example])}: kept as text`, count: values.length, ambiguous: true}]};
}

const isDateText = (value: string): boolean => isoDate.test(value) && isIsoDay(value);
const isTimestampText = (value: string): boolean => isoTimestamp.test(value) && isIsoDay(value) && inClock(value.slice(value.search(/[ T]/) + 1));
const isInstantText = (value: string): boolean => isoInstant.test(value) && isIsoDay(value) && inClock(value.slice(value.search(/[ T]/) + 1));
const isTimeText = (value: string): boolean => isoTime.test(value) && inClock(value);

function inClock(clock: string): boolean {
  if (isoDate.test(clock)) return true;
  const [hour, minute, second] = clock.split(/[:Z+-]/, 3);
  return Number(hour) < 24 && Number(minute) < 60 && (!clock.split(/[Z+-]/, 1)[0]!.slice(6) || Number.parseInt(second!, 10) < 60);
}

function dates(values: readonly string[], hints: Hints): Guess | null {
  for (const [said, type] of [[hints.dateFormat, 'date'], [hints.timestampFormat, 'timestamp']] as const) {
    const form = said === undefined ? undefined : dateForms.find(({format}) => format === said);
    if (form && values.every(value => isOfForm(value, form))) return {reading: {type, format: form.format}, evidence: [{rule: 'said', detail: `dates are written ${form.format}, as was said`, count: values.length}]};
  }
  if (values.every(isTimestampText)) {
    const days = values.filter(isDateText).length;
    if (days === values.length) return {reading: {type: 'date'}, evidence: []};
    return {reading: {type: 'timestamp'}, evidence: days === 0 ? [] : [{rule: 'dates_without_time', detail: 'dates without a time are midnight', count: days}]};
  }
  if (values.every(isInstantText)) {
    const elsewhere = values.filter(value => !/(?:Z|[+-]00(?::?00)?)$/.test(value)).length;
    return {reading: {type: 'timestamptz'}, evidence: elsewhere === 0 ? [] : [{rule: 'offsets_to_utc', detail: 'times with an offset are kept as instants in UTC', count: elsewhere}]};
  }
  if (values.every(isTimeText)) return {reading: {type: 'time'}, evidence: []};
  const forms = dateForms.filter(form => values.every(value => isOfForm(value, form)));
  if (forms.length === 0) return mixedDates(values);
  const orders = new Set(forms.map(form => form.order));
  if (orders.has('dmy') && orders.has('mdy') && !hints.order) {
    const [one, other] = ['dmy', 'mdy'].map(order => forms.find(form => form.order === order)!) as [DateForm, DateForm];
    return {
      reading: text, nearly: {type: one.kind, format: one.format},
      evidence: [{rule: 'ambiguous_dates', detail: `${quoted([values[0]!])} may be ${one.format} or ${other.format}, and no value tells which: kept as text`, count: values.length, ambiguous: true}],
    };
  }
  const open = orders.has('dmy') && orders.has('mdy');
  const form = open ? forms.find(({order}) => order === hints.order)! : forms[0]!;
  const evidence: Evidence[] = [{
    rule: 'date_format', count: values.length, ...(open ? {ambiguous: true} : {}),
    detail: `dates are written ${form.format}${open ? ', as those of another column: no value of this one tells day and month apart' : form.order === 'dmy' ? ': some day is past 12' : form.order === 'mdy' ? ': some day, in second place, is past 12' : ''}`,
  }];
  if (form.format.includes('%y')) evidence.push({rule: 'two_digit_years', detail: 'years of two digits: 69 to 99 are taken as 1969 to 1999, 00 to 68 as 2000 to 2068', count: values.length, ambiguous: true});
  return {reading: {type: form.kind, format: form.format}, evidence};
}

/** Most texts are told apart from dates by their beginning. */
const isFormText = (value: string): boolean => value.length <= 30 && /^(?:\d{1,4}[-/. ]|[A-Za-z]{3,9} \d)/.test(value) && dateForms.some(form => isOfForm(value, form));

/** Texts that are all dates, though not of one form. */
function mixedDates(values: readonly string[]): Guess | null {
  const formOf = (value: string): string | undefined => (isTimestampText(value) ? '%Y-%m-%d' : dateForms.find(form => isOfForm(value, form))?.format);
  const found = new Map<string, string>();
  for (const value of values) {
    const format = formOf(value);
    if (format === undefined) return null;
    if (!found.has(format)) found.set(format, value);
  }
  return {reading: text, evidence: [{rule: 'mixed_dates', detail: `dates in several forms, as ${quoted([...found.values()].slice(0, 3))}: kept as text`, count: values.length, ambiguous: true}]};
}

/** The reading that most of the values have, with the others; null when most have none. */
function exceptions(values: readonly string[], hints: Hints): {reading: Reading; others: readonly string[]} | null {
  const kinds: readonly ((value: string) => boolean)[] = [...(hints.strings ? [] : [(value: string) => readNumber(value) !== null]), isTimestampText, isInstantText, isFormText];
  for (const isKind of kinds) {
    const own = values.filter(isKind);
    if (own.length === values.length || own.length < values.length * most) continue;
    const guess = readingOf(own, hints);
    if (guess && guess.reading.type !== 'utf8') return {reading: guess.reading, others: [...new Set(values.filter(value => !isKind(value)))]};
  }
  return null;
}

/** Whether a text is a value of a reading; null words are. */
export function fits(value: string, {type, nulls = [], format, booleans = ['true', 'false']}: Reading): boolean {
  if (type === 'utf8' || nulls.includes(value)) return true;
  const own = value.trim();
  if (type === 'bool') return booleans.includes(own.toLowerCase());
  if (format !== undefined) return dateForms.some(form => form.format === format && isOfForm(own, form));
  if (type === 'date') return isDateText(own);
  if (type === 'timestamp') return isTimestampText(own);
  if (type === 'timestamptz') return isInstantText(own);
  if (type === 'time') return isTimeText(own);
  return readNumber(own) !== null;
}

const quoted = (words: readonly string[]): string => words.slice(0, 5).map(word => `'${word.slice(0, 40)}'`).join(', ') + (words.length > 5 ? ', …' : '');

/** The order of day and month that some column proves and none contradicts. */
export function provenOrder(guesses: readonly Guess[]): 'dmy' | 'mdy' | undefined {
  const orders = new Set(guesses.flatMap(({reading}) => {
    const order = dateForms.find(({format}) => format === reading.format)?.order;
    return order === 'dmy' || order === 'mdy' ? [order] : [];
  }));
  return orders.size === 1 ? [...orders][0] : undefined;
}
