import {readdirSync} from 'node:fs';
import fc from 'fast-check';
import {createOnnxRuntime} from '../../src/inference/onnx/onnx-runtime.ts';
import type {GateReport, InferenceRuntime, LoadedModel} from '../../src/inference/runtime.ts';
import {artifactOf, batchOf, loaded, rowsOf} from './models.ts';

let runtime: InferenceRuntime;
beforeAll(() => {
  runtime = createOnnxRuntime({threads: 2});
});
afterAll(() => runtime.stop());

const words = ['red', 'green', 'blue', 'none of them'];
type Row = {x: number; y: number; n: number; word: string};
const rowOf = (seed: number): Row => ({x: Math.fround(Math.sin(seed) * 3), y: Math.fround(Math.cos(seed * 1.7) * 2), n: (seed * 31) % 100, word: words[seed % 4]!});
const rowsFrom = (start: number, count: number): Row[] => Array.from({length: count}, (_, index) => rowOf(start + index));
const valuesOf = (rows: readonly Row[]): Record<string, unknown[]> => ({x: rows.map(row => row.x), y: rows.map(row => row.y), n: rows.map(row => row.n), word: rows.map(row => row.word)});

describe.each(['logistic', 'nulls', 'regressor', 'zipmap'])('%s', name => {
  let model: LoadedModel;
  let report: GateReport;
  beforeAll(async () => {
    ({model, report} = await loaded(runtime, name));
  });
  afterAll(() => model.close());
  const score = async (rows: readonly Row[]): Promise<unknown[][]> => rowsOf(await model.score(batchOf(report, valuesOf(rows))));

  test('a row has the same bits in any batch', async () => {
    const rows = rowsFrom(0, 5000);
    const whole = await score(rows);
    expect(new Set(whole.map(row => row.at(-1))).size).toBeGreaterThan(100);
    await fc.assert(fc.asyncProperty(fc.array(fc.integer({min: 1, max: 2500}), {minLength: 1, maxLength: 6}), fc.nat(2500), async (sizes, from) => {
      let start = from;
      for (const size of sizes) {
        const end = Math.min(rows.length, start + size);
        if (end === start) break;
        expect(await score(rows.slice(start, end))).toEqual(whole.slice(start, end));
        start = end;
      }
    }), {numRuns: 25});
  });

  test('everyone gets their own rows', async () => {
    const whole = await score(rowsFrom(0, 3000));
    const asked = Array.from({length: 200}, (_, index) => ({start: (index * 137) % 2500, count: 1 + ((index * index) % 400)}));
    const answers = await Promise.all(asked.map(({start, count}) => score(rowsFrom(start, count))));
    asked.forEach(({start, count}, index) => expect(answers[index]).toEqual(whole.slice(start, start + count)));
  });
});

