import {getOperationAST, subscribe} from 'graphql';
import type {ExecutionResult} from 'graphql';
import {MillraceError} from '../../core/errors.ts';
import type {Metrics} from '../../core/metrics.ts';
import type {Viewer} from '../../core/viewer.ts';
import {Commits} from './commits.ts';
import {abortable} from './core/abortable.ts';
import type {CoreContext} from './core/context.ts';
import {Explanation} from './data/explanation.ts';
import {Loaders} from './core/loaders.ts';
import {KeptAggregates} from './data/live/kept-aggregates.ts';
import {asTableError} from './format-error.ts';
import type {Graph, Prepared} from './graph.ts';
import {LiveQueries} from './live.ts';
import {asGraphQLError} from './located-error.ts';
import {dataLength, dataPart, makeReceipt, namesOf, readReceipt, receiptBytes} from './receipt.ts';
import type {ReceiptContent, VerifiedReceipt} from './receipt.ts';
import {RequestData} from './request-data.ts';
import type {Reads} from './request-data.ts';
import {RowStreams} from './row-streams.ts';
import type {GraphqlServices} from './services.ts';
import type {StreamFormat} from './streams/stream-format.ts';
import {streamRows} from './streams/stream-rows.ts';

/** One operation of a client. */
export interface Asked {
  readonly prepared: Prepared;
  readonly operationName?: string | null;
  readonly variables?: Readonly<Record<string, unknown>> | null;
}

export interface Asking {
  /** auto: for answers of up to 1 MiB. */
  readonly receipt?: 'auto' | 'always' | 'never';
  /** Whether to tell how the data fields were answered. */
  readonly explain?: boolean;
  /** Aborts when nobody waits for the answer any more. */
  readonly signal?: AbortSignal;
}

/** Runs operations, whatever brought them: HTTP, a socket, or a command in this process. */
export class Operations {
  private readonly metrics: Metrics;
  private readonly kept = new KeptAggregates();
  private readonly live: LiveQueries;
  private readonly rowStreams: RowStreams;
  /** Operations under way, by who asks. */
  private readonly running = new Map<string, number>();

  constructor(
    private readonly services: GraphqlServices,
    readonly graph: Graph,
  ) {
    this.metrics = services.metrics;
    const commits = new Commits(services, graph);
    this.rowStreams = new RowStreams(services, graph, commits);
    this.live = new LiveQueries(services, graph, commits, async (viewer, asked, signal) => {
      const began = performance.now();
      const {result, data} = await this.run(viewer, asked, signal);
      this.observe(asked, result, began);
      return {result, reads: await data.reads().catch(() => null)};
    });
  }

  stop(): void {
    this.live.stop();
  }

  /** Errors are as thrown: they still have to be formatted. */
  async execute(viewer: Viewer, asked: Asked, {receipt = 'auto', explain = false, signal}: Asking = {}): Promise<ExecutionResult> {
    const began = performance.now();
    const explanation = explain ? new Explanation() : undefined;
    const answer = await this.run(viewer, asked, signal, undefined, explanation);
    const {data} = answer;
    const result = explanation ? {...answer.result, extensions: {...answer.result.extensions, explain: await explanation.shown()}} : answer.result;
    this.observe(asked, result, began);
    const length = result.errors || receipt === 'never' ? 0 : dataLength(result.data);
    if (length === 0 || (receipt === 'auto' && length > receiptBytes)) return result;
    const {now, snapshots, versions} = await data.reads();
    const content = {
      document: asked.prepared.source, operation: asked.operationName ?? null, variables: asked.variables ?? {},
      snapshots, versions, ...(now !== undefined && {now}), fingerprint: this.services.system.fingerprint, sha256: dataPart(result.data).sha256,
    };
    const made = makeReceipt(content, receipt === 'always');
    return made ? {...result, extensions: {...result.extensions, receipt: made}} : result;
  }

