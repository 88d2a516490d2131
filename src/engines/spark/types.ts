import type {DataType, Field} from '../../schemas/schema.ts';
import type {SparkField, SparkType} from './protocol.ts';

/** Spark's type for values of ours. What Spark has no type for is text, or the next wider number. */
export function sparkType(type: DataType): SparkType {
  switch (type.kind) {
    case 'bool':
      return {boolean: {}};
    case 'int':
      if (!type.signed) return type.bits === 64 ? {decimal: {precision: 20, scale: 0}} : sparkType({...type, signed: true, bits: ({8: 16, 16: 32, 32: 64} as const)[type.bits]});
      return ({8: {byte: {}}, 16: {short: {}}, 32: {integer: {}}, 64: {long: {}}} as const)[type.bits];
    case 'float':
      return type.bits === 32 ? {float: {}} : {double: {}};
    case 'decimal':
      return {decimal: {precision: type.precision, scale: type.scale}};
    case 'binary':
      return {binary: {}};
    case 'date':
      return {date: {}};
    case 'time':
      return {time: {precision: 6}};
    case 'timestamp':
      return type.zoned ? {timestamp: {}} : {timestampNtz: {}};
    case 'list':
      return {array: {elementType: sparkType(type.element.type), containsNull: true}};
    case 'struct':
      return {struct: {fields: type.fields.map(sparkField)}};
    case 'map':
      return {map: {keyType: sparkType(type.key.type), valueType: sparkType(type.value.type), valueContainsNull: true}};
    default:
      return {string: {}};
  }
}

const sparkField = (field: Field): SparkField => ({name: field.name, dataType: sparkType(field.type), nullable: true, ...(field.id > 0 ? {metadata: fieldIdMetadata(field.id)} : {})});

/** How Spark is told of a column's Parquet field id. */
export const fieldIdMetadata = (id: number): string => JSON.stringify({'parquet.field.id': id});

/** Columns in the JSON that Spark reads schemas from. */
export const schemaJson = (fields: readonly Field[]): string => JSON.stringify(structJson(fields));

const structJson = (fields: readonly Field[]): object => ({
  type: 'struct', fields: fields.map(field => ({name: field.name, type: typeJson(sparkType(field.type), field.type), nullable: true, metadata: field.id > 0 ? {'parquet.field.id': field.id} : {}})),
});

function typeJson(spark: SparkType, type: DataType): unknown {
  if (type.kind === 'struct') return structJson(type.fields);
  if (type.kind === 'list') return {type: 'array', elementType: typeJson(sparkType(type.element.type), type.element.type), containsNull: true};
  if (type.kind === 'map') return {type: 'map', keyType: typeJson(sparkType(type.key.type), type.key.type), valueType: typeJson(sparkType(type.value.type), type.value.type), valueContainsNull: true};
  if (spark.decimal) return `decimal(${spark.decimal.precision},${spark.decimal.scale})`;
  if (spark.time) return `time(${spark.time.precision})`;
  if (spark.timestampNtz) return 'timestamp_ntz';
  return Object.keys(spark)[0];
}

/** Whether Spark writes a column so that it is read as the same type: it has none for unsigned integers, UUIDs, JSON and intervals. */
export function writesExactly(type: DataType): boolean {
  switch (type.kind) {
    case 'int':
      return type.signed;
    case 'uuid':
    case 'json':
    case 'interval':
    case 'time':
      return false;
    case 'list':
      return writesExactly(type.element.type);
    case 'struct':
      return type.fields.every(field => writesExactly(field.type));
    case 'map':
      return writesExactly(type.key.type) && writesExactly(type.value.type);
    default:
      return true;
  }
}
