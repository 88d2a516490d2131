import {setTimeout as sleep} from 'node:timers/promises';
import {createClient} from 'graphql-ws';
import type {FormattedExecutionResult} from 'graphql';
import {WebSocket} from 'ws';

type Result = FormattedExecutionResult<Record<string, any>, Record<string, any>>;

/** A subscription over a WebSocket; what comes is kept until it is asked for. */
export class Subscriber {
  readonly results: Result[] = [];
  /** Whether the server ended it. */
  ended = false;
  private readonly client;
  private taken = 0;

  constructor(url: string, query: string, variables: Record<string, unknown> = {}) {
    this.client = createClient({url: `${url.replace('http', 'ws')}/graphql`, webSocketImpl: WebSocket, retryAttempts: 0});
    const end = () => (this.ended = true);
    this.client.subscribe<Record<string, any>, Record<string, any>>({query, variables}, {next: result => this.results.push(result), complete: end, error: end});
  }

  /** The next result. @throws when none comes within seconds */
  async next(seconds = 20): Promise<Result> {
    const deadline = Date.now() + seconds * 1000;
    while (this.results.length <= this.taken) {
      if (Date.now() > deadline) throw new Error(`nothing more came after ${JSON.stringify(this.results.at(-1))}`);
      await sleep(5);
    }
    return this.results[this.taken++]!;
  }

  /** Data of results until one fulfils the condition. */
  async until(condition: (data: Record<string, any>) => boolean): Promise<Record<string, any>> {
    for (;;) {
      const {data} = await this.next();
      if (data && condition(data)) return data;
    }
  }

  async leave(): Promise<void> {
    await this.client.dispose();
  }
}
