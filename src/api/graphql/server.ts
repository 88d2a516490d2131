import {fastifyApolloHandler} from '@as-integrations/fastify';
import type {FastifyInstance, FastifyReply, FastifyRequest, RawServerDefault} from 'fastify';
import type {FormattedExecutionResult, GraphQLSchema} from 'graphql';
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

/** The graph as a part of the process: mounted on an HTTP host, or asked in this process. */
export interface Graphql {
  /** Builds the graph of the model as it is now, and follows it. To be called before the first question; `reflect-metadata` must have been imported. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** The schema that serves now. */
  readonly schema: GraphQLSchema;
  /** Adds `/graphql`: queries and mutations by HTTP, all operations by graphql-transport-ws. May come before the start. */
  mount(app: FastifyInstance, host: UpgradeHost): void;
  /** Asks without HTTP, as `millrace query` does where no server runs. The answer is JSON text. */
  ask(viewer: Viewer, question: Question, asking?: Asking): Promise<string>;
  /** Results of a subscription, formatted; ends when the caller leaves the loop. @throws the error for which there is none */
  follow(viewer: Viewer, question: Question): AsyncIterable<FormattedExecutionResult>;
}

export interface Question {
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>> | null;
  readonly operationName?: string | null;
}

/** Nothing is built before `start`: a process that only works has no use for it. */
export function createGraphql(services: GraphqlServices): Graphql {
  const logger = services.logger.child({part: 'graphql'});
  const format = errorFormatter(logger);
  let running: Running | undefined;
  const now = (): Running => {
    if (!running) throw new Error('the graph was asked before it was started');
    return running;
  };
  const asked = ({query, variables, operationName}: Question, viewer: Viewer): Asked => ({prepared: now().graph.prepare(query, viewer.limits), variables, operationName});
  return {
    async start() {
      const graph = new Graph(buildCoreSchema(), services.graphModel, logger);
      const apollo = createApollo(graph, logger);
      await apollo.start();
      running = {graph, apollo, operations: new Operations(services, graph)};
    },
    async stop() {
      running?.graph.stop();
      await running?.apollo.stop();
      running = undefined;
    },
    get schema() {
      return now().graph.schema;
    },
    mount(app, host) {
      const handler = () => fastifyApolloHandler<HttpContext, RawServerDefault>(now().apollo, {context: async (request, reply) => httpContext(now().operations, request, reply)});
      let answer: ReturnType<typeof handler> | undefined;
      app.route({
        method: ['GET', 'POST', 'OPTIONS'],
        url: '/graphql',
        handler(request, reply) {
          answer ??= handler();
          return answer.call(this, request, reply);
        },
      });
      mountSockets(app, host, () => now().operations, services);
    },
    async ask(viewer, question, asking) {
      try {
        const {errors, ...result} = await now().operations.execute(viewer, asked(question, viewer), asking);
        return stringify(errors ? {errors: errors.map(format), ...result} : result);
      } catch (error) {
        return stringify({errors: [format(error)]});
      }
    },
    async *follow(viewer, question) {
      const results = await now().operations.subscribe(viewer, asked(question, viewer));
      if (!(Symbol.asyncIterator in results)) throw results.errors?.[0]?.originalError ?? results.errors![0]!;
      for await (const {errors, ...result} of results) yield errors ? {errors: errors.map(format), ...result} : result;
    },
  };
}

interface Running {
  readonly graph: Graph;
  readonly apollo: ReturnType<typeof createApollo>;
  readonly operations: Operations;
}

/** Parses and validates before Apollo does, so that what is too large is refused before it costs much. */
function httpContext(operations: Operations, request: FastifyRequest, reply: FastifyReply): HttpContext {
  const {query} = ((request.method === 'GET' ? request.query : request.body) as {query?: unknown} | null) ?? {};
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
      operations.execute(request.viewer, {prepared: prepared!, operationName, variables}, {signal: left.signal, receipt: receiptWish(request.headers['millrace-receipt'])}),
  };
}

/** Header `millrace-receipt`: true, whatever it costs; false, none; absent, when the answer is small. */
function receiptWish(header: string | string[] | undefined): Asking['receipt'] {
  return header === 'true' ? 'always' : header === 'false' ? 'never' : 'auto';
}
