import {createHash} from 'node:crypto';
import {MillraceError} from '../../../core/errors.ts';
import {literal} from '../../../engines/sql-text.ts';
import type {Bindings} from './bindings.ts';
import type {Given} from './given.ts';
import type {NamedKey} from './ordering.ts';

/**
 * Cursors: the place of a row in an order, as the values of the order's keys and the row's id. They hold in any snapshot, also when the row
 * is gone; of another order they are refused.
 */

/** Tells orders apart. */
const markOf = (keys: readonly NamedKey[]): string => createHash('sha256').update(keys.map(({path, direction}) => `${path} ${direction}`).join()).digest('base64url').slice(0, 6);

/** The cursor of a row, of columns that hold the keys' values. */
export const cursorText = (keys: readonly NamedKey[], columns: readonly string[], rowId: string): string =>
  `base64(encode(to_json([${[literal(markOf(keys)), ...columns.map(column => `${column}::VARCHAR`), `${rowId}::VARCHAR`].join(', ')}])::VARCHAR))`;

/** Keys' values and the row id. @throws ARGUMENT_INVALID */
function readCursor(text: unknown, keys: readonly NamedKey[], name: string): readonly (string | null)[] {
  const refuse = (reason: string): never => {
    throw new MillraceError('ARGUMENT_INVALID', {name, reason});
  };
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(String(text), 'base64').toString('utf8'));
  } catch {
    return refuse('it is no cursor; take one from `_cursor`.');
  }
  if (!Array.isArray(parts) || !parts.every(part => part === null || typeof part === 'string') || !/^\d{1,18}$/.test(String(parts.at(-1)))) return refuse('it is no cursor; take one from `_cursor`.');
  if (parts[0] !== markOf(keys) || parts.length !== keys.length + 2) return refuse('it belongs to another `order_by`.');
  return parts.slice(1) as (string | null)[];
}

/** The condition that a row comes after (`1`) or before (`-1`) the one of a cursor. */
export function besideCursor(given: Given, keys: readonly NamedKey[], rowId: string, side: 1 | -1, bindings: Bindings): string {
  const name = side > 0 ? 'after' : 'before';
  const bound = (index: number, type: string) => `TRY_CAST(${bindings.bind(variables => readCursor(given.read(variables), keys, name)[index]!, 'VARCHAR')} AS ${type})`;
  const places = keys.map(({expression, direction, type}, index) => {
    const value = bound(index, type);
    const [way, nulls] = /^(ASC|DESC) NULLS (FIRST|LAST)$/.exec(direction)!.slice(1) as [string, string];
    const greater = `${expression} ${(way === 'ASC') === side > 0 ? '>' : '<'} ${value}`;
    const nullsBeyond = (nulls === 'LAST') === side > 0;
    return {
      same: `${expression} IS NOT DISTINCT FROM ${value}`,
      beyond: nullsBeyond ? `coalesce(${greater}, ${expression} IS NULL AND ${value} IS NOT NULL)` : `coalesce(${greater}, ${value} IS NULL AND ${expression} IS NOT NULL)`,
    };
  });
  const beyondId = `${rowId} ${side > 0 ? '>' : '<'} ${bound(keys.length, 'BIGINT')}`;
  return places.reduceRight((rest, {same, beyond}) => `(${beyond} OR (${same} AND ${rest}))`, beyondId);
}

/** The other way round. */
export const reversed = (direction: string): string =>
  direction.replace(/ASC|DESC|FIRST|LAST/g, word => ({ASC: 'DESC', DESC: 'ASC', FIRST: 'LAST', LAST: 'FIRST'})[word]!);
