import {isDeepStrictEqual} from 'node:util';
import type {Stores} from '../catalog/catalog.ts';
import {Wake, patiently} from '../core/async.ts';
import type {Turns} from '../core/async.ts';
import {boundary} from '../core/boundaries.ts';
import {MillraceError, asMillraceError} from '../core/errors.ts';
import {newId} from '../core/ids.ts';
import type {Logger} from '../core/logging.ts';
import {withLogContext} from '../core/logging.ts';
import type {Metrics} from '../core/metrics.ts';
import type {StagedFile} from '../engines/engine.ts';
import {guardedSchema} from '../schemas/guarded-schema.ts';
import type {Schema} from '../schemas/schema.ts';
import type {Finding, NextSchema, PreparedCommit, SnapshotRecord, Stage} from '../warehouse/warehouse.ts';
import type {ClaimedStep, RunEventData, RunStore, StepStatus, StoredError} from './pipeline.ts';
import {decide, engineOf, look, prepareStep, resolveInputs} from './prepare-step.ts';
import type {ReadyStep, StepWorld} from './prepare-step.ts';
import {modeOf, outputOf, schemaRulesOf} from './output-settings.ts';
import {RunReport} from './run-report.ts';
import {moveRunOn} from './move-run-on.ts';
import {inputIds} from './steps/step-kind.ts';
import type {Staged} from './steps/step-kind.ts';

export interface WorkerOptions {
  /** Steps at once. */
  readonly slots: number;
  readonly leaseSeconds: number;
  readonly stepTimeoutSeconds: number;
  /** Small files of a dataset past which it is compacted; 0: never. */
  readonly compactFiles: number;
}

/** How long a step's end waits for a database that is away. */
const patience = 120;

/** Milliseconds within which a cancelled run tells its steps. */
const checkDelay = 200;

/** Codes that the same step may not meet again: another try is worth it even where the step asks for none. */
const transientAttempts: Readonly<Record<string, number>> = {COMMIT_CONFLICT: 12, CATALOG_UNAVAILABLE: 5, ENGINE_UNAVAILABLE: 5};

/** Deaths of a step's workers after which the step is taken for their cause. */
const deadlyDeaths = 5;

/**
 * Claims steps and does them, some at once.
 *
 * A step is leased; its end (snapshot, events, next steps) is one unit of work that first proves the fence, so that a worker that
 * was away too long commits nothing. The run's rows are the truth: a wake-up only says that there may be something to claim.
 */
export class Worker {
  private readonly name = `${process.pid}-${newId().slice(-8)}`;
  private readonly stopping = new AbortController();
  private readonly running = new Map<string, {readonly promise: Promise<void>; readonly check: () => void}>();
  private readonly wake = new Wake();
  private loop: Promise<void> | undefined;
  private quiet: (() => Promise<void>) | undefined;
  private quietRuns: (() => void) | undefined;

  /** @param turns of datasets, with whoever else changes them in this process */
  constructor(
    private readonly world: StepWorld,
    private readonly turns: Turns,
    private readonly options: WorkerOptions,
    private readonly logger: Logger,
    private readonly metrics: Metrics,
  ) {}

  async start(): Promise<void> {
    this.quiet = await this.world.catalog.work(() => this.wake.signal());
    // A cancelled run tells so at once, not with the next heartbeat.
    this.quietRuns = this.world.catalog.listen('run', runId => {
      for (const [key, step] of this.running) if (runId === '' || key.startsWith(runId)) step.check();
    });
    this.loop = this.claimForever();
  }

  /** Stops claiming, interrupts what runs (its lease is given back, another worker goes on) and waits for it. */
  async stop(): Promise<void> {
    this.stopping.abort(new MillraceError('SHUTTING_DOWN'));
    this.wake.signal();
    this.quietRuns?.();
    await this.quiet?.();
    await this.loop;
    await Promise.all([...this.running.values()].map(step => step.promise));
  }

