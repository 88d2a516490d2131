/**
 * Columns through a session and back. Every run has exactly `batchRows` rows (small batches are padded with their last row, large
 * ones take several runs), so that a row meets the same code whatever its company: the same bits each time.
 */
import {Tensor} from 'onnxruntime-node';
import type {InferenceSession} from 'onnxruntime-node';
import {typeName} from '../../schemas/schema.ts';
import type {DataType, Field} from '../../schemas/schema.ts';
import type {Column, ColumnBatch} from '../../engines/engine.ts';
import type {GateReport} from '../runtime.ts';
import {numbersOf} from '../values.ts';
import type {NumberType, Numbers} from '../values.ts';
import {Failure, reasonOf} from './failure.ts';
import {castIsSafe, columnTypeOf, isTensorType} from './types.ts';


export interface Scorer {
  /** One column for each output. Not reentrant: wait for a call before the next. `firstRow` is added to rows that errors name. @throws INPUT_INVALID */
  score(batch: ColumnBatch, firstRow?: number): Promise<Column[]>;
}

export type ScorerSpec = Pick<GateReport, 'signature' | 'tensors'> & {readonly settings: {readonly batchRows: number}};

interface InputSlot {
  readonly field: Field;
  /** The tensor's own element type as a column type. */
  readonly type: DataType;
  readonly data: Numbers | string[];
  readonly tensor: Tensor;
}

/** Makes a scorer over an open session, which stays the caller's to release. */
export function createScorer(session: InferenceSession, {signature, tensors, settings}: ScorerSpec): Scorer {
  const {batchRows} = settings;
  const slots = signature.inputs.map((field, index) => inputSlot(session, field, tensors.inputs[index]!, batchRows));
  const feeds = Object.fromEntries(slots.map(({tensor}, index) => [tensors.inputs[index]!, tensor]));
  const fetches = [...new Set(tensors.outputs)];
  const places = outputPlaces(tensors.outputs);

  return {
    async score(batch, firstRow = 0) {
      if (batch.columns.length !== slots.length) {
        throw new Failure('INPUT_INVALID', {issues: `${slots.length} columns are needed, ${batch.columns.length} were given`});
      }
      slots.forEach((slot, index) => checkColumn(slot, batch.columns[index]!));
      const sinks = signature.outputs.map(field => outputSink(field, batch.rowCount));
      for (let start = 0; start < batch.rowCount; start += batchRows) {
        const count = Math.min(batchRows, batch.rowCount - start);
        slots.forEach((slot, index) => fill(slot, batch.columns[index]!, start, count, firstRow));
        const results = await run(session, feeds, fetches);
        sinks.forEach((sink, index) => {
          const tensor = results[tensors.outputs[index]!]!;
          const width = tensor.data.length / batchRows;
          sink.take(tensor.data as ArrayLike<unknown>, width, width - places[index]!, start, count);
        });
      }
      return sinks.map(sink => sink.column());
    },
  };
}

async function run(session: InferenceSession, feeds: Record<string, Tensor>, fetches: readonly string[]): Promise<InferenceSession.OnnxValueMapType> {
  try {
    return await session.run(feeds, fetches);
  } catch (error) {
    throw new Failure('INPUT_INVALID', {issues: `the model cannot score these rows: ${reasonOf(error)}`});
  }
}

/** The outputs of one tensor stand together and are its last columns: how far from the end each one lies (1 = last). */
function outputPlaces(tensors: readonly string[]): number[] {
  return tensors.map((name, index) => tensors.filter((other, place) => other === name && place >= index).length);
}

// --- inputs

function inputSlot(session: InferenceSession, field: Field, name: string, batchRows: number): InputSlot {
  const metadata = session.inputMetadata.find(input => input.name === name);
  if (!metadata?.isTensor || !isTensorType(metadata.type)) throw new Failure('ARTIFACT_UNSUPPORTED', {reason: `it has no input '${name}' that can be a column`});
  const dims = metadata.shape.length === 1 ? [batchRows] : [batchRows, 1];
  const data = metadata.type === 'string' ? new Array<string>(batchRows).fill('') : numbersOf(metadata.type, batchRows);
  return {field, type: columnTypeOf(metadata.type), data, tensor: new Tensor(metadata.type, data as never, dims)};
}

