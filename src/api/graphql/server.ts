import {fastifyApolloHandler} from '@as-integrations/fastify';
import type {FastifyInstance, FastifyReply, FastifyRequest, RawServerDefault} from 'fastify';
import type {ExecutionResult, FormattedExecutionResult, GraphQLSchema} from 'graphql';
import {MillraceError} from '../../core/errors.ts';
import type {Viewer} from '../../core/viewer.ts';
import {createApollo} from './apollo.ts';
import type {HttpContext} from './apollo.ts';
import {buildCoreSchema} from './core/core-schema.ts';
import {asRequestError, errorFormatter} from './format-error.ts';
import {Graph} from './graph.ts';
import {Operations} from './operations.ts';
import type {Asked, Asking} from './operations.ts';
import type {GraphqlServices, UpgradeHost} from './services.ts';
import {mountSockets} from './sockets.ts';
import {stringify} from './stringify.ts';
import {answerStream} from './streams/answer-stream.ts';
import {wantedFormat} from './streams/stream-format.ts';

/** The graph, to be mounted on an HTTP host or asked in this process. */
export interface Graphql {
  /** The schema that serves now. */
  readonly schema: GraphQLSchema;
  /** Adds `/graphql`: queries and mutations by HTTP, all operations by graphql-transport-ws. */
  mount(app: FastifyInstance, host: UpgradeHost): void;
  /** Asks without HTTP, as `millrace query` does where no server runs. The answer is JSON text. */
  ask(viewer: Viewer, question: Question, asking?: Asking): Promise<string>;
  /** Results of a subscription, formatted; ends when the caller leaves the loop. A document that is not valid is one result with errors. @throws QUERY_TOO_DEEP, QUERY_TOO_MANY_ALIASES */
  follow(viewer: Viewer, question: Question): AsyncIterable<FormattedExecutionResult>;
  /** Stops following changes of the graph. */
  stop(): Promise<void>;
}

export interface Question {
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>> | null;
  readonly operationName?: string | null;
}

/** Builds the graph of the model as it is now, and follows its changes. `reflect-metadata` must have been imported. */
export async function createGraphql(services: GraphqlServices): Promise<Graphql> {
  const logger = services.logger.child({part: 'graphql'});
  const format = errorFormatter(logger);
  const formatted = ({errors, ...result}: ExecutionResult): FormattedExecutionResult => (errors ? {errors: errors.map(format), ...result} : result);
  const graph = new Graph(buildCoreSchema(), services.graphModel, logger);
  const operations = new Operations(services, graph);
  const apollo = createApollo(graph, logger);
  await apollo.start();
  const asked = ({query, variables, operationName}: Question, viewer: Viewer): Asked => ({prepared: graph.prepare(query, viewer.limits), variables, operationName});
  return {
    get schema() {
      return graph.schema;
    },
    mount(app, host) {
      const handler = fastifyApolloHandler<HttpContext, RawServerDefault>(apollo, {context: async (request, reply) => httpContext(operations, request, reply)});
      app.route({
        method: ['GET', 'POST', 'OPTIONS'], url: '/graphql',
        handler(request, reply) {
          const wanted = request.method === 'POST' ? wantedFormat(request.headers.accept) : null;
          return wanted ? answerStream(request, reply, wanted, {operations, format, stallSeconds: services.sockets?.stallSeconds}) : handler.call(this, request, reply);
        },
      });
      mountSockets(app, host, operations, services);
    },
    async ask(viewer, question, asking) {
      try {
        return stringify(formatted(await operations.execute(viewer, asked(question, viewer), asking)));
      } catch (error) {
        return stringify({errors: [format(error)]});
      }
    },
    follow(viewer, question) {
      const begin = async (): Promise<AsyncIterator<ExecutionResult>> => {
        const results = await operations.subscribe(viewer, asked(question, viewer));
        return Symbol.asyncIterator in results ? results : only(results);
      };
      return leavable(begin, formatted);
    },
    async stop() {
      operations.stop();
      graph.stop();
      await apollo.stop();
    },
  };
}

async function* only<T>(value: T): AsyncGenerator<T> {
  yield value;
}

/** Maps an iteration that begins when it is first asked. Unlike a generator it can be left while it waits. */
function leavable<T, U>(begin: () => Promise<AsyncIterator<T>>, map: (value: T) => U): AsyncIterable<U> {
  return {
    [Symbol.asyncIterator]() {
      let begun: Promise<AsyncIterator<T>> | undefined;
      return {
        async next() {
          const step = await (await (begun ??= begin())).next();
          return step.done ? {done: true, value: undefined} : {done: false, value: map(step.value)};
        },
        async return() {
          await (await begun)?.return?.();
          return {done: true, value: undefined};
        },
      };
    },
  };
}

/** Parses and validates before Apollo does, so that what is too large is refused before it costs much. */
function httpContext(operations: Operations, request: FastifyRequest, reply: FastifyReply): HttpContext {
  const {query, extensions} = ((request.method === 'GET' ? request.query : request.body) as {query?: unknown; extensions?: {explain?: unknown} | null} | null) ?? {};
  let prepared: HttpContext['prepared'] = null;
  try {
    if (typeof query === 'string' && query !== '') prepared = operations.graph.prepare(query, request.viewer.limits);
  } catch (error) {
    throw error instanceof MillraceError ? asRequestError(error) : error;
  }
  const left = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) left.abort(new MillraceError('REQUEST_INVALID', {reason: 'the client went away.'}));
  });
  return {
    prepared,
    execute: (operationName, variables) =>
      operations.execute(request.viewer, {prepared: prepared!, operationName, variables}, {signal: left.signal, receipt: receiptWish(request.headers['millrace-receipt']), explain: extensions?.explain === true || request.headers['millrace-explain'] === 'true'}),
  };
}

/** Header `millrace-receipt`: true, whatever it costs; false, none; absent, when the answer is small. */
function receiptWish(header: string | string[] | undefined): Asking['receipt'] {
  return header === 'true' ? 'always' : header === 'false' ? 'never' : 'auto';
}
