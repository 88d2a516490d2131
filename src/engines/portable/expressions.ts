/** Expressions, from the parser's tree into a remote engine's words. */
import type {MillraceError} from '../../core/errors.ts';
import type {SqlValue} from '../engine.ts';
import {cast, decimalLiteral, doubleLiteral, integerLiteral, literalOf} from './casts.ts';
import type {Dialect} from './dialect.ts';
import {callOf, fill, tableOf} from './entries.ts';
import {NotPortable} from './expr.ts';
import type {Expr} from './expr.ts';
import {aggregates} from './functions/aggregates.ts';
import {numberFunctions} from './functions/numbers.ts';
import {arithmetic, compared, concatenation, together} from './functions/operators.ts';
import {elapsedSeconds, spanCall, spanLiteral} from './functions/spans.ts';
import {textFunctions} from './functions/text.ts';
import {timeFunctions} from './functions/times.ts';
import {lookUp} from './scope.ts';
import type {Scope} from './scope.ts';
import {lower, nodeOrNull, nodes, texts} from './syntax.ts';
import type {Node, ParsedType, Source} from './syntax.ts';
import {bool, date, decimal, double, float, hugeint, int, sameType, timestamp, timestamptz, untyped, utf8} from './types.ts';
import type {Type} from './types.ts';
import {orderItems, windowOf} from './windows.ts';

export const scalarTable = tableOf(textFunctions, numberFunctions, timeFunctions);
export const aggregateTable = tableOf(aggregates);

export const isAggregate = (name: string): boolean => name === 'count_star' || joining.has(name) || aggregateTable.has(name);

const joining = new Set(['string_agg', 'listagg', 'group_concat']);
/** Aggregates that do not depend on the order of the rows. */
const indifferent = new Set(['count', 'sum', 'min', 'max', 'bool_and', 'bool_or', 'count_if', 'count_star']);

/** A translation under way. */
export interface Translation {
  readonly source: Source;
  readonly dialect: Dialect;
  readonly params: readonly SqlValue[];
}

const comparisons: Readonly<Record<string, string>> = {
  COMPARE_EQUAL: '=', COMPARE_NOTEQUAL: '<>', COMPARE_LESSTHAN: '<', COMPARE_GREATERTHAN: '>', COMPARE_LESSTHANOREQUALTO: '<=', COMPARE_GREATERTHANOREQUALTO: '>=',
  COMPARE_NOT_DISTINCT_FROM: '<=>', COMPARE_DISTINCT_FROM: '<=>',
};

const typesByName: Readonly<Record<string, Type>> = {
  BOOLEAN: bool, TINYINT: int(8), SMALLINT: int(16), INTEGER: int(32), BIGINT: int(64), HUGEINT: hugeint, FLOAT: float, DOUBLE: double, VARCHAR: utf8, DATE: date,
  TIMESTAMP: timestamp, 'TIMESTAMP WITH TIME ZONE': timestamptz, BLOB: {kind: 'binary'},
};

const arithmeticOperators = new Set(['+', '-', '*', '/', '//', '%', 'mod']);

export class Expressions {
  readonly dialect: Dialect;

  constructor(private readonly translation: Translation) {
    this.dialect = translation.dialect;
  }

  /** @throws SQL_NOT_PORTABLE */
  write(node: Node, scope: Scope): Expr {
    try {
      return this.written(node, scope);
    } catch (error) {
      if (error instanceof NotPortable) throw this.refusal(node, error);
      throw error;
    }
  }

  /** A condition of WHERE, HAVING, ON or FILTER. */
  condition(node: Node, scope: Scope): string {
    const expr = this.write(node, {...scope, filter: 'conjunct'});
    return unbracketed(expr.type.kind === 'bool' ? expr.sql : this.attempt(node, () => cast(expr, bool, this.translation.dialect, 'explicit').sql));
  }

  refuse(what: string, why: string, ...places: readonly (Node | null | undefined)[]): MillraceError {
    return this.translation.source.refusal(what, why, ...places);
  }

  private refusal(node: Node, error: NotPortable): MillraceError {
    return this.refuse(error.what ?? constructOf(node), error.why, node);
  }

