import {isDeepStrictEqual} from 'node:util';
import {MillraceError} from '../core/errors.ts';
import {newId} from '../core/ids.ts';
import type {Contract} from '../schemas/contract.ts';
import type {Field, Schema} from '../schemas/schema.ts';
import type {
  CommitRecord, DatasetRecord, DatasetSchema, DatasetStore, FileRecord, IngestedFile, SchemaVersionRecord, SnapshotRecord,
} from '../warehouse/warehouse.ts';
import {databaseCode} from './database.ts';
import type {Connection} from './database.ts';
import {ingestedFilesOf, noteIngestedFiles} from './ingested-files.ts';
import {Prisma} from './prisma/client.ts';
import type {DataFile, Dataset} from './prisma/client.ts';

/** Snapshots with their dataset's name and their schema, by one statement: an `include` of the ORM is one more for each table. */
const selectSnapshots = Prisma.sql`
  SELECT snapshot.id::text, snapshot.dataset_id::text AS "datasetId", dataset.name AS "datasetName", snapshot.sequence, snapshot.parent_id::text AS "parentId",
    snapshot.operation, schema_version.fields, schema_version.version AS "schemaVersion", snapshot.run_id::text AS "runId", snapshot.step_name AS "stepName",
    snapshot.row_count AS "rowCount", snapshot.bytes, snapshot.file_count AS "fileCount", snapshot.next_row_id AS "nextRowId",
    snapshot.content_hash AS "contentHash", snapshot.profile, snapshot.lineage, snapshot.committed_at AS "committedAt",
    snapshot.expired_at AS "expiredAt"
  FROM snapshot JOIN dataset ON dataset.id = snapshot.dataset_id JOIN schema_version ON schema_version.id = snapshot.schema_id`;

type SnapshotRow = Omit<SnapshotRecord, 'schema'> & {fields: Field[]};

const toDataset = (row: Dataset): DatasetRecord => ({id: row.id, name: row.name, contract: row.contract as Contract, createdAt: row.createdAt});

const toSnapshot = ({fields, ...row}: SnapshotRow): SnapshotRecord => ({...row, schema: {fields}});

export const toFile = (row: DataFile): FileRecord => ({
  id: row.id,
  path: row.path,
  addedAt: row.addedAt,
  removedAt: row.removedAt,
  firstRowId: row.firstRowId,
  rowIds: row.rowIds as FileRecord['rowIds'],
  rowCount: row.rowCount,
  bytes: row.bytes,
  sha256: row.sha256,
  columns: row.columns as unknown as FileRecord['columns'],
  schemaVersion: row.schemaVersion,
  partition: row.partition,
});

export class PrismaDatasetStore implements DatasetStore {
  constructor(private readonly db: Connection) {}

  async list(): Promise<DatasetRecord[]> {
    return (await this.db.dataset.findMany({orderBy: {name: 'asc'}})).map(toDataset);
  }

  async byName(name: string): Promise<DatasetRecord | null> {
    const row = await this.db.dataset.findUnique({where: {name}});
    return row && toDataset(row);
  }

  async create(name: string, contract: Contract): Promise<DatasetRecord> {
    try {
      return toDataset(await this.db.dataset.create({data: {id: newId(), name, contract: contract as object}}));
    } catch (cause) {
      if (databaseCode(cause) !== 'P2002' && databaseCode(cause) !== '23505') throw cause;
      throw new MillraceError('NAME_TAKEN', {name, by: 'another dataset', suggestion: `${name}_2`}, {cause});
    }
  }

  async setContract(id: string, contract: Contract): Promise<void> {
    await this.db.dataset.update({where: {id}, data: {contract: contract as object}});
  }

  async nextFieldId(datasetId: string): Promise<number> {
    return (await this.db.dataset.findUniqueOrThrow({where: {id: datasetId}, select: {nextFieldId: true}})).nextFieldId;
  }

