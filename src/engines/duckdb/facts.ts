/** What statistics tell of the values of expressions. Nothing is guessed: an operation that is not known here gives values of which nothing is known. */
import {boundOf, comparable, compareBounds, familyOf, isApart} from '../../schemas/bounds.ts';
import type {Bound} from '../../schemas/bounds.ts';
import type {DataType} from '../../schemas/schema.ts';
import type {ColumnFacts, SqlValue} from '../engine.ts';
import type {Node} from './analyze.ts';

/** A column or an expression: its facts, and the columns of relations they came from, for messages. */
export interface Known extends Omit<ColumnFacts, 'name'> {
  readonly origin: string | null;
  /** The text wants it null. */
  readonly wanted?: boolean;
}

export const unknown: Known = {type: null, min: null, max: null, attained: false, nulls: 'unknown', distinct: null, origin: null};

/** Whether no value of one can be equal to one of the other. */
export const isDisjoint = (a: Known, b: Known): boolean => a.nulls === 'all' || b.nulls === 'all' || isApart(a, b);

/** `flights.date is from 2001-01-01 to 2001-12-31`. */
export function rangeSays({origin, min, max, nulls}: Known): string {
  const name = origin ?? 'a value';
  if (nulls === 'all') return `${name} is null in every row`;
  return min === max ? `${name} is ${min}` : `${name} is from ${min} to ${max}`;
}

/** Values of either: the range over both. */
export function hull(parts: readonly Known[]): Known {
  const present = parts.filter(part => part.nulls !== 'all');
  const nulls = parts.every(part => part.nulls === 'all') ? 'all' : parts.every(part => part.nulls === 'none') ? 'none' : 'unknown';
  const [first, ...rest] = present;
  if (!first) return {...unknown, type: parts[0]?.type ?? null, nulls};
  if (!rest.every(part => comparable(first, part) && part.type?.kind === first.type?.kind)) return {...unknown, nulls};
  const pick = (side: 'min' | 'max', sign: 1 | -1): string | null => present.reduce<string | null>((best, part) => {
    const [a, b] = [boundOf(first.type, best), boundOf(part.type, part[side])];
    return a === null || b === null ? null : compareBounds(a, b) * sign <= 0 ? best : part[side];
  }, first[side]);
  return {type: first.type, min: pick('min', 1), max: pick('max', -1), attained: present.every(part => part.attained), nulls, distinct: null, origin: first.origin};
}

/** The column where it is at most, or at least, some bound. */
export function narrowed(known: Known, side: 'min' | 'max', by: Known): Known {
  const limit = by[side];
  if (!comparable(known, by) || boundOf(by.type, limit) === null) return known;
  const own = boundOf(known.type, known[side]);
  const tighter = own === null || (side === 'max' ? compareBounds(boundOf(by.type, limit)!, own) < 0 : compareBounds(boundOf(by.type, limit)!, own) > 0);
  // A whole number does not tell of a fraction; only bounds of the same kind replace each other.
  return tighter && known.type?.kind === by.type?.kind ? {...known, [side]: limit, attained: false} : known;
}

/** Finds the columns that an expression names. */
export interface Names {
  column(names: readonly string[]): Known | null;
  readonly params: readonly SqlValue[];
}

/** Whole microseconds as a timestamp's or a date's text. */
function timeOf(micros: number, asDate: boolean): string | null {
  const date = new Date(Math.floor(micros / 1_000));
  if (Number.isNaN(date.getTime()) || date.getUTCFullYear() < 0 || date.getUTCFullYear() > 9_999) return null;
  const [day, time] = date.toISOString().split('T') as [string, string];
  return asDate ? day : `${day} ${time.slice(0, 8)}${micros % 1_000_000 === 0 ? '' : `.${String(((micros % 1_000_000) + 1_000_000) % 1_000_000).padStart(6, '0')}`}`;
}

const integers: Readonly<Record<string, DataType & {kind: 'int'}>> = {
  TINYINT: {kind: 'int', bits: 8, signed: true}, SMALLINT: {kind: 'int', bits: 16, signed: true}, INTEGER: {kind: 'int', bits: 32, signed: true}, BIGINT: {kind: 'int', bits: 64, signed: true},
  UTINYINT: {kind: 'int', bits: 8, signed: false}, USMALLINT: {kind: 'int', bits: 16, signed: false}, UINTEGER: {kind: 'int', bits: 32, signed: false}, UBIGINT: {kind: 'int', bits: 64, signed: false},
};
const typesById: Readonly<Record<string, DataType>> = {
  ...integers, FLOAT: {kind: 'float', bits: 32}, DOUBLE: {kind: 'float', bits: 64}, VARCHAR: {kind: 'utf8'}, DATE: {kind: 'date'}, BOOLEAN: {kind: 'bool'},
  TIMESTAMP: {kind: 'timestamp', zoned: false}, 'TIMESTAMP WITH TIME ZONE': {kind: 'timestamp', zoned: true},
};

