/**
 * Live queries: a field of the data graph, answered at once and again whenever a new snapshot changes the answer.
 *
 * topic: one live query, executed once for everybody who asks it with the same variables, roles and limits
 * follower: one subscription of a topic
 *
 * A topic keeps its newest answer only, and makes a newer one only while a follower waits for it. So what a follower holds does not
 * grow when it stops reading, and nothing is computed for it; when it goes on it gets what is true then.
 */
import {hash} from 'node:crypto';
import type {ExecutionResult} from 'graphql';
import {GraphQLError} from 'graphql';
import {asMillraceError, MillraceError} from '../../core/errors.ts';
import type {Viewer} from '../../core/viewer.ts';
import type {Change, Commits} from './commits.ts';
import {asTableError} from './format-error.ts';
import type {Graph} from './graph.ts';
import type {Asked} from './operations.ts';
import {RequestData} from './request-data.ts';
import type {Reads} from './request-data.ts';
import type {GraphqlServices} from './services.ts';
import {stringify} from './stringify.ts';

/** Topics answered at a time, so that a commit which changes many leaves room for other requests. */
const atOnce = 4;

/** Executes a live query once. `reads`: what the answer was made from; null where that is not known. */
type Run = (viewer: Viewer, asked: Asked, signal: AbortSignal) => Promise<{readonly result: ExecutionResult; readonly reads: Reads | null}>;

interface Answer {
  readonly result: ExecutionResult;
  /** Of what a client sees. */
  readonly digest: string;
  /** Nothing comes after it. */
  readonly last: boolean;
}

export class LiveQueries {
  private readonly topics = new Map<string, Topic>();
  private readonly waiting: (() => void)[] = [];
  private running = 0;
  private quiet: (() => void) | undefined;

  constructor(
    private readonly services: GraphqlServices,
    private readonly graph: Graph,
    private readonly commits: Commits,
    private readonly run: Run,
  ) {}

  follow(viewer: Viewer, asked: Asked): AsyncIterator<ExecutionResult, void, void> {
    const {prepared, operationName, variables} = asked;
    const key = JSON.stringify([prepared.source, operationName ?? null, sorted(variables ?? {}), viewer.roles, viewer.limits]);
    let topic = this.topics.get(key);
    if (!topic) {
      topic = new Topic((reads, signal) => this.answer(viewer, asked, reads, signal), () => this.drop(key));
      this.topics.set(key, topic);
      this.quiet ??= this.commits.listen(this.wake);
    }
    return topic.follow();
  }

  /** Live queries that are executed, each for all its followers. */
  get count(): number {
    return this.topics.size;
  }

  stop(): void {
    this.topics.forEach(topic => topic.end());
  }

  private drop(key: string): void {
    this.topics.delete(key);
    if (this.topics.size > 0) return;
    this.quiet?.();
    this.quiet = undefined;
  }

  private readonly wake = (change: Change): void => {
    for (const topic of this.topics.values()) if (change.kind === 'swap' || change.dataset === '' || topic.mayRead(change.dataset)) topic.wake(change.kind === 'swap');
  };

  /** The answer of now; null when everything it is made from is as it was. */
  private async answer(viewer: Viewer, asked: Asked, before: Reads | null, signal: AbortSignal): Promise<{answer: Answer; reads: Reads | null} | null> {
    await this.turn();
    try {
      if (before && (await this.unchanged(viewer, before))) return null;
      const prepared = this.graph.prepare(asked.prepared.source, viewer.limits);
      if (!prepared.document) return ended(prepared.errors[0]!.message);
      const {result, reads} = await this.run(viewer, {...asked, prepared}, signal);
      return {answer: {result, digest: digestOf(result), last: result.data === undefined}, reads: result.errors?.some(error => asTableError(error).http >= 500) ? null : reads};
    } catch (error) {
      const known = asMillraceError(error);
      if (known.http < 500) return ended(known.message);
      const result = {data: null, errors: [new GraphQLError(known.message, {originalError: known})]};
      return {answer: {result, digest: digestOf(result), last: false}, reads: null};
    } finally {
      this.running--;
      this.waiting.shift()?.();
    }
  }

  private async turn(): Promise<void> {
    if (this.running >= atOnce) await new Promise<void>(resolve => this.waiting.push(resolve));
    this.running++;
  }

  private async unchanged(viewer: Viewer, {snapshots}: Reads): Promise<boolean> {
    const now = new RequestData(this.services, viewer);
    for (const [dataset, id] of Object.entries(snapshots)) if ((await now.resolve(dataset)).id !== id) return false;
    return true;
  }
}

