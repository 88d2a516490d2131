import type {Writable} from 'node:stream';
import {styleText} from 'node:util';
import type {Failure} from './failure.ts';
import {table} from './table.ts';
import type {TableColumn} from './table.ts';

/** A stream that may be a terminal. */
export interface Screen extends Writable {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** The process, as far as commands touch it. Tests give their own. */
export interface Io {
  readonly stdin: AsyncIterable<Buffer | string> & {readonly isTTY?: boolean};
  readonly stdout: Screen;
  readonly stderr: Screen;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Where SIGINT arrives. */
  readonly signals: Pick<NodeJS.EventEmitter, 'on' | 'off'>;
}

type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

export type Paint = (style: Style, text: string) => string;

/** Colours for a stream: only on a terminal, and not when NO_COLOR says so. */
export function paintFor(screen: Screen, env: Io['env'], color: boolean): Paint {
  const colorful = color && screen.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb';
  return (style, text) => (colorful ? styleText(style, text, {validateStream: false}) : text);
}

/** Where a command's answers go: standard output. Everything else it says goes to standard error. */
export class Output {
  readonly paint: Paint;
  readonly paintError: Paint;
  private readonly gone = new AbortController();

  constructor(
    readonly io: Io,
    /** Answers are JSON, for programs. */
    readonly json: boolean,
    color: boolean,
  ) {
    this.paint = paintFor(io.stdout, io.env, color);
    this.paintError = paintFor(io.stderr, io.env, color);
    io.stdout.on('error', this.onError);
    io.stderr.on('error', this.onError);
  }

  /** Aborts when nobody reads the answers any more (`millrace events … | head`). */
  get closed(): AbortSignal {
    return this.gone.signal;
  }

  write(text: string): void {
    if (!this.gone.signal.aborted) this.io.stdout.write(text);
  }

  /** One JSON value on one line. */
  document(value: unknown): void {
    this.write(`${JSON.stringify(value)}\n`);
  }

  /** Waits until the reader has taken what was written, so that a stream does not pile up in memory. */
  async drained(): Promise<void> {
    const {stdout} = this.io;
    if (!stdout.writableNeedDrain || this.gone.signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        stdout.off('drain', done);
        this.gone.signal.removeEventListener('abort', done);
        resolve();
      };
      stdout.on('drain', done);
      this.gone.signal.addEventListener('abort', done);
    });
  }

  /** The rows as JSON, or as a table; `none` is what a person reads where there are no rows. */
  rows<Row>(rows: readonly Row[], columns: readonly TableColumn<Row>[], none: string): void {
    if (this.json) this.document(rows);
    else if (rows.length === 0) this.note(none);
    else this.write(this.table(columns, rows));
  }

  table<Row>(columns: readonly TableColumn<Row>[], rows: readonly Row[]): string {
    return table(columns, rows, {width: this.io.stdout.isTTY ? this.io.stdout.columns : undefined, title: (text) => this.paint('dim', text)});
  }

  /** A line beside the answer. */
  note(text: string): void {
    this.io.stderr.write(`${text}\n`);
  }

  warn(warnings: readonly string[]): void {
    for (const warning of warnings) this.note(`${this.paintError('yellow', 'warning:')} ${warning}`);
  }

  failure({code, message, hint}: Failure): void {
    this.note(`${this.paintError('red', 'error')} ${this.paintError('bold', `${code}:`)} ${message}`);
    if (hint !== '') this.note(`${this.paintError('cyan', 'hint:')} ${hint}`);
  }

  close(): void {
    this.io.stdout.off('error', this.onError);
    this.io.stderr.off('error', this.onError);
  }

  private readonly onError = (error: NodeJS.ErrnoException): void => {
    if (error.code !== 'EPIPE' && error.code !== 'ERR_STREAM_DESTROYED') throw error;
    this.gone.abort();
  };
}
