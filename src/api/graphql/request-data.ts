import {MillraceError} from '../../core/errors.ts';
import type {Viewer} from '../../core/viewer.ts';
import type {Column, ColumnBatch, Engine, Table} from '../../engines/engine.ts';
import type {ModelVersionRecord} from '../../models/models.ts';
import {typeName} from '../../schemas/schema.ts';
import type {Field} from '../../schemas/schema.ts';
import type {AsOf, SnapshotRecord} from '../../warehouse/warehouse.ts';
import type {Explanation} from './data/explanation.ts';
import type {DataContext, GraphPrediction, HeadSet, PredictionPin, Scored} from './data/graph-model.ts';
import type {GraphqlServices} from './services.ts';
import type {WriteAnswer, WriteRequest} from '../../writes/writes.ts';

/** What an operation read, or is to read again: snapshot ids and `model@number`, each by what was asked for. */
export interface Reads {
  /** In ISO 8601, where a condition asked for the time. */
  readonly now?: string;
  readonly snapshots: Readonly<Record<string, string>>;
  readonly versions: Readonly<Record<string, string>>;
}

/** What the data fields of one operation run with. It resolves heads and versions once, and remembers them for the receipt. */
export class RequestData implements DataContext, HeadSet {
  private readonly snapshots = new Map<string, Promise<SnapshotRecord>>();
  private readonly versions = new Map<string, Promise<ModelVersionRecord>>();
  private time: Date | undefined;
  private heads_: Promise<ReadonlyMap<string, SnapshotRecord>> | undefined;
  private deployments: ReturnType<GraphqlServices['models']['deployments']> | undefined;
  readonly engine: Engine;

  /** @param again what to read, for the verification of a receipt; anything else is refused then. */
  constructor(
    private readonly services: GraphqlServices,
    readonly viewer: Viewer,
    readonly signal?: AbortSignal,
    private readonly again?: Reads,
    readonly kept?: DataContext['kept'],
    readonly explanation?: Explanation,
  ) {
    this.engine = services.engine;
  }

  get heads(): HeadSet {
    return this;
  }

  now(): Date {
    this.time ??= this.again?.now === undefined ? new Date() : new Date(this.again.now);
    return this.time;
  }

  resolve(dataset: string, asOf?: AsOf): Promise<SnapshotRecord> {
    return once(this.snapshots, placeOf(dataset, asOf), key => this.find(key, dataset, asOf));
  }

  profiles(): Promise<ReadonlyMap<string, SnapshotRecord>> {
    const {datasets, heads} = this.services;
    return (this.heads_ ??= heads?.() ?? datasets.list(this.viewer).then(views => new Map(views.flatMap(view => (view.head ? [[view.dataset.name, view.head] as const] : [])))));
  }

  table(snapshot: SnapshotRecord): Promise<Table> {
    return this.services.warehouse.table(snapshot);
  }

  write(request: WriteRequest): Promise<WriteAnswer> {
    return this.services.writes.write(this.viewer, request);
  }

  get scoreFiles(): DataContext['scoreFiles'] {
    return this.services.scoreFiles;
  }

  async version(dataset: string, prediction: GraphPrediction, pin: PredictionPin): Promise<ModelVersionRecord> {
    const version = await this.versionOf(dataset, prediction, pin);
    const {inputs, outputs} = version.signature;
    placesOf(inputs, prediction.inputs, version, dataset);
    placesOf(prediction.outputs, outputs, version, dataset);
    return version;
  }

  async score(dataset: string, prediction: GraphPrediction, pin: PredictionPin, batch: ColumnBatch): Promise<Scored> {
    const version = await this.versionOf(dataset, prediction, pin);
    const {inputs, outputs} = version.signature;
    const places = placesOf(inputs, prediction.inputs, version, dataset);
    const columns = await this.services.models.score(version, {rowCount: batch.rowCount, columns: places.map(place => batch.columns[place]!)});
    return {columns: placesOf(prediction.outputs, outputs, version, dataset).map((place): Column => columns[place]!), version};
  }

  /** What was read so far. */
  async reads(): Promise<Reads> {
    const settled = async <T>(known: Map<string, Promise<T>>, name: (value: T) => string) =>
      Object.fromEntries(await Promise.all([...known].map(async ([key, value]) => [key, name(await value)] as const)));
    return {...(this.time && {now: this.time.toISOString()}), snapshots: await settled(this.snapshots, ({id}) => id), versions: await settled(this.versions, versionName)};
  }

  private async find(key: string, dataset: string, asOf: AsOf | undefined): Promise<SnapshotRecord> {
    const {warehouse} = this.services;
    if (this.again) {
      const snapshot = this.again.snapshots[key];
      if (snapshot === undefined) throw new MillraceError('SNAPSHOT_NOT_FOUND', {id: dataset});
      return warehouse.resolve(dataset, {snapshot});
    }
    if (asOf) return warehouse.resolve(dataset, asOf);
    // One that was committed since the set was read is not of the set: the graph knew it before the request did.
    return (await this.profiles()).get(dataset) ?? warehouse.resolve(dataset);
  }

  private versionOf(dataset: string, {model, field}: GraphPrediction, {version, alias, at}: PredictionPin): Promise<ModelVersionRecord> {
    const wanted = version === undefined ? `${alias ?? `of ${dataset}.${field}`}${at ? ` at ${at.toISOString()}` : ''}` : String(version);
    return once(this.versions, `${model} ${wanted}`, async key => {
      const {models} = this.services;
      if (this.again) {
        const [name, number] = (this.again.versions[key] ?? '').split('@');
        if (name !== model) throw new MillraceError('MODEL_VERSION_NOT_FOUND', {name: model, version: wanted});
        return models.resolve(model, {version: Number(number)});
      }
      if (version !== undefined) return models.resolve(model, {version});
      return models.resolve(model, {alias: alias ?? (await this.deployedAlias(dataset, field))}, at);
    });
  }

  private async deployedAlias(dataset: string, field: string): Promise<string | undefined> {
    this.deployments ??= this.services.models.deployments();
    return (await this.deployments).find(deployment => deployment.datasetName === dataset && deployment.field === field)?.alias;
  }
}

export const versionName = ({modelName, number}: ModelVersionRecord): string => `${modelName}@${number}`;

function placeOf(dataset: string, asOf: AsOf | undefined): string {
  if (!asOf) return dataset;
  return `${dataset} ${asOf.snapshot !== undefined ? `snapshot ${asOf.snapshot}` : asOf.run !== undefined ? `run ${asOf.run}` : `time ${asOf.time?.toISOString()}`}`;
}

function once<T>(known: Map<string, Promise<T>>, key: string, find: (key: string) => Promise<T>): Promise<T> {
  let found = known.get(key);
  if (!found) known.set(key, (found = find(key)));
  return found;
}

/** Where in `given` each of `wanted` stands. @throws SIGNATURE_MISMATCH */
function placesOf(wanted: readonly Field[], given: readonly Field[], version: ModelVersionRecord, dataset: string): number[] {
  const missing: string[] = [];
  const wrongType: string[] = [];
  const places = wanted.map(({name, type}) => {
    const place = given.findIndex(field => field.name === name);
    if (place < 0) missing.push(name);
    else if (typeName(given[place]!.type) !== typeName(type)) wrongType.push(name);
    return place;
  });
  if (missing.length > 0 || wrongType.length > 0) {
    const reason = `version ${version.number} has another signature than the version deployed (${[...missing, ...wrongType].join(', ')}).`;
    throw new MillraceError('SIGNATURE_MISMATCH', {model: version.modelName, dataset, reason, missing, wrongType});
  }
  return places;
}
