/**
 * Streams of rows: `…_stream` gives every row of a dataset once, as snapshots commit.
 *
 * What a subscriber has got is all in its cursor, so nothing is kept for it: one that does not read is simply not asked on, and one
 * that was cut off goes on where its last cursor says, on any server.
 */
import type {ExecutionResult} from 'graphql';
import {Wake} from '../../core/async.ts';
import {MillraceError} from '../../core/errors.ts';
import type {Viewer} from '../../core/viewer.ts';
import type {SnapshotRecord} from '../../warehouse/warehouse.ts';
import type {Commits} from './commits.ts';
import type {BatchBounds, RowStreamPlan} from './data/live/compile-row-stream.ts';
import {executeBatch} from './data/live/execute-batch.ts';
import type {Batch} from './data/live/execute-batch.ts';
import type {DataSchema} from './data/data-schema.ts';
import type {Variables} from './data/given.ts';
import type {Graph} from './graph.ts';
import {asGraphQLError} from './located-error.ts';
import type {Asked} from './operations.ts';
import {RequestData} from './request-data.ts';
import {cursorOf, nextRange, readCursor} from './row-stream-position.ts';
import type {StreamPosition, StreamRange} from './row-stream-position.ts';
import type {GraphqlServices} from './services.ts';
import {RawJson} from './stringify.ts';

/** Snapshots looked at together. */
const pageOfSnapshots = 200;

/** Milliseconds, in case a wake-up was lost. */
const longestWait = 10_000;

interface Compiled {
  readonly graph: DataSchema;
  readonly plan: RowStreamPlan;
  readonly variables: Variables;
}

export class RowStreams {
  /** Batches in the making: subscribers who are equally far get the same one. */
  private readonly making = new Map<string, Promise<Batch>>();

  constructor(
    private readonly services: GraphqlServices,
    private readonly graph: Graph,
    private readonly commits: Commits,
  ) {}

  /** Batches until the signal aborts; what goes wrong is the last result. */
  async *follow(viewer: Viewer, asked: Asked, signal: AbortSignal): AsyncGenerator<ExecutionResult, void, void> {
    const wake = new Wake();
    const end = () => wake.signal();
    signal.addEventListener('abort', end);
    let dataset = '';
    const quiet = this.commits.listen(change => {
      if (change.kind === 'commit' && (change.dataset === '' || change.dataset === dataset)) wake.signal();
    });
    try {
      let position: StreamPosition | null = null;
      while (!signal.aborted) {
        const compiled = this.compile(viewer, asked, position !== null);
        const {plan, variables} = compiled;
        ({dataset} = plan);
        const head = await new RequestData(this.services, viewer).resolve(dataset);
        if (position === null) {
          const cursor = plan.cursor(variables);
          position = cursor === 'latest' ? endOf(head) : cursor === null ? {...endOf(head), rowId: -1n} : readCursor(cursor, head);
          // Whoever is cut off before the first row comes must not begin at another end.
          if (cursor === 'latest') yield answer(plan, position, null);
        }
        const range = await this.nextRange(viewer, position, head);
        if (range === null) {
          await wake.wait(longestWait);
          continue;
        }
        const count = plan.batchSize(variables);
        const batch: Batch | null = await this.batch(viewer, compiled, {snapshot: range.snapshot.id, after: position.rowId, through: range.through, settled: range.settled, count}).catch((error: unknown) => {
          // It has expired since it was looked up: another one may have the same rows.
          if (error instanceof MillraceError && error.code === 'SNAPSHOT_EXPIRED' && error.details.id === range.snapshot.id) return null;
          throw error;
        });
        if (batch === null) continue;
        position = {datasetId: position.datasetId, sequence: range.snapshot.sequence, rowId: batch.last};
        if (batch.count > 0) yield answer(plan, position, batch);
      }
    } catch (error) {
      if (!signal.aborted) yield {data: null, errors: [asGraphQLError(error)]};
    } finally {
      quiet();
      signal.removeEventListener('abort', end);
    }
  }

  /** On the graph of now. @throws LIVE_QUERY_ENDED when it is not valid there any more */
  private compile(viewer: Viewer, {prepared, operationName, variables}: Asked, began: boolean): Compiled {
    const {document, errors, executor} = this.graph.prepare(prepared.source, viewer.limits);
    if (document) return {graph: executor.graph, ...executor.compileRowStream({document, operationName, variables: variables ?? {}}, viewer.limits)};
    throw began ? new MillraceError('LIVE_QUERY_ENDED', {reason: errors[0]!.message}) : errors[0]!;
  }

  private async nextRange(viewer: Viewer, position: StreamPosition, head: SnapshotRecord): Promise<StreamRange | null> {
    if (position.rowId + 1n >= head.nextRowId) return null;
    // Mostly the head's own rows are next: then nothing has to be looked up.
    if (position.sequence === head.sequence) return nextRange(position, [head], true) as StreamRange | null;
    const snapshots: SnapshotRecord[] = [];
    for (;;) {
      const page = await this.services.datasets.snapshotsFrom(viewer, position.datasetId, snapshots.length === 0 ? position.sequence : snapshots.at(-1)!.sequence + 1, pageOfSnapshots);
      snapshots.push(...page);
      const range = nextRange(position, snapshots, page.length < pageOfSnapshots);
      if (range !== 'unknown') return range;
    }
  }

  private batch(viewer: Viewer, {graph, plan, variables}: Compiled, bounds: BatchBounds): Promise<Batch> {
    const questions = plan.lists.map(({rows: {statement}}) => [statement.sql, statement.parameters.map(parameter => parameter({...variables, '~after': '', '~through': '', '~count': 0}, noFacts))]);
    const key = JSON.stringify([questions, bounds.snapshot, String(bounds.after), bounds.count, viewer.roles, viewer.limits]);
    let made = this.making.get(key);
    if (!made) {
      const {seconds} = viewer.limits;
      const context = new RequestData(this.services, viewer, AbortSignal.timeout(seconds * 1000));
      made = executeBatch(plan, graph, variables, bounds, context).catch((error: unknown) => {
        throw context.signal!.aborted ? new MillraceError('QUERY_TIMEOUT', {seconds}) : error;
      }).finally(() => this.making.delete(key));
      this.making.set(key, made);
    }
    return made;
  }
}

const noFacts = {scale: () => 1, version: () => 0, now: () => new Date(0)};

const endOf = ({datasetId, sequence, nextRowId}: SnapshotRecord): StreamPosition => ({datasetId, sequence, rowId: nextRowId - 1n});

function answer({key, parts}: RowStreamPlan, position: StreamPosition, batch: Batch | null): ExecutionResult {
  const texts = parts.map(part => {
    const json = part.kind === 'cursor' ? JSON.stringify(cursorOf(position)) : part.kind === 'constant' ? part.json : (batch?.lists[part.list] ?? '[]');
    return `${JSON.stringify(part.key)}:${json}`;
  });
  return {data: {[key]: new RawJson(`{${texts.join(',')}}`)}};
}
