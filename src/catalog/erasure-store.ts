import {MillraceError} from '../core/errors.ts';
import type {Affected, ErasedSnapshot, ErasureRecord, ErasureStore, Rewritten} from '../maintenance/maintenance.ts';
import type {Field, Schema} from '../schemas/schema.ts';
import type {FileRecord} from '../warehouse/warehouse.ts';
import {isUuid, toFile} from './dataset-store.ts';
import type {Connection} from './database.ts';
import type {Erasure} from './prisma/client.ts';

const toErasure = ({selectedBy, affected, ...row}: Erasure): ErasureRecord => ({...row, selectedBy: selectedBy as ErasureRecord['selectedBy'], affected: affected as unknown as Affected});

export class PrismaErasureStore implements ErasureStore {
  constructor(private readonly db: Connection) {}

  async files(datasetId: string): Promise<FileRecord[]> {
    return (await this.db.dataFile.findMany({where: {datasetId}, orderBy: [{addedAt: 'asc'}, {position: 'asc'}]})).map(toFile);
  }

  async schemas(datasetId: string): Promise<Map<number, Schema>> {
    const rows = await this.db.schemaVersion.findMany({where: {datasetId}});
    return new Map(rows.map(({version, fields}) => [version, {fields: fields as unknown as Field[]}]));
  }

  async affected(datasetIds: readonly string[], snapshotIds: readonly string[]): Promise<Affected> {
    const [row] = await this.db.$queryRaw<[Affected]>`
      WITH RECURSIVE edge AS (
        SELECT snapshot.id AS child, input.value AS parent FROM snapshot
        CROSS JOIN LATERAL jsonb_each_text(CASE jsonb_typeof(lineage -> 'inputs') WHEN 'object' THEN lineage -> 'inputs' ELSE '{}' END) AS input
        UNION ALL SELECT id, parent_id::text FROM snapshot WHERE parent_id IS NOT NULL AND operation NOT IN ('overwrite', 'replace')
      ), follows (id) AS (
        SELECT unnest(${snapshotIds}::uuid[]) UNION SELECT edge.child FROM edge JOIN follows ON edge.parent = follows.id::text
      ), derived AS (
        SELECT dataset.name, count(*)::int AS snapshots FROM follows JOIN snapshot ON snapshot.id = follows.id JOIN dataset ON dataset.id = snapshot.dataset_id
        WHERE NOT snapshot.dataset_id = ANY(${datasetIds}::uuid[]) AND snapshot.expired_at IS NULL GROUP BY dataset.name
      ), trained AS (
        SELECT DISTINCT model.name || '@' || version.number AS name FROM model_version AS version JOIN model ON model.id = version.model_id
        WHERE EXISTS (SELECT FROM follows WHERE follows.id = ANY(version.trained_on))
      ), read AS (
        SELECT DISTINCT file ->> 'name' AS name FROM snapshot
        CROSS JOIN LATERAL jsonb_array_elements(CASE jsonb_typeof(lineage -> 'files') WHEN 'array' THEN lineage -> 'files' ELSE '[]' END) AS file
        WHERE snapshot.id = ANY(${snapshotIds}::uuid[])
      ), told AS (
        SELECT DISTINCT step.run_id::text AS id FROM run_step AS step
        WHERE (step.output_id = ANY(${snapshotIds}::uuid[]) OR EXISTS (
          SELECT FROM jsonb_each_text(CASE jsonb_typeof(step.inputs) WHEN 'object' THEN step.inputs ELSE '{}' END) AS input WHERE input.value = ANY(${snapshotIds}::text[])))
          AND EXISTS (SELECT FROM run_event WHERE run_event.run_id = step.run_id)
      )
      SELECT
        coalesce((SELECT jsonb_agg(jsonb_build_object('name', name, 'snapshots', snapshots) ORDER BY name) FROM derived), '[]') AS datasets,
        coalesce((SELECT jsonb_agg(name ORDER BY name) FROM trained), '[]') AS "modelVersions",
        coalesce((SELECT jsonb_agg(name ORDER BY name) FROM read), '[]') AS "rawFiles",
        coalesce((SELECT jsonb_agg(id ORDER BY id) FROM told), '[]') AS runs`;
    return row;
  }

  async erase(record: Omit<ErasureRecord, 'erasedAt'>, datasetIds: readonly string[], files: readonly Rewritten[], snapshots: readonly ErasedSnapshot[]): Promise<ErasureRecord> {
    // What waits for its grace may have the rows as well.
    await this.db.$executeRaw`
      UPDATE leftover SET due = clock_timestamp() FROM dataset
      WHERE dataset.id = ANY(${datasetIds}::uuid[]) AND NOT is_draft AND starts_with(leftover.path, 'data/' || dataset.name || '/')`;
    for (const {fileId, file} of files) await this.replace(fileId, file);
    for (const {id, profile, ...counts} of snapshots) await this.db.snapshot.update({where: {id}, data: {...counts, profile: profile as unknown as object[]}});
    await this.db.$executeRaw`
      INSERT INTO leftover (path, bytes, snapshot_id, due)
      SELECT 'data/' || dataset.name || '/' || snapshot.id || '/manifest.json', 0, snapshot.id, clock_timestamp() FROM snapshot JOIN dataset ON dataset.id = snapshot.dataset_id
      WHERE snapshot.id = ANY(${snapshots.map(({id}) => id)}::uuid[]) ON CONFLICT (path) DO UPDATE SET due = clock_timestamp()`;
    const [{now}] = await this.db.$queryRaw<[{now: Date}]>`SELECT clock_timestamp() AS now`;
    const {columns, hashes, snapshotIds, affected} = record;
    return toErasure(await this.db.erasure.create({
      data: {...record, columns: [...columns], hashes: [...hashes], snapshotIds: [...snapshotIds], affected: affected as object, erasedAt: now},
    }));
  }

  /** A file that only its content tells from the old one: its place among the snapshots is the same. */
  private async replace(id: string, file: Rewritten['file']): Promise<void> {
    await this.db.$executeRaw`
      INSERT INTO leftover (path, bytes, due) SELECT path, bytes, clock_timestamp() FROM data_file WHERE id = ${id}::uuid ON CONFLICT (path) DO UPDATE SET due = clock_timestamp()`;
    if (file === null) return void (await this.db.dataFile.delete({where: {id}}));
    const {count} = await this.db.leftover.deleteMany({where: {path: file.path, isDraft: true}});
    if (count !== 1) throw new MillraceError('COMMIT_CONFLICT', {dataset: file.path.split('/')[1]});
    await this.db.dataFile.update({where: {id}, data: {...file, columns: file.columns as unknown as object[], firstRowId: 0n, rowIds: 'stored'}});
  }

  async of(datasetId: string): Promise<ErasureRecord[]> {
    return (await this.db.erasure.findMany({where: {datasetId}, orderBy: {erasedAt: 'desc'}})).map(toErasure);
  }

  async touching(snapshotIds: readonly string[], since?: Date): Promise<ErasureRecord[]> {
    const ids = snapshotIds.filter(isUuid);
    if (ids.length === 0) return [];
    const where = {snapshotIds: {hasSome: ids}, ...(since ? {erasedAt: {gte: since}} : {})};
    return (await this.db.erasure.findMany({where, orderBy: {erasedAt: 'desc'}})).map(toErasure);
  }
}
