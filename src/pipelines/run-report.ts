import type {Catalog} from '../catalog/catalog.ts';
import type {EngineProgress} from '../engines/remote-engine.ts';
import type {RunEventData} from './pipeline.ts';
import type {StepReport} from './steps/step-kind.ts';

/** Milliseconds between two batches of events of a running step. */
const interval = 200;

/** Collects a running step's log lines and its newest progress, and appends them as events now and then. */
export class RunReport implements StepReport {
  private pending: RunEventData[] = [];
  private newest: {fraction: number | null; rowsDone: number; tasks?: EngineProgress} | undefined;
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> = Promise.resolve();
  private readonly startedAt = Date.now();

  constructor(
    private readonly catalog: Catalog,
    private readonly runId: string,
    private readonly step: string,
    private readonly fence: number,
  ) {}

  progress(fraction: number | null, rowsDone = 0, tasks?: EngineProgress): void {
    this.newest = {fraction, rowsDone, tasks};
    this.schedule();
  }

  log(level: 'info' | 'warn' | 'error', message: string): void {
    this.pending.push({kind: 'log', step: this.step, level, message});
    this.schedule();
  }

  private schedule(): void {
    this.timer ??= setTimeout(() => void this.flush(), interval);
  }

  /** Appends what was collected. Progress that cannot be written is let go: it is told again, or is over. */
  async flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const events = this.pending;
    this.pending = [];
    if (this.newest) {
      const {fraction, rowsDone, tasks} = this.newest;
      const seconds = Math.max(0.001, (Date.now() - this.startedAt) / 1_000);
      events.push({kind: 'step_progress', step: this.step, fraction, rowsDone: String(rowsDone), rowsPerSecond: Math.round(rowsDone / seconds), ...(tasks ? {tasks} : {})});
      this.newest = undefined;
    }
    if (events.length > 0) {
      this.writing = this.writing
        .then(() => this.catalog.transaction(async stores => {
          await stores.runs.prove(this.runId, this.step, this.fence);
          await stores.runs.appendEvents(this.runId, events);
        }))
        .catch(() => undefined);
    }
    await this.writing;
  }

  async close(): Promise<void> {
    clearTimeout(this.timer);
    await this.writing;
  }
}
