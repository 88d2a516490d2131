/**
 * An iteration that can be left while it waits. A generator that waits for something answers `return` only when that has come, which
 * may be never; so leaving aborts the signal first.
 */
export function abortable<T>(begin: (signal: AbortSignal) => AsyncIterable<T>): AsyncIterableIterator<T> {
  const controller = new AbortController();
  const iterator = begin(controller.signal)[Symbol.asyncIterator]();
  let left = false;
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      if (left) return {done: true, value: undefined};
      try {
        return await iterator.next();
      } catch (error) {
        // What an aborted wait throws is no failure.
        if (left) return {done: true, value: undefined};
        throw error;
      }
    },
    async return() {
      left = true;
      controller.abort();
      await iterator.return?.().catch(() => {});
      return {done: true, value: undefined};
    },
  };
}
