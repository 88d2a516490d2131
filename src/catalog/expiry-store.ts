import type {ExpiryStore, Leftover, PastSnapshot} from '../maintenance/maintenance.ts';
import type {Connection} from './database.ts';
import {Prisma} from './prisma/client.ts';

/** No snapshot that stays has the file. */
const isOfNone = (without: readonly string[]) => Prisma.sql`NOT EXISTS (
  SELECT FROM snapshot WHERE snapshot.dataset_id = file.dataset_id AND snapshot.expired_at IS NULL AND NOT snapshot.id = ANY(${without}::uuid[])
    AND snapshot.sequence >= file.added_at AND (file.removed_at IS NULL OR snapshot.sequence < file.removed_at))`;

export class PrismaExpiryStore implements ExpiryStore {
  constructor(private readonly db: Connection) {}

  async lock(datasetId: string): Promise<void> {
    await this.db.$queryRaw`SELECT id FROM dataset WHERE id = ${datasetId}::uuid FOR UPDATE`;
    await this.db.$queryRaw`SELECT id FROM snapshot WHERE dataset_id = ${datasetId}::uuid AND expired_at IS NULL ORDER BY id FOR UPDATE`;
  }

  async past(datasetId: string): Promise<PastSnapshot[]> {
    return this.db.$queryRaw<PastSnapshot[]>`
      WITH of_dataset AS (
        SELECT *, lead(committed_at) OVER (ORDER BY sequence) AS superseded_at FROM snapshot WHERE dataset_id = ${datasetId}::uuid
      ), used AS (
        SELECT run.id::text AS run_id, step.output_id, step.inputs FROM run JOIN run_step AS step ON step.run_id = run.id WHERE run.finished_at IS NULL
      ), in_use AS (
        SELECT run_id, output_id::text AS id FROM used WHERE output_id IS NOT NULL
        UNION ALL SELECT run_id, input.value FROM used CROSS JOIN LATERAL jsonb_each_text(CASE jsonb_typeof(inputs) WHEN 'object' THEN inputs ELSE '{}' END) AS input
      )
      SELECT id::text, sequence, row_count AS "rowCount", committed_at AS "committedAt",
        (extract(epoch FROM clock_timestamp() - superseded_at) / 86400)::float8 AS "daysPast",
        EXISTS (SELECT FROM head WHERE head.snapshot_id = of_dataset.id) AS "isHead",
        (SELECT owner FROM pin WHERE pin.snapshot_id = of_dataset.id AND until > clock_timestamp() ORDER BY until DESC LIMIT 1) AS "pinnedBy",
        (SELECT model.name || '@' || version.number FROM model_version AS version JOIN model ON model.id = version.model_id
          WHERE of_dataset.id = ANY(version.trained_on) ORDER BY version.created_at DESC LIMIT 1) AS "trained",
        (SELECT run_id FROM in_use WHERE in_use.id = of_dataset.id::text LIMIT 1) AS "runId"
      FROM of_dataset WHERE expired_at IS NULL ORDER BY sequence DESC`;
  }

  async freed(datasetId: string, snapshotIds: readonly string[]): Promise<{files: number; bytes: bigint}> {
    const [row] = await this.db.$queryRaw<[{files: number; bytes: bigint}]>`
      SELECT count(*)::int AS files, coalesce(sum(bytes), 0)::bigint AS bytes FROM data_file AS file
      WHERE file.dataset_id = ${datasetId}::uuid AND ${isOfNone(snapshotIds)}`;
    return row;
  }

  async expire(datasetId: string, snapshotIds: readonly string[], graceHours: number): Promise<void> {
    await this.db.$executeRaw`
      WITH expired AS (
        UPDATE snapshot SET expired_at = clock_timestamp(), profile = '[]' WHERE id = ANY(${snapshotIds}::uuid[]) RETURNING id, dataset_id)
      INSERT INTO leftover (path, bytes, snapshot_id, due)
      SELECT 'data/' || dataset.name || '/' || expired.id || '/manifest.json', 0, expired.id, clock_timestamp() FROM expired JOIN dataset ON dataset.id = expired.dataset_id
      ON CONFLICT (path) DO NOTHING`;
    await this.db.$executeRaw`
      WITH gone AS (DELETE FROM data_file AS file WHERE file.dataset_id = ${datasetId}::uuid AND ${isOfNone([])} RETURNING path, bytes)
      INSERT INTO leftover (path, bytes, due) SELECT path, bytes, clock_timestamp() + ${graceHours} * interval '1 hour' FROM gone`;
  }

  async due(limit: number): Promise<Leftover[]> {
    return this.db.$queryRaw<Leftover[]>`
      SELECT path, bytes, snapshot_id::text AS "snapshotId" FROM leftover WHERE due <= clock_timestamp() ORDER BY snapshot_id IS NULL, path LIMIT ${limit}`;
  }

  async waiting(): Promise<{due: Files; later: Files}> {
    const [row] = await this.db.$queryRaw<[{dueFiles: number; dueBytes: bigint; laterFiles: number; laterBytes: bigint}]>`
      SELECT count(*) FILTER (WHERE due <= clock_timestamp())::int AS "dueFiles", coalesce(sum(bytes) FILTER (WHERE due <= clock_timestamp()), 0)::bigint AS "dueBytes",
        count(*) FILTER (WHERE due > clock_timestamp())::int AS "laterFiles", coalesce(sum(bytes) FILTER (WHERE due > clock_timestamp()), 0)::bigint AS "laterBytes"
      FROM leftover WHERE snapshot_id IS NULL`;
    return {due: {files: row.dueFiles, bytes: row.dueBytes}, later: {files: row.laterFiles, bytes: row.laterBytes}};
  }

  async leave(leftovers: readonly {readonly path: string; readonly bytes: bigint}[], {hours = 0, isDraft = false} = {}): Promise<void> {
    for (const {path, bytes} of leftovers) {
      await this.db.$executeRaw`
        INSERT INTO leftover (path, bytes, is_draft, due) VALUES (${path}, ${bytes}, ${isDraft}, clock_timestamp() + ${hours} * interval '1 hour') ON CONFLICT (path) DO NOTHING`;
    }
  }

  async forget(paths: readonly string[]): Promise<void> {
    await this.db.leftover.deleteMany({where: {path: {in: [...paths]}}});
  }

  async giveUp(paths: readonly string[]): Promise<number> {
    return this.db.$executeRaw`UPDATE leftover SET due = clock_timestamp() WHERE path = ANY(${paths}::text[]) AND is_draft`;
  }

  async takeTurn(of: string, hours: number): Promise<boolean> {
    const taken = await this.db.$executeRaw`
      INSERT INTO turn ("of", taken_at) VALUES (${of}, clock_timestamp())
      ON CONFLICT ("of") DO UPDATE SET taken_at = clock_timestamp() WHERE turn.taken_at <= clock_timestamp() - ${hours} * interval '1 hour'`;
    return taken === 1;
  }
}

type Files = {files: number; bytes: bigint};
