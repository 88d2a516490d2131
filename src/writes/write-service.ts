import {setTimeout as delay} from 'node:timers/promises';
import type {Catalog} from '../catalog/catalog.ts';
import {patiently} from '../core/async.ts';
import type {Turns} from '../core/async.ts';
import {boundary} from '../core/boundaries.ts';
import {MillraceError, asMillraceError} from '../core/errors.ts';
import type {Logger} from '../core/logging.ts';
import type {Metrics} from '../core/metrics.ts';
import type {Viewer} from '../core/viewer.ts';
import type {PreparedCommit, SnapshotRecord, Warehouse} from '../warehouse/warehouse.ts';
import type {PreparedBatch, RowWrite, WriteAnswer, WriteRecord, WriteRequest, Writes} from './writes.ts';

export interface WriteOptions {
  /** Rows one request may change. */
  readonly maxRows: number;
  /** Files of a dataset past which it is compacted; 0: never. */
  readonly compactFiles: number;
}

/** Requests of one batch, and rows given in them, at most: past it, they go with the next one. */
const mostRequests = 512;
const mostRows = 100_000;

/** Tries of a batch that others get ahead of. */
const tries = 60;

/** Seconds that a batch waits for a database that is away. */
const patience = 30;

/** What is wrong with no request in particular. */
const everybodys = new Set(['CATALOG_UNAVAILABLE', 'DISK_FULL', 'COMMIT_CONFLICT', 'DATASET_NOT_FOUND', 'SHUTTING_DOWN']);

interface Waiting {
  readonly viewer: Viewer;
  readonly request: WriteRequest;
  readonly resolve: (answer: WriteAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/** Writes what waits for one dataset together: while a batch is committed the next one gathers. */
export class WriteService implements Writes {
  private readonly queues = new Map<string, Waiting[]>();
  private readonly running = new Map<string, Promise<void>>();

  /** @param turns of what else changes datasets in this process */
  constructor(
    private readonly catalog: Catalog,
    private readonly warehouse: Warehouse,
    private readonly turns: Turns,
    private readonly options: WriteOptions,
    private readonly logger: Logger,
    private readonly metrics: Metrics,
  ) {}

  async write(viewer: Viewer, request: WriteRequest): Promise<WriteAnswer> {
    const most = this.mostOf(request);
    if (givenRows(request.write) > most) throw new MillraceError('WRITE_TOO_LARGE', {dataset: request.dataset, limit: most});
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {viewer, request, resolve, reject};
      const queue = this.queues.get(request.dataset) ?? [];
      this.queues.set(request.dataset, queue);
      queue.push(waiting);
      // Once its batch has begun, it is waited for: nobody could tell whether it was written.
      request.signal?.addEventListener('abort', () => {
        const place = this.queues.get(request.dataset)?.indexOf(waiting) ?? -1;
        if (place < 0) return;
        this.queues.get(request.dataset)!.splice(place, 1);
        reject(request.signal!.reason);
      }, {once: true});
      if (!this.running.has(request.dataset)) this.running.set(request.dataset, this.empty(request.dataset, queue));
    });
  }

  /** Writes what still waits. Who asks is told elsewhere to stop. */
  async drain(): Promise<void> {
    while (this.running.size > 0) await Promise.all(this.running.values());
  }

  private mostOf({mostReturned}: WriteRequest): number {
    return Math.min(mostReturned ?? Infinity, this.options.maxRows);
  }

  private async empty(dataset: string, queue: Waiting[]): Promise<void> {
    // Requests of one turn of the event loop go together.
    await new Promise(resolve => setImmediate(resolve));
    try {
      while (queue.length > 0) {
        await this.turns.take(dataset, async () => {
          const batch = takeBatch(queue);
          if (batch.length === 0) return;
          boundary('batch taken');
          queue.unshift(...(await this.writeBatch(dataset, batch)));
        });
      }
    } finally {
      this.queues.delete(dataset);
      this.running.delete(dataset);
    }
  }

  /** Answers every request but those it gives back: they touch rows that others of the batch touch. */
  private async writeBatch(dataset: string, batch: readonly Waiting[]): Promise<Waiting[]> {
    try {
      return await this.untilUndisturbed(dataset, batch);
    } catch (error) {
      if (batch.length === 1 || everybodys.has(asMillraceError(error).code)) for (const {reject} of batch) reject(error);
      else {
        // What is wrong with one is no fault of the others.
        for (const one of batch) {
          let rest: Waiting[] = [one];
          while (rest.length > 0) rest = await this.writeBatch(dataset, rest);
        }
      }
      return [];
    }
  }

  private async untilUndisturbed(dataset: string, batch: readonly Waiting[]): Promise<Waiting[]> {
    for (let tried = 1; ; tried++) {
      try {
        return await this.attempt(dataset, batch);
      } catch (error) {
        const isDisturbed = error instanceof MillraceError && error.code === 'COMMIT_CONFLICT';
        if (!isDisturbed || tried >= tries) throw error;
        await delay(Math.random() * Math.min(500, 10 * 2 ** tried));
      }
    }
  }

