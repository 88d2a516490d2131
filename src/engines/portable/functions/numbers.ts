/** Functions of numbers. */
import type {Call, Entry} from '../entries.ts';
import {NotPortable} from '../expr.ts';

const same = (text: string): Pick<Entry, 'spark' | 'hive'> => ({spark: text, hive: text});
const alike = (names: readonly string[], takes: string, texts: Pick<Entry, 'spark' | 'hive'>): Entry[] => names.map(name => ({is: `${name}${takes}`, ...texts}));

/** Beyond 2^52 floating-point numbers are whole; infinities and NaN stay. */
const whole = (there: string): Entry['spark'] => ({args: [arg]}) => {
  const type = (arg!.type as {bits: number}).bits === 32 ? 'FLOAT' : 'DOUBLE';
  return `CASE WHEN abs($1) < 4503599627370496D THEN CAST(${there} AS ${type}) ELSE $1 END`;
};

const places = (call: Call): number => {
  const digits = call.constant(1);
  if (typeof digits !== 'bigint' || digits < -18n || digits > 18n) throw new NotPortable('takes its digits as a number from -18 to 18');
  return Number(digits);
};

/** The embedded engine rounds what it has multiplied; there the decimal digits that people see are rounded. */
const roundFloat = (call: Call): string => {
  const digits = places(call);
  if (digits < 0) throw new NotPortable('of a floating-point number takes no negative digits');
  return `CASE WHEN abs($1) < 4503599627370496D THEN round($1 * 1E${digits}D) / 1E${digits}D ELSE $1 END`;
};

const roundDecimal = (call: Call) => {
  const {precision, scale} = call.args[0]!.type as {precision: number; scale: number};
  const digits = places(call);
  const kept = Math.max(0, Math.min(scale, digits));
  return {sql: digits >= scale ? '$1' : `CAST(round($1, ${digits}) AS DECIMAL(${precision}, ${kept}))`, type: {kind: 'decimal', precision, scale: kept} as const};
};

const wholeDecimal = (there: string): Entry['spark'] => ({args: [arg]}) => {
  const {precision} = arg!.type as {precision: number};
  return {sql: `CAST(${there} AS DECIMAL(${precision}, 0))`, type: {kind: 'decimal', precision, scale: 0}};
};

/** Out of the function's domain both fail, or there it would be null. */
const within = (condition: string, there: string, what: string): Entry['spark'] => `CASE WHEN ${condition} THEN raise_error('${what}') ELSE ${there} END`;

export const numberFunctions: readonly Entry[] = [
  {is: 'abs(number): number', spark: 'abs($1)'},
  {is: 'greatest(T, T…): T', spark: 'greatest($*)', note: 'nulls are left out'},
  {is: 'least(T, T…): T', spark: 'least($*)', note: 'nulls are left out'},
  {is: 'nullif(T, T): T', ...same('nullif($*)')},
  {is: 'ifnull(T, T): T', ...same('coalesce($*)')},
  {is: 'sign(float): int8', spark: 'CASE WHEN isnan($1) THEN 0Y ELSE CAST(sign($1) AS TINYINT) END', note: 'of NaN 0'},
  {is: 'sign(number): int8', ...same('CAST(sign($1) AS TINYINT)')},
  {is: 'round(integer): integer', ...same('$1')},
  {is: 'round(float): float', spark: whole('round($1)'), note: 'halves away from zero'},
  {is: 'round(decimal): decimal', spark: wholeDecimal('round($1, 0)')},
  {is: 'round(float64, int32): float64', spark: roundFloat},
  {is: 'round(decimal, int32): decimal', spark: roundDecimal},
  ...alike(['floor'], '(integer): float64', same('CAST($1 AS DOUBLE)')),
  ...alike(['ceil', 'ceiling'], '(integer): float64', same('CAST($1 AS DOUBLE)')),
  {is: 'floor(float): float', spark: whole('floor($1)'), hive: whole('floor($1)')},
  ...alike(['ceil', 'ceiling'], '(float): float', {spark: whole('ceil($1)'), hive: whole('ceil($1)')}),
  {is: 'floor(decimal): decimal', spark: wholeDecimal('floor($1)')},
  ...alike(['ceil', 'ceiling'], '(decimal): decimal', {spark: wholeDecimal('ceil($1)')}),
  {is: 'sqrt(float64): float64', spark: within('$1 < 0', 'sqrt($1)', 'the square root of a negative number')},
  {is: 'cbrt(float64): float64', spark: 'cbrt($1)'},
  {is: 'exp(float64): float64', ...same('exp($1)')},
  {is: 'ln(float64): float64', spark: within('$1 <= 0', 'ln($1)', 'the logarithm of a number that is not positive')},
  {is: 'log2(float64): float64', spark: within('$1 <= 0', 'log2($1)', 'the logarithm of a number that is not positive')},
  ...alike(['log10', 'log'], '(float64): float64', {spark: within('$1 <= 0', 'log10($1)', 'the logarithm of a number that is not positive')}),
  ...alike(['power', 'pow', '**', '^'], '(float64, float64): float64', same('power($1, $2)')),
  ...['sin', 'cos', 'tan', 'atan', 'degrees', 'radians'].map(name => ({is: `${name}(float64): float64`, spark: `${name}($1)`})),
  {is: 'pi(): float64', ...same('pi()')},
  {is: 'isnan(float): bool', spark: 'CASE WHEN $1 IS NOT NULL THEN isnan($1) END'},
  {is: 'isinf(float): bool', spark: "(abs($1) = CAST('Infinity' AS DOUBLE))"},
  {is: 'isfinite(float): bool', spark: "(abs($1) < CAST('Infinity' AS DOUBLE))"},
];
