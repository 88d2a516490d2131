import {ApolloServer} from '@apollo/server';
import type {ApolloServerOptionsWithGateway, ApolloServerPlugin} from '@apollo/server';
import {ApolloServerPluginCacheControlDisabled, ApolloServerPluginInlineTraceDisabled, ApolloServerPluginLandingPageDisabled, ApolloServerPluginSchemaReportingDisabled, ApolloServerPluginUsageReportingDisabled} from '@apollo/server/plugin/disabled';
import type {ExecutionResult} from 'graphql';
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
      usePrepared,
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

/** Takes the document that was parsed and validated before; Apollo then skips both. */
const usePrepared: ApolloServerPlugin<HttpContext> = {
  async requestDidStart() {
    return {
      async didResolveSource(request) {
        const document = request.contextValue.prepared?.document;
        if (document) (request as {document?: typeof document}).document = document;
      },
      // Nothing could be answered, but will be later: clients and proxies know that by the status.
      async willSendResponse({response, errors}) {
        const {body, http} = response;
        const later = body.kind === 'single' && !body.singleResult.data && errors?.map(error => asTableError(error).http).find(status => status === 503 || status === 429);
        if (later) http.status = later;
      },
    };
  },
};

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
