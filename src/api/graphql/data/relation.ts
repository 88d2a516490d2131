import {identifier} from '../../../engines/sql-text.ts';
import {rowId} from './shape.ts';
import type {DatasetShape} from './shape.ts';

/**
 * One use of a dataset in a statement, under an alias of its own. It notes the columns that are asked of it, so that the statement
 * reads those only, and computes expressions of a deployment where nothing but the dataset's own columns is in sight.
 */
export class RelationUse {
  private readonly columns = new Set<string>();
  private readonly computed = new Map<string, string>();

  constructor(
    readonly shape: DatasetShape,
    readonly alias: string,
  ) {}

  column(name: string): string {
    this.columns.add(name);
    return `${this.alias}.${identifier(name)}`;
  }

  get rowId(): string {
    return this.column(rowId);
  }

  /** Adds a column computed by an expression of the dataset's columns. */
  compute(expression: string): string {
    const name = this.computed.get(expression) ?? `~${this.computed.size}`;
    this.computed.set(expression, name);
    return `${this.alias}.${identifier(name)}`;
  }

  /** The relation for a FROM, when everything has been asked of it. */
  sql(): string {
    const parts = [...[...this.columns].map(identifier), ...[...this.computed].map(([expression, name]) => `${expression} AS ${identifier(name)}`)];
    return `(SELECT ${parts.length === 0 ? '1' : parts.join(', ')} FROM ${identifier(this.shape.name)}) AS ${this.alias}`;
  }
}
