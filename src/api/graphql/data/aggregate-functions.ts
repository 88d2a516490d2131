import type {DataType} from '../../../schemas/schema.ts';
import {asDouble, onGrid} from './aggregate-parts.ts';
import type {Making, Operand} from './aggregate-parts.ts';
import {isOrdered} from './columns.ts';
import {sumOfSquares} from './moments.ts';
import {unboundedSum} from './unbounded-sum.ts';

/** Which columns a function takes. */
export type Takes = 'numbers' | 'comparables' | 'booleans';

export const takes: Readonly<Record<Takes, (type: DataType) => boolean>> = {
  numbers: type => type.kind === 'int' || type.kind === 'float' || type.kind === 'decimal',
  comparables: type => isOrdered(type) && type.kind !== 'bool',
  booleans: type => type.kind === 'bool',
};

export interface AggregateFunction {
  readonly takes: Takes;
  readonly description: string;
  /** The function whose types it shares: those of the same columns with the same results. */
  readonly like: string;
  /** The type of its value. */
  readonly result: (type: DataType) => DataType;
  readonly value: (operand: Operand, making: Making, fraction: () => string) => string;
  /** Whether it needs a fraction; such a function neither orders nor is compared. */
  readonly fraction?: boolean;
}

const float64: DataType = {kind: 'float', bits: 64};
const int64: DataType = {kind: 'int', bits: 64, signed: true};
const int32: DataType = {kind: 'int', bits: 32, signed: true};

/**
 * A sum of floats that is the same each time, whatever the order of the rows: values are put on a grid, which makes them integers, and
 * those sum exactly. The grid depends on the snapshot only, not on the rows chosen, so that sums of parts add up.
 */
function floatSum(operand: Operand, {partial}: Making): string {
  const x = asDouble(operand);
  if (operand.scale === null) return unboundedSum(x, partial);
  const scale = operand.scale();
  const [most, least] = [partial(`max(${x})`, 'max'), partial(`min(${x})`, 'min')];
  const sum = partial(`sum(${onGrid(x, scale)})`, 'sum');
  const special = `WHEN isnan(${most}) OR (isinf(${most}) AND isinf(${least}) AND ${most} > ${least}) THEN 'nan'::DOUBLE WHEN isinf(${most}) THEN ${most} WHEN isinf(${least}) THEN ${least}`;
  return `(CASE ${special} ELSE ${sum}::DOUBLE / ${scale} END)`;
}

const sum = (operand: Operand, making: Making): string => (operand.type.kind === 'float' ? floatSum(operand, making) : making.partial(`sum(${operand.sql})`, 'sum'));

/** Zero has two signs that are equal: which of them comes first must not show. */
const unsigned = (value: string, type: DataType): string => (type.kind === 'float' ? `(${value} + 0)` : value);

const extreme = (name: 'min' | 'max', description: string): AggregateFunction => ({
  takes: 'comparables', like: name, description, result: type => type,
  value: ({sql, type}, {partial}) => unsigned(partial(`${name}(${sql})`, name), type),
});

/** Of all or of some: false comes before true. */
const ofBooleans = (name: 'min' | 'max', description: string): AggregateFunction => ({
  takes: 'booleans', like: 'bool_and', description, result: type => type, value: ({sql}, {partial}) => partial(`${name}(${sql})`, name),
});

const spread = (of: 'rows' | 'sample', root: boolean, description: string): AggregateFunction => ({
  takes: 'numbers', like: 'avg', description, result: () => float64,
  value: (operand, making) => {
    const {squares, count} = sumOfSquares(operand, making);
    const variance = of === 'rows' ? `CASE WHEN ${count} > 0 THEN ${squares} / ${count} END` : `CASE WHEN ${count} > 1 THEN ${squares} / (${count} - 1) END`;
    return root ? `sqrt(${variance})` : `(${variance})`;
  },
});

/** By the name of their field. */
export const aggregateFunctions: Readonly<Record<string, AggregateFunction>> = {
  sum: {
    takes: 'numbers', like: 'sum', description: 'The sum: exact; of floats the same in whatever order they are summed.',
    // Sums of 32-bit integers do not fit 32 bits.
    result: type => (type.kind === 'float' ? float64 : type.kind === 'decimal' ? {...type, precision: 38} : int64),
    value: sum,
  },
  avg: {
    takes: 'numbers', like: 'avg', description: 'The arithmetic mean.', result: () => float64,
    value: (operand, making) => `(${sum(operand, making)}${operand.type.kind === 'float' ? '' : '::DOUBLE'} / ${making.partial(`count(${operand.sql})`, 'sum')})`,
  },
  min: extreme('min', 'The least value.'),
  max: extreme('max', 'The greatest value.'),
  stddev: spread('sample', true, '`stddev_samp`.'),
  stddev_samp: spread('sample', true, 'The standard deviation, of rows that are a sample; null for fewer than two.'),
  stddev_pop: spread('rows', true, 'The standard deviation, of rows that are all there are.'),
  variance: spread('sample', false, '`var_samp`.'),
  var_samp: spread('sample', false, 'The variance, of rows that are a sample; null for fewer than two.'),
  var_pop: spread('rows', false, 'The variance, of rows that are all there are.'),
  bool_and: ofBooleans('min', 'Whether all are true.'),
  bool_or: ofBooleans('max', 'Whether any is true.'),
  approx_count_distinct: {
    takes: 'comparables', like: 'approx_count_distinct', description: 'About how many different values, within a few percent, in little memory (HyperLogLog); the same each time.', result: () => int32,
    value: ({sql}, {partial}) => partial(`approx_count_distinct(${sql})`, null),
  },
  quantile: {
    takes: 'numbers', like: 'avg', fraction: true, description: 'The value below which the fraction `q` of the values lies, between two of them where it must: 0.5 is the median.', result: () => float64,
    value: (operand, {partial}, fraction) => unsigned(partial(`quantile_cont(${asDouble(operand)}, ${fraction()})`, null), float64),
  },
  quantile_disc: {
    takes: 'comparables', like: 'max', fraction: true, description: 'The first value, in their order, that at least the fraction `q` of the values does not exceed.', result: type => type,
    value: ({sql, type}, {partial}, fraction) => unsigned(partial(`quantile_disc(${sql}, ${fraction()})`, null), type),
  },
};
