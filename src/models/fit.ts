import type {DataType, Field, Schema} from '../schemas/schema.ts';
import {typeName} from '../schemas/schema.ts';

/** What keeps a model's inputs from being read from a dataset's columns. */
export interface Unfit {
  /** Inputs that no column gives. */
  readonly missing: readonly string[];
  /** Inputs whose column has another type: as `input: type for type`. */
  readonly wrongType: readonly string[];
  readonly reason: string;
}

/** Null: every input has a column of its name and of a type that it takes, or an expression of the deployment. */
export function unfitColumns(inputs: readonly Field[], features: Readonly<Record<string, string>>, {fields}: Schema): Unfit | null {
  const columns = new Map(fields.map(field => [field.name, field.type]));
  const read = inputs.filter(({name}) => features[name] === undefined);
  const missing = read.filter(({name}) => !columns.has(name)).map(({name}) => name);
  const wrongType = read.flatMap(({name, type}) => {
    const given = columns.get(name);
    return given === undefined || accepts(type, given) ? [] : [`${name}: ${typeName(given)} for ${typeName(type)}`];
  });
  if (missing.length > 0) return {missing, wrongType, reason: `the inputs ${missing.join(', ')} are no columns of it`};
  return wrongType.length > 0 ? {missing, wrongType, reason: `types differ: ${wrongType.join(', ')}`} : null;
}

/** Safe casts within a kind, as MLflow has them: integers to wider ones and, where exact, to floats; never the other way. */
export function accepts(wanted: DataType, given: DataType): boolean {
  if (wanted.kind === 'int') return given.kind === 'int' && (given.signed === wanted.signed ? given.bits <= wanted.bits : wanted.signed && given.bits < wanted.bits);
  if (wanted.kind === 'float') {
    if (given.kind === 'float') return given.bits <= wanted.bits;
    return given.kind === 'int' && given.bits <= (wanted.bits === 64 ? 32 : 16);
  }
  return wanted.kind === given.kind;
}
