/** What names mean at a place of the statement. */
import type {Expr} from './expr.ts';
import type {Node} from './syntax.ts';
import type {Type} from './types.ts';

export interface Column {
  readonly name: string;
  readonly type: Type;
  /** The column's text, with its relation. */
  readonly sql: string;
}

/** A relation in FROM. */
export interface SourceColumns {
  /** Lower case; '' of one that has no name. */
  readonly name: string;
  readonly columns: readonly Column[];
}

export interface Scope {
  readonly sources: readonly SourceColumns[];
  /** Of USING: what a name without a relation means. Lower case. */
  readonly merged: ReadonlyMap<string, Column>;
  /** Names given in the SELECT list, lower case, where they may be used; columns come first. */
  readonly aliases?: ReadonlyMap<string, Expr>;
  /** Writes a subquery that stands at this place. */
  readonly subquery?: (node: Node, around: Scope) => Subquery;
  /** The place is a filter's own conjunct, or a part of a filter; absent: anywhere else. */
  readonly filter?: 'conjunct' | 'part' | undefined;
  /** Of the statement around a subquery. */
  readonly outer?: Scope;
}

export interface Subquery {
  readonly sql: string;
  readonly columns: readonly {readonly type: Type}[];
}

export const emptyScope: Scope = {sources: [], merged: new Map()};

const asExpr = (column: Column): Expr => ({sql: column.sql, type: column.type});

/** What a name of one or more parts means, and how many of its parts that took; null: nothing here. 'ambiguous': several things. */
export function lookUp(scope: Scope, names: readonly string[]): {expr: Expr; taken: number} | 'ambiguous' | null {
  const [first, second] = names.map(name => name.toLowerCase());
  const qualified = second === undefined ? [] : scope.sources.filter(source => source.name === first).flatMap(source => source.columns.filter(column => column.name.toLowerCase() === second));
  if (qualified.length > 1) return 'ambiguous';
  if (qualified.length === 1) return {expr: asExpr(qualified[0]!), taken: 2};
  const merged = scope.merged.get(first!);
  if (merged) return {expr: asExpr(merged), taken: 1};
  const plain = scope.sources.flatMap(source => source.columns.filter(column => column.name.toLowerCase() === first));
  if (plain.length > 1) return 'ambiguous';
  if (plain.length === 1) return {expr: asExpr(plain[0]!), taken: 1};
  const alias = scope.aliases?.get(first!);
  if (alias) return {expr: alias, taken: 1};
  return scope.outer ? lookUp(scope.outer, names) : null;
}
