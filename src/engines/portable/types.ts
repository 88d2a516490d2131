/** Types of expressions, and how the embedded engine combines them. */
import type {DataType, Field} from '../../schemas/schema.ts';

/**
 * A column's types, and two that only expressions have: `null` of a bare NULL, and `hugeint`, the 128-bit integer that sums of integers are.
 * A remote engine has DECIMAL(38, 0) for it.
 */
export type Type = DataType | {readonly kind: 'null'} | {readonly kind: 'hugeint'};

export const int = (bits: 8 | 16 | 32 | 64): Type => ({kind: 'int', bits, signed: true});
export const float: Type = {kind: 'float', bits: 32};
export const double: Type = {kind: 'float', bits: 64};
export const decimal = (precision: number, scale: number): Type & {kind: 'decimal'} => ({kind: 'decimal', precision, scale});
export const bool: Type = {kind: 'bool'};
export const utf8: Type = {kind: 'utf8'};
export const date: Type = {kind: 'date'};
export const timestamp: Type = {kind: 'timestamp', zoned: false};
export const timestamptz: Type = {kind: 'timestamp', zoned: true};
export const hugeint: Type = {kind: 'hugeint'};
export const untyped: Type = {kind: 'null'};
export const list = (element: Type): Type => ({kind: 'list', element: member('element', element)});
export const struct = (members: readonly {name: string; type: Type}[]): Type => ({kind: 'struct', fields: members.map(({name, type}) => member(name, type))});

const member = (name: string, type: Type): Field => ({id: 0, name, type: columnType(type), nullable: true});

/** The type that a column of the expression gets. */
export function columnType(type: Type): DataType {
  if (type.kind === 'null') return int(32) as DataType;
  return type.kind === 'hugeint' ? decimal(38, 0) as DataType : type;
}

export const isInteger = (type: Type): boolean => (type.kind === 'int' && type.signed) || type.kind === 'hugeint';
export const isUnsigned = (type: Type): boolean => type.kind === 'int' && !type.signed;
export const isFloat = (type: Type): boolean => type.kind === 'float';
export const isNumber = (type: Type): boolean => isInteger(type) || isFloat(type) || type.kind === 'decimal';
export const isMoment = (type: Type): boolean => type.kind === 'date' || type.kind === 'timestamp';

export function sameType(a: Type, b: Type): boolean {
  if (a.kind !== b.kind) return false;
  switch (a.kind) {
    case 'int':
      return a.bits === (b as typeof a).bits && a.signed === (b as typeof a).signed;
    case 'float':
      return a.bits === (b as typeof a).bits;
    case 'decimal':
      return a.precision === (b as typeof a).precision && a.scale === (b as typeof a).scale;
    case 'timestamp':
      return a.zoned === (b as typeof a).zoned;
    case 'list':
      return sameType(a.element.type, (b as typeof a).element.type);
    case 'map':
      return sameType(a.key.type, (b as typeof a).key.type) && sameType(a.value.type, (b as typeof a).value.type);
    case 'struct': {
      const others = (b as typeof a).fields;
      return a.fields.length === others.length && a.fields.every((field, index) => field.name.toLowerCase() === others[index]!.name.toLowerCase() && sameType(field.type, others[index]!.type));
    }
    default:
      return true;
  }
}

const integerDigits = {8: 3, 16: 5, 32: 10, 64: 19} as const;

/** An integer type as the decimal that holds it. */
export function asDecimal(type: Type): {precision: number; scale: number} | null {
  if (type.kind === 'decimal') return type;
  if (type.kind === 'hugeint') return {precision: 38, scale: 0};
  return type.kind === 'int' && type.signed ? {precision: integerDigits[type.bits], scale: 0} : null;
}

/** The type that values of both are brought to, in comparisons, CASE, set operations; null: there is none in the portable core. */
export function commonType(a: Type, b: Type): Type | null {
  if (a.kind === 'null') return b;
  if (b.kind === 'null' || sameType(a, b)) return a;
  if (isFloat(a) && isNumber(b)) return widerFloat(a, b);
  if (isFloat(b) && isNumber(a)) return widerFloat(b, a);
  if (isInteger(a) && isInteger(b)) return a.kind === 'hugeint' || b.kind === 'hugeint' ? hugeint : a.kind === 'int' && b.kind === 'int' && a.bits > b.bits ? a : b;
  const [x, y] = [asDecimal(a), asDecimal(b)];
  if (x && y) {
    const scale = Math.max(x.scale, y.scale);
    return decimal(Math.min(38, Math.max(x.precision - x.scale, y.precision - y.scale) + scale), scale);
  }
  if (isMoment(a) && isMoment(b)) return a.kind === 'timestamp' && a.zoned || b.kind === 'timestamp' && b.zoned ? timestamptz : timestamp;
  return null;
}

const widerFloat = (a: Type, b: Type): Type => (a.kind === 'float' && a.bits === 64 || b.kind === 'float' && b.bits === 64 ? double : float);
