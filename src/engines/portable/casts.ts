/** Values of one type as another, as the embedded engine converts them. */
import {typeName} from '../../schemas/schema.ts';
import type {Dialect} from './dialect.ts';
import {NotPortable} from './expr.ts';
import type {Casting, Expr} from './expr.ts';
import {asDecimal, decimal, double, int, isFloat, isInteger, isNumber, sameType} from './types.ts';
import type {Type} from './types.ts';

export const nameOf = (type: Type): string => (type.kind === 'null' ? 'null' : type.kind === 'hugeint' ? 'hugeint' : typeName(type));

/** The dialect's name of the type. @throws NotPortable */
export function typeText(type: Type, dialect: Dialect): string {
  const text = dialect.type(type);
  if (text === null) throw new NotPortable('has no equal there', `the type ${nameOf(type)}`);
  return text;
}

const plainly = (expr: Expr, to: Type, dialect: Dialect): Expr => ({sql: `CAST(${expr.sql} AS ${typeText(to, dialect)})`, type: to, ...(expr.nonZero && isNumber(to) ? {nonZero: true} : {})});

/** @throws NotPortable where the engines convert differently */
export function cast(expr: Expr, to: Type, dialect: Dialect, how: Casting): Expr {
  const from = expr.type;
  if (expr.literal !== undefined) {
    const value = literalAs(expr.literal, to, dialect);
    if (value) return value;
  }
  if (sameType(from, to)) return expr.literal === undefined ? expr : {...expr, literal: undefined};
  if (expr.digits !== undefined && to.kind === 'float') return doubleLiteral(Number(expr.digits), to, dialect);
  if (from.kind === 'null') return plainly(expr, to, dialect);
  if (widens(from, to)) return plainly(expr, to, dialect);
  if (from.kind === 'date' && to.kind === 'timestamp') return plainly(expr, to, dialect);
  if (from.kind === 'timestamp' && to.kind === 'timestamp' && to.zoned) return plainly(expr, to, dialect);
  if (how === 'implicit') throw new NotPortable(`would be converted from ${nameOf(from)} to ${nameOf(to)}; write the CAST`);
  return explicitly(expr, to, dialect);
}

/** Every value of `from` is one of `to`, or the nearest floating-point number. */
function widens(from: Type, to: Type): boolean {
  if (isFloat(to)) return isInteger(from) || from.kind === 'decimal' || (from.kind === 'float' && to.kind === 'float' && from.bits <= to.bits);
  if (to.kind === 'hugeint') return isInteger(from);
  if (to.kind === 'int' && to.signed) return from.kind === 'int' && (from.signed ? from.bits <= to.bits : from.bits < to.bits);
  if (to.kind === 'decimal') {
    const own = asDecimal(from);
    return own !== null && own.scale <= to.scale && (own.precision - own.scale <= to.precision - to.scale || to.precision === 38);
  }
  return false;
}

