import {MillraceError} from '../core/errors.ts';
import {newId} from '../core/ids.ts';
import type {
  ClaimedStep, EngineChoice, ParamValue, PipelineDefinition, PipelineRecord, RunEventData, RunEventRecord, RunRecord, RunStatus, RunStore, StepKindName, StepRecord,
  StepStatus, StoredError,
} from '../pipelines/pipeline.ts';
import type {Connection} from './database.ts';
import {isUuid} from './dataset-store.ts';
import {Prisma} from './prisma/client.ts';
import type {Pipeline, PipelineDefinition as DefinitionRow, Run, RunStep} from './prisma/client.ts';

const withDefinition = {definition: {include: {pipeline: true}}} as const;
type RunRow = Run & {definition: DefinitionRow & {pipeline: Pipeline}};

/** One run with its definition, by one statement: an `include` of the ORM is one more for each table, and this is asked at each step. */
const selectRun = Prisma.sql`
  SELECT run.id::text, pipeline.name AS pipeline, run.definition_id::text AS "definitionId", pipeline_definition.definition, run.branch, run.params, run.engine, run.status,
    run.waiting_for AS "waitingFor", run.requested_by AS "requestedBy", run.idempotency_key AS "idempotencyKey", run.retry_of_id::text AS "retryOfId",
    run.cancel_requested AS "cancelRequested", run.error, run.last_seq AS "lastSeq", run.created_at AS "createdAt", run.started_at AS "startedAt",
    run.finished_at AS "finishedAt"
  FROM run JOIN pipeline_definition ON pipeline_definition.id = run.definition_id JOIN pipeline ON pipeline.id = pipeline_definition.pipeline_id`;

const toRun = (row: RunRow): RunRecord => ({
  id: row.id,
  pipeline: row.definition.pipeline.name,
  definitionId: row.definitionId,
  definition: row.definition.definition as unknown as PipelineDefinition,
  branch: row.branch,
  params: row.params as Record<string, ParamValue>,
  engine: row.engine as EngineChoice | null,
  status: row.status as RunStatus,
  waitingFor: row.waitingFor,
  requestedBy: row.requestedBy,
  idempotencyKey: row.idempotencyKey,
  retryOfId: row.retryOfId,
  cancelRequested: row.cancelRequested,
  error: row.error as StoredError | null,
  lastSeq: row.lastSeq,
  createdAt: row.createdAt,
  startedAt: row.startedAt,
  finishedAt: row.finishedAt,
});

const toStep = (row: RunStep): StepRecord => ({
  runId: row.runId,
  name: row.name,
  position: row.position,
  kind: row.kind as StepKindName,
  status: row.status as StepStatus,
  attempt: row.attempt,
  fence: row.fence,
  worker: row.worker,
  needs: row.needs,
  inputs: row.inputs as Record<string, string> | null,
  fingerprint: row.fingerprint,
  reused: row.reused,
  reason: row.reason,
  engine: row.engine,
  outputId: row.outputId,
  rowsRead: row.rowsRead,
  rowsWritten: row.rowsWritten,
  rowsSuperseded: row.rowsSuperseded,
  rowsDeleted: row.rowsDeleted,
  rowsQuarantined: row.rowsQuarantined,
  rowsDropped: row.rowsDropped,
  error: row.error as StoredError | null,
  startedAt: row.startedAt,
  finishedAt: row.finishedAt,
});

const toPipeline = (row: Pipeline & {current: DefinitionRow | null}): PipelineRecord => ({
  id: row.id,
  name: row.name,
  definitionId: row.current!.id,
  definition: row.current!.definition as unknown as PipelineDefinition,
  hash: row.current!.hash,
  origin: row.current!.origin,
  createdAt: row.current!.createdAt,
});

const ended: readonly StepStatus[] = ['succeeded', 'failed', 'cancelled', 'skipped'];

/**
 * Runs. Locks are taken in one order (a run's row, its steps' rows, its pipeline's row, those of runs that wait), so that units of work never wait for each other in a
 * circle; a claim locks its step only, and says nothing about the run.
 */
export class PrismaRunStore implements RunStore {
  constructor(
    private readonly db: Connection,
    private readonly wake: (runId: string) => Promise<void>,
  ) {}

  async pipelines(): Promise<PipelineRecord[]> {
    return (await this.db.pipeline.findMany({where: {currentId: {not: null}}, include: {current: true}, orderBy: {name: 'asc'}})).map(toPipeline);
  }

  async pipeline(name: string): Promise<PipelineRecord | null> {
    const row = await this.db.pipeline.findUnique({where: {name}, include: {current: true}});
    return row?.current ? toPipeline(row) : null;
  }

