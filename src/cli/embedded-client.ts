import {basename, resolve} from 'node:path';
import type {App} from './app.ts';
import type {GraphAnswer, GraphClient, GraphRequest} from './graph-client.ts';

/** The application in this process. It runs while the client is open. */
export class EmbeddedGraphClient implements GraphClient {
  readonly url = null;

  constructor(readonly app: App) {}

  async execute(request: GraphRequest): Promise<GraphAnswer> {
    return asSent(await this.app.execute(request));
  }

  async *subscribe(request: GraphRequest, signal: AbortSignal): AsyncGenerator<GraphAnswer> {
    const answers = this.app.subscribe(request)[Symbol.asyncIterator]();
    const end = () => void answers.return?.();
    signal.addEventListener('abort', end, {once: true});
    try {
      while (!signal.aborted) {
        const {value, done} = await answers.next();
        if (done) return;
        yield asSent(value);
      }
    } finally {
      signal.removeEventListener('abort', end);
      await answers.return?.();
    }
  }

  upload(path: string): Promise<string> {
    return this.app.upload(resolve(path), basename(path));
  }

  async close(): Promise<void> {
    await this.app.lifecycle.stop();
  }
}

/** What a client would have received: numbers, texts and lists, no instances of classes. */
function asSent(answer: GraphAnswer): GraphAnswer {
  return JSON.parse(JSON.stringify(answer)) as GraphAnswer;
}
