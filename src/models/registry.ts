import {createHash} from 'node:crypto';
import {existsSync} from 'node:fs';
import {copyFile, mkdir, readdir, rename, rm, stat} from 'node:fs/promises';
import {basename, join} from 'node:path';
import type {Catalog} from '../catalog/catalog.ts';
import {boundary} from '../core/boundaries.ts';
import {MillraceError, didYouMean} from '../core/errors.ts';
import {sweepFolder, syncPath, writeDurably} from '../core/files.ts';
import {sha256OfFile} from '../core/sha256.ts';
import {newId} from '../core/ids.ts';
import type {Metrics} from '../core/metrics.ts';
import type {Viewer} from '../core/viewer.ts';
import type {Column, ColumnBatch, Engine} from '../engines/engine.ts';
import type {Artifact, InferenceRuntime, LoadedModel} from '../inference/runtime.ts';
import {checkName} from '../schemas/check-name.ts';
import type {Schema} from '../schemas/schema.ts';
import type {Warehouse} from '../warehouse/warehouse.ts';
import {checkFeatures} from './features.ts';
import {unfitColumns} from './fit.ts';
import type {
  AliasRecord, DeployInput, DeploymentRecord, ModelBinding, ModelRecord, ModelVersionRecord, Models, RegisterInput, VersionPin,
} from './models.ts';
import {batchOf, valuesOf} from './values.ts';

export interface RegistryOptions {
  /** Artifacts lie here, a folder a version. */
  readonly folder: string;
  readonly maxBytes: number;
  readonly trialSeconds: number;
  /** Loaded versions kept at once; the one unused longest is closed. */
  readonly keepLoaded: number;
}

/** Stands beside the artifact of a version that was stored: such a folder is never swept, whatever became of the catalog. */
const versionFile = 'version.json';

/** The registry over the catalog, a folder of artifacts and an inference runtime. */
export class ModelRegistry implements Models {
  /** In order of use. A version is immutable, so what is loaded stays right. */
  private readonly loaded = new Map<string, Promise<LoadedModel>>();

  constructor(
    private readonly options: RegistryOptions,
    private readonly catalog: Catalog,
    private readonly runtime: InferenceRuntime,
    private readonly warehouse: Warehouse,
    private readonly engine: Engine,
    private readonly metrics: Metrics,
  ) {}

  list(_viewer: Viewer): Promise<ModelRecord[]> {
    return this.catalog.read(stores => stores.models.list());
  }

  get(_viewer: Viewer, name: string): Promise<ModelRecord> {
    return this.find(name);
  }

  private async find(name: string): Promise<ModelRecord> {
    return this.catalog.read(async stores => {
      const found = await stores.models.byName(name);
      if (found) return found;
      throw new MillraceError('MODEL_NOT_FOUND', {name, didYouMean: didYouMean(name, (await stores.models.list()).map(model => model.name))});
    });
  }

  versionsOf(_viewer: Viewer, modelIds: readonly string[]): Promise<Map<string, ModelVersionRecord[]>> {
    return this.catalog.read(stores => stores.models.versionsOf(modelIds));
  }

  aliasesOf(_viewer: Viewer, modelId: string, at?: Date): Promise<AliasRecord[]> {
    return this.catalog.read(stores => stores.models.aliases(modelId, at));
  }

  aliasesOfModels(_viewer: Viewer, modelIds: readonly string[]): Promise<Map<string, AliasRecord[]>> {
    return this.catalog.read(stores => stores.models.aliasesOf(modelIds));
  }

  aliasHistory(_viewer: Viewer, modelId: string, alias: string): Promise<AliasRecord[]> {
    return this.catalog.read(stores => stores.models.aliasHistory(modelId, alias));
  }

  async register(viewer: Viewer, input: RegisterInput): Promise<ModelVersionRecord> {
    checkName(input.model);
    const id = newId();
    const draft = join(this.options.folder, `draft-${id}`);
    const home = join(this.options.folder, id);
    await mkdir(draft, {recursive: true});
    try {
      const artifact = await this.takeFiles(input, draft);
      const gate = await this.runtime.inspect(artifact, {examples: input.examples, trialSeconds: this.options.trialSeconds, maxBytes: this.options.maxBytes});
      await rename(draft, home);
      await syncPath(this.options.folder);
      boundary('model stored');
      const stored: Artifact = {...artifact, folder: id};
      const fingerprint = createHash('sha256').update(JSON.stringify([artifact.files.map(file => file.sha256), gate.settings, gate.tensors, gate.runtime])).digest('hex');
      const version = await this.catalog.transaction(async stores => {
        if (await stores.datasets.byName(input.model)) throw new MillraceError('NAME_TAKEN', {name: input.model, by: 'a dataset', suggestion: `${input.model}_model`});
        const model = (await stores.models.byName(input.model)) ?? (await stores.models.create(input.model, input.description ?? ''));
        const version = await stores.models.addVersion({
          id, modelId: model.id, artifact: stored, signature: gate.signature, settings: gate.settings, metrics: input.metrics ?? {}, gate,
          trainedOn: input.trainedOn ?? [], fingerprint, createdBy: viewer.name,
        });
        if (input.alias !== undefined) await stores.models.setAlias(model.id, input.alias, version.id);
        await stores.changes.tell('graph', '');
        return version;
      });
      await writeDurably(join(home, versionFile), JSON.stringify(version));
      return version;
    } catch (error) {
      await rm(draft, {recursive: true, force: true});
      if (!(await this.isStored(id))) await rm(home, {recursive: true, force: true});
      throw error;
    }
  }

