import {MillraceError} from '../../core/errors.ts';
import type {DataType} from '../../schemas/schema.ts';

/** A name as an identifier of HiveQL, whatever it contains. */
export const quoted = (name: string): string => `\`${name.replaceAll('`', '``')}\``;

/** A text as a literal of HiveQL, which knows escapes. */
export const quotedText = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

/**
 * The type of HiveQL that reads a column of this type from Parquet without loss; an instant is read as its wall clock in UTC.
 * @throws ENGINE_UNSUPPORTED for types that Hive has no equal of
 */
export function hiveType(type: DataType, column: string): string {
  const unsupported = (what: string) => new MillraceError('ENGINE_UNSUPPORTED', {engine: 'Hive', reason: `column '${column}' is ${what}, which Hive has no type for; cast it to another type`});
  switch (type.kind) {
    case 'bool':
      return 'boolean';
    case 'int': {
      if (type.signed) return {8: 'tinyint', 16: 'smallint', 32: 'int', 64: 'bigint'}[type.bits];
      throw unsupported(`an unsigned integer of ${type.bits} bits`);
    }
    case 'float':
      return type.bits === 32 ? 'float' : 'double';
    case 'decimal':
      return `decimal(${type.precision},${type.scale})`;
    case 'utf8':
    case 'json':
      return 'string';
    case 'binary':
      return 'binary';
    case 'date':
      return 'date';
    case 'timestamp':
      return 'timestamp'; // Hive reads no `timestamp with local time zone` from Parquet
    case 'list':
      return `array<${hiveType(type.element.type, column)}>`;
    case 'struct':
      return `struct<${type.fields.map(field => `${quoted(field.name)}:${hiveType(field.type, column)}`).join(',')}>`;
    case 'map':
      return `map<${hiveType(type.key.type, column)},${hiveType(type.value.type, column)}>`;
    default:
      throw unsupported(type.kind === 'uuid' ? 'a UUID' : type.kind === 'time' ? 'a time of day' : 'an interval');
  }
}

/** The type of HiveQL in which a statement's column of this type is written; what Hive has no type for is written as one that holds its values. */
export function writtenType(type: DataType, column: string): string {
  if (type.kind === 'uuid' || type.kind === 'time') return 'string';
  if (type.kind === 'int' && !type.signed) return {8: 'smallint', 16: 'int', 32: 'bigint', 64: 'decimal(20,0)'}[type.bits];
  return hiveType(type, column);
}

/** Whether Hive writes a column so that it is read as the same type. */
export function hiveWrites(type: DataType): boolean {
  switch (type.kind) {
    case 'int':
      return type.signed;
    case 'timestamp':
      return !type.zoned;
    case 'uuid':
    case 'json':
    case 'time':
    case 'interval':
      return false;
    case 'list':
      return hiveWrites(type.element.type);
    case 'struct':
      return type.fields.every(field => hiveWrites(field.type));
    case 'map':
      return hiveWrites(type.key.type) && hiveWrites(type.value.type);
    default:
      return true;
  }
}

/** Types on the wire, by the numbers of Thrift's TTypeId. */
const wireTypes: readonly (DataType | null)[] = [
  {kind: 'bool'}, {kind: 'int', bits: 8, signed: true}, {kind: 'int', bits: 16, signed: true}, {kind: 'int', bits: 32, signed: true}, {kind: 'int', bits: 64, signed: true},
  {kind: 'float', bits: 32}, {kind: 'float', bits: 64}, {kind: 'utf8'}, {kind: 'timestamp', zoned: false}, {kind: 'binary'},
  null, null, null, null, null, // arrays, maps, structs, unions and what users define are text
  null, null, {kind: 'date'}, {kind: 'utf8'}, {kind: 'utf8'}, null, null, {kind: 'timestamp', zoned: true},
];

const decimalNumber = 15;

/** A column of an answer, as its metadata say. */
export interface WireColumn {
  readonly name: string;
  /** Nested values, intervals and nulls without type are text. */
  readonly type: DataType;
}

export interface ColumnDescription {
  readonly columnName: string;
  readonly typeDesc: {
    readonly types: readonly {
      readonly primitiveEntry?: {readonly type: number; readonly typeQualifiers?: {readonly qualifiers: Readonly<Record<string, {readonly i32Value?: number | null}>>} | null} | null;
    }[];
  };
}

/** @param columns as GetResultSetMetadata answers */
export function wireColumns(columns: readonly ColumnDescription[]): WireColumn[] {
  return columns.map(({columnName, typeDesc}) => {
    const {type, typeQualifiers} = typeDesc.types[0]?.primitiveEntry ?? {type: 7};
    const of = (name: string) => typeQualifiers!.qualifiers[name]!.i32Value!;
    return {
      name: columnName,
      type: type === decimalNumber ? {kind: 'decimal', precision: of('precision'), scale: of('scale')} : (wireTypes[type] ?? {kind: 'utf8'}),
    };
  });
}
