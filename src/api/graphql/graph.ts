import {GraphQLError, Kind, parse, validate} from 'graphql';
import type {DocumentNode, FragmentDefinitionNode, GraphQLSchema} from 'graphql';
import type {Logger} from '../../core/logging.ts';
import type {QueryLimits} from '../../core/viewer.ts';
import {buildDataSchema, swapDataSchema} from './data/data-schema.ts';
import type {DataSchema} from './data/data-schema.ts';
import type {GraphModel} from './data/graph-model.ts';
import {Lru} from './data/plan-cache.ts';
import {Executor} from './executor.ts';
import {checkSize} from './limits.ts';
import type {GraphModelSource} from './services.ts';
import {validationRules} from './validation-rules.ts';

/** A document and the version of the graph that will answer it. */
export interface Prepared {
  readonly source: string;
  readonly executor: Executor;
  /** Null when there are errors. */
  readonly document: DocumentNode | null;
  readonly errors: readonly GraphQLError[];
}

/** Tokens of a document; a thousand fields with arguments have fewer. Bounds what parsing and validating cost. */
export const maxTokens = 10_000;

const keptDocuments = 500;
/** Longer documents are parsed each time. */
const keptLength = 20_000;

interface Version {
  readonly executor: Executor;
  readonly documents: Lru<DocumentNode>;
}

/** The graph as it is now. Operations finish on the version they began with; a new one that is not valid leaves the old one serving. */
export class Graph {
  private version: Version;
  private readonly listeners = new Set<(schema: GraphQLSchema) => void>();
  private readonly stopListening: () => void;

  /** @throws INTERNAL when the first schema is not valid */
  constructor(
    core: GraphQLSchema,
    private readonly source: GraphModelSource,
    private readonly logger: Logger,
  ) {
    this.version = versionOf(new Executor(this.tolerant(source.current(), core, model => buildDataSchema(model, core))));
    this.stopListening = source.onChange(() => this.swap());
  }

  get executor(): Executor {
    return this.version.executor;
  }

  get schema(): GraphQLSchema {
    return this.version.executor.graph.schema;
  }

  /** Calls back with each new schema; answers how to stop. */
  onSwap(listener: (schema: GraphQLSchema) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  stop(): void {
    this.stopListening();
    this.listeners.clear();
  }

  /**
   * Parses, measures and validates a document, in this order, so that a huge one is refused before it costs much.
   * @throws QUERY_TOO_DEEP, QUERY_TOO_MANY_ALIASES
   */
  prepare(source: string, limits: QueryLimits): Prepared {
    const {executor, documents} = this.version;
    const known = documents.get(source);
    if (known) {
      measure(known, limits);
      return {source, executor, document: known, errors: []};
    }
    let document: DocumentNode;
    try {
      document = parse(source, {maxTokens});
    } catch (error) {
      return {source, executor, document: null, errors: [error instanceof GraphQLError ? error : new GraphQLError('The document is nested too deeply to be read.')]};
    }
    measure(document, limits);
    const errors = validate(executor.graph.schema, document, validationRules);
    if (errors.length > 0) return {source, executor, document: null, errors};
    if (source.length <= keptLength) documents.set(source, document);
    return {source, executor, document, errors};
  }

  /** The schema of a model; datasets that no valid types can be made of are left out and logged, so that they harm no other. */
  private tolerant(model: GraphModel, core: GraphQLSchema, build: (model: GraphModel) => DataSchema): DataSchema {
    try {
      return build(model);
    } catch (error) {
      const kept = model.datasets.filter(dataset => {
        try {
          buildDataSchema({...model, datasets: [dataset]}, core);
          return true;
        } catch (cause) {
          this.logger.error({err: cause, dataset: dataset.name}, 'a dataset is left out of the graph');
          return false;
        }
      });
      if (kept.length === model.datasets.length) throw error;
      return build({...model, datasets: kept});
    }
  }

  private swap(): void {
    const began = performance.now();
    const model = this.source.current();
    try {
      const {graph} = this.version.executor;
      const next = this.tolerant(model, graph.core, kept => swapDataSchema(graph, kept));
      this.version = versionOf(new Executor(next));
      for (const listener of this.listeners) listener(next.schema);
      this.logger.debug({version: String(model.version), milliseconds: Math.round(performance.now() - began)}, 'the graph was swapped');
    } catch (error) {
      this.logger.error({err: error, version: String(model.version)}, 'the new graph is not valid; the old one goes on serving');
    }
  }
}

const versionOf = (executor: Executor): Version => ({executor, documents: new Lru(keptDocuments)});

function measure(document: DocumentNode, limits: QueryLimits): void {
  const fragments: Record<string, FragmentDefinitionNode> = Object.create(null) as Record<string, FragmentDefinitionNode>;
  for (const definition of document.definitions) if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments[definition.name.value] = definition;
  for (const definition of document.definitions) if (definition.kind === Kind.OPERATION_DEFINITION) checkSize(definition, fragments, limits);
}
