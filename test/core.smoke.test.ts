import {MillraceError, didYouMean} from '../src/core/errors.ts';
import * as ort from 'onnxruntime-node';
import {DuckDBInstance} from '@duckdb/node-api';

test('smoke', async () => {
  expect(new MillraceError('DATASET_NOT_FOUND', {name: 'x'}).message).toContain("'x'");
  expect(didYouMean('flihgts', ['flights'])).toContain('flights');
  const t = new ort.Tensor('float32', new Float32Array(2), [2, 1]);
  expect(t.dims).toEqual([2, 1]);
  const db = await DuckDBInstance.create(':memory:');
  const c = await db.connect();
  expect((await c.runAndReadAll('select 1 as x')).getRowObjectsJson()).toEqual([{x: 1}]);
});
