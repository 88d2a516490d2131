import {MillraceError} from '../core/errors.ts';
import {newId} from '../core/ids.ts';
import type {AliasRecord, DeploymentRecord, ModelRecord, ModelStore, ModelVersionRecord} from '../models/models.ts';
import {databaseCode} from './database.ts';
import type {Connection} from './database.ts';
import {isUuid} from './dataset-store.ts';
import type {Dataset, Deployment, Model, ModelVersion} from './prisma/client.ts';

const toModel = ({id, name, description, createdAt}: Model): ModelRecord => ({id, name, description, createdAt});

const toVersion = (row: ModelVersion & {model: Model}): ModelVersionRecord => ({
  id: row.id,
  modelId: row.modelId,
  modelName: row.model.name,
  number: row.number,
  artifact: row.artifact as unknown as ModelVersionRecord['artifact'],
  signature: row.signature as unknown as ModelVersionRecord['signature'],
  settings: row.settings as unknown as ModelVersionRecord['settings'],
  metrics: row.metrics as Record<string, unknown>,
  gate: row.gate as unknown as ModelVersionRecord['gate'],
  trainedOn: row.trainedOn,
  fingerprint: row.fingerprint,
  createdBy: row.createdBy,
  createdAt: row.createdAt,
});

const toDeployment = (row: Deployment & {model: Model; dataset: Dataset}): DeploymentRecord => ({
  id: row.id,
  modelId: row.modelId,
  modelName: row.model.name,
  datasetId: row.datasetId,
  datasetName: row.dataset.name,
  alias: row.alias,
  field: row.field,
  features: row.features as Record<string, string>,
  enabled: row.enabled,
});

export class PrismaModelStore implements ModelStore {
  constructor(private readonly db: Connection) {}

  async list(): Promise<ModelRecord[]> {
    return (await this.db.model.findMany({orderBy: {name: 'asc'}})).map(toModel);
  }

  async byName(name: string): Promise<ModelRecord | null> {
    const row = await this.db.model.findUnique({where: {name}});
    return row && toModel(row);
  }

  async create(name: string, description: string): Promise<ModelRecord> {
    try {
      return toModel(await this.db.model.create({data: {id: newId(), name, description}}));
    } catch (cause) {
      if (databaseCode(cause) !== 'P2002' && databaseCode(cause) !== '23505') throw cause;
      throw new MillraceError('NAME_TAKEN', {name, by: 'another model', suggestion: `${name}_2`}, {cause});
    }
  }

  async versions(modelId: string): Promise<ModelVersionRecord[]> {
    return (await this.versionsOf([modelId])).get(modelId)!;
  }

  async versionsOf(modelIds: readonly string[]): Promise<Map<string, ModelVersionRecord[]>> {
    const rows = await this.db.modelVersion.findMany({where: {modelId: {in: [...modelIds]}}, orderBy: {number: 'desc'}, include: {model: true}});
    return new Map(modelIds.map(id => [id, rows.filter(row => row.modelId === id).map(toVersion)]));
  }

  async version(id: string): Promise<ModelVersionRecord | null> {
    return (await this.versionsById([id])).get(id) ?? null;
  }

  async versionsById(ids: readonly string[]): Promise<Map<string, ModelVersionRecord>> {
    const rows = await this.db.modelVersion.findMany({where: {id: {in: ids.filter(isUuid)}}, include: {model: true}});
    return new Map(rows.map(row => [row.id, toVersion(row)]));
  }

  async addVersion(input: Parameters<ModelStore['addVersion']>[0]): Promise<ModelVersionRecord> {
    await this.db.$queryRaw`SELECT id FROM model WHERE id = ${input.modelId}::uuid FOR UPDATE`;
    const newest = await this.db.modelVersion.findFirst({where: {modelId: input.modelId}, orderBy: {number: 'desc'}, select: {number: true}});
    const row = await this.db.modelVersion.create({
      data: {
        id: input.id, modelId: input.modelId, number: (newest?.number ?? 0) + 1, fingerprint: input.fingerprint, createdBy: input.createdBy,
        trainedOn: [...input.trainedOn], artifact: input.artifact as object, signature: input.signature as object, settings: input.settings as object,
        metrics: input.metrics as object, gate: input.gate as object,
      },
      include: {model: true},
    });
    return toVersion(row);
  }

  async aliases(modelId: string, at?: Date): Promise<AliasRecord[]> {
    return this.db.$queryRaw<AliasRecord[]>`
      SELECT * FROM (
        SELECT DISTINCT ON (alias) alias, version_id::text AS "versionId", since FROM model_alias
        WHERE model_id = ${modelId}::uuid AND since <= ${at ?? new Date(8.64e15 / 2)} ORDER BY alias, since DESC) AS newest
      WHERE "versionId" IS NOT NULL ORDER BY alias`;
  }

  async aliasesOf(modelIds: readonly string[]): Promise<Map<string, AliasRecord[]>> {
    const rows = await this.db.modelAlias.findMany({where: {modelId: {in: [...modelIds]}}, orderBy: {since: 'desc'}});
    return new Map(modelIds.map(id => {
      const newest = new Map<string, AliasRecord>();
      for (const {modelId, alias, versionId, since} of rows) if (modelId === id && !newest.has(alias)) newest.set(alias, {alias, versionId, since});
      return [id, [...newest.values()].filter(alias => alias.versionId !== null).sort((a, b) => (a.alias < b.alias ? -1 : 1))];
    }));
  }

  async aliasHistory(modelId: string, alias: string): Promise<AliasRecord[]> {
    return this.db.modelAlias.findMany({where: {modelId, alias}, orderBy: {since: 'desc'}, select: {alias: true, versionId: true, since: true}});
  }

  async setAlias(modelId: string, alias: string, versionId: string | null): Promise<void> {
    await this.db.$queryRaw`SELECT id FROM model WHERE id = ${modelId}::uuid FOR UPDATE`;
    // Whole milliseconds, each later than the last: what is asked as of a time that was told must be what was told of that time.
    await this.db.$executeRaw`
      INSERT INTO model_alias (model_id, alias, version_id, since)
      SELECT ${modelId}::uuid, ${alias}, ${versionId}::uuid, greatest(date_trunc('milliseconds', clock_timestamp()), max(since) + interval '1 millisecond')
      FROM model_alias WHERE model_id = ${modelId}::uuid AND alias = ${alias}`;
  }

  async deployments(): Promise<DeploymentRecord[]> {
    return (await this.db.deployment.findMany({include: {model: true, dataset: true}, orderBy: {field: 'asc'}})).map(toDeployment);
  }

  async putDeployment({modelId, datasetId, alias, field, features, enabled}: Parameters<ModelStore['putDeployment']>[0]): Promise<DeploymentRecord> {
    const data = {modelId, alias, features: features as object, enabled};
    return toDeployment(await this.db.deployment.upsert({
      where: {datasetId_field: {datasetId, field}},
      create: {id: newId(), datasetId, field, ...data},
      update: data,
      include: {model: true, dataset: true},
    }));
  }

  async removeDeployment(datasetId: string, field: string): Promise<boolean> {
    return (await this.db.deployment.deleteMany({where: {datasetId, field}})).count === 1;
  }
}