  async putPipeline(definition: PipelineDefinition, hash: string, origin: string): Promise<PipelineRecord> {
    const pipeline = await this.db.pipeline.upsert({where: {name: definition.name}, create: {id: newId(), name: definition.name}, update: {}});
    const {id} = await this.db.pipelineDefinition.upsert({
      where: {pipelineId_hash: {pipelineId: pipeline.id, hash}},
      create: {id: newId(), pipelineId: pipeline.id, hash, definition: definition as object, origin},
      update: {},
    });
    return toPipeline(await this.db.pipeline.update({where: {id: pipeline.id}, data: {currentId: id}, include: {current: true}}));
  }

  async createRun(input: Parameters<RunStore['createRun']>[0]): Promise<RunRecord> {
    const {definitionId, params, requestedBy, idempotencyKey, retryOfId, branch, engine, steps} = input;
    const id = newId();
    await this.db.run.create({
      data: {
        id, definitionId, params, requestedBy, idempotencyKey: idempotencyKey ?? null, retryOfId: retryOfId ?? null, branch, engine: engine ?? null, status: 'waiting',
        steps: {createMany: {data: steps.map(step => ({...step, needs: [...step.needs], status: 'pending'}))}},
      },
    });
    return (await this.run(id))!;
  }

  async runByIdempotencyKey(requestedBy: string, key: string): Promise<RunRecord | null> {
    const row = await this.db.run.findUnique({where: {requestedBy_idempotencyKey: {requestedBy, idempotencyKey: key}}, include: withDefinition});
    return row && toRun(row);
  }

  async run(id: string): Promise<RunRecord | null> {
    if (!isUuid(id)) return null;
    const [run] = await this.db.$queryRaw<RunRecord[]>`${selectRun} WHERE run.id = ${id}::uuid`;
    return run ?? null;
  }

  async runsById(ids: readonly string[]): Promise<RunRecord[]> {
    return (await this.db.run.findMany({where: {id: {in: ids.filter(isUuid)}}, include: withDefinition})).map(toRun);
  }

  async runs({pipeline, status, limit, before}: Parameters<RunStore['runs']>[0]): Promise<RunRecord[]> {
    const where = {
      ...(pipeline === undefined ? {} : {definition: {pipeline: {name: pipeline}}}),
      ...(status === undefined ? {} : {status}),
      ...(before === undefined ? {} : {createdAt: {lt: before}}),
    };
    return (await this.db.run.findMany({where, include: withDefinition, orderBy: [{createdAt: 'desc'}, {id: 'desc'}], take: limit})).map(toRun);
  }

  async steps(runId: string): Promise<StepRecord[]> {
    return (await this.db.runStep.findMany({where: {runId}, orderBy: {position: 'asc'}})).map(toStep);
  }

  async stepsOf(runIds: readonly string[]): Promise<Map<string, StepRecord[]>> {
    const rows = await this.db.runStep.findMany({where: {runId: {in: [...runIds]}}, orderBy: {position: 'asc'}});
    return new Map(runIds.map(id => [id, rows.filter(row => row.runId === id).map(toStep)]));
  }

  async stepByFingerprint(fingerprint: string): Promise<StepRecord | null> {
    const row = await this.db.runStep.findFirst({where: {fingerprint, status: 'succeeded'}, orderBy: {finishedAt: 'desc'}});
    return row && toStep(row);
  }

  async appendEvents(runId: string, events: readonly RunEventData[]): Promise<bigint> {
    const rows = await this.db.$queryRaw<{last_seq: bigint}[]>`
      WITH numbered AS (UPDATE run SET last_seq = last_seq + ${events.length} WHERE id = ${runId}::uuid RETURNING last_seq),
      inserted AS (
        INSERT INTO run_event (run_id, seq, at, kind, data)
        SELECT ${runId}::uuid, numbered.last_seq - ${events.length} + item.n, clock_timestamp(), item.event ->> 'kind', item.event
        FROM numbered, jsonb_array_elements(${JSON.stringify(events)}::jsonb) WITH ORDINALITY AS item (event, n))
      SELECT last_seq FROM numbered`;
    await this.wake(runId);
    return rows[0]!.last_seq;
  }

  async events(runId: string, after: bigint, limit: number): Promise<RunEventRecord[]> {
    const rows = await this.db.runEvent.findMany({where: {runId, seq: {gt: after}}, orderBy: {seq: 'asc'}, take: limit});
    return rows.map(row => ({runId, seq: row.seq, at: row.at, data: row.data as unknown as RunEventData}));
  }

  async expireEvents(days: number): Promise<number> {
    return this.db.$executeRaw`
      DELETE FROM run_event USING run WHERE run.id = run_event.run_id AND run.finished_at < clock_timestamp() - ${days} * interval '1 day'`;
  }

