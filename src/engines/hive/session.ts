import {setTimeout as sleep} from 'node:timers/promises';
import hive from 'hive-driver';
import {MillraceError} from '../../core/errors.ts';
import type {EngineProgress} from '../remote-engine.ts';
import {shownAddress} from './address.ts';
import type {HiveAddress} from './address.ts';
import {checkStatus, HiveConnection} from './connection.ts';
import type {Driver, Status} from './connection.ts';
import {HiveFailure} from './failures.ts';
import {readFetched, textsOf} from './rows.ts';
import type {Fetched} from './rows.ts';
import {wireColumns} from './types.ts';
import type {ColumnDescription, WireColumn} from './types.ts';

const {TCLIService_types: types} = hive.thrift;

export type OperationHandle = Parameters<Driver['closeOperation']>[0]['operationHandle'];

interface OperationStatus {
  readonly status: Status;
  readonly operationState: number;
  readonly sqlState?: string | null;
  readonly errorCode?: number | null;
  readonly errorMessage?: string | null;
  readonly hasResultSet?: boolean | null;
  readonly progressUpdateResponse?: {readonly headerNames: readonly string[]; readonly rows: readonly (readonly string[])[]; readonly progressedPercentage: number} | null;
}

export interface Statement {
  readonly signal?: AbortSignal;
  readonly onProgress?: (fraction: number, progress?: EngineProgress) => void;
}

/** Rows of a fetch; servers give fewer where they have limits of their own. */
const fetchRows = 10_000;
/** Milliseconds between two looks at a statement; Hive itself waits with its answer. */
const [shortestPause, longestPause] = [2, 250];
/** Seconds in which a cancelled statement must have ended. */
const cancelSeconds = 10;
/** Seconds in which a session must say that it is there. */
const doubtSeconds = 3;
/** Columns instead of rows: since Hive 0.13. */
const oldestProtocol = 5;

/** A session on a connection of its own, which runs one statement at a time. Use ends with `close`. */
export class HiveSession {
  #server = {name: '', version: ''};

  private constructor(
    private readonly connection: HiveConnection,
    private readonly handle: unknown,
    /** Cancels an operation by another connection, since this one waits for an answer. */
    private readonly cancel: (operation: OperationHandle) => Promise<void>,
  ) {}

  /** What the server says it is. */
  get server(): {readonly name: string; readonly version: string} {
    return this.#server;
  }

  /** @throws ENGINE_UNAVAILABLE, ENGINE_REFUSED, ENGINE_UNSUPPORTED */
  static async open(address: HiveAddress, cancel: (operation: OperationHandle) => Promise<void>): Promise<HiveSession> {
    const connection = await HiveConnection.open(address);
    try {
      const {sessionHandle, serverProtocolVersion} = await connection.call<{status: Status; sessionHandle: unknown; serverProtocolVersion: number}>(driver => driver.openSession({
        client_protocol: types.TProtocolVersion.HIVE_CLI_SERVICE_PROTOCOL_V10,
        username: address.user,
        ...(address.password === null ? {} : {password: address.password}),
        configuration: {'use:database': address.database, 'set:hiveconf:hive.local.time.zone': 'UTC', 'set:hiveconf:spark.sql.session.timeZone': 'UTC'} as never,
      }));
      if (serverProtocolVersion < oldestProtocol) throw new MillraceError('ENGINE_UNSUPPORTED', {engine: 'Hive', reason: `${shownAddress(address)} speaks version ${serverProtocolVersion + 1} of the protocol; 6 is the oldest that has columns`});
      const session = new HiveSession(connection, sessionHandle, cancel);
      session.#server = {name: await session.#info(types.TGetInfoType.CLI_DBMS_NAME), version: await session.#info(types.TGetInfoType.CLI_DBMS_VER)};
      return session;
    } catch (error) {
      connection.close();
      if (!(error instanceof HiveFailure)) throw error;
      const reason = `${shownAddress(address)}: ${error.message.split('\n')[0]}`;
      throw new MillraceError(/authenticat|password|credential/i.test(error.message) ? 'ENGINE_REFUSED' : 'ENGINE_UNSUPPORTED', {engine: 'Hive', reason}, {cause: error});
    }
  }

  /** False: it cannot be used again. */
  get usable(): boolean {
    return !this.connection.lost;
  }

