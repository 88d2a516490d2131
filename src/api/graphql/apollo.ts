import {ApolloServer, HeaderMap} from '@apollo/server';
import type {ApolloServerOptionsWithGateway, ApolloServerPlugin} from '@apollo/server';
import {ApolloServerPluginCacheControlDisabled, ApolloServerPluginInlineTraceDisabled, ApolloServerPluginLandingPageDisabled, ApolloServerPluginSchemaReportingDisabled, ApolloServerPluginUsageReportingDisabled} from '@apollo/server/plugin/disabled';
import {Kind, OperationTypeNode} from 'graphql';
import type {DocumentNode, ExecutionResult} from 'graphql';
import type {Logger} from '../../core/logging.ts';
import {asTableError, errorFormatter} from './format-error.ts';
import {maxTokens} from './graph.ts';
import type {Graph, Prepared} from './graph.ts';
import {stringify} from './stringify.ts';

/** What one HTTP request brings along through Apollo. */
export interface HttpContext {
  /** Null when there was no document: Apollo says so. */
  readonly prepared: Prepared | null;
  execute(operationName: string | null | undefined, variables: Readonly<Record<string, unknown>> | undefined): Promise<ExecutionResult>;
}

/** Apollo as the HTTP side of the graph: GraphQL over HTTP, CSRF prevention. What is executed, and on which version, is ours. */
export function createApollo(graph: Graph, logger: Logger): ApolloServer<HttpContext> {
  const format = errorFormatter(logger);
  return new ApolloServer<HttpContext>({
    gateway: gatewayOf(graph),
    plugins: [
      prepared(format),
      ApolloServerPluginCacheControlDisabled(), ApolloServerPluginInlineTraceDisabled(), ApolloServerPluginLandingPageDisabled(),
      ApolloServerPluginSchemaReportingDisabled(), ApolloServerPluginUsageReportingDisabled(),
    ],
    logger: {
      debug: message => logger.debug(message), info: message => logger.info(message), warn: message => logger.warn(message), error: message => logger.error(message),
    },
    introspection: true,
    csrfPrevention: true,
    persistedQueries: false,
    // Documents are kept by the graph, with the version they are valid for.
    documentStore: null,
    parseOptions: {maxTokens},
    stopOnTerminationSignals: false,
    includeStacktraceInErrorResponses: false,
    nodeEnv: 'production',
    formatError: (_formatted, error) => format(error),
    stringifyResult: result => stringify(result),
  });
}

/**
 * Takes the document that was parsed and validated before, or the errors it has: Apollo does neither again. Its validation would also make all
 * types of a graph of which a document asks for few.
 */
const prepared = (format: ReturnType<typeof errorFormatter>): ApolloServerPlugin<HttpContext> => ({
  async requestDidStart() {
    return {
      async didResolveSource(request) {
        const {prepared: given} = request.contextValue;
        if (given) (request as {document?: DocumentNode}).document = given.document ?? documentOfNothing(request.request.operationName);
      },
      async responseForOperation({contextValue: {prepared: given}}) {
        if (!given || given.document) return null;
        return {http: {status: 400, headers: new HeaderMap()}, body: {kind: 'single', singleResult: {errors: given.errors.map(format)}}};
      },
      async willSendResponse({request, response: {body, http}, contextValue, errors}) {
        if (body.kind !== 'single') return;
        const answered = body.singleResult.data !== undefined && body.singleResult.data !== null;
        // Nothing could be answered, but will be later: clients and proxies know that by the status.
        const later = !answered && errors?.map(error => asTableError(error).http).find(status => status === 503 || status === 429);
        if (later) http.status = later;
        // As the GraphQL over HTTP specification has it: who asks for plain JSON reads errors in the body.
        else if (!answered && contextValue.prepared && http.status === 400 && asksForPlainJson(request.http?.headers.get('accept'))) http.status = 200;
      },
    };
  },
});

const asksForPlainJson = (accept: string | undefined): boolean => accept !== undefined && /\bapplication\/json\b/i.test(accept) && !/graphql-response/i.test(accept);

/** What Apollo takes in the place of a document that has errors. */
const documentOfNothing = (operationName: string | undefined): DocumentNode => ({
  kind: Kind.DOCUMENT,
  definitions: [{
    kind: Kind.OPERATION_DEFINITION, operation: OperationTypeNode.QUERY, ...(operationName ? {name: {kind: Kind.NAME, value: operationName}} : {}),
    selectionSet: {kind: Kind.SELECTION_SET, selections: [{kind: Kind.FIELD, name: {kind: Kind.NAME, value: '__typename'}}]},
  }],
});

/** Apollo's way to swap schemas under a running server. */
function gatewayOf(graph: Graph): ApolloServerOptionsWithGateway<HttpContext>['gateway'] {
  return {
    onSchemaLoadOrUpdate(callback) {
      callback({apiSchema: graph.schema, coreSupergraphSdl: ''});
      return graph.onSwap(schema => callback({apiSchema: schema, coreSupergraphSdl: ''}));
    },
    load: async () => ({
      executor: ({context, request}) => (context as HttpContext).execute(request.operationName, request.variables),
    }),
    async stop() {},
  };
}
