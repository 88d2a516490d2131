/** Statements, from the parser's tree into a remote engine's words. */
import type {Schema} from '../../schemas/schema.ts';
import {Expressions, isAggregate, unbracketed} from './expressions.ts';
import type {Translation} from './expressions.ts';
import {compared, together} from './functions/operators.ts';
import {NotPortable} from './expr.ts';
import type {Expr} from './expr.ts';
import {cast} from './casts.ts';
import {emptyScope, lookUp} from './scope.ts';
import type {Column, Scope, SourceColumns} from './scope.ts';
import {lower, nodeOrNull, nodes, texts} from './syntax.ts';
import type {Node} from './syntax.ts';
import {bool, int, sameType} from './types.ts';
import type {Type} from './types.ts';
import {orderItems} from './windows.ts';

/** A statement's text and its columns. */
export interface Written {
  readonly sql: string;
  readonly columns: readonly {readonly name: string; readonly type: Type}[];
}

/** A relation or a CTE by its name in the statement. */
interface Named {
  /** As the text has it, quoted. */
  readonly sql: string;
  readonly columns: readonly {readonly name: string; readonly type: Type}[];
  /** A relation's own name; a CTE has none. */
  readonly relation?: string;
}

/** A column of a SELECT list. */
interface Item {
  readonly name: string;
  readonly expr: Expr;
  readonly node: Node | null;
  /** The user gave the name. */
  readonly named: boolean;
}

type Names = ReadonlyMap<string, Named>;

const joins: Readonly<Record<string, string>> = {INNER: 'JOIN', LEFT: 'LEFT JOIN', RIGHT: 'RIGHT JOIN', FULL: 'FULL JOIN', SEMI: 'LEFT SEMI JOIN', ANTI: 'LEFT ANTI JOIN'};
const setOperations: Readonly<Record<string, string>> = {UNION: 'UNION', EXCEPT: 'EXCEPT', INTERSECT: 'INTERSECT'};

export class Statements {
  private readonly expressions: Expressions;
  private readonly ctes: string[] = [];
  private readonly taken: Set<string>;
  private readonly read = new Set<string>();
  private unnamed = 0;

  constructor(
    private readonly translation: Translation,
    private readonly relations: Readonly<Record<string, Schema>>,
  ) {
    this.expressions = new Expressions(translation);
    this.taken = new Set(Object.keys(relations).map(lower));
  }

  /** The whole statement. @throws SQL_NOT_PORTABLE */
  root(node: Node): Written & {readonly reads: ReadonlySet<string>} {
    const names: Names = new Map(Object.entries(this.relations).map(([name, schema]) => [lower(name), {sql: this.quoted(name), columns: schema.fields, relation: name}]));
    const {sql, columns} = this.query(node, names, undefined);
    return {sql: this.ctes.length === 0 ? sql : `WITH ${this.ctes.join(',\n')}\n${sql}`, columns, reads: this.read};
  }

  private quoted(name: string): string {
    return this.translation.dialect.identifier(name);
  }

  /** @param outer of the statement around a subquery of an expression */
  private query(node: Node, outerNames: Names, outer: Scope | undefined): Written {
    const names = this.withCtes(node, outerNames);
    switch (node.type) {
      case 'SELECT_NODE':
        return this.select(node, names, outer);
      case 'SET_OPERATION_NODE':
        return this.setOperation(node, names, outer);
      default:
        throw this.expressions.refuse(node.type === 'RECURSIVE_CTE_NODE' ? 'WITH RECURSIVE' : String(node.type), 'is not in the portable core', node);
    }
  }

