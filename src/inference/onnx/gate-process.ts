/**
 * The gate's inside: a process of its own that reads, loads and runs one model that nobody has seen before, answers with a report
 * or a failure, and ends. It may be killed at any time.
 */
import {realpath, writeFile} from 'node:fs/promises';
import {isAbsolute, normalize, resolve, sep} from 'node:path';
import {Worker} from 'node:worker_threads';
import {Tensor} from 'onnxruntime-node';
import type {InferenceSession} from 'onnxruntime-node';
import type {Column} from '../../engines/engine.ts';
import type {Field} from '../../schemas/schema.ts';
import type {Artifact, Examples, GateReport} from '../runtime.ts';
import {columnOfValues, valueAt} from '../values.ts';
import {Failure, failureData} from './failure.ts';
import type {FailureData} from './failure.ts';
import type {ModelSummary} from './protobuf.ts';
import {createScorer} from './scorer.ts';
import type {ScorerSpec} from './scorer.ts';
import {openSession, readModelFile} from './session.ts';
import {inputSide, joinSides, outputSide} from './signature.ts';
import type {OutputTensor} from './signature.ts';
import {isTensorType} from './types.ts';

export interface GateRequest {
  readonly artifact: Artifact;
  readonly examples?: Examples;
  /** Seconds after which this process ends itself, should its parent be gone by then. */
  readonly lifeSeconds: number;
}

export type GateFindings = Omit<GateReport, 'runtime'>;
export type GateAnswer = {readonly report: GateFindings} | {readonly failure: FailureData};

/** The examples' outputs may differ from the model's by this much, times the size of the value where that is above 1. */
const PARITY = 1e-5;
/** Rows of every run of every version, never measured: the size is part of a version, and the same artifact must become the same one. */
const BATCH_ROWS = 1024;
const COMPANY_ROWS_ALONE = 24;

/** Example or made-up values as a column. @throws INPUT_INVALID */
const columnOf = (field: Field, values: readonly unknown[]): Column =>
  columnOfValues(field, values, issue => {
    throw new Failure('INPUT_INVALID', {issues: issue});
  });

type Shape = Pick<GateReport, 'signature' | 'tensors'>;

async function inspect({artifact, examples}: GateRequest): Promise<GateFindings> {
  const file = await readModelFile(artifact.folder, artifact.model);
  checkOperators(file.summary);
  await checkPaths(file.summary, artifact);
  const inputs = inputSide(file.summary.inputs);
  const session = await openSession(file);
  const given = examples && rowsIn(examples) > 0 ? examples : undefined;
  // The examples are rows the model surely takes; made-up ones may lie outside what, say, an embedding knows.
  const source = given ? exampleColumns(inputs.fields, given) : inputs.fields.map(field => syntheticColumn(field, SYNTHETIC_ROWS));
  const outputs = await firstRun(session, inputs.tensors, source);
  const shape = await withNullability(session, joinSides(inputs, outputSide(outputs, file.summary.classes)), source);
  const spec = {...shape, settings: {batchRows: BATCH_ROWS}};
  return {
    ...shape,
    settings: {batchRows: BATCH_ROWS, intraOpThreads: 1, tolerance: await companyDifference(session, spec, source)},
    operators: file.summary.operators,
    producer: file.summary.producer,
    parity: given ? await compare(session, spec, given, source) : null,
  };
}

// --- before anything runs

const allowedDomains = ['ai.onnx.ml'];

function checkOperators({operators}: ModelSummary): void {
  for (const operator of operators) {
    const domain = operator.slice(0, Math.max(0, operator.lastIndexOf('.')));
    if (domain !== '' && !allowedDomains.includes(domain)) throw new Failure('ARTIFACT_OPERATOR', {operator});
  }
}

async function checkPaths({externalFiles}: ModelSummary, {folder, files}: Artifact): Promise<void> {
  const root = await realpath(folder);
  for (const path of externalFiles) {
    const plain = normalize(path);
    const listed = files.some(file => normalize(file.name) === plain);
    if (isAbsolute(path) || path.includes('\\') || plain.split('/').includes('..') || !listed) throw new Failure('ARTIFACT_PATH', {path});
    // A link inside the folder may still lead out of it.
    const real = await realpath(resolve(root, plain)).catch(() => '');
    if (!real.startsWith(root + sep)) throw new Failure('ARTIFACT_PATH', {path});
  }
}

// --- trial

/** Small numbers around zero, and words; the same ones each time. */
function syntheticColumn(field: Field, rows: number): Column {
  const values = Array.from({length: rows}, (_, row) => {
    const number = (row * 37 + field.name.length * 11) % 97;
    if (field.type.kind === 'utf8') return `w${number % 7}`;
    if (field.type.kind === 'bool') return number % 2 === 0;
    return field.type.kind === 'float' ? number / 8 : number;
  });
  return columnOf(field, values);
}

