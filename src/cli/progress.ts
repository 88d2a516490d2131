import type {Paint} from './output.ts';
import type {RunEvent, RunStatus, RunView, StepStatus, StoredError} from './run-events.ts';
import {fit, widthOf} from './table.ts';
import {bytes, count, duration, rate} from './units.ts';

interface StepProgress {
  readonly name: string;
  readonly needs: readonly string[];
  status: StepStatus;
  fraction: number | null;
  rowsDone: string | null;
  rowsPerSecond: number;
  /** What it made, in words. */
  made: string;
  reused: boolean;
  retry: string;
  startedAt: number | null;
  finishedAt: number | null;
}

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const marks: Partial<Record<StepStatus, readonly [mark: string, style: 'green' | 'red' | 'yellow' | 'dim']>> = {
  SUCCEEDED: ['✓', 'green'], FAILED: ['✗', 'red'], CANCELLED: ['■', 'yellow'], SKIPPED: ['-', 'dim'], PENDING: ['·', 'dim'], QUEUED: ['·', 'dim'],
};
const barCells = 20;
/** Cells of a line from which rows a second are told as well. */
const roomForRates = 100;

/** What is known of a run from its events: the same events in order, the same state. */
export class RunProgress {
  readonly steps = new Map<string, StepProgress>();
  status: RunStatus;
  error: StoredError | null = null;

  /** @param run as it was before the first event that is applied; of a run that began earlier only names and needs matter. */
  constructor(run: Pick<RunView, 'status' | 'steps'>) {
    this.status = run.status;
    for (const {name, needs} of run.steps) this.steps.set(name, blank(name, needs));
  }

  apply(event: RunEvent): void {
    const at = Date.parse(event.at);
    switch (event.__typename) {
      case 'RunBegan':
        this.status = 'RUNNING';
        return;
      case 'StepStarted': {
        const step = this.step(event.step.name);
        Object.assign(step, {status: 'RUNNING', startedAt: step.startedAt ?? at, fraction: null, rowsDone: null, retry: ''});
        return;
      }
      case 'StepProgress':
        Object.assign(this.step(event.step.name), {fraction: event.fraction, rowsDone: event.rowsDone, rowsPerSecond: event.rowsPerSecond});
        return;
      case 'SnapshotCommitted':
        Object.assign(this.step(event.step.name), {made: rows(event.rowCount), reused: event.reused});
        return;
      case 'FilePublished':
        this.step(event.step.name).made = `${event.path} (${bytes(event.bytes)})`;
        return;
      case 'StepRetrying':
        Object.assign(this.step(event.step.name), {status: 'QUEUED', retry: `${event.failure.message} Again in ${event.waitSeconds} s.`});
        return;
      case 'StepFinished':
        Object.assign(this.step(event.step.name), {status: event.status, finishedAt: at});
        return;
      case 'RunFinished':
        this.status = event.run.status;
        this.error = event.error;
    }
  }

  /** A line a step, for a terminal of some width. `now`: milliseconds since 1970. */
  lines(width: number, now: number, paint: Paint): string[] {
    const names = Math.min(32, Math.max(...[...this.steps.keys()].map(widthOf), 0));
    return [...this.steps.values()].map((step) => {
      const [mark, style] = marks[step.status] ?? [frames[Math.floor(now / 100) % frames.length]!, 'cyan' as const];
      const text = `${fit(step.name, names, false)}  ${this.about(step, now, width >= roomForRates)}`.trimEnd();
      const room = Math.max(10, width - 3);
      const shown = widthOf(text) > room ? fit(text, room, false).trimEnd() : text;
      return `${paint(style, mark)} ${step.status === 'PENDING' || step.status === 'SKIPPED' ? paint('dim', shown) : shown}`;
    });
  }