  private async snapshotsWhere(rest: Prisma.Sql): Promise<SnapshotRecord[]> {
    return (await this.db.$queryRaw<SnapshotRow[]>`${selectSnapshots} ${rest}`).map(toSnapshot);
  }

  async schemas(branch: string, known: readonly string[]): Promise<DatasetSchema[]> {
    const rows = await this.db.$queryRaw<{name: string; schemaId: string; contract: Contract; fields: Field[] | null}[]>`
      SELECT dataset.name, schema_version.id::text AS "schemaId", dataset.contract,
        CASE WHEN schema_version.id = ANY (${known}::uuid[]) THEN NULL ELSE schema_version.fields END AS fields FROM head
      JOIN dataset ON dataset.id = head.dataset_id JOIN snapshot ON snapshot.id = head.snapshot_id JOIN schema_version ON schema_version.id = snapshot.schema_id
      WHERE head.branch = ${branch} ORDER BY dataset.name`;
    return rows.map(({name, schemaId, contract, fields}) => ({name, schemaId, contract, schema: fields && {fields}}));
  }

  async heads(branch: string): Promise<Map<string, SnapshotRecord>> {
    const rows = await this.snapshotsWhere(Prisma.sql`JOIN head ON head.snapshot_id = snapshot.id WHERE head.branch = ${branch} ORDER BY dataset.name`);
    return new Map(rows.map(row => [row.datasetName, row]));
  }

  async head(branch: string, name: string): Promise<SnapshotRecord | null> {
    const [row] = await this.snapshotsWhere(Prisma.sql`JOIN head ON head.snapshot_id = snapshot.id WHERE head.branch = ${branch} AND dataset.name = ${name}`);
    return row ?? null;
  }

  async standing(branch: string, name: string): Promise<{snapshotId: string; contentHash: string; contract: Contract} | null> {
    const [row] = await this.db.$queryRaw<{snapshotId: string; contentHash: string; contract: Contract}[]>`
      SELECT snapshot.id::text AS "snapshotId", snapshot.content_hash AS "contentHash", dataset.contract
      FROM dataset JOIN head ON head.dataset_id = dataset.id JOIN snapshot ON snapshot.id = head.snapshot_id WHERE head.branch = ${branch} AND dataset.name = ${name}`;
    return row ?? null;
  }

  async headsAt(_branch: string, time: Date): Promise<Map<string, SnapshotRecord>> {
    const rows = await this.snapshotsWhere(Prisma.sql`
      WHERE snapshot.id IN (SELECT DISTINCT ON (dataset_id) id FROM snapshot WHERE committed_at <= ${time} ORDER BY dataset_id, sequence DESC)`);
    return new Map(rows.map(row => [row.datasetName, row]));
  }

  async snapshot(id: string): Promise<SnapshotRecord | null> {
    return (await this.snapshotsById([id])).get(id) ?? null;
  }

  async snapshotsById(ids: readonly string[]): Promise<Map<string, SnapshotRecord>> {
    const known = ids.filter(isUuid);
    if (known.length === 0) return new Map();
    const rows = new Map((await this.snapshotsWhere(Prisma.sql`WHERE snapshot.id = ANY(${known}::uuid[])`)).map(row => [row.id, row]));
    // Answered by the id as it was asked for, in whichever case.
    return new Map(known.flatMap(id => (rows.has(id.toLowerCase()) ? [[id, rows.get(id.toLowerCase())!]] : [])));
  }

  async snapshots(datasetId: string, limit: number, before?: number): Promise<SnapshotRecord[]> {
    return this.snapshotsWhere(Prisma.sql`
      WHERE snapshot.dataset_id = ${datasetId}::uuid AND snapshot.sequence < ${before ?? 2 ** 31 - 1} ORDER BY snapshot.sequence DESC LIMIT ${limit}`);
  }