  private async claimForever(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      let claimed: ClaimedStep | null = null;
      let pause = 5_000;
      try {
        if (this.running.size < this.options.slots) claimed = await this.world.catalog.read(stores => stores.runs.claim(this.name, this.options.leaseSeconds));
        if (!claimed) {
          const due = await this.world.catalog.read(stores => stores.runs.nextDue());
          if (due !== null) pause = Math.min(pause, Math.max(50, due * 1_000));
        }
      } catch (error) {
        this.logger.warn({err: error}, 'cannot look for steps; trying again');
        pause = 1_000;
      }
      if (claimed) this.begin(claimed);
      else await this.wake.wait(pause);
    }
  }

  private begin(claimed: ClaimedStep): void {
    boundary('step claimed');
    const key = `${claimed.run.id} ${claimed.step.name} ${claimed.fence}`;
    const attempt = new StepAttempt(this.world, this.options, claimed, this.turns, this.stopping.signal, this.logger, this.metrics);
    const promise = withLogContext({runId: claimed.run.id, step: claimed.step.name}, () => attempt.run())
      .catch(error => this.logger.error({err: error}, 'a step was given up; its lease will run out'))
      .finally(() => {
        // While a place was free, whoever queued a step has woken this worker already.
        const wasFull = this.running.size >= this.options.slots;
        this.running.delete(key);
        if (wasFull) this.wake.signal();
      });
    this.running.set(key, {promise, check: () => attempt.checkLeaseSoon()});
  }
}

type DatasetStep = Extract<ClaimedStep['step'], {into: string}>;

/** One try of one step. */
class StepAttempt {
  private readonly abort = new AbortController();
  private readonly report: RunReport;
  private readonly startedAt = Date.now();
  private checking: Promise<void> | undefined;
  private soon: NodeJS.Timeout | undefined;

  constructor(
    private readonly world: StepWorld,
    private readonly options: WorkerOptions,
    private readonly claimed: ClaimedStep,
    private readonly turns: Turns,
    private readonly stopping: AbortSignal,
    private readonly logger: Logger,
    private readonly metrics: Metrics,
  ) {
    this.report = new RunReport(world.catalog, claimed.run.id, claimed.step.name, claimed.fence);
  }

  async run(): Promise<void> {
    const {step} = this.claimed;
    const stopped = (): void => this.abort.abort(this.stopping.reason);
    if (this.stopping.aborted) stopped();
    else this.stopping.addEventListener('abort', stopped, {once: true});
    const seconds = step.timeoutSeconds ?? this.options.stepTimeoutSeconds;
    const timeout = setTimeout(() => this.abort.abort(new MillraceError('STEP_TIMEOUT', {step: step.name, seconds})), seconds * 1_000);
    const heartbeat = setInterval(() => this.checkLease(), (this.options.leaseSeconds * 1_000) / 3);
    try {
      await this.attempt();
    } catch (error) {
      await this.fail(this.abort.signal.aborted ? asMillraceError(this.abort.signal.reason) : asMillraceError(error)).catch(second => {
        if (asMillraceError(second).code !== 'LEASE_LOST') throw second;
        this.logger.warn('another worker has taken the step over: nothing of this try is kept');
      });
    } finally {
      clearTimeout(timeout);
      clearInterval(heartbeat);
      clearTimeout(this.soon);
      this.stopping.removeEventListener('abort', stopped);
      await this.report.close();
    }
  }

  /** As `checkLease`, once for all that is told within a moment: this step's own events are told too. */
  checkLeaseSoon(): void {
    this.soon ??= setTimeout(() => {
      this.soon = undefined;
      this.checkLease();
    }, checkDelay);
  }

  /** Prolongs the lease; learns that it is lost or that the run is to stop. */
  checkLease(): void {
    const {run, step, fence} = this.claimed;
    this.checking ??= this.world.catalog
      .read(stores => stores.runs.heartbeat(run.id, step.name, fence, this.options.leaseSeconds))
      .then(({owned, cancel}) => {
        if (!owned) this.abort.abort(new MillraceError('LEASE_LOST', {step: step.name}));
        else if (cancel) this.abort.abort(new MillraceError('RUN_CANCELLED'));
      })
      .catch(() => undefined) // the database is away: the next beat, or the proof of the fence, will tell
      .finally(() => {
        this.checking = undefined;
      });
  }

