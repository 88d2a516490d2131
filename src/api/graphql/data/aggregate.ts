import {getNamedType} from 'graphql';
import type {FieldNode, GraphQLField, GraphQLFieldMap, GraphQLObjectType} from 'graphql';
import {MillraceError} from '../../../core/errors.ts';
import {literal} from '../../../engines/sql-text.ts';
import type {DataType} from '../../../schemas/schema.ts';
import {aggregateFunctions} from './aggregate-functions.ts';
import type {Making, Operand, Partial, Typed} from './aggregate-parts.ts';
import {jsonForm, jsonObject} from './columns.ts';
import type {FilterScope} from './filter.ts';
import {givenArguments} from './given.ts';
import type {Given} from './given.ts';
import type {GraphPrediction} from './graph-model.ts';
import type {CompileInput} from './plan.ts';
import {settingsOf} from './predictions/asked.ts';
import type {PredictionSettings} from './predictions/asked.ts';
import type {RelationUse} from './relation.ts';
import {collectBelow} from './selection.ts';
import type {Collected} from './selection.ts';
import type {DatasetShape, Member} from './shape.ts';

const int32: DataType = {kind: 'int', bits: 32, signed: true};

/** Aggregates of one relation's rows, as they are asked for: selected, compared, or ordered by. */
export class Aggregates {
  private readonly partialNames = new Map<string, Partial>();
  private readonly values = new Map<string, string>();
  private readonly scales = new Map<string, string>();
  private readonly fields: GraphQLFieldMap<unknown, unknown>;
  /** What `sql` aggregated: its SELECT of keys and partials, and what that was made of. */
  source: {readonly rows: string; readonly keys: ReadonlyMap<string, string>; readonly sql: string} | null = null;

