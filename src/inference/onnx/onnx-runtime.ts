/** The inference runtime on ONNX Runtime: scoring in threads, trials of new models in processes of their own. */
import {MillraceError} from '../../core/errors.ts';
import type {Column, ColumnBatch} from '../../engines/engine.ts';
import type {Artifact, GateReport, InferenceRuntime, LoadedModel} from '../runtime.ts';
import {passGate} from './gate.ts';
import {hostFingerprint} from './host.ts';
import {ThreadPool} from './pool.ts';
import {buffersOf, cutBatch, joinColumns} from './transfer.ts';
import type {WorkerRequest} from './worker.ts';

export interface OnnxRuntimeOptions {
  /** Scoring threads; one run uses one. As many as may be busy at once: each holds every loaded model. */
  readonly threads: number;
  readonly logger?: {warn(details: object, message: string): void};
}

/** Threads start with the first model that is loaded. After `stop`, `load` and `score` throw SHUTTING_DOWN. */
export function createOnnxRuntime({threads, logger}: OnnxRuntimeOptions): InferenceRuntime {
  const fingerprint = hostFingerprint();
  const loaded = new Map<number, Extract<WorkerRequest, {kind: 'load'}>>();
  let nextModel = 1;
  const pool = new ThreadPool({
    threads,
    setup: () => [...loaded.values()],
    onDeath: reason => logger?.warn({reason}, 'a scoring thread died; another takes its place'),
  });

  async function load(artifact: Artifact, report: Pick<GateReport, 'signature' | 'tensors' | 'settings'>): Promise<LoadedModel> {
    const model = nextModel++;
    const {signature, tensors, settings} = report;
    const request = {kind: 'load', model, artifact, report: {signature, tensors, settings}} as const;
    loaded.set(model, request);
    try {
      await pool.all(request);
    } catch (error) {
      loaded.delete(model);
      await pool.all({kind: 'unload', model}, {startedOnly: true}).catch(() => undefined);
      throw error;
    }
    const running = new Set<Promise<unknown>>();
    let closing: Promise<void> | undefined;

    async function scoreParts(batch: ColumnBatch): Promise<readonly Column[]> {
      const runs = Math.max(1, Math.ceil(batch.rowCount / settings.batchRows));
      const step = Math.ceil(runs / Math.min(pool.size, runs)) * settings.batchRows;
      const cuts: ColumnBatch[] = [];
      // All cuts before any is sent: sending takes the buffers away.
      for (let start = 0; start < batch.rowCount || start === 0; start += step) cuts.push(cutBatch(batch, start, Math.min(batch.rowCount, start + step)));
      const parts = cuts.map((cut, index) =>
        pool.run({kind: 'score', model, batch: cut, firstRow: index * step}, cut.rowCount, buffersOf(cut.columns)));
      const results = await Promise.allSettled(parts);
      return joinColumns(results.map(result => {
        if (result.status === 'rejected') throw result.reason;
        return result.value;
      }));
    }

    return {
      score(batch) {
        if (closing) return Promise.reject(new MillraceError('SHUTTING_DOWN'));
        const answer = scoreParts(batch);
        running.add(answer);
        const done = (): void => void running.delete(answer);
        answer.then(done, done);
        return answer;
      },
      close() {
        closing ??= (async () => {
          await Promise.allSettled(running);
          if (loaded.delete(model)) await pool.all({kind: 'unload', model}, {startedOnly: true}).catch(() => undefined);
        })();
        return closing;
      },
    };
  }

  return {
    name: 'onnx',
    fingerprint,
    inspect: async (artifact, options) => ({...(await passGate(artifact, options)), runtime: fingerprint}),
    load,
    start: async () => {},
    stop: () => pool.stop(),
  };
}
