/**
 * Spark Connect's messages, as far as they are used, and the connection they go over. Names are those of `spark-connect.proto` in
 * camel case; 64-bit integers are text.
 */
import {readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {Metadata, compressionAlgorithms, credentials, makeClientConstructor} from '@grpc/grpc-js';
import type {Client, ClientReadableStream, ServiceClientConstructor, ServiceError} from '@grpc/grpc-js';
import {loadSync} from '@grpc/proto-loader';
import type {MessageTypeDefinition, PackageDefinition} from '@grpc/proto-loader';
import type {SparkAddress} from './address.ts';

export interface SparkType {
  readonly null?: object;
  readonly binary?: object;
  readonly boolean?: object;
  readonly byte?: object;
  readonly short?: object;
  readonly integer?: object;
  readonly long?: object;
  readonly float?: object;
  readonly double?: object;
  readonly decimal?: {readonly precision?: number; readonly scale?: number};
  readonly string?: object;
  readonly date?: object;
  readonly timestamp?: object;
  readonly timestampNtz?: object;
  readonly time?: {readonly precision?: number};
  readonly array?: {readonly elementType: SparkType; readonly containsNull: boolean};
  readonly struct?: {readonly fields?: readonly SparkField[]};
  readonly map?: {readonly keyType: SparkType; readonly valueType: SparkType; readonly valueContainsNull: boolean};
}

export interface SparkField {
  readonly name: string;
  readonly dataType: SparkType;
  readonly nullable: boolean;
  /** JSON. */
  readonly metadata?: string;
}

export interface Expression {
  readonly unresolvedAttribute?: {readonly unparsedIdentifier: string};
  readonly expressionString?: {readonly expression: string};
  readonly alias?: {readonly expr: Expression; readonly name: readonly string[]; readonly metadata?: string};
  readonly cast?: {readonly expr: Expression; readonly type: SparkType};
}

export interface Relation {
  /** Numbers it within its plan, where progress and errors name it. */
  readonly common?: {readonly planId: number};
  readonly read?: {readonly dataSource: {readonly format: string; readonly schema?: string; readonly options?: Readonly<Record<string, string>>; readonly paths: readonly string[]}};
  readonly project?: {readonly input: Relation; readonly expressions: readonly Expression[]};
  readonly sql?: {readonly query: string};
  readonly localRelation?: {readonly schema: string};
  readonly subqueryAlias?: {readonly input: Relation; readonly alias: string};
  readonly toDf?: {readonly input: Relation; readonly columnNames: readonly string[]};
  readonly withRelations?: {readonly root: Relation; readonly references: readonly Relation[]};
}

export interface Command {
  readonly writeOperation?: {
    readonly input: Relation; readonly source: string; readonly path: string; readonly mode: 'SAVE_MODE_OVERWRITE'; readonly options: Readonly<Record<string, string>>;
  };
}

export type Plan = {readonly root: Relation} | {readonly command: Command};

export interface ExecuteResponse {
  readonly responseId: string;
  readonly arrowBatch?: {readonly rowCount: string; readonly data: Buffer};
  readonly resultComplete?: object;
  readonly executionProgress?: {readonly stages?: readonly Stage[]};
}

export interface Stage {
  readonly numTasks: string;
  readonly numCompletedTasks: string;
  readonly inputBytesRead: string;
  readonly done: boolean;
}

export interface ErrorDetails {
  readonly rootErrorIdx?: number;
  readonly errors?: readonly {
    readonly message: string;
    readonly causeIdx?: number;
    readonly errorTypeHierarchy?: readonly string[];
    readonly sparkThrowable?: {
      readonly errorClass?: string; readonly sqlState?: string;
      readonly queryContexts?: readonly {readonly startIndex: number; readonly stopIndex: number; readonly fragment: string}[];
    };
  }[];
}

/** What every request says. */
export interface Who {
  readonly sessionId: string;
  readonly userContext: {readonly userId: string; readonly userName: string};
  readonly clientType: string;
  /** As the server told it: a server that has forgotten the session refuses the request instead of making another one of that id. */
  readonly clientObservedServerSideSessionId?: string;
}

type Streams = 'ExecutePlan' | 'ReattachExecute';
type Calls = 'ReleaseExecute' | 'Interrupt' | 'AnalyzePlan' | 'Config' | 'FetchErrorDetails' | 'ReleaseSession';

let definition: PackageDefinition | undefined;

const definitions = (): PackageDefinition =>
  (definition ??= loadSync(fileURLToPath(new URL('spark-connect.proto', import.meta.url)), {longs: String, enums: String, oneofs: false, defaults: true, arrays: false, objects: false}));

/** Reads a message that came as bytes. */
export const decode = <T>(message: string, bytes: Uint8Array): T => (definitions()[`spark.connect.${message}`] as MessageTypeDefinition<object, object>).deserialize(Buffer.from(bytes)) as T;

type Stub = Client & Record<Streams | Calls, (...args: unknown[]) => unknown>;

/** One connection to a server, over which all requests go. It opens with the first of them, and again when it broke. */
export class Connection {
  readonly #client: Stub;
  readonly #metadata = new Metadata();

  /** @param certificates of authorities to trust, PEM; default: those of Node */
  constructor(address: SparkAddress, certificates: string | null) {
    const service = definitions()['spark.connect.SparkConnectService'] as Parameters<typeof makeClientConstructor>[0];
    const Service: ServiceClientConstructor = makeClientConstructor(service, 'SparkConnectService');
    this.#client = new Service(address.target, address.tls ? credentials.createSsl(certificates === null ? null : readFileSync(certificates)) : credentials.createInsecure(), {
      'grpc.max_receive_message_length': -1,
      'grpc.keepalive_time_ms': 60_000,
      'grpc.keepalive_timeout_ms': 20_000,
      // What is tried again, and how often, is decided here.
      'grpc.enable_retries': 0,
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.min_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 1_000,
      'grpc.default_compression_algorithm': compressionAlgorithms.identity,
    }) as unknown as Stub;
    if (address.token !== null) this.#metadata.set('authorization', `Bearer ${address.token}`);
    for (const [name, value] of Object.entries(address.headers)) this.#metadata.set(name, value);
  }

  /** Asks once. @throws ServiceError */
  call<T>(method: Calls, request: object, seconds = 30): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#client[method](request, this.#metadata, {deadline: Date.now() + seconds * 1_000}, (error: ServiceError | null, answer: T) => (error ? reject(error) : resolve(answer)));
    });
  }

  /** Responses as they come; not read ones hold the server up. */
  stream(method: Streams, request: object): ClientReadableStream<ExecuteResponse> {
    return this.#client[method](request, this.#metadata) as ClientReadableStream<ExecuteResponse>;
  }

  close(): void {
    this.#client.close();
  }
}
