import {fork} from 'node:child_process';
import {once} from 'node:events';
import {cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, truncateSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {typeName} from '../../src/schemas/schema.ts';
import type {Field} from '../../src/schemas/schema.ts';
import {createOnnxRuntime} from '../../src/inference/onnx/onnx-runtime.ts';
import {artifactOf, examplesOf, fixtures, limits} from './models.ts';

const runtime = createOnnxRuntime({threads: 1});
afterAll(() => runtime.stop());

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gate-'));
});
afterEach(() => rmSync(folder, {recursive: true}));

const inspect = (name: string, options: object = {}, extra: string[] = []) => runtime.inspect(artifactOf(name, extra), {...limits, ...options});
const shown = (fields: readonly Field[]): string[] => fields.map(field => `${field.name}: ${typeName(field.type)}${field.nullable ? '' : '!'}`);

describe('signatures', () => {
  test('a binary classifier of strings and numbers', async () => {
    const report = await inspect('logistic');
    expect(shown(report.signature.inputs)).toEqual(['x: float32!', 'y: float32!', 'n: int64!', 'word: utf8!']);
    expect(shown(report.signature.outputs)).toEqual(['label: bool!', 'probability: float32!']);
    expect(report.tensors).toEqual({inputs: ['x', 'y', 'n', 'word'], outputs: ['label', 'probabilities']});
    expect(report.operators).toContain('ai.onnx.ml.LinearClassifier');
    expect(report.producer).toMatch(/^skl2onnx 1/);
    expect(report.runtime).toMatch(/^onnxruntime-node 1\.30\.0 cpu \w+ \S+$/);
    expect(report.parity).toBeNull();
    expect(report.settings).toMatchObject({intraOpThreads: 1, tolerance: 0});
  });

  test('many classes have a probability each, under legal names', async () => {
    const report = await inspect('classes');
    expect(shown(report.signature.outputs)).toEqual(['label: utf8!', 'probability_high: float32!', 'probability_low_cost: float32!', 'probability_middle: float32!']);
    expect(report.tensors.outputs).toEqual(['label', 'probabilities', 'probabilities', 'probabilities']);
  });

  test('a regressor', async () => {
    expect(shown((await inspect('regressor')).signature.outputs)).toEqual(['value: float32!']);
  });

  test('float inputs take nulls where the model does', async () => {
    expect(shown((await inspect('nulls')).signature.inputs)).toEqual(['x: float32', 'y: float32']);
  });

  test('names are made legal and the old ones kept; every element type', async () => {
    const {signature, tensors} = await inspect('names');
    expect(shown(signature.inputs)).toEqual(['Beak_Length_mm: float64!', 'beak_length_mm_2: int64!', 'is_tall: bool!', 'c_2nd: utf8!', 'small: int16!']);
    expect(signature.inputs.map(field => field.sourceName)).toEqual(['Beak Length (mm)', 'beak length_mm', 'is tall?', '2nd', undefined]);
    expect(tensors.inputs).toEqual(['Beak Length (mm)', 'beak length_mm', 'is tall?', '2nd', 'small']);
    expect(shown(signature.outputs)).toEqual(['Beak_Length_mm_out: float64!', 'beak_length_mm_out_2: int64!', 'is_tall_out: bool!', 'c_2nd_out: utf8!', 'small_out: int16!']);
  });

  test('ZipMap becomes columns', async () => {
    const report = await inspect('zipmap', {examples: examplesOf('logistic')});
    expect(shown(report.signature.outputs)).toEqual(['label: bool!', 'probability: float32!']);
    expect(report.parity!.rows).toBe(200);
    expect(report.parity!.maxDifference).toBeLessThan(1e-5);
  });
});

describe('parity', () => {
  test.each(['logistic', 'regressor', 'nulls'])('%s answers as its own library does', async name => {
    const {parity} = await inspect(name, {examples: examplesOf(name)});
    expect(parity!.rows).toBe(200);
    expect(parity!.maxDifference).toBeLessThan(1e-5);
  });

  test('another answer is refused, with how many and how far', async () => {
    const {inputs, outputs} = examplesOf('logistic');
    const probability = outputs.probability!.map((value, row) => (row < 3 ? (value as number) + 0.25 : value));
    await expect(inspect('logistic', {examples: {inputs, outputs: {...outputs, probability}}})).rejects.toMatchObject({
      code: 'PARITY_FAILED', details: {rowsDiffering: 3, maxDifference: expect.closeTo(0.25, 5)},
    });
  });

  test('another label is refused', async () => {
    const {inputs, outputs} = examplesOf('logistic');
    const label = outputs.label!.map((value, row) => (row === 5 ? 1 - (value as number) : value));
    await expect(inspect('logistic', {examples: {inputs, outputs: {label}}})).rejects.toMatchObject({code: 'PARITY_FAILED', details: {rowsDiffering: 1}});
  });

  test('outputs may be named as the tensors are', async () => {
    const {inputs, outputs} = examplesOf('logistic');
    const probabilities = (outputs.probability as number[]).map(value => [1 - value, value]);
    expect((await inspect('logistic', {examples: {inputs, outputs: {probabilities}}})).parity!.rows).toBe(200);
  });

  test.each([
    ['a missing input', {inputs: {x: [1]}, outputs: {value: [1]}}],
    ['no output of the model', {inputs: {x: [1], y: [1]}, outputs: {price: [1]}}],
    ['columns of different lengths', {inputs: {x: [1], y: [1, 2]}, outputs: {value: [1]}}],
    ['text for a number', {inputs: {x: ['a'], y: [1]}, outputs: {value: [1]}}],
  ])('examples with %s', async (_, examples) => {
    await expect(inspect('regressor', {examples})).rejects.toMatchObject({code: 'INPUT_INVALID'});
  });
});