  /** CTEs all stand at the head of the statement, under names of their own, so that both engines take them. */
  private withCtes(node: Node, outer: Names): Names {
    const names = new Map(outer);
    for (const {key, value} of (node.cte_map as {map: readonly {key: string; value: Node}[]}).map) {
      const inner = (value.query as {node: Node}).node;
      const written = this.query(inner, names, undefined);
      const given = texts(value.aliases);
      const columns = written.columns.map((column, index) => ({...column, name: given[index] ?? column.name}));
      let name = key;
      for (let next = 2; this.taken.has(lower(name)); next++) name = `${key}_${next}`;
      this.taken.add(lower(name));
      this.ctes.push(`${this.quoted(name)}${given.length > 0 ? ` (${columns.map(column => this.quoted(column.name)).join(', ')})` : ''} AS (\n${written.sql}\n)`);
      names.set(lower(key), {sql: this.quoted(name), columns});
    }
    return names;
  }

  private select(node: Node, names: Names, outer: Scope | undefined): Written {
    if (node.sample) throw this.expressions.refuse('SAMPLE', 'gives other rows there', node);
    const subquery: Scope['subquery'] = (inner, around) => this.query(inner, names, around);
    const read = node.from_table && (node.from_table as Node).type !== 'EMPTY' ? this.from(node.from_table as Node, names, subquery) : {from: '', scope: emptyScope};
    const scope: Scope = {...read.scope, subquery, ...(outer ? {outer: {...outer, filter: undefined}} : {})};
    const items = this.items(node, scope);
    const aliased: Scope = {...scope, aliases: new Map(items.filter(item => item.named).map(item => [lower(item.name), item.expr]))};
    const [where, having, qualify] = [nodeOrNull(node.where_clause), nodeOrNull(node.having), nodeOrNull(node.qualify)];
    const modifiers = nodes(node.modifiers);
    const distinct = modifiers.find(modifier => modifier.type === 'DISTINCT_MODIFIER');
    if (distinct && nodes(distinct.distinct_on_targets).length > 0) throw this.expressions.refuse('DISTINCT ON', 'is not in the portable core', distinct);
    const list = (all: readonly {name: string; expr: Expr}[]) => all.map(item => `${unbracketed(item.expr.sql)} AS ${this.quoted(item.name)}`).join(', ');
    const body = [
      ...(read.from === '' ? [] : [`FROM ${read.from}`]),
      ...(where ? [`WHERE ${this.expressions.condition(where, aliased)}`] : []),
      ...this.groupBy(node, items, aliased),
      ...(having ? [`HAVING ${this.expressions.condition(having, aliased)}`] : []),
    ];
    const columns = items.map(({name, expr}) => ({name, type: expr.type}));
    const rest = this.orderAndLimit(modifiers, items, aliased, distinct !== undefined || qualify !== null);
    const head = `SELECT ${distinct ? 'DISTINCT ' : ''}`;
    if (!qualify) return {sql: [`${head}${list(items)}`, ...body, ...rest].join('\n'), columns};
    // The condition is computed beside the columns, and looked at around them.
    const condition = {name: '_qualify', expr: {sql: this.expressions.condition(qualify, aliased), type: bool}};
    const inner = [`SELECT ${list([...items, condition])}`, ...body].join('\n');
    return {sql: [`${head}${items.map(item => this.quoted(item.name)).join(', ')}`, `FROM (\n${inner}\n) AS ${this.quoted('_windows')}`, `WHERE ${this.quoted('_qualify')}`, ...rest].join('\n'), columns};
  }

  // --- the SELECT list

  private items(node: Node, scope: Scope): Item[] {
    const aliases = new Map<string, Expr>();
    const items: Item[] = [];
    for (const child of nodes(node.select_list)) {
      if (child.class === 'STAR') {
        items.push(...this.star(child, scope));
        continue;
      }
      const expr = this.expressions.write(child, {...scope, aliases});
      const alias = String(child.alias ?? '');
      const name = alias !== '' ? alias : child.class === 'COLUMN_REF' ? texts(child.column_names).at(-1)! : this.nameFor(child);
      if (alias !== '') aliases.set(lower(alias), expr);
      if (expr.type.kind === 'interval') throw this.expressions.refuse('a column of intervals', 'is not in the portable core', child);
      items.push({name, expr: expr.literal === undefined ? expr : {...expr, literal: undefined}, node: child, named: alias !== ''});
    }
    return this.unique(items);
  }