function explicitly(expr: Expr, to: Type, dialect: Dialect): Expr {
  const from = expr.type;
  const refuse = () => new NotPortable(`from ${nameOf(from)} to ${nameOf(to)} gives other values there`, 'CAST');
  if (dialect.engine !== 'spark' && (to.kind === 'int' || to.kind === 'decimal' || to.kind === 'hugeint')) throw refuse();
  if (isInteger(to)) {
    if (isInteger(from) || from.kind === 'bool') return plainly(expr, to, dialect);
    // Halves go to the even integer from floating point, away from zero from decimals; casts there cut them off.
    if (isFloat(from)) return {sql: `CAST(rint(${expr.sql}) AS ${typeText(to.kind === 'hugeint' ? int(64) : to, dialect)})`, type: to.kind === 'hugeint' ? int(64) : to};
    if (from.kind === 'decimal') return {sql: `CAST(round(${expr.sql}, 0) AS ${typeText(to, dialect)})`, type: to};
    if (from.kind === 'utf8') return plainly(expr, to, dialect);
  }
  if (to.kind === 'bool' && isInteger(from)) return {sql: `(${expr.sql} <> 0)`, type: to};
  if (to.kind === 'float' && (isFloat(from) || from.kind === 'utf8')) return plainly(expr, to, dialect);
  if (to.kind === 'decimal') {
    if (isInteger(from) || from.kind === 'decimal') return plainly(expr, to, dialect);
    if (isFloat(from) && to.precision - to.scale <= 18) {
      const scaled = `${cast(expr, double, dialect, 'implicit').sql} * 1E${to.scale}D`;
      const nudged = `rint(${scaled} + signum(${expr.sql}) * 1E-9D)`;
      // Exactly scaled: an integer below 2^63 times a power of ten.
      return {sql: `CAST(CAST(${nudged} AS BIGINT) * ${power(-to.scale)} AS ${typeText(to, dialect)})`, type: to};
    }
  }
  if (to.kind === 'utf8' && (isInteger(from) || from.kind === 'decimal' || from.kind === 'bool' || from.kind === 'date')) return plainly(expr, to, dialect);
  if (to.kind === 'utf8' && from.kind === 'timestamp' && dialect.engine === 'spark') {
    const text = plainly(expr, to, dialect);
    return from.zoned ? {sql: `concat(${text.sql}, '+00')`, type: to} : text;
  }
  if (to.kind === 'date' && from.kind === 'timestamp') return plainly(expr, to, dialect);
  if (to.kind === 'timestamp' && from.kind === 'timestamp') return plainly(expr, to, dialect);
  if (from.kind === 'utf8' && dialect.engine === 'spark' && (to.kind === 'date' || to.kind === 'timestamp')) return readMoment(expr, to, dialect);
  throw refuse();
}

/** A text of another form than ISO 8601 fails there: the engines read those in ways of their own. */
function readMoment(expr: Expr, to: Type, dialect: Dialect): Expr {
  const form = to.kind === 'date' ? '^[0-9]{4}-[0-9]{2}-[0-9]{2}$'
    : `^[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,6})?${to.kind === 'timestamp' && to.zoned ? '(Z|[+-][0-9]{2}(:[0-9]{2})?)?' : ''})?$`;
  const complaint = dialect.text(`a text is no ${nameOf(to)} of the form ${to.kind === 'date' ? '2001-01-31' : '2001-01-31 10:20:30'}`);
  return {sql: `CASE WHEN ${expr.sql} IS NULL OR ${expr.sql} RLIKE ${dialect.text(form)} THEN CAST(${expr.sql} AS ${typeText(to, dialect)}) ELSE raise_error(${complaint}) END`, type: to};
}

/** Ten to the exponent as a decimal literal. */
export const power = (exponent: number): string => (exponent >= 0 ? `1${'0'.repeat(exponent)}BD` : `0.${'0'.repeat(-exponent - 1)}1BD`);

/** An integer in the statement. */
export const integerLiteral = (value: bigint, type: Type, dialect: Dialect): Expr => {
  const suffix = type.kind === 'int' ? {8: 'Y', 16: 'S', 32: '', 64: 'L'}[type.bits] : 'BD';
  // The lowest integer cannot be written: its digits without the sign are too many.
  const lowest = type.kind === 'int' && value === -(2n ** BigInt(type.bits - 1));
  const digits = lowest ? `CAST(${value}BD AS ${typeText(type, dialect)})` : `${value}${suffix}`;
  return {sql: type.kind === 'hugeint' ? `CAST(${digits} AS DECIMAL(38, 0))` : digits, type, literal: value, nonZero: value !== 0n};
};

const fits = (value: bigint, bits: number): boolean => BigInt.asIntN(bits, value) === value;