const kindNames = {booleans: 'bool', strings: 'utf8'} as const;

/** @throws INPUT_INVALID where the column's type cannot become the input's without loss. */
function checkColumn({field, type}: InputSlot, column: Column): void {
  const given: DataType = column.kind === 'numbers' ? column.type : {kind: kindNames[column.kind]};
  if (castIsSafe(given, type)) return;
  throw new Failure('INPUT_INVALID', {issues: `column '${field.name}' is ${typeName(given)}, the model takes ${typeName(type)}; cast it where it is computed`});
}

/** Writes rows [start, start + count) of the column into the slot and repeats the last one to its end. */
function fill(slot: InputSlot, column: Column, start: number, count: number, firstRow: number): void {
  const {data} = slot;
  if (column.kind === 'strings') {
    const target = data as string[];
    const {dictionary, indices} = column;
    for (let row = 0; row < count; row++) target[row] = dictionary[indices[start + row]!] ?? '';
  } else {
    copyNumbers(column.values.subarray(start, start + count), data as Numbers);
  }
  if (column.validity) fillNulls(slot, column.validity, start, count, firstRow);
  if (count < data.length) (data as unknown[]).fill((data as unknown[])[count - 1], count);
}

function copyNumbers(from: Numbers, to: Numbers): void {
  const widened = to instanceof BigInt64Array || to instanceof BigUint64Array;
  if (!widened || from instanceof BigInt64Array || from instanceof BigUint64Array) {
    (to as Float64Array).set(from as Float64Array);
    return;
  }
  // By halves, low first: a bigint a value costs several times as much. ONNX Runtime for Node is made for little-endian hosts only.
  const halves = new Int32Array(to.buffer, to.byteOffset, from.length * 2);
  for (let row = 0; row < from.length; row++) {
    const value = from[row]!;
    halves[row * 2] = value;
    halves[row * 2 + 1] = value < 0 ? -1 : 0;
  }
}

function fillNulls({field, data}: InputSlot, validity: Uint8Array, start: number, count: number, firstRow: number): void {
  for (let row = 0; row < count; row++) {
    const at = start + row;
    if ((validity[at >> 3]! >> (at & 7)) & 1) continue;
    if (!field.nullable) throw new Failure('INPUT_INVALID', {issues: `column '${field.name}' is null in row ${firstRow + at}, and the model takes no null there`});
    (data as Float64Array)[row] = NaN;
  }
}

// --- outputs

interface OutputSink {
  /** Takes column `column` of a tensor's data with `width` columns as rows [start, start + count). */
  take(data: ArrayLike<unknown>, width: number, column: number, start: number, count: number): void;
  column(): Column;
}

function outputSink({type}: Field, rowCount: number): OutputSink {
  if (type.kind === 'utf8') return stringSink(rowCount);
  if (type.kind === 'bool') return booleanSink(rowCount);
  const values = numbersOf(typeName(type) as NumberType, rowCount);
  return {
    take(data, width, column, start, count) {
      if (width === 1) (values as Float64Array).set((data as Float64Array).subarray(0, count), start);
      else for (let row = 0; row < count; row++) values[start + row] = (data as Float64Array)[row * width + column]!;
    },
    column: () => ({kind: 'numbers', type, values, validity: null}),
  };
}

function booleanSink(rowCount: number): OutputSink {
  const values = new Uint8Array(rowCount);
  return {
    take(data, width, column, start, count) {
      // Number() because an integer label is a bigint.
      for (let row = 0; row < count; row++) values[start + row] = Number(data[row * width + column]) === 0 ? 0 : 1;
    },
    column: () => ({kind: 'booleans', values, validity: null}),
  };
}

function stringSink(rowCount: number): OutputSink {
  const indices = new Uint32Array(rowCount);
  const places = new Map<string, number>();
  return {
    take(data, width, column, start, count) {
      for (let row = 0; row < count; row++) {
        const text = data[row * width + column] as string;
        let place = places.get(text);
        if (place === undefined) places.set(text, (place = places.size));
        indices[start + row] = place;
      }
    },
    column: () => ({kind: 'strings', dictionary: [...places.keys()], indices, validity: null}),
  };
}
