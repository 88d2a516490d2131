/** Window functions. */
import {cast} from './casts.ts';
import {NotPortable} from './expr.ts';
import type {Expr} from './expr.ts';
import type {Expressions} from './expressions.ts';
import type {Scope} from './scope.ts';
import {lower, nodeOrNull, nodes} from './syntax.ts';
import type {Node} from './syntax.ts';
import {double, int} from './types.ts';

/** Ranks and the like: what they are there. */
const ranks: Readonly<Record<string, string>> = {row_number: 'BIGINT', rank: 'BIGINT', dense_rank: 'BIGINT', ntile: 'BIGINT', percent_rank: '', cume_dist: ''};
const values = new Set(['lag', 'lead', 'first_value', 'last_value', 'nth_value', 'first', 'last']);

const bounds: Readonly<Record<string, string>> = {
  UNBOUNDED_PRECEDING: 'UNBOUNDED PRECEDING', UNBOUNDED_FOLLOWING: 'UNBOUNDED FOLLOWING', CURRENT_ROW_ROWS: 'CURRENT ROW', CURRENT_ROW_RANGE: 'CURRENT ROW', EXPR_PRECEDING_ROWS: 'PRECEDING', EXPR_FOLLOWING_ROWS: 'FOLLOWING',
};

/** `ORDER BY` items; where nulls stand is always written, since the engines differ. */
export const orderItems = (orders: readonly Node[], write: (node: Node) => string): string =>
  orders.map(order => `${write(order.expression as Node)}${order.type === 'DESCENDING' ? ' DESC' : ''} NULLS ${order.null_order === 'NULLS FIRST' ? 'FIRST' : 'LAST'}`).join(', ');

/** @throws NotPortable */
export function windowOf(node: Node, scope: Scope, expressions: Expressions): Expr {
  const name = lower(node.function_name);
  const orders = nodes(node.orders);
  if (node.exclude_clause !== 'NO_OTHER') throw new NotPortable('is not in the portable core', 'EXCLUDE in a window');
  if (node.distinct === true) throw new NotPortable('is not in the portable core', 'DISTINCT in a window');
  if (nodes(node.arg_orders).length > 0) throw new NotPortable('is not in the portable core', 'ORDER BY in the arguments of a window function');
  const ranked = ranks[name];
  const depends = ranked !== undefined || values.has(name) || /ROWS/.test(`${String(node.start)}${String(node.end)}`);
  if (depends && orders.length === 0) throw new NotPortable('depends on the order of the rows; give the window an ORDER BY');
  const parts = [
    ...(nodes(node.partitions).length > 0 ? [`PARTITION BY ${nodes(node.partitions).map(key => expressions.write(key, scope).sql).join(', ')}`] : []),
    ...(orders.length > 0 ? [`ORDER BY ${orderItems(orders, key => expressions.write(key, scope).sql)}`] : []),
  ];
  const over = (frame: string | null) => ` OVER (${[...parts, ...(frame === null ? [] : [frame])].join(' ')})`;
  if (ranked === undefined && !values.has(name)) return expressions.aggregate(node, name, scope, over(frameOf(node, orders)));
  if (node.filter_expr) throw new NotPortable('is for aggregates', 'FILTER');
  return ranked === undefined ? valueOf(node, name, scope, expressions, over) : rankOf(node, name, ranked, scope, expressions, over(null));
}

function rankOf(node: Node, name: string, type: string, scope: Scope, expressions: Expressions, over: string): Expr {
  const args = nodes(node.children).map(child => expressions.write(child, scope));
  if (args.some(arg => typeof arg.literal !== 'bigint' || arg.literal < 1n)) throw new NotPortable('takes a positive number');
  const sql = `${name}(${args.map(arg => String(arg.literal)).join(', ')})${over}`;
  return type === '' ? {sql, type: double} : {sql: `CAST(${sql} AS ${type})`, type: int(64)};
}

function valueOf(node: Node, name: string, scope: Scope, expressions: Expressions, over: (frame: string | null) => string): Expr {
  const {dialect} = expressions;
  const args = nodes(node.children).map(child => expressions.write(child, scope));
  const nulls = node.ignore_nulls === true ? ' IGNORE NULLS' : '';
  const value = args[0]!;
  const nullsThere = dialect.engine === 'spark' ? nulls : nulls === '' ? '' : refuseNulls();
  if (name === 'lag' || name === 'lead') {
    const offset = nodeOrNull(node.offset_expr);
    const count = offset === null ? 1n : expressions.write(offset, scope).literal;
    if (typeof count !== 'bigint') throw new NotPortable('takes its offset as a number');
    const otherwise = nodeOrNull(node.default_expr);
    const given = otherwise === null ? null : cast(expressions.write(otherwise, scope), value.type, dialect, 'implicit').sql;
    return {sql: `${name}(${value.sql}, ${count}${given === null ? '' : `, ${given}`})${nullsThere}${over(null)}`, type: value.type};
  }
  const frame = over(frameOf(node, nodes(node.orders)));
  if (name === 'nth_value') {
    if (typeof args[1]?.literal !== 'bigint' || args[1].literal < 1n) throw new NotPortable('takes a positive number');
    if (dialect.engine !== 'spark') throw new NotPortable('is not in the portable core for this engine');
    return {sql: `nth_value(${value.sql}, ${args[1].literal})${nullsThere}${frame}`, type: value.type};
  }
  return {sql: `${name.startsWith('first') ? 'first_value' : 'last_value'}(${value.sql})${nullsThere}${frame}`, type: value.type};
}

const refuseNulls = (): never => {
  throw new NotPortable('is not in the portable core for this engine', 'IGNORE NULLS');
};

/** Null: the frame that every engine takes, where none is written. */
function frameOf(node: Node, orders: readonly Node[]): string | null {
  const [start, end] = [String(node.start), String(node.end)];
  if (start === 'UNBOUNDED_PRECEDING' && end === 'CURRENT_ROW_RANGE') return null;
  const words = ([[start, node.start_expr], [end, node.end_expr]] as const).map(([bound, by]) => {
    const word = bounds[bound];
    if (word === undefined) throw new NotPortable('is not in the portable core; it has ROWS with numbers, and RANGE without them', `the frame ${bound.replaceAll('_', ' ').toLowerCase()}`);
    if (!bound.startsWith('EXPR')) return word;
    const count = (by as Node | null)?.value as {value?: unknown} | undefined;
    if (typeof count?.value !== 'number' || count.value < 0) throw new NotPortable('takes a number', 'a frame');
    return `${count.value} ${word}`;
  });
  const rows = /ROWS/.test(start + end) || (orders.length > 0 && start.startsWith('UNBOUNDED') && end.startsWith('UNBOUNDED'));
  return `${rows ? 'ROWS' : 'RANGE'} BETWEEN ${words[0]} AND ${words[1]}`;
}
