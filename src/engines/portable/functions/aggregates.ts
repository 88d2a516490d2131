/**
 * Aggregates. Nulls are left out by all of them; without rows they give null, `count` 0.
 * In the texts `name[…]` is the aggregate itself: DISTINCT, FILTER and OVER are written there.
 */
import type {Call, Entry} from '../entries.ts';

const same = (text: string): Pick<Entry, 'spark' | 'hive'> => ({spark: text, hive: text});

/** Of up to 32 bits no sum of rows that exist leaves 64. */
const wholeSum = ({args: [arg], sql}: Call): string => {
  const type = arg!.type;
  return type.kind === 'int' && type.bits < 64 ? `CAST(sum[${sql(0)}] AS DECIMAL(38, 0))` : `CAST(sum[CAST(${sql(0)} AS DECIMAL(${type.kind === 'int' ? 19 : 38}, 0))] AS DECIMAL(38, 0))`;
};

const mean = ({args: [arg], sql}: Call): string => {
  const type = arg!.type;
  if (type.kind === 'int' && type.bits < 64) return `avg[${sql(0)}]`;
  // The sum is exact, and rounded once.
  const sum = type.kind === 'decimal' ? `sum[${sql(0)}]` : `sum[CAST(${sql(0)} AS DECIMAL(${type.kind === 'int' ? 19 : 38}, 0))]`;
  return `(CAST(${sum} AS DOUBLE) / nullif(count[${sql(0)}], 0))`;
};

export const aggregates: readonly Entry[] = [
  {is: 'count(any): int64', ...same('count[$1]')},
  {is: 'sum(integer): hugeint', spark: wholeSum, hive: wholeSum},
  {is: 'sum(decimal): decimal', spark: ({args, sql}) => ({sql: `CAST(sum[${sql(0)}] AS DECIMAL(38, ${(args[0]!.type as {scale: number}).scale}))`, type: {kind: 'decimal', precision: 38, scale: (args[0]!.type as {scale: number}).scale}})},
  {is: 'sum(float64): float64', ...same('sum[$1]')},
  {is: 'avg(integer): float64', spark: mean},
  {is: 'avg(decimal): float64', spark: mean},
  {is: 'avg(float64): float64', ...same('avg[$1]')},
  {is: 'min(any): any', ...same('min[$1]')},
  {is: 'max(any): any', ...same('max[$1]')},
  {is: 'bool_and(bool): bool', spark: 'bool_and[$1]'},
  {is: 'bool_or(bool): bool', spark: 'bool_or[$1]'},
  {is: 'count_if(bool): hugeint', spark: 'CAST(count_if[$1] AS DECIMAL(38, 0))'},
  ...['stddev', 'stddev_samp'].map(name => ({is: `${name}(float64): float64`, spark: 'stddev_samp[$1]'})),
  ...['variance', 'var_samp'].map(name => ({is: `${name}(float64): float64`, spark: 'var_samp[$1]'})),
  {is: 'stddev_pop(float64): float64', spark: 'stddev_pop[$1]'},
  {is: 'var_pop(float64): float64', spark: 'var_pop[$1]'},
];

