import type {Making} from './aggregate-parts.ts';

/**
 * A sum of doubles that is the same each time, whatever the order of the rows, where nothing tells how great they are: there are two grids.
 * Values up to 2^20 are integers of 2^-40, which is exact for what is told in 32 bits from 2^-17 on, and greater ones of 2^-4. Past 2^98 the order may show.
 */
export function unboundedSum(x: string, add: Making['partial']): string {
  const small = add(`sum(CASE WHEN abs(${x}) <= 1048576 THEN CAST(${x} * 1099511627776 AS BIGINT) END)`, 'sum');
  const great = add(`sum(CASE WHEN abs(${x}) > 1048576 AND abs(${x}) <= ${2n ** 98n} THEN CAST(${x} * 16 AS HUGEINT) END)`, 'sum');
  const rest = add(`sum(CASE WHEN abs(${x}) > ${2n ** 98n} THEN ${x} END)`, 'sum');
  return `(CASE WHEN ${add(`count(${x})`, 'sum')} > 0 THEN coalesce(${small}::DOUBLE, 0) / 1099511627776 + coalesce(${great}::DOUBLE, 0) / 16 + coalesce(${rest}, 0) END)`;
}