/** A literal as a value of the type; null: it is none that can be told from its text. */
function literalAs(value: bigint | string, to: Type, dialect: Dialect): Expr | null {
  if (typeof value === 'bigint') {
    if (to.kind === 'int' && to.signed) return fits(value, to.bits) ? {...integerLiteral(value, to, dialect), literal: undefined} : null;
    if (to.kind === 'hugeint') return {...integerLiteral(value, to, dialect), literal: undefined};
    if (to.kind === 'float') return {sql: to.bits === 64 ? `${value}D` : `CAST(${value}D AS FLOAT)`, type: to, nonZero: value !== 0n};
    return null;
  }
  switch (to.kind) {
    case 'utf8':
      return {sql: dialect.text(value), type: to};
    case 'date': {
      const day = dayOf(value);
      return day === null ? null : {sql: `DATE '${day}'`, type: to};
    }
    case 'timestamp': {
      const at = momentOf(value, to.zoned);
      return at === null ? null : {sql: dialect.timestamp(at, to.zoned), type: to};
    }
    case 'int':
    case 'hugeint':
      return /^[+-]?[0-9]+$/.test(value) ? literalAs(BigInt(value), to, dialect) : null;
    case 'float':
      return /^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?$/.test(value) ? doubleLiteral(Number(value), to, dialect) : null;
    case 'decimal':
      return /^[+-]?[0-9]+([.][0-9]+)?$/.test(value) ? {sql: `CAST(${value.replace(/^\+/, '')}BD AS ${typeText(to, dialect)})`, type: to} : null;
    case 'bool':
      return /^(true|false)$/i.test(value) ? {sql: value.toUpperCase(), type: to} : null;
    default:
      return null;
  }
}

export function doubleLiteral(value: number, type: Type, dialect: Dialect): Expr {
  const word = Number.isNaN(value) ? 'NaN' : value === Infinity ? 'Infinity' : value === -Infinity ? '-Infinity' : null;
  const sql = word !== null ? `CAST('${word}' AS DOUBLE)` : Object.is(value, -0) ? `CAST('-0.0' AS DOUBLE)` : `${value.toExponential().replace('e+', 'E').replace('e', 'E')}D`;
  return {sql: type.kind === 'float' && type.bits === 32 ? `CAST(${sql} AS ${typeText(type, dialect)})` : sql, type, nonZero: value !== 0};
}

/** The day that a text says, as `2001-01-31`. */
function dayOf(text: string): string | null {
  const match = /^\s*([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})\s*$/.exec(text);
  if (!match) return null;
  const day = `${match[1]}-${match[2]!.padStart(2, '0')}-${match[3]!.padStart(2, '0')}`;
  const date = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day) && match[1] !== '0000' ? day : null;
}

/** The moment that a text says, as `2001-01-31 10:00:00.5`; of an instant in UTC, which is also the zone of a text that names none. */
function momentOf(text: string, zoned: boolean): string | null {
  const match = /^\s*([0-9-]+)(?:[ T]([0-9]{2}:[0-9]{2})(:[0-9]{2}([.][0-9]{1,6})?)?)?\s*(Z|UTC|[+-][0-9]{2}(?::?[0-9]{2})?)?\s*$/.exec(text);
  const day = match && dayOf(match[1]!);
  if (!match || day === null) return null;
  const [time, fraction, zone] = [`${match[2] ?? '00:00'}${(match[3] ?? ':00').slice(0, 3)}`, match[4] ?? '', match[5]];
  if (zone !== undefined && !zoned) return null;
  const offset = zone === undefined || zone === 'UTC' ? 'Z' : zone.length === 3 ? `${zone}:00` : zone.replace(/^([+-]..)(..)$/, '$1:$2');
  const instant = new Date(`${day}T${time}${offset}`);
  return Number.isNaN(instant.getTime()) ? null : `${instant.toISOString().slice(0, 19).replace('T', ' ')}${fraction}`;
}

/** A literal of the user's, or a parameter's value, before it meets a type. */
export function literalOf(value: string | number | bigint | boolean | null, dialect: Dialect): Expr {
  if (value === null) return {sql: 'NULL', type: {kind: 'null'}};
  if (typeof value === 'boolean') return {sql: value ? 'TRUE' : 'FALSE', type: {kind: 'bool'}};
  if (typeof value === 'string') return {sql: dialect.text(value), type: {kind: 'utf8'}, literal: value};
  if (typeof value === 'number' && !Number.isSafeInteger(value)) return doubleLiteral(value, double, dialect);
  const integer = BigInt(value);
  return integerLiteral(integer, fits(integer, 32) ? int(32) : fits(integer, 64) ? int(64) : {kind: 'hugeint'}, dialect);
}

/** A decimal in the statement, by its digits. */
export const decimalLiteral = (text: string, precision: number, scale: number, dialect: Dialect): Expr => {
  const type = decimal(precision, scale);
  return {sql: `CAST(${text}BD AS ${typeText(type, dialect)})`, type, digits: text, nonZero: /[1-9]/.test(text)};
};

