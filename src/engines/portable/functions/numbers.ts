/** Functions of numbers. */
import type {Entry} from '../entries.ts';

const same = (text: string): Pick<Entry, 'spark' | 'hive'> => ({spark: text, hive: text});

export const numberFunctions: readonly Entry[] = [
  {is: 'abs(number): number', spark: 'abs($1)'},
  {is: 'greatest(T, T…): T', spark: 'greatest($*)', note: 'nulls are left out'},
  {is: 'least(T, T…): T', spark: 'least($*)', note: 'nulls are left out'},
  {is: 'nullif(T, T): T', ...same('nullif($*)')},
  {is: 'round(integer): integer', ...same('$1')},
  {is: 'round(float64): float64', ...same('round($1)'), note: 'halves away from zero'},
  {is: 'round(decimal): decimal', spark: 'round($1, 0)', gives: ([type]) => ({kind: 'decimal', precision: (type as {precision: number}).precision, scale: 0})},
  {is: 'floor(float64): float64', ...same('CAST(floor($1) AS DOUBLE)')},
  {is: 'ceil(float64): float64', ...same('CAST(ceil($1) AS DOUBLE)')},
  {is: 'ceiling(float64): float64', ...same('CAST(ceil($1) AS DOUBLE)')},
  {is: 'sqrt(float64): float64', spark: 'sqrt($1)'},
  {is: 'exp(float64): float64', ...same('exp($1)')},
  {is: 'power(float64, float64): float64', ...same('power($1, $2)')},
  {is: 'pow(float64, float64): float64', ...same('power($1, $2)')},
];
