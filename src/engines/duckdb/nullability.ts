import type {Query} from '../engine.ts';
import type {Node} from './analyze.ts';

/**
 * Which of the query's columns can hold no null, as far as the text tells: columns of one relation taken as they are, constants and
 * counts. Null when the statement is of another form; then every column may hold one.
 */
export function neverNull(root: Node, query: Query): boolean[] | null {
  const from = root.from_table as Node | undefined;
  // Grouping sets (ROLLUP, CUBE) put nulls into columns that have none.
  if (root.type !== 'SELECT_NODE' || !from || (root.group_sets as unknown[]).length > 1 || (root.cte_map as {map: unknown[]}).map.length > 0) return null;
  if (from.type !== 'BASE_TABLE' || (from.column_name_alias as unknown[]).length > 0) return null;
  const relation = Object.entries(query.relations).find(([name]) => name.toLowerCase() === String(from.table_name).toLowerCase())?.[1];
  if (relation?.kind !== 'table') return null;
  const required = new Map(relation.schema.fields.map(field => [field.name.toLowerCase(), !field.nullable]));
  const columns: boolean[] = [];
  for (const item of root.select_list as readonly Node[]) {
    if (item.class === 'STAR') {
      if (!isPlainStar(item)) return null;
      columns.push(...relation.schema.fields.map(field => !field.nullable), ...(relation.rowIds ? [true] : []));
    } else {
      columns.push(isNeverNull(item, required));
    }
  }
  return columns;
}

function isNeverNull(item: Node, required: ReadonlyMap<string, boolean>): boolean {
  switch (item.class) {
    case 'COLUMN_REF':
      return required.get((item.column_names as readonly string[]).at(-1)!.toLowerCase()) === true && (item.column_names as readonly string[]).length <= 2;
    case 'CONSTANT':
      return (item.value as Node).is_null === false;
    case 'FUNCTION':
      return item.function_name === 'count' || item.function_name === 'count_star';
    default:
      return false;
  }
}

const isPlainStar = (star: Node): boolean =>
  !star.columns && !star.expr && ['exclude_list', 'replace_list', 'qualified_exclude_list', 'rename_list'].every(list => ((star[list] as unknown[] | undefined) ?? []).length === 0);
