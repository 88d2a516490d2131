import type {Connection} from './protocol.ts';
import {Session} from './session.ts';

export interface SessionsOptions {
  readonly user: string;
  /** Statements at once; further ones wait. */
  readonly most: number;
  /** Between signs of life of sessions that nobody uses. */
  readonly keepAliveSeconds: number;
  /** Seconds for which a server that is away is waited for while a statement runs. */
  readonly patience: number;
}

/** Sessions of a server, each for one statement at a time. They are opened when they are needed, and used again. */
export class Sessions {
  readonly #idle: Session[] = [];
  readonly #waiting: (() => void)[] = [];
  readonly #timer: NodeJS.Timeout;
  #open = 0;
  #closed = false;

  constructor(readonly connection: Connection, readonly options: SessionsOptions) {
    this.#timer = setInterval(() => void this.#keepAlive(), options.keepAliveSeconds * 1_000);
    this.#timer.unref();
  }

  /** That are open. */
  get size(): number {
    return this.#open;
  }

  /** A session that nobody else has until it is given back. @throws ENGINE_UNAVAILABLE, ENGINE_REFUSED, ENGINE_UNSUPPORTED; the signal's reason */
  async take(signal?: AbortSignal): Promise<Session> {
    signal?.throwIfAborted();
    const idle = this.#idle.pop();
    if (idle) return idle;
    if (this.#open >= this.options.most) {
      await this.#turn(signal);
      return this.take(signal);
    }
    this.#open++;
    try {
      return await Session.open(this.connection, this.options.user, this.options.patience);
    } catch (error) {
      this.#gone();
      throw error;
    }
  }

  /** @param good whether the server still has it */
  give(session: Session, good: boolean): void {
    if (good && !this.#closed) {
      this.#idle.push(session);
      this.#waiting.shift()?.();
    } else {
      void session.release();
      this.#gone();
    }
  }

  /** Lets the server forget those that nobody uses, and the others when they come back. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await Promise.all(this.#idle.splice(0).map(session => session.release()));
  }

  #gone(): void {
    this.#open--;
    this.#waiting.shift()?.();
  }

  /** Waits until another one comes back. */
  async #turn(signal: AbortSignal | undefined): Promise<void> {
    const {promise, resolve, reject} = Promise.withResolvers<void>();
    const onAbort = (): void => {
      const at = this.#waiting.indexOf(resolve);
      if (at >= 0) this.#waiting.splice(at, 1);
      reject(signal!.reason);
    };
    this.#waiting.push(resolve);
    signal?.addEventListener('abort', onAbort, {once: true});
    try {
      await promise;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** A server lets go of a session that was silent for an hour. */
  async #keepAlive(): Promise<void> {
    for (const session of this.#idle.splice(0)) {
      const alive = await session.version(10).then(() => true, () => false);
      this.give(session, alive);
    }
  }
}
