/** A scoring thread: holds sessions and scores batches, one after the other in the order they came. */
import {parentPort} from 'node:worker_threads';
import type {InferenceSession} from 'onnxruntime-node';
import type {Column, ColumnBatch} from '../../engines/engine.ts';
import type {Artifact, GateReport} from '../runtime.ts';
import {failureData} from './failure.ts';
import type {FailureData} from './failure.ts';
import {createScorer} from './scorer.ts';
import type {Scorer} from './scorer.ts';
import {openSession, readModelFile} from './session.ts';
import {buffersOf} from './transfer.ts';

export type WorkerRequest =
  | {readonly kind: 'load'; readonly model: number; readonly artifact: Artifact; readonly report: Pick<GateReport, 'signature' | 'tensors' | 'settings'>}
  | {readonly kind: 'score'; readonly model: number; readonly batch: ColumnBatch; readonly firstRow: number}
  | {readonly kind: 'unload'; readonly model: number}
  | {readonly kind: 'end'};

export type WorkerAnswer = {readonly id: number; readonly columns?: readonly Column[]} | {readonly id: number; readonly failure: FailureData};

const models = new Map<number, {session: InferenceSession; scorer: Scorer}>();

async function handle(request: WorkerRequest): Promise<Column[] | undefined> {
  switch (request.kind) {
    case 'load': {
      // A thread that starts while a model is being loaded is told twice.
      if (models.has(request.model)) return undefined;
      const session = await openSession(await readModelFile(request.artifact.folder, request.artifact.model));
      models.set(request.model, {session, scorer: createScorer(session, request.report)});
      return undefined;
    }
    case 'score': {
      const loaded = models.get(request.model);
      if (!loaded) throw new Error('the model is not loaded in this thread');
      return loaded.scorer.score(request.batch, request.firstRow);
    }
    case 'unload': {
      const loaded = models.get(request.model);
      models.delete(request.model);
      await loaded?.session.release();
      return undefined;
    }
    case 'end': {
      for (const {session} of models.values()) await session.release();
      models.clear();
      return undefined;
    }
  }
}

const port = parentPort!;
let last: Promise<void> = Promise.resolve();

port.on('message', ({id, request}: {id: number; request: WorkerRequest}) => {
  last = last.then(async () => {
    try {
      const columns = await handle(request);
      port.postMessage({id, columns} satisfies WorkerAnswer, columns ? buffersOf(columns) : []);
    } catch (error) {
      const failure = failureData(error, reason => ({code: 'INTERNAL', details: {reason}}));
      port.postMessage({id, failure} satisfies WorkerAnswer);
    }
    if (request.kind === 'end') port.close();
  });
});
