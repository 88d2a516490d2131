/**
 * The typed columns of a model.
 *
 * Inputs are tensors [N] or [N, 1], one column each, under the tensor's name made legal.
 * Outputs:
 * - a classifier (a label [N] and one float tensor [N, k], k ≥ 2) gives `label`, and `probability` of the second class when k is 2,
 *   else `probability_<class>` for each. A binary label of the classes 0 and 1 is a bool.
 * - a regressor (one float column) gives `value`.
 * - anything else: a tensor of one column under its own name, one of k columns as `<name>_0` …
 * No output is nullable. Fields that share a tensor stand together and are the tensor's last columns, in order.
 */
import type {DataType, Field} from '../../schemas/schema.ts';
import type {GateReport} from '../runtime.ts';
import {Failure} from './failure.ts';
import type {ValueInfo} from './protobuf.ts';
import {columnTypeOf, tensorTypeOf} from './types.ts';
import type {TensorType} from './types.ts';

/** A tensor the model gave in its first run. */
export interface OutputTensor {
  readonly name: string;
  readonly type: TensorType;
  /** Columns: 1 for [N] and [N, 1]. */
  readonly width: number;
}

interface Side {
  readonly fields: readonly Field[];
  readonly tensors: readonly string[];
}

/** The inputs as fields; every one not nullable until the trial shows otherwise. @throws ARTIFACT_UNSUPPORTED */
export function inputSide(inputs: readonly ValueInfo[]): Side {
  if (inputs.length === 0) throw new Failure('ARTIFACT_UNSUPPORTED', {reason: 'it has no inputs'});
  const names = legalNames(inputs.map(input => input.name));
  const fields = inputs.map((input, index) => named(names[index]!, input.name, inputType(input)));
  return {fields, tensors: inputs.map(input => input.name)};
}

function inputType({name, kind, elementType, dims}: ValueInfo): DataType {
  const type = kind === 'tensor' ? tensorTypeOf(elementType) : undefined;
  const refuse = (reason: string): never => {
    throw new Failure('ARTIFACT_UNSUPPORTED', {reason: `its input '${name}' ${reason}`});
  };
  if (!type) return refuse(kind === 'tensor' ? 'is of an element type that no column has' : `is a ${kind}, not a tensor`);
  if (dims?.length === 0) return refuse('is a scalar, not a column');
  if (dims && dims.slice(1).some(size => size !== 1)) return refuse(`has the shape [${shown(dims)}]; give it one input [N, 1] a column`);
  if (dims && dims.length > 2) return refuse(`has ${dims.length} dimensions`);
  if (dims && dims[0] !== null) return refuse(`takes exactly ${dims[0]} rows; export the model with a free first dimension`);
  return columnTypeOf(type);
}

const shown = (dims: readonly (number | null)[]): string => dims.map(size => size ?? 'N').join(', ');

/** The outputs as fields. `classes` are the model's class labels, where it says them. */
export function outputSide(outputs: readonly OutputTensor[], classes: readonly (string | number)[] | null): Side {
  return classifierSide(outputs, classes) ?? regressorSide(outputs) ?? plainSide(outputs);
}

const isFloat = ({type}: OutputTensor): boolean => type === 'float32' || type === 'float64';
const labelTypes: readonly TensorType[] = ['int64', 'int32', 'string', 'bool'];

function classifierSide(outputs: readonly OutputTensor[], classes: readonly (string | number)[] | null): Side | undefined {
  const label = outputs.find(({type, width}) => width === 1 && labelTypes.includes(type));
  const scores = outputs.find(output => output.width > 1 && isFloat(output));
  if (outputs.length !== 2 || !label || !scores) return undefined;
  const known = classes?.length === scores.width ? classes : Array.from({length: scores.width}, (_, index) => index);
  const binary = scores.width === 2;
  const isBool = binary && classes?.length === 2 && label.type !== 'string' && classes[0] === 0 && classes[1] === 1;
  const names = binary ? ['probability'] : legalNames(known.map(each => `probability_${each}`));
  return {
    fields: [
      named('label', label.name, isBool ? {kind: 'bool'} : columnTypeOf(label.type), 'The predicted class.'),
      ...names.map((name, index) => named(name, scores.name, columnTypeOf(scores.type), `The probability of ${known[binary ? 1 : index]}.`)),
    ],
    tensors: [label.name, ...names.map(() => scores.name)],
  };
}

function regressorSide(outputs: readonly OutputTensor[]): Side | undefined {
  const [only] = outputs;
  if (outputs.length !== 1 || !only || only.width !== 1 || !isFloat(only)) return undefined;
  return {fields: [named('value', only.name, columnTypeOf(only.type), 'The predicted value.')], tensors: [only.name]};
}

function plainSide(outputs: readonly OutputTensor[]): Side {
  const columns = outputs.flatMap(output =>
    Array.from({length: output.width}, (_, index) => ({output, name: output.width === 1 ? output.name : `${output.name}_${index}`})));
  const names = legalNames(columns.map(column => column.name));
  return {
    fields: columns.map(({output}, index) => named(names[index]!, output.name, columnTypeOf(output.type))),
    tensors: columns.map(({output}) => output.name),
  };
}

function named(name: string, sourceName: string, type: DataType, description?: string): Field {
  return {id: 0, name, type, nullable: false, ...(sourceName !== name && {sourceName}), ...(description !== undefined && {description})};
}

/** Names legal in GraphQL and SQL, in order and each once: `Beak Length (mm)` → `Beak_Length_mm`. */
export function legalNames(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map(name => {
    const plain = name.replace(/[^A-Za-z0-9_]+/g, '_').replace(/^_+|_+$/g, '').slice(0, 60);
    const legal = /^[A-Za-z]/.test(plain) ? plain : `c_${plain || 'column'}`;
    let unique = legal;
    for (let count = 2; taken.has(unique.toLowerCase()); count++) unique = `${legal}_${count}`;
    taken.add(unique.toLowerCase());
    return unique;
  });
}

/** The report's halves out of the two sides. */
export const joinSides = (inputs: Side, outputs: Side): Pick<GateReport, 'signature' | 'tensors'> => ({
  signature: {inputs: inputs.fields, outputs: outputs.fields},
  tensors: {inputs: inputs.tensors, outputs: outputs.tensors},
});
