/** Arithmetic and other operators that are written between their operands. */
import {cast, typeText} from '../casts.ts';
import type {Dialect} from '../dialect.ts';
import {NotPortable} from '../expr.ts';
import type {Expr} from '../expr.ts';
import {unified} from '../entries.ts';
import {ofSpans} from './spans.ts';
import {asDecimal, date, decimal, double, float, int, isFloat, isInteger, isNumber, isUnsigned, sameType, utf8} from '../types.ts';
import type {Type} from '../types.ts';

/** `a + b` and so on; null: no operator of numbers. @throws NotPortable */
export function arithmetic(operator: string, args: readonly Expr[], dialect: Dialect): Expr | null {
  const [left, right] = args as [Expr, Expr];
  if (args.length === 1) return operator === '-' ? negated(left, dialect) : operator === '+' && isNumber(left.type) ? left : null;
  if (args.some(arg => isUnsigned(arg.type))) throw new NotPortable('of unsigned integers is not in the portable core; cast them to a signed type');
  const moved = ofSpans(operator, left, right, dialect);
  if (moved) return moved;
  switch (operator) {
    case '+':
    case '-':
    case '*':
      return left.type.kind === 'date' || right.type.kind === 'date' ? ofDates(operator, left, right, dialect) : ofNumbers(operator, left, right, dialect);
    case '/':
      return quotient(left, right, dialect);
    case '//':
      return wholeQuotient(left, right, dialect);
    case '%':
    case 'mod':
      return remainder(left, right, dialect);
    default:
      return null;
  }
}

function negated(arg: Expr, dialect: Dialect): Expr {
  if (!isNumber(arg.type)) throw new NotPortable('is for numbers');
  if (dialect.engine === 'hive' && isInteger(arg.type)) return ofNumbers('-', {sql: '0', type: arg.type, literal: 0n}, arg, dialect);
  return {sql: `(- ${arg.sql})`, type: arg.type};
}

/** The operands of one type, which is the result's for floating point and integers. */
function brought(args: readonly Expr[], dialect: Dialect): {readonly args: readonly Expr[]; readonly type: Type} {
  const type = unified(args);
  if (!type || !isNumber(type)) throw new NotPortable('is for numbers; write a CAST');
  return {args: args.map(arg => cast(arg, type, dialect, 'implicit')), type};
}

function ofNumbers(operator: string, left: Expr, right: Expr, dialect: Dialect): Expr {
  const [a, b] = [asDecimal(left.type), asDecimal(right.type)];
  if (a && b && (left.type.kind === 'decimal' || right.type.kind === 'decimal')) return ofDecimals(operator, left, right, dialect);
  const {args: [x, y], type} = brought([left, right], dialect);
  const sql = `(${x!.sql} ${operator} ${y!.sql})`;
  if (dialect.engine === 'hive' && isInteger(type)) throw new NotPortable('of integers overflows without an error there; cast one to DECIMAL or DOUBLE');
  return {sql: type.kind === 'hugeint' ? `CAST(${sql} AS DECIMAL(38, 0))` : sql, type};
}

/** Exact, with the digits that the embedded engine gives the result; more than they hold is an error there as here. */
function ofDecimals(operator: string, left: Expr, right: Expr, dialect: Dialect): Expr {
  const [a, b] = [asDecimal(left.type)!, asDecimal(right.type)!];
  const scale = operator === '*' ? a.scale + b.scale : Math.max(a.scale, b.scale);
  const needed = operator === '*' ? a.precision + b.precision : Math.max(a.precision - a.scale, b.precision - b.scale) + scale + 1;
  const widest = Math.max(a.precision, b.precision);
  // What fits into 64 bits stays there.
  const precision = needed > 18 && widest <= 18 ? 18 : Math.min(needed, 38);
  // There a product takes one digit more, and beyond 38 digits those after the point are cut.
  if (scale > 38 || (scale > 0 && needed + (operator === '*' ? 1 : 0) > 38)) throw new NotPortable(`needs ${needed} digits, ${scale} of them after the point, which would be rounded there; cast the operands to fewer`);
  if (dialect.engine === 'hive' && needed > precision) throw new NotPortable('of decimals may need more digits than the result has, which is null there; cast the operands to fewer');
  const type = decimal(precision, scale);
  return {sql: `CAST((${plainDecimal(left)} ${operator} ${plainDecimal(right)}) AS ${typeText(type, dialect)})`, type};
}

/** An integer as the decimal that the result's digits were counted for. */
const plainDecimal = (arg: Expr): string =>
  arg.type.kind === 'decimal' || arg.type.kind === 'hugeint' ? arg.sql : `CAST(${arg.sql} AS DECIMAL(${asDecimal(arg.type)!.precision}, 0))`;

