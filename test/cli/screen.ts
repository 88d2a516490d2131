import {EventEmitter} from 'node:events';
import {Readable, Writable} from 'node:stream';
import type {Io, Screen} from '../../src/cli/output.ts';

/** A stream that keeps what is written to it; a terminal when it has a width. */
export class TestScreen extends Writable implements Screen {
  text = '';
  readonly isTTY: boolean;

  constructor(
    readonly columns?: number,
    readonly rows = 24,
  ) {
    super({decodeStrings: false});
    this.isTTY = columns !== undefined;
  }

  override _write(chunk: string, _encoding: string, done: () => void): void {
    this.text += chunk;
    done();
  }
}

export interface TestIo extends Io {
  readonly stdout: TestScreen;
  readonly stderr: TestScreen;
  readonly signals: EventEmitter;
}

export function testIo(options: {input?: string; columns?: number; env?: Record<string, string>; cwd?: string} = {}): TestIo {
  const {input = '', columns, env = {}, cwd = process.cwd()} = options;
  return {
    stdin: Readable.from([input]), stdout: new TestScreen(columns), stderr: new TestScreen(columns), env, cwd, signals: new EventEmitter(),
  };
}

/** A control sequence of a terminal, or one character. */
const sequence = new RegExp(`${String.fromCharCode(27)}\\[(\\d*)([A-Za-z])|(.)`, 'gsu');

/** What a terminal shows after all of a text was written: cursor movements and erasures are carried out, colours dropped. */
export function shownOn(text: string): string {
  const lines: string[] = [''];
  let row = 0;
  let column = 0;
  for (const [whole, code, letter, plain] of text.matchAll(sequence)) {
    if (plain === '\n') {
      row++;
      column = 0;
      lines[row] ??= '';
    } else if (plain === '\r') {
      column = 0;
    } else if (plain !== undefined) {
      lines[row] = lines[row]!.slice(0, column).padEnd(column) + plain + lines[row]!.slice(column + 1);
      column++;
    } else if (letter === 'A') {
      row = Math.max(0, row - Number(code || 1));
    } else if (letter === 'K') {
      lines[row] = '';
    } else if (letter === 'J') {
      lines[row] = lines[row]!.slice(0, column);
      lines.length = row + 1;
    } else if (letter !== 'm') {
      throw new Error(`not known: ${JSON.stringify(whole)}`);
    }
  }
  return lines.map((line) => line.trimEnd()).join('\n');
}
