import {identifier} from '../../../engines/sql-text.ts';
import type {DataType} from '../../../schemas/schema.ts';
import type {Given} from './given.ts';
import type {GraphPrediction} from './graph-model.ts';
import {ask, nameOf, outputOf} from './predictions/asked.ts';
import type {AskedPrediction, PredictionSettings} from './predictions/asked.ts';
import {rowId} from './shape.ts';
import type {DatasetShape} from './shape.ts';

/**
 * One use of a dataset in a statement, under an alias of its own. It notes the columns that are asked of it, so that the statement
 * reads those only, and computes expressions of a deployment where nothing but the dataset's own columns is in sight.
 */
export class RelationUse {
  private readonly columns = new Set<string>();
  private readonly computed = new Map<string, string>();
  private readonly asked = new Map<string, AskedPrediction>();
  private readonly outputs = new Set<string>();
  private computesColumns = false;
  /** Which of its rows are looked at, where that is known: those without need no predictions. */
  where: Given | null = null;
  /** Whether it is of a state of its own. */
  apart = false;

  /** @param first columns in which several rows are equal and only the first of them, by `_row_id`, is meant */
  constructor(
    readonly shape: DatasetShape,
    readonly alias: string,
    private readonly first: readonly string[] = [],
  ) {}

  column(name: string): string {
    this.columns.add(name);
    return `${this.alias}.${identifier(name)}`;
  }

  get rowId(): string {
    return this.column(rowId);
  }

  /** Adds a column computed by an expression of the dataset's columns, or, where `plain` is false, of none of them. */
  compute(expression: string, plain = true): string {
    this.computesColumns ||= plain;
    const name = this.computed.get(expression) ?? `~${this.computed.size}`;
    this.computed.set(expression, name);
    return `${this.alias}.${identifier(name)}`;
  }

  /** An output of a prediction as a column. */
  output(prediction: GraphPrediction, settings: PredictionSettings, output: string): {readonly expression: string; readonly type: DataType} {
    const name = nameOf(prediction, settings);
    let asked = this.asked.get(name);
    if (!asked) this.asked.set(name, (asked = ask(prediction, settings, this.asked.size)));
    const {column, type} = outputOf(asked, output);
    this.outputs.add(column);
    return {expression: `${this.alias}.${identifier(column)}`, type};
  }

  /** Whether a prediction with such settings is among its columns. */
  hasAsked(prediction: GraphPrediction, settings: PredictionSettings): boolean {
    return this.asked.has(nameOf(prediction, settings));
  }

  get predictions(): readonly AskedPrediction[] {
    return [...this.asked.values()];
  }

  /** Whether something is asked of the dataset's own columns. */
  get readsColumns(): boolean {
    return this.computesColumns || [...this.columns].some(name => name !== rowId);
  }

  /** Its own columns that are read, by name. */
  get reads(): readonly string[] {
    const texts = [...this.computed.keys(), ...[...this.asked.values()].flatMap(({features}) => features)].join('\n').toLowerCase();
    return this.shape.dataset.schema.fields.map(({name}) => name).filter(name => this.columns.has(name) || texts.includes(name.toLowerCase()));
  }

  /** What the statement knows it by: with predictions among its columns, or apart, it is a relation of its own. */
  get name(): string {
    return this.asked.size === 0 && !this.apart ? this.shape.name : `${this.shape.name}~${this.alias}`;
  }

  /** The relation for a FROM, when everything has been asked of it. */
  sql(): string {
    const parts = [...[...this.columns, ...this.outputs].map(identifier), ...[...this.computed].map(([expression, name]) => `${expression} AS ${identifier(name)}`)];
    const one = this.first.length === 0 ? '' : ` QUALIFY ${isFirst(identifier(rowId), this.first.map(identifier), identifier(rowId))}`;
    return `(SELECT ${parts.length === 0 ? '1' : parts.join(', ')} FROM ${identifier(this.name)}${one}) AS ${this.alias}`;
  }
}

/** Whether a row is the first of those equal in some columns. DuckDB 1.5 fails, at times, over `row_number() = 1` of row ids it computes. */
export const isFirst = (rowId: string, columns: readonly string[], order: string): string => `${rowId} = first_value(${rowId}) OVER (PARTITION BY ${columns.join(', ')} ORDER BY ${order})`;
