import {readFileSync} from 'node:fs';
import hive from 'hive-driver';
import {MillraceError} from '../../core/errors.ts';
import {shownAddress} from './address.ts';
import type {HiveAddress} from './address.ts';
import {HiveFailure} from './failures.ts';
import {fastFrames, plain} from './transport.ts';

const {HiveClient, HiveDriver, connections, auth, thrift} = hive;

export type Driver = InstanceType<typeof HiveDriver>;

export interface Status {
  readonly statusCode: number;
  readonly sqlState?: string | null;
  readonly errorCode?: number | null;
  readonly errorMessage?: string | null;
  readonly infoMessages?: readonly string[] | null;
}

/** Seconds in which a server must have answered the first word. */
const connectSeconds = 15;

/** Thrift's client, as it is generated: answers are handed to `recv_…`, which finds who asked in `_reqs`. */
interface GeneratedClient {
  readonly _reqs: Record<number, (error: unknown, answer?: unknown) => void>;
  recv_FetchResults(input: Protocol, kind: number, sequence: number): void;
}

interface Protocol {
  getTransport(): {borrow(): {buf: Buffer; readIndex: number; writeIndex: number}; consume(bytes: number): void};
}

const exceptionKind = 3;

/** One connection: calls are answered one after another. When it is lost, all that waits fails. */
export class HiveConnection {
  readonly #address: HiveAddress;
  readonly #waiting = new Set<(error: unknown) => void>();
  #client: InstanceType<typeof HiveClient> | undefined;
  #driver: Driver | undefined;
  #lost: unknown;

  private constructor(address: HiveAddress) {
    this.#address = address;
  }

  /** @throws ENGINE_UNAVAILABLE, ENGINE_REFUSED, ENGINE_UNSUPPORTED */
  static async open(address: HiveAddress): Promise<HiveConnection> {
    const connection = new HiveConnection(address);
    const client = new HiveClient(thrift.TCLIService, thrift.TCLIService_types);
    connection.#client = client;
    client.on('error', error => connection.#lose(error));
    client.on('close', () => connection.#lose(new Error('the connection was closed')));
    const {host, port, user, password, transport, path, tls, ca} = address;
    const trusted = {rejectUnauthorized: true, ...(ca === null ? {} : {ca: readPem(ca)})};
    try {
      if (transport === 'http') {
        // The driver takes any certificate unless it is told otherwise.
        const options = {path, https: tls, nodeOptions: trusted};
        await client.connect({host, port, options}, new connections.HttpConnection(), new auth.PlainHttpAuthentication({username: user, password: password ?? ''}));
      } else {
        const options = {ssl: tls, ...trusted, transport: fastFrames(client)};
        await client.connect({host, port, options}, new connections.TcpConnection(), plain(user, password, connectSeconds));
      }
    } catch (error) {
      throw connection.#failed(error);
    }
    const generated = client.getClient() as unknown as GeneratedClient;
    const original = generated.recv_FetchResults;
    // Rows are decoded from the very bytes: the generated code makes an object of each value.
    generated.recv_FetchResults = function (input, kind, sequence) {
      if (kind === exceptionKind) return original.call(this, input, kind, sequence);
      const answer = this._reqs[sequence]!;
      delete this._reqs[sequence];
      const {buf, readIndex, writeIndex} = input.getTransport().borrow();
      input.getTransport().consume(writeIndex - readIndex);
      answer(null, buf.subarray(readIndex, writeIndex));
    };
    connection.#driver = new HiveDriver(thrift.TCLIService_types, client.getClient());
    return connection;
  }

  get lost(): boolean {
    return this.#lost !== undefined;
  }

  /** @throws ENGINE_UNAVAILABLE, ENGINE_REFUSED when the connection is or gets lost; HiveFailure when the server answers with one */
  async call<T extends {readonly status: Status} | Uint8Array>(send: (driver: Driver) => Promise<unknown>): Promise<T> {
    const {promise, reject} = Promise.withResolvers<never>();
    promise.catch(() => {});
    if (this.#lost !== undefined) reject(this.#lost);
    this.#waiting.add(reject);
    try {
      const answer = (await Promise.race([promise, this.#lost === undefined ? send(this.#driver!) : promise])) as T;
      if (!(answer instanceof Uint8Array)) checkStatus(answer.status);
      return answer;
    } catch (error) {
      if (error instanceof HiveFailure) throw error;
      throw this.#failed(error);
    } finally {
      this.#waiting.delete(reject);
    }
  }

  close(): void {
    this.#lose(new Error('the connection was closed'));
    try {
      this.#client?.close();
    } catch {
      // It never was open.
    }
  }

  #lose(error: unknown): void {
    this.#lost ??= error;
    for (const reject of this.#waiting) reject(this.#lost);
  }

  #failed(error: unknown): MillraceError {
    if (error instanceof MillraceError) return error;
    const said = error instanceof Error ? error.message || String((error as NodeJS.ErrnoException).code) : String(error);
    const details = {engine: 'Hive', reason: `${shownAddress(this.#address)}: ${said}`};
    const {statusCode} = error as {statusCode?: number};
    if (statusCode === 401 || statusCode === 403) return new MillraceError('ENGINE_REFUSED', {...details, reason: `${shownAddress(this.#address)}: the user name or the password is wrong`}, {cause: error});
    if (statusCode !== undefined || (error as Error).name?.startsWith('TProtocol') || (error as Error).name?.startsWith('TApplication')) return new MillraceError('ENGINE_UNSUPPORTED', details, {cause: error});
    return new MillraceError('ENGINE_UNAVAILABLE', details, {cause: error});
  }
}

/** @throws HiveFailure */
export function checkStatus({statusCode, errorMessage, sqlState, errorCode, infoMessages}: Status): void {
  if (statusCode <= thrift.TCLIService_types.TStatusCode.STILL_EXECUTING_STATUS) return;
  throw new HiveFailure(errorMessage ?? infoMessages?.[0] ?? 'the server does not say why', sqlState ?? null, errorCode ?? null);
}

function readPem(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new MillraceError('CONFIG_INVALID', {issues: `hive.url names the certificate ${path}, which cannot be read`}, {cause: error});
  }
}
