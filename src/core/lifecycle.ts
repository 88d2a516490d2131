/**
 * The order in which the parts of a process come and go.
 *
 * Parts start one after another in the order they were added. Stopping has two phases: every part drains at once (takes nothing new,
 * lets what is in flight finish) until the deadline, then parts stop in reverse order, each within its own time.
 */
import {MillraceError} from './errors.ts';
import type {Logger} from './logging.ts';

/** Something with a beginning and an end. Each of the three is optional. */
export interface Part {
  readonly name: string;
  /** When it throws it has released what it took. One that was given up for its time-out is stopped as well. */
  start?(signal: AbortSignal): Promise<void> | void;
  /** Takes nothing new and resolves when what is in flight has ended; `signal` aborts at the deadline. */
  drain?(signal: AbortSignal): Promise<void> | void;
  stop?(): Promise<void> | void;
  /** Default 60. */
  readonly startSeconds?: number;
  /** Default 10. */
  readonly stopSeconds?: number;
}

export type LifecycleState = 'new' | 'starting' | 'ready' | 'stopping' | 'stopped';

export interface StopReport {
  /** Parts whose drain or stop failed or ran out of time. */
  readonly failures: readonly {part: string; phase: 'drain' | 'stop'; error: unknown}[];
}

export interface LifecycleOptions {
  readonly logger: Logger;
  /** What all parts together have for draining. Default 15. */
  readonly drainSeconds?: number;
}

export class Lifecycle {
  readonly #parts: Part[] = [];
  readonly #started: Part[] = [];
  readonly #abortStart = new AbortController();
  #state: LifecycleState = 'new';
  #starting: Promise<void> | undefined;
  #stopping: Promise<StopReport> | undefined;

  constructor(readonly options: LifecycleOptions) {}

  get state(): LifecycleState {
    return this.#state;
  }

  /** Adds a part after those added before: it starts later and stops earlier than they. */
  add(part: Part): this {
    if (this.#state !== 'new') throw new MillraceError('INTERNAL', {reason: `part '${part.name}' was added after the start`});
    this.#parts.push(part);
    return this;
  }

  /**
   * Starts every part. When one fails those started are stopped, and its error is thrown.
   *
   * @throws what the part threw; START_TIMEOUT; SHUTTING_DOWN when `stop` was called meanwhile.
   */
  start(): Promise<void> {
    if (this.#state !== 'new') return this.#starting ?? Promise.reject(new MillraceError('SHUTTING_DOWN'));
    this.#state = 'starting';
    this.#starting = this.#startAll();
    return this.#starting;
  }

  /** Drains and stops what was started. Never throws; every call answers the same report. */
  stop(): Promise<StopReport> {
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  async #startAll(): Promise<void> {
    const {logger} = this.options;
    const {signal} = this.#abortStart;
    for (const part of this.#parts) {
      const began = performance.now();
      try {
        if (signal.aborted) throw new MillraceError('SHUTTING_DOWN');
        const seconds = part.startSeconds ?? 60;
        await within(seconds, async () => part.start?.(signal), () => {
          this.#started.push(part);
          return new MillraceError('START_TIMEOUT', {part: part.name, seconds});
        });
      } catch (error) {
        if (!signal.aborted) {
          // Whoever called start reports the error; the log only adds which part it was.
          logger.debug({part: part.name}, `${part.name} did not start`);
          // stop() waits for this very promise, so the parts are stopped without it.
          this.#stopping = this.#stopStarted();
          await this.#stopping;
        }
        throw error;
      }
      this.#started.push(part);
      logger.debug({part: part.name, milliseconds: Math.round(performance.now() - began)}, `${part.name} started`);
    }
    if (signal.aborted) throw new MillraceError('SHUTTING_DOWN');
    this.#state = 'ready';
  }

  async #stopAll(): Promise<StopReport> {
    this.#abortStart.abort();
    if (this.#state === 'starting') await this.#starting?.catch(() => {});
    return this.#stopStarted();
  }

  async #stopStarted(): Promise<StopReport> {
    const {logger, drainSeconds = 15} = this.options;
    this.#state = 'stopping';
    const failures: StopReport['failures'][number][] = [];
    const failed = (part: string, phase: 'drain' | 'stop') => (error: unknown) => {
      failures.push({part, phase, error});
      logger.error({err: error, part}, `${part} did not ${phase}`);
    };
    const reversed = this.#started.splice(0).reverse();

    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), drainSeconds * 1000);
    await Promise.all(reversed.map(async (part) => {
      if (!part.drain) return;
      // A part that heeds the signal has a moment to end by itself.
      const give = () => new Error(`still busy after ${drainSeconds} s`);
      await within(drainSeconds + 0.5, async () => part.drain?.(deadline.signal), give).catch(failed(part.name, 'drain'));
    }));
    clearTimeout(timer);

    for (const part of reversed) {
      const seconds = part.stopSeconds ?? 10;
      await within(seconds, async () => part.stop?.(), () => new Error(`not stopped after ${seconds} s`)).catch(failed(part.name, 'stop'));
      logger.debug({part: part.name}, `${part.name} stopped`);
    }
    this.#state = 'stopped';
    return {failures};
  }
}

/** Waits for `work`, but not longer; what comes after is ignored. */
async function within(seconds: number, work: () => Promise<void>, late: () => unknown): Promise<void> {
  const {promise, resolve, reject} = Promise.withResolvers<void>();
  let timer: NodeJS.Timeout | undefined = setTimeout(() => {
    timer = undefined;
    reject(late());
  }, seconds * 1000);
  work().then(resolve, reject);
  try {
    await promise;
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Stops on SIGTERM and SIGINT, then exits: 0, or 1 when a part did not stop cleanly. A second signal exits at once.
 *
 * Only the entry calls this. Answers how to take the listeners away again.
 */
export function stopOnSignals(
  lifecycle: Lifecycle,
  options: {
    logger: Logger;
    /** Default: this process. */
    signals?: Pick<NodeJS.EventEmitter, 'on' | 'off'>;
    exit?: (code: number) => void;
  },
): () => void {
  const {logger, signals = process, exit = process.exit} = options;
  const numbers = {SIGINT: 2, SIGTERM: 15} as const;
  let first = true;
  const onSignal = (signal: keyof typeof numbers) => {
    if (!first) return exit(128 + numbers[signal]);
    first = false;
    logger.info(`${signal}: stopping; once more stops at once`);
    void lifecycle.stop().then(({failures}) => {
      logger.info('stopped');
      exit(failures.length === 0 ? 0 : 1);
    });
  };
  signals.on('SIGTERM', onSignal);
  signals.on('SIGINT', onSignal);
  return () => {
    signals.off('SIGTERM', onSignal);
    signals.off('SIGINT', onSignal);
  };
}