  constructor(
    readonly relation: RelationUse,
    private readonly scope: Pick<FilterScope, 'bindings' | 'settings'>,
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
        const fraction = this.fractionOf(field, nodes[0]!);
        const columns = [...collectBelow(nodes, input.fragments, input.variables)].map(([columnKey, columnNodes]): [string, string] => {
          const column = columnNodes[0]!.name.value;
          if (column === '__typename') return [columnKey, literal(getNamedType(field.type).name)];
          if (relation.shape.members.get(column)?.kind === 'prediction') return [columnKey, this.prediction(name, column, columnNodes, field, fraction)];
          const {sql, type} = this.value(name, column, fraction);
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
    return {sql: operands.length === 0 || !distinct ? this.partial(`count(${counted})`, 'sum') : this.partial(`count(DISTINCT ${counted})`, null), type: int32};
  }

  /** One function of one column; `fraction`: what a function that needs one is called with. */
  value(name: string, column: string, fraction = ''): Typed {
    return this.applied(name, this.operand(column), fraction);
  }

  /** One function of an output of a prediction. */
  ofPrediction(name: string, prediction: GraphPrediction, settings: PredictionSettings, output: string, fraction = ''): Typed {
    const {expression, type} = this.relation.output(prediction, settings, output);
    return this.applied(name, {sql: expression, type, scale: null}, fraction);
  }

  private applied(name: string, operand: Operand, fraction: string): Typed {
    const {result, value} = aggregateFunctions[name]!;
    return {sql: this.step(value(operand, this.making, () => fraction)), type: result(operand.type)};
  }

  private prediction(name: string, column: string, nodes: readonly FieldNode[], aggregate: GraphQLField<unknown, unknown>, fraction: string): string {
    const {input} = this;
    const member = this.relation.shape.members.get(column) as Extract<Member, {kind: 'prediction'}>;
    const field = (getNamedType(aggregate.type) as GraphQLObjectType).getFields()[column]!;
    const settings = settingsOf(givenArguments(field.args, nodes[0]!, input.variables), this.scope.settings);
    return jsonObject(
      [...collectBelow(nodes, input.fragments, input.variables)].map(([key, [node]]): [string, string] => {
        const output = node!.name.value;
        if (output === '__typename') return [key, literal(getNamedType(field.type).name)];
        const {sql, type} = this.ofPrediction(name, member.prediction, settings, output, fraction);
        return [key, jsonForm(sql, type)];
      }),
    );
  }

  private fractionOf({args}: GraphQLField<unknown, unknown>, node: FieldNode): string {
    const given = givenArguments(args, node, this.input.variables).get('q');
    if (!given) return '';
    return this.scope.bindings.bind(variables => {
      const fraction = given.read(variables) as number;
      if (!(fraction >= 0 && fraction <= 1)) throw new MillraceError('ARGUMENT_INVALID', {name: 'q', reason: 'a fraction lies between 0 and 1.'});
      return fraction;
    }, 'DOUBLE');
  }

  /**
   * The aggregated rows as a relation for a FROM: `keys` (columns of `rows`, SQL name by name in the result), partials and values. `rows` is the
   * relation's own alias. Without keys there is one row.
   */
  sql(rows: string, keys: ReadonlyMap<string, string> = new Map()): string {
    const names = [...keys].map(([name, expression]) => `${expression} AS ${name}`);
    const partials = this.partials.map(({name, sql}) => `${sql} AS ${name}`);
    const groups = names.length === 0 ? '' : ` GROUP BY ${names.map((_, index) => index + 1).join(', ')}`;
    const sql = `(SELECT ${[...names, ...partials].join(', ') || 'count(*)'} FROM ${rows}${groups})`;
    this.source = {rows, keys, sql};
    return this.valuesOf(sql);
  }

  /** Partials, wherever they come from, with the values made of them. Each step stands in a SELECT around those it is made of: engines would repeat it otherwise. */
  valuesOf(partials: string): string {
    const depths = new Map<string, number>();
    const layers: string[][] = [];
    for (const [sql, name] of this.values) {
      const depth = Math.max(0, ...[...sql.matchAll(/\bv\d+\b/g)].map(([used]) => depths.get(used)! + 1));
      depths.set(name, depth);
      (layers[depth] ??= []).push(`${sql} AS ${name}`);
    }
    return layers.reduce((from, layer) => `(SELECT *, ${layer.join(', ')} FROM ${from})`, partials);
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
      scale = this.scope.bindings.bind((_, facts) => facts.scale(dataset, column), 'DOUBLE');
      this.scales.set(column, scale);
      this.scope.bindings.scaled.push({dataset, column});
    }
    return scale;
  }

  private readonly partial: Making['partial'] = (sql, merge) => {
    let partial = this.partialNames.get(sql);
    if (!partial) this.partialNames.set(sql, (partial = {name: `a${this.partialNames.size}`, sql, merge}));
    return partial.name;
  };

  /** A value under a name of its own, so that what is made of it (JSON, conditions, other values) does not repeat it. */
  private readonly step: Making['step'] = sql => {
    if (/^[av]\d+$/.test(sql)) return sql;
    const name = this.values.get(sql) ?? `v${this.values.size}`;
    this.values.set(sql, name);
    return name;
  };

  private readonly making: Making = {partial: this.partial, step: this.step};
}

/** One aggregate that an input names, with what it says of it. */
export interface NamedAggregate {
  readonly path: string;
  readonly given: Given;
  readonly of: (aggregates: Aggregates) => Typed;
}

/** The aggregates of one function that an input names: of columns, and of outputs of predictions. */
export function namedAggregates(name: string, input: Given, shape: DatasetShape, settings: PredictionSettings): NamedAggregate[] {
  return input.entries().flatMap(([column, given]): NamedAggregate[] => {
    const member = shape.members.get(column);
    if (member?.kind !== 'prediction') return [{path: `${name}.${column}`, given, of: aggregates => aggregates.value(name, column)}];
    return given.isNull ? [] : given.entries().map(([output, inner]) => ({path: `${name}.${column}.${output}`, given: inner, of: aggregates => aggregates.ofPrediction(name, member.prediction, settings, output)}));
  });
}
