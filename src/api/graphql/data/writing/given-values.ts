import {MillraceError} from '../../../../core/errors.ts';
import type {DataType, Field} from '../../../../schemas/schema.ts';
import {typeName} from '../../../../schemas/schema.ts';
import type {GivenRow, GivenValue} from '../../../../writes/writes.ts';

/** Columns of an input object as they are written. @param shown names the object in errors @throws ARGUMENT_INVALID where a value does not fit its column exactly */
export function givenRow(values: Readonly<Record<string, unknown>>, fields: readonly Field[], shown: string): GivenRow {
  const row: Record<string, GivenValue> = {};
  for (const field of fields) if (values[field.name] !== undefined) row[field.name] = givenValue(values[field.name], field, `${shown}.${field.name}`);
  return row;
}

function givenValue(value: unknown, {type, nullable}: Field, shown: string): GivenValue {
  if (value === null || value === undefined) {
    if (!nullable) throw refused(shown, 'the column has no nulls.');
    return null;
  }
  if (type.kind === 'list') return (value as readonly unknown[]).map((item, index) => givenValue(item, type.element, `${shown}[${index}]`));
  if (type.kind === 'struct') {
    const members = value as Readonly<Record<string, unknown>>;
    return Object.fromEntries(type.fields.map(field => [field.sourceName ?? field.name, givenValue(members[field.name] ?? null, {...field, nullable: true}, `${shown}.${field.name}`)]));
  }
  if (type.kind === 'map') {
    const entries = value as readonly Readonly<Record<'key' | 'value', unknown>>[];
    const pairs = entries.map((entry, index) => ({key: givenValue(entry.key, type.key, `${shown}[${index}].key`), value: givenValue(entry.value ?? null, type.value, `${shown}[${index}].value`)}));
    if (new Set(pairs.map(({key}) => JSON.stringify(key))).size < pairs.length) throw refused(shown, 'a key stands in it twice.');
    return pairs;
  }
  return leafText(value, type, shown);
}

const lengthOfTime = /^\s*([+-]?\d+(\.\d+)?\s*(years?|months?|weeks?|days?|hours?|minutes?|seconds?|milliseconds?|microseconds?)\s*)*([+-]?\d+:\d{2}(:\d{2}(\.\d{1,6})?)?)?\s*$/i;

/** The text of a value that is no list, struct or map. */
function leafText(value: unknown, type: DataType, shown: string): string {
  if (type.kind === 'json') return wellFormed(JSON.stringify(value), shown);
  const text = wellFormed(String(value), shown);
  switch (type.kind) {
    case 'int': {
      const integer = BigInt(text);
      const [low, high] = type.signed ? [-(2n ** BigInt(type.bits - 1)), 2n ** BigInt(type.bits - 1) - 1n] : [0n, 2n ** BigInt(type.bits) - 1n];
      if (integer < low || integer > high) throw refused(shown, `${integer} lies outside the range of ${typeName(type)}.`);
      return String(integer);
    }
    case 'decimal': {
      const [, whole = '', fraction = ''] = /^[+-]?0*(\d*)\.?(\d*?)0*$/.exec(text) ?? [];
      if (fraction.length > type.scale) throw refused(shown, `it has more than ${type.scale} digits after the point.`);
      if (whole.length > type.precision - type.scale) throw refused(shown, `it has more than ${type.precision - type.scale} digits before the point.`);
      return text;
    }
    case 'interval':
      if (!lengthOfTime.test(text) || text.trim() === '') throw refused(shown, `'${text}' is no length of time, such as '1 day 02:00:00'.`);
      return text;
    default:
      return text;
  }
}

function wellFormed(text: string, shown: string): string {
  if (!text.isWellFormed()) throw refused(shown, 'its text has half a character (a surrogate without its pair).');
  return text;
}

const refused = (name: string, reason: string): MillraceError => new MillraceError('ARGUMENT_INVALID', {name, reason});
