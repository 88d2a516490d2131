import {MillraceError} from '../core/errors.ts';
import {newId} from '../core/ids.ts';
import type {ColumnProfile, Field, Rules, Schema} from '../schemas/schema.ts';
import type {CommitRecord, DatasetRecord, DatasetStore, FileRecord, Operation, SnapshotLineage, SnapshotRecord} from '../warehouse/warehouse.ts';
import {databaseCode} from './database.ts';
import type {Connection} from './database.ts';
import type {DataFile, Dataset, SchemaVersion, Snapshot} from './prisma/client.ts';

const withSchema = {schema: true, dataset: true} as const;
type SnapshotRow = Snapshot & {schema: SchemaVersion; dataset: Dataset};

const toDataset = (row: Dataset): DatasetRecord => ({id: row.id, name: row.name, rules: row.rules as Rules, createdAt: row.createdAt});

const toSnapshot = (row: SnapshotRow): SnapshotRecord => ({
  id: row.id,
  datasetId: row.datasetId,
  datasetName: row.dataset.name,
  sequence: row.sequence,
  parentId: row.parentId,
  operation: row.operation as Operation,
  schema: {fields: row.schema.fields as unknown as Field[]},
  schemaVersion: row.schema.version,
  runId: row.runId,
  stepName: row.stepName,
  rowCount: row.rowCount,
  bytes: row.bytes,
  fileCount: row.fileCount,
  nextRowId: row.nextRowId,
  contentHash: row.contentHash,
  profile: row.profile as unknown as ColumnProfile[],
  lineage: row.lineage as SnapshotLineage,
  committedAt: row.committedAt,
});

