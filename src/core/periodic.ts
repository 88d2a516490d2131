import type {Part} from './lifecycle.ts';
import type {Logger} from './logging.ts';

/** A part that does something every so often, one at a time, first after the first interval. Failures are logged; the next turn tries again. */
export function periodic(name: string, seconds: number, work: () => Promise<unknown>, logger: Logger): Part {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<unknown> | undefined;
  return {
    name,
    start() {
      timer = setInterval(() => {
        running ??= work()
          .catch(error => logger.warn({err: error, part: name}, 'periodic work failed'))
          .finally(() => {
            running = undefined;
          });
      }, seconds * 1_000);
      timer.unref();
    },
    async stop() {
      clearInterval(timer);
      await running;
    },
  };
}
