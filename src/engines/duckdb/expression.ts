import {MillraceError} from '../../core/errors.ts';
import {analyzed} from './analyze.ts';
import type {Node} from './analyze.ts';

/** An expression where it will stand. The line breaks end a comment that it may open; what closes the bracket early shows as a second column or an error. */
export const asSelect = (expression: string): string => `SELECT (\n${expression}\n) AS result FROM this_row`;

/**
 * Checks the tree of an expression as `asSelect` gave it: row-local and nothing else.
 * @throws SQL_NOT_ALLOWED
 */
export function checkExpression(root: Node, aggregates: ReadonlySet<string>): void {
  const {relations} = analyzed(root);
  const list = root.select_list as readonly Node[] | undefined;
  const from = root.from_table as Node | undefined;
  const plain = root.type === 'SELECT_NODE' && list?.length === 1 && from?.type === 'BASE_TABLE' && !root.where_clause && relations.length === 1 && list[0]!.alias === 'result';
  if (!plain) throw notAllowed('it is more than one expression');
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(visit);
    else if (value !== null && typeof value === 'object') {
      const node = value as Node;
      if (node.class === 'SUBQUERY') throw notAllowed('a subquery reads more than the row');
      if (node.class === 'WINDOW') throw notAllowed('a window reads more than the row');
      if (node.class === 'FUNCTION' && aggregates.has(String(node.function_name).toLowerCase())) throw notAllowed(`the aggregate '${String(node.function_name)}' reads more than the row`);
      if (node.class === 'STAR') throw notAllowed('a star is no expression');
      Object.values(node).forEach(visit);
    }
  };
  visit(list);
}

const notAllowed = (reason: string) => new MillraceError('SQL_NOT_ALLOWED', {reason: `${reason}; an expression of one row's columns is allowed.`});
