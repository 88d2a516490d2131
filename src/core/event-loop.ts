import {monitorEventLoopDelay} from 'node:perf_hooks';

/** How long callbacks had to wait for the thread. All values in milliseconds, since the start or the last reset. */
export interface EventLoopMonitor {
  /** The longest stall. */
  longest(): number;
  mean(): number;
  /** @param percent 0-100 */
  percentile(percent: number): number;
  /** Forgets what was seen; the next sample but one is the first to count. */
  reset(): void;
  stop(): void;
}

/**
 * Watches the event loop of this thread by a native timer, which costs next to nothing.
 *
 * @param resolution milliseconds between samples, default 10: a shorter stall may be missed.
 */
export function monitorEventLoop(resolution = 10): EventLoopMonitor {
  const histogram = monitorEventLoopDelay({resolution});
  histogram.enable();
  // The histogram holds whole intervals between samples; what exceeds the resolution is the delay.
  const delay = (nanoseconds: number) => (Number.isFinite(nanoseconds) ? Math.max(0, nanoseconds / 1e6 - resolution) : 0);
  return {
    longest: () => (histogram.count === 0 ? 0 : delay(histogram.max)),
    mean: () => delay(histogram.mean),
    percentile: (percent) => (histogram.count === 0 ? 0 : delay(histogram.percentile(percent))),
    reset: () => histogram.reset(),
    stop: () => void histogram.disable(),
  };
}
