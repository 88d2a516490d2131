import type {DataType} from '../../../schemas/schema.ts';

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
  /** Of floats: an expression for the power of two that brings every finite value below 2^61; null where nothing bounds them. */
  readonly scale: (() => string) | null;
}

/** An expression with its type. */
export interface Typed {
  readonly sql: string;
  readonly type: DataType;
}

/** What a value is made of. */
export interface Making {
  /** Notes what SQL aggregates over rows, and answers with its name. */
  readonly partial: (sql: string, merge: Merge) => string;
  /** Notes an expression of partials and earlier steps, and answers with its name. */
  readonly step: (sql: string) => string;
}

/** 32 bits are shown, and so computed with, as the 64-bit floats they are. */
export const asDouble = ({sql, type}: Operand): string => (type.kind === 'float' && type.bits === 64 ? sql : `${sql}::DOUBLE`);

/** A float as an integer, on a grid: a power of two that brings the column's greatest value below 2^61. */
export const onGrid = (x: string, scale: string): string => `CASE WHEN isfinite(${x}) THEN CAST(${x} * ${scale} AS BIGINT) END`;
