import {GraphFailure} from './failure.ts';

export interface GraphRequest {
  readonly document: string;
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly operationName?: string;
}

export interface GraphError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** An answer as the GraphQL specification has it. */
export interface GraphAnswer {
  readonly data?: Readonly<Record<string, unknown>> | null;
  readonly errors?: readonly GraphError[];
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** Whoever answers documents: the running server, or the application in this process. */
export interface GraphClient {
  /** The server's address; null when the application runs in this process and ends with it. */
  readonly url: string | null;
  /** @throws SERVER_UNREACHABLE */
  execute(request: GraphRequest): Promise<GraphAnswer>;
  /** Ends when the operation is over or `signal` aborts. @throws SERVER_UNREACHABLE */
  subscribe(request: GraphRequest, signal: AbortSignal): AsyncIterable<GraphAnswer>;
  /** Brings a file of this machine to the server; answers the upload's id. */
  upload(path: string): Promise<string>;
  close(): Promise<void>;
}

/**
 * Executes a document and answers its data.
 * @throws GraphFailure for the first error of the answer, or when a root field answered a failure
 */
export async function ask<T>(client: GraphClient, document: string, variables: Readonly<Record<string, unknown>> = {}): Promise<T> {
  return dataOf<T>(await client.execute({document, variables}));
}

/** The data of an answer. @throws GraphFailure */
export function dataOf<T>({data, errors}: GraphAnswer): T {
  if (errors?.[0]) throw failureOfError(errors[0]);
  for (const value of Object.values(data ?? {})) if (isFailure(value)) throw new GraphFailure(value.code, value.message, value.hint, value);
  return data as T;
}

export function failureOfError({message, extensions = {}}: GraphError): GraphFailure {
  const {code, hint, details} = extensions;
  return new GraphFailure(typeof code === 'string' ? code : 'INTERNAL', message, typeof hint === 'string' ? hint : '', details as Record<string, unknown> | undefined);
}

/** Failures are members of answer unions; every document here selects them by the fragment {@link failureFields}. */
function isFailure(value: unknown): value is {code: string; message: string; hint: string} {
  return typeof value === 'object' && value !== null && 'code' in value && 'hint' in value && 'message' in value;
}

/** To be selected in each field that answers with a union. */
export const failureFields = '... on Failure { code message hint }';