const TRIAL_ROWS = 8;
const SYNTHETIC_ROWS = 512;

/** The first rows of `source` for a trial of the model's shape, nulls as zero. */
const trialColumns = (source: readonly Column[]): Column[] => takeRows(source, 0, TRIAL_ROWS).map(column => ({...column, validity: null}));

/** Runs the model once to see what its outputs are like. @throws ARTIFACT_CRASHED, ARTIFACT_UNSUPPORTED */
async function firstRun(session: InferenceSession, tensors: readonly string[], source: readonly Column[]): Promise<OutputTensor[]> {
  for (const output of session.outputMetadata) {
    if (!output.isTensor) throw new Failure('ARTIFACT_UNSUPPORTED', {reason: `its output '${output.name}' is no tensor; export classifiers with \`zipmap=False\``});
  }
  const feeds: Record<string, Tensor> = {};
  trialColumns(source).forEach((column, index) => {
    const name = tensors[index]!;
    const metadata = session.inputMetadata.find(input => input.name === name);
    if (!metadata?.isTensor) throw new Failure('ARTIFACT_UNSUPPORTED', {reason: `its input '${name}' is no tensor`});
    const data = column.kind === 'strings' ? Array.from(column.indices, place => column.dictionary[place]!) : column.values;
    feeds[name] = new Tensor(metadata.type, data as never, metadata.shape.length === 1 ? [TRIAL_ROWS] : [TRIAL_ROWS, 1]);
  });
  const results = await session.run(feeds);
  return session.outputNames.map(name => {
    const {dims, type} = results[name]!;
    if (!isTensorType(type)) throw new Failure('ARTIFACT_UNSUPPORTED', {reason: `its output '${name}' is ${type}, which no column is`});
    if (dims[0] !== TRIAL_ROWS || dims.length > 2) {
      throw new Failure('ARTIFACT_UNSUPPORTED', {reason: `its output '${name}' has the shape [${dims.join(', ')}] for ${TRIAL_ROWS} rows; [N] or [N, k] is needed`});
    }
    return {name, type, width: dims[1] ?? 1};
  });
}

/** A float input takes nulls, as NaN, when the model then still answers with numbers. */
async function withNullability(session: InferenceSession, shape: Shape, source: readonly Column[]): Promise<Shape> {
  const inputs: Field[] = [];
  for (const field of shape.signature.inputs) {
    inputs.push(field.type.kind === 'float' && (await takesNaN(session, shape, field, source)) ? {...field, nullable: true} : field);
  }
  return {...shape, signature: {...shape.signature, inputs}};
}

async function takesNaN(session: InferenceSession, shape: Shape, tried: Field, source: readonly Column[]): Promise<boolean> {
  const columns = trialColumns(source);
  const column = columns[shape.signature.inputs.indexOf(tried)]!;
  if (column.kind === 'numbers') (column.values as Float64Array).fill(NaN);
  try {
    const outputs = await createScorer(session, {...shape, settings: {batchRows: TRIAL_ROWS}}).score({rowCount: TRIAL_ROWS, columns});
    return outputs.every(column => column.kind !== 'numbers' || !(column.values as Float64Array).some(Number.isNaN));
  } catch {
    return false;
  }
}

/** Rows of `source`, from `offset` on and beginning again at its end. */
function takeRows(source: readonly Column[], offset: number, count: number): Column[] {
  return source.map(column => {
    const from = column.kind === 'strings' ? column.indices : column.values;
    const picked = new (from.constructor as new (length: number) => typeof from)(count);
    const validity = column.validity && new Uint8Array(Math.ceil(count / 8));
    for (let row = 0; row < count; row++) {
      const place = (offset + row) % from.length;
      picked[row] = from[place]!;
      if (validity && (column.validity![place >> 3]! >> (place & 7)) & 1) validity[row >> 3]! |= 1 << (row & 7);
    }
    return (column.kind === 'strings' ? {...column, indices: picked, validity} : {...column, values: picked, validity}) as Column;
  });
}

// --- settings