function ofDates(operator: string, left: Expr, right: Expr, dialect: Dialect): Expr {
  const days = (by: Expr) => cast(by, int(32), dialect, 'implicit').sql;
  if (operator === '+' && left.type.kind === 'date' && isInteger(right.type)) return {sql: `date_add(${left.sql}, ${days(right)})`, type: date};
  if (operator === '+' && right.type.kind === 'date' && isInteger(left.type)) return {sql: `date_add(${right.sql}, ${days(left)})`, type: date};
  if (operator === '-' && left.type.kind === 'date' && isInteger(right.type)) return {sql: `date_sub(${left.sql}, ${days(right)})`, type: date};
  if (operator === '-' && (left.type.kind === 'date' || typeof left.literal === 'string') && (right.type.kind === 'date' || typeof right.literal === 'string')) {
    return {sql: `CAST(datediff(${cast(left, date, dialect, 'implicit').sql}, ${cast(right, date, dialect, 'implicit').sql}) AS BIGINT)`, type: int(64)};
  }
  throw new NotPortable('of these types is not in the portable core');
}

/** Division is floating-point division, and by zero gives an infinity or no number, where the remote engines fail or give null. */
function quotient(left: Expr, right: Expr, dialect: Dialect): Expr {
  for (const {type} of [left, right]) if (!isNumber(type) && type.kind !== 'null') throw new NotPortable('is for numbers; write a CAST');
  const floats = [left.type, right.type].flatMap(of => (of.kind === 'float' ? [of.bits] : []));
  const type = floats.length > 0 && Math.max(...floats) === 32 ? float : double;
  const [a, b] = [cast(left, type, dialect, 'implicit').sql, cast(right, type, dialect, 'implicit').sql];
  const divided = `(${a} / ${b})`;
  const exact = type === float ? `CAST(${divided} AS FLOAT)` : divided;
  if (right.nonZero) return {sql: exact, type};
  const infinity = `CAST('Infinity' AS ${typeText(type, dialect)})`;
  const signed = isFloat(right.type) ? `CASE WHEN CAST(${b} AS STRING) = '-0.0' THEN - ${infinity} ELSE ${infinity} END` : infinity;
  return {sql: `CASE WHEN ${b} = 0 THEN ${a} * ${signed} ELSE ${exact} END`, type};
}

/** Cut towards zero; null where the divisor is zero. */
function wholeQuotient(left: Expr, right: Expr, dialect: Dialect): Expr {
  const {args: [a, b], type} = brought([left, right], dialect);
  if (!isInteger(type)) throw new NotPortable('is for integers; elsewhere it means / or floor');
  if (dialect.engine === 'hive') throw new NotPortable('is not in the portable core for this engine');
  const narrow = (arg: Expr) => (type.kind === 'hugeint' ? `CAST(${arg.sql} AS BIGINT)` : arg.sql);
  return {sql: `CAST((${narrow(a!)} div ${divisor(b!, narrow(b!))}) AS ${typeText(type, dialect)})`, type};
}

function remainder(left: Expr, right: Expr, dialect: Dialect): Expr {
  const {args: [a, b], type} = brought([left, right], dialect);
  if (isFloat(type)) throw new NotPortable('is for integers and decimals');
  return {sql: `CAST((${a!.sql} % ${divisor(b!, b!.sql)}) AS ${typeText(type, dialect)})`, type};
}

const divisor = (arg: Expr, sql: string): string => (arg.nonZero ? sql : `nullif(${sql}, 0)`);

/** `||`: null where a part is null. */
export function concatenation(args: readonly Expr[], dialect: Dialect): Expr {
  const parts = args.map(arg => {
    if (arg.type.kind === 'utf8' || arg.type.kind === 'null') return cast(arg, utf8, dialect, 'implicit').sql;
    if (isInteger(arg.type)) return cast({...arg, literal: undefined}, utf8, dialect, 'explicit').sql;
    throw new NotPortable('is for texts; write a CAST to VARCHAR');
  });
  return {sql: `concat(${parts.join(', ')})`, type: utf8};
}

/** A comparison of two values, brought to one type. */
export function compared(operator: string, left: Expr, right: Expr, dialect: Dialect): Expr {
  const [a, b] = together([left, right], dialect);
  return {sql: `(${a!.sql} ${operator} ${b!.sql})`, type: {kind: 'bool'}};
}

/** All as values of one type. */
export function together(exprs: readonly Expr[], dialect: Dialect): readonly Expr[] {
  const type = unified(exprs);
  if (type?.kind === 'interval') throw new NotPortable('of intervals is not in the portable core; they can be added to dates and timestamps');
  if (!type) throw new NotPortable('is of values of different types; write a CAST');
  if (type.kind === 'struct' || type.kind === 'list' || type.kind === 'map') {
    if (!exprs.every(expr => sameType(expr.type, type) || expr.type.kind === 'null')) throw new NotPortable('is of values of different types; write a CAST');
  }
  return exprs.map(expr => cast(expr, type, dialect, 'implicit'));
}