  async oldEvents(days: number): Promise<number> {
    const [row] = await this.db.$queryRaw<[{count: number}]>`
      SELECT count(*)::int AS count FROM run_event JOIN run ON run.id = run_event.run_id WHERE run.finished_at < clock_timestamp() - ${days} * interval '1 day'`;
    return row.count;
  }

  async claim(worker: string, leaseSeconds: number): Promise<ClaimedStep | null> {
    const claimed = await this.db.$queryRaw<{run_id: string; name: string; fence: number; attempt: number; deaths: number}[]>`
      UPDATE run_step SET
        attempt = attempt + CASE WHEN status = 'queued' THEN 1 ELSE 0 END,
        deaths = deaths + CASE WHEN status = 'running' THEN 1 ELSE 0 END,
        status = 'running', worker = ${worker}, fence = fence + 1,
        lease_until = clock_timestamp() + ${leaseSeconds} * interval '1 second',
        started_at = coalesce(started_at, clock_timestamp())
      WHERE (run_id, name) = (
        SELECT step.run_id, step.name FROM run_step AS step JOIN run ON run.id = step.run_id
        WHERE (step.status = 'queued' AND (step.not_before IS NULL OR step.not_before <= clock_timestamp()))
           OR (step.status = 'running' AND step.lease_until < clock_timestamp())
        ORDER BY run.created_at, step.position LIMIT 1 FOR UPDATE OF step SKIP LOCKED)
      RETURNING run_id, name, fence, attempt, deaths`;
    const row = claimed[0];
    if (!row) return null;
    const run = (await this.run(row.run_id))!;
    return {run, step: run.definition.steps.find(step => step.name === row.name)!, fence: row.fence, attempt: row.attempt, deaths: row.deaths};
  }

  async heartbeat(runId: string, step: string, fence: number, leaseSeconds: number): Promise<{owned: boolean; cancel: boolean}> {
    const rows = await this.db.$queryRaw<{cancel_requested: boolean}[]>`
      UPDATE run_step SET lease_until = clock_timestamp() + ${leaseSeconds} * interval '1 second'
      FROM run WHERE run.id = run_step.run_id AND run_id = ${runId}::uuid AND name = ${step} AND fence = ${fence} AND run_step.status = 'running'
      RETURNING run.cancel_requested`;
    return {owned: rows.length === 1, cancel: rows[0]?.cancel_requested ?? false};
  }

  async prove(runId: string, step: string, fence: number): Promise<void> {
    const rows = await this.db.$queryRaw<unknown[]>`
      WITH locked AS MATERIALIZED (SELECT id FROM run WHERE id = ${runId}::uuid FOR UPDATE)
      SELECT 1 AS one FROM run_step WHERE run_id = (SELECT id FROM locked) AND name = ${step} AND fence = ${fence} AND status = 'running' FOR UPDATE`;
    if (rows.length === 0) throw new MillraceError('LEASE_LOST', {step});
  }

  private async lock(runId: string): Promise<void> {
    await this.db.$queryRaw`SELECT id FROM run WHERE id = ${runId}::uuid FOR UPDATE`;
  }

  async note(runId: string, step: string, fields: Parameters<RunStore['note']>[2]): Promise<void> {
    const {inputs, ...plain} = fields;
    await this.db.runStep.update({where: {runId_name: {runId, name: step}}, data: {...plain, ...(inputs ? {inputs} : {})}});
  }

  async beginRun(runId: string): Promise<boolean> {
    return (await this.db.$executeRaw`
      UPDATE run SET status = 'running', started_at = clock_timestamp() WHERE id = ${runId}::uuid AND status = 'queued'`) === 1;
  }

  async finishStep(runId: string, step: string, status: StepStatus, error: StoredError | null): Promise<void> {
    await this.db.$executeRaw`
      UPDATE run_step SET status = ${status}, error = ${error && JSON.stringify(error)}::jsonb, finished_at = clock_timestamp(), lease_until = NULL, worker = NULL
      WHERE run_id = ${runId}::uuid AND name = ${step}`;
  }

  async retryStep(runId: string, step: string, error: StoredError, waitSeconds: number): Promise<void> {
    await this.db.$executeRaw`
      UPDATE run_step SET status = 'queued', error = ${JSON.stringify(error)}::jsonb, lease_until = NULL, worker = NULL,
        not_before = clock_timestamp() + ${waitSeconds} * interval '1 second'
      WHERE run_id = ${runId}::uuid AND name = ${step}`;
  }

  async giveBack(runId: string, step: string): Promise<void> {
    await this.db.$executeRaw`
      UPDATE run_step SET status = 'queued', attempt = attempt - 1, lease_until = NULL, worker = NULL, not_before = NULL
      WHERE run_id = ${runId}::uuid AND name = ${step}`;
  }

