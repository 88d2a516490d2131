import type {FieldNode} from 'graphql';
import {MillraceError} from '../../../core/errors.ts';
import {literal} from '../../../engines/sql-text.ts';
import {Aggregates, namedAggregates} from './aggregate.ts';
import {jsonObject} from './columns.ts';
import type {DataRoot} from './roots.ts';
import {allOf, combination, comparison, parts, refuseNull, rowCondition} from './filter.ts';
import type {FilterScope} from './filter.ts';
import {givenArguments} from './given.ts';
import type {Given} from './given.ts';
import {GroupKeys} from './group-keys.ts';
import type {GroupKey} from './group-keys.ts';
import {aggregatedStatement} from './live/aggregated.ts';
import {aggregateTerms, directionOf} from './ordering.ts';
import type {Answer, CompileInput} from './plan.ts';
import {RelatedJoins} from './related-joins.ts';
import type {RelationUse} from './relation.ts';
import {rowText} from './row-json.ts';
import {collectBelow} from './selection.ts';
import type {Collected} from './selection.ts';
import {StatementBuilder} from './statement-builder.ts';
import type {Arguments} from './statement-builder.ts';

/** `<dataset>_groups`: one statement, also with the rows of the groups. Its parts are public for whoever makes another statement of them. */
export function compileGroups(selected: Collected, root: DataRoot, args: Arguments, input: CompileInput): Answer {
  const builder = new StatementBuilder(input, input.graph.types.get(root.dataset)!.row.getFields());
  const groups = new GroupStatement(builder, root.dataset, args, input);
  const object = groups.object(selected);
  const {aggregates, keys: {keys}, relation} = groups;
  const statement = builder.statement(groups.sql(object));
  const keyColumns = keys.every(({path}) => relation.shape.members.get(path[0]!)?.kind === 'column') ? [...new Set(keys.map(({path}) => path[0]!))] : null;
  return {kind: 'text', statement: aggregatedStatement({statement, aggregates, alias: relation.alias, keyColumns, bounded: null}), single: false};
}

export class GroupStatement {
  readonly relation: RelationUse;
  readonly keys: GroupKeys;
  readonly aggregates: Aggregates;
  private readonly nodes: string[] = [];
  private readonly having: string;

  constructor(
    private readonly builder: StatementBuilder,
    dataset: string,
    private readonly args: Arguments,
    private readonly input: CompileInput,
  ) {
    this.relation = builder.use(dataset);
    builder.begin(this.relation, args);
    this.keys = new GroupKeys(input, builder);
    this.aggregates = new Aggregates(this.relation, builder, input);
    const having = args.get('having');
    this.having = having && !having.isNull ? groupCondition(having, this.aggregates, builder) : 'true';
  }

  /** The JSON object of a group, made of columns of `sql`'s groups. */
  object(selected: Collected): string {
    const {input, relation} = this;
    const below = (nodes: readonly FieldNode[]) => collectBelow(nodes, input.fragments, input.variables);
    const lists: (readonly FieldNode[])[] = [];
    const object = [...selected].map(([key, nodes]): [string, string] => {
      const name = nodes[0]!.name.value;
      if (name === '__typename') return [key, literal(`${relation.shape.name}_group`)];
      if (name === 'key') return [key, this.keys.object(below(nodes), relation.shape.name)];
      if (name === 'aggregate') return [key, this.aggregates.object(below(nodes))];
      return [key, `coalesce(n${lists.push(nodes) - 1}.list, '[]')::JSON`];
    });
    // Rows are found by the keys, so all keys have to be known.
    this.nodes.push(...lists.map((nodes, index) => this.nodesOf(nodes, `n${index}`)));
    return jsonObject(object);
  }

  /** The whole statement: the groups that fulfil `having`, in order, as one text; null when there are more than may be. */
  sql(object: string): string {
    const {maxRows} = this.input;
    const {keys} = this.keys;
    const order = [...this.ordering(), ...keys.map(({name}) => `${name} ASC NULLS LAST`)];
    const orderBy = order.length === 0 ? '' : ` ORDER BY ${order.join(', ')}`;
    const limit = this.builder.rowCount(this.args.get('limit'), 'limit', maxRows + 1) ?? String(maxRows + 1);
    const offset = this.builder.rowCount(this.args.get('offset'), 'offset', Infinity);
    const groups = this.groups(`WHERE ${this.having}${orderBy} LIMIT ${limit}${offset === null ? '' : ` OFFSET ${offset}`}`);
    const bounds = [`count(*) <= ${maxRows}`, ...this.nodes.map((_, index) => `coalesce(sum(n${index}.count), 0) <= ${maxRows}`)];
    const list = `'[' || coalesce(string_agg(to_json(${object})::VARCHAR, ','${orderBy}), '') || ']'`;
    return `WITH g AS ${this.nodes.length > 0 ? 'MATERIALIZED ' : ''}(${groups}) SELECT CASE WHEN ${bounds.join(' AND ')} THEN ${list} END AS json FROM g ${this.nodes.join(' ')}`;
  }

