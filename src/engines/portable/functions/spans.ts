/** Intervals: they are only ever added to a date or a timestamp, or taken from it. */
import {cast} from '../casts.ts';
import type {Dialect} from '../dialect.ts';
import {NotPortable} from '../expr.ts';
import type {Expr, Span} from '../expr.ts';
import {nodes} from '../syntax.ts';
import type {Node} from '../syntax.ts';
import {date, double, int, isMoment, timestamp} from '../types.ts';

type Part = keyof Span;

const units: Readonly<Record<string, readonly [part: Part, size: number]>> = {
  year: ['months', 12], month: ['months', 1], week: ['days', 7], day: ['days', 1], hour: ['micros', 3_600_000_000], minute: ['micros', 60_000_000], second: ['micros', 1_000_000],
  millisecond: ['micros', 1000], microsecond: ['micros', 1],
};

const spanOf = (span: Span): Expr => ({sql: '', type: {kind: 'interval'}, span});

/** `to_days(3)` and its like; null: another function. The number may have been wrapped by the parser: `INTERVAL (x) DAY` cuts it to whole ones. */
export function spanCall(name: string, node: Node, write: (node: Node) => Expr, dialect: Dialect): Expr | null {
  const unit = units[/^to_(\w+)s$/.exec(name)?.[1] ?? ''];
  if (!unit) return null;
  const count = write(unwrapped(nodes(node.children)[0]!));
  return spanOf({[unit[0]]: times(cast(count, int(64), dialect, 'implicit').sql, unit[1])});
}

function unwrapped(node: Node): Node {
  if (node.class === 'CAST') return unwrapped(node.child as Node);
  return node.class === 'FUNCTION' && node.function_name === 'trunc' ? unwrapped(nodes(node.children)[0]!) : node;
}

const times = (sql: string, size: number): string => (size === 1 ? sql : /^-?\d+L$/.test(sql) ? `${BigInt(sql.slice(0, -1)) * BigInt(size)}L` : `(${sql} * ${size}L)`);

/** `1 day 2 hours`. @throws NotPortable */
export function spanLiteral(text: string): Expr {
  const span: Partial<Record<Part, string>> = {};
  const rest = text.trim().toLowerCase().replace(/([+-]?\d+)\s*([a-z]+?)s?(?:\s+|$)/g, (_, count: string, word: string) => {
    const unit = units[word];
    if (!unit) return '?';
    span[unit[0]] = `${BigInt(span[unit[0]]?.slice(0, -1) ?? 0) + BigInt(count) * BigInt(unit[1])}L`;
    return '';
  });
  if (rest !== '' || Object.keys(span).length === 0) throw new NotPortable('is not in the portable core; it has whole numbers of years, months, weeks, days, hours, minutes and seconds', `the interval '${text}'`);
  return spanOf(span);
}

/** Operators of intervals; null: none of these. */
export function ofSpans(operator: string, left: Expr, right: Expr, dialect: Dialect): Expr | null {
  if (operator === '-' && left.type.kind === 'timestamp' && right.type.kind === 'timestamp') {
    if (dialect.engine !== 'spark') throw new NotPortable('of timestamps is not in the portable core for this engine');
    const micros = (of: Expr) => `unix_micros(CAST(${of.sql} AS TIMESTAMP_LTZ))`;
    // What it is in days and hours depends on the engine; how long it is does not.
    return {sql: '', type: {kind: 'interval'}, elapsed: `(${micros(left)} - ${micros(right)})`};
  }
  const [span, other] = left.span ? [left.span, right] : [right.span, left];
  if (!span) return null;
  if (operator === '*') return spanOf(mapSpan(span, sql => `(${sql} * ${cast(other, int(64), dialect, 'implicit').sql})`));
  if (other.span) return operator === '+' || operator === '-' ? spanOf(both(left.span!, right.span!, operator)) : null;
  if (!isMoment(other.type) && typeof other.literal !== 'string') return null;
  if (operator === '-' && left.span) return null;
  return added(other, operator === '-' ? mapSpan(span, sql => `(- ${sql})`) : span, dialect);
}

const mapSpan = (span: Span, map: (sql: string) => string): Span => Object.fromEntries(Object.entries(span).map(([part, sql]) => [part, map(sql)]));

function both(a: Span, b: Span, operator: string): Span {
  const sum = {...mapSpan(b, sql => (operator === '-' ? `(- ${sql})` : sql)), ...a} as Record<Part, string>;
  for (const part of Object.keys(sum) as Part[]) if (a[part] !== undefined && b[part] !== undefined) sum[part] = `(${a[part]} ${operator} ${b[part]})`;
  return sum;
}

/** Months first, then days, then the rest; the day of a shorter month is its last. */
function added(to: Expr, span: Span, dialect: Dialect): Expr {
  if (dialect.engine !== 'spark') throw new NotPortable('of intervals is not in the portable core for this engine');
  const base = to.type.kind === 'timestamp' ? to : cast(to.type.kind === 'date' ? to : cast(to, date, dialect, 'implicit'), timestamp, dialect, 'implicit');
  let {sql} = base;
  if (span.months !== undefined) sql = `(${sql} + make_ym_interval(0, CAST(${span.months} AS INT)))`;
  if (span.days !== undefined) sql = `(${sql} + make_dt_interval(CAST(${span.days} AS INT)))`;
  if (span.micros !== undefined) sql = `timestampadd(MICROSECOND, ${span.micros}, ${sql})`;
  return {sql, type: base.type};
}

/** `epoch` of the time between two timestamps, in seconds. */
export const elapsedSeconds = (arg: Expr): Expr | null => (arg.elapsed === undefined ? null : {sql: `(CAST(${arg.elapsed} AS DOUBLE) / 1E6D)`, type: double});