  private async attempt(): Promise<void> {
    const {run, step, attempt, deaths} = this.claimed;
    const {signal} = this.abort;
    signal.throwIfAborted();
    if (run.cancelRequested) throw new MillraceError('RUN_CANCELLED');
    if (deaths >= deadlyDeaths) throw new MillraceError('WORKER_DIED', {step: step.name, times: deaths});

    const inputs = await resolveInputs(this.world, run, step);
    const ready = await prepareStep(this.world, run, step, inputs, signal);
    try {
      const decision = await decide(this.world, run, step, ready);
      await this.transaction(async stores => {
        const begins = await stores.runs.beginRun(run.id);
        await stores.runs.note(run.id, step.name, {reason: decision.reason, engine: engineOf(ready.prepared).name, inputs: inputIds(inputs), reused: decision.action === 'reuse'});
        await stores.runs.appendEvents(run.id, [
          ...(begins ? [{kind: 'run_started'} as const] : []),
          ...(deaths > 0 ? [{kind: 'log', step: step.name, level: 'warn', message: `the worker that had it fell silent (${deaths} of ${deadlyDeaths} times); another goes on`} as const] : []),
          {kind: 'step_started', step: step.name, attempt, reason: decision.reason},
          ...(ready.prepared.notices ?? []).map(notice => ({kind: 'log', step: step.name, ...notice}) as const),
        ]);
      });
      boundary('step begun');
      signal.throwIfAborted();
      if (decision.action === 'reuse') await this.finishReused(ready, decision.output);
      else if ('into' in step) await this.finishDataset(ready, step);
      else await this.finishPerformed(ready);
    } finally {
      await ready.close();
    }
  }

  private async finishReused(ready: ReadyStep, output: SnapshotRecord | null): Promise<void> {
    const {step} = this.claimed;
    await this.finish('succeeded', null, async stores => {
      await stores.runs.note(this.claimed.run.id, step.name, {reused: true, outputId: output?.id ?? null, ...fingerprintOf(ready)});
      return output ? [{kind: 'snapshot_committed', step: step.name, dataset: output.datasetName, snapshotId: output.id, rowCount: String(output.rowCount), reused: true}] : [];
    });
  }

  private async finishDataset(opened: ReadyStep, step: DatasetStep): Promise<void> {
    const {run, fence} = this.claimed;
    const stages: Stage[] = [await this.world.warehouse.stage(run.id, step.name, fence)];
    try {
      const schemaOf = (described: Schema): Promise<NextSchema> => this.world.warehouse.schemaFor(step.into, described, modeOf(step), run.branch, schemaRulesOf(step, opened.contract));
      const written = async (described: Schema): Promise<Schema | null> => (await schemaOf(described).catch(() => null))?.written ?? null;
      const ready = await look(opened, {folder: stages[0]!.folder, written, report: this.report});
      const {prepared} = ready;
      for (const {level, message} of prepared.notices?.slice(opened.prepared.notices?.length ?? 0) ?? []) this.report.log(level, message);
      const schemaNow = (): Promise<NextSchema> => schemaOf(prepared.described!);
      const first = await schemaNow();
      const staged = await prepared.stage!(stages[0]!.folder, first.written, this.report);
      boundary('files staged');
      // What changes the same dataset waits here; what it commits meanwhile is no conflict as long as the columns stay.
      await this.turns.take(step.into, async () => {
        this.abort.signal.throwIfAborted();
        const now = await schemaNow();
        await this.commitStaged(ready, step, stages, staged, isDeepStrictEqual(now.schema, first.schema) ? now : first);
      });
    } finally {
      await Promise.all(stages.map(stage => stage.discard()));
    }
  }

