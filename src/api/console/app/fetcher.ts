import {type Fetcher, type FetcherParams, createGraphiQLFetcher} from '@graphiql/toolkit';
import {Kind, parse} from 'graphql';
import type {DocumentNode, OperationDefinitionNode} from 'graphql';
import {createClient} from 'graphql-ws';
import {askForSecret, authorization} from './secret.ts';

/** Queries and mutations by HTTP, subscriptions by graphql-ws, both at one address; asks for the admin secret when it is needed. */
export function createFetcher(url: URL): Fetcher {
  const socketUrl = new URL(url);
  socketUrl.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  const fetcher = createGraphiQLFetcher({
    url: url.href,
    wsClient: createClient({url: socketUrl.href, lazy: true, retryAttempts: 3, connectionParams: authorization}),
    fetch: fetchWithSecret,
  });
  return async (params, options) => {
    const document = parsed(params.query);
    const operation = document && operationOf(document, params.operationName);
    const answer = await fetcher(
      withLastRun({...params, operationName: operation?.name?.value ?? params.operationName}),
      {...options, documentAST: document ?? options?.documentAST},
    );
    // Queries come as iterators too, because an answer by HTTP may come in parts.
    return operation?.operation === 'subscription' ? collected(answer as AsyncIterableIterator<Payload>) : answer;
  };
}

/** GraphiQL looks at a document a moment after it changed: right after a change of tabs it names what was in the last one. */
function operationOf(document: DocumentNode, name: string | null | undefined): OperationDefinitionNode | undefined {
  const operations = document.definitions.filter((definition) => definition.kind === Kind.OPERATION_DEFINITION);
  return operations.length === 1 ? operations[0] : operations.find((operation) => operation.name?.value === name);
}

/** Undefined for what the server will refuse with the place of the mistake. */
function parsed(query: string): DocumentNode | undefined {
  try {
    return parse(query);
  } catch {
    return undefined;
  }
}

interface Payload {
  readonly data?: Readonly<Record<string, unknown>> | null;
  readonly errors?: unknown;
}

const kept = 100;

/**
 * GraphiQL shows the last payload of a subscription only; following something needs those before it too. A subscription has one root
 * field, so each event is shown without it.
 */
async function* collected(payloads: AsyncIterableIterator<Payload>): AsyncGenerator<never> {
  const newestFirst: unknown[] = [];
  let received = 0;
  for await (const {data, errors} of payloads) {
    received++;
    newestFirst.unshift(errors === undefined ? Object.values(data ?? {})[0] : {data, errors});
    newestFirst.length = Math.min(newestFirst.length, kept);
    // Typed as an answer of GraphQL, but all that is done with it is showing it.
    yield {received, newestFirst: [...newestFirst]} as never;
  }
}

/** The run started last from this browser tab, so that it can be watched without copying its id. */
const lastRun = 'millrace:lastRun';

function withLastRun(params: FetcherParams): FetcherParams {
  const variables = params.variables as Record<string, unknown> | undefined;
  return variables?.runId === '' ? {...params, variables: {...variables, runId: sessionStorage.getItem(lastRun) ?? ''}} : params;
}

const fetchWithSecret: typeof fetch = async (input, init) => {
  for (;;) {
    const answer = await fetch(input, {...init, headers: {...(init?.headers as Record<string, string>), ...authorization()}});
    if (answer.status === 401) {
      await askForSecret();
      continue;
    }
    void rememberRun(answer.clone());
    return answer;
  }
};

async function rememberRun(answer: Response): Promise<void> {
  const text = await answer.text();
  // Most answers are rows, some are large: only those that can hold a started run are parsed.
  if (!text.includes('"startRun"') && !text.includes('"retryRun"')) return;
  const {data} = JSON.parse(text) as {data?: Record<string, {run?: {id?: string}}>};
  const id = data?.startRun?.run?.id ?? data?.retryRun?.run?.id;
  if (id !== undefined) sessionStorage.setItem(lastRun, id);
}