describe('refused', () => {
  test('what is no ONNX', async () => {
    writeFileSync(join(folder, 'a.onnx'), 'hello, I am a model');
    writeFileSync(join(folder, 'empty.onnx'), '');
    cpSync(join(fixtures, 'nulls.onnx'), join(folder, 'cut.onnx'));
    truncateSync(join(folder, 'cut.onnx'), 20_000);
    for (const name of ['a', 'empty', 'cut']) await expect(runtime.inspect(artifactOf(name, [], folder), limits)).rejects.toMatchObject({code: 'ARTIFACT_NOT_ONNX'});
    await expect(runtime.inspect({folder, model: 'none.onnx', files: []}, limits)).rejects.toMatchObject({code: 'ARTIFACT_NOT_ONNX'});
  });

  test('too many bytes', async () => {
    await expect(inspect('nulls', {maxBytes: 1000})).rejects.toMatchObject({code: 'ARTIFACT_TOO_LARGE', details: {limit: 1000}});
  });

  test.each(['foreign', 'foreign_within'])('operators of other domains: %s', async name => {
    await expect(inspect(name)).rejects.toMatchObject({code: 'ARTIFACT_OPERATOR', details: {operator: 'evil.corp.Explode'}});
  });

  test.each([['outside', '../secret.bin'], ['absolute', '/etc/hostname'], ['sidecar', 'sidecar.bin']])('data outside the artifact: %s', async (name, path) => {
    await expect(inspect(name)).rejects.toMatchObject({code: 'ARTIFACT_PATH', details: {path}});
  });

  test('a link that leads out of the artifact', async () => {
    cpSync(join(fixtures, 'sidecar.onnx'), join(folder, 'sidecar.onnx'));
    symlinkSync(join(fixtures, 'sidecar.bin'), join(folder, 'sidecar.bin'));
    await expect(runtime.inspect(artifactOf('sidecar', ['sidecar.bin'], folder), limits)).rejects.toMatchObject({code: expect.stringMatching(/^ARTIFACT_/)});
  });

  test('external data of its own is welcome', async () => {
    expect(shown((await inspect('sidecar', {}, ['sidecar.bin'])).signature.outputs)).toEqual(['value: float32!']);
  });

  test('inputs that are no columns', async () => {
    await expect(inspect('vector')).rejects.toMatchObject({code: 'ARTIFACT_UNSUPPORTED', message: expect.stringContaining('[N, 4]')});
  });

  test('a model that never returns is killed', async () => {
    const start = performance.now();
    await expect(inspect('endless', {trialSeconds: 1})).rejects.toMatchObject({code: 'ARTIFACT_TIMEOUT', details: {seconds: 1}});
    expect(performance.now() - start).toBeLessThan(20_000);
    expect(gateProcesses()).toEqual([]);
  });

  test('a model whose process dies', async () => {
    const trial = inspect('endless');
    trial.catch(() => undefined);
    let child: number | undefined;
    while ((child = gateProcesses()[0]) === undefined) await new Promise(resolve => setTimeout(resolve, 20));
    process.kill(child, 'SIGKILL');
    await expect(trial).rejects.toMatchObject({code: 'ARTIFACT_CRASHED', message: expect.stringContaining('SIGKILL')});
    expect(gateProcesses()).toEqual([]);
  });

  test('a trial whose server is gone ends itself', async () => {
    const child = fork(new URL('../../src/inference/onnx/gate-process.ts', import.meta.url), {serialization: 'advanced', stdio: 'ignore', env: {PATH: process.env.PATH}});
    child.send({artifact: artifactOf('endless'), lifeSeconds: 1});
    const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
    expect(signal).toBe('SIGKILL');
  });

  test('a model that fails on made-up rows, unless it is given some', async () => {
    await expect(inspect('picky')).rejects.toMatchObject({code: 'ARTIFACT_CRASHED', message: expect.stringContaining('Gather')});
    const report = await inspect('picky', {examples: {inputs: {place: [0, 1, 2]}, outputs: {value: [10, 20, 30]}}});
    expect(report.parity).toEqual({rows: 3, maxDifference: 0});
  });
});

/** Processes of gates that this one started. */
function gateProcesses(): number[] {
  return readdirSync('/proc').filter(name => /^\d+$/.test(name)).map(Number).filter(pid => {
    try {
      const parent = /^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
      return Number(parent) === process.pid && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('gate-process');
    } catch {
      return false;
    }
  });
}
