/**
 * Compares what a tool made of a file with what the file holds, column by column:
 * right; typed: no value changed, but the type (or a word for no value) was not found; wrong: a value changed or is lost, and nothing was said.
 */

/** @typedef {{name: string, type: string, format?: string, thousands?: string, nullWords?: string[], mayBeNull?: string[]}} Column */
/** @typedef {{name: string, kind: string, values: unknown[]}} Read */
/** @typedef {{verdict: 'right' | 'typed' | 'wrong', why?: string}} Verdict */

/**
 * @param {{columns: Column[], emptyRecordsMayGo?: boolean}} file
 * @param {{columns: unknown[][], records: number}} truth
 * @param {{columns: Read[], records: number}} read
 * @returns {Verdict[]} by column of the file
 */
export function judge(file, truth, read) {
  const [held, told] = file.emptyRecordsMayGo ? [withoutEmpty(truth.columns), withoutEmpty(read.columns.map((column) => column.values))] : [truth.columns, read.columns.map((column) => column.values)];
  const records = held[0].length;
  const found = told[0]?.length ?? 0;
  if (found !== records) return file.columns.map(() => ({verdict: 'wrong', why: `${found} of ${records} records`}));
  const places = placesOf(file.columns, read.columns);
  return file.columns.map((column, index) => {
    const place = places[index];
    if (place === -1) return column.type === 'empty' ? {verdict: 'typed', why: 'no such column'} : {verdict: 'wrong', why: 'no such column'};
    return judgeColumn(column, held[index], read.columns[place].kind, told[place]);
  });
}

const plain = (/** @type {string} */ name) => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');

/** Columns are taken by their names; by their order where names were changed, or are not told apart, and none is missing. */
function placesOf(columns, /** @type {Read[]} */ read) {
  const names = read.map(({name}) => plain(name));
  const places = columns.map(({name}) => (names.indexOf(plain(name)) === names.lastIndexOf(plain(name)) ? names.indexOf(plain(name)) : -1));
  if (columns.length !== read.length) return places;
  const rest = names.map((_, index) => index).filter((index) => !places.includes(index));
  return new Set(places.filter((place) => place !== -1)).size + rest.length === read.length && places.filter((place) => place === -1).length === rest.length
    ? places.map((place) => (place === -1 ? rest.shift() : place))
    : columns.map((_, index) => index);
}

const isEmpty = (value) => value === undefined || value === null || (typeof value === 'string' && value.trim() === '');

function withoutEmpty(columns) {
  const kept = columns[0].map((_, row) => row).filter((row) => columns.some((values) => !isEmpty(values[row])));
  return columns.map((values) => kept.map((row) => values[row]));
}

/** @returns {Verdict} the gravest of its values */
export function judgeColumn(/** @type {Column} */ column, held, /** @type {string} */ kind, values) {
  if (kind === 'spread') return {verdict: 'right'}; // over tables of their own
  if (kind === 'apart') return {verdict: 'typed', why: 'values of another type are in a column of their own'};
  /** @type {Verdict} */
  let verdict = {verdict: 'right'};
  for (const [row, value] of values.entries()) {
    const found = judgeValue(column, held[row], kind, value);
    if (found === 'right') continue;
    const why = `${JSON.stringify(held[row])} became ${JSON.stringify(value)}`.slice(0, 100);
    if (found === 'wrong') return {verdict: 'wrong', why};
    if (verdict.verdict === 'right') verdict = {verdict: 'typed', why: `${kind}: ${why}`};
  }
  return verdict;
}