  private async isStored(id: string): Promise<boolean> {
    return this.catalog.read(async stores => (await stores.models.version(id)) !== null).catch(() => true);
  }

  private async takeFiles(input: RegisterInput, folder: string): Promise<Artifact> {
    const files: Artifact['files'][number][] = [];
    let bytes = 0;
    for (const {name, path} of input.files) {
      if (name !== basename(name) || name.startsWith('.')) throw new MillraceError('ARTIFACT_PATH', {path: name});
      bytes += (await stat(path)).size;
      if (bytes > this.options.maxBytes) throw new MillraceError('ARTIFACT_TOO_LARGE', {bytes, limit: this.options.maxBytes});
      const target = join(folder, name);
      await copyFile(path, target);
      await syncPath(target);
      files.push({name, bytes: (await stat(target)).size, sha256: await sha256OfFile(target)});
    }
    return {folder, model: input.modelFile, files};
  }

  async resolve(model: string, {version, alias}: VersionPin, at?: Date): Promise<ModelVersionRecord> {
    const record = await this.find(model);
    return this.catalog.read(async stores => {
      const versions = await stores.models.versions(record.id);
      if (version !== undefined) {
        const found = versions.find(candidate => candidate.number === version);
        if (!found) throw new MillraceError('MODEL_VERSION_NOT_FOUND', {name: model, version: `version ${version}`});
        return found;
      }
      const wanted = alias ?? 'champion';
      const pointer = (await stores.models.aliases(record.id, at)).find(candidate => candidate.alias === wanted);
      const found = versions.find(candidate => candidate.id === pointer?.versionId);
      if (!found) throw new MillraceError('MODEL_VERSION_NOT_FOUND', {name: model, version: `alias '${wanted}'`});
      return found;
    });
  }

  async setAlias(_viewer: Viewer, model: string, alias: string, version: number | null): Promise<void> {
    const record = await this.find(model);
    const target = version === null ? null : await this.resolve(model, {version});
    await this.catalog.transaction(async stores => {
      await stores.models.setAlias(record.id, alias, target?.id ?? null);
      await stores.changes.tell('graph', '');
    });
  }

  async deploy(_viewer: Viewer, input: DeployInput): Promise<DeploymentRecord> {
    const version = await this.resolve(input.model, {version: input.version});
    const snapshot = await this.warehouse.resolve(input.on);
    const field = input.as ?? input.model;
    const features = input.features ?? {};
    await checkFeatures({engine: this.engine, dataset: input.on, schema: snapshot.schema, model: input.model, signature: version.signature, features});
    if (snapshot.schema.fields.some(column => column.name === field)) {
      throw new MillraceError('NAME_TAKEN', {name: field, by: `a column of '${input.on}'`, suggestion: `${field}_prediction`});
    }
    const alias = input.alias ?? 'champion';
    return this.catalog.transaction(async stores => {
      const current = (await stores.models.aliases(version.modelId)).find(candidate => candidate.alias === alias);
      if (current?.versionId !== version.id) await stores.models.setAlias(version.modelId, alias, version.id);
      const deployment = await stores.models.putDeployment({modelId: version.modelId, datasetId: snapshot.datasetId, alias, field, features, enabled: true});
      await stores.changes.tell('graph', '');
      return deployment;
    });
  }

  async unfit(version: ModelVersionRecord, dataset: string, schema: Schema, features: Readonly<Record<string, string>>): Promise<string | null> {
    try {
      await checkFeatures({engine: this.engine, dataset, schema, model: version.modelName, signature: version.signature, features});
      return null;
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error;
      return String(error.details.reason ?? error.message);
    }
  }

