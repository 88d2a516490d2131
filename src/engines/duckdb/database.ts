import {mkdir, mkdtemp, rm} from 'node:fs/promises';
import {join, sep} from 'node:path';
import {DuckDBInstance} from '@duckdb/node-api';
import type {DuckDBConnection, DuckDBPreparedStatement} from '@duckdb/node-api';
import {MillraceError} from '../../core/errors.ts';
import type {SqlValue, Work} from '../engine.ts';
import {literalList} from '../sql-text.ts';
import {failure} from './failures.ts';
import type {Doing} from './failures.ts';

export interface DatabaseOptions {
  /** The only folders that DuckDB itself may open files in, beside tempFolder. */
  readonly allowedFolders: readonly string[];
  /** As DuckDB writes it: `4GB`. Default: 80 % of the machine's memory. */
  readonly memoryLimit?: string;
  readonly threads: number;
  /** For what does not fit into memory; made when missing. */
  readonly tempFolder: string;
  /** Statements at once; more wait in the order they came. */
  readonly maxQueries: number;
  /** Beside them, statements whose rows are taken at the pace of a reader elsewhere. Default 4. */
  readonly maxStreams?: number;
}

/** Statements that read little, beside those that wait for their turn. */
const mostLight = 2;

/** Prepared statements kept for each connection. */
const keptStatements = 128;
const progressInterval = 250;
/** An interrupt that reaches DuckDB before the statement began is lost, so it is said again until the statement ends. */
const interruptInterval = 20;

/** A connection while one task has it. */
export class Lease {
  private readonly statements = new Map<string, DuckDBPreparedStatement>();
  /** The part of the task's work that the running statement is: its progress counts from 0 to 1 within it. */
  part: readonly [from: number, to: number] = [0, 1];
  /** True once the task was told to end: its statements fail, and trying another way is of no use. */
  interrupted = false;
  constructor(readonly connection: DuckDBConnection) {}

  /** Prepares without keeping: for statements that will hardly come again. The caller destroys it. */
  prepare(sql: string): Promise<DuckDBPreparedStatement> {
    return this.connection.prepare(sql);
  }

  /** The statement of this text, prepared once and kept among the last ones used. */
  async prepared(sql: string): Promise<DuckDBPreparedStatement> {
    const known = this.statements.get(sql);
    if (known) {
      this.statements.delete(sql);
      this.statements.set(sql, known);
      return known;
    }
    const statement = await this.connection.prepare(sql);
    this.statements.set(sql, statement);
    if (this.statements.size > keptStatements) {
      const [oldest, dropped] = this.statements.entries().next().value!;
      this.statements.delete(oldest);
      dropped.destroySync();
    }
    return statement;
  }

  /** Ends what is left of a result that was not read to its end, which would hold its memory until it is collected, and closes. */
  async abandon(): Promise<void> {
    await this.connection.run('SELECT 1').catch(() => {});
    this.close();
  }

  close(): void {
    for (const statement of this.statements.values()) statement.destroySync();
    this.statements.clear();
    this.connection.closeSync();
  }
}

/** Hands items from one task to one reader, one ahead of it. */
class Mailbox<T> {
  private waitingItem: {item: T} | null = null;
  private state: 'open' | 'ended' | 'left' = 'open';
  private error: {reason: unknown} | null = null;
  private wakeReader = () => {};
  private wakeWriter = () => {};

  /** False when the reader has left. */
  async put(item: T): Promise<boolean> {
    while (this.waitingItem && this.state === 'open') await new Promise<void>(resolve => (this.wakeWriter = resolve));
    if (this.state !== 'open') return false;
    this.waitingItem = {item};
    this.wakeReader();
    return true;
  }

  end(): void {
    if (this.state === 'open') this.state = 'ended';
    this.wakeReader();
  }

  fail(reason: unknown): void {
    this.error ??= {reason};
    this.end();
    this.wakeWriter();
  }

  leave(): void {
    this.state = 'left';
    this.wakeWriter();
  }

  async *items(): AsyncGenerator<T> {
    for (;;) {
      if (this.waitingItem) {
        const {item} = this.waitingItem;
        this.waitingItem = null;
        this.wakeWriter();
        yield item;
      } else if (this.error) {
        throw this.error.reason;
      } else if (this.state !== 'open') {
        return;
      } else {
        await new Promise<void>(resolve => (this.wakeReader = resolve));
      }
    }
  }
}

interface Waiter {
  readonly enter: () => void;
  readonly leave: (reason: unknown) => void;
}

/** Whoever gave no signal. */
const nobody = {};

/** Lets so many in at once. The others wait: those of one asker in the order they came, askers in turn, so that nobody waits behind all that another asks. */
class Turns {
  private readonly waiting = new Map<object, Waiter[]>();
  private running = 0;
  private drained: (() => void) | null = null;

