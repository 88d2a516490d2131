import {asDouble, onGrid} from './aggregate-parts.ts';
import type {Making, Operand} from './aggregate-parts.ts';
import {unboundedSum} from './unbounded-sum.ts';

/** `squares`: the sum of the squared deviations from the mean, a float; `count`: of what. */
interface Moments {
  readonly squares: string;
  readonly count: string;
}

/**
 * From exact sums of integers, so that it is the same each time, parts add up, and nothing is lost where the mean is great and the
 * deviations are small. Numbers of 64 bits, and floats on their grid, are cut into two halves of 32 bits, whose products sum in 128.
 */
export function sumOfSquares(operand: Operand, making: Making): Moments {
  const {sql, type} = operand;
  if (type.kind === 'int') return type.bits < 64 ? small(`${sql}::BIGINT`, type.bits === 32 && !type.signed, making) : large(sql, '1', making);
  if (type.kind === 'decimal' && type.precision <= 18) return large(`CAST(${sql}::DECIMAL(38, ${type.scale}) * ${10n ** BigInt(type.scale)}::DECIMAL(${type.scale + 1}, 0) AS BIGINT)`, `1e${type.scale}::DOUBLE`, making);
  // Decimals of more digits as the floats nearest to them.
  const x = asDouble(operand);
  if (operand.scale === null) return unbounded(x, making);
  const scale = operand.scale();
  const [most, least] = [making.partial(`max(${x})`, 'max'), making.partial(`min(${x})`, 'min')];
  const {squares, count} = large(onGrid(x, scale), scale, making);
  // As in PostgreSQL: what is not finite has no finite distance from anything.
  return {count: making.step(`CASE WHEN isfinite(${most}) AND isfinite(${least}) THEN ${count} ELSE ${making.partial(`count(${x})`, 'sum')} END`), squares: making.step(`CASE WHEN isfinite(${most}) AND isfinite(${least}) THEN ${squares} ELSE 'nan'::DOUBLE END`)};
}

/** Where nothing bounds the values: twelve digits or so are right, of the greatest square. */
function unbounded(x: string, {partial, step}: Making): Moments {
  const count = partial(`count(${x})`, 'sum');
  const [sum, squares] = [step(unboundedSum(x, partial)), step(unboundedSum(`(${x} * ${x})`, partial))];
  const about = step(`${squares} - ${sum} * ${sum} / ${count}`);
  return {count, squares: step(`CASE WHEN ${about} < 0 THEN 0 ELSE ${about} END`)};
}

/** Of integers whose squares fit 64 bits. */
function small(x: string, wide: boolean, {partial, step}: Making): Moments {
  const count = partial(`count(${x})`, 'sum');
  const sum = partial(`sum(${x})`, 'sum');
  const square = wide ? `${x}::HUGEINT` : x;
  const squares = partial(`sum(${square} * ${x})`, 'sum');
  const near = step(`${sum} // ${count}`);
  const about = step(`${squares} - 2 * ${near} * ${sum} + ${count} * ${near} * ${near}`);
  return {count, squares: centered(about, sum, near, count, step)};
}

/** Of integers of 64 bits, as many to a unit as `unit` says. */
function large(x: string, unit: string, {partial, step}: Making): Moments {
  const count = partial(`count(${x})`, 'sum');
  const [high, low] = [`(${x} >> 32)`, `(${x} & 4294967295)`];
  const [sumHigh, sumLow] = [partial(`sum(${high})`, 'sum'), partial(`sum(${low})`, 'sum')];
  const highHigh = partial(`sum(${high} * ${high})`, 'sum');
  const highLow = partial(`sum(${high} * ${low})`, 'sum');
  const lowLow = partial(`sum(${low}::UBIGINT * ${low}::UBIGINT)`, 'sum');
  const two32 = `'4294967296'::HUGEINT`;
  const sum = step(`${sumHigh} * ${two32} + ${sumLow}`);
  const near = step(`${sum} // ${count}`);
  const nearHigh = step(`${near} // ${two32}`);
  const nearLow = step(`${near} - ${nearHigh} * ${two32}`);
  // Squared distances from an integer near the mean, of halves.
  const a = step(`${highHigh} - 2 * ${nearHigh} * ${sumHigh} + ${count} * ${nearHigh} * ${nearHigh}`);
  const b = step(`${highLow} - ${nearHigh} * ${sumLow} - ${nearLow} * ${sumHigh} + ${count} * ${nearHigh} * ${nearLow}`);
  const c = step(`${lowLow} - 2 * ${nearLow} * ${sumLow} + ${count} * ${nearLow} * ${nearLow}`);
  const fits = `${a} < '1152921504606846976'::HUGEINT AND abs(${b}) < '1237940039285380274899124224'::HUGEINT`;
  const about = step(`CASE WHEN ${fits} THEN ${a} * '18446744073709551616'::HUGEINT + ${b} * '8589934592'::HUGEINT + ${c} END`);
  const great = step(`${a}::DOUBLE * 18446744073709551616::DOUBLE + ${b}::DOUBLE * 8589934592::DOUBLE + ${c}::DOUBLE`);
  const squares = step(`CASE WHEN ${about} IS NOT NULL THEN ${centered(about, sum, near, count, step)} ELSE ${great} END`);
  return {count, squares: step(`${squares} / ${unit} / ${unit}`)};
}

/** Distances from the mean itself, which lies less than one from the integer near it. */
function centered(about: string, sum: string, near: string, count: string, step: Making['step']): string {
  const rest = step(`${sum} - ${near} * ${count}`);
  return step(`CASE WHEN ${about} < '1208925819614629174706176'::HUGEINT THEN (${about} * ${count} - ${rest} * ${rest})::DOUBLE / ${count} ELSE ${about}::DOUBLE - (${rest} * ${rest})::DOUBLE / ${count} END`);
}
