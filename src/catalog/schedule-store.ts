import type {ScheduleRecord, ScheduleStore, Sequences} from '../schedules/schedule.ts';
import type {Connection} from './database.ts';
import {Prisma} from './prisma/client.ts';

/** Any number that no other program locks. */
const triggersLock = 7_240_118_333;

type Row = Omit<ScheduleRecord, 'newest' | 'fresh'> & {readonly newest: Sequences | null; readonly fresh: readonly string[] | null};

/** A snapshot of compaction (`replace`) has the rows of the one before: it is nothing new. */
const selectSchedules = Prisma.sql`
  SELECT schedule.pipeline_id::text AS "pipelineId", pipeline.name AS pipeline, pipeline.current_id::text AS "definitionId", schedule.rule,
    schedule.next_at AS "nextAt", schedule.last_at AS "lastAt", schedule.last_run_id::text AS "lastRunId", schedule.seen, schedule.paused, schedule.skipped,
    schedule.error, news.newest, news.fresh
  FROM schedule JOIN pipeline ON pipeline.id = schedule.pipeline_id CROSS JOIN LATERAL (
    SELECT jsonb_object_agg(known.name, snapshot.sequence) AS newest,
      array_agg(known.name ORDER BY known.name) FILTER (WHERE snapshot.sequence - known.sequence::int > (
        SELECT count(*) FROM snapshot AS same WHERE same.dataset_id = dataset.id AND same.sequence > known.sequence::int AND same.operation = 'replace')) AS fresh
    FROM jsonb_each_text(schedule.seen) AS known (name, sequence)
    JOIN dataset ON dataset.name = known.name JOIN head ON head.dataset_id = dataset.id AND head.branch = 'main' JOIN snapshot ON snapshot.id = head.snapshot_id) AS news`;

const toSchedule = (row: Row): ScheduleRecord => ({...row, newest: row.newest ?? {}, fresh: row.fresh ?? []});

/** Schedules. A pipeline's row is locked before its schedule's, as by whoever stores a definition. */
export class PrismaScheduleStore implements ScheduleStore {
  constructor(private readonly db: Connection) {}

  async now(): Promise<Date> {
    const [row] = await this.db.$queryRaw<[{now: Date}]>`SELECT clock_timestamp() AS now`;
    return row.now;
  }

  list(): Promise<ScheduleRecord[]> {
    return this.where(Prisma.sql`ORDER BY pipeline.name`);
  }

  ofPipelines(names: readonly string[]): Promise<ScheduleRecord[]> {
    return this.where(Prisma.sql`WHERE pipeline.name = ANY (${names}::text[]) ORDER BY pipeline.name`);
  }

  async lock(pipelineId: string): Promise<ScheduleRecord | null> {
    await this.db.$queryRaw`SELECT id FROM pipeline WHERE id = ${pipelineId}::uuid FOR UPDATE`;
    const [schedule] = await this.where(Prisma.sql`WHERE pipeline.id = ${pipelineId}::uuid`);
    return schedule ?? null;
  }

  async put(pipelineId: string, {rule, nextAt, seen}: Parameters<ScheduleStore['put']>[1]): Promise<void> {
    const state = {rule: rule as object, nextAt, seen, error: Prisma.DbNull};
    await this.db.schedule.upsert({where: {pipelineId}, create: {pipelineId, ...state}, update: state});
  }

  async remove(pipelineId: string): Promise<void> {
    await this.db.schedule.deleteMany({where: {pipelineId}});
  }

  async note(pipelineId: string, {error, ...fields}: Parameters<ScheduleStore['note']>[1]): Promise<void> {
    await this.db.schedule.update({where: {pipelineId}, data: {...fields, ...(error === undefined ? {} : {error: error === null ? Prisma.DbNull : {...error}})}});
  }

  async sequences(datasets: readonly string[]): Promise<Sequences> {
    const rows = await this.db.$queryRaw<{name: string; sequence: number}[]>`
      SELECT dataset.name, snapshot.sequence FROM dataset JOIN head ON head.dataset_id = dataset.id AND head.branch = 'main'
      JOIN snapshot ON snapshot.id = head.snapshot_id WHERE dataset.name = ANY (${datasets}::text[])`;
    return Object.fromEntries(rows.map(({name, sequence}) => [name, sequence]));
  }

  async lockTriggers(): Promise<void> {
    await this.db.$queryRaw`SELECT 1 AS one FROM pg_advisory_xact_lock(${triggersLock})`;
  }

  private async where(rest: Prisma.Sql): Promise<ScheduleRecord[]> {
    return (await this.db.$queryRaw<Row[]>`${selectSchedules} ${rest}`).map(toSchedule);
  }
}
