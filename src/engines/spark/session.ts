import {randomUUID} from 'node:crypto';
import {setTimeout as delay} from 'node:timers/promises';
import {MillraceError} from '../../core/errors.ts';
import {version} from '../../core/version.ts';
import type {EngineProgress} from '../remote-engine.ts';
import {failure, isBroken, told} from './failures.ts';
import type {Told} from './failures.ts';
import type {Connection, ErrorDetails, ExecuteResponse, Plan, SparkType, Stage, Who} from './protocol.ts';

export interface Execution {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: EngineProgress) => void;
  /** Shown where Spark shows its operations. */
  readonly label?: string;
  /** That is written, for messages. */
  readonly folder?: string;
}

/** Some rows of a result: a whole stream of Arrow's IPC format. */
export interface ArrowBatch {
  readonly rowCount: number;
  readonly data: Buffer;
}

/** What a session has set, so that a statement means there what it means on the embedded engine, and files are exact. */
const settings: Readonly<Record<string, string>> = {
  'spark.sql.session.timeZone': 'UTC',
  // Overflows, bad casts and divisions by zero are errors instead of nulls.
  'spark.sql.ansi.enabled': 'true',
  'spark.sql.caseSensitive': 'false',
  // TIMESTAMP is a wall-clock time.
  'spark.sql.timestampType': 'TIMESTAMP_NTZ',
  // Times of the day, which Spark 4 has but does not offer by itself.
  'spark.sql.timeType.enabled': 'true',
  'spark.sql.parquet.compression.codec': 'zstd',
  'spark.sql.parquet.outputTimestampType': 'TIMESTAMP_MICROS',
  'spark.sql.parquet.inferTimestampNTZ.enabled': 'true',
  'spark.sql.parquet.fieldId.write.enabled': 'true',
  'spark.sql.parquet.fieldId.read.enabled': 'true',
  'spark.sql.parquet.fieldId.read.ignoreMissing': 'true',
  // Days and times are of the proleptic Gregorian calendar, also those before 1582.
  'spark.sql.parquet.datetimeRebaseModeInRead': 'CORRECTED',
  'spark.sql.parquet.datetimeRebaseModeInWrite': 'CORRECTED',
  'spark.sql.parquet.int96RebaseModeInRead': 'CORRECTED',
};

/** Between attempts to reach a server that is away. */
const pauseMilliseconds = 250;

/** A request that stops a statement is repeated for so long while the server does not know the statement yet. */
const interruptMilliseconds = 2_000;

/**
 * Spark starts a stage in a thread that it does not interrupt: a statement that is stopped just before runs on without an owner. So one
 * whose tasks are not seen to run yet is stopped when they are, or after so long.
 */
const unseenMilliseconds = 3_000;

/** One session of a server: one statement at a time. */
export class Session {
  readonly #connection: Connection;
  readonly #patience: number;
  #who: Who;

  private constructor(connection: Connection, user: string, patience: number) {
    this.#connection = connection;
    this.#patience = patience;
    this.#who = {sessionId: randomUUID(), userContext: {userId: user, userName: user}, clientType: `millrace/${version}`};
  }

  /** @param patience seconds for which a server that is away is waited for while a statement runs. @throws ENGINE_UNAVAILABLE, ENGINE_REFUSED, ENGINE_UNSUPPORTED */
  static async open(connection: Connection, user: string, patience: number): Promise<Session> {
    const session = new Session(connection, user, patience);
    const pairs = Object.entries(settings).map(([key, value]) => ({key, value}));
    const {serverSideSessionId} = await session.#ask<{serverSideSessionId?: string}>('Config', {operation: {set: {pairs}}});
    if (serverSideSessionId) session.#who = {...session.#who, clientObservedServerSideSessionId: serverSideSessionId};
    return session;
  }

  /** Spark's version; also keeps the session alive. @throws ENGINE_UNAVAILABLE */
  async version(seconds?: number): Promise<string> {
    const {sparkVersion} = await this.#ask<{sparkVersion?: {version: string}}>('AnalyzePlan', {sparkVersion: {}}, seconds);
    return sparkVersion?.version ?? '';
  }

  /** Types of a plan's columns, which also proves that it is valid and that its files can be found. @throws SQL_INVALID, ENGINE_FILES_UNREACHABLE, ENGINE_UNAVAILABLE */
  async schema(plan: Plan): Promise<SparkType> {
    const {schema} = await this.#ask<{schema?: {schema: SparkType}}>('AnalyzePlan', {schema: {plan}}, 300);
    return schema!.schema;
  }