  async snapshotsFrom(datasetId: string, sequence: number, limit: number): Promise<SnapshotRecord[]> {
    return this.snapshotsWhere(Prisma.sql`
      WHERE snapshot.dataset_id = ${datasetId}::uuid AND snapshot.sequence >= ${sequence} ORDER BY snapshot.sequence LIMIT ${limit}`);
  }

  async snapshotsOf(datasetIds: readonly string[], limit: number): Promise<Map<string, SnapshotRecord[]>> {
    const known = datasetIds.filter(isUuid);
    const rows = known.length === 0 ? [] : await this.snapshotsWhere(Prisma.sql`
      WHERE snapshot.id IN (
        SELECT newest.id FROM unnest(${known}::uuid[]) AS wanted (id)
        CROSS JOIN LATERAL (SELECT id FROM snapshot WHERE dataset_id = wanted.id ORDER BY sequence DESC LIMIT ${limit}) AS newest)
      ORDER BY snapshot.sequence DESC`);
    const by = Map.groupBy(rows, row => row.datasetId);
    return new Map(datasetIds.map(id => [id, by.get(id) ?? []]));
  }

  async snapshotsOfRuns(runIds: readonly string[]): Promise<Map<string, SnapshotRecord[]>> {
    const known = runIds.filter(isUuid);
    const rows = known.length === 0 ? [] : await this.snapshotsWhere(Prisma.sql`
      WHERE snapshot.run_id = ANY(${known}::uuid[]) ORDER BY snapshot.committed_at, snapshot.id`);
    const by = Map.groupBy(rows, row => row.runId!);
    return new Map(runIds.map(id => [id, by.get(id) ?? []]));
  }

  ingestedFiles(dataset: string): Promise<IngestedFile[]> {
    return ingestedFilesOf(this.db, dataset);
  }

  async schemaVersionsOf(datasetIds: readonly string[], limit: number): Promise<Map<string, SchemaVersionRecord[]>> {
    const known = datasetIds.filter(isUuid);
    const rows = known.length === 0 ? [] : await this.db.$queryRaw<(Omit<SchemaVersionRecord, 'schema'> & {fields: Field[]})[]>`
      SELECT newest.dataset_id::text AS "datasetId", newest.version, newest.fields, newest.created_at AS "createdAt",
        (SELECT id::text FROM snapshot WHERE schema_id = newest.id ORDER BY sequence LIMIT 1) AS "firstSnapshotId"
      FROM unnest(${known}::uuid[]) AS wanted (id)
      CROSS JOIN LATERAL (SELECT * FROM schema_version WHERE dataset_id = wanted.id ORDER BY version DESC LIMIT ${limit}) AS newest
      ORDER BY newest.version DESC`;
    const by = Map.groupBy(rows.map(({fields, ...row}) => ({...row, schema: {fields}})), row => row.datasetId);
    return new Map(datasetIds.map(id => [id, by.get(id) ?? []]));
  }

  async files(snapshot: Pick<SnapshotRecord, 'datasetId' | 'sequence'>): Promise<FileRecord[]> {
    const {datasetId, sequence} = snapshot;
    const rows = await this.db.dataFile.findMany({
      where: {datasetId, addedAt: {lte: sequence}, OR: [{removedAt: null}, {removedAt: {gt: sequence}}]},
      orderBy: [{addedAt: 'asc'}, {position: 'asc'}],
    });
    return rows.map(toFile);
  }

