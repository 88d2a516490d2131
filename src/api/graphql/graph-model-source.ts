import type {Viewer} from '../../core/viewer.ts';
import {unfitColumns} from '../../models/fit.ts';
import type {Models} from '../../models/models.ts';
import {documented} from '../../schemas/documented.ts';
import {withLegalMembers} from '../../schemas/legal-members.ts';
import type {Schema} from '../../schemas/schema.ts';
import type {Relationships} from '../../warehouse/relationship.ts';
import type {Datasets} from '../../warehouse/warehouse.ts';
import type {GraphDataset, GraphModel, GraphPrediction} from './data/graph-model.ts';
import type {GraphModelSource} from './services.ts';

export interface GraphModelOptions {
  readonly datasets: Pick<Datasets, 'schemas'>;
  readonly relationships: Pick<Relationships, 'list'>;
  readonly models: Pick<Models, 'deployments' | 'resolve'>;
  /** Counts changes of what the graph is made of. */
  readonly version: () => Promise<bigint>;
  /** Wakes when it may have risen; answers how to stop. */
  readonly listen: (wake: () => void) => () => void;
  readonly viewer: Viewer;
  readonly onError: (error: unknown) => void;
}

/** Milliseconds between looks at the version without a wake-up: one may be lost. */
const backstop = 5_000;

/** The graph's model as the catalog has it, read again whenever its version rises, in this process or another. */
export class CatalogGraphModel implements GraphModelSource {
  private model: GraphModel = {version: -1n, datasets: []};
  /** Datasets as they were read last, with what they were made of: the same object tells the graph that nothing changed. */
  private known = new Map<string, {readonly schemaId: string; readonly made: string; readonly legal: Schema; readonly dataset: GraphDataset}>();
  private readonly listeners = new Set<() => void>();
  private reading: Promise<void> | undefined;
  private stale = false;
  private quiet: (() => void) | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: GraphModelOptions) {}

  current(): GraphModel {
    return this.model;
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** @throws when the catalog cannot be read: a server without its graph must not look ready */
  async start(): Promise<void> {
    this.model = {version: await this.options.version(), datasets: await this.read()};
    this.quiet = this.options.listen(() => void this.refresh());
    this.timer = setInterval(() => void this.refresh(), backstop);
  }

  stop(): void {
    this.quiet?.();
    clearInterval(this.timer);
  }

  /** Reads what changed; resolves when the model is as new as the call. */
  async refresh(): Promise<void> {
    if (this.reading) {
      this.stale = true;
      return this.reading;
    }
    this.reading = this.readUntilFresh().finally(() => {
      this.reading = undefined;
    });
    return this.reading;
  }

  private async readUntilFresh(): Promise<void> {
    do {
      this.stale = false;
      try {
        const version = await this.options.version();
        if (version === this.model.version) continue;
        this.model = {version, datasets: await this.read()};
        for (const listener of this.listeners) listener();
      } catch (error) {
        this.options.onError(error); // the old graph goes on serving
      }
    } while (this.stale);
  }

  private async read(): Promise<GraphDataset[]> {
    const before = this.known;
    const knownIds = [...before.values()].map(({schemaId}) => schemaId);
    const [datasets, predictions, declared] = await Promise.all([this.options.datasets.schemas(this.options.viewer, knownIds), this.predictions(), this.options.relationships.list(this.options.viewer)]);
    const ofId = new Map([...before.values()].map(({schemaId, legal}) => [schemaId, legal]));
    this.known = new Map(datasets.map(({name, schemaId, schema, contract}) => {
      const legal = schema ? withLegalMembers(schema) : ofId.get(schemaId)!;
      // `Dataset.models` says why a model that is deployed is no field.
      const predicted = (predictions.get(name) ?? []).filter(({inputs, features}) => unfitColumns(inputs, features, legal) === null);
      const relationships = declared.filter(({dataset}) => dataset === name).map(({dataset: _, ...relationship}) => relationship);
      const made = `${schemaId} ${JSON.stringify([contract, predicted, relationships])}`;
      const known = before.get(name);
      if (known?.made === made) return [name, known];
      const {description} = contract;
      return [name, {schemaId, made, legal, dataset: {name, schema: documented(legal, contract), contract, predictions: predicted, relationships, ...(description ? {description} : {})}}];
    }));
    return [...this.known.values()].map(({dataset}) => dataset);
  }

  private async predictions(): Promise<Map<string, GraphPrediction[]>> {
    const found = new Map<string, GraphPrediction[]>();
    for (const {enabled, modelName, alias, datasetName, field, features} of await this.options.models.deployments()) {
      if (!enabled) continue;
      const version = await this.options.models.resolve(modelName, {alias}).catch(() => null); // an alias taken away: `Dataset.models` says so
      if (!version) continue;
      const {inputs, outputs} = version.signature;
      found.set(datasetName, [...(found.get(datasetName) ?? []), {field, model: modelName, inputs, outputs, features}]);
    }
    return found;
  }
}
