/** A thread with a session of ONNX Runtime: scores every batch of its share each time it is told to. */
import {parentPort, workerData} from 'node:worker_threads';
import {InferenceSession, Tensor} from 'onnxruntime-node';

const {model, tensors, columns, batchRows, from, step} = workerData;
const session = await InferenceSession.create(model, {executionProviders: ['cpu'], intraOpNumThreads: 1, interOpNumThreads: 1, executionMode: 'sequential', graphOptimizationLevel: 'all', logSeverityLevel: 4});
const fetches = [...new Set(tensors.outputs)];
const arrays = {float32: Float32Array, int64: BigInt64Array, int32: Int32Array, float64: Float64Array};

/** Made beforehand: only the runtime is measured. The last batch is filled up with zeros. */
const batches = [];
for (let start = from; start < columns[0].length; start += step) {
  batches.push(Object.fromEntries(tensors.inputs.map((name, index) => {
    const {type, shape} = session.inputMetadata.find((input) => input.name === name);
    const values = columns[index].subarray(start, start + batchRows);
    const data = new arrays[type](batchRows);
    if (type === 'int64') values.forEach((value, row) => { data[row] = BigInt(value); });
    else data.set(values);
    return [name, new Tensor(type, data, shape.length === 1 ? [batchRows] : [batchRows, 1])];
  })));
}

parentPort.on('message', async () => {
  for (const feeds of batches) await session.run(feeds, fetches);
  parentPort.postMessage('done');
});
parentPort.postMessage('ready');
