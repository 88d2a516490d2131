import {getNamedType} from 'graphql';
import type {GraphQLFieldMap} from 'graphql';
import {MillraceError} from '../../../core/errors.ts';
import {literal} from '../../../engines/sql-text.ts';
import type {DataType} from '../../../schemas/schema.ts';
import {aggregateFunctions} from './aggregate-functions.ts';
import type {Merge, Operand, Partial, Typed} from './aggregate-functions.ts';
import type {Bindings} from './bindings.ts';
import {jsonForm, jsonObject} from './columns.ts';
import {givenArguments} from './given.ts';
import type {CompileInput} from './plan.ts';
import type {RelationUse} from './relation.ts';
import {collectBelow} from './selection.ts';
import type {Collected} from './selection.ts';

const int32: DataType = {kind: 'int', bits: 32, signed: true};

/** Aggregates of one relation's rows, as they are asked for: selected, compared, or ordered by. */
export class Aggregates {
  private readonly partialNames = new Map<string, Partial>();
  private readonly values = new Map<string, string>();
  private readonly scales = new Map<string, string>();
  private readonly fields: GraphQLFieldMap<unknown, unknown>;

  constructor(
    private readonly relation: RelationUse,
    private readonly bindings: Bindings,
    private readonly input: CompileInput,
  ) {
    this.fields = input.graph.types.get(relation.shape.name)!.aggregateFields.getFields();
  }

  /** What has to be computed over rows. */
  get partials(): readonly Partial[] {
    return [...this.partialNames.values()];
  }

  /** The JSON object of a selection of `…_aggregate_fields`, made of columns of `sql`. */
  object(selected: Collected): string {
    const {input, relation} = this;
    return jsonObject(
      [...selected].map(([key, nodes]): [string, string] => {
        const name = nodes[0]!.name.value;
        if (name === '__typename') return [key, literal(`${relation.shape.name}_aggregate_fields`)];
        const field = this.fields[name]!;
        if (name === 'count') {
          const args = givenArguments(field.args, nodes[0]!, input.variables);
          return [key, this.count((args.get('columns')?.value as readonly string[] | null | undefined) ?? [], args.get('distinct')?.value === true).sql];
        }
        const columns = [...collectBelow(nodes, input.fragments, input.variables)].map(([columnKey, [node]]): [string, string] => {
          const column = node!.name.value;
          if (column === '__typename') return [columnKey, literal(getNamedType(field.type).name)];
          const {sql, type} = this.value(name, column);
          return [columnKey, jsonForm(sql, type)];
        });
        return [key, jsonObject(columns)];
      }),
    );
  }

  /** Rows; of one column those where it is not null. As in PostgreSQL a row of several columns is never null itself. */
  count(columns: readonly string[] = [], distinct = false): Typed {
    const operands = columns.map(column => this.relation.column(column));
    const counted = operands.length === 0 ? '*' : operands.length === 1 ? operands[0]! : `row(${operands.join(', ')})`;
    return this.named(operands.length === 0 || !distinct ? this.add(`count(${counted})`, 'sum') : this.add(`count(DISTINCT ${counted})`, null), int32);
  }

  /** One function of one column. */
  value(name: string, column: string): Typed {
    const operand = this.operand(column);
    const {result, value} = aggregateFunctions[name]!;
    return this.named(value(operand, this.add), result(operand.type));
  }

  /**
   * The aggregated rows as a relation for a FROM: `keys` (columns of `rows`, SQL name by name in the result), partials and values. `rows` is the
   * relation's own alias. Without keys there is one row.
   */
  sql(rows: string, keys: ReadonlyMap<string, string> = new Map()): string {
    const names = [...keys].map(([name, expression]) => `${expression} AS ${name}`);
    const partials = this.partials.map(({name, sql}) => `${sql} AS ${name}`);
    const groups = names.length === 0 ? '' : ` GROUP BY ${names.map((_, index) => index + 1).join(', ')}`;
    return this.valuesOf(`(SELECT ${[...names, ...partials].join(', ') || 'count(*)'} FROM ${rows}${groups})`);
  }

  /** Partials, wherever they come from, with the values made of them. */
  valuesOf(partials: string): string {
    return this.values.size === 0 ? partials : `(SELECT *, ${[...this.values].map(([sql, name]) => `${sql} AS ${name}`).join(', ')} FROM ${partials})`;
  }

  private operand(column: string): Operand {
    const member = this.relation.shape.members.get(column);
    if (member?.kind !== 'column') throw new MillraceError('INTERNAL', {reason: `no column ${column}`});
    return {sql: this.relation.column(column), type: member.field.type, scale: () => this.scale(column)};
  }

  private scale(column: string): string {
    const dataset = this.relation.shape.name;
    let scale = this.scales.get(column);
    if (scale === undefined) {
      scale = this.bindings.bind((_, facts) => facts.scale(dataset, column), 'DOUBLE');
      this.scales.set(column, scale);
      this.bindings.scaled.push({dataset, column});
    }
    return scale;
  }

  private readonly add = (sql: string, merge: Merge): string => {
    let partial = this.partialNames.get(sql);
    if (!partial) this.partialNames.set(sql, (partial = {name: `a${this.partialNames.size}`, sql, merge}));
    return partial.name;
  };

  /** A value under a name of its own, so that what is made of it (JSON, conditions) does not repeat it. */
  private named(sql: string, type: DataType): Typed {
    if (/^a\d+$/.test(sql)) return {sql, type};
    const name = this.values.get(sql) ?? `v${this.values.size}`;
    this.values.set(sql, name);
    return {sql: name, type};
  }
}