  /** Whether the server still knows it. */
  async answers(): Promise<boolean> {
    return Promise.race([this.#info(types.TGetInfoType.CLI_DBMS_VER).then(() => true, () => false), sleep(doubtSeconds * 1000, false, {ref: false})]);
  }

  /** Runs a statement to its end. @throws HiveFailure, ENGINE_UNAVAILABLE, the signal's reason */
  async run(sql: string, work: Statement = {}): Promise<void> {
    const operation = await this.#finish(sql, work);
    await this.#closeOperation(operation);
  }

  /** Runs a statement until its rows can be fetched. `rows` must be read or returned. @throws as `run` */
  async open(sql: string, work: Statement = {}): Promise<{readonly columns: readonly WireColumn[]; readonly rows: AsyncGenerator<Fetched, void, undefined>}> {
    const operation = await this.#finish(sql, work);
    // Asked for the columns of a statement that has none, the server breaks the connection.
    if (!operation.hasResultSet) {
      await this.#closeOperation(operation);
      return {columns: [], rows: noRows()};
    }
    const {schema} = await this.connection.call<{status: Status; schema: {columns: readonly ColumnDescription[]} | null}>(driver => driver.getResultSetMetadata({operationHandle: operation}));
    return {columns: wireColumns(schema?.columns ?? []), rows: this.#fetch(operation, work)};
  }

  /** The first column of a short answer, as texts. @throws as `run` */
  async lines(sql: string): Promise<string[]> {
    const {rows} = await this.open(sql);
    const lines: string[] = [];
    for await (const {columns} of rows) lines.push(...textsOf(columns[0]!));
    return lines;
  }

  async close(): Promise<void> {
    try {
      if (this.usable) await Promise.race([this.connection.call(driver => driver.closeSession({sessionHandle: this.handle as never})), sleep(2000, undefined, {ref: false})]);
    } catch {
      // The server closes it with the connection.
    } finally {
      this.connection.close();
    }
  }

  async #finish(sql: string, {signal, onProgress}: Statement): Promise<OperationHandle> {
    signal?.throwIfAborted();
    const {operationHandle: operation} = await this.connection.call<{status: Status; operationHandle: OperationHandle}>(driver =>
      driver.executeStatement({sessionHandle: this.handle as never, statement: sql, runAsync: true}));
    let cancelled: Promise<unknown> | undefined;
    const onAbort = () => {
      cancelled = Promise.race([this.cancel(operation), sleep(cancelSeconds * 1000, undefined, {ref: false})]).catch(() => undefined);
    };
    signal?.addEventListener('abort', onAbort, {once: true});
    if (signal?.aborted) onAbort();
    try {
      await this.#untilFinished(operation, signal, onProgress);
      signal?.throwIfAborted();
      return operation;
    } catch (error) {
      await cancelled;
      await this.#closeOperation(operation);
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  async #untilFinished(operation: OperationHandle, signal: AbortSignal | undefined, onProgress: Statement['onProgress']): Promise<void> {
    const states = types.TOperationState;
    let aborted = 0;
    for (let pause = shortestPause; ; pause = Math.min(pause * 1.5, longestPause)) {
      const status = await this.connection.call<OperationStatus>(driver => driver.getOperationStatus({operationHandle: operation, getProgressUpdate: onProgress !== undefined}));
      switch (status.operationState) {
        case states.FINISHED_STATE:
          onProgress?.(1);
          return;
        case states.CANCELED_STATE:
        case states.CLOSED_STATE:
          throw new HiveFailure('the statement was cancelled in Hive', 'HY008', null);
        case states.TIMEDOUT_STATE:
          throw new HiveFailure('the statement did not finish within the time that Hive gives it', 'HYT00', null);
        case states.ERROR_STATE:
        case states.UKNOWN_STATE:
          throw new HiveFailure(status.errorMessage ?? 'the server does not say why', status.sqlState ?? null, status.errorCode ?? null);
      }
      if (signal?.aborted && (aborted ||= performance.now()) < performance.now() - cancelSeconds * 1000) {
        // It goes on in spite of it: without its connection it ends.
        this.connection.close();
        return;
      }
      report(status, onProgress);
      await sleep(pause);
    }
  }

  async *#fetch(operation: OperationHandle, {signal}: Statement): AsyncGenerator<Fetched, void, undefined> {
    const next = async (): Promise<Fetched> => {
      const fetched = readFetched(await this.connection.call<Buffer>(driver => driver.fetchResults({operationHandle: operation, orientation: types.TFetchOrientation.FETCH_NEXT, maxRows: fetchRows as never, fetchType: 0})));
      checkStatus(fetched.status);
      return fetched;
    };
    let coming: Promise<Fetched> | undefined;
    try {
      for (coming = next(); ; ) {
        const fetched = await coming;
        coming = undefined;
        signal?.throwIfAborted();
        // `hasMoreRows` is always false: an empty answer is the last one.
        if (fetched.rowCount === 0) return;
        // The server prepares the next rows while these are worked on.
        coming = next();
        coming.catch(() => {});
        yield fetched;
      }
    } finally {
      await coming?.catch(() => {});
      await this.#closeOperation(operation);
    }
  }

  async #info(infoType: number): Promise<string> {
    const {infoValue} = await this.connection.call<{status: Status; infoValue: {stringValue: string}}>(driver => driver.getInfo({sessionHandle: this.handle as never, infoType: infoType as never}));
    return infoValue.stringValue;
  }

  async #closeOperation(operation: OperationHandle): Promise<void> {
    if (this.usable) await this.connection.call(driver => driver.closeOperation({operationHandle: operation})).catch(() => undefined);
  }
}

async function* noRows(): AsyncGenerator<Fetched, void, undefined> {
  // A statement without an answer.
}

function report({progressUpdateResponse: update}: OperationStatus, onProgress: Statement['onProgress']): void {
  if (!onProgress || !update || update.rows.length === 0) return;
  const column = (name: string) => {
    const index = update.headerNames.indexOf(name);
    return update.rows.map(row => Number(row[index]) || 0);
  };
  // What is not known yet is -1.
  const [total, done] = [column('TOTAL'), column('COMPLETED')].map(counts => counts.map(count => Math.max(0, count))) as [number[], number[]];
  const sum = (counts: readonly number[]) => counts.reduce((all, count) => all + count, 0);
  const tasks = sum(total);
  const tasksDone = Math.min(tasks, sum(done));
  onProgress(tasks === 0 ? 0 : tasksDone / tasks, {
    stages: total.length, stagesDone: total.filter((count, index) => count > 0 && done[index]! >= count).length, tasks, tasksDone, bytesRead: 0,
  });
}
