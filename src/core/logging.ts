/** Logs: one line an event, with the ids of the request, run and step that it belongs to. */
import {AsyncLocalStorage} from 'node:async_hooks';
import {type DestinationStream, type Logger as PinoLogger, destination, pino} from 'pino';
import {MillraceError} from './errors.ts';
import {prettyLine} from './pretty-line.ts';

export type Logger = PinoLogger;

/** Ids that appear on every line logged within {@link withLogContext}. */
export interface LogContext {
  readonly requestId?: string;
  readonly runId?: string;
  readonly step?: string;
}

const contexts = new AsyncLocalStorage<LogContext>();

/** Runs `work` with ids added to those already there; they follow it through promises, timers and streams. */
export function withLogContext<T>(context: LogContext, work: () => T): T {
  return contexts.run({...contexts.getStore(), ...context}, work);
}

export function logContext(): LogContext {
  return contexts.getStore() ?? {};
}

export interface LoggerOptions {
  readonly level?: string;
  /** Default `auto`: pretty when standard error is a terminal. */
  readonly format?: 'auto' | 'pretty' | 'json';
  /** Texts that must appear in no line, such as the admin secret; see `secretsOf`. */
  readonly secrets?: readonly string[];
  /** Default: standard error, so that standard output stays the answer of a command. */
  readonly output?: DestinationStream;
  /** Default: standard error is a terminal and NO_COLOR is not set. */
  readonly color?: boolean;
}

/** Names of fields whose values are never logged, at the top or one level down. */
const secretFields = ['adminSecret', 'authorization', 'password', 'secret', 'token', 'cookie'];

/**
 * Makes the process's logger. Lines are written before the call returns: none is lost in a crash, and their order is kept to the end.
 * The price is that a reader of standard error that stands still makes the process wait.
 */
export function createLogger(options: LoggerOptions = {}): Logger {
  const {level = 'info', format = 'auto', secrets = []} = options;
  const terminal = options.output === undefined && process.stderr.isTTY === true;
  const pretty = format === 'pretty' || (format === 'auto' && terminal);
  const color = options.color ?? (terminal && !process.env.NO_COLOR);
  const output = options.output ?? destination({dest: 2, sync: true});
  const hide = hider(secrets);
  const stream: DestinationStream = pretty
    ? {write: (line) => output.write(prettyLine(hide(line), color))}
    : secrets.length > 0 ? {write: (line) => output.write(hide(line))} : output;

  return pino({
    level,
    base: pretty ? null : {pid: process.pid},
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: {level: (label) => ({level: label})},
    mixin: () => ({...contexts.getStore()}),
    serializers: {err: describeError},
    redact: {paths: secretFields.flatMap((field) => [field, `*.${field}`]), censor: '[secret]'},
  }, stream);
}

/** An error as a log line holds it; causes are followed. */
export function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const code = (error as NodeJS.ErrnoException).code;
  return {
    type: error.name,
    ...(code === undefined ? {} : {code}),
    message: error.message,
    ...(error instanceof MillraceError ? {hint: error.hint} : {}),
    stack: error.stack,
    ...(error.cause === undefined ? {} : {cause: describeError(error.cause)}),
  };
}

function hider(secrets: readonly string[]): (line: string) => string {
  // Within a JSON line a secret is written escaped.
  const written = secrets.filter((secret) => secret !== '').map((secret) => JSON.stringify(secret).slice(1, -1));
  return (line) => written.reduce((text, secret) => text.replaceAll(secret, '[secret]'), line);
}
