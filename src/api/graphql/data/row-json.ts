import {jsonObject} from './columns.ts';

/**
 * A value in two forms: `exact` is right for every row; `plain` is cheaper, and right for rows in which none of `floats` is NaN or
 * infinite. Null where a second form would compute something large twice.
 */
export interface Shown {
  readonly exact: string;
  readonly plain: string | null;
  readonly floats: readonly string[];
}

export const shown = (expression: string): Shown => ({exact: expression, plain: expression, floats: []});

/** For what must stand in the text once, such as a subquery. */
export const shownOnce = (expression: string): Shown => ({exact: expression, plain: null, floats: []});

export function shownObject(parts: readonly (readonly [key: string, value: Shown])[]): Shown {
  return {
    exact: jsonObject(parts.map(([key, {exact}]) => [key, exact])),
    plain: parts.some(([, {plain}]) => plain === null) ? null : jsonObject(parts.map(([key, {plain}]) => [key, plain!])),
    floats: parts.flatMap(([, {floats}]) => floats),
  };
}

/** The value where a condition holds, else null. */
export const shownIf = (condition: string, {exact, plain, floats}: Shown): Shown => ({
  exact: `CASE WHEN ${condition} THEN ${exact} END`,
  plain: plain === null ? null : `CASE WHEN ${condition} THEN ${plain} END`,
  floats,
});

/** The JSON text of a row. Engines write numbers faster than JSON within JSON, so the whole row chooses its form. */
export function rowText({exact, plain, floats}: Shown): string {
  const text = `to_json(${exact})::VARCHAR`;
  if (plain === null || floats.length === 0) return text;
  const finite = floats.map(float => `coalesce(isfinite(${float}), true)`).join(' AND ');
  return `CASE WHEN ${finite} THEN to_json(${plain})::VARCHAR ELSE ${text} END`;
}