  async filesOf(snapshotIds: readonly string[]): Promise<Map<string, FileRecord[]>> {
    const known = snapshotIds.filter(isUuid);
    const rows = known.length === 0 ? [] : await this.db.$queryRaw<(FileRecord & {snapshotId: string})[]>`
      SELECT snapshot.id::text AS "snapshotId", file.id::text, file.path, file.added_at AS "addedAt", file.removed_at AS "removedAt",
        file.first_row_id AS "firstRowId", file.row_ids AS "rowIds", file.row_count AS "rowCount", file.bytes, file.sha256, file.columns,
        file.schema_version AS "schemaVersion", file.partition
      FROM snapshot JOIN data_file AS file ON file.dataset_id = snapshot.dataset_id
        AND snapshot.expired_at IS NULL AND file.added_at <= snapshot.sequence AND (file.removed_at IS NULL OR file.removed_at > snapshot.sequence)
      WHERE snapshot.id = ANY(${known}::uuid[]) ORDER BY file.added_at, file.position`;
    const by = Map.groupBy(rows, row => row.snapshotId);
    return new Map(snapshotIds.map(id => [id, (by.get(id) ?? []).map(({snapshotId: _, ...file}) => file)]));
  }

  async allSnapshotIds(): Promise<Set<string>> {
    return new Set((await this.db.snapshot.findMany({select: {id: true}})).map(row => row.id));
  }

  async committed(dataset: string, snapshotId: string): Promise<boolean | null> {
    const locked = await this.db.$queryRaw<unknown[]>`SELECT id FROM dataset WHERE name = ${dataset} FOR UPDATE`;
    return locked.length === 0 ? null : (await this.snapshot(snapshotId)) !== null;
  }

  async everyFile(datasetId: string): Promise<Pick<FileRecord, 'path' | 'bytes' | 'sha256'>[]> {
    return this.db.dataFile.findMany({where: {datasetId}, select: {path: true, bytes: true, sha256: true}, orderBy: {path: 'asc'}});
  }

  async rebuild(dataset: DatasetRecord, snapshots: readonly {readonly snapshot: SnapshotRecord; readonly files: readonly FileRecord[]}[]): Promise<void> {
    const {id, name, contract, createdAt} = dataset;
    const nextFieldId = 1 + Math.max(0, ...snapshots.map(({snapshot}) => highestFieldId(snapshot.schema.fields)));
    await this.db.dataset.create({data: {id, name, contract: contract as object, createdAt, nextFieldId}});

    const schemas = new Map(snapshots.map(({snapshot}) => [snapshot.schemaVersion, {id: newId(), fields: snapshot.schema.fields}]));
    await this.db.schemaVersion.createMany({data: [...schemas].map(([version, {id: schemaId, fields}]) => ({id: schemaId, datasetId: id, version, fields: fields as unknown as object[]}))});

    const known = new Set(snapshots.map(({snapshot}) => snapshot.id));
    await this.db.snapshot.createMany({
      data: snapshots.map(({snapshot: {datasetName: _, schema: _schema, schemaVersion, parentId, ...plain}}) => ({
        ...plain, schemaId: schemas.get(schemaVersion)!.id, parentId: parentId !== null && known.has(parentId) ? parentId : null,
        profile: plain.profile as unknown as object[], lineage: plain.lineage as object,
      })),
    });

    // A file is gone from the first later snapshot that lacks it. Its place among the files added with it is that in the first that has it.
    const files = new Map<string, {readonly file: FileRecord; readonly position: number; removedAt: number | null}>();
    let before: readonly FileRecord[] = [];
    for (const {snapshot, files: now} of snapshots.filter(({snapshot: {expiredAt}}) => expiredAt === null)) {
      const present = new Set(now.map(file => file.id));
      for (const file of before) if (!present.has(file.id)) files.get(file.id)!.removedAt = snapshot.sequence;
      now.forEach((file, position) => files.has(file.id) || files.set(file.id, {file, position, removedAt: null}));
      before = now;
    }
    await this.db.dataFile.createMany({
      data: [...files.values()].map(({file, position, removedAt}) => ({...file, datasetId: id, position, removedAt, columns: file.columns as unknown as object[]})),
    });
    for (const {snapshot} of snapshots) await noteIngestedFiles(this.db, {...snapshot, dataset: name});
    const head = snapshots.findLast(({snapshot: {expiredAt}}) => expiredAt === null);
    if (head) await this.db.head.create({data: {branch: 'main', datasetId: id, snapshotId: head.snapshot.id}});
  }