const limitsOf = ({bits, signed}: DataType & {kind: 'int'}): [number, number] => (signed ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1]);

/** Functions that answer null when any argument is. */
const strict = new Set(['+', '-', '*', '/', '//', '%', 'abs', 'round', 'floor', 'ceil', 'sqrt', 'ln', 'lower', 'upper', 'trim', 'length', 'substring', 'substr', 'replace',
  'year', 'month', 'day', 'hour', 'minute', 'date_trunc', 'date_part', 'strftime', 'strptime', 'epoch', 'epoch_ms', 'epoch_us', 'to_minutes', 'to_hours', 'to_days']);
/** Those of them that answer null for nothing else. */
const total = new Set(['+', '-', '*', 'lower', 'upper', 'trim', 'length', 'replace']);
/** Aggregates whose answer is one of the values; and those that are null for nothing but nulls. */
const choosing = new Set(['min', 'max', 'any_value', 'arbitrary', 'mode', 'first', 'last']);
const summing = new Set(['sum', 'avg', 'mean', 'median', 'stddev', 'variance', 'product']);

/** What is known of an expression's values. */
export function factsOf(node: Node, names: Names): Known {
  const children = (): Known[] => (node.children as readonly Node[]).map(child => factsOf(child, names));
  switch (node.class) {
    case 'COLUMN_REF':
      return names.column(node.column_names as readonly string[]) ?? unknown;
    case 'CONSTANT':
      return constant(node.value as Node);
    case 'PARAMETER':
      return ofValue(names.params[Number(node.identifier) - 1] ?? null);
    case 'CAST':
      return castFacts(factsOf(node.child as Node, names), String((node.cast_type as Node).id), node.try_cast === true);
    case 'FUNCTION':
      return functionFacts(String(node.function_name).toLowerCase(), node.children as readonly Node[], children());
    case 'OPERATOR':
      return node.type === 'OPERATOR_COALESCE' ? coalesced(children()) : unknown;
    case 'CASE': {
      const branches = [...(node.case_checks as readonly Node[]).map(check => factsOf(check.then_expr as Node, names)), factsOf(node.else_expr as Node, names)];
      return {...hull(branches), attained: false, origin: null, wanted: true};
    }
    default:
      return unknown;
  }
}

function constant(value: Node): Known {
  if (value.is_null === true) return {...unknown, nulls: 'all', wanted: true};
  const type = typesById[String((value.type as Node).id)] ?? null;
  const text = type === null || typeof value.value === 'object' ? null : String(value.value);
  return {...unknown, type, min: text, max: text, attained: true, nulls: 'none'};
}

function ofValue(value: SqlValue): Known {
  if (value === null) return {...unknown, nulls: 'all', wanted: true};
  const type: DataType = typeof value === 'string' ? {kind: 'utf8'} : typeof value === 'boolean' ? {kind: 'bool'} : Number.isInteger(value) || typeof value === 'bigint' ? integers.BIGINT! : typesById.DOUBLE!;
  return {...unknown, type, min: String(value), max: String(value), attained: true, nulls: 'none'};
}

function coalesced(parts: readonly Known[]): Known {
  const all = hull(parts);
  return {...all, attained: false, origin: null, nulls: parts.some(part => part.nulls === 'none') ? 'none' : all.nulls};
}

