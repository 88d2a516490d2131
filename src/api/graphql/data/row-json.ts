import type {ColumnName} from '../../../engines/engine.ts';
import {jsonObject} from './columns.ts';

/**
 * A value as JSON in two forms: `exact` is right for every row; `plain` is cheaper, and right for rows in which none of `floats` is NaN or
 * infinite. Null where a second form would compute something large twice.
 */
export interface Shown {
  readonly exact: string;
  readonly plain: string | null;
  readonly floats: readonly string[];
  /** The value in the engine's own type, for answers in columns; null where it is known later. */
  readonly column: ShownColumn | null;
}

/** Members of structs are named by their places (`m0` …): engines compare names without regard to case, response keys do not. */
export interface ShownColumn {
  readonly sql: string;
  readonly members?: readonly (ShownColumn & ColumnName)[];
}

export const shown = (expression: string, column: ShownColumn | null): Shown => ({exact: expression, plain: expression, floats: [], column});

/** For what must stand in the text once, such as a subquery. */
export const shownOnce = (expression: string, column: ShownColumn | null): Shown => ({exact: expression, plain: null, floats: [], column});

export function shownObject(parts: readonly (readonly [key: string, value: Shown])[]): Shown {
  return {
    exact: jsonObject(parts.map(([key, {exact}]) => [key, exact])),
    plain: parts.some(([, {plain}]) => plain === null) ? null : jsonObject(parts.map(([key, {plain}]) => [key, plain!])),
    floats: parts.flatMap(([, {floats}]) => floats),
    column: structOf(parts.map(([key, {column}]) => [key, column])),
  };
}

function structOf(parts: readonly (readonly [key: string, column: ShownColumn | null])[]): ShownColumn | null {
  const members: (ShownColumn & ColumnName)[] = [];
  for (const [name, column] of parts) {
    if (!column) return null;
    members.push({name, ...column});
  }
  return {sql: `{${members.map(({sql}, index) => `m${index}: ${sql}`).join(', ')}}`, members};
}

/** A list whose elements are shown by `element`, given the expression that makes a list of an expression for each. */
export const shownList = ({exact, column}: Shown, list: (element: string) => string): Shown => shown(list(exact), column && {...column, sql: list(column.sql)});

/** The value where a condition holds, else null. */
export const shownIf = (condition: string, {exact, plain, floats, column}: Shown): Shown => ({
  exact: `CASE WHEN ${condition} THEN ${exact} END`,
  plain: plain === null ? null : `CASE WHEN ${condition} THEN ${plain} END`,
  floats,
  column: column && {...column, sql: `CASE WHEN ${condition} THEN ${column.sql} END`},
});

/** The JSON text of a row. Engines write numbers faster than JSON within JSON, so the whole row chooses its form. */
export function rowText({exact, plain, floats}: Shown): string {
  const text = `to_json(${exact})::VARCHAR`;
  if (plain === null || floats.length === 0) return text;
  const finite = floats.map(float => `coalesce(isfinite(${float}), true)`).join(' AND ');
  return `CASE WHEN ${finite} THEN to_json(${plain})::VARCHAR ELSE ${text} END`;
}