  /** Names that occur twice get a number, as no engine lets them be used otherwise. */
  private unique(items: readonly Item[]): Item[] {
    const seen = new Set<string>();
    return items.map(item => {
      let name = item.name;
      for (let next = 1; seen.has(lower(name)); next++) name = `${item.name}_${next}`;
      seen.add(lower(name));
      return {...item, name};
    });
  }

  private nameFor(node: Node): string {
    return `_${typeof node.function_name === 'string' && /^\w+$/.test(node.function_name) ? node.function_name : 'column'}_${++this.unnamed}`;
  }

  private star(node: Node, scope: Scope): Item[] {
    if (node.columns === true || node.expr) throw this.expressions.refuse('COLUMNS', 'is not in the portable core', node);
    if (nodes(node.rename_list).length > 0) throw this.expressions.refuse('* RENAME', 'is not in the portable core', node);
    const relation = lower(node.relation_name);
    const excluded = new Set(texts(node.exclude_list).map(lower));
    const replaced = new Map((node.replace_list as readonly {key: string; value: Node}[]).map(({key, value}) => [lower(key), value]));
    const sources = relation === '' ? scope.sources : scope.sources.filter(source => source.name === relation);
    const shown = new Set<string>();
    const items: Item[] = [];
    for (const source of sources) {
      for (const column of source.columns) {
        const key = lower(column.name);
        const merged = relation === '' ? scope.merged.get(key) : undefined;
        if (excluded.has(key) || (merged && shown.has(key))) continue;
        if (merged) shown.add(key);
        const given = replaced.get(key);
        const expr = given ? this.expressions.write(given, scope) : merged ?? column;
        items.push({name: column.name, expr: {sql: expr.sql, type: expr.type}, node: null, named: false});
      }
    }
    return items;
  }

  // --- FROM

  private from(node: Node, names: Names, subquery: Scope['subquery']): {from: string; scope: Scope} {
    if (node.sample) throw this.expressions.refuse('TABLESAMPLE', 'gives other rows there', node);
    switch (node.type) {
      case 'BASE_TABLE': {
        const named = names.get(lower(node.table_name));
        if (!named) throw this.expressions.refuse(`'${String(node.table_name)}'`, 'is no relation of the statement', node);
        if (named.relation !== undefined) this.read.add(named.relation);
        return this.source(node, named.sql, String(node.alias || node.table_name), named.columns);
      }
      case 'SUBQUERY': {
        const written = this.query((node.subquery as {node: Node}).node, names, undefined);
        return this.source(node, `(\n${written.sql}\n)`, String(node.alias || `_from_${++this.unnamed}`), written.columns, node.alias ? undefined : '');
      }
      case 'JOIN':
        return this.join(node, names, subquery);
      case 'TABLE_FUNCTION':
        return this.series(node);
      case 'EXPRESSION_LIST':
        return this.values(node);
      default:
        throw this.expressions.refuse(String(node.type).replaceAll('_', ' '), 'is not in the portable core', node);
    }
  }

  /** `range` and `generate_series` between numbers of the statement. */
  private series(node: Node): {from: string; scope: Scope} {
    const call = node.function as Node;
    const name = lower(call.function_name);
    const refuse = (why: string) => this.expressions.refuse(`the table function '${name}'`, why, call, node);
    if ((name !== 'range' && name !== 'generate_series') || this.translation.dialect.engine !== 'spark' || node.with_ordinality === 'WITH_ORDINALITY') throw refuse('is not in the portable core for this engine');
    const bounds = nodes(call.children).map(child => this.expressions.write(child, emptyScope).literal);
    if (!bounds.every(bound => typeof bound === 'bigint')) throw refuse('takes whole numbers only');
    const [first, last, step] = bounds.length === 1 ? [0n, bounds[0]!, 1n] : [bounds[0]!, bounds[1]!, bounds[2] ?? 1n];
    if (step === 0n) throw refuse('takes a step other than 0');
    const end = name === 'range' ? last : last + (step > 0n ? 1n : -1n);
    const alias = String(node.alias || name);
    return this.source({...node, column_name_alias: [texts(node.column_name_alias)[0] ?? name]}, `range(${first}L, ${end}L, ${step}L)`, alias, [{name, type: int(64)}]);
  }