  private about(step: StepProgress, now: number, rates: boolean): string {
    const took = step.startedAt === null ? '' : duration((step.finishedAt ?? now) - step.startedAt);
    switch (step.status) {
      case 'RUNNING':
        return [step.fraction === null ? '' : `${bar(step.fraction)} ${percent(step.fraction)}`, progressOf(step, rates), took].filter((part) => part !== '').join('  ');
      case 'SUCCEEDED':
        return [step.made, step.reused ? 'reused' : took].filter((part) => part !== '').join('  ');
      case 'PENDING': {
        const awaited = step.needs.filter((need) => this.steps.get(need)?.status !== 'SUCCEEDED');
        return awaited.length > 0 ? `waits for ${awaited.join(', ')}` : '';
      }
      case 'QUEUED':
        return step.retry || 'queued';
      default:
        return step.status.toLowerCase();
    }
  }

  private step(name: string): StepProgress {
    let step = this.steps.get(name);
    if (!step) this.steps.set(name, (step = blank(name, [])));
    return step;
  }
}

function blank(name: string, needs: readonly string[]): StepProgress {
  return {name, needs, status: 'PENDING', fraction: null, rowsDone: null, rowsPerSecond: 0, made: '', reused: false, retry: '', startedAt: null, finishedAt: null};
}

/** An event as one line for a file or a pipe; null for what is not worth one. Progress has a line in five seconds. */
export class EventLines {
  private readonly told = new Map<string, number>();
  private readonly began = new Map<string, number>();
  private runBegan: number | null = null;

  line(event: RunEvent): string | null {
    const at = Date.parse(event.at);
    switch (event.__typename) {
      case 'RunBegan':
        this.runBegan = at;
        return null;
      case 'StepStarted':
        this.began.set(event.step.name, at);
        this.told.set(event.step.name, at);
        return `${event.step.name}: started${event.attempt > 1 ? ` (try ${event.attempt})` : ''}${event.reason === '' ? '' : `: ${event.reason}`}`;
      case 'StepProgress':
        if (at - (this.told.get(event.step.name) ?? 0) < 5000) return null;
        this.told.set(event.step.name, at);
        return `${event.step.name}: ${[event.fraction === null ? '' : percent(event.fraction).trim(), progressOf(event)].filter((part) => part !== '').join(', ')}`;
      case 'LogLine':
        return `${event.about === null ? '' : `${event.about.name}: `}${event.level === 'INFO' ? '' : `${event.level.toLowerCase()}: `}${event.message}`;
      case 'SnapshotCommitted':
        return `${event.step.name}: ${event.reused ? 'reused' : 'committed'} snapshot ${event.snapshot.id} of ${event.dataset.name}, ${rows(event.rowCount)}`;
      case 'FilePublished':
        return `${event.step.name}: wrote ${event.path}, ${rows(event.rowCount)}, ${bytes(event.bytes)}`;
      case 'StepRetrying':
        return `${event.step.name}: try ${event.attempt} failed: ${event.failure.code}: ${event.failure.message} Again in ${event.waitSeconds} s`;
      case 'StepFinished': {
        const began = this.began.get(event.step.name);
        return `${event.step.name}: ${event.status.toLowerCase()}${began === undefined ? '' : ` after ${duration(at - began)}`}${event.error === null ? '' : `: ${event.error.code}: ${event.error.message}`}`;
      }
      case 'RunFinished':
        return `run ${event.run.status.toLowerCase()}${this.runBegan === null ? '' : ` after ${duration(at - this.runBegan)}`}`;
    }
  }
}

const rows = (number: string) => (number === '1' ? '1 row' : `${count(number)} rows`);

function progressOf({rowsDone, rowsPerSecond}: {readonly rowsDone: string | null; readonly rowsPerSecond: number}, rates = true): string {
  return rowsDone === null || rowsDone === '0' ? '' : `${rows(rowsDone)}${rates ? `, ${rate(rowsPerSecond)}` : ''}`;
}

const percent = (fraction: number) => `${String(Math.floor(fraction * 100)).padStart(3)} %`;

function bar(fraction: number): string {
  const filled = Math.round(Math.min(1, Math.max(0, fraction)) * barCells);
  return '█'.repeat(filled) + '░'.repeat(barCells - filled);
}
