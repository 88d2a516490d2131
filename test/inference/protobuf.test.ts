import {readFileSync} from 'node:fs';
import fc from 'fast-check';
import {readModel, withoutZipMaps} from '../../src/inference/onnx/protobuf.ts';
import {bytesField, concat, fieldsOf, numberField, textField, varintsOf} from '../../src/inference/onnx/wire.ts';
import {fixtures} from './models.ts';

const bytesOf = (name: string): Uint8Array => readFileSync(`${fixtures}/${name}.onnx`);

test('what a model says of itself', () => {
  expect(readModel(bytesOf('logistic'))).toMatchObject({
    irVersion: 10,
    producer: expect.stringMatching(/^skl2onnx/),
    opsets: {'ai.onnx.ml': 1},
    inputs: [
      {name: 'x', kind: 'tensor', elementType: 1, dims: [null, 1]},
      {name: 'y', kind: 'tensor', elementType: 1, dims: [null, 1]},
      {name: 'n', kind: 'tensor', elementType: 7, dims: [null, 1]},
      {name: 'word', kind: 'tensor', elementType: 8, dims: [null, 1]},
    ],
    outputs: [{name: 'label', elementType: 7}, {name: 'probabilities', elementType: 1}],
    classes: [0, 1],
    zipMaps: [],
    externalFiles: [],
  });
  expect(readModel(bytesOf('classes')).classes).toEqual(['high', 'low cost', 'middle']);
  expect(readModel(bytesOf('outside')).externalFiles).toEqual(['../secret.bin']);
  expect(readModel(bytesOf('endless')).operators).toEqual(['Identity', 'Loop']);
});

test('ZipMap is taken out, and only it', () => {
  const bytes = bytesOf('zipmap');
  const before = readModel(bytes);
  expect(before.outputs.map(output => output.kind)).toEqual(['tensor', 'sequence']);
  const after = readModel(withoutZipMaps(bytes, before));
  expect(after.outputs.map(({name, kind}) => ({name, kind}))).toEqual([{name: before.outputs[0]!.name, kind: 'tensor'}, {name: before.zipMaps[0]!.input, kind: 'tensor'}]);
  expect(after.operators).toEqual(before.operators.filter(operator => operator !== 'ai.onnx.ml.ZipMap'));
  expect(after).toMatchObject({inputs: before.inputs, producer: before.producer, opsets: before.opsets});
  const plain = bytesOf('logistic');
  expect(withoutZipMaps(plain, readModel(plain))).toBe(plain);
});

test('fields come back as they were written', () => {
  fc.assert(fc.property(fc.array(fc.oneof(
    fc.record({field: fc.integer({min: 1, max: 2 ** 20}), number: fc.nat(2 ** 40)}),
    fc.record({field: fc.integer({min: 1, max: 2 ** 20}), bytes: fc.uint8Array({maxLength: 300})}),
  )), written => {
    const message = concat(written.map(each => ('number' in each ? numberField(each.field, each.number) : bytesField(each.field, each.bytes))));
    const read = [...fieldsOf(message)].map(({field, wire, number, bytes}) => (wire === 0 ? {field, number} : {field, bytes: [...bytes]}));
    expect(read).toEqual(written.map(each => ('number' in each ? each : {field: each.field, bytes: [...each.bytes]})));
  }));
});

test('numbers of all sizes, also negative ones', () => {
  const encoded = (value: bigint): number[] => {
    const bytes: number[] = [];
    for (let rest = BigInt.asUintN(64, value); ; rest >>= 7n) {
      if (rest < 128n) return [...bytes, Number(rest)];
      bytes.push(Number(rest & 127n) | 128);
    }
  };
  fc.assert(fc.property(fc.oneof(fc.bigInt({min: -(2n ** 63n), max: 2n ** 63n - 1n}), fc.bigInt({min: -200n, max: 200n})), value => {
    const [field] = fieldsOf(Uint8Array.from([8, ...encoded(value)]));
    expect(field).toMatchObject({field: 1, number: Number(value)});
    expect([...varintsOf({...field!, wire: 2, bytes: Uint8Array.from([...encoded(value), 3, ...encoded(value)])})]).toEqual([Number(value), 3, Number(value)]);
  }));
});

test('damaged bytes are a refusal, never a hang or another error', () => {
  const models = ['logistic', 'zipmap', 'endless', 'outside', 'nulls'].map(bytesOf);
  const damaged = fc.tuple(fc.constantFrom(...models), fc.array(fc.tuple(fc.nat(), fc.nat(255)), {maxLength: 8}), fc.nat()).map(([model, changes, cut]) => {
    const bytes = Uint8Array.from(model);
    for (const [at, value] of changes) bytes[at % bytes.length] = value;
    return bytes.subarray(0, cut % 3 === 0 ? cut % bytes.length : bytes.length);
  });
  const outcome = (bytes: Uint8Array): unknown => {
    try {
      readModel(bytes);
      return 'read';
    } catch (error) {
      return (error as {code?: unknown}).code;
    }
  };
  fc.assert(fc.property(fc.oneof(damaged, fc.uint8Array({maxLength: 200})), bytes => {
    expect(['read', 'ARTIFACT_NOT_ONNX', 'ARTIFACT_UNSUPPORTED']).toContain(outcome(bytes));
  }), {numRuns: 1500});
});

test('graphs nested without end are refused', () => {
  let graph = concat([]);
  for (let depth = 0; depth < 500; depth++) graph = bytesField(1, concat([textField(4, 'If'), bytesField(5, bytesField(6, graph))]));
  expect(() => readModel(concat([numberField(1, 10), bytesField(7, graph)]))).toThrow(expect.objectContaining({code: 'ARTIFACT_NOT_ONNX'}));
});