/** A cast that fails ends the statement, so what comes out of a plain one has a value wherever something went in. */
function castFacts(from: Known, id: string, tried: boolean): Known {
  const type = typesById[id] ?? null;
  const kept: Known = {...unknown, type, nulls: tried && from.nulls !== 'all' ? 'unknown' : from.nulls, origin: from.origin, why: from.why, wanted: from.wanted};
  const nothing = (why: string): Known => ({...kept, nulls: 'all', why});
  if (from.nulls === 'all' || type === null) return kept;
  const [low, high] = [boundOf(from.type, from.min), boundOf(from.type, from.max)];
  const [families, target] = [familyOf(from.type), familyOf(type)];
  if (families === 'text' && target !== 'text') {
    // A constant is what it says; of a column only that it begins like no number.
    if (low !== null && low === high && from.origin === null && boundOf(type, String(low)) !== null) return {...kept, min: String(low), max: String(low), attained: true};
    return tried && type.kind === 'int' && low !== null && compareBounds(low, 'A') >= 0 ? nothing(`${rangeSays(from)}: none of it is a number`) : kept;
  }
  if (families !== target || low === null || high === null) return kept;
  const whole = (round: (value: number) => number, value: Bound): string | null => (Number.isSafeInteger(round(Number(value))) ? String(round(Number(value))) : null);
  if (type.kind === 'int') {
    const [least, most] = limitsOf(type);
    if (Number(high) < least || Number(low) > most) return tried ? nothing(`${rangeSays(from)}, which ${id} does not hold`) : kept;
    const inside = Number(low) >= least && Number(high) <= most;
    const exact = from.type?.kind === 'int' && inside;
    return {
      ...kept, min: whole(Math.floor, Math.max(Number(low), least)), max: whole(Math.ceil, Math.min(Number(high), most)), attained: exact && from.attained,
      nulls: inside ? from.nulls : kept.nulls, distinct: exact ? from.distinct : null,
    };
  }
  if (type.kind === 'date') return {...kept, min: timeOf(Number(low), true), max: timeOf(Number(high), true), attained: from.attained, nulls: from.nulls};
  if (type.kind === 'timestamp') return {...kept, min: timeOf(Number(low), false), max: timeOf(Number(high), false), attained: from.attained, nulls: from.nulls, distinct: from.distinct};
  if (type.kind === 'float' && type.bits === 32) return kept;
  return {...kept, min: from.min, max: from.max, attained: from.attained, nulls: from.nulls, distinct: from.distinct};
}

function functionFacts(name: string, nodes: readonly Node[], given: readonly Known[]): Known {
  const [first, second] = given;
  if (choosing.has(name) && first && given.length === 1) return {...first, attained: false, nulls: first.nulls === 'all' ? 'all' : 'unknown', distinct: null};
  const empty = (strict.has(name) || summing.has(name)) && given.find(part => part.nulls === 'all');
  if (empty) return {...unknown, nulls: 'all', why: empty.why, wanted: empty.wanted};
  if (name === 'count' || name === 'count_star') return {...unknown, type: integers.BIGINT!, min: '0', nulls: 'none'};
  const nulls = total.has(name) && given.every(part => part.nulls === 'none') ? 'none' : 'unknown';
  if ((name === '+' || name === '-') && first && second && first.type?.kind === 'int' && second.type?.kind === 'int') return {...shifted(first, second, name), nulls};
  if (name === 'year' && first && familyOf(first.type) === 'time') return {...mapped(first, micros => String(new Date(micros / 1_000).getUTCFullYear()), integers.BIGINT!), nulls};
  if (name === 'date_trunc' && second && familyOf(second.type) === 'time') {
    const unit = (nodes[0]!.value as Node | undefined)?.value;
    return {...mapped(second, micros => truncated(micros, String(unit)), {kind: 'timestamp', zoned: false}), nulls};
  }
  return {...unknown, nulls};
}

function shifted(a: Known, b: Known, sign: '+' | '-'): Known {
  const [aLow, aHigh, bLow, bHigh] = [a.min, a.max, b.min, b.max].map(text => (text === null ? NaN : Number(text))) as [number, number, number, number];
  const [low, high] = sign === '+' ? [aLow + bLow, aHigh + bHigh] : [aLow - bHigh, aHigh - bLow];
  if (!Number.isSafeInteger(low) || !Number.isSafeInteger(high)) return unknown;
  const constantSide = b.origin === null && b.min === b.max;
  return {...unknown, type: integers.BIGINT!, min: String(low), max: String(high), attained: constantSide && a.attained, distinct: constantSide ? a.distinct : null, origin: a.origin};
}

/** Through a function that keeps the order. */
function mapped(from: Known, map: (micros: number) => string | null, type: DataType): Known {
  const [low, high] = [boundOf(from.type, from.min), boundOf(from.type, from.max)];
  if (low === null || high === null) return {...unknown, type, origin: from.origin};
  return {...unknown, type, min: map(Number(low)), max: map(Number(high)), attained: from.attained, origin: from.origin};
}

const unitMicros: Readonly<Record<string, number>> = {second: 1e6, minute: 6e7, hour: 3.6e9, day: 8.64e10};

function truncated(micros: number, unit: string): string | null {
  const size = unitMicros[unit.toLowerCase()];
  if (size !== undefined) return timeOf(Math.floor(micros / size) * size, false);
  const date = new Date(micros / 1_000);
  if (unit.toLowerCase() === 'month') return timeOf(new Date(0).setUTCFullYear(date.getUTCFullYear(), date.getUTCMonth(), 1) * 1_000, false);
  if (unit.toLowerCase() === 'year') return timeOf(new Date(0).setUTCFullYear(date.getUTCFullYear(), 0, 1) * 1_000, false);
  return null;
}