  async commit(record: CommitRecord): Promise<SnapshotRecord> {
    const {datasetId, branch, parentId} = record;
    // The dataset's row orders its commits: two at once would otherwise take the same sequence.
    const [dataset] = await this.db.$queryRaw<[{name: string}]>`SELECT name FROM dataset WHERE id = ${datasetId}::uuid FOR UPDATE`;
    const parent = await this.head(branch, dataset.name);
    const isErased = record.parentHash !== undefined && (parent?.contentHash ?? null) !== record.parentHash;
    if ((parent?.id ?? null) !== parentId || isErased) throw new MillraceError('COMMIT_CONFLICT', {dataset: dataset.name});

    const [{now, ...newest}] = await this.db.$queryRaw<[{now: Date; sequence: number | null; nextRowId: bigint | null; committedAt: Date | null}]>`
      SELECT clock_timestamp() AS now, snapshot.sequence, snapshot.next_row_id AS "nextRowId", snapshot.committed_at AS "committedAt"
      FROM (SELECT 1) AS one LEFT JOIN snapshot ON snapshot.dataset_id = ${datasetId}::uuid ORDER BY snapshot.sequence DESC LIMIT 1`;
    const sequence = (newest.sequence ?? 0) + 1;
    // The time of the commit, not of the transaction's beginning: it may have waited for the lock. Whole milliseconds, each later
    // than the last, so that the dataset as of a snapshot's time is that snapshot.
    const committedAt = new Date(Math.max(now.getTime(), (newest.committedAt?.getTime() ?? 0) + 1));
    const schema = await this.schemaVersion(record, parent);

    // Row ids never come again, so they go on counting over overwrites.
    let nextRowId = newest.nextRowId ?? 0n;
    const parentFiles = parent ? await this.files(parent) : [];
    const gone = record.operation === 'append' ? new Set<string>() : new Set(record.removes ?? parentFiles.map(file => file.id));
    const files = record.files.map((file, position) => {
      const firstRowId = file.rowIds === 'stored' ? 0n : nextRowId;
      if (file.rowIds === 'positional') nextRowId += file.rowCount;
      return {...file, datasetId, position, firstRowId, addedAt: sequence, removedAt: null, schemaVersion: schema.version, columns: file.columns as unknown as object[]};
    });
    const kept = parentFiles.filter(file => !gone.has(file.id));
    const total = (of: (file: {rowCount: bigint; bytes: bigint}) => bigint): bigint => [...kept, ...record.files].reduce((sum, file) => sum + of(file), 0n);

    await this.db.snapshot.create({
      data: {
        id: record.id, datasetId, sequence, parentId, operation: record.operation, schemaId: schema.id, runId: record.runId, stepName: record.stepName,
        rowCount: total(file => file.rowCount), bytes: total(file => file.bytes), fileCount: kept.length + files.length, nextRowId,
        contentHash: record.contentHash, profile: record.profile as unknown as object[], lineage: record.lineage as object,
        committedAt,
      },
    });
    if (gone.size > 0) await this.db.dataFile.updateMany({where: {id: {in: [...gone]}, removedAt: null}, data: {removedAt: sequence}});
    if (files.length > 0) await this.db.dataFile.createMany({data: files});
    await noteIngestedFiles(this.db, {...record, dataset: dataset.name});
    await this.db.$executeRaw`
      INSERT INTO head (branch, dataset_id, snapshot_id) VALUES (${branch}, ${datasetId}::uuid, ${record.id}::uuid) ON CONFLICT (branch, dataset_id) DO UPDATE SET snapshot_id = EXCLUDED.snapshot_id`;
    // As it would be read: JSON keeps nothing that is undefined.
    const {schema: {fields}, profile, lineage} = JSON.parse(JSON.stringify({schema: record.schema, profile: record.profile, lineage: record.lineage})) as Pick<SnapshotRecord, 'schema' | 'profile' | 'lineage'>;
    return {
      id: record.id, datasetId, datasetName: dataset.name, sequence, parentId, operation: record.operation, schema: {fields}, schemaVersion: schema.version, runId: record.runId, stepName: record.stepName,
      rowCount: total(file => file.rowCount), bytes: total(file => file.bytes), fileCount: kept.length + files.length, nextRowId, contentHash: record.contentHash, profile, lineage, committedAt, expiredAt: null,
    };
  }

