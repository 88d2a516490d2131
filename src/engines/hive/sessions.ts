import {setTimeout as sleep} from 'node:timers/promises';
import type {HiveAddress} from './address.ts';
import type {HiveConnection} from './connection.ts';
import type {HiveSession, OperationHandle} from './session.ts';

interface Idle {
  readonly session: HiveSession;
  readonly since: number;
}

/** Milliseconds after which a session that nobody uses is asked whether the server still knows it, and closed. */
const [doubtAfter, closeAfter] = [5_000, 300_000];

/** Sessions of one server: each runs one statement at a time, those that are free are used again, and who comes when all are taken waits. */
export class HiveSessions {
  readonly #address: HiveAddress;
  readonly #most: number;
  readonly #prepare: (session: HiveSession) => Promise<void>;
  readonly #waiting: (() => void)[] = [];
  readonly #open = new Set<HiveSession>();
  #idle: Idle[] = [];
  #taken = 0;
  #control: Promise<HiveConnection> | undefined;
  #stopped = false;
  #sweeper: NodeJS.Timeout | undefined;

  /** @param prepare what a new session is told */
  constructor(address: HiveAddress, most: number, prepare: (session: HiveSession) => Promise<void>) {
    this.#address = address;
    this.#most = most;
    this.#prepare = prepare;
  }

  get count(): number {
    return this.#open.size;
  }

  /** A session for the work alone. @throws as HiveSession.open; the signal's reason */
  async use<T>(work: (session: HiveSession) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const session = await this.take(signal);
    try {
      return await work(session);
    } finally {
      this.give(session);
    }
  }

  /** What is taken must be given back. */
  async take(signal?: AbortSignal): Promise<HiveSession> {
    await this.#turn(signal);
    try {
      for (let idle = this.#idle.pop(); idle; idle = this.#idle.pop()) {
        if (idle.session.usable && (Date.now() - idle.since < doubtAfter || (await idle.session.answers()))) return idle.session;
        void this.#close(idle.session);
      }
      // The driver takes a while to load, and most installations have no Hive.
      const {HiveSession} = await import('./session.ts');
      const session = await HiveSession.open(this.#address, operation => this.#cancel(operation));
      this.#open.add(session);
      try {
        await this.#prepare(session);
      } catch (error) {
        await this.#close(session);
        throw error;
      }
      return session;
    } catch (error) {
      this.#next();
      throw error;
    }
  }

  give(session: HiveSession): void {
    if (session.usable && !this.#stopped) this.#idle.push({session, since: Date.now()});
    else void this.#close(session);
    this.#next();
    this.#sweeper ??= setInterval(() => this.#sweep(), closeAfter / 4).unref();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#sweeper);
    this.#idle = [];
    await Promise.all([...this.#open].map(session => this.#close(session)));
    await this.#control?.then(control => control.close(), () => undefined);
  }

  async #turn(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#taken < this.#most) {
      this.#taken += 1;
      return;
    }
    const {promise, resolve, reject} = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    const onAbort = () => {
      const place = this.#waiting.indexOf(resolve);
      if (place >= 0) this.#waiting.splice(place, 1);
      // Who got the turn in this very moment hands it on.
      else void promise.then(() => this.#next());
      reject(signal!.reason);
    };
    signal?.addEventListener('abort', onAbort, {once: true});
    await promise.finally(() => signal?.removeEventListener('abort', onAbort));
  }

  #next(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#taken -= 1;
  }

  /** By a connection of its own: that of the statement waits for an answer. */
  async #cancel(operationHandle: OperationHandle): Promise<void> {
    for (const again of [true, false]) {
      this.#control ??= import('./connection.ts').then(({HiveConnection}) => HiveConnection.open(this.#address));
      try {
        await (await this.#control).call(driver => driver.cancelOperation({operationHandle}));
        return;
      } catch (error) {
        this.#control = undefined;
        if (!again) throw error;
        await sleep(50);
      }
    }
  }

  async #close(session: HiveSession): Promise<void> {
    this.#open.delete(session);
    await session.close();
  }

  #sweep(): void {
    const oldest = Date.now() - closeAfter;
    const [stale, fresh] = [this.#idle.filter(({since}) => since < oldest), this.#idle.filter(({since}) => since >= oldest)];
    this.#idle = fresh;
    for (const {session} of stale) void this.#close(session);
  }
}
