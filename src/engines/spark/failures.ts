import {status} from '@grpc/grpc-js';
import type {ServiceError} from '@grpc/grpc-js';
import {MillraceError} from '../../core/errors.ts';
import {decode} from './protocol.ts';
import type {ErrorDetails} from './protocol.ts';

/** What a failed request says of itself, in its trailer. */
export interface Told {
  readonly grpc: number;
  readonly message: string;
  /** Such as `UNRESOLVED_COLUMN.WITH_SUGGESTION`. */
  readonly errorClass: string;
  readonly sqlState: string;
  /** Of Java's classes, the thrown one first. */
  readonly classes: string;
  /** By which more is told. */
  readonly errorId: string | null;
}

export function told(error: unknown): Told | null {
  if (!(error instanceof Error) || typeof (error as Partial<ServiceError>).code !== 'number') return null;
  const {code, details, metadata} = error as ServiceError;
  const trailer = metadata?.get('grpc-status-details-bin')[0];
  const parts = Buffer.isBuffer(trailer) ? decode<{details?: readonly {typeUrl: string; value: Buffer}[]}>('RpcStatus', trailer).details ?? [] : [];
  const info = parts.find(({typeUrl}) => typeUrl.endsWith('ErrorInfo'));
  const values = info ? decode<{metadata?: Readonly<Record<string, string>>}>('RpcErrorInfo', info.value).metadata ?? {} : {};
  return {grpc: code, message: details ?? error.message, errorClass: values.errorClass ?? '', sqlState: values.sqlState ?? '', classes: values.classes ?? '', errorId: values.errorId ?? null};
}

/** The way to the server broke: the same request may do better on another connection. */
export const isBroken = ({grpc, errorClass, message}: Told): boolean =>
  errorClass === '' && (grpc === status.UNAVAILABLE || grpc === status.DEADLINE_EXCEEDED || ((grpc === status.INTERNAL || grpc === status.CANCELLED) && /RST_STREAM|INTERNAL_ERROR|GOAWAY|Call cancelled/.test(message)));

/** The server has forgotten the session or the operation, as after a restart. */
export const isForgotten = ({errorClass}: Told): boolean =>
  /^INVALID_HANDLE\.(?:SESSION_(?:NOT_FOUND|CLOSED|CHANGED)|OPERATION_(?:NOT_FOUND|ABANDONED))/.test(errorClass) || errorClass === 'INVALID_CURSOR.DISCONNECTED';

const fullDisk = /no space left on device|disk quota exceeded|not enough space/i;
const outOfMemory = /OutOfMemoryError|UNABLE_TO_ACQUIRE_MEMORY|SparkOutOfMemory/;
const lostWorkers = /ExecutorLostFailure|Could not find executor|SparkContext was shut down|cannot be submitted.*SparkContext|StageAborted.*lost|barrier.*lost|FetchFailed/i;
const noFile = /^(?:FAILED_READ_FILE|PATH_NOT_FOUND|UNABLE_TO_INFER_SCHEMA|FAILED_RENAME)/;
const noAccess = /FileNotFoundException|NoSuchFileException|AccessDenied|AccessControlException|Permission denied|Mkdirs failed/;

/**
 * A failure of Spark as an error of the table.
 * @param more from FetchErrorDetails, where the server told an id
 * @param folder that was written, if any
 */
