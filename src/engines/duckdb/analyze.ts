import {MillraceError} from '../../core/errors.ts';
import {isLegal} from '../../schemas/names.ts';
import type {SqlAnalysis} from '../engine.ts';

/** A node of the tree that DuckDB's `json_serialize_sql` gives. */
export type Node = Readonly<Record<string, unknown>>;

/** The only functions that may stand in FROM: they make rows from their arguments alone. */
const tableFunctions = new Set(['range', 'generate_series', 'unnest']);

/** What may stand in FROM; others (SHOW, DESCRIBE, SUMMARIZE, engine-internal scans) look at more than the relations. */
const fromTypes = new Set(['BASE_TABLE', 'SUBQUERY', 'JOIN', 'EMPTY', 'TABLE_FUNCTION', 'EXPRESSION_LIST', 'PIVOT']);

/** Functions that look at, wait in or change the process, its settings or its catalog instead of their arguments. */
const outsideFunctions = new Set([
  'getenv', 'current_setting', 'getvariable', 'query', 'query_table', 'glob', 'write_log', 'setseed', 'sleep_ms', 'stats', 'which_secret',
  'current_query', 'current_query_id', 'current_connection_id', 'current_transaction_id', 'txid_current', 'current_schema', 'current_schemas',
  'current_database', 'current_catalog', 'in_search_path', 'obj_description', 'col_description', 'shobj_description', 'get_block_size',
]);
const outsideFamilies = /^(?:read_|parquet_|sniff_|pragma_|duckdb_|pg_(?!typeof$|size_pretty$)|has_\w+_privilege$|inet_)/;

const volatileFunctions = new Set([
  'random', 'uuid', 'gen_random_uuid', 'uuidv4', 'uuidv7', 'nextval', 'currval',
  'now', 'today', 'transaction_timestamp', 'get_current_timestamp', 'get_current_time', 'current_date', 'ago',
]);

/** Written without brackets they look like columns. A column of such a name makes a step needlessly fresh, never wrongly reused. */
const volatileWords = new Set(['current_date', 'current_time', 'current_timestamp', 'localtime', 'localtimestamp']);

interface Serialized {
  readonly error: boolean;
  readonly error_type?: string;
  readonly error_message?: string;
  readonly position?: string;
  readonly statements?: readonly {readonly node: Node}[];
}

/** The tree of the one SELECT that `sql` is. @throws SQL_INVALID, SQL_NOT_ALLOWED */
export function parsed(serialized: string, sql: string): Node {
  const answer = JSON.parse(serialized) as Serialized;
  if (answer.error) {
    // DuckDB serializes SELECT only, so anything else is answered with 'not implemented'.
    if (answer.error_type === 'not implemented') throw notAllowed(/\bpivot\b/i.test(sql) ? 'PIVOT without an IN list runs several statements; name the values with IN' : 'only a SELECT can be run');
    throw new MillraceError('SQL_INVALID', {reason: `${answer.error_message ?? 'it cannot be parsed'}${at(sql, answer.position)}`});
  }
  const statements = answer.statements ?? [];
  if (statements.length !== 1) throw statements.length === 0 ? new MillraceError('SQL_INVALID', {reason: 'it is empty'}) : notAllowed(`it has ${statements.length} statements; one is allowed`);
  return statements[0]!.node;
}

/** What a tree reads and calls. @throws SQL_NOT_ALLOWED */
export function analyzed(root: Node): SqlAnalysis {
  const relations = new Set<string>();
  const volatile = new Set<string>();

  const visit = (value: unknown, scope: ReadonlySet<string>): void => {
    if (Array.isArray(value)) {
      for (const item of value) visit(item, scope);
    } else if (value !== null && typeof value === 'object') {
      visitNode(value as Node, scope);
    }
  };

  const visitNode = (node: Node, outer: ReadonlySet<string>): void => {
    const scope = node.cte_map ? visitCtes(node.cte_map as CteMap, outer) : outer;
    if (node.type === 'BASE_TABLE') visitTable(node, scope);
    else if (node.type === 'TABLE_FUNCTION') visitTableFunction(node);
    else if (node.type === 'SHOW_REF' || (typeof node.type === 'string' && 'sample' in node && 'alias' in node && !fromTypes.has(node.type))) {
      throw notAllowed(node.type === 'SHOW_REF' ? 'SHOW, DESCRIBE and SUMMARIZE are no SELECT over relations' : `${String(node.type)} may not be read`);
    }
    if (typeof node.function_name === 'string' && (node.class === 'FUNCTION' || node.class === 'WINDOW')) visitFunction(node.function_name.toLowerCase());
    if (node.class === 'COLUMN_REF') {
      const names = node.column_names as readonly string[];
      if (names.length === 1 && volatileWords.has(names[0]!.toLowerCase())) volatile.add(names[0]!.toLowerCase());
    }
    const inner = node.type === 'RECURSIVE_CTE_NODE' ? new Set(scope).add(String(node.cte_name).toLowerCase()) : scope;
    for (const [key, child] of Object.entries(node)) {
      if (key !== 'cte_map') visit(child, inner);
    }
  };

  // A CTE sees those before it; only a recursive one sees itself.
  const visitCtes = (ctes: CteMap, outer: ReadonlySet<string>): ReadonlySet<string> => {
    const scope = new Set(outer);
    for (const {key, value} of ctes.map) {
      visit(value, scope);
      scope.add(key.toLowerCase());
    }
    return scope;
  };

  const visitTable = (node: Node, scope: ReadonlySet<string>): void => {
    const name = String(node.table_name);
    if (node.catalog_name || node.schema_name) throw notAllowed(`'${[node.catalog_name, node.schema_name, name].filter(Boolean).join('.')}' names a schema; relations have plain names`);
    if (node.at_clause) throw notAllowed(`'${name}' is read AT another time; choose the snapshot outside the SQL`);
    if (scope.has(name.toLowerCase())) return;
    if (!isLegal(name)) throw notAllowed(`'${name}' is no name of a relation; files are read by an ingest step`);
    relations.add(name);
  };

  const visitTableFunction = (node: Node): void => {
    const call = node.function as Node;
    const name = String(call.function_name).toLowerCase();
    if (!tableFunctions.has(name) || call.schema || call.catalog) throw notAllowed(`the table function '${name}' may not be called`);
  };

  const visitFunction = (name: string): void => {
    if (outsideFunctions.has(name) || outsideFamilies.test(name)) throw notAllowed(`the function '${name}' reaches outside the query`);
    if (volatileFunctions.has(name)) volatile.add(name);
  };

  visit(root, new Set());
  return {relations: [...relations], volatile: [...volatile]};
}

interface CteMap {
  readonly map: readonly {readonly key: string; readonly value: unknown}[];
}

const notAllowed = (reason: string) => new MillraceError('SQL_NOT_ALLOWED', {reason: `${reason}.`});

/** ` (line l, column c)` of a byte offset. */
function at(sql: string, position: string | undefined): string {
  if (position === undefined) return '';
  const lines = Buffer.from(sql).subarray(0, Number(position)).toString().split('\n');
  return ` (line ${lines.length}, column ${[...lines.at(-1)!].length + 1})`;
}
