import type {DataType} from '../../../schemas/schema.ts';
import {scalarOf} from './columns.ts';

/**
 * Aggregates are computed in two steps. *Partials* are what SQL aggregates over rows; *values* are expressions of partials. Partials of parts
 * of the rows can be put together, as `merge` says, into those of all: what is kept for each file need not be computed again.
 */
export interface Partial {
  readonly name: string;
  readonly sql: string;
  readonly merge: Merge;
}

/** How partials of parts become one; null: they do not, all rows are needed at once. */
export type Merge = 'sum' | 'min' | 'max' | null;

/** What is aggregated: an expression of a row. */
export interface Operand {
  readonly sql: string;
  readonly type: DataType;
  /** Of floats: an expression for the power of two that brings every finite value below 2^61. */
  readonly scale: () => string;
}

/** An expression with its type. */
export interface Typed {
  readonly sql: string;
  readonly type: DataType;
}

/** Notes a partial and answers with its name. */
export type AddPartial = (sql: string, merge: Merge) => string;

/** Which columns a function takes. */
export type Takes = 'numbers' | 'comparables';

export interface AggregateFunction {
  readonly takes: Takes;
  readonly description: string;
  /** The type of its value. */
  readonly result: (type: DataType) => DataType;
  readonly value: (operand: Operand, add: AddPartial) => string;
}

const isNumber = (type: DataType): boolean => type.kind === 'int' || type.kind === 'float' || type.kind === 'decimal';

/** Scalars with an order that means something: those `order_by` takes. */
export const isOrdered = (type: DataType): boolean => {
  const scalar = scalarOf(type);
  return scalar !== null && scalar !== 'jsonb' && scalar !== 'bytea' && scalar !== 'interval';
};

export const takes = (kind: Takes, type: DataType): boolean => (kind === 'numbers' ? isNumber(type) : isOrdered(type) && type.kind !== 'bool');

const float64: DataType = {kind: 'float', bits: 64};
const int64: DataType = {kind: 'int', bits: 64, signed: true};

/** 32 bits are shown, and so computed with, as the 64-bit floats they are. */
const asDouble = ({sql, type}: Operand): string => (type.kind === 'float' && type.bits === 64 ? sql : `${sql}::DOUBLE`);

/**
 * A sum of floats that is the same each time, whatever the order of the rows: values are put on a grid (a power of two, such that
 * the column's greatest stays below 2^61), which makes them integers, and those sum exactly. The grid depends on the snapshot only,
 * not on the rows chosen, so that sums of parts add up.
 */
function floatSum(operand: Operand, add: AddPartial): string {
  const x = asDouble(operand);
  const scale = operand.scale();
  const [most, least] = [add(`max(${x})`, 'max'), add(`min(${x})`, 'min')];
  const sum = add(`sum(CASE WHEN isfinite(${x}) THEN CAST(${x} * ${scale} AS BIGINT) END)`, 'sum');
  const special = `WHEN isnan(${most}) OR (isinf(${most}) AND isinf(${least}) AND ${most} > ${least}) THEN 'nan'::DOUBLE WHEN isinf(${most}) THEN ${most} WHEN isinf(${least}) THEN ${least}`;
  return `(CASE ${special} ELSE ${sum}::DOUBLE / ${scale} END)`;
}

const sum = (operand: Operand, add: AddPartial): string => (operand.type.kind === 'float' ? floatSum(operand, add) : add(`sum(${operand.sql})`, 'sum'));

/** Zero has two signs that are equal: which of them comes first must not show. */
const extreme = (name: 'min' | 'max') => ({sql, type}: Operand, add: AddPartial): string => {
  const value = add(`${name}(${sql})`, name);
  return type.kind === 'float' ? `(${value} + 0)` : value;
};

/** By the name of their field. */
export const aggregateFunctions: Readonly<Record<string, AggregateFunction>> = {
  sum: {
    takes: 'numbers',
    description: 'Floats are summed without regard to their order.',
    // Sums of 32-bit integers do not fit 32 bits.
    result: type => (type.kind === 'float' ? float64 : type.kind === 'decimal' ? {...type, precision: 38} : int64),
    value: sum,
  },
  avg: {
    takes: 'numbers',
    description: 'The arithmetic mean.',
    result: () => float64,
    value: (operand, add) => `(${sum(operand, add)}${operand.type.kind === 'float' ? '' : '::DOUBLE'} / ${add(`count(${operand.sql})`, 'sum')})`,
  },
  min: {takes: 'comparables', description: 'The least value.', result: type => type, value: extreme('min')},
  max: {takes: 'comparables', description: 'The greatest value.', result: type => type, value: extreme('max')},
};