  constructor(private readonly most: number) {}

  /** Whether who comes now has to wait. */
  get isFull(): boolean {
    return this.running >= this.most;
  }

  /** @param signal tells askers apart, and gives a wait up */
  async take(signal: AbortSignal | undefined): Promise<void> {
    if (!this.isFull) {
      this.running++;
      return;
    }
    // Whoever finishes hands its place over, so `running` stays as it is.
    await new Promise<void>((resolve, reject) => {
      const asker = signal ?? nobody;
      const abort = () => {
        const queue = this.waiting.get(asker)!;
        queue.splice(queue.indexOf(waiter), 1);
        if (queue.length === 0) this.waiting.delete(asker);
        waiter.leave(signal!.reason);
      };
      const waiter: Waiter = {
        enter: () => {
          signal?.removeEventListener('abort', abort);
          resolve();
        },
        leave: reason => {
          signal?.removeEventListener('abort', abort);
          reject(reason);
        },
      };
      const queue = this.waiting.get(asker);
      if (queue) queue.push(waiter);
      else this.waiting.set(asker, [waiter]);
      signal?.addEventListener('abort', abort, {once: true});
    });
  }

  give(): void {
    const [next] = this.waiting;
    if (next) {
      const [asker, queue] = next;
      const waiter = queue.shift()!;
      this.waiting.delete(asker);
      if (queue.length > 0) this.waiting.set(asker, queue);
      waiter.enter();
    } else if (--this.running === 0) this.drained?.();
  }

  /** Sends those away who wait; resolves when nobody is in any more. */
  async close(reason: unknown): Promise<void> {
    const waiters = [...this.waiting.values()].flat();
    this.waiting.clear();
    for (const waiter of waiters) waiter.leave(reason);
    if (this.running > 0) await new Promise<void>(resolve => (this.drained = resolve));
    this.drained = null;
  }
}

/** One locked-down DuckDB in memory, with connections for as many tasks as may run at once. */
export class Database {
  private instance: DuckDBInstance | null = null;
  private readonly idle: Lease[] = [];
  private readonly busy = new Set<Lease>();
  private readonly boxes = new Set<Mailbox<never>>();
  private readonly queries: Turns;
  private readonly light = new Turns(mostLight);
  private readonly streams: Turns;
  private stopping = false;

  constructor(private readonly options: DatabaseOptions) {
    this.queries = new Turns(options.maxQueries);
    this.streams = new Turns(options.maxStreams ?? 4);
  }

  async start(): Promise<void> {
    const {options} = this;
    await mkdir(options.tempFolder, {recursive: true});
    this.stopping = false;
    this.instance = await DuckDBInstance.create(':memory:', {
      threads: String(options.threads),
      temp_directory: options.tempFolder,
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
      allow_community_extensions: 'false',
      allow_unsigned_extensions: 'false',
      preserve_insertion_order: 'true',
      // The warehouse's files never change, and raw files are compared with what they were by their source.
      validate_external_file_cache: 'NO_VALIDATION',
      ...(options.memoryLimit === undefined ? {} : {memory_limit: options.memoryLimit}),
    });
    for (let n = 0; n < options.maxQueries + mostLight; n++) this.idle.push(new Lease(await this.instance.connect()));
    // Progress belongs to a connection, so connections are made before the settings are locked.
    for (const {connection} of this.idle) await connection.run('SET enable_progress_bar = true; SET enable_progress_bar_print = false');
    // The order matters: folders can be allowed only before access is taken away, and locking ends it.
    for (const setting of [
      `TimeZone = 'UTC'`,
      `parquet_metadata_cache = true`,
      `allowed_directories = ${literalList([...options.allowedFolders, options.tempFolder].map(folder => (folder.endsWith(sep) ? folder : folder + sep)))}`,
      `enable_external_access = false`,
      `lock_configuration = true`,
    ]) {
      await this.idle[0]!.connection.run(`SET GLOBAL ${setting}`);
    }
  }

  /** Interrupts what runs, waits until it has ended, and frees everything. */
  async stop(): Promise<void> {
    if (!this.instance) return;
    this.stopping = true;
    const away = new MillraceError('SHUTTING_DOWN');
    const ended = Promise.all([this.queries.close(away), this.light.close(away), this.streams.close(away)]);
    for (const box of this.boxes) box.fail(new MillraceError('SHUTTING_DOWN'));
    const nagging = setInterval(() => {
      for (const lease of this.busy) lease.connection.interrupt();
    }, interruptInterval);
    for (const lease of this.busy) {
      lease.interrupted = true;
      lease.connection.interrupt();
    }
    await ended;
    clearInterval(nagging);
    for (const lease of this.idle.splice(0)) lease.close();
    this.instance.closeSync();
    this.instance = null;
  }

