import {parseTypeName} from '../../schemas/parse-type.ts';
import {dateForms, isoInstant, isoTime, isoTimestamp} from '../../schemas/detection/dates.ts';
import type {Reading} from '../../schemas/detection/infer-column.ts';
import {literal, sqlType} from '../sql-text.ts';

/**
 * SQL that reads the text of a cell as a value, and SQL that says whether it is one exactly. What the rules of src/schemas/detection say
 * of a sample is said here of every row; where the two differ, the column stays text.
 */

/** The value of a text, null where it is none; not yet proven to be exact. */
export function triedValue(text: string, {type, format, booleans}: Reading): string {
  if (type === 'utf8') return text;
  if (format !== undefined) return `TRY_CAST(try_strptime(trim(${text}), ${literal(format)}) AS ${sqlType(parseTypeName(type)!)})`;
  if (type === 'bool') {
    if (!booleans) return `TRY_CAST(${text} AS BOOLEAN)`;
    const [yes, no] = booleans;
    return `CASE lower(trim(${text})) WHEN ${literal(yes)} THEN true WHEN ${literal(no)} THEN false END`;
  }
  return `TRY_CAST(${text} AS ${sqlType(parseTypeName(type)!)})`;
}

/** The value of a text that is one, or null. @throws when it is none */
export function provenValue(text: string, {type, nulls = [], format, booleans}: Reading): string {
  const value = type === 'utf8' ? text
    : format !== undefined ? `CAST(strptime(trim(${text}), ${literal(format)}) AS ${sqlType(parseTypeName(type)!)})`
      : type === 'bool' && booleans ? triedValue(text, {type, booleans})
        : `CAST(${text} AS ${sqlType(parseTypeName(type)!)})`;
  return nulls.length === 0 ? value : `CASE WHEN ${isNullWord(text, nulls)} THEN NULL ELSE ${value} END`;
}

/** `value` (as `triedValue` has it) where its text proves it, null for words that are null. @throws when it is neither */
export function provingValue(text: string, value: string, {proof, ...reading}: Reading & {readonly proof?: 'exact' | 'allowed'}): string {
  const {type, nulls = []} = reading;
  const isNull = `${text} IS NULL OR ${isNullWord(text, [...new Set(['', ...nulls])])}`;
  const fails = `error('no ' || ${literal(type)} || ': ' || ${text})`;
  if (type === 'utf8') {
    // A quote after spaces is something to be told of, not only read.
    const cases = [...(nulls.length === 0 ? [] : [`WHEN ${isNullWord(text, nulls)} THEN NULL`]), ...(proof === 'exact' ? [`WHEN ${text} < '!' AND regexp_matches(${text}, '^ +"') THEN ${fails}`] : [])];
    return cases.length === 0 ? text : `CASE ${cases.join(' ')} ELSE ${text} END`;
  }
  const plainly = `WHEN ${value} IS NOT NULL AND (${proof === 'allowed' ? allowed(text, reading) : plainlyExact(text, value, reading)}) THEN ${value}`;
  const nothing = `WHEN ${isNull} THEN NULL`;
  const closely = proof === 'allowed' ? '' : ` WHEN ${value} IS NOT NULL AND (${exact(text, value, reading)}) THEN ${value}`;
  // A word for null may look like a value (-999).
  return `CASE ${nulls.some(word => word !== '') ? `${nothing} ${plainly}` : `${plainly} ${nothing}`}${closely} ELSE ${fails} END`;
}

export const isNullWord = (text: string, nulls: readonly string[]): string => (nulls.length === 1 ? `${text} = ${literal(nulls[0]!)}` : `${text} IN (${nulls.map(literal).join(', ')})`);

/** Proof, of almost every value and cheap, that `value` (as `triedValue` has it, not null) says all that its text does. */
export function plainlyExact(text: string, value: string, {type, format, booleans}: Reading): string {
  if (type === 'bool') return booleans ? 'true' : `${text} IN ('true', 'false')`;
  if (format !== undefined) return 'false';
  if (type === 'date') return `${text} LIKE '____-__-__'`;
  if (type === 'timestamp') return `${text} LIKE '____-__-_____:__:__'`;
  // Up to 15 digits, of no extreme size, that begin as numbers do: not with a zero before another digit (':' follows '9', '/' the point).
  if (type === 'float64') {
    const begins = ['', '-'].map(sign => `(${text} >= '${sign}1' AND ${text} < '${sign}:') OR (${text} >= '${sign}0.' AND ${text} < '${sign}0/')`).join(' OR ');
    return `((strlen(${text}) <= 15 AND abs(${value}) BETWEEN 1e-300 AND 1e300 AND (${begins}) AND NOT contains(${text}, '_')) OR ${text} IN ('0', '0.0', '0.00'))`;
  }
  // Written out it is the same text again.
  return `CAST(${value} AS VARCHAR) = ${text}`;
}

/** Of a type the user said: what is written otherwise than it will be read (`007`, more digits than a float has) is theirs to want; what is none of the type is not. */
export function allowed(text: string, {type, format}: Reading): string {
  const own = `trim(${text})`;
  if (format === undefined && /^u?int\d/.test(type)) return `regexp_matches(${own}, '^[+-]?[0-9]+$')`;
  if (type.startsWith('decimal')) return `regexp_matches(${own}, '^[+-]?[0-9]*(\\.[0-9]{0,${decimalDigits(type)[1]}})?$')`;
  return format === undefined && (type === 'date' || type.startsWith('timestamp') || type === 'time') ? exact(text, '', {type}) : 'true';
}

/** The same proof for the others. */
export function exact(text: string, value: string, {type, format}: Reading): string {
  const own = `trim(${text})`;
  const like = (pattern: RegExp): string => `regexp_matches(${own}, ${literal(pattern.source)})`;
  if (format !== undefined) {
    const form = dateForms.find(one => one.format === format);
    return form ? like(form.pattern) : 'true';
  }
  switch (type) {
    case 'bool':
      return `lower(${own}) IN ('true', 'false')`;
    case 'date':
    case 'timestamp':
      return like(type === 'date' ? /^\d{4}-\d{1,2}-\d{1,2}$/ : isoTimestamp);
    case 'timestamptz':
      return like(isoInstant);
    case 'time':
      return like(isoTime);
    case 'float64':
      return `isfinite(${value}) AND ${like(/^[+-]?(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/)} AND (${digits(own)} = ${digits(`CAST(${value} AS VARCHAR)`)} OR (length(${digits(own)}) <= 15 AND (${value} <> 0 OR ${digits(own)} = '')))`;
    default:
      if (type.startsWith('decimal')) {
        const [whole, fraction] = decimalDigits(type);
        return like(new RegExp(`^[+-]?(?:0|[1-9]\\d{0,${Math.max(0, whole - 1)}})?(?:\\.\\d{0,${fraction}})?$`));
      }
      return `CAST(${value} AS VARCHAR) = ltrim(${own}, '+')`;
  }
}

/** The digits before and after the point. */
export function decimalDigits(type: string): readonly [whole: number, fraction: number] {
  const [precision, scale] = /\((\d+),\s*(\d+)\)/.exec(type)!.slice(1).map(Number) as [number, number];
  return [precision - scale, scale];
}

/** Digits that count, of the mantissa. */
const digits = (text: string): string => `ltrim(rtrim(regexp_replace(regexp_replace(${text}, '[eE].*$', ''), '[^0-9]', '', 'g'), '0'), '0')`;