  private values(node: Node): {from: string; scope: Scope} {
    const rows = (node.values as readonly (readonly Node[])[]).map(row => row.map(value => this.expressions.write(value, emptyScope)));
    const columns = rows[0]!.map((_, index) => this.inPlace(node, () => together(rows.map(row => row[index]!), this.translation.dialect)));
    const names = columns.map((_, index) => texts(node.expected_names)[index] ?? `col${index}`);
    const lines = rows.map((_, row) => `SELECT ${columns.map((column, index) => `${unbracketed(column[row]!.sql)} AS ${this.quoted(names[index]!)}`).join(', ')}`);
    const own = columns.map((column, index) => ({name: names[index]!, type: column[0]!.type}));
    return this.source(node, `(\n${lines.join('\nUNION ALL ')}\n)`, String(node.alias || `_values_${++this.unnamed}`), own);
  }

  /** A relation under an alias, and under the column names that it may be given there. @param name by which its columns are asked for, where not by the alias */
  private source(node: Node, sql: string, alias: string, own: readonly {name: string; type: Type}[], name = lower(alias)): {from: string; scope: Scope} {
    const given = texts(node.column_name_alias);
    const quoted = this.quoted(alias);
    const columns: Column[] = own.map((column, index) => ({name: given[index] ?? column.name, type: column.type, sql: `${quoted}.${this.quoted(given[index] ?? column.name)}`}));
    const list = given.length > 0 ? ` (${columns.map(column => this.quoted(column.name)).join(', ')})` : '';
    return {from: sql === quoted && list === '' ? sql : `${sql} AS ${quoted}${list}`, scope: {sources: [{name, columns}], merged: new Map()}};
  }

  private join(node: Node, names: Names, subquery: Scope['subquery']): {from: string; scope: Scope} {
    const [left, right] = [this.from(node.left as Node, names, subquery), this.from(node.right as Node, names, subquery)];
    const type = String(node.join_type);
    const sources: readonly SourceColumns[] = [...left.scope.sources, ...right.scope.sources];
    const own = sources.map(source => source.name).filter(name => name !== '');
    if (new Set(own).size < own.length) throw this.expressions.refuse('a relation joined twice under one name', 'has to be given an alias', node);
    const merged = new Map([...left.scope.merged, ...right.scope.merged]);
    if (node.ref_type === 'CROSS') return {from: `${left.from}\nCROSS JOIN ${right.from}`, scope: {sources, merged}};
    const word = joins[type];
    if (word === undefined || (type === 'ANTI' && this.translation.dialect.engine === 'hive') || (node.ref_type !== 'REGULAR' && node.ref_type !== 'NATURAL')) throw this.expressions.refuse(`${String(node.ref_type)} ${type} JOIN`, 'is not in the portable core', node);
    const using = node.ref_type === 'NATURAL' ? this.common(left.scope, right.scope) : texts(node.using_columns);
    const conditions = using.map(name => {
      const [a, b] = [left, right].map(side => {
        const found = lookUp(side.scope, [name]);
        if (found === null || found === 'ambiguous') throw this.expressions.refuse(`USING (${name})`, 'is no column of both sides', node);
        return found.expr;
      }) as [Expr, Expr];
      merged.set(lower(name), {name, ...this.mergedColumn(a, b, type, node)});
      return this.inPlace(node, () => unbracketed(compared('=', a, b, this.translation.dialect).sql));
    });
    const scope: Scope = {sources: type === 'SEMI' || type === 'ANTI' ? left.scope.sources : sources, merged: type === 'SEMI' || type === 'ANTI' ? left.scope.merged : merged};
    const condition = nodeOrNull(node.condition);
    const on = condition ? this.expressions.condition(condition, {sources, merged, ...(subquery ? {subquery} : {})}) : conditions.join(' AND ');
    return {from: `${left.from}\n${word} ${(node.right as Node).type === 'JOIN' ? `(${right.from})` : right.from}${on === '' ? '' : ` ON ${on}`}`, scope};
  }