  /** The schema version of a commit: the parent's when nothing changed, else the next. */
  private async schemaVersion(record: CommitRecord, parent: SnapshotRecord | null): Promise<{id: string; version: number}> {
    if (parent && sameFields(parent.schema.fields, record.schema)) {
      return this.db.schemaVersion.findUniqueOrThrow({where: {datasetId_version: {datasetId: record.datasetId, version: parent.schemaVersion}}});
    }
    const newest = await this.db.schemaVersion.findFirst({where: {datasetId: record.datasetId}, orderBy: {version: 'desc'}});
    const id = newId();
    const version = (newest?.version ?? 0) + 1;
    await this.db.schemaVersion.create({data: {id, datasetId: record.datasetId, version, fields: record.schema.fields as unknown as object[]}});
    const highest = highestFieldId(record.schema.fields);
    await this.db.dataset.updateMany({where: {id: record.datasetId, nextFieldId: {lte: highest}}, data: {nextFieldId: highest + 1}});
    return {id, version};
  }

  async pinned(): Promise<Set<string>> {
    const rows = await this.db.$queryRaw<{id: string}[]>`SELECT DISTINCT snapshot_id::text AS id FROM pin WHERE until > clock_timestamp()`;
    return new Set(rows.map(row => row.id));
  }

  async pin(snapshotId: string, owner: string, seconds: number): Promise<string> {
    const id = newId();
    // The lock on the snapshot makes it wait for an expiry that is under way, and an expiry for it.
    const pinned = await this.db.$executeRaw`
      INSERT INTO pin (id, snapshot_id, owner, until)
      SELECT ${id}::uuid, kept.id, ${owner}, clock_timestamp() + ${seconds} * interval '1 second'
      FROM (SELECT id FROM snapshot WHERE id = ${snapshotId}::uuid AND expired_at IS NULL FOR SHARE) AS kept`;
    if (pinned === 0) throw new MillraceError('SNAPSHOT_NOT_FOUND', {id: snapshotId});
    return id;
  }

  async renewPin(id: string, seconds: number): Promise<void> {
    await this.db.$executeRaw`UPDATE pin SET until = clock_timestamp() + ${seconds} * interval '1 second' WHERE id = ${id}::uuid`;
  }

  async pinsOf(owner: string): Promise<{id: string; snapshotId: string}[]> {
    return this.db.pin.findMany({where: {owner}, orderBy: {id: 'asc'}, select: {id: true, snapshotId: true}});
  }

  async unpin(id: string): Promise<void> {
    await this.db.pin.deleteMany({where: {id}});
  }
}

/** JSONB keeps neither the order of keys nor what is undefined. */
const sameFields = (fields: readonly Field[], schema: Schema): boolean => isDeepStrictEqual(fields, JSON.parse(JSON.stringify(schema.fields)));

function highestFieldId(fields: readonly Field[]): number {
  return Math.max(0, ...fields.map(field => Math.max(field.id, highestFieldId(children(field)))));
}

function children(field: Field): readonly Field[] {
  switch (field.type.kind) {
    case 'list':
      return [field.type.element];
    case 'struct':
      return field.type.fields;
    case 'map':
      return [field.type.key, field.type.value];
    default:
      return [];
  }
}

/** Ids come from clients: what is no UUID is an id that does not exist, not a database error. */
export const isUuid = (text: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
