/**
 * A fixed number of scoring threads, each started at its first use and again when it dies. What a dead thread had to do is rejected;
 * nothing is repeated silently, for it may be what killed it.
 */
import {Worker} from 'node:worker_threads';
import type {Column} from '../../engines/engine.ts';
import {MillraceError} from '../../core/errors.ts';
import {entryBeside} from './entry.ts';
import type {WorkerAnswer, WorkerRequest} from './worker.ts';

interface Waiting {
  readonly rows: number;
  resolve(columns: readonly Column[]): void;
  reject(error: MillraceError): void;
}

interface Thread {
  readonly worker: Worker;
  readonly waiting: Map<number, Waiting>;
  readonly ended: Promise<void>;
}

export interface PoolOptions {
  readonly threads: number;
  /** What a thread must be told before anything else: the models that are loaded. */
  readonly setup: () => readonly WorkerRequest[];
  readonly onDeath: (reason: string) => void;
}

/** Seconds a thread gets to end by itself. */
const GRACE = 5;

export class ThreadPool {
  private readonly slots: (Thread | undefined)[];
  private nextId = 1;
  private stopped = false;

  constructor(private readonly options: PoolOptions) {
    this.slots = new Array<Thread | undefined>(Math.max(1, options.threads)).fill(undefined);
  }

  get size(): number {
    return this.slots.length;
  }

  /** Sends to the thread with the fewest rows waiting. @throws what the thread answers; SCORING_INTERRUPTED when it dies */
  run(request: WorkerRequest, rows: number, transfer: ArrayBuffer[]): Promise<readonly Column[]> {
    const loads = this.slots.map(thread => (thread ? sum(thread.waiting) : 0));
    return this.send(loads.indexOf(Math.min(...loads)), request, rows, transfer);
  }

  /** Sends to every thread; with `startedOnly`, to those that run. Waits for all, then throws the first failure. */
  async all(request: WorkerRequest, {startedOnly = false} = {}): Promise<void> {
    const places = this.slots.flatMap((thread, place) => (thread || !startedOnly ? [place] : []));
    const results = await Promise.allSettled(places.map(place => this.send(place, request, 0, [])));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  /** Lets the threads finish what they have, and ends them; what takes longer than the grace is rejected. */
  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.slots.map(async (thread, place) => {
      if (!thread) return;
      this.send(place, {kind: 'end'}, 0, []).catch(() => undefined);
      if (await endsWithin(thread, GRACE)) return;
      void thread.worker.terminate();
      if (await endsWithin(thread, 1)) return;
      // A thread within a model that never returns cannot be ended; it must not keep the process from ending.
      thread.worker.unref();
      rejectAll(thread.waiting, 'it did not end');
    }));
  }

  private send(place: number, request: WorkerRequest, rows: number, transfer: ArrayBuffer[]): Promise<readonly Column[]> {
    if (this.stopped && request.kind !== 'end') return Promise.reject(new MillraceError('SHUTTING_DOWN'));
    const thread = (this.slots[place] ??= this.spawn(place));
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      thread.waiting.set(id, {rows, resolve, reject});
      thread.worker.postMessage({id, request}, transfer);
    });
  }

  private spawn(place: number): Thread {
    // Without the server's arguments: flags meant for the main thread must not reach this one.
    const worker = new Worker(entryBeside('worker'), {execArgv: ['--disable-warning=ExperimentalWarning'], name: `scoring ${place + 1}`});
    const waiting = new Map<number, Waiting>();
    let reason = 'it ended';
    worker.on('message', (answer: WorkerAnswer) => {
      const job = waiting.get(answer.id);
      waiting.delete(answer.id);
      if ('failure' in answer) job?.reject(new MillraceError(answer.failure.code, answer.failure.details));
      else job?.resolve(answer.columns ?? []);
    });
    worker.on('error', error => {
      reason = error instanceof Error ? error.message : String(error);
    });
    const ended = new Promise<void>(resolve => {
      worker.once('exit', () => {
        if (this.slots[place]?.worker === worker) this.slots[place] = undefined;
        if (!this.stopped) this.options.onDeath(reason);
        rejectAll(waiting, reason);
        resolve();
      });
    });
    for (const request of this.options.setup()) worker.postMessage({id: 0, request});
    return {worker, waiting, ended};
  }
}

function rejectAll(waiting: Map<number, Waiting>, reason: string): void {
  for (const job of waiting.values()) job.reject(new MillraceError('SCORING_INTERRUPTED', {reason}));
  waiting.clear();
}

async function endsWithin(thread: Thread, seconds: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>(resolve => {
    timer = setTimeout(() => resolve(false), seconds * 1000);
  });
  const inTime = await Promise.race([thread.ended.then(() => true), late]);
  clearTimeout(timer);
  return inTime;
}

const sum = (waiting: ReadonlyMap<number, Waiting>): number => {
  let rows = 0;
  for (const job of waiting.values()) rows += job.rows + 1;
  return rows;
};