export function failure(error: unknown, more: ErrorDetails | null, doing: {readonly folder?: string} = {}): Error {
  const known = told(error);
  if (error instanceof MillraceError || known === null) return error as Error;
  const engine = 'Spark';
  const cause = {cause: error};
  if (known.errorClass === '' && known.errorId === null) {
    if (known.grpc === status.UNAUTHENTICATED || known.grpc === status.PERMISSION_DENIED) return new MillraceError('ENGINE_REFUSED', {engine, reason: sentence(known.message)}, cause);
    const reason = /Last error: (?:Error: )?(.*?)(?: \(\d{4}-|\. Resolution note)/.exec(known.message)?.[1] ?? sentence(known.message);
    const another = /protocol error/i.test(reason) || known.grpc === status.UNIMPLEMENTED || known.grpc === status.UNKNOWN;
    if (another) return new MillraceError('ENGINE_UNSUPPORTED', {engine, reason: `what answers is no Spark Connect server of Spark 4 (${reason}).`}, cause);
    if (isBroken(known)) return new MillraceError('ENGINE_UNAVAILABLE', {engine, reason: `${reason}.`}, cause);
  }
  const chain = causes(more);
  const all = [known.message, ...chain.map(({message}) => message)].join('\n') + known.classes + chain.flatMap(({errorTypeHierarchy = []}) => errorTypeHierarchy).join(' ');
  if (fullDisk.test(all)) return new MillraceError('DISK_FULL', {path: doing.folder ?? "Spark's temporary files"}, cause);
  if (isForgotten(known)) return new MillraceError('ENGINE_UNAVAILABLE', {engine, reason: 'it was started again, or let go of the statement, while this ran.'}, cause);
  if (known.errorClass === 'OPERATION_CANCELED') return new MillraceError('ENGINE_UNAVAILABLE', {engine, reason: 'somebody else cancelled the statement there.'}, cause);
  if (outOfMemory.test(all)) return new MillraceError('ENGINE_OUT_OF_MEMORY', {reason: 'Spark ran out of it (spark.driver.memory, spark.executor.memory).'}, cause);
  // Of wrapped errors the innermost that Spark has a name for is the reason.
  const named = chain.findLast(({sparkThrowable}) => sparkThrowable?.errorClass !== undefined && sparkThrowable.sqlState !== undefined);
  const errorClass = named?.sparkThrowable?.errorClass ?? known.errorClass;
  const sqlState = named?.sparkThrowable?.sqlState ?? known.sqlState;
  const message = named?.message ?? known.message;
  const inner = chain.at(-1)?.message ?? message;
  if (noFile.test(errorClass) || noAccess.test(all)) {
    return new MillraceError('ENGINE_FILES_UNREACHABLE', {engine, what: doing.folder !== undefined && /Mkdirs|WRITE|RENAME/i.test(all) ? `write into ${doing.folder}` : 'read the files of the datasets', reason: sentence(inner), errorClass}, cause);
  }
  if (lostWorkers.test(all)) return new MillraceError('ENGINE_UNAVAILABLE', {engine, reason: `processes of it were lost (${sentence(inner)})`}, cause);
  const place = placeOf(named?.sparkThrowable?.queryContexts?.[0], chain) || placeIn(message);
  const reason = `${sentence(message)}${place}`;
  const invalid = /AnalysisException|ParseException/.test(`${known.classes} ${named?.errorTypeHierarchy?.join(' ') ?? ''}`) || /^(?:42|0A)/.test(sqlState);
  return new MillraceError(invalid ? 'SQL_INVALID' : 'SQL_FAILED', {reason, engine: 'spark', errorClass, sqlState}, cause);
}

type Cause = NonNullable<ErrorDetails['errors']>[number];

/** The error and what caused it, the innermost last. */
function causes(more: ErrorDetails | null): Cause[] {
  const chain: Cause[] = [];
  for (let index = more?.rootErrorIdx; index !== undefined && chain.length < 20; index = chain.at(-1)!.causeIdx) {
    const error = more!.errors?.[index];
    if (error === undefined) break;
    chain.push(error);
  }
  return chain;
}

/** The first paragraph, without the name of the error and what Spark advises its own users. */
export function sentence(message: string): string {
  const first = message
    .replace(/^(?:\s*(?:[\w$]+\.)+[\w$]*(?:Exception|Error):\s*)+/, '')
    .replace(/^\[[A-Z0-9_.]+\]\s*/, '')
    .split(/\n\s*\n|\n?== SQL|\n\tat |; line \d+ pos \d+|;\n|\(line \d+, pos \d+\)| SQLSTATE: |\nDriver stacktrace/)[0]!
    .replace(/ (?:If necessary set|Use `?try_\w+`? to|To return NULL instead,|To tolerate )[^.]*(?:"[^"]*"[^.]*|\.[^.\s][^.]*)*\./g, '')
    .replace(/\s*\n\s*/g, ' ')
    .trim();
  return first.length > 600 ? `${first.slice(0, 600)}…` : first;
}

/** A place in the statement: from 1. */
function placeOf(context: {readonly startIndex: number; readonly fragment: string} | undefined, chain: readonly Cause[]): string {
  if (context === undefined || context.fragment === '') return '';
  return placeIn(chain.map(({message}) => message).find(message => /\(line \d+, position \d+\)/.test(message)) ?? '') || ` (at ${JSON.stringify(context.fragment)})`;
}

function placeIn(message: string): string {
  const match = /\(line (\d+), position (\d+)\)/.exec(message) ?? /line (\d+),? pos (\d+)/.exec(message);
  if (!match) return '';
  // Spark counts positions of syntax errors from 0.
  return ` (line ${match[1]}, column ${Number(match[2]) + (match[0].includes('position') ? 0 : 1)})`;
}
