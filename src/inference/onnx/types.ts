/** ONNX tensor types as column types, and the casts between them that lose nothing. */
import {typeName} from '../../schemas/schema.ts';
import type {DataType} from '../../schemas/schema.ts';

/** What ONNX Runtime for Node calls the element types that can be columns. */
export type TensorType = 'float32' | 'float64' | 'int8' | 'int16' | 'int32' | 'int64' | 'uint8' | 'uint16' | 'uint32' | 'uint64' | 'bool' | 'string';

/** TensorProto.DataType; float16, complex and smaller types are no columns. */
const byNumber: Readonly<Record<number, TensorType>> = {
  1: 'float32', 2: 'uint8', 3: 'int8', 4: 'uint16', 5: 'int16', 6: 'int32', 7: 'int64', 8: 'string', 9: 'bool', 11: 'float64', 12: 'uint32', 13: 'uint64',
};

export const tensorTypeOf = (elementType: number): TensorType | undefined => byNumber[elementType];

export const isTensorType = (name: string): name is TensorType => Object.values(byNumber).includes(name as TensorType);

export function columnTypeOf(type: TensorType): DataType {
  if (type === 'string') return {kind: 'utf8'};
  if (type === 'bool') return {kind: 'bool'};
  const [, kind, bits] = /^(u?int|float)(\d+)$/.exec(type)!;
  if (kind === 'float') return {kind, bits: Number(bits) as 32 | 64};
  return {kind: 'int', bits: Number(bits) as 8 | 16 | 32 | 64, signed: kind === 'int'};
}

/**
 * Whether every value of a column type has its own value in the tensor type: equal types, wider integers, float32 to float64,
 * integers of 32 bits to float64 and of 16 to float32. The rules are MLflow's.
 */
export function castIsSafe(from: DataType, to: DataType): boolean {
  if (typeName(from) === typeName(to)) return true;
  if (from.kind === 'float') return to.kind === 'float' && from.bits < to.bits;
  if (from.kind !== 'int') return false;
  if (to.kind === 'float') return from.bits <= to.bits / 2;
  if (to.kind !== 'int') return false;
  return from.signed === to.signed ? from.bits < to.bits : to.signed && from.bits < to.bits;
}
