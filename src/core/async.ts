import {setTimeout as delay} from 'node:timers/promises';
import {MillraceError} from './errors.ts';

/** A pending wait that can be ended from outside. */
export class Wake {
  private resolve: (() => void) | undefined;
  private signalled = false;

  /** Ends the wait that goes on, or the next one. */
  signal(): void {
    this.signalled = true;
    this.resolve?.();
  }

  /** Waits for the signal, or for some milliseconds. */
  async wait(milliseconds: number): Promise<void> {
    if (!this.signalled) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>(resolve => {
        this.resolve = resolve;
        timer = setTimeout(resolve, milliseconds);
      });
      clearTimeout(timer);
      this.resolve = undefined;
    }
    this.signalled = false;
  }
}

/**
 * Does catalog work that must not be lost while the database is away: again every second, for some seconds.
 * @throws CATALOG_UNAVAILABLE when it did not come back in time; other errors at once
 */
export async function patiently<T>(work: () => Promise<T>, seconds: number, signal?: AbortSignal): Promise<T> {
  const until = Date.now() + seconds * 1_000;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof MillraceError) || error.code !== 'CATALOG_UNAVAILABLE' || Date.now() > until || signal?.aborted) throw error;
      await delay(1_000, undefined, {signal}).catch(() => undefined);
    }
  }
}

/** Who wants the same thing takes turns, in the order they came. */
export class Turns {
  private readonly last = new Map<string, Promise<unknown>>();

  /** Does the work when all that was given before for the same thing has ended. */
  async take<T>(thing: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.last.get(thing) ?? Promise.resolve()).then(work);
    const ended = turn.catch(() => undefined);
    this.last.set(thing, ended);
    try {
      return await turn;
    } finally {
      if (this.last.get(thing) === ended) this.last.delete(thing);
    }
  }
}
