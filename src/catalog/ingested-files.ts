import {MillraceError} from '../core/errors.ts';
import type {CommitRecord, IngestedFile} from '../warehouse/warehouse.ts';
import type {Connection} from './database.ts';

export async function ingestedFilesOf(db: Connection, dataset: string): Promise<IngestedFile[]> {
  const rows = await db.ingestedFile.findMany({where: {dataset: {name: dataset}}, orderBy: {name: 'asc'}});
  return rows.map(({name, sha256, bytes}) => ({name, sha256, bytes: Number(bytes)}));
}

/**
 * Notes which raw files a commit read, in its unit of work, which holds the dataset's row: whoever chose the same new files a moment
 * ago finds them noted. An overwrite forgets those before.
 * @throws COMMIT_CONFLICT when a file that was chosen as new has been read since
 */
export async function noteIngestedFiles(
  db: Connection, {id, dataset, datasetId, operation, lineage, onlyNewFiles = false}: Pick<CommitRecord, 'id' | 'datasetId' | 'operation' | 'lineage' | 'onlyNewFiles'> & {readonly dataset: string},
): Promise<void> {
  if (operation === 'overwrite') await db.ingestedFile.deleteMany({where: {datasetId}});
  const files = JSON.stringify(lineage.files ?? []);
  if (files === '[]') return;
  if (onlyNewFiles) {
    const known = await db.$queryRaw<unknown[]>`
      SELECT 1 AS one FROM ingested_file AS known JOIN jsonb_to_recordset(${files}::jsonb) AS file (name text, sha256 text) USING (name, sha256)
      WHERE known.dataset_id = ${datasetId}::uuid LIMIT 1`;
    if (known.length > 0) throw new MillraceError('COMMIT_CONFLICT', {dataset});
  }
  await db.$executeRaw`
    INSERT INTO ingested_file (dataset_id, name, sha256, bytes, snapshot_id)
    SELECT DISTINCT ON (name) ${datasetId}::uuid, name, sha256, bytes, ${id}::uuid FROM jsonb_to_recordset(${files}::jsonb) AS file (name text, sha256 text, bytes bigint)
    ON CONFLICT (dataset_id, name) DO UPDATE SET sha256 = EXCLUDED.sha256, bytes = EXCLUDED.bytes, snapshot_id = EXCLUDED.snapshot_id, read_at = clock_timestamp()`;
}