  private common(left: Scope, right: Scope): string[] {
    const others = new Set(right.sources.flatMap(source => source.columns.map(column => lower(column.name))));
    return [...new Set(left.sources.flatMap(source => source.columns.map(column => column.name)))].filter(name => others.has(lower(name)));
  }

  private mergedColumn(left: Expr, right: Expr, type: string, node: Node): Expr {
    if (type === 'RIGHT') return right;
    if (type !== 'FULL') return left;
    const [a, b] = this.inPlace(node, () => together([left, right], this.translation.dialect));
    return {sql: `coalesce(${a!.sql}, ${b!.sql})`, type: a!.type};
  }

  private inPlace<T>(node: Node, work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (error instanceof NotPortable) throw this.expressions.refuse(error.what ?? 'the join', error.why, node);
      throw error;
    }
  }

  // --- GROUP BY, ORDER BY, LIMIT

  private groupBy(node: Node, items: readonly Item[], aliased: Scope): string[] {
    const expressions = nodes(node.group_expressions);
    if (node.aggregate_handling === 'FORCE_AGGREGATES') {
      const keys = items.filter(item => !aggregated(item.node));
      return keys.length === 0 ? [] : [`GROUP BY ${keys.map(item => notPosition(item.expr.sql)).join(', ')}`];
    }
    if (expressions.length === 0) return [];
    const sets = node.group_sets as readonly (readonly number[])[];
    const keys = expressions.map(expression => notPosition(this.target(expression, items, () => this.expressions.write(expression, aliased).sql)));
    if (sets.length <= 1) return [`GROUP BY ${keys.join(', ')}`];
    return [`GROUP BY ${keys.join(', ')} GROUPING SETS (${sets.map(set => `(${set.map(index => keys[index]).join(', ')})`).join(', ')})`];
  }

  /** What a position in the SELECT list stands for. */
  private target(node: Node, items: readonly Item[], otherwise: () => string): string {
    const position = positionOf(node);
    if (position === null) return otherwise();
    const item = items[position - 1];
    if (!item) throw this.expressions.refuse(`position ${position}`, 'is none of the SELECT list', node);
    return item.expr.sql;
  }

  private orderAndLimit(modifiers: readonly Node[], items: readonly Item[], scope: Scope, namesOnly: boolean): string[] {
    const order = modifiers.find(modifier => modifier.type === 'ORDER_MODIFIER');
    const limit = modifiers.find(modifier => modifier.type === 'LIMIT_MODIFIER');
    const unknown = modifiers.find(modifier => !['ORDER_MODIFIER', 'LIMIT_MODIFIER', 'DISTINCT_MODIFIER'].includes(String(modifier.type)));
    if (unknown) throw this.expressions.refuse(String(unknown.type).replace('_MODIFIER', '').replace('_', ' '), 'is not in the portable core', unknown);
    const clauses: string[] = [];
    if (order) clauses.push(`ORDER BY ${orderItems(nodes(order.orders), node => this.orderKey(node, items, scope, namesOnly))}`);
    if (limit) {
      if (!order) throw this.expressions.refuse('LIMIT without ORDER BY', 'gives other rows there', nodeOrNull(limit.limit), nodeOrNull(limit.offset));
      for (const [word, value] of [['LIMIT', limit.limit], ['OFFSET', limit.offset]] as const) {
        const node = nodeOrNull(value);
        if (!node) continue;
        if (word === 'OFFSET' && this.translation.dialect.engine === 'hive') throw this.expressions.refuse(word, 'is not in the portable core for this engine', node);
        const count = this.expressions.write(node, emptyScope);
        if (typeof count.literal !== 'bigint' || count.literal < 0n || count.literal > 2_147_483_647n) throw this.expressions.refuse(word, 'has to be a number', node);
        clauses.push(`${word} ${count.literal}`);
      }
    }
    return clauses;
  }

  /** By the name of a column of the list where it is one: then no engine can take it for something else. */
  private orderKey(node: Node, items: readonly Item[], scope: Scope, namesOnly: boolean): string {
    const position = positionOf(node);
    const name = node.class === 'COLUMN_REF' && texts(node.column_names).length === 1 ? lower(texts(node.column_names)[0]) : null;
    const item = position === null ? items.find(one => lower(one.name) === name && name !== null) : items[position - 1];
    if (position !== null && !item) throw this.expressions.refuse(`position ${position}`, 'is none of the SELECT list', node);
    if (item) return this.quoted(item.name);
    if (node.class === 'STAR') throw this.expressions.refuse('ORDER BY ALL', 'is not in the portable core', node);
    const {sql} = this.expressions.write(node, scope);
    const same = items.find(one => one.expr.sql === sql);
    if (same) return this.quoted(same.name);
    if (namesOnly) throw this.expressions.refuse('ORDER BY', 'has to name columns of the result here', node);
    return notPosition(unbracketed(sql));
  }

  // --- UNION, EXCEPT, INTERSECT

  private setOperation(node: Node, names: Names, outer: Scope | undefined): Written {
    const word = setOperations[String(node.setop_type)];
    if (word === undefined) throw this.expressions.refuse(String(node.setop_type).replaceAll('_', ' '), 'is not in the portable core', node);
    const children = node.children ? nodes(node.children) : [node.left as Node, node.right as Node];
    const parts = children.map(child => this.query(child, names, outer));
    const columns = parts[0]!.columns.map((column, index) => ({name: column.name, type: this.inPlace(node, () => this.unionType(parts.map(part => part.columns[index]!.type)))}));
    const operands = parts.map(part => this.operand(part, columns));
    const sql = operands.join(`\n${word}${node.setop_all === true ? ' ALL' : ''}\n`);
    const modifiers = nodes(node.modifiers);
    if (modifiers.length === 0) return {sql, columns};
    const items: Item[] = columns.map(({name, type}) => ({name, expr: {sql: this.quoted(name), type}, node: null, named: true}));
    return {sql: [`SELECT * FROM (\n${sql}\n) AS ${this.quoted('_all')}`, ...this.orderAndLimit(modifiers, items, {...emptyScope, aliases: new Map(items.map(item => [lower(item.name), item.expr]))}, true)].join('\n'), columns};
  }

  private unionType(types: readonly Type[]): Type {
    return together(types.map(type => ({sql: '', type})), this.translation.dialect)[0]!.type;
  }

  /** One side of a set operation, its columns of the types of the result. */
  private operand(part: Written, columns: Written['columns']): string {
    const alike = part.columns.every((column, index) => sameType(column.type, columns[index]!.type));
    const alias = this.quoted('_part');
    if (alike) return `SELECT * FROM (\n${part.sql}\n) AS ${alias}`;
    const list = part.columns.map((column, index) => {
      const expr = cast({sql: `${alias}.${this.quoted(column.name)}`, type: column.type}, columns[index]!.type, this.translation.dialect, 'implicit');
      return `${expr.sql} AS ${this.quoted(columns[index]!.name)}`;
    });
    return `SELECT ${list.join(', ')} FROM (\n${part.sql}\n) AS ${alias}`;
  }
}

/** A number that stands for a column of the SELECT list. */
function positionOf(node: Node): number | null {
  const value = node.class === 'CONSTANT' ? node.value as {type: {id: string}; value: unknown} : null;
  return value?.type.id === 'INTEGER' && typeof value.value === 'number' ? value.value : null;
}

/** An expression that no engine takes for a position. */
const notPosition = (sql: string): string => (/^\d+$/.test(sql) ? `CAST(${sql} AS INT)` : sql);

/** Whether an expression has an aggregate in it. */
function aggregated(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(aggregated);
  if (value === null || typeof value !== 'object') return false;
  const node = value as Node;
  if (node.class === 'SUBQUERY') return false;
  return (node.class === 'FUNCTION' && isAggregate(lower(node.function_name))) || Object.values(node).some(aggregated);
}