  private async commitStaged(ready: ReadyStep, step: DatasetStep, stages: Stage[], staged: Staged, next: NextSchema): Promise<void> {
    const {run, fence} = this.claimed;
    const {signal} = this.abort;
    const {warehouse} = this.world;
    const {contract, prepared} = ready;
    const {written, parentId} = next;
    const output = outputOf(step, run.params);
    const sifted = await warehouse.sift({
      dataset: step.into, branch: run.branch, operation: output.operation, contract, files: staged.files, staged: staged.schema, written, runId: run.id, stepName: step.name, fence,
      origins: prepared.origins, replays: prepared.replays, signal,
    });
    stages.push(...[sifted.kept?.stage, sifted.quarantine?.stage].filter(stage => stage !== undefined));
    for (const finding of sifted.findings) this.report.log('warn', findingText(finding));
    const files = sifted.kept?.files ?? staged.files;
    // Nulls that went with the rows that were refused need not be allowed for.
    const schema = sifted.kept ? (await warehouse.schemaFor(step.into, guardedSchema(withoutNulls(prepared.described!, files), contract), output.operation, run.branch, schemaRulesOf(step, contract))).schema : next.schema;
    const commits = [
      await warehouse.prepare({
        ...output, dataset: step.into, branch: run.branch, stage: sifted.kept?.stage ?? stages[0]!, files, written, schema, parentId, contract, setsContract: 'contract' in step && step.contract !== undefined, runId: run.id,
        stepName: step.name, lineage: await prepared.lineage, onlyNewFiles: prepared.onlyNewFiles, signal,
      }),
    ];
    for (const finding of commits[0]!.findings) this.report.log('warn', findingText(finding));
    if (sifted.quarantine) {
      commits.push(await warehouse.prepare(sifted.quarantine).catch(async error => {
        await commits[0]!.abandon();
        throw error;
      }));
    }
    boundary('files moved');
    const {written: rowsWritten, superseded, deleted} = commits[0]!.outcome;
    const [snapshot, ...others] = await this.commit(commits, {
      rowsRead: BigInt(prepared.rowsIn ?? sifted.read), rowsWritten: BigInt(rowsWritten), rowsSuperseded: BigInt(superseded), rowsDeleted: BigInt(deleted),
      rowsQuarantined: BigInt(sifted.quarantined), rowsDropped: BigInt(sifted.dropped), ...fingerprintOf(ready),
    });
    boundary('after commit');
    this.metrics.rowsWritten.inc({dataset: step.into}, rowsWritten);
    // The snapshots stand; a manifest that is missing is written by the next start or by `millrace doctor`.
    for (const [index, one] of [snapshot!, ...others].entries()) {
      await commits[index]!.published(one).catch(error => this.logger.warn({err: error, dataset: one.datasetName}, 'the manifest could not be written'));
    }
    boundary('manifest written');
    for (const one of [snapshot!, ...others]) await this.compactIfScattered(one);
  }

  /** Ends the step with its snapshot, the first of these, and what belongs to it. Files of commits that failed are removed. */
  private async commit(commits: readonly PreparedCommit[], notes: Parameters<RunStore['note']>[2]): Promise<readonly SnapshotRecord[]> {
    const {run, step} = this.claimed;
    try {
      let snapshots: SnapshotRecord[] = [];
      await this.finish('succeeded', null, async stores => {
        snapshots = [];
        for (const commit of commits) snapshots.push(await commit.commit(stores));
        await stores.runs.note(run.id, step.name, {...notes, outputId: snapshots[0]!.id});
        if (notes.rowsQuarantined) await stores.webhooks.enqueue({kind: 'quarantine', run, step: step.name, dataset: snapshots[0]!.datasetName, rows: notes.rowsQuarantined});
        return snapshots.map(({id, datasetName, rowCount}) => (
          {kind: 'snapshot_committed', step: step.name, dataset: datasetName, snapshotId: id, rowCount: String(rowCount), reused: false} as const
        ));
      });
      return snapshots;
    } catch (error) {
      const snapshots = await this.committed(commits.map(commit => commit.snapshotId));
      if (snapshots) return snapshots;
      await Promise.all(commits.map(commit => commit.abandon()));
      throw error;
    }
  }

  /**
   * The snapshots of a unit of work whose answer was lost, if they stand. Looked for behind the lock of the run's row, which a commit
   * that is still under way holds. @throws when the database does not tell: the files may belong to a snapshot, and are left to the sweep
   */
  private committed(ids: readonly string[]): Promise<SnapshotRecord[] | null> {
    const {run, step, fence} = this.claimed;
    return patiently(() => this.world.catalog.transaction(async stores => {
      await stores.runs.prove(run.id, step.name, fence).catch(error => {
        if (asMillraceError(error).code !== 'LEASE_LOST') throw error;
      });
      const found = await stores.datasets.snapshotsById(ids);
      return found.size === 0 ? null : ids.map(id => found.get(id)!);
    }), patience, this.stopping);
  }

  private async compactIfScattered(snapshot: SnapshotRecord): Promise<void> {
    const {compactFiles} = this.options;
    if (compactFiles === 0 || snapshot.fileCount <= compactFiles) return;
    // Compaction is a favour to readers: the step has succeeded without it.
    await this.world.warehouse.compact(snapshot.datasetName).catch(error => this.logger.warn({err: error}, 'compaction failed'));
  }

