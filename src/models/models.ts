/**
 * models: the registry.
 *
 * A model has immutable versions; an alias is a movable name that keeps its history; a deployment serves a model over a dataset as
 * a field of its rows. A version is its artifact, its signature and its scoring settings: change one and it is another version.
 */
import type {Viewer} from '../core/viewer.ts';
import type {Column, ColumnBatch} from '../engines/engine.ts';
import type {Artifact, Examples, GateReport, Signature} from '../inference/runtime.ts';
import type {Schema} from '../schemas/schema.ts';

export interface ModelRecord {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly createdAt: Date;
}

export interface ModelVersionRecord {
  readonly id: string;
  readonly modelId: string;
  readonly modelName: string;
  readonly number: number;
  /** `folder` is relative to the model store. */
  readonly artifact: Artifact;
  readonly signature: Signature;
  readonly settings: GateReport['settings'];
  readonly metrics: Readonly<Record<string, unknown>>;
  readonly gate: GateReport;
  /** Snapshot ids. */
  readonly trainedOn: readonly string[];
  /** SHA-256 over artifact and settings. */
  readonly fingerprint: string;
  readonly createdBy: string;
  readonly createdAt: Date;
}

export interface AliasRecord {
  readonly alias: string;
  readonly versionId: string | null;
  readonly since: Date;
}

export interface DeploymentRecord {
  readonly id: string;
  readonly modelId: string;
  readonly modelName: string;
  readonly datasetId: string;
  readonly datasetName: string;
  readonly alias: string;
  /** The field of the dataset's rows. */
  readonly field: string;
  /** Model input → SQL expression of the dataset's columns; inputs not named are columns of the same name. */
  readonly features: Readonly<Record<string, string>>;
  readonly enabled: boolean;
}

export interface ModelStore {
  list(): Promise<ModelRecord[]>;
  byName(name: string): Promise<ModelRecord | null>;
  create(name: string, description: string): Promise<ModelRecord>;
  versions(modelId: string): Promise<ModelVersionRecord[]>;
  versionsOf(modelIds: readonly string[]): Promise<Map<string, ModelVersionRecord[]>>;
  version(id: string): Promise<ModelVersionRecord | null>;
  /** By id, of several at once; ids that are none are left out. */
  versionsById(ids: readonly string[]): Promise<Map<string, ModelVersionRecord>>;
  addVersion(input: Omit<ModelVersionRecord, 'number' | 'modelName' | 'createdAt'>): Promise<ModelVersionRecord>;
  /** Current aliases, or as of a time. */
  aliases(modelId: string, at?: Date): Promise<AliasRecord[]>;
  aliasesOf(modelIds: readonly string[]): Promise<Map<string, AliasRecord[]>>;
  aliasHistory(modelId: string, alias: string): Promise<AliasRecord[]>;
  setAlias(modelId: string, alias: string, versionId: string | null): Promise<void>;
  deployments(): Promise<DeploymentRecord[]>;
  putDeployment(input: Omit<DeploymentRecord, 'id' | 'modelName' | 'datasetName'>): Promise<DeploymentRecord>;
  removeDeployment(datasetId: string, field: string): Promise<boolean>;
}

/** Which version of a model: an explicit number wins over an alias. */
export interface VersionPin {
  readonly version?: number;
  readonly alias?: string;
}

export interface RegisterInput {
  readonly model: string;
  readonly description?: string;
  /** The uploaded or local file(s) of the artifact, absolute; `model` is the .onnx. */
  readonly files: readonly {readonly name: string; readonly path: string}[];
  readonly modelFile: string;
  readonly examples?: Examples;
  readonly metrics?: Readonly<Record<string, unknown>>;
  readonly trainedOn?: readonly string[];
  readonly alias?: string;
  readonly createdBy: string;
}

export interface DeployInput {
  readonly model: string;
  readonly version: number;
  /** Default: `champion`. */
  readonly alias?: string;
  readonly on: string;
  /** Model input → SQL expression of the dataset's columns. */
  readonly features?: Readonly<Record<string, string>>;
  /** The field's name; default: the model's. */
  readonly as?: string;
}

/** Whether a model is served over a dataset, and if not, why. */
export interface ModelBinding {
  readonly model: ModelRecord;
  readonly state: 'served' | 'features_missing' | 'disabled' | 'not_deployed';
  readonly reason: string | null;
  readonly missing: readonly string[];
  readonly deployment: DeploymentRecord | null;
}

/** What the APIs, the predict step and the data graph call. */
export interface Models {
  list(viewer: Viewer): Promise<ModelRecord[]>;
  get(viewer: Viewer, name: string): Promise<ModelRecord>;
  versionsOf(viewer: Viewer, modelIds: readonly string[]): Promise<Map<string, ModelVersionRecord[]>>;
  aliasesOf(viewer: Viewer, modelId: string, at?: Date): Promise<AliasRecord[]>;
  /** Current aliases of several models, by model id. */
  aliasesOfModels(viewer: Viewer, modelIds: readonly string[]): Promise<Map<string, AliasRecord[]>>;
  /** Where an alias pointed and since when, newest first. */
  aliasHistory(viewer: Viewer, modelId: string, alias: string): Promise<AliasRecord[]>;
  /** Puts an artifact through the gate and stores it as the next version. @throws ARTIFACT_*, PARITY_FAILED, NAME_* */
  register(viewer: Viewer, input: RegisterInput): Promise<ModelVersionRecord>;
  /** @throws MODEL_NOT_FOUND, MODEL_VERSION_NOT_FOUND */
  resolve(model: string, pin: VersionPin, at?: Date): Promise<ModelVersionRecord>;
  setAlias(viewer: Viewer, model: string, alias: string, version: number | null): Promise<void>;
  /** Points the alias at the version and serves the model over the dataset. @throws SIGNATURE_MISMATCH, NAME_* */
  deploy(viewer: Viewer, input: DeployInput): Promise<DeploymentRecord>;
  /** Why a version cannot be served over such columns of a dataset, in words; null when it can. @param features see DeploymentRecord */
  unfit(version: ModelVersionRecord, dataset: string, schema: Schema, features: Readonly<Record<string, string>>): Promise<string | null>;
  undeploy(viewer: Viewer, dataset: string, field: string): Promise<void>;
  deployments(): Promise<DeploymentRecord[]>;
  bindings(viewer: Viewer, dataset: string): Promise<ModelBinding[]>;
  /** The same for several datasets, by name, without statements for each. */
  bindingsOf(viewer: Viewer, datasets: readonly string[]): Promise<Map<string, ModelBinding[]>>;
  /** Scores a batch whose columns stand in signature order; loads the version on first use and keeps it. */
  score(version: ModelVersionRecord, batch: ColumnBatch): Promise<readonly Column[]>;
  /** One prediction for given values, by input name. @throws INPUT_INVALID */
  predict(viewer: Viewer, model: string, pin: VersionPin, inputs: readonly Readonly<Record<string, unknown>>[]): Promise<{version: ModelVersionRecord; outputs: Readonly<Record<string, unknown>>[]}>;
}
