import type {GraphQLArgument} from 'graphql';
import {MillraceError} from '../../../core/errors.ts';
import {literal, identifier} from '../../../engines/sql-text.ts';
import type {DataType} from '../../../schemas/schema.ts';
import type {Bindings} from './bindings.ts';
import {jsonForm, jsonObject} from './columns.ts';
import {givenArguments} from './given.ts';
import type {CompileInput} from './plan.ts';
import type {RelationUse} from './relation.ts';
import {collectBelow} from './selection.ts';
import type {Collected} from './selection.ts';

/** The aggregates of one `aggregate { … }`: computed over rows by an inner SELECT, shown by the JSON object around it. */
export class Aggregates {
  private readonly computed = new Map<string, string>();

  constructor(
    private readonly relation: RelationUse,
    private readonly bindings: Bindings,
    private readonly input: CompileInput,
    private readonly countArguments: readonly GraphQLArgument[],
  ) {}

  /** The JSON object, of columns of `select`. */
  object(selected: Collected): string {
    const {input, relation} = this;
    return jsonObject(
      [...selected].map(([key, nodes]) => {
        const name = nodes[0]!.name.value;
        if (name === '__typename') return [key, literal(`${relation.shape.name}_aggregate_fields`)];
        if (name === 'count') {
          const args = givenArguments(this.countArguments, nodes[0]!, input.variables);
          const columns = (args.get('columns')?.value as readonly string[] | null | undefined) ?? [];
          return [key, this.add(count(columns.map(column => relation.column(column)), args.get('distinct')?.value === true))];
        }
        const columns = [...collectBelow(nodes, input.fragments, input.variables)].map(([columnKey, [node]]): [string, string] => {
          const column = node!.name.value;
          return [columnKey, column === '__typename' ? literal(`${relation.shape.name}_${name}_fields`) : this.column(name, column)];
        });
        return [key, jsonObject(columns)];
      }),
    );
  }

  /** The inner SELECT's list; there is at least one, so that there is one row. */
  select(): string {
    return this.computed.size === 0 ? 'count(*)' : [...this.computed].map(([expression, name]) => `${expression} AS ${name}`).join(', ');
  }

  private add(expression: string): string {
    const name = this.computed.get(expression) ?? `a${this.computed.size}`;
    this.computed.set(expression, name);
    return name;
  }

  private column(name: string, column: string): string {
    const member = this.relation.shape.members.get(column);
    if (member?.kind !== 'column') throw new MillraceError('INTERNAL', {reason: `no column ${column}`});
    const {type} = member.field;
    const x = this.relation.column(column);
    switch (name) {
      case 'sum':
        return type.kind === 'float' ? jsonForm(this.floatSum(column, type.bits), float64) : `${this.add(`sum(${x})`)}::VARCHAR`;
      case 'avg': {
        const sum = type.kind === 'float' ? this.floatSum(column, type.bits) : `${this.add(`sum(${x})`)}::DOUBLE`;
        return jsonForm(`(${sum} / ${this.add(`count(${x})`)})`, float64);
      }
      default:
        return jsonForm(this.add(`${name}(${x})`), type);
    }
  }

  /**
   * A sum of floats that is the same each time, whatever the order of the rows: values are put on a grid (a power of two, such that
   * the column's greatest stays below 2^61), which makes them integers, and those sum exactly. The grid depends on the snapshot only, not on the
   * rows chosen, so that sums of parts add up.
   */
  private floatSum(column: string, bits: 32 | 64): string {
    const {relation} = this;
    const dataset = relation.shape.name;
    const x = bits === 32 ? `${relation.column(column)}::DOUBLE` : relation.column(column);
    let scale = this.scales.get(column);
    if (scale === undefined) {
      scale = this.bindings.bind((_, facts) => facts.scale(dataset, column), 'DOUBLE');
      this.scales.set(column, scale);
      this.bindings.scaled.push({dataset, column});
    }
    const grid = relation.compute(`CASE WHEN isfinite(${identifier(column)}) THEN CAST(${identifier(column)}::DOUBLE * ${scale} AS BIGINT) END`);
    const [most, least, sum] = [this.add(`max(${x})`), this.add(`min(${x})`), this.add(`sum(${grid})`)];
    const special = `WHEN isnan(${most}) OR (isinf(${most}) AND isinf(${least}) AND ${most} > ${least}) THEN 'nan'::DOUBLE WHEN isinf(${most}) THEN ${most} WHEN isinf(${least}) THEN ${least}`;
    return `(CASE ${special} ELSE ${sum}::DOUBLE / ${scale} END)`;
  }

  private readonly scales = new Map<string, string>();
}

function count(columns: readonly string[], distinct: boolean): string {
  if (columns.length === 0) return 'count(*)';
  // As in PostgreSQL a row of several columns is never null itself.
  const counted = columns.length === 1 ? columns[0]! : `row(${columns.join(', ')})`;
  return `count(${distinct ? 'DISTINCT ' : ''}${counted})`;
}

const float64: DataType = {kind: 'float', bits: 64};