  private async finishPerformed(ready: ReadyStep): Promise<void> {
    const {run, step} = this.claimed;
    const {rowCount, events} = await ready.prepared.perform!(this.report, () => this.transaction(async () => undefined));
    await this.finish('succeeded', null, async stores => {
      await stores.runs.note(run.id, step.name, {rowsRead: BigInt(ready.prepared.rowsIn ?? rowCount), rowsWritten: BigInt(rowCount)});
      return events;
    });
  }

  private async fail(error: MillraceError): Promise<void> {
    if (error.code === 'LEASE_LOST') throw error;
    const {run, step, attempt} = this.claimed;
    if (error.code === 'SHUTTING_DOWN') return this.giveBack();
    if (error.code === 'INTERNAL') this.logger.error({err: error.cause ?? error}, 'a step failed unexpectedly');
    const stored = {code: error.code, message: error.message, hint: error.hint};
    const attempts = Math.max(transientAttempts[error.code] ?? 1, step.attempts ?? 1);
    if (error.code !== 'RUN_CANCELLED' && attempt < attempts) {
      // Of those that conflict, one has landed: the others need not wait long.
      const waitSeconds = error.code === 'COMMIT_CONFLICT' ? 1 : Math.min(60, 2 ** (attempt - 1));
      await this.transaction(async stores => {
        await stores.runs.retryStep(run.id, step.name, stored, waitSeconds);
        await stores.runs.appendEvents(run.id, [{kind: 'step_retrying', step: step.name, attempt, error: stored, waitSeconds}]);
        await stores.jobs.wake(run.id);
      });
      return;
    }
    await this.finish(error.code === 'RUN_CANCELLED' ? 'cancelled' : 'failed', error.code === 'RUN_CANCELLED' ? null : stored, async () => []);
    boundary('step failed');
  }

  /** Lets another worker take the step at once. */
  private async giveBack(): Promise<void> {
    const {run, step, fence} = this.claimed;
    await this.world.catalog
      .transaction(async stores => {
        await stores.runs.prove(run.id, step.name, fence);
        await stores.runs.giveBack(run.id, step.name);
        await stores.runs.appendEvents(run.id, [{kind: 'log', step: step.name, level: 'info', message: 'its worker stops; another one begins it again'}]);
        await stores.jobs.wake(run.id);
      })
      .catch(() => undefined); // else its lease runs out
  }

  /** Ends the step: its own changes, its events and what follows from them, in one unit of work. */
  private async finish(status: StepStatus, error: StoredError | null, change: (stores: Stores) => Promise<readonly RunEventData[]>): Promise<void> {
    const {run, step} = this.claimed;
    await this.report.flush();
    boundary('before commit');
    await this.transaction(async stores => {
      const events = await change(stores);
      await stores.runs.finishStep(run.id, step.name, status, error);
      await moveRunOn(stores, run.id, [...events, {kind: 'step_finished', step: step.name, status, error}]);
    });
    this.metrics.steps.observe({kind: step.kind, status}, (Date.now() - this.startedAt) / 1_000);
  }

  /** A unit of work that proves the fence first; waits for a database that is away. */
  private async transaction(work: (stores: Stores) => Promise<void>): Promise<void> {
    const {run, step, fence} = this.claimed;
    await patiently(() => this.world.catalog.transaction(async stores => {
      await stores.runs.prove(run.id, step.name, fence);
      await work(stores);
    }), patience, this.stopping);
  }
}

/** Columns in which no file has a null are never null. */
const withoutNulls = (schema: Schema, files: readonly StagedFile[]): Schema => ({
  fields: schema.fields.map(field => ({...field, nullable: field.nullable && files.some(file => file.rowCount > 0 && file.columns.find(column => column.name === field.name)?.nulls !== 0)})),
});

const fates = {fail: 'fail', quarantine: 'quarantined', drop: 'dropped', null_value: 'kept with a null', warn: 'kept'} as const;

const findingText = ({rows, says, fate, example}: Finding): string =>
  rows === null ? `not '${says}' (${example})` : `${rows} row${rows === 1 ? '' : 's'} ${fates[fate]}: not '${says}' (for example ${example})`;

const fingerprintOf = ({fingerprint}: ReadyStep): {fingerprint?: string} => (fingerprint === null ? {} : {fingerprint});