class Topic {
  private readonly followers = new Set<Follower>();
  private newest: Answer | null = null;
  private reads: Reads | null = null;
  /** Something may have changed since the newest answer. */
  private stale = true;
  private working = false;
  private readonly over = new AbortController();

  /** @param make a newer answer than one made from `reads`, or null when there is none */
  constructor(
    private readonly make: (reads: Reads | null, signal: AbortSignal) => Promise<{answer: Answer; reads: Reads | null} | null>,
    private readonly left: () => void,
  ) {}

  follow(): Follower {
    const follower = new Follower(this);
    this.followers.add(follower);
    // Who has just changed something and subscribes sees it, also where no wake-up has come yet.
    this.stale = true;
    return follower;
  }

  leave(follower: Follower): void {
    if (this.followers.delete(follower) && this.followers.size === 0) this.close();
  }

  mayRead(dataset: string): boolean {
    return this.reads === null || dataset in this.reads.snapshots;
  }

  /** @param changed the answer is another one even if the snapshots are the same */
  wake(changed: boolean): void {
    this.stale = true;
    if (changed) this.reads = null;
    this.work();
  }

  /** What a follower is to get next, when there is something. */
  next(sent: string | null): Answer | null {
    const {newest} = this;
    return newest && !this.stale && newest.digest !== sent ? newest : null;
  }

  /** Makes answers for as long as there may be newer ones and somebody waits. */
  work(): void {
    if (this.working || this.over.signal.aborted || !this.stale || ![...this.followers].some(({waits}) => waits)) return;
    this.working = true;
    this.stale = false;
    void this.make(this.reads, this.over.signal).then(made => {
      this.working = false;
      if (this.over.signal.aborted) return;
      if (made) {
        this.newest = made.answer;
        this.reads = made.reads;
      }
      if (made?.answer.last) this.end();
      else this.deliver();
      this.work();
    });
  }

  /** Followers that wait get the newest answer as their last one. */
  end(): void {
    this.stale = false;
    this.deliver();
    this.close();
    for (const follower of this.followers) follower.end();
  }

  private close(): void {
    if (this.over.signal.aborted) return;
    this.over.abort(new MillraceError('REQUEST_INVALID', {reason: 'the client went away.'}));
    this.left();
  }

  private deliver(): void {
    if (this.newest) for (const follower of this.followers) follower.offer(this.newest);
  }
}

/** One subscription: an iteration that can be left while it waits. */
class Follower implements AsyncIterator<ExecutionResult, void, void> {
  private sent: string | null = null;
  private resolve: ((step: IteratorResult<ExecutionResult, void>) => void) | null = null;
  private ending = false;

  constructor(private topic: Topic | null) {}

  get waits(): boolean {
    return this.resolve !== null;
  }

  next(): Promise<IteratorResult<ExecutionResult, void>> {
    const {topic} = this;
    if (!topic) return Promise.resolve(over);
    const answer = topic.next(this.sent);
    if (answer) {
      this.sent = answer.digest;
      return Promise.resolve({done: false, value: answer.result});
    }
    if (this.ending) {
      this.leave();
      return Promise.resolve(over);
    }
    return new Promise(resolve => {
      this.resolve = resolve;
      topic.work();
    });
  }

  async return(): Promise<IteratorResult<ExecutionResult, void>> {
    this.leave();
    return over;
  }

  offer({result, digest}: Answer): void {
    const {resolve} = this;
    if (!resolve || digest === this.sent) return;
    this.resolve = null;
    this.sent = digest;
    resolve({done: false, value: result});
  }

  /** Nothing new comes; one that has not asked yet may still take the last answer. */
  end(): void {
    this.ending = true;
    if (this.resolve) this.leave();
  }

  private leave(): void {
    this.resolve?.(over);
    this.resolve = null;
    this.topic?.leave(this);
    this.topic = null;
  }
}

const over = {done: true, value: undefined} as const;

function ended(reason: string): {answer: Answer; reads: null} {
  const error = new MillraceError('LIVE_QUERY_ENDED', {reason});
  const result = {errors: [new GraphQLError(error.message, {originalError: error})]};
  return {answer: {result, digest: digestOf(result), last: true}, reads: null};
}

/** Of the text that is sent, so that answers are told apart as clients would. */
const digestOf = ({data, errors}: ExecutionResult): string =>
  hash('sha256', stringify({data, ...(errors && {errors: errors.map(error => ({message: error.message, path: error.path}))})} as never), 'base64');

/** Objects with their fields in one order, so that equal variables are equal as text. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => [key, sorted(inner)]));
}