const toFile = (row: DataFile): FileRecord => ({
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

  async create(name: string, rules: Rules): Promise<DatasetRecord> {
    try {
      return toDataset(await this.db.dataset.create({data: {id: newId(), name, rules: rules as object}}));
    } catch (cause) {
      if (databaseCode(cause) !== 'P2002' && databaseCode(cause) !== '23505') throw cause;
      throw new MillraceError('NAME_TAKEN', {name, by: 'another dataset', suggestion: `${name}_2`}, {cause});
    }
  }

  async setRules(id: string, rules: Rules): Promise<void> {
    await this.db.dataset.update({where: {id}, data: {rules: rules as object}});
  }

  async heads(branch: string): Promise<Map<string, SnapshotRecord>> {
    const rows = await this.db.head.findMany({where: {branch}, include: {snapshot: {include: withSchema}}});
    return new Map(rows.map(row => [row.snapshot.dataset.name, toSnapshot(row.snapshot)]));
  }

  async headsAt(_branch: string, time: Date): Promise<Map<string, SnapshotRecord>> {
    const newest = await this.db.$queryRaw<{id: string}[]>`
      SELECT DISTINCT ON (dataset_id) id FROM snapshot WHERE committed_at <= ${time} ORDER BY dataset_id, sequence DESC`;
    const rows = await this.db.snapshot.findMany({where: {id: {in: newest.map(row => row.id)}}, include: withSchema});
    return new Map(rows.map(row => [row.dataset.name, toSnapshot(row)]));
  }

  async snapshot(id: string): Promise<SnapshotRecord | null> {
    if (!isUuid(id)) return null;
    const row = await this.db.snapshot.findUnique({where: {id}, include: withSchema});
    return row && toSnapshot(row);
  }

  async snapshots(datasetId: string, limit: number, before?: number): Promise<SnapshotRecord[]> {
    const where = {datasetId, ...(before === undefined ? {} : {sequence: {lt: before}})};
    return (await this.db.snapshot.findMany({where, orderBy: {sequence: 'desc'}, take: limit, include: withSchema})).map(toSnapshot);
  }

  async snapshotsOfRun(runId: string): Promise<SnapshotRecord[]> {
    if (!isUuid(runId)) return [];
    return (await this.db.snapshot.findMany({where: {runId}, orderBy: {committedAt: 'asc'}, include: withSchema})).map(toSnapshot);
  }

  async files(snapshot: Pick<SnapshotRecord, 'datasetId' | 'sequence'>): Promise<FileRecord[]> {
    const {datasetId, sequence} = snapshot;
    const rows = await this.db.dataFile.findMany({
      where: {datasetId, addedAt: {lte: sequence}, OR: [{removedAt: null}, {removedAt: {gt: sequence}}]},
      orderBy: [{addedAt: 'asc'}, {position: 'asc'}],
    });
    return rows.map(toFile);
  }

  async filesOf(snapshots: readonly Pick<SnapshotRecord, 'id' | 'datasetId' | 'sequence'>[]): Promise<Map<string, FileRecord[]>> {
    const rows = await this.db.dataFile.findMany({
      where: {OR: snapshots.map(({datasetId, sequence}) => ({datasetId, addedAt: {lte: sequence}, OR: [{removedAt: null}, {removedAt: {gt: sequence}}]}))},
      orderBy: [{addedAt: 'asc'}, {position: 'asc'}],
    });
    const inSnapshot = (row: DataFile, {datasetId, sequence}: Pick<SnapshotRecord, 'datasetId' | 'sequence'>): boolean =>
      row.datasetId === datasetId && row.addedAt <= sequence && (row.removedAt === null || row.removedAt > sequence);
    return new Map(snapshots.map(snapshot => [snapshot.id, rows.filter(row => inSnapshot(row, snapshot)).map(toFile)]));
  }

  async allFilePaths(): Promise<Set<string>> {
    return new Set((await this.db.dataFile.findMany({select: {path: true}})).map(row => row.path));
  }

  async commit(record: CommitRecord): Promise<SnapshotRecord> {
    const {datasetId, branch, parentId} = record;
    // The dataset's row orders its commits: two at once would otherwise take the same sequence.
    await this.db.$queryRaw`SELECT id FROM dataset WHERE id = ${datasetId}::uuid FOR UPDATE`;
    const dataset = await this.db.dataset.findUniqueOrThrow({where: {id: datasetId}});
    const head = await this.db.head.findUnique({where: {branch_datasetId: {branch, datasetId}}, include: {snapshot: {include: withSchema}}});
    if ((head?.snapshotId ?? null) !== parentId) throw new MillraceError('COMMIT_CONFLICT', {dataset: dataset.name});

    const newest = await this.db.snapshot.findFirst({where: {datasetId}, orderBy: {sequence: 'desc'}, select: {sequence: true, nextRowId: true}});
    const sequence = (newest?.sequence ?? 0) + 1;
    // The time of the commit, not of the transaction's beginning: it may have waited for the lock.
    const [{now}] = await this.db.$queryRaw<[{now: Date}]>`SELECT clock_timestamp() AS now`;
    const parent = head?.snapshot;
    const schemaId = await this.schemaVersion(record, parent?.schema ?? null);

    // Row ids never come again, so they go on counting over overwrites.
    let nextRowId = newest?.nextRowId ?? 0n;
    const parentFiles = parent ? await this.files(parent) : [];
    const gone = record.operation === 'append' ? new Set<string>() : new Set(record.removes ?? parentFiles.map(file => file.id));
    const files = record.files.map((file, position) => {
      const firstRowId = file.rowIds === 'stored' ? 0n : nextRowId;
      if (file.rowIds === 'positional') nextRowId += file.rowCount;
      return {...file, datasetId, position, firstRowId, addedAt: sequence, removedAt: null, columns: file.columns as unknown as object[]};
    });
    const kept = parentFiles.filter(file => !gone.has(file.id));
    const total = (of: (file: {rowCount: bigint; bytes: bigint}) => bigint): bigint => [...kept, ...record.files].reduce((sum, file) => sum + of(file), 0n);

    await this.db.snapshot.create({
      data: {
        id: record.id, datasetId, sequence, parentId, operation: record.operation, schemaId, runId: record.runId, stepName: record.stepName,
        rowCount: total(file => file.rowCount), bytes: total(file => file.bytes), fileCount: kept.length + files.length, nextRowId,
        contentHash: record.contentHash, profile: record.profile as unknown as object[], lineage: record.lineage as object,
        committedAt: now,
      },
    });
    if (gone.size > 0) await this.db.dataFile.updateMany({where: {id: {in: [...gone]}, removedAt: null}, data: {removedAt: sequence}});
    if (files.length > 0) await this.db.dataFile.createMany({data: files});
    await this.db.head.upsert({
      where: {branch_datasetId: {branch, datasetId}},
      create: {branch, datasetId, snapshotId: record.id},
      update: {snapshotId: record.id},
    });
    return (await this.snapshot(record.id))!;
  }

  /** The schema version of a commit: the parent's when nothing changed, else the next. */
  private async schemaVersion(record: CommitRecord, parent: SchemaVersion | null): Promise<string> {
    if (parent && sameFields(parent.fields as unknown as Field[], record.schema)) return parent.id;
    const newest = await this.db.schemaVersion.findFirst({where: {datasetId: record.datasetId}, orderBy: {version: 'desc'}});
    const id = newId();
    const version = (newest?.version ?? 0) + 1;
    await this.db.schemaVersion.create({data: {id, datasetId: record.datasetId, version, fields: record.schema.fields as unknown as object[]}});
    const highest = highestFieldId(record.schema.fields);
    await this.db.dataset.updateMany({where: {id: record.datasetId, nextFieldId: {lte: highest}}, data: {nextFieldId: highest + 1}});
    return id;
  }

  async pin(snapshotId: string, owner: string, seconds: number): Promise<string> {
    const id = newId();
    await this.db.$executeRaw`INSERT INTO pin (id, snapshot_id, owner, until) VALUES (${id}::uuid, ${snapshotId}::uuid, ${owner}, clock_timestamp() + ${seconds} * interval '1 second')`;
    return id;
  }

  async renewPin(id: string, seconds: number): Promise<void> {
    await this.db.$executeRaw`UPDATE pin SET until = clock_timestamp() + ${seconds} * interval '1 second' WHERE id = ${id}::uuid`;
  }

  async unpin(id: string): Promise<void> {
    await this.db.pin.deleteMany({where: {id}});
  }
}

const sameFields = (fields: readonly Field[], schema: Schema): boolean => JSON.stringify(sortKeys(fields)) === JSON.stringify(sortKeys(schema.fields));

/** JSONB does not keep the order of keys. */
function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, item]) => [key, sortKeys(item)]));
}

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