  /**
   * Runs a plan. A stream that breaks, or that the server ends before the result does, is gone on with after the last response.
   * Whoever stops reading, or aborts, stops the statement in the server. @throws as `failure`; the signal's reason
   */
  async *execute(plan: Plan, {signal, onProgress, label, folder}: Execution = {}): AsyncGenerator<ArrowBatch> {
    signal?.throwIfAborted();
    const operationId = randomUUID();
    const start = () => this.#connection.stream('ExecutePlan', {
      ...this.#who, plan, operationId, tags: label === undefined ? [] : [label.replaceAll(',', ' ')], requestOptions: [{reattachOptions: {reattachable: true}}],
    });
    let stream = start();
    let last: string | undefined;
    /** seen: its tasks run; over: the server has nothing more to do for it. */
    const state = {seen: false, over: false};
    const stop = async (): Promise<void> => {
      for (const until = Date.now() + unseenMilliseconds; !state.seen && !state.over && Date.now() < until; ) await delay(20);
      if (!state.over) await this.#interrupt(operationId);
    };
    let stopping: Promise<void> | undefined;
    const onAbort = (): void => {
      stopping = stop().finally(() => stream.cancel());
    };
    signal?.addEventListener('abort', onAbort, {once: true});
    try {
      for (let away: number | undefined; ; ) {
        let lost: Told | null = null;
        try {
          for await (const response of stream as AsyncIterable<ExecuteResponse>) {
            away = undefined;
            last = response.responseId;
            const {arrowBatch, executionProgress} = response;
            if (response.resultComplete) state.over = true;
            else if (executionProgress) {
              const {stages = []} = executionProgress;
              state.seen = stages.some(({done}) => !done);
              onProgress?.(progressOf(stages));
            } else if (arrowBatch) {
              state.seen = true;
              if (!signal?.aborted) yield {rowCount: Number(arrowBatch.rowCount), data: arrowBatch.data};
            }
          }
        } catch (error) {
          lost = told(error);
          const unknown = last === undefined && lost?.errorClass === 'INVALID_HANDLE.OPERATION_NOT_FOUND';
          if (lost === null || !(isBroken(lost) || unknown)) state.over = true;
          signal?.throwIfAborted();
          away ??= Date.now();
          if (state.over || Date.now() - away > this.#patience * 1_000) throw await this.#explained(error, folder);
        }
        if (state.over) return;
        signal?.throwIfAborted();
        if (lost) await delay(pauseMilliseconds, undefined, {signal}).catch(() => signal?.throwIfAborted());
        // The server never heard of a statement whose first request was lost; it would refuse a second one of the same id.
        stream = lost?.errorClass ? start() : this.#connection.stream('ReattachExecute', {...this.#who, operationId, ...(last === undefined ? {} : {lastResponseId: last})});
      }
    } finally {
      signal?.removeEventListener('abort', onAbort);
      if (!state.over) await (stopping ?? this.#interrupt(operationId));
      stream.on('error', () => undefined).cancel();
      this.#connection.call('ReleaseExecute', {...this.#who, operationId, releaseAll: {}}).catch(() => undefined);
    }
  }

  /** Lets the server forget it. */
  async release(): Promise<void> {
    await this.#connection.call('ReleaseSession', this.#who, 5).catch(() => undefined);
  }

  /** Stops a statement's jobs; never throws. One that was sent a moment ago may not be known yet. */
  async #interrupt(operationId: string): Promise<void> {
    const until = Date.now() + interruptMilliseconds;
    try {
      for (;;) {
        const {interruptedIds = []} = await this.#connection.call<{interruptedIds?: readonly string[]}>(
          'Interrupt', {...this.#who, interruptType: 'INTERRUPT_TYPE_OPERATION_ID', operationId}, interruptMilliseconds / 1_000);
        if (interruptedIds.length > 0 || Date.now() > until) return;
        await delay(50);
      }
    } catch {
      // A server that does not answer cannot be told.
    }
  }

  async #ask<T>(method: 'Config' | 'AnalyzePlan', request: object, seconds?: number): Promise<T> {
    try {
      return await this.#connection.call<T>(method, {...this.#who, ...request}, seconds);
    } catch (error) {
      throw await this.#explained(error);
    }
  }

  async #explained(error: unknown, folder?: string): Promise<Error> {
    const errorId = told(error)?.errorId;
    const more = errorId ? await this.#connection.call<ErrorDetails>('FetchErrorDetails', {...this.#who, errorId}, 10).catch(() => null) : null;
    return failure(error, more, {folder});
  }
}

/** Tasks that ran again count once. */
function progressOf(stages: readonly Stage[]): EngineProgress {
  const tasks = stages.reduce((sum, {numTasks}) => sum + Number(numTasks), 0);
  const done = stages.reduce((sum, {numTasks, numCompletedTasks}) => sum + Math.min(Number(numTasks), Number(numCompletedTasks)), 0);
  return {
    stages: stages.length, stagesDone: stages.filter(stage => stage.done).length, tasks, tasksDone: done,
    bytesRead: stages.reduce((sum, {inputBytesRead}) => sum + Number(inputBytesRead), 0),
  };
}

/** Whether a failure means that the server has forgotten the session: another one may do better. */
export const wasForgotten = (error: unknown): boolean => error instanceof MillraceError && error.code === 'ENGINE_UNAVAILABLE' && told(error.cause)?.errorClass.startsWith('INVALID_HANDLE.') === true;
