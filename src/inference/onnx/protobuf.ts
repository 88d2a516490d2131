/**
 * What the gate must know of a model before ONNX Runtime sees it, read from the protobuf by hand: operators, files referred to,
 * inputs, outputs, class labels. Weights are stepped over.
 *
 * Field numbers are those of onnx.proto3 (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3).
 */
import {Failure, reasonOf} from './failure.ts';
import {bytesField, concat, fieldsOf, numberField, textField, textOf, varintsOf} from './wire.ts';
import type {WireField} from './wire.ts';

/** An input or output of the graph. `elementType` is TensorProto.DataType; `dims` null: rank unknown; a null dim: free. */
export interface ValueInfo {
  readonly name: string;
  readonly kind: 'tensor' | 'sequence' | 'map' | 'optional' | 'sparse' | 'unknown';
  readonly elementType: number;
  readonly dims: readonly (number | null)[] | null;
}

/** A ZipMap node turns a tensor [N, k] into N maps from class label to number, which no column can hold. */
export interface ZipMap {
  readonly input: string;
  readonly output: string;
}

export interface ModelSummary {
  readonly irVersion: number;
  /** Name and version of what wrote the model. */
  readonly producer: string;
  readonly opsets: Readonly<Record<string, number>>;
  /** `Op` or `domain.Op`, sorted, of all graphs and functions, without calls of the model's own functions. */
  readonly operators: readonly string[];
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  /** Locations of external data, as written. */
  readonly externalFiles: readonly string[];
  readonly zipMaps: readonly ZipMap[];
  /** Class labels by the last operator that has them; null where none has. */
  readonly classes: readonly (string | number)[] | null;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Graphs within graphs deeper than this are no model anybody trained. */
const MAX_DEPTH = 32;

/** Reads a model's summary. @throws ARTIFACT_NOT_ONNX */
export function readModel(bytes: Uint8Array): ModelSummary {
  try {
    return summarize(bytes);
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure('ARTIFACT_NOT_ONNX', {reason: reasonOf(error)});
  }
}

interface Found {
  readonly operators: Set<string>;
  readonly externalFiles: Set<string>;
  readonly zipMaps: ZipMap[];
  classes: readonly (string | number)[] | null;
}

function summarize(bytes: Uint8Array): ModelSummary {
  let irVersion = 0;
  let producer = '';
  let producerVersion = '';
  let graph: Uint8Array | undefined;
  const opsets: Record<string, number> = {};
  const metadata: Record<string, string> = {};
  const functions: Uint8Array[] = [];
  for (const value of fieldsOf(bytes)) {
    if (value.field === 1) irVersion = value.number;
    else if (value.field === 2) producer = textOf(value);
    else if (value.field === 3) producerVersion = textOf(value);
    else if (value.field === 7) graph = value.bytes;
    else if (value.field === 8) {
      const [domain = '', version = 0] = pick(value.bytes, {1: textOf, 2: each => each.number}) as [string?, number?];
      opsets[domain] = version;
    } else if (value.field === 14) {
      const [key = '', text = ''] = pick(value.bytes, {1: textOf, 2: textOf}) as [string?, string?];
      metadata[key] = text;
    } else if (value.field === 25) functions.push(value.bytes);
  }
  if (irVersion <= 0) throw new Error('it has no IR version');
  if (!graph) throw new Error('it has no graph');

  const found: Found = {operators: new Set(), externalFiles: new Set(), zipMaps: [], classes: null};
  const own = new Set<string>();
  for (const body of functions) {
    const [name = '', domain = ''] = pick(body, {1: textOf, 10: textOf}) as string[];
    own.add(qualified(domain, name));
    for (const value of fieldsOf(body)) if (value.field === 7) readNode(value.bytes, found, 1);
  }
  const {inputs, outputs} = readGraph(graph, found, 0);
  if (outputs.length === 0) throw new Error('its graph has no outputs');
  return {
    irVersion,
    producer: `${producer} ${producerVersion}`.trim(),
    opsets,
    operators: [...found.operators].filter(operator => !own.has(operator)).sort(),
    inputs,
    outputs,
    externalFiles: [...found.externalFiles],
    zipMaps: found.zipMaps,
    classes: found.classes,
    metadata,
  };
}

/** The last value of each field asked for, in ascending order of field number. */
function pick(message: Uint8Array, readers: Readonly<Record<number, (value: WireField) => unknown>>): unknown[] {
  const values: Record<number, unknown> = {};
  for (const value of fieldsOf(message)) {
    const reader = readers[value.field];
    if (reader) values[value.field] = reader(value);
  }
  return Object.keys(readers).map(field => values[Number(field)]);
}

const qualified = (domain: string, name: string): string => (domain === '' || domain === 'ai.onnx' ? name : `${domain}.${name}`);

function readGraph(graph: Uint8Array, found: Found, depth: number): {inputs: ValueInfo[]; outputs: ValueInfo[]} {
  if (depth > MAX_DEPTH) throw new Error(`its graphs are nested deeper than ${MAX_DEPTH}`);
  const inputs: ValueInfo[] = [];
  const outputs: ValueInfo[] = [];
  const constants = new Set<string>();
  for (const value of fieldsOf(graph)) {
    if (value.field === 1) readNode(value.bytes, found, depth);
    else if (value.field === 5) constants.add(readTensor(value.bytes, found));
    else if (value.field === 11) inputs.push(readValueInfo(value.bytes));
    else if (value.field === 12) outputs.push(readValueInfo(value.bytes));
    else if (value.field === 15) constants.add(readSparseTensor(value.bytes, found));
  }
  // Before IR 4 the weights were also listed as inputs.
  return {inputs: inputs.filter(input => !constants.has(input.name)), outputs};
}

function readNode(node: Uint8Array, found: Found, depth: number): void {
  let operator = '';
  let domain = '';
  const inputs: string[] = [];
  const outputs: string[] = [];
  let classes: (string | number)[] = [];
  for (const value of fieldsOf(node)) {
    if (value.field === 1) inputs.push(textOf(value));
    else if (value.field === 2) outputs.push(textOf(value));
    else if (value.field === 4) operator = textOf(value);
    else if (value.field === 7) domain = textOf(value);
    else if (value.field === 5) classes = [...classes, ...readAttribute(value.bytes, found, depth)];
  }
  found.operators.add(qualified(domain, operator));
  if (classes.length > 0) found.classes = classes;
  if (operator === 'ZipMap' && domain === 'ai.onnx.ml') {
    if (depth > 0) throw new Failure('ARTIFACT_UNSUPPORTED', {reason: 'it makes maps (ZipMap) within a nested graph; export it with `zipmap=False`'});
    found.zipMaps.push({input: inputs[0] ?? '', output: outputs[0] ?? ''});
  }
}

/** Descends into an attribute's graphs and tensors; gives the class labels when it holds them. */
function readAttribute(attribute: Uint8Array, found: Found, depth: number): (string | number)[] {
  let name = '';
  const labels: (string | number)[] = [];
  for (const value of fieldsOf(attribute)) {
    if (value.field === 1) name = textOf(value);
    else if (value.field === 5 || value.field === 10) readTensor(value.bytes, found);
    else if (value.field === 6 || value.field === 11) readGraph(value.bytes, found, depth + 1);
    else if (value.field === 22 || value.field === 23) readSparseTensor(value.bytes, found);
    else if (value.field === 8 && isLabels(name)) labels.push(...varintsOf(value));
    else if (value.field === 9 && isLabels(name)) labels.push(textOf(value));
  }
  return isLabels(name) ? labels : [];
}

const isLabels = (name: string): boolean => /^class(es|labels)_(int64s|ints|strings)$/.test(name);

/** Notes external data; gives the tensor's name. */
function readTensor(tensor: Uint8Array, found: Found): string {
  let name = '';
  for (const value of fieldsOf(tensor)) {
    if (value.field === 8) name = textOf(value);
    else if (value.field === 13) {
      const [key, text = ''] = pick(value.bytes, {1: textOf, 2: textOf}) as [string?, string?];
      if (key === 'location') found.externalFiles.add(text);
    }
  }
  return name;
}

function readSparseTensor(tensor: Uint8Array, found: Found): string {
  let name = '';
  for (const value of fieldsOf(tensor)) {
    if (value.field === 1) name = readTensor(value.bytes, found);
    else if (value.field === 2) readTensor(value.bytes, found);
  }
  return name;
}

const typeKinds: Readonly<Record<number, ValueInfo['kind']>> = {1: 'tensor', 4: 'sequence', 5: 'map', 8: 'sparse', 9: 'optional'};

function readValueInfo(info: Uint8Array): ValueInfo {
  const [name = '', type] = pick(info, {1: textOf, 2: value => value.bytes}) as [string?, Uint8Array?];
  for (const value of type ? fieldsOf(type) : []) {
    const kind = typeKinds[value.field];
    if (!kind) continue;
    if (kind !== 'tensor') return {name, kind, elementType: 0, dims: null};
    const [elementType = 0, shape] = pick(value.bytes, {1: each => each.number, 2: each => each.bytes}) as [number?, Uint8Array?];
    return {name, kind, elementType, dims: shape ? readShape(shape) : null};
  }
  return {name, kind: 'unknown', elementType: 0, dims: null};
}

function readShape(shape: Uint8Array): (number | null)[] {
  const dims: (number | null)[] = [];
  for (const value of fieldsOf(shape)) {
    if (value.field !== 1) continue;
    const [size] = pick(value.bytes, {1: each => each.number}) as [number?];
    dims.push(size !== undefined && size > 0 ? size : null);
  }
  return dims;
}

/**
 * The model without its ZipMap nodes: each map output becomes the tensor [N, k] it was made of, in the same place of the output list.
 * The same bytes for the same model. A model without ZipMap comes back as it is.
 */
export function withoutZipMaps(bytes: Uint8Array, summary: ModelSummary): Uint8Array {
  if (summary.zipMaps.length === 0) return bytes;
  const tensorOf = new Map(summary.zipMaps.map(({input, output}) => [output, input]));
  const parts: Uint8Array[] = [];
  for (const value of fieldsOf(bytes)) {
    parts.push(value.field === 7 ? bytesField(7, graphWithoutZipMaps(value.bytes, tensorOf)) : bytes.subarray(value.start, value.end));
  }
  return concat(parts);
}

const FLOAT = 1;

function graphWithoutZipMaps(graph: Uint8Array, tensorOf: ReadonlyMap<string, string>): Uint8Array {
  const parts: Uint8Array[] = [];
  const shown = new Set<string>();
  for (const value of fieldsOf(graph)) {
    if (value.field === 1 && isZipMap(value.bytes)) continue;
    if (value.field === 12) {
      const {name} = readValueInfo(value.bytes);
      const tensor = tensorOf.get(name);
      if (shown.has(tensor ?? name)) continue;
      shown.add(tensor ?? name);
      if (tensor !== undefined) {
        // ValueInfoProto {name, type: TypeProto {tensor_type: {elem_type: FLOAT}}}: ONNX Runtime infers the shape.
        parts.push(bytesField(12, concat([textField(1, tensor), bytesField(2, bytesField(1, numberField(1, FLOAT)))])));
        continue;
      }
    }
    parts.push(graph.subarray(value.start, value.end));
  }
  return concat(parts);
}

function isZipMap(node: Uint8Array): boolean {
  const [operator, domain] = pick(node, {4: textOf, 7: textOf});
  return operator === 'ZipMap' && domain === 'ai.onnx.ml';
}
