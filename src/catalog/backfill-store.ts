import type {BackfillPartition, BackfillRecord, BackfillStore} from '../pipelines/backfill.ts';
import type {Connection} from './database.ts';
import {isUuid} from './dataset-store.ts';
import {Prisma} from './prisma/client.ts';

const selectBackfills = Prisma.sql`
  SELECT backfill.id::text, pipeline.name AS pipeline, backfill.definition_id::text AS "definitionId", coalesce((pipeline_definition.definition ->> 'concurrency')::int, 1) AS concurrency,
    backfill.param, backfill.grain, backfill.first, backfill.last, backfill.params, backfill.steps, backfill.requested_by AS "requestedBy",
    backfill.cancelled_at AS "cancelledAt", backfill.created_at AS "createdAt"
  FROM backfill JOIN pipeline_definition ON pipeline_definition.id = backfill.definition_id JOIN pipeline ON pipeline.id = pipeline_definition.pipeline_id`;

const unended = Prisma.sql`('queued', 'waiting', 'running')`;

export class PrismaBackfillStore implements BackfillStore {
  constructor(private readonly db: Connection) {}

  async lockPipeline(definitionId: string): Promise<void> {
    await this.db.$queryRaw`SELECT id FROM pipeline WHERE id = (SELECT pipeline_id FROM pipeline_definition WHERE id = ${definitionId}::uuid) FOR UPDATE`;
  }

  async create({id, definitionId, param, grain, first, last, params, steps, requestedBy}: Parameters<BackfillStore['create']>[0], partitions: Parameters<BackfillStore['create']>[1]): Promise<void> {
    await this.db.backfill.create({data: {id, definitionId, param, grain, first, last, params, steps: steps as unknown as object[], requestedBy}});
    await this.db.backfillPartition.createMany({data: partitions.map(one => ({...one, backfillId: id}))});
  }

  list({pipeline, definitionId, limit}: Parameters<BackfillStore['list']>[0]): Promise<BackfillRecord[]> {
    return this.db.$queryRaw<BackfillRecord[]>`
      ${selectBackfills} WHERE (${pipeline ?? null}::text IS NULL OR pipeline.name = ${pipeline ?? null}) AND (${definitionId ?? null}::uuid IS NULL OR backfill.definition_id = ${definitionId ?? null}::uuid)
      ORDER BY backfill.created_at DESC, backfill.id DESC LIMIT ${limit}`;
  }

  async byId(id: string): Promise<BackfillRecord | null> {
    if (!isUuid(id)) return null;
    const [backfill] = await this.db.$queryRaw<BackfillRecord[]>`${selectBackfills} WHERE backfill.id = ${id}::uuid`;
    return backfill ?? null;
  }

  async partitionsOf(ids: readonly string[]): Promise<Map<string, BackfillPartition[]>> {
    const rows = await this.db.$queryRaw<(BackfillPartition & {backfillId: string})[]>`
      SELECT of.backfill_id::text AS "backfillId", of.partition, of.run_id::text AS "runId", run.status AS "runStatus"
      FROM backfill_partition AS of LEFT JOIN run ON run.id = of.run_id WHERE of.backfill_id = ANY (${ids.filter(isUuid)}::uuid[]) ORDER BY of.partition`;
    const by = Map.groupBy(rows, row => row.backfillId);
    return new Map(ids.map(id => [id, (by.get(id) ?? []).map(({backfillId: _, ...partition}) => partition)]));
  }

  async runsOf(definitionId: string, param: string, params: BackfillRecord['params'], partitions: readonly string[]): Promise<Map<string, string>> {
    const rows = await this.db.$queryRaw<{partition: string; id: string}[]>`
      SELECT DISTINCT ON (partition) params ->> ${param}::text AS partition, id::text FROM run
      WHERE definition_id = ${definitionId}::uuid AND (status = 'succeeded' OR (status IN ${unended} AND NOT cancel_requested))
        AND params - ${param}::text = ${JSON.stringify(params)}::jsonb AND params ->> ${param}::text = ANY (${partitions}::text[])
      ORDER BY partition, status = 'succeeded' DESC, created_at DESC`;
    return new Map(rows.map(({partition, id}) => [partition, id]));
  }

  lockByRun(runId: string): Promise<BackfillRecord[]> {
    return this.db.$queryRaw<BackfillRecord[]>`
      ${selectBackfills} WHERE backfill.cancelled_at IS NULL AND backfill.id IN (SELECT backfill_id FROM backfill_partition WHERE run_id = ${runId}::uuid)
      ORDER BY backfill.id FOR UPDATE OF backfill`;
  }

  async state(id: string, limit: number): Promise<{active: number; waiting: string[]}> {
    const [row] = await this.db.$queryRaw<[{active: number; waiting: string[]}]>`
      SELECT (SELECT count(*)::int FROM backfill_partition AS of JOIN run ON run.id = of.run_id WHERE of.backfill_id = ${id}::uuid AND run.status IN ${unended}) AS active,
        ARRAY(SELECT partition FROM backfill_partition WHERE backfill_id = ${id}::uuid AND run_id IS NULL ORDER BY partition LIMIT ${limit}) AS waiting`;
    return row;
  }

  async assign(id: string, partition: string, runId: string): Promise<void> {
    await this.db.backfillPartition.update({where: {backfillId_partition: {backfillId: id, partition}}, data: {runId}});
  }

  async cancel(id: string): Promise<void> {
    await this.db.$executeRaw`UPDATE backfill SET cancelled_at = coalesce(cancelled_at, clock_timestamp()) WHERE id = ${id}::uuid`;
  }
}
