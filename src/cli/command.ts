import {InvalidArgumentError} from 'commander';
import type {Command} from 'commander';
import type {LoadedConfig} from '../core/config.ts';
import type {App, AppMode} from './app.ts';
import type {GraphClient} from './graph-client.ts';
import type {Io, Output} from './output.ts';

/** What a command does its work with. */
export interface Context {
  readonly io: Io;
  readonly out: Output;
  readonly config: () => Promise<LoadedConfig>;
  /** The server of the project, or else the application in this process; opened once, closed when the command ends. */
  readonly graph: () => Promise<GraphClient>;
  /** The running server of the project, or null; whoever asks closes it. */
  readonly server: () => Promise<GraphClient | null>;
  /** The application in this process, not started yet. Whoever asks for it starts and stops it. */
  readonly compose: (mode: AppMode) => Promise<App>;
}

/** A command of `millrace`. `O` is what commander makes of its options. */
export interface CliCommand<O = Record<string, never>> {
  readonly name: string;
  /** As in `<pipeline>` (needed), `[name]` (may be left out). */
  readonly args?: string;
  readonly summary: string;
  /** What follows the options in its help. */
  readonly examples?: readonly string[];
  options?(command: Command): void;
  /** Answers the exit code; 0 when it answers nothing. Exactly one of `run` and `commands` is there, or both: then `run` is what the name alone does. */
  run?(context: Context, args: readonly (string | undefined)[], options: O): Promise<number | void>;
  readonly commands?: readonly AnyCommand[];
}

export type AnyCommand = CliCommand<never>;

/** For options that may be given several times. */
export const collect = (value: string, before: readonly string[] = []): string[] => [...before, value];

/** For options that are numbers from 0 on. */
export function wholeNumber(value: string): number {
  const number = Number(value);
  if (!/^\d+$/.test(value) || !Number.isSafeInteger(number)) throw new InvalidArgumentError('It must be a whole number.');
  return number;
}
