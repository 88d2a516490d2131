/** Bounds of columns as profiles keep them: text. What they tell of all values at once. */
import type {DataType} from './schema.ts';

/** No value lies outside of min and max; null where that is not known. */
export interface Range {
  readonly type: DataType | null;
  readonly min: string | null;
  readonly max: string | null;
}

/** A bound that compares with others of its family: times are microseconds. */
export type Bound = number | string;
type Family = 'number' | 'time' | 'instant' | 'text' | 'bool';

/** What values compare with. Null: they have no order that statistics keep. */
export function familyOf(type: DataType | null): Family | null {
  switch (type?.kind) {
    case 'int':
    case 'float':
    case 'decimal':
      return 'number';
    case 'date':
      return 'time';
    case 'timestamp':
      return type.zoned ? 'instant' : 'time';
    case 'utf8':
      return 'text';
    case 'bool':
      return 'bool';
    default:
      return null;
  }
}

/** Characters at which profiles cut a text: a longer one may lie past its cut form. */
const cutAt = 200;

const timeText = /^(\d{4})-(\d\d)-(\d\d)(?: (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?(?:([+-]\d\d))?)?$/;

/** A bound that compares with others of its family; null when the text tells none. Times are microseconds; rounding keeps the order. */
export function boundOf(type: DataType | null, text: string | null): Bound | null {
  if (text === null) return null;
  switch (familyOf(type)) {
    case 'number': {
      const value = Number(text);
      return text.trim() === '' || Number.isNaN(value) ? null : value;
    }
    case 'time':
    case 'instant': {
      const parts = timeText.exec(text);
      if (!parts) return null;
      const [year, month, day, hour = 0, minute = 0, second = 0] = parts.slice(1, 7).map(part => (part === undefined ? 0 : Number(part))) as [number, number, number, number, number, number];
      // `Date.UTC` takes years below 100 for those of 1900.
      const midnight = new Date(0).setUTCFullYear(year, month - 1, day);
      return (midnight + ((hour - Number(parts[8] ?? 0)) * 3_600 + minute * 60 + second) * 1_000) * 1_000 + Number((parts[7] ?? '').padEnd(6, '0'));
    }
    case 'text':
      return text.length >= cutAt ? null : text;
    case 'bool':
      return text === 'true' ? 1 : text === 'false' ? 0 : null;
    default:
      return null;
  }
}

/** Negative, zero or positive, as engines order them: texts by their bytes. */
export const compareBounds = (a: Bound, b: Bound): number => (typeof a === 'string' || typeof b === 'string' ? Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b))) : a - b);

export const comparable = (a: Range, b: Range): boolean => familyOf(a.type) !== null && familyOf(a.type) === familyOf(b.type);

/** Whether a is certainly less than b, for all their values. */
export function isLess(a: Range, b: Range, orEqual = false): boolean {
  if (!comparable(a, b)) return false;
  const [high, low] = [boundOf(a.type, a.max), boundOf(b.type, b.min)];
  if (high === null || low === null) return false;
  // Numbers that are rounded alike need not be equal: only whole ones are told exactly, and those that are floats themselves.
  const isExact = typeof high === 'string' || Number.isSafeInteger(high) || (a.type?.kind === 'float' && b.type?.kind === 'float');
  return compareBounds(high, low) < 0 || (orEqual && compareBounds(high, low) === 0 && isExact);
}

/** Whether no value of one can be equal to one of the other. */
export const isApart = (a: Range, b: Range): boolean => isLess(a, b) || isLess(b, a);

/** How many values there can be between the bounds; null when that is not known. */
export function possibleValues({type, min, max}: Range): number | null {
  const [low, high] = [boundOf(type, min), boundOf(type, max)];
  if (type?.kind === 'bool') return low === null || high === null ? 2 : Number(high) - Number(low) + 1;
  if (low === null || high === null) return null;
  const span = Number(high) - Number(low);
  if (type?.kind === 'int') return Number.isSafeInteger(span) ? span + 1 : null;
  if (type?.kind === 'date') return span / 86_400_000_000 + 1;
  return null;
}
