import {literal} from '../../../engines/sql-text.ts';
import type {DataType, Field} from '../../../schemas/schema.ts';
import type {ScalarName} from './scalars.ts';

/** The scalar of a column; null for nested types. Unsigned 32 bits do not fit GraphQL's `Int`. */
export function scalarOf(type: DataType): ScalarName | null {
  switch (type.kind) {
    case 'bool':
      return 'Boolean';
    case 'int':
      return type.bits === 64 || (type.bits === 32 && !type.signed) ? 'bigint' : 'Int';
    case 'float':
      return 'Float';
    case 'decimal':
      return 'numeric';
    case 'utf8':
      return 'String';
    case 'binary':
      return 'bytea';
    case 'json':
      return 'jsonb';
    case 'timestamp':
      return type.zoned ? 'timestamptz' : 'timestamp';
    case 'uuid':
    case 'date':
    case 'time':
    case 'interval':
      return type.kind;
    case 'list':
    case 'struct':
    case 'map':
      return null;
  }
}

/** Scalars with an order that means something: those `order_by` takes. */
export const isOrdered = (type: DataType): boolean => {
  const scalar = scalarOf(type);
  return scalar !== null && scalar !== 'jsonb' && scalar !== 'bytea' && scalar !== 'interval';
};

/** Whether `to_json` alone gives the documented form, so that the engine can copy the value as it is. */
function isPlain(type: DataType): boolean {
  switch (type.kind) {
    case 'bool':
    case 'utf8':
    case 'json':
      return true;
    case 'int':
      return scalarOf(type) === 'Int';
    case 'list':
      return isPlain(type.element.type);
    case 'struct':
      return type.fields.every(field => isPlain(field.type));
    default:
      return false;
  }
}

/**
 * The expression whose `to_json` is the column's documented JSON form:
 * 64-bit integers and decimals as strings; times in ISO 8601; floats as numbers, the three that JSON has no number for as the
 * strings NaN, Infinity and -Infinity; bytes in Base64; maps as lists of `{key, value}`.
 */
export function jsonForm(expression: string, type: DataType, depth = 0): string {
  if (isPlain(type)) return expression;
  switch (type.kind) {
    case 'float': {
      const x = type.bits === 32 ? `${expression}::DOUBLE` : expression;
      // Two branches, since nearly every value takes the first.
      return `CASE WHEN isfinite(${x}) THEN to_json(${x}) ELSE CASE WHEN isnan(${x}) THEN '"NaN"'::JSON WHEN ${x} > 0 THEN '"Infinity"'::JSON WHEN ${x} < 0 THEN '"-Infinity"'::JSON END END`;
    }
    case 'timestamp':
      return type.zoned ? `replace(make_timestamp(epoch_us(${expression}))::VARCHAR, ' ', 'T') || 'Z'` : `replace(${expression}::VARCHAR, ' ', 'T')`;
    case 'binary':
      return `base64(${expression})`;
    case 'list': {
      const element = `e${depth}`;
      return `list_transform(${expression}, lambda ${element}: ${jsonForm(element, type.element.type, depth + 1)})`;
    }
    case 'struct': {
      const members = type.fields.map(field => `${literal(field.name)}: ${jsonForm(member(expression, field), field.type, depth)}`);
      return `CASE WHEN ${expression} IS NOT NULL THEN {${members.join(', ')}} END`;
    }
    case 'map': {
      const entry = `e${depth}`;
      const pair = `{'key': ${jsonForm(`${entry}.key`, type.key.type, depth + 1)}, 'value': ${jsonForm(`${entry}.value`, type.value.type, depth + 1)}}`;
      return `list_transform(map_entries(${expression}), lambda ${entry}: ${pair})`;
    }
    default:
      return `${expression}::VARCHAR`;
  }
}

/** A member of a struct, by the name the engine knows. */
export const member = (expression: string, field: Field): string => `struct_extract(${expression}, ${literal(field.sourceName ?? field.name)})`;

/**
 * An object of named parts as an expression for `to_json`. Engines compare the names of struct members without regard to case, so
 * response keys that differ only in case go through `json_object`.
 */
export function jsonObject(parts: readonly (readonly [key: string, expression: string])[]): string {
  const distinct = new Set(parts.map(([key]) => key.toLowerCase())).size === parts.length;
  return distinct
    ? `{${parts.map(([key, expression]) => `${literal(key)}: ${expression}`).join(', ')}}`
    : `json_object(${parts.map(([key, expression]) => `${literal(key)}, ${expression}`).join(', ')})`;
}