  async undeploy(_viewer: Viewer, dataset: string, field: string): Promise<void> {
    await this.catalog.transaction(async stores => {
      const record = await stores.datasets.byName(dataset);
      if (!record) throw new MillraceError('DATASET_NOT_FOUND', {name: dataset});
      if (!(await stores.models.removeDeployment(record.id, field))) throw new MillraceError('MODEL_NOT_FOUND', {name: field});
      await stores.changes.tell('graph', '');
    });
  }

  deployments(): Promise<DeploymentRecord[]> {
    return this.catalog.read(stores => stores.models.deployments());
  }

  async bindings(viewer: Viewer, dataset: string): Promise<ModelBinding[]> {
    return (await this.bindingsOf(viewer, [dataset])).get(dataset)!;
  }

  async bindingsOf(_viewer: Viewer, datasets: readonly string[]): Promise<Map<string, ModelBinding[]>> {
    const known = await this.catalog.read(async stores => {
      const models = await stores.models.list();
      const ids = models.map(model => model.id);
      const [heads, deployments, versions, aliases] = [await stores.datasets.heads('main'), await stores.models.deployments(), await stores.models.versionsOf(ids), await stores.models.aliasesOf(ids)];
      return {models, heads, deployments, versions, aliases};
    });
    const bind = (dataset: string) => (model: ModelRecord): ModelBinding => {
      const schema = known.heads.get(dataset)?.schema ?? {fields: []};
      const versions = known.versions.get(model.id) ?? [];
      // One that is served says more than one beside it that is not.
      const deployment = known.deployments.filter(candidate => candidate.modelId === model.id && candidate.datasetName === dataset).toSorted((a, b) => Number(b.enabled) - Number(a.enabled))[0] ?? null;
      const versionId = deployment && known.aliases.get(model.id)?.find(({alias}) => alias === deployment.alias)?.versionId;
      const version = deployment ? versions.find(({id}) => id === versionId) : versions[0];
      const unfit = unfitColumns(version?.signature.inputs ?? [], deployment?.features ?? {}, schema);
      const binding = (state: ModelBinding['state'], reason: string | null): ModelBinding => ({model, deployment, missing: unfit?.missing ?? [], state, reason});
      if (!version) return binding('disabled', deployment ? `its alias '${deployment.alias}' points to no version` : 'it has no version');
      if (deployment && !deployment.enabled) return binding('disabled', 'the deployment is switched off');
      if (deployment && schema.fields.some(({name}) => name === deployment.field)) return binding('disabled', `a column has the name of its field, '${deployment.field}'`);
      if (unfit) return binding('features_missing', unfit.reason);
      return deployment ? binding('served', null) : binding('not_deployed', 'all its inputs are here: deploy it with `deployModel`');
    };
    return new Map(datasets.map(dataset => [dataset, known.models.map(bind(dataset))]));
  }

  async score(version: ModelVersionRecord, batch: ColumnBatch): Promise<readonly Column[]> {
    const model = await this.load(version);
    const columns = await model.score(batch);
    this.metrics.predictions.inc({model: version.modelName, version: String(version.number)}, batch.rowCount);
    return columns;
  }

  private load(version: ModelVersionRecord): Promise<LoadedModel> {
    const known = this.loaded.get(version.id);
    if (known) {
      this.loaded.delete(version.id);
      this.loaded.set(version.id, known);
      return known;
    }
    const artifact: Artifact = {...version.artifact, folder: join(this.options.folder, version.artifact.folder)};
    const loading = this.runtime.load(artifact, version.gate);
    this.loaded.set(version.id, loading);
    loading.catch(() => this.loaded.delete(version.id));
    if (this.loaded.size > this.options.keepLoaded) {
      const [oldest, model] = this.loaded.entries().next().value!;
      this.loaded.delete(oldest);
      void model.then(unused => unused.close(), () => undefined);
    }
    return loading;
  }

  async predict(_viewer: Viewer, name: string, pin: VersionPin, inputs: readonly Readonly<Record<string, unknown>>[]) {
    const version = await this.resolve(name, pin);
    const columns = await this.score(version, batchOf(version.signature.inputs, inputs));
    return {version, outputs: valuesOf(version.signature.outputs, columns, inputs.length)};
  }

  /** Removes artifacts that no version names and that are older than some hours. Zero hours: only while nothing else registers models. */
  async sweep(graceHours: number): Promise<void> {
    const names = await readdir(this.options.folder);
    const versions = await this.catalog.read(stores => stores.models.versionsById(names));
    await sweepFolder(this.options.folder, graceHours, name => versions.has(name) || existsSync(join(this.options.folder, name, versionFile)));
  }

  /** Closes what is loaded. */
  async stop(): Promise<void> {
    const all = [...this.loaded.values()];
    this.loaded.clear();
    await Promise.allSettled(all.map(async model => (await model).close()));
  }
}