  /** Groups as rows: keys (`k0` …), partials and values. */
  private groups(rest: string): string {
    const {keys} = this.keys;
    const rows = keyedRows(this.relation, keys, this.args.get('where'), this.builder);
    return `SELECT * FROM ${this.aggregates.sql(rows, new Map(keys.map(({name}) => [name, `${this.relation.alias}."~g${name}"`])))} AS g ${rest}`;
  }

  private ordering(): string[] {
    const given = this.args.get('order_by');
    if (!given || given.isNull) return [];
    const terms: string[] = [];
    for (const order of given.items()) {
      if (order.isNull) continue;
      const key = order.entries().find(([name]) => name === 'key')?.[1];
      if (key && !key.isNull) terms.push(...this.keyTerms(key, []));
      terms.push(...aggregateTerms(order, this.relation.shape, this.builder.settings, make => make(this.aggregates)).map(({expression, direction}) => `${expression} ${direction}`));
    }
    return terms;
  }

  /** By the keys that the selection makes of a column. */
  private keyTerms(given: Given, path: readonly string[]): string[] {
    return given.entries().flatMap(([name, value]): string[] => {
      if (value.isNull) return [];
      const here = [...path, name];
      if (typeof value.value === 'object') return this.keyTerms(value, here);
      const found = this.keys.keys.filter(key => key.path.join('.') === here.join('.'));
      if (found.length === 0) throw new MillraceError('ARGUMENT_INVALID', {name: `order_by.key.${here.join('.')}`, reason: 'it is no key; select it in `key`.'});
      return found.map(key => `${key.name} ${directionOf(value)}`);
    });
  }

  /** The rows of each group as a list, joined by the groups' keys. */
  private nodesOf(nodes: readonly FieldNode[], alias: string): string {
    const {builder, input} = this;
    const {keys} = this.keys;
    const types = input.graph.types.get(this.relation.shape.name)!;
    const args = givenArguments(types.group.getFields().nodes!.args, nodes[0]!, input.variables);
    const row = builder.use(this.relation.shape.name);
    return builder.nested(() => {
      const shown = builder.object(collectBelow(nodes, input.fragments, input.variables), row, types.row.getFields());
      const chosen = builder.choose(row, args, false);
      const same = keys.map(({name}) => `${row.alias}."~g${name}" IS NOT DISTINCT FROM g.${name}`).join(' AND ');
      const columns = keys.map(({name}) => `${row.alias}."~g${name}"`);
      return joins => {
        const list = `'[' || string_agg(${rowText(shown)}, ',' ORDER BY ${builder.orderOf(row, chosen)}) || ']' AS list, count(*) AS count`;
        const where = this.args.get('where');
        const related = new RelatedJoins(builder);
        const extra = keys.map(({name, expression}) => `, ${expression(row, related)} AS "~g${name}"`).join('');
        const condition = where && !where.isNull ? rowCondition(where, row, builder) : 'true';
        const inGroups = keys.length === 0 ? 'true' : `EXISTS (SELECT 1 FROM g WHERE ${same})`;
        const keyed = {...chosen, condition, order: {...chosen.order, joins: [...chosen.order.joins, ...related.sql()]}};
        const rows = builder.numberedRows(row, keyed, {extra, where: inGroups, partition: keys.map(({name}) => `"~g${name}"`), most: input.maxRows + 1});
        const grouped = `SELECT ${[...columns, list].join(', ')} FROM ${[rows, ...joins].join(' ')}${columns.length === 0 ? '' : ` GROUP BY ${columns.map((_, index) => index + 1).join(', ')}`}`;
        return `LEFT JOIN (${grouped}) AS ${alias} ON ${keys.map(({name}) => `${alias}."~g${name}" IS NOT DISTINCT FROM g.${name}`).join(' AND ') || 'true'}`;
      };
    });
  }
}

/** The rows that `where` chooses with their keys as columns (`"~gk0"` …), under the relation's alias. */
export function keyedRows(relation: RelationUse, keys: readonly GroupKey[], where: Given | undefined, builder: StatementBuilder): string {
  const joins = new RelatedJoins(builder);
  const extra = keys.map(({name, expression}) => `, ${expression(relation, joins)} AS "~g${name}"`).join('');
  const condition = where && !where.isNull ? rowCondition(where, relation, builder) : 'true';
  return builder.chosenRows(relation, {condition, order: {keys: [], joins: joins.sql()}, limit: null, offset: null, extra});
}

/** A condition on a group's aggregates, with three values as those on rows. */
export function groupCondition(having: Given, aggregates: Aggregates, scope: FilterScope): string {
  return allOf(
    parts(having, 'having').map(([name, given]) => {
      const combined = combination(name, given, inner => groupCondition(inner, aggregates, scope));
      if (combined !== null) return combined;
      if (name === 'count') {
        const {sql, type} = aggregates.count();
        return comparison(given, sql, type, 'having.count', scope);
      }
      refuseNull(given, `having.${name}`);
      return allOf(namedAggregates(name, given, aggregates.relation.shape, scope.settings).map(({path, given: condition, of}) => {
        const {sql, type} = of(aggregates);
        return comparison(condition, sql, type, `having.${path}`, scope);
      }));
    }),
  );
}