  private async attempt(dataset: string, asked: readonly Waiting[]): Promise<Waiting[]> {
    const {batch, later} = await this.notYetAnswered(asked);
    if (batch.length === 0) return later;
    const prepared = await this.warehouse.prepareBatch({
      dataset, branch: 'main', by: [...new Set(batch.map(({viewer}) => viewer.name))], requests: batch.map(({request}) => ({write: request.write, mostRows: this.mostOf(request)})),
    });
    boundary('batch prepared');
    const commits = [prepared.commit, prepared.aside].filter(commit => commit !== null);
    const answers = batch.map((_, index): WriteAnswer | null => {
      const decision = prepared.decisions[index]!;
      return decision.kind === 'accepted' ? {...decision.outcome, snapshotId: prepared.commit?.snapshotId ?? prepared.parentId, parentId: prepared.parentId} : null;
    });
    const records = batch.flatMap(({viewer, request}, index): WriteRecord[] => (request.idempotency && answers[index] ? [{requestedBy: viewer.name, ...request.idempotency, answer: answers[index]}] : []));
    const snapshots = await this.commit(dataset, commits, records);
    boundary('batch committed');
    for (const [index, snapshot] of snapshots.entries()) {
      await commits[index]!.published(snapshot).catch(error => this.logger.warn({err: error, dataset: snapshot.datasetName}, 'the manifest could not be written'));
    }
    boundary('batch published');
    if (prepared.commit) this.metrics.rowsWritten.inc({dataset}, prepared.commit.outcome.written);
    settle(batch, prepared, answers);
    for (const snapshot of snapshots) await this.compactIfScattered(snapshot);
    return [...batch.filter((_, index) => prepared.decisions[index]!.kind === 'deferred'), ...later];
  }

  /** Answers those that were answered before; of several with one key only the first is written now. */
  private async notYetAnswered(asked: readonly Waiting[]): Promise<{batch: Waiting[]; later: Waiting[]}> {
    const keys = asked.flatMap(({viewer, request}) => (request.idempotency ? [{requestedBy: viewer.name, key: request.idempotency.key}] : []));
    const known = keys.length === 0 ? [] : await this.catalog.read(stores => stores.writes.answered(keys));
    const batch: Waiting[] = [];
    const later: Waiting[] = [];
    const seen = new Set<string>();
    for (const one of asked) {
      const {viewer, request: {idempotency}} = one;
      if (!idempotency) batch.push(one);
      else {
        const record = known.find(({requestedBy, key}) => requestedBy === viewer.name && key === idempotency.key);
        const name = `${viewer.name} ${idempotency.key}`;
        if (record?.content === idempotency.content) one.resolve(record.answer);
        else if (record) one.reject(new MillraceError('IDEMPOTENCY_CONFLICT', {key: idempotency.key}));
        else (seen.has(name) ? later : batch).push(one);
        seen.add(name);
      }
    }
    return {batch, later};
  }

  /** One unit of work: the rows, those kept aside, and what is remembered of the requests. */
  private async commit(dataset: string, commits: readonly PreparedCommit[], records: readonly WriteRecord[]): Promise<SnapshotRecord[]> {
    if (commits.length === 0 && records.length === 0) return [];
    try {
      return await patiently(() => this.catalog.transaction(async stores => {
        const snapshots: SnapshotRecord[] = [];
        for (const commit of commits) snapshots.push(await commit.commit(stores));
        await stores.writes.remember(records);
        return snapshots;
      }), patience);
    } catch (error) {
      const standing = await this.standing(dataset, commits.map(commit => commit.snapshotId));
      if (standing) return standing;
      await Promise.all(commits.map(commit => commit.abandon()));
      // Another server remembered one of the keys a moment ago: it is found when the batch is tried again.
      const known = asMillraceError(error);
      if (records.length > 0 && known.code === 'INTERNAL' && (await this.isAnyAnswered(records))) throw new MillraceError('COMMIT_CONFLICT', {dataset}, {cause: error});
      throw error;
    }
  }

  private async isAnyAnswered(records: readonly WriteRecord[]): Promise<boolean> {
    return (await this.catalog.read(stores => stores.writes.answered(records))).length > 0;
  }

  /** The snapshots of a commit whose answer was lost, if they stand. */
  private async standing(dataset: string, ids: readonly string[]): Promise<SnapshotRecord[] | null> {
    if (ids.length === 0) return null;
    return patiently(() => this.catalog.transaction(async stores => {
      // Behind the lock of the dataset's row, which a commit that is still under way holds.
      await stores.datasets.committed(dataset, ids[0]!);
      const found = await stores.datasets.snapshotsById(ids);
      return found.size === 0 ? null : ids.map(id => found.get(id)!);
    }), patience);
  }

  private async compactIfScattered(snapshot: SnapshotRecord): Promise<void> {
    const {compactFiles} = this.options;
    if (compactFiles === 0 || snapshot.fileCount <= compactFiles) return;
    // Compaction is a favour to readers: the rows are written without it.
    await this.warehouse.compact(snapshot.datasetName).catch(error => this.logger.warn({err: error}, 'compaction failed'));
  }
}

function settle(batch: readonly Waiting[], {decisions}: PreparedBatch, answers: readonly (WriteAnswer | null)[]): void {
  batch.forEach(({resolve, reject}, index) => {
    const decision = decisions[index]!;
    if (decision.kind === 'accepted') resolve(answers[index]!);
    else if (decision.kind === 'refused') reject(decision.error);
  });
}

/** The next requests of a queue. One that a condition decides is the first of its batch: it reads the rows as they were before all others. */
function takeBatch(queue: Waiting[]): Waiting[] {
  let rows = 0;
  let count = 0;
  while (count < queue.length && count < mostRequests) {
    const {write} = queue[count]!.request;
    rows += givenRows(write);
    if (count > 0 && (rows > mostRows || isConditional(write))) break;
    count++;
  }
  return queue.splice(0, count);
}

const isConditional = (write: RowWrite): boolean => (write.kind === 'insert' ? write.onConflict?.where !== undefined : 'where' in write.rows);

const givenRows = (write: RowWrite): number => (write.kind === 'insert' ? write.rows.length : 'keys' in write.rows ? write.rows.keys.length : 'rowIds' in write.rows ? write.rows.rowIds.length : 0);