/** The greatest difference of a row's answer alone, or at other places of a full batch, from its answer in company. */
async function companyDifference(session: InferenceSession, spec: ScorerSpec, source: readonly Column[]): Promise<number> {
  const {batchRows} = spec.settings;
  const scorer = createScorer(session, spec);
  const score = (offset: number, count: number): Promise<Column[]> => scorer.score({rowCount: count, columns: takeRows(source, offset, count)});
  const company = await score(0, batchRows);
  let most = 0;
  const note = (other: readonly Column[], offset: number, count: number): void => {
    other.forEach((column, index) => {
      for (let row = 0; row < count && row + offset < batchRows; row++) most = Math.max(most, difference(valueAt(column, row), valueAt(company[index]!, row + offset)));
    });
  };
  for (const shift of [1, 3, batchRows / 2 + 5]) note(await score(shift, batchRows), shift, batchRows - shift);
  for (let each = 0; each < COMPANY_ROWS_ALONE; each++) {
    const row = Math.floor((each * batchRows) / COMPANY_ROWS_ALONE);
    note(await score(row, 1), row, 1);
  }
  return most;
}

/** Of numbers the absolute difference; of anything else 1 where it is not the same. */
function difference(a: unknown, b: unknown): number {
  if (typeof a !== 'number' || typeof b !== 'number') return a === b ? 0 : 1;
  return Object.is(a, b) || a === b ? 0 : Number.isNaN(a - b) ? 1 : Math.abs(a - b);
}

// --- parity

const rowsIn = ({inputs}: Examples): number => Object.values(inputs)[0]?.length ?? 0;

/** Values of examples by the field's name or the tensor's; a tensor of several columns has an array a row. */
function exampleValues(side: Examples['inputs'], field: Field, column: number, rows: number): readonly unknown[] | undefined {
  const byName = side[field.name];
  const values = byName ?? side[field.sourceName ?? ''];
  if (!values) return undefined;
  if (values.length !== rows) throw new Failure('INPUT_INVALID', {issues: `the examples' '${field.name}' has ${values.length} rows instead of ${rows}`});
  return byName ? values : values.map(value => (Array.isArray(value) ? value.at(column) : value) as unknown);
}

function exampleColumns(fields: readonly Field[], examples: Examples): Column[] {
  return fields.map(field => {
    const values = exampleValues(examples.inputs, field, 0, rowsIn(examples));
    if (!values) throw new Failure('INPUT_INVALID', {issues: `the examples have no input '${field.name}'`});
    return columnOf(field, values);
  });
}

async function compare(session: InferenceSession, spec: ScorerSpec, examples: Examples, columns: readonly Column[]): Promise<NonNullable<GateReport['parity']>> {
  const rows = rowsIn(examples);
  const outputs = await createScorer(session, spec).score({rowCount: rows, columns});
  const differing = new Set<number>();
  let maxDifference = 0;
  let compared = 0;
  spec.signature.outputs.forEach((field, index) => {
    const fromEnd = spec.tensors.outputs.slice(index).filter(name => name === spec.tensors.outputs[index]).length;
    const values = exampleValues(examples.outputs, field, -fromEnd, rows);
    if (!values) return;
    compared++;
    const expected = columnOf(field.type.kind === 'float' ? {...field, type: {kind: 'float', bits: 64}} : field, values);
    for (let row = 0; row < rows; row++) {
      const wanted = valueAt(expected, row);
      const got = difference(valueAt(outputs[index]!, row), wanted ?? NaN);
      maxDifference = Math.max(maxDifference, got);
      if (got > PARITY * Math.max(1, typeof wanted === 'number' ? Math.abs(wanted) : 1)) differing.add(row);
    }
  });
  if (compared === 0) throw new Failure('INPUT_INVALID', {issues: `the examples have none of the outputs ${spec.signature.outputs.map(field => field.name).join(', ')}`});
  if (differing.size > 0) throw new Failure('PARITY_FAILED', {rowsDiffering: differing.size, maxDifference});
  return {rows, maxDifference};
}

/** From a thread of its own, because a model that never returns holds this one. */
function limitLife(seconds: number): void {
  new Worker("setTimeout(() => process.kill(process.pid, 'SIGKILL'), require('node:worker_threads').workerData)", {eval: true, execArgv: [], workerData: seconds * 1000}).unref();
}

process.once('message', async (request: GateRequest) => {
  limitLife(request.lifeSeconds);
  // Should the model eat the host's memory, Linux is to end this process and no other.
  await writeFile('/proc/self/oom_score_adj', '1000').catch(() => undefined);
  let answer: GateAnswer;
  try {
    answer = {report: await inspect(request)};
  } catch (error) {
    const failure = failureData(error, reason => ({code: 'ARTIFACT_CRASHED', details: {reason}}));
    // Without examples nobody gave an invalid input: the model did not bear the made-up one.
    const crashed = failure.code === 'INPUT_INVALID' && !request.examples;
    answer = {failure: crashed ? {code: 'ARTIFACT_CRASHED', details: {reason: failure.details.issues}} : failure};
  }
  process.send!(answer, () => process.exit(0));
});