describe('columns', () => {
  test('no rows give no rows', async () => {
    const {model, report} = await loaded(runtime, 'logistic');
    expect(rowsOf(await model.score(batchOf(report, valuesOf([]))))).toEqual([]);
    await model.close();
  });

  test('all element types go through, [N] and [N, 1]', async () => {
    const {model, report} = await loaded(runtime, 'names');
    const values = {Beak_Length_mm: [1.5, -2], beak_length_mm_2: [2n ** 60n, -1n], is_tall: [true, false], c_2nd: ['ä', ''], small: [-300, 7]};
    expect(rowsOf(await model.score(batchOf(report, values)))).toEqual([[1.5, 2n ** 60n, true, 'ä', -300], [-2, -1n, false, '', 7]]);
    await model.close();
  });

  test('narrower numbers are widened', async () => {
    const {model} = await loaded(runtime, 'names');
    const answer = await model.score({rowCount: 2, columns: [
      {kind: 'numbers', type: {kind: 'int', bits: 32, signed: true}, values: Int32Array.of(5, -5), validity: null},
      {kind: 'numbers', type: {kind: 'int', bits: 32, signed: false}, values: Uint32Array.of(4e9, 0), validity: null},
      {kind: 'booleans', values: Uint8Array.of(1, 0), validity: null},
      {kind: 'strings', dictionary: ['b', 'a'], indices: Uint32Array.of(1, 0), validity: null},
      {kind: 'numbers', type: {kind: 'int', bits: 8, signed: false}, values: Uint8Array.of(200, 0), validity: null},
    ]});
    expect(rowsOf(answer)).toEqual([[5, 4_000_000_000n, true, 'a', 200], [-5, 0n, false, 'b', 0]]);
    await model.close();
  });

  test.each([
    ['float64 for float32', {kind: 'numbers', type: {kind: 'float', bits: 64}, values: Float64Array.of(1), validity: null}],
    ['int32 for float32', {kind: 'numbers', type: {kind: 'int', bits: 32, signed: true}, values: Int32Array.of(1), validity: null}],
    ['bool for float32', {kind: 'booleans', values: Uint8Array.of(1), validity: null}],
    ['text for float32', {kind: 'strings', dictionary: ['1'], indices: Uint32Array.of(0), validity: null}],
    ['a date for float32', {kind: 'numbers', type: {kind: 'date'}, values: Int32Array.of(1), validity: null}],
  ] as const)('%s is refused by name', async (_, x) => {
    const {model, report} = await loaded(runtime, 'regressor');
    const {columns} = batchOf(report, {x: [1], y: [1]});
    await expect(model.score({rowCount: 1, columns: [x, columns[1]!]})).rejects.toMatchObject({code: 'INPUT_INVALID', message: expect.stringContaining("'x'")});
    await model.close();
  });

  test('nulls: NaN where the model takes it, else refused with column and row', async () => {
    const nulls = await loaded(runtime, 'nulls');
    const answers = rowsOf(await nulls.model.score(batchOf(nulls.report, {x: [null, NaN, 1], y: [0.5, 0.5, 0.5]})));
    expect(answers[0]).toEqual(answers[1]);
    expect(answers[0]).not.toEqual(answers[2]);
    await nulls.model.close();

    const logistic = await loaded(runtime, 'logistic');
    const rows = valuesOf(rowsFrom(0, 4000));
    for (const name of ['x', 'word', 'n']) {
      const holes = {...rows, [name]: rows[name]!.map((value, row) => (row === 3210 ? null : value))};
      await expect(logistic.model.score(batchOf(logistic.report, holes))).rejects.toMatchObject({
        code: 'INPUT_INVALID', message: expect.stringContaining(`'${name}' is null in row 3210`),
      });
    }
    await logistic.model.close();
  });

  test('too few columns', async () => {
    const {model} = await loaded(runtime, 'regressor');
    await expect(model.score({rowCount: 1, columns: []})).rejects.toMatchObject({code: 'INPUT_INVALID'});
    await model.close();
  });

  test('a part of a larger buffer is copied, not taken away', async () => {
    const {model, report} = await loaded(runtime, 'regressor');
    const shared = Float32Array.of(1, 2, 3, 4);
    const columns = [shared.subarray(0, 2), shared.subarray(2, 4)].map(values => ({kind: 'numbers', type: {kind: 'float', bits: 32}, values, validity: null}) as const);
    expect(rowsOf(await model.score({rowCount: 2, columns}))).toEqual(rowsOf(await model.score(batchOf(report, {x: [1, 2], y: [3, 4]}))));
    expect([...shared]).toEqual([1, 2, 3, 4]);
    await model.close();
  });
});

describe('life', () => {
  const threads = (): number => readdirSync('/proc/self/task').length;

  test('close waits for what is being scored', async () => {
    const {model, report} = await loaded(runtime, 'logistic');
    const answers = Array.from({length: 20}, (_, index) => model.score(batchOf(report, valuesOf(rowsFrom(index, 3000)))));
    await model.close();
    expect((await Promise.all(answers)).map(columns => rowsOf(columns).length)).toEqual(Array(20).fill(3000));
    await expect(model.score(batchOf(report, valuesOf(rowsFrom(0, 1))))).rejects.toMatchObject({code: 'SHUTTING_DOWN'});
    await model.close();
  });

  test('stop ends its threads, also beside work', async () => {
    const before = threads();
    for (let round = 0; round < 3; round++) {
      const own = createOnnxRuntime({threads: 2});
      const {model, report} = await loaded(own, 'logistic');
      expect(threads()).toBeGreaterThan(before);
      const answer = model.score(batchOf(report, valuesOf(rowsFrom(0, 50_000))));
      await own.stop();
      expect(rowsOf(await answer)).toHaveLength(50_000);
      await expect(model.score(batchOf(report, valuesOf(rowsFrom(0, 1))))).rejects.toMatchObject({code: 'SHUTTING_DOWN'});
      await own.stop();
    }
    expect(threads()).toBeLessThanOrEqual(before + 1);
  });

  test('a model that cannot be loaded leaves the others alone', async () => {
    const {model, report} = await loaded(runtime, 'regressor');
    await expect(runtime.load({...artifactOf('regressor'), model: 'gone.onnx'}, report)).rejects.toMatchObject({code: expect.any(String)});
    expect(rowsOf(await model.score(batchOf(report, {x: [1], y: [1]})))).toHaveLength(1);
    await model.close();
  });
});