  /** A query's rows in pieces of a stream. @throws what `Executor.compileStream` throws, and every code a data field can fail with */
  async *stream(viewer: Viewer, asked: Asked, format: StreamFormat, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
    const began = performance.now();
    const {prepared, operationName, variables} = asked;
    const seconds = viewer.limits.streamSeconds;
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(new MillraceError('QUERY_TIMEOUT', {seconds})), seconds * 1000);
    let outcome = 'ok';
    try {
      const {document, executor, errors} = prepared;
      if (!document) throw errors[0]!;
      const compiled = executor.compileStream({document, operationName, variables: variables ?? {}}, viewer.limits, format === 'arrow' ? 'columns' : 'texts');
      const context = new RequestData(this.services, viewer, AbortSignal.any([signal, deadline.signal]));
      yield* streamRows({...compiled, graph: executor.graph, context});
    } catch (error) {
      outcome = asTableError(error).code;
      throw error;
    } finally {
      clearTimeout(timer);
      this.metrics.queries.observe({kind: 'stream', outcome}, (performance.now() - began) / 1000);
    }
  }

  /** Results of a subscription, or a result with the errors for which there is none. */
  async subscribe(viewer: Viewer, asked: Asked): Promise<AsyncIterableIterator<ExecutionResult, void, void> | ExecutionResult> {
    const {prepared: {document, executor, errors}, operationName, variables} = asked;
    if (!document) return {errors};
    try {
      executor.checkValues(document, operationName, variables ?? {}, viewer.limits);
    } catch (error) {
      return {errors: [asGraphQLError(error)]};
    }
    const root = executor.liveRoot(document, operationName, variables ?? {});
    if (root?.kind === 'stream') return counted(abortable(signal => this.rowStreams.follow(viewer, asked, signal)), this.metrics);
    if (root) return counted(this.live.follow(viewer, asked), this.metrics);
    const results = await subscribe({
      schema: executor.graph.schema, document, operationName, variableValues: variables ?? {}, contextValue: this.coreContext(viewer, new Loaders(this.services, viewer, false)),
    });
    return Symbol.asyncIterator in results ? counted(results, this.metrics) : results;
  }

  /** @throws RECEIPT_INVALID, RECEIPT_DIFFERS, RECEIPT_EXPIRED, RECEIPT_ERASED, and what says that a snapshot or version is gone */
  async verify(viewer: Viewer, token: string, signal?: AbortSignal): Promise<VerifiedReceipt> {
    const content = readReceipt(token);
    const prepared = this.graph.prepare(content.document, viewer.limits);
    if (!prepared.document) throw differs(content, `the question is not valid any more: ${prepared.errors[0]!.message}`);
    if (getOperationAST(prepared.document, content.operation)?.operation !== 'query') throw new MillraceError('RECEIPT_INVALID', {reason: 'it is not of a query.'});
    const {result} = await this.run(viewer, {prepared, operationName: content.operation, variables: content.variables}, signal, content);
    const refuse = async (reason: string, actual?: string) => (await this.erased(viewer, content)) ?? differs(content, reason, actual);
    if (!result.data || dataLength(result.data) === 0) {
      const error = result.errors?.[0] && asTableError(result.errors[0]);
      if (error?.code === 'SNAPSHOT_EXPIRED') throw new MillraceError('RECEIPT_EXPIRED', {reason: error.message}, {cause: error});
      if (error && (error.http >= 500 || error.code.endsWith('_NOT_FOUND'))) throw error;
      throw await refuse(error ? `the question fails now: ${error.message}` : 'the question reads no data.');
    }
    const {sha256, bytes} = dataPart(result.data);
    if (sha256 !== content.sha256) {
      throw await refuse(content.fingerprint === this.services.system.fingerprint ? 'the data are others.' : 'engine or runtime are others than then.', sha256);
    }
    return {...namesOf(content), sha256, bytes};
  }

  /** Why an answer is another one, where rows were erased from what it was made from. */
  private async erased(viewer: Viewer, {snapshots}: ReceiptContent): Promise<MillraceError | null> {
    const [erasure] = await this.services.maintenance.erasuresTouching(viewer, Object.values(snapshots));
    if (!erasure) return null;
    const {id, rows, requestedBy, erasedAt} = erasure;
    return new MillraceError('RECEIPT_ERASED', {rows: rows === 1n ? 'one row' : `${rows} rows`, by: requestedBy, at: erasedAt.toISOString(), erasure: id});
  }

  private async run(viewer: Viewer, {prepared, operationName, variables}: Asked, signal?: AbortSignal, again?: Reads, explanation?: Explanation): Promise<{result: ExecutionResult; data: RequestData}> {
    const {seconds} = viewer.limits;
    const leave = this.enter(viewer);
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(new MillraceError('QUERY_TIMEOUT', {seconds})), seconds * 1000);
    const end = signal ? AbortSignal.any([signal, deadline.signal]) : deadline.signal;
    const {document, executor, errors} = prepared;
    const operation = document && getOperationAST(document, operationName)?.operation;
    // Who verifies wants to know what comes out when it is computed again.
    const data = new RequestData(this.services, viewer, end, again, again ? undefined : {aggregates: this.kept, followed: operation === 'subscription'}, explanation);
    try {
      if (!document) return {result: {errors}, data};
      const coreContext = this.coreContext(viewer, new Loaders(this.services, viewer), end, again !== undefined);
      const result = await executor.execute({document, operationName, variables: variables ?? {}, coreContext, data});
      if (operation === 'mutation') await this.services.graphModel.refresh();
      return {result, data};
    } finally {
      clearTimeout(timer);
      leave();
    }
  }

  /** Counts a viewer's operations; answers how to leave. @throws TOO_MANY_QUERIES */
  private enter({name, limits}: Viewer): () => void {
    const running = this.running.get(name) ?? 0;
    if (running >= limits.queries) throw new MillraceError('TOO_MANY_QUERIES', {limit: limits.queries});
    this.running.set(name, running + 1);
    return () => {
      const now = this.running.get(name)! - 1;
      if (now === 0) this.running.delete(name);
      else this.running.set(name, now);
    };
  }

  private coreContext(viewer: Viewer, loaders: Loaders, signal?: AbortSignal, verifying = false): CoreContext {
    const verifyReceipt = async (token: string) => {
      // Receipts within receipts could make one request ask for any number of answers.
      if (verifying) throw new MillraceError('RECEIPT_INVALID', {reason: 'its question verifies another receipt.'});
      return this.verify(viewer, token, signal);
    };
    return {viewer, services: this.services, loaders, verifyReceipt, ...(signal ? {signal} : {})};
  }

  private observe({prepared, operationName}: Asked, {errors}: ExecutionResult, began: number): void {
    const kind = (prepared.document && getOperationAST(prepared.document, operationName)?.operation) ?? 'query';
    this.metrics.queries.observe({kind, outcome: errors ? asTableError(errors[0]).code : 'ok'}, (performance.now() - began) / 1000);
  }
}

function differs({sha256}: ReceiptContent, reason: string, actual?: string): MillraceError {
  return new MillraceError('RECEIPT_DIFFERS', {reason, expected: sha256, ...(actual !== undefined && {actual})});
}

/** Counts an open subscription for as long as it is iterated. */
function counted(results: AsyncIterator<ExecutionResult, void, void>, metrics: Metrics): AsyncIterableIterator<ExecutionResult, void, void> {
  metrics.subscriptions.inc();
  let open = true;
  const end = () => {
    if (open) metrics.subscriptions.dec();
    open = false;
  };
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      try {
        const answer = await results.next();
        if (answer.done) end();
        return answer;
      } catch (error) {
        end();
        throw error;
      }
    },
    async return() {
      end();
      return (await results.return?.()) ?? {done: true, value: undefined};
    },
  };
}
