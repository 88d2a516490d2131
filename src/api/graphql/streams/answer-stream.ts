/**
 * Large answers over HTTP: the rows of one field as NDJSON or as an Arrow stream, by the request's `Accept`. They go out while the
 * engine reads on, as fast as the client takes them: memory does not depend on how many there are.
 *
 * What fails before the first piece is an ordinary answer with errors and the status of the error's code. What fails after it ends
 * NDJSON with a line `{"errors": […]}`; an Arrow stream breaks off without its end mark, and so does the HTTP answer.
 */
import {Readable} from 'node:stream';
import type {FastifyReply, FastifyRequest} from 'fastify';
import type {GraphQLFormattedError} from 'graphql';
import {MillraceError} from '../../../core/errors.ts';
import {asTableError} from '../format-error.ts';
import type {Operations} from '../operations.ts';
import {contentTypes} from './stream-format.ts';
import type {StreamFormat} from './stream-format.ts';

export interface StreamAnswerOptions {
  readonly operations: Operations;
  readonly format: (error: unknown) => GraphQLFormattedError;
  /** A client that takes nothing for so long is cut off. Default 30. */
  readonly stallSeconds?: number;
}

interface Body {
  readonly query?: unknown;
  readonly variables?: unknown;
  readonly operationName?: unknown;
}

export async function answerStream(request: FastifyRequest, reply: FastifyReply, wanted: StreamFormat, {operations, format, stallSeconds = 30}: StreamAnswerOptions): Promise<FastifyReply> {
  const left = new AbortController();
  reply.raw.once('close', () => left.abort(new MillraceError('REQUEST_INVALID', {reason: 'the client went away.'})));
  try {
    const {query, variables, operationName} = bodyOf(request.body);
    const prepared = operations.graph.prepare(query, request.viewer.limits);
    const pieces = operations.stream(request.viewer, {prepared, variables, operationName}, wanted, left.signal);
    const first = await pieces.next();
    const errorLine = (error: unknown) => Buffer.from(`${JSON.stringify({errors: [format(error)]})}\n`);
    const rest = wanted === 'ndjson' ? ending(pieces, errorLine) : pieces;
    const cut = () => left.abort(new MillraceError('READER_TOO_SLOW', {seconds: stallSeconds}));
    const body = Readable.from(paced(first, rest, stallSeconds * 1000, cut), {objectMode: false});
    left.signal.addEventListener('abort', () => body.destroy(), {once: true});
    return reply.header('content-type', contentTypes[wanted]).header('vary', 'accept').send(body);
  } catch (error) {
    return reply.code(asTableError(error).http).header('content-type', 'application/graphql-response+json; charset=utf-8').send(JSON.stringify({errors: [format(error)]}));
  }
}

/** @throws REQUEST_INVALID */
function bodyOf(body: unknown): {query: string; variables: Readonly<Record<string, unknown>> | null; operationName: string | null} {
  const {query, variables = null, operationName = null} = (body ?? {}) as Body;
  const refuse = (reason: string): never => {
    throw new MillraceError('REQUEST_INVALID', {reason});
  };
  if (typeof query !== 'string' || query === '') return refuse('the body has no `query`.');
  if (typeof variables !== 'object' || Array.isArray(variables)) return refuse('`variables` is no object.');
  if (operationName !== null && typeof operationName !== 'string') return refuse('`operationName` is no string.');
  return {query, variables: variables as Readonly<Record<string, unknown>> | null, operationName};
}

/** Ends with a line that says what went wrong. */
async function* ending(pieces: AsyncGenerator<Uint8Array>, line: (error: unknown) => Uint8Array): AsyncGenerator<Uint8Array> {
  try {
    yield* pieces;
  } catch (error) {
    yield line(error);
  }
}

/** Calls `cut` when the reader takes nothing for too long. */
async function* paced(first: IteratorResult<Uint8Array>, rest: AsyncGenerator<Uint8Array>, milliseconds: number, cut: () => void): AsyncGenerator<Uint8Array> {
  try {
    for (let step = first; !step.done; step = await rest.next()) {
      const timer = setTimeout(cut, milliseconds);
      try {
        yield step.value;
      } finally {
        clearTimeout(timer);
      }
    }
  } finally {
    await rest.return(undefined);
  }
}
