/**
 * schemas: what the columns of a dataset are.
 *
 * Arrow's types are canonical; engines, GraphQL, ONNX and files map to and from them. A field keeps its `id` for life: it is
 * written into the Parquet files, so a rename or a widening finds the old column. Ids number the top-level columns first, then
 * nested ones, as Iceberg does.
 */

export type DataType =
  | {readonly kind: 'bool'}
  | {readonly kind: 'int'; readonly bits: 8 | 16 | 32 | 64; readonly signed: boolean}
  | {readonly kind: 'float'; readonly bits: 32 | 64}
  | {readonly kind: 'decimal'; readonly precision: number; readonly scale: number}
  | {readonly kind: 'utf8'}
  | {readonly kind: 'binary'}
  | {readonly kind: 'uuid'}
  | {readonly kind: 'json'}
  | {readonly kind: 'date'}
  | {readonly kind: 'time'}
  /** Microseconds; `zoned` values are instants (UTC), the others wall-clock times. */
  | {readonly kind: 'timestamp'; readonly zoned: boolean}
  | {readonly kind: 'interval'}
  | {readonly kind: 'list'; readonly element: Field}
  | {readonly kind: 'struct'; readonly fields: readonly Field[]}
  | {readonly kind: 'map'; readonly key: Field; readonly value: Field};

export interface Field {
  /** Stable within the dataset; 0 while the field belongs to no dataset yet. */
  readonly id: number;
  /** Legal in GraphQL and SQL without quotes: [A-Za-z][A-Za-z0-9_]*. */
  readonly name: string;
  /** The name the data came with, where it differs. */
  readonly sourceName?: string;
  readonly type: DataType;
  readonly nullable: boolean;
  /** Shown in the graph. */
  readonly description?: string;
  /** Why it should not be used any more; shown in the graph. */
  readonly deprecated?: string;
}

export interface Schema {
  readonly fields: readonly Field[];
}

/** What is known of a column's values: from Parquet statistics where possible, else from one scan. Min and max are text. */
export interface ColumnProfile {
  readonly name: string;
  readonly nulls: number;
  /** Approximate. */
  readonly distinct: number;
  readonly min: string | null;
  readonly max: string | null;
  readonly examples: readonly string[];
  /** How the values are distributed; of the rows of a sample. */
  readonly histogram?: readonly Bucket[];
}

/** Values from one bound to below the next bucket's, as text; a single value where both bounds are the same. */
export interface Bucket {
  readonly from: string;
  readonly to: string;
  readonly count: number;
}

const scalarNames: Partial<Record<DataType['kind'], string>> = {
  bool: 'bool', utf8: 'utf8', binary: 'binary', uuid: 'uuid', json: 'json', date: 'date', time: 'time', interval: 'interval',
};

/** A type as people read it: `int32`, `decimal(18,4)`, `timestamptz`, `list<utf8>`, `struct<a: int32>`. */
export function typeName(type: DataType): string {
  switch (type.kind) {
    case 'int':
      return `${type.signed ? 'int' : 'uint'}${type.bits}`;
    case 'float':
      return `float${type.bits}`;
    case 'decimal':
      return `decimal(${type.precision},${type.scale})`;
    case 'timestamp':
      return type.zoned ? 'timestamptz' : 'timestamp';
    case 'list':
      return `list<${typeName(type.element.type)}>`;
    case 'struct':
      return `struct<${type.fields.map(field => `${field.name}: ${typeName(field.type)}`).join(', ')}>`;
    case 'map':
      return `map<${typeName(type.key.type)}, ${typeName(type.value.type)}>`;
    default:
      return scalarNames[type.kind]!;
  }
}
