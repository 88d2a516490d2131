import {createReadStream} from 'node:fs';
import {stat} from 'node:fs/promises';
import {basename} from 'node:path';
import {Readable} from 'node:stream';
import type {ReadableStream} from 'node:stream/web';
import type {Client} from 'graphql-ws/client';
import {MillraceError} from '../core/errors.ts';
import {GraphFailure} from './failure.ts';
import type {GraphAnswer, GraphClient, GraphRequest} from './graph-client.ts';
import {patientPost} from './patient-post.ts';

/** Close codes by which a server refuses a connection for good; others mean that it went away. */
const refusals = new Set([4400, 4401, 4403, 4406]);

/** A server that is reached at its address. `secret` is its admin secret, if it has one. */
export class HttpGraphClient implements GraphClient {
  private socket: Client | undefined;

  constructor(
    readonly url: string,
    private readonly secret: string | null,
  ) {}

  async execute({document, variables, operationName}: GraphRequest): Promise<GraphAnswer> {
    const body = JSON.stringify({query: document, variables, operationName});
    const headers = {'content-type': 'application/json', accept: 'application/graphql-response+json, application/json'};
    const response = await this.reaching(() => patientPost(new URL('/graphql', this.url), body, {...headers, ...this.authorization}));
    const answer = await this.read(response);
    if (isAnswer(answer)) return answer;
    throw refusal(answer) ?? this.unreachable(`it answered with status ${response.status}, and not as Millrace does`);
  }

  async *subscribe(request: GraphRequest, signal: AbortSignal): AsyncGenerator<GraphAnswer> {
    signal.throwIfAborted();
    this.socket ??= await this.connect();
    const answers = this.socket.iterate({query: request.document, variables: {...request.variables}, operationName: request.operationName});
    const end = () => void answers.return?.();
    signal.addEventListener('abort', end, {once: true});
    try {
      for await (const answer of answers) yield answer as GraphAnswer;
    } catch (error) {
      if (!signal.aborted) throw this.socketFailure(error);
    } finally {
      signal.removeEventListener('abort', end);
      await answers.return?.();
    }
  }

  async upload(path: string): Promise<string> {
    const {size} = await stat(path);
    const response = await this.reaching(() => fetch(new URL(`/uploads?name=${encodeURIComponent(basename(path))}`, this.url), {
      method: 'POST',
      body: Readable.toWeb(createReadStream(path)) as ReadableStream,
      headers: {'content-type': 'application/octet-stream', 'content-length': String(size), ...this.authorization},
      duplex: 'half',
    } as RequestInit));
    const answer = await this.read(response);
    if (response.ok && typeof answer === 'object' && answer !== null && 'id' in answer) return String(answer.id);
    throw refusal(answer) ?? this.unreachable(`it answered with status ${response.status}`);
  }

  async close(): Promise<void> {
    await this.socket?.dispose();
    this.socket = undefined;
  }

  /** Whether a Millrace that lives answers there within two seconds. */
  async lives(): Promise<boolean> {
    try {
      const response = await fetch(new URL('/health/live', this.url), {signal: AbortSignal.timeout(2000)});
      return response.ok && ((await response.json()) as {status?: unknown}).status === 'live';
    } catch {
      return false;
    }
  }

  private get authorization(): Record<string, string> {
    return this.secret === null ? {} : {authorization: `Bearer ${this.secret}`};
  }

  private async reaching(ask: () => Promise<Response>): Promise<Response> {
    try {
      return await ask();
    } catch (error) {
      throw this.unreachable(reasonOf(error), error);
    }
  }

  private async read(response: Response): Promise<unknown> {
    try {
      return await response.json();
    } catch (error) {
      throw this.unreachable(`its answer (status ${response.status}) cannot be read`, error);
    }
  }

  private async connect(): Promise<Client> {
    const {createClient} = await import('graphql-ws/client');
    const url = new URL('/graphql', this.url);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    return createClient({
      url: url.href,
      connectionParams: this.authorization,
      // A lost connection is told to whoever watches: only they know after which event to go on.
      retryAttempts: 0,
      keepAlive: 15_000,
    });
  }

  private socketFailure(error: unknown): Error {
    if (Array.isArray(error)) {
      const [first] = error as {message: string; extensions?: {code?: string; hint?: string}}[];
      return new GraphFailure(first?.extensions?.code ?? 'GRAPHQL_INVALID', first?.message ?? '', first?.extensions?.hint ?? '');
    }
    const {code, reason} = (error ?? {}) as {code?: number; reason?: string};
    if (code !== undefined && refusals.has(code)) return code === 4400 ? new MillraceError('REQUEST_INVALID', {reason}) : new MillraceError('UNAUTHENTICATED');
    return this.unreachable(reason || (error instanceof Error ? error.message : '') || 'the connection ended', error);
  }

  private unreachable(reason: string, cause?: unknown): MillraceError {
    return new MillraceError('SERVER_UNREACHABLE', {url: this.url, reason}, {cause});
  }
}

function isAnswer(value: unknown): value is GraphAnswer {
  return typeof value === 'object' && value !== null && ('data' in value || 'errors' in value);
}

/** What a plain HTTP answer of the server says went wrong. */
function refusal(body: unknown): GraphFailure | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const {code, message, hint} = ('error' in body && typeof body.error === 'object' ? body.error : body) as Record<string, unknown>;
  return typeof code === 'string' && typeof message === 'string' ? new GraphFailure(code, message, typeof hint === 'string' ? hint : '') : undefined;
}

function reasonOf(error: unknown): string {
  const {code, message, cause} = error as {code?: string; message: string; cause?: {code?: string; message?: string}};
  return cause?.code ?? cause?.message ?? code ?? message;
}
