import {DuckDBArrayType, DuckDBDecimalType, DuckDBListType, DuckDBMapType, DuckDBStructType, DuckDBTypeId} from '@duckdb/node-api';
import type {DuckDBType} from '@duckdb/node-api';
import type {DataType, Field, Schema} from '../../schemas/schema.ts';
import {identifier, literal, sqlType} from '../sql-text.ts';

/** The Parquet field id of a stored `_row_id`: the one Apache Iceberg reserves for it. */
export const rowIdFieldId = 2_147_483_540;

export const rowIdName = '_row_id';

const plainTypes: Partial<Record<DuckDBTypeId, DataType>> = {
  [DuckDBTypeId.BOOLEAN]: {kind: 'bool'},
  [DuckDBTypeId.TINYINT]: {kind: 'int', bits: 8, signed: true},
  [DuckDBTypeId.SMALLINT]: {kind: 'int', bits: 16, signed: true},
  [DuckDBTypeId.INTEGER]: {kind: 'int', bits: 32, signed: true},
  [DuckDBTypeId.BIGINT]: {kind: 'int', bits: 64, signed: true},
  [DuckDBTypeId.UTINYINT]: {kind: 'int', bits: 8, signed: false},
  [DuckDBTypeId.USMALLINT]: {kind: 'int', bits: 16, signed: false},
  [DuckDBTypeId.UINTEGER]: {kind: 'int', bits: 32, signed: false},
  [DuckDBTypeId.UBIGINT]: {kind: 'int', bits: 64, signed: false},
  // 128-bit integers have no Arrow type; beyond 38 digits a value fails the cast instead of losing digits.
  [DuckDBTypeId.HUGEINT]: {kind: 'decimal', precision: 38, scale: 0},
  [DuckDBTypeId.UHUGEINT]: {kind: 'decimal', precision: 38, scale: 0},
  [DuckDBTypeId.FLOAT]: {kind: 'float', bits: 32},
  [DuckDBTypeId.DOUBLE]: {kind: 'float', bits: 64},
  [DuckDBTypeId.BLOB]: {kind: 'binary'},
  [DuckDBTypeId.GEOMETRY]: {kind: 'binary'},
  [DuckDBTypeId.UUID]: {kind: 'uuid'},
  [DuckDBTypeId.DATE]: {kind: 'date'},
  [DuckDBTypeId.TIME]: {kind: 'time'},
  [DuckDBTypeId.TIME_NS]: {kind: 'time'},
  [DuckDBTypeId.TIMESTAMP]: {kind: 'timestamp', zoned: false},
  [DuckDBTypeId.TIMESTAMP_S]: {kind: 'timestamp', zoned: false},
  [DuckDBTypeId.TIMESTAMP_MS]: {kind: 'timestamp', zoned: false},
  [DuckDBTypeId.TIMESTAMP_NS]: {kind: 'timestamp', zoned: false},
  [DuckDBTypeId.TIMESTAMP_TZ]: {kind: 'timestamp', zoned: true},
  [DuckDBTypeId.INTERVAL]: {kind: 'interval'},
  [DuckDBTypeId.VARIANT]: {kind: 'json'},
  [DuckDBTypeId.UNION]: {kind: 'json'},
};

/** The canonical type of a DuckDB type. What has none of its own (enum, bit, time with zone, an untyped null, …) is text. */
export function dataType(type: DuckDBType): DataType {
  if (type instanceof DuckDBDecimalType) return {kind: 'decimal', precision: type.width, scale: type.scale};
  if (type instanceof DuckDBListType || type instanceof DuckDBArrayType) return {kind: 'list', element: member('element', type.valueType)};
  if (type instanceof DuckDBStructType) return {kind: 'struct', fields: type.entryNames.map((name, index) => member(name, type.entryTypes[index]!))};
  if (type instanceof DuckDBMapType) return {kind: 'map', key: {...member('key', type.keyType), nullable: false}, value: member('value', type.valueType)};
  if (type.typeId === DuckDBTypeId.VARCHAR) return {kind: type.alias === 'JSON' ? 'json' : 'utf8'};
  return plainTypes[type.typeId] ?? {kind: 'utf8'};
}

const member = (name: string, type: DuckDBType): Field => ({id: 0, name, type: dataType(type), nullable: true});

/** The FIELD_IDS option of COPY for these fields, nested ones included; fields without an id get none. */
export function fieldIds(fields: readonly Field[]): string {
  const entries = fields.filter(field => field.id > 0).map(field => `${identifier(field.name)}: ${fieldId(field)}`);
  return `{${entries.join(', ')}}`;
}

function fieldId(field: Field): string {
  const inner = parts(field.type).filter(part => part.field.id > 0);
  if (inner.length === 0) return String(field.id);
  return `{__duckdb_field_id: ${field.id}, ${inner.map(part => `${identifier(part.name)}: ${fieldId(part.field)}`).join(', ')}}`;
}

/** The parts of a nested type under the names that DuckDB's Parquet writer has for them. */
function parts(type: DataType): {name: string; field: Field}[] {
  switch (type.kind) {
    case 'list':
      return [{name: 'element', field: type.element}];
    case 'struct':
      return type.fields.map(field => ({name: field.name, field}));
    case 'map':
      return [{name: 'key', field: type.key}, {name: 'value', field: type.value}];
    default:
      return [];
  }
}

/** The `schema` option of read_parquet: columns by field id, under today's names and types; what a file lacks is null. */
export function readSchema(schema: Schema, withRowIds: boolean): string {
  const columns = schema.fields.map(field => ({id: field.id, name: field.name, type: sqlType(field.type)}));
  if (withRowIds) columns.push({id: rowIdFieldId, name: rowIdName, type: 'BIGINT'});
  return `MAP {${columns.map(column => `${column.id}: {name: ${literal(column.name)}, type: ${literal(column.type)}, default_value: NULL}`).join(', ')}}`;
}