  async advance(runId: string): Promise<RunEventData[]> {
    const [run] = await this.db.$queryRaw<[RunRecord]>`${selectRun} WHERE run.id = ${runId}::uuid FOR UPDATE OF run`;
    const steps = await this.steps(runId);
    const status = new Map(steps.map(step => [step.name, step.status]));
    const events: RunEventData[] = [];
    const end = async (step: StepRecord, to: StepStatus): Promise<void> => {
      status.set(step.name, to);
      await this.finishStep(runId, step.name, to, null);
      events.push({kind: 'step_finished', step: step.name, status: to, error: null});
    };
    // In topological order (steps are stored in it), so that what cannot run is known before what needs it.
    for (const step of steps) {
      if (step.status === 'queued' && run.cancelRequested) await end(step, 'cancelled');
      if (step.status !== 'pending') continue;
      if (run.cancelRequested) await end(step, 'cancelled');
      else if (step.needs.some(need => ['failed', 'skipped', 'cancelled'].includes(status.get(need)!))) await end(step, 'skipped');
      else if (run.status !== 'waiting' && step.needs.every(need => status.get(need) === 'succeeded')) {
        status.set(step.name, 'queued');
        await this.db.runStep.update({where: {runId_name: {runId, name: step.name}}, data: {status: 'queued'}});
      }
    }
    if ([...status.values()].every(of => ended.includes(of))) events.push(await this.endRun(run, steps, status));
    return events;
  }

  private async endRun(run: RunRecord, steps: readonly StepRecord[], status: ReadonlyMap<string, StepStatus>): Promise<RunEventData> {
    const failed = steps.find(step => status.get(step.name) === 'failed');
    const outcome: RunStatus = failed ? 'failed' : run.cancelRequested && [...status.values()].includes('cancelled') ? 'cancelled' : 'succeeded';
    const error = failed
      ? new MillraceError('RUN_FAILED', {step: failed.name, reason: failed.error?.message ?? 'unknown'}).toJSON()
      : outcome === 'cancelled' ? new MillraceError('RUN_CANCELLED').toJSON() : null;
    await this.db.$executeRaw`
      UPDATE run SET status = ${outcome}, error = ${error && JSON.stringify(error)}::jsonb, finished_at = clock_timestamp(), waiting_for = NULL WHERE id = ${run.id}::uuid`;
    return {kind: 'run_finished', status: outcome, error};
  }

  async admit(runId: string): Promise<string[]> {
    const run = (await this.run(runId))!;
    const {pipelineId} = await this.db.pipelineDefinition.findUniqueOrThrow({where: {id: run.definitionId}});
    await this.db.$queryRaw`SELECT id FROM pipeline WHERE id = ${pipelineId}::uuid FOR UPDATE`;
    const active = await this.db.run.findMany({where: {status: {in: ['queued', 'running']}, definition: {pipelineId}}, orderBy: {createdAt: 'asc'}});
    const waiting = await this.db.run.findMany({where: {status: 'waiting', definition: {pipelineId}}, orderBy: [{createdAt: 'asc'}, {id: 'asc'}]});
    const free = Math.max(0, (run.definition.concurrency ?? 1) - active.length);
    const admitted = waiting.slice(0, free).map(row => row.id);
    await this.db.run.updateMany({where: {id: {in: admitted}}, data: {status: 'queued', waitingFor: null}});
    let ahead = [...active.map(row => row.id), ...admitted].at(-1);
    for (const row of waiting.slice(free)) {
      const waitingFor = `run ${ahead} of the same pipeline`;
      if (row.waitingFor !== waitingFor) await this.db.run.update({where: {id: row.id}, data: {waitingFor}});
      ahead = row.id;
    }
    return admitted;
  }

  async requestCancel(runId: string): Promise<void> {
    // Who admits runs holds the pipeline's row and changes those of all that wait: so to end one that waits, the pipeline's comes first here too.
    await this.db.$queryRaw`
      SELECT pipeline.id FROM pipeline JOIN pipeline_definition ON pipeline_definition.pipeline_id = pipeline.id JOIN run ON run.definition_id = pipeline_definition.id
      WHERE run.id = ${runId}::uuid AND run.status = 'waiting' FOR UPDATE OF pipeline`;
    await this.lock(runId);
    await this.db.run.update({where: {id: runId}, data: {cancelRequested: true}});
  }

  async nextDue(): Promise<number | null> {
    const [row] = await this.db.$queryRaw<{seconds: number | null}[]>`
      SELECT extract(epoch FROM min(CASE WHEN status = 'running' THEN lease_until ELSE not_before END) - clock_timestamp())::float8 AS seconds
      FROM run_step WHERE (status = 'running' AND lease_until IS NOT NULL) OR (status = 'queued' AND not_before IS NOT NULL)`;
    return row?.seconds ?? null;
  }
}