  private attempt<T>(node: Node, work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (error instanceof NotPortable) throw this.refusal(node, error);
      throw error;
    }
  }

  private written(node: Node, around: Scope): Expr {
    const {dialect} = this.translation;
    const scope = within(node, around);
    const write = (value: unknown) => this.write(value as Node, scope);
    switch (node.class) {
      case 'COLUMN_REF':
        return this.column(node, scope);
      case 'CONSTANT':
        return this.constant(node);
      case 'PARAMETER':
        return literalOf(this.translation.params[Number(node.identifier) - 1] ?? null, dialect);
      case 'CAST':
        return this.castNode(node, scope);
      case 'COMPARISON': {
        const operator = comparisons[String(node.type)];
        if (operator === undefined) throw new NotPortable('is not in the portable core');
        const expr = compared(operator, write(node.left), write(node.right), dialect);
        return node.type === 'COMPARE_DISTINCT_FROM' ? {...expr, sql: `(NOT ${expr.sql})`} : expr;
      }
      case 'BETWEEN': {
        const [value, low, high] = together([write(node.input), write(node.lower), write(node.upper)], dialect);
        return {sql: `(${value!.sql} BETWEEN ${low!.sql} AND ${high!.sql})`, type: bool};
      }
      case 'CONJUNCTION':
        return {sql: `(${nodes(node.children).map(child => this.truth(child, scope)).join(node.type === 'CONJUNCTION_AND' ? ' AND ' : ' OR ')})`, type: bool};
      case 'OPERATOR':
        return this.operator(node, scope);
      case 'CASE':
        return this.caseNode(node, scope);
      case 'FUNCTION':
        return this.call(node, scope);
      case 'WINDOW':
        return windowOf(node, scope, this);
      case 'SUBQUERY':
        return this.subquery(node, around);
      default:
        throw new NotPortable('is not in the portable core');
    }
  }

  /** A condition as an operand. */
  private truth(node: Node, scope: Scope): string {
    const expr = this.write(node, scope);
    return expr.type.kind === 'bool' ? expr.sql : this.attempt(node, () => cast(expr, bool, this.translation.dialect, 'explicit').sql);
  }

  private column(node: Node, scope: Scope): Expr {
    const names = texts(node.column_names);
    const found = lookUp(scope, names);
    if (found === null || found === 'ambiguous') throw new NotPortable(found === null ? 'is no column that can be followed here' : 'may mean several columns', `'${names.join('.')}'`);
    let {expr} = found;
    for (const name of names.slice(found.taken)) expr = this.member(expr, name);
    return expr;
  }

  private member(expr: Expr, name: string): Expr {
    const field = expr.type.kind === 'struct' ? expr.type.fields.find(one => one.name.toLowerCase() === name.toLowerCase()) : undefined;
    if (!field) throw new NotPortable('is no member of a struct', `'${name}'`);
    return {sql: `${expr.sql}.${this.translation.dialect.identifier(field.name)}`, type: field.type};
  }

  private constant(node: Node): Expr {
    const {dialect, source} = this.translation;
    const {type, is_null, value} = node.value as {type: ParsedType; is_null: boolean; value: unknown};
    if (is_null) return {sql: 'NULL', type: untyped};
    switch (type.id) {
      case 'BOOLEAN':
        return {sql: value === true ? 'TRUE' : 'FALSE', type: bool};
      case 'VARCHAR':
        return literalOf(String(value), dialect);
      case 'TINYINT':
      case 'SMALLINT':
      case 'INTEGER':
        return integerLiteral(BigInt(value as number), int(32), dialect);
      // JSON's numbers have lost digits: the statement still has them.
      case 'BIGINT':
      case 'HUGEINT': {
        const digits = /^[+-]?\s*[0-9_]+/.exec(source.at(node))?.[0].replace(/[\s_]/g, '');
        const exact = typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : digits === undefined ? undefined : BigInt(digits);
        if (exact === undefined) throw new NotPortable('cannot be read again', 'the number');
        return integerLiteral(exact, type.id === 'BIGINT' ? int(64) : hugeint, dialect);
      }
      case 'DECIMAL': {
        const {width, scale} = type.type_info as unknown as {width: number; scale: number};
        const text = typeof value === 'number' && Number.isSafeInteger(value) ? pointed(BigInt(value), scale) : /^[+-]?\s*[0-9_.]+/.exec(source.at(node))?.[0].replace(/[\s_]/g, '');
        if (text === undefined) throw new NotPortable('cannot be read again', 'the number');
        return decimalLiteral(text, width, scale, dialect);
      }
      case 'DOUBLE':
        return doubleLiteral(Number(value), double, dialect);
      default:
        throw new NotPortable(`of type ${type.id} is not in the portable core`, 'a literal');
    }
  }

  private castNode(node: Node, scope: Scope): Expr {
    const parsed = node.cast_type as ParsedType;
    if (parsed.id === 'INTERVAL') {
      const {literal} = this.write(node.child as Node, scope);
      if (typeof literal !== 'string') throw new NotPortable('is not in the portable core', 'CAST to INTERVAL');
      return spanLiteral(literal);
    }
    const to = this.typeOf(parsed);
    if (node.try_cast === true) throw new NotPortable('gives other values there', 'TRY_CAST');
    return cast(this.write(node.child as Node, scope), to, this.translation.dialect, 'explicit');
  }

  private typeOf(parsed: ParsedType): Type {
    const info = parsed.type_info;
    if (parsed.id === 'DECIMAL' && info) return decimal(Number(info.width), Number(info.scale));
    if (parsed.id === 'UNBOUND' || parsed.id === 'USER') {
      const known = typesByName[String(info?.name ?? info?.user_type_name).toUpperCase()];
      if (known) return known;
    }
    const type = typesByName[parsed.id];
    if (!type) throw new NotPortable('is not in the portable core', `CAST to ${String(info?.name ?? parsed.id)}`);
    return type;
  }

  private operator(node: Node, scope: Scope): Expr {
    const {dialect} = this.translation;
    const children = nodes(node.children);
    const write = (child: Node) => this.write(child, scope);
    switch (node.type) {
      case 'OPERATOR_IS_NULL':
      case 'OPERATOR_IS_NOT_NULL':
        return {sql: `(${write(children[0]!).sql} IS ${node.type === 'OPERATOR_IS_NULL' ? '' : 'NOT '}NULL)`, type: bool};
      case 'OPERATOR_NOT':
        return {sql: `(NOT ${this.truth(children[0]!, scope)})`, type: bool};
      case 'COMPARE_IN':
      case 'COMPARE_NOT_IN': {
        const [value, ...options] = together(children.map(write), dialect);
        return {sql: `(${value!.sql} ${node.type === 'COMPARE_IN' ? '' : 'NOT '}IN (${options.map(option => option.sql).join(', ')}))`, type: bool};
      }
      case 'OPERATOR_COALESCE': {
        const all = together(children.map(write), dialect);
        return {sql: `coalesce(${all.map(one => one.sql).join(', ')})`, type: all[0]!.type};
      }
      default:
        throw new NotPortable('is not in the portable core');
    }
  }

  private caseNode(node: Node, scope: Scope): Expr {
    const checks = node.case_checks as readonly {when_expr: Node; then_expr: Node}[];
    const values = together([...checks.map(check => this.write(check.then_expr, scope)), this.write(node.else_expr as Node, scope)], this.translation.dialect);
    const branches = checks.map((check, index) => `WHEN ${unbracketed(this.truth(check.when_expr, scope))} THEN ${values[index]!.sql}`);
    return {sql: `CASE ${branches.join(' ')} ELSE ${values.at(-1)!.sql} END`, type: values[0]!.type};
  }

  private call(node: Node, scope: Scope): Expr {
    const {dialect} = this.translation;
    const name = lower(node.function_name);
    if (isAggregate(name)) return this.aggregate(node, name, scope, '');
    const span = spanCall(name, node, child => this.write(child, scope), dialect);
    if (span) return span;
    const args = nodes(node.children).map(child => this.write(child, scope));
    if (name === 'epoch' && args[0]?.elapsed !== undefined) return elapsedSeconds(args[0])!;
    if (arithmeticOperators.has(name)) {
      const expr = arithmetic(name, args, dialect);
      if (expr) return expr;
    }
    if (name === '||') return concatenation(args, dialect);
    const expr = callOf(scalarTable, name, args, dialect);
    if (!expr) throw new NotPortable('is not in the portable core');
    // Null, or not zero.
    return name === 'nullif' && args[1]!.literal === 0n ? {...expr, nonZero: true} : expr;
  }

  /** Texts in an order, with something between them. */
  private joined(node: Node, orders: readonly Node[], scope: Scope, over: string): Expr {
    const {dialect} = this.translation;
    if (dialect.engine !== 'spark' || over !== '') throw new NotPortable('is not in the portable core here');
    if (orders.length === 0) throw new NotPortable('depends on the order of the rows; give it an ORDER BY');
    const [value, between] = nodes(node.children).map(child => cast(this.write(child, scope), utf8, dialect, 'implicit'));
    const filter = nodeOrNull(node.filter);
    const sql = `listagg(${node.distinct === true ? 'DISTINCT ' : ''}${value!.sql}, ${between?.sql ?? "','"}) WITHIN GROUP (ORDER BY ${orderItems(orders, key => this.write(key, scope).sql)})`;
    return {sql: filter === null ? sql : `${sql} FILTER (WHERE ${this.condition(filter, scope)})`, type: utf8};
  }

  private subquery(node: Node, scope: Scope): Expr {
    const {dialect} = this.translation;
    const {sql, columns} = scope.subquery!((node.subquery as {node: Node}).node, scope);
    switch (node.subquery_type) {
      case 'SCALAR':
        return {sql: `(\n${sql}\n)`, type: columns[0]!.type};
      case 'EXISTS':
      case 'NOT_EXISTS':
        return {sql: `(${node.subquery_type === 'EXISTS' ? '' : 'NOT '}EXISTS (\n${sql}\n))`, type: bool};
      case 'ANY': {
        if (scope.filter === undefined) throw new NotPortable('of a subquery is null for some values here, which it is not there; use it in WHERE, beside AND, or write EXISTS', 'IN');
        if (node.comparison_type !== 'COMPARE_EQUAL') throw new NotPortable('is not in the portable core; it has IN and = ANY', 'ANY');
        const value = this.write(node.child as Node, scope);
        const type = columns[0]!.type;
        const [own] = together([value, {sql: '', type}], dialect);
        if (!sameType(own!.type, type)) throw new NotPortable('compares values of different types; write a CAST', 'IN');
        return {sql: `(${own!.sql} IN (\n${sql}\n))`, type: bool};
      }
      default:
        throw new NotPortable('is not in the portable core');
    }
  }

  /** @param over the text after the aggregate that makes it one of a window */
  aggregate(node: Node, name: string, scope: Scope, over: string): Expr {
    const {dialect} = this.translation;
    if (!isAggregate(name)) throw new NotPortable('is not in the portable core');
    const orders = nodes((nodeOrNull(node.order_bys) ?? {}).orders);
    if (joining.has(name)) return this.joined(node, orders, scope, over);
    if (orders.length > 0 && !indifferent.has(name)) throw new NotPortable('with ORDER BY is not in the portable core');
    const filter = nodeOrNull(node.filter ?? node.filter_expr);
    const condition = filter === null ? null : this.condition(filter, scope);
    const distinct = node.distinct === true ? 'DISTINCT ' : '';
    const finish = (template: string, given: readonly Expr[]) => template.replace(/(\w+)\[([^\]]*)\]/g, (_, function_: string, inner: string) => {
      const arg = fill(inner, given);
      if (condition === null) return `${function_}(${distinct}${arg})${over}`;
      // Spark has no FILTER in windows.
      if (dialect.engine === 'spark' && over === '') return `${function_}(${distinct}${arg}) FILTER (WHERE ${condition})${over}`;
      return `${function_}(${distinct}CASE WHEN ${condition} THEN ${arg === '*' ? '1' : arg} END)${over}`;
    });
    if (name === 'count_star' || (name === 'count' && nodes(node.children).length === 0)) return {sql: finish('count[*]', []), type: int(64)};
    const args = nodes(node.children).map(child => this.write(child, scope));
    return callOf(aggregateTable, name, args, dialect, finish)!;
  }
}

