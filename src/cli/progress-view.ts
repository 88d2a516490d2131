/** A run's progress on the screen: bars that are drawn again and again on a terminal, a line an event elsewhere. */
import type {Paint, Screen} from './output.ts';
import {EventLines, RunProgress} from './progress.ts';
import type {RunEvent, RunView} from './run-events.ts';

export interface ProgressView {
  show(event: RunEvent): void;
  /** A line that stays. */
  say(text: string): void;
  /** Leaves the last state on the screen. */
  end(): void;
}

export interface ProgressViewOptions {
  readonly screen: Screen;
  readonly paint: Paint;
  /** Milliseconds since 1970. Default: the clock. */
  readonly now?: () => number;
}

export function progressView(run: Pick<RunView, 'status' | 'steps'>, options: ProgressViewOptions): ProgressView {
  return options.screen.isTTY === true ? new BarsView(run, options) : new LinesView(options.screen);
}

class LinesView implements ProgressView {
  private readonly lines = new EventLines();

  constructor(private readonly screen: Screen) {}

  show(event: RunEvent): void {
    const line = this.lines.line(event);
    if (line !== null) this.say(line);
  }

  say(text: string): void {
    this.screen.write(`${text}\n`);
  }

  end(): void {}
}

const up = (lines: number) => (lines === 0 ? '' : `\u001b[${lines}A`);
const clearLine = '\u001b[2K';
const clearBelow = '\u001b[J';

class BarsView implements ProgressView {
  private readonly progress: RunProgress;
  private readonly screen: Screen & {readonly rows?: number};
  private readonly paint: Paint;
  private readonly now: () => number;
  private readonly timer: NodeJS.Timeout;
  /** What is on the screen, and how many lines of it. */
  private picture = '';
  private drawn = 0;

  constructor(run: Pick<RunView, 'status' | 'steps'>, {screen, paint, now = Date.now}: ProgressViewOptions) {
    this.progress = new RunProgress(run);
    this.screen = screen;
    this.paint = paint;
    this.now = now;
    this.timer = setInterval(() => this.draw(), 100);
    this.draw();
  }

  show(event: RunEvent): void {
    this.progress.apply(event);
    if (event.__typename === 'LogLine' && event.level !== 'INFO') this.say(`${this.paint(event.level === 'WARN' ? 'yellow' : 'red', event.level.toLowerCase())} ${event.about === null ? '' : `${event.about.name}: `}${event.message}`);
  }

  say(text: string): void {
    this.screen.write(`${up(this.drawn)}\r${clearBelow}${text}\n`);
    this.drawn = 0;
    this.draw();
  }

  end(): void {
    clearInterval(this.timer);
    this.draw();
  }

  private draw(): void {
    const lines = this.visible(this.progress.lines(this.screen.columns ?? 80, this.now(), this.paint));
    const picture = lines.map((line) => `${clearLine}${line}\n`).join('');
    if (this.drawn > 0 && picture === this.picture) return;
    this.screen.write(`${up(this.drawn)}\r${picture}${clearBelow}`);
    this.picture = picture;
    this.drawn = lines.length;
  }

  /** The cursor cannot go up past the top of the terminal: of too many lines the last ones that matter stay. */
  private visible(lines: string[]): string[] {
    const room = Math.max(3, (this.screen.rows ?? 24) - 2);
    if (lines.length <= room) return lines;
    const steps = [...this.progress.steps.values()];
    const first = steps.findIndex(({status}) => status !== 'SUCCEEDED');
    const from = Math.min(Math.max(0, first === -1 ? lines.length : first), lines.length - (room - 1));
    return [this.paint('dim', `… ${from} steps above, ${Math.max(0, lines.length - from - (room - 1))} below`), ...lines.slice(from, from + room - 1)];
  }
}
