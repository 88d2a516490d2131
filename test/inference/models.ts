/** The fixtures as artifacts, and columns of plain values. */
import {createHash} from 'node:crypto';
import {readFileSync, statSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import type {Column, ColumnBatch} from '../../src/engines/engine.ts';
import type {Artifact, Examples, GateReport, InferenceRuntime, LoadedModel} from '../../src/inference/runtime.ts';
import {columnOfValues, valueAt} from '../../src/inference/values.ts';

export const fixtures = fileURLToPath(new URL('./fixtures', import.meta.url));

export function artifactOf(name: string, extra: readonly string[] = [], folder = fixtures): Artifact {
  const model = `${name}.onnx`;
  const files = [model, ...extra].map(file => {
    const path = `${folder}/${file}`;
    return {name: file, bytes: statSync(path).size, sha256: createHash('sha256').update(readFileSync(path)).digest('hex')};
  });
  return {folder, model, files};
}

export const examplesOf = (name: string, folder = fixtures): Examples => JSON.parse(readFileSync(`${folder}/${name}.json`, 'utf8')) as Examples;

export const limits = {trialSeconds: 30, maxBytes: 1_000_000};

const reports = new Map<string, Promise<GateReport>>();

/** The fixture behind the gate (which it passes once a test file), loaded. */
export async function loaded(runtime: InferenceRuntime, name: string): Promise<{model: LoadedModel; report: GateReport}> {
  const artifact = artifactOf(name);
  if (!reports.has(name)) reports.set(name, runtime.inspect(artifact, limits));
  const report = await reports.get(name)!;
  return {report, model: await runtime.load(artifact, report)};
}

/** A batch of a signature's inputs out of plain values by name. */
export function batchOf(report: Pick<GateReport, 'signature'>, values: Readonly<Record<string, readonly unknown[]>>): ColumnBatch {
  const columns = report.signature.inputs.map(field => columnOfValues(field, values[field.name]!, issue => {
    throw new Error(issue);
  }));
  return {rowCount: Object.values(values)[0]!.length, columns};
}

/** Columns as rows of plain values. */
export function rowsOf(columns: readonly Column[]): unknown[][] {
  const [first] = columns;
  const count = first ? (first.kind === 'strings' ? first.indices : first.values).length : 0;
  return Array.from({length: count}, (_, row) => columns.map(column => valueAt(column, row)));
}