  /**
   * Runs a task on a connection of its own, when its turn comes. Aborting interrupts the statement that runs; the promise then rejects
   * with the signal's reason. Other failures of DuckDB become errors of the table by `doing`.
   */
  async use<T>(task: (lease: Lease) => Promise<T>, work: Work = {}, doing: Doing = {}, turns = work.light && this.queries.isFull ? this.light : this.queries): Promise<T> {
    const {signal} = work;
    signal?.throwIfAborted();
    await turns.take(signal);
    let lease: Lease | undefined;
    let nagging: NodeJS.Timeout | undefined;
    let watching: NodeJS.Timeout | undefined;
    const interrupt = () => {
      if (lease) lease.interrupted = true;
      lease?.connection.interrupt();
      nagging ??= setInterval(() => lease?.connection.interrupt(), interruptInterval);
    };
    try {
      if (this.stopping || !this.instance) throw new MillraceError('SHUTTING_DOWN');
      lease = turns === this.streams ? new Lease(await this.instance.connect()) : this.idle.pop()!;
      this.busy.add(lease);
      signal?.throwIfAborted();
      signal?.addEventListener('abort', interrupt, {once: true});
      lease.part = [0, 1];
      lease.interrupted = false;
      watching = work.onProgress && watchProgress(lease, work.onProgress);
      return await task(lease);
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (this.stopping) throw new MillraceError('SHUTTING_DOWN', {}, {cause: error});
      throw failure(error, doing);
    } finally {
      clearInterval(nagging);
      clearInterval(watching);
      signal?.removeEventListener('abort', interrupt);
      if (lease) {
        this.busy.delete(lease);
        if (turns === this.streams) await lease.abandon();
        else this.idle.push(lease);
      }
      turns.give();
    }
  }

  /**
   * As `use`, for a task that yields: the connection is its own until the reader is done, and goes back also when it stops early.
   * `outward`: the reader is elsewhere and may be slow; no query waits for it.
   */
  async *stream<T>(task: (lease: Lease) => AsyncGenerator<T>, work: Work & {readonly outward?: boolean} = {}, doing: Doing = {}): AsyncGenerator<T> {
    const box = new Mailbox<T>();
    // A task that waits for its reader runs no statement that an interrupt could end.
    const abort = () => box.fail(work.signal!.reason);
    work.signal?.addEventListener('abort', abort, {once: true});
    this.boxes.add(box as Mailbox<never>);
    const done = this.use(
      async lease => {
        for await (const item of task(lease)) if (!(await box.put(item))) return;
      },
      work,
      doing,
      work.outward ? this.streams : this.queries,
    ).then(
      () => box.end(),
      error => box.fail(error),
    );
    try {
      yield* box.items();
    } finally {
      box.leave();
      this.boxes.delete(box as Mailbox<never>);
      work.signal?.removeEventListener('abort', abort);
      await done;
    }
  }

  /** A private folder below tempFolder and a connection beside those that wait for turns; both are gone afterwards. */
  async withScratch<T>(task: (folder: string, connection: DuckDBConnection) => Promise<T>): Promise<T> {
    const folder = await mkdtemp(join(this.options.tempFolder, 'scratch-'));
    const connection = await this.instance!.connect();
    try {
      return await task(folder, connection);
    } finally {
      connection.closeSync();
      await rm(folder, {recursive: true, force: true});
    }
  }
}

function watchProgress(lease: Lease, onProgress: (fraction: number) => void): NodeJS.Timeout {
  let last = 0;
  return setInterval(() => {
    const [from, to] = lease.part;
    const fraction = from + (to - from) * Math.max(0, lease.connection.progress.percentage / 100);
    if (fraction > last) onProgress((last = Math.min(1, fraction)));
  }, progressInterval);
}

/** Binds the values with the narrowest fitting types: a DOUBLE parameter would keep a filter on an integer column from the files. */
export function bind(statement: DuckDBPreparedStatement, params: readonly SqlValue[] | undefined): void {
  params?.forEach((value, index) => bindValue(statement, index + 1, value));
}

function bindValue(statement: DuckDBPreparedStatement, place: number, value: SqlValue): void {
  if (value === null) statement.bindNull(place);
  else if (typeof value === 'string') statement.bindVarchar(place, value);
  else if (typeof value === 'boolean') statement.bindBoolean(place, value);
  else if (typeof value === 'bigint') statement.bindBigInt(place, value);
  else if ((value | 0) === value) statement.bindInteger(place, value);
  else if (Number.isSafeInteger(value)) statement.bindBigInt(place, BigInt(value));
  else statement.bindDouble(place, value);
}
