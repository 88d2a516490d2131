import {MillraceError} from '../../../core/errors.ts';
import type {SqlValue} from '../../../engines/engine.ts';
import {sqlType} from '../../../engines/sql-text.ts';
import type {DataType} from '../../../schemas/schema.ts';
import {scalarOf} from './columns.ts';
import type {Given, Variables} from './given.ts';
import type {GraphPrediction} from './graph-model.ts';
import type {PredictionSettings} from './predictions/asked.ts';

/** What is known of the snapshots a request reads. */
export interface Facts {
  /** The power of two that puts a float column of `Bindings.scaled` on its grid. */
  scale(dataset: string, column: string): number;
  /** The number of the version that answers for a prediction. */
  version(dataset: string, prediction: GraphPrediction, settings: PredictionSettings): number;
  /** The time of the request. */
  now(): Date;
}

/** A bound parameter of a plan: its value for one request. @throws ARGUMENT_INVALID */
export type Parameter = (variables: Variables, facts: Facts) => SqlValue;

/** The bound parameters of one statement, in order; values of callers reach SQL through here only. */
export class Bindings {
  readonly parameters: Parameter[] = [];
  /** Float columns that are summed, whose scale must be known before values are bound. */
  readonly scaled: {readonly dataset: string; readonly column: string}[] = [];

  /** Binds what `read` gives, and answers with the parameter as an expression of the type. */
  bind(read: Parameter, type: string): string {
    this.parameters.push(read);
    return `$${this.parameters.length}::${type}`;
  }

  /** A value to compare a column with. `shown` names it in errors; `check` throws for what is no good value here. */
  value(given: Given, type: DataType, shown: string, check?: (value: SqlValue) => void): string {
    const accept = acceptor(type, shown);
    const text = this.bind(variables => {
      const value = accept(given.read(variables));
      check?.(value);
      return value;
    }, comparedAs(type));
    return type.kind === 'binary' ? `from_base64(${text})` : text;
  }

  /**
   * A list of values as the right side of IN. Short lists are bound one by one, so that engines can skip row groups by them, and
   * padded to a power of two, so that few lengths make few plans; long ones are one parameter that is unfolded.
   */
  values(given: Given, type: DataType, shown: string): string {
    const count = (given.value as readonly unknown[]).length;
    const accept = acceptor(type, shown);
    const read = (variables: Variables) => given.read(variables) as readonly unknown[];
    if (count === 0) return '(SELECT NULL WHERE false)';
    if (count <= shortList) {
      const padded = paddedLength(count);
      const items = Array.from({length: padded}, (_, index) => {
        const text = this.bind(variables => {
          const list = read(variables);
          return accept(list[Math.min(index, list.length - 1)]);
        }, comparedAs(type));
        return type.kind === 'binary' ? `from_base64(${text})` : text;
      });
      return `(${items.join(', ')})`;
    }
    const unfolded = `unnest(${this.list(given, type, shown)})`;
    return `(SELECT ${unfolded})`;
  }

  /** A list of values as one list of SQL, bound as JSON text. */
  list(given: Given, type: DataType, shown: string): string {
    const accept = acceptor(type, shown);
    const carried = type.kind === 'bool' ? 'BOOLEAN' : type.kind === 'float' ? 'DOUBLE' : scalarOf(type) === 'Int' ? 'INTEGER' : 'VARCHAR';
    const json = this.bind(variables => JSON.stringify((given.read(variables) as readonly unknown[]).map(accept)), 'JSON');
    const list = `from_json(${json}, '["${carried}"]')`;
    if (type.kind === 'binary') return `list_transform(${list}, lambda x: from_base64(x))`;
    return carried === comparedAs(type) ? list : `${list}::${comparedAs(type)}[]`;
  }
}

const shortList = 16;

/** Lengths of lists that make the same SQL. */
export const paddedLength = (count: number): number => (count > shortList ? Infinity : count === 0 ? 0 : 2 ** Math.ceil(Math.log2(count)));

/** The SQL type values are bound as: wide enough for every value the scalar admits, exact for the column. */
function comparedAs(type: DataType): string {
  switch (type.kind) {
    case 'int':
      return scalarOf(type) === 'Int' ? 'INTEGER' : sqlType({...type, bits: 64});
    case 'float':
      return 'DOUBLE';
    case 'decimal':
      return `DECIMAL(38, ${comparedScale(type)})`;
    case 'binary':
      return 'VARCHAR';
    default:
      return sqlType(type);
  }
}

/** More digits after the point than the column has, as far as its digits before the point leave room, so that nothing is rounded. */
const comparedScale = (type: {readonly precision: number; readonly scale: number}): number => Math.max(type.scale, Math.min(18, 38 - (type.precision - type.scale)));

function acceptor(type: DataType, shown: string): (value: unknown) => SqlValue {
  const refuse = (reason: string): never => {
    throw new MillraceError('ARGUMENT_INVALID', {name: shown, reason});
  };
  const present = (value: unknown): SqlValue => (value === null || value === undefined ? refuse('it is null; ask for nulls with `_is_null`.') : (value as SqlValue));
  if (type.kind === 'int' && scalarOf(type) === 'bigint') {
    const [low, high] = type.signed ? [-(2n ** 63n), 2n ** 63n - 1n] : [0n, 2n ** 64n - 1n];
    return value => {
      // Most are short, and there may be a million of them.
      if (typeof value === 'string' && value.length < 18 && (type.signed || value[0] !== '-')) return value;
      const integer = BigInt(present(value) as string);
      return integer < low || integer > high ? refuse(`${integer} lies outside the range of the column's type.`) : String(integer);
    };
  }
  if (type.kind === 'decimal') {
    const scale = comparedScale(type);
    return value => {
      const text = String(present(value));
      const [, whole = '', fraction = ''] = /^[+-]?0*(\d*)\.?(\d*?)0*$/.exec(text) ?? [];
      if (fraction.length > scale) return refuse(`it has more than ${scale} digits after the point.`);
      if (whole.length > 38 - scale) return refuse(`it has more than ${38 - scale} digits before the point.`);
      return text;
    };
  }
  if (type.kind === 'json') return value => JSON.stringify(present(value));
  return present;
}