/** Whether what stands in a node is part of a filter, which takes null for false: there IN means the same on every engine. */
function within(node: Node, scope: Scope): Scope {
  const {filter} = scope;
  if (filter === undefined) return scope;
  if (node.type === 'CONJUNCTION_AND') return scope;
  if (node.type === 'CONJUNCTION_OR') return {...scope, filter: 'part'};
  if (node.type === 'OPERATOR_NOT' && filter === 'conjunct' && nodes(node.children)[0]!.class === 'SUBQUERY') return scope;
  return {...scope, filter: undefined};
}

/** An integer of so many digits after the point, as text. */
function pointed(value: bigint, scale: number): string {
  const digits = String(value < 0n ? -value : value).padStart(scale + 1, '0');
  return `${value < 0n ? '-' : ''}${digits.slice(0, digits.length - scale)}${scale > 0 ? `.${digits.slice(digits.length - scale)}` : ''}`;
}

/** Without the brackets around the whole. */
export function unbracketed(sql: string): string {
  if (!sql.startsWith('(') || sql.startsWith('(\n') || !sql.endsWith(')')) return sql;
  let depth = 0;
  for (let at = 0; at < sql.length - 1; at++) {
    const char = sql[at];
    if (char === "'" || char === '`') {
      at++;
      while (at < sql.length && sql[at] !== char) at += sql[at] === '\\' && char === "'" ? 2 : 1;
    } else if (char === '(') depth++;
    else if (char === ')' && --depth === 0) return sql;
  }
  return sql.slice(1, -1);
}

/** What a node is, to people. */
function constructOf(node: Node): string {
  if (typeof node.function_name === 'string') return node.is_operator === true ? `the operator ${node.function_name}` : `the function '${node.function_name}'`;
  const words: Readonly<Record<string, string>> = {CASE: 'CASE', CAST: 'CAST', COMPARISON: 'a comparison', BETWEEN: 'BETWEEN', COLUMN_REF: 'a column', SUBQUERY: 'a subquery', STAR: '*', LAMBDA: 'a lambda'};
  return words[String(node.class)] ?? String(node.type).replace(/^(OPERATOR|COMPARE)_/, '').replaceAll('_', ' ');
}