function judgeValue(column, held, kind, value) {
  const isNull = isEmpty(held) || (typeof held === 'string' && column.nullWords?.includes(held.trim()));
  if (value === null) return isNull || column.mayBeNull?.includes(held) ? 'right' : 'wrong';
  if (isEmpty(held)) return isEmpty(value) ? 'right' : 'wrong';
  const types = column.type.split('|');
  if (typeof held === 'object') return same(held, value) ? 'right' : 'wrong';
  const text = String(held).trim();
  if (typeof held === 'boolean' && (kind === 'integer' || kind === 'decimal')) return Number(value) === Number(held) ? 'typed' : 'wrong';
  if (isNull) return kind === 'text' && String(value).trim() === text ? 'typed' : 'wrong';
  if (types.includes('mixed') || types.includes('nested')) {
    // A JSON value by itself, or as the text that stands for it.
    return String(value).trim() === text || value === JSON.stringify(held) || (numberOf(text) !== null && numberOf(text) === numberOf(String(value))) ? 'right' : 'wrong';
  }
  const wanted = (/** @type {string} */ ...names) => (names.some((name) => types.includes(name)) ? 'right' : 'typed');
  switch (kind) {
    case 'text':
    case 'mixed': // as text it is what stood there: a column of several types at once
      if (kind === 'mixed' && isTimeOf(text, String(value))) return wanted('time');
      if (kind === 'mixed' && (types.includes('integer') || types.includes('decimal')) && numberOf(text) !== null && numberOf(text) === numberOf(String(value))) return 'typed';
      return String(value).trim() === text ? wanted('text') : 'wrong';
    case 'integer':
    case 'decimal': {
      if (!types.includes('integer') && !types.includes('decimal')) return String(value) === text ? 'typed' : 'wrong';
      const cleaned = column.thousands ? text.replaceAll(column.thousands, '') : text;
      if (/^[+-]?\d+$/.test(cleaned) && !types.includes('decimal')) {
        if (!sameInteger(cleaned, String(value))) return 'wrong';
        return kind === 'integer' ? 'right' : 'typed';
      }
      return sameNumber(Number(cleaned), Number(value)) ? wanted(kind, 'decimal') : 'wrong';
    }
    case 'boolean': {
      const means = /^(y|yes|t|true|1)$/i.test(text) ? true : /^(n|no|f|false|0)$/i.test(text) ? false : null;
      return means === value ? wanted('boolean') : 'wrong';
    }
    case 'date':
    case 'timestamp':
    case 'time': {
      const moment = momentOf(text, column.format);
      const said = String(value).replace(' ', 'T');
      if (kind === 'time') return isTimeOf(text, said) ? wanted('time') : 'wrong';
      if (moment === null) return 'wrong';
      return momentOf(said, undefined) === moment ? wanted('date', 'timestamp') : 'wrong';
    }
    default:
      return same(held, value) ? wanted(kind) : 'wrong';
  }
}

/** Whether `01:00:00` stands for `1:00`. */
const isTimeOf = (/** @type {string} */ text, /** @type {string} */ time) => /^\d?\d:\d\d/.test(text) && time.startsWith(text.replace(/^(?=\d:)/, '0'));

const numberOf = (/** @type {string} */ text) => (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : null);

/** But for the last bit or two, which some readers of decimals get wrong for speed. */
const sameNumber = (/** @type {number} */ one, /** @type {number} */ other) => one === other || Math.abs(one - other) <= 4 * Number.EPSILON * Math.abs(one);

/** Exact for integers of any size; a floating-point number counts as the integer that it is. */
function sameInteger(/** @type {string} */ text, /** @type {string} */ value) {
  if (/^[+-]?\d+$/.test(value)) return BigInt(text) === BigInt(value);
  const number = Number(value);
  return Number.isInteger(number) && BigInt(number) === BigInt(text);
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/** A date, or a date and time, in one spelling; null when it is none. Formats tell the date's part: `M/D/YYYY`, `DD-MM-YYYY`, `MMM D YYYY`, `YYYY/MM/DD`; default: ISO. */
export function momentOf(/** @type {string} */ text, /** @type {string | undefined} */ format) {
  const [, date, time = ''] = format?.includes(' ') ? [null, text] : /^(\S+?)(?:[T ](.*))?$/.exec(text) ?? [null, ''];
  const parts = date.replace(/^(\d{4})(\d\d)(\d\d)$/, '$1-$2-$3').split(/[-/ ]/);
  const at = Object.fromEntries((format ?? 'YYYY-MM-DD').split(/[-/ ]/).map((name, index) => [name[0], parts[index]]));
  const month = Number.isNaN(Number(at.M)) ? months.indexOf(String(at.M).slice(0, 3).toLowerCase()) + 1 : Number(at.M);
  if (parts.length !== 3 || !(month >= 1 && month <= 12) || !(Number(at.D) >= 1 && Number(at.D) <= 31)) return null;
  const [hour = '0', minute = '0', second = '0'] = time.replace(/(Z|[+-]00(:?00)?)$/, '').split(':');
  return [Number(at.Y), month, Number(at.D), Number(hour), Number(minute), Number(second)].join(' ');
}

/** Deep equality of JSON values; keys without a value count as missing, and a text may be the value's JSON. */
function same(held, value) {
  if (typeof value === 'string' && typeof held === 'object') {
    try {
      return same(held, JSON.parse(value));
    } catch {
      return false;
    }
  }
  if (held === null || value === null || held === undefined || value === undefined) return (held ?? null) === (value ?? null);
  if (Array.isArray(held) && Array.isArray(value)) return held.length === value.length && held.every((part, index) => same(part, value[index]));
  if (Array.isArray(held) !== Array.isArray(value)) return isNothing(held) && isNothing(value);
  if (typeof held === 'object' && typeof value === 'object') return [...new Set([...Object.keys(held), ...Object.keys(value)])].every((key) => same(held[key], value[key]));
  return held === value || (typeof held === 'number' && held === Number(value));
}

const isNothing = (value) => typeof value === 'object' && Object.values(value).every((part) => part === null);
