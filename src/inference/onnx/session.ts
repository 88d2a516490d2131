/** Opening a model in ONNX Runtime: the same way at the gate and in the scoring threads, so that what was tried is what runs. */
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {InferenceSession} from 'onnxruntime-node';
import {Failure, reasonOf} from './failure.ts';
import {readModel, withoutZipMaps} from './protobuf.ts';
import type {ModelSummary} from './protobuf.ts';

/** One thread and one operator at a time: parallelism comes from several batches at once. Part of every prediction's key. */
const options: InferenceSession.SessionOptions = {
  executionProviders: ['cpu'],
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  graphOptimizationLevel: 'all',
  logSeverityLevel: 4,
};

export async function readModelFile(folder: string, model: string): Promise<{path: string; bytes: Uint8Array; summary: ModelSummary}> {
  const path = join(folder, model);
  const bytes = await readFile(path);
  return {path, bytes, summary: readModel(bytes)};
}

/** @throws ARTIFACT_NOT_ONNX, ARTIFACT_UNSUPPORTED */
export async function openSession({path, bytes, summary}: {path: string; bytes: Uint8Array; summary: ModelSummary}): Promise<InferenceSession> {
  const mapped = summary.zipMaps.length > 0;
  if (mapped && summary.externalFiles.length > 0) {
    throw new Failure('ARTIFACT_UNSUPPORTED', {reason: 'it makes maps (ZipMap) and has external data; export it with `zipmap=False`'});
  }
  try {
    // By path, because external data of a model opened from memory would be looked for in the working directory.
    return await (mapped ? InferenceSession.create(withoutZipMaps(bytes, summary), options) : InferenceSession.create(path, options));
  } catch (error) {
    throw new Failure('ARTIFACT_UNSUPPORTED', {reason: reasonOf(error)});
  }
}
