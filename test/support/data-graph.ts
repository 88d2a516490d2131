import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {buildSchema, parse, validate} from 'graphql';
import type {DocumentNode, ExecutionResult, GraphQLSchema} from 'graphql';
import type {Viewer} from '../../src/core/viewer.ts';
import {createDuckDbEngine} from '../../src/engines/duckdb/engine.ts';
import type {Engine, Query, Table} from '../../src/engines/engine.ts';
import type {ModelVersionRecord} from '../../src/models/models.ts';
import {ScoreFiles} from '../../src/models/score-files.ts';
import type {Schema} from '../../src/schemas/schema.ts';
import type {SnapshotRecord} from '../../src/warehouse/warehouse.ts';
import {buildDataSchema} from '../../src/api/graphql/data/data-schema.ts';
import type {Explanation} from '../../src/api/graphql/data/explanation.ts';
import type {DataContext, GraphDataset, GraphModel} from '../../src/api/graphql/data/graph-model.ts';
import {Executor} from '../../src/api/graphql/executor.ts';
import {stringify} from '../../src/api/graphql/stringify.ts';

/** A data graph over the real engine: datasets made by SQL, heads and tables kept in memory. */
export class TestGraph {
  readonly snapshots = new Map<string, SnapshotRecord[]>();
  private readonly tables = new Map<string, Table>();
  private readonly datasets: GraphDataset[] = [];
  private readonly documents = new Map<string, DocumentNode>();
  private executor: Executor | null = null;
  /** What the next answers tell of themselves. */
  explanation: Explanation | undefined;
  /** Statements the engine ran for the graph. */
  readonly statements: Query[] = [];
  now = new Date();
  score: DataContext['score'] = () => Promise.reject(new Error('no models here'));
  version: DataContext['version'] = (_dataset, {model}, {version}) => Promise.resolve({modelName: model, number: version ?? 1, fingerprint: `${model} ${version ?? 1}`, settings: {batchRows: 64}} as ModelVersionRecord);
  readonly scoreFiles: ScoreFiles;
  viewer: Viewer = {name: 'test', roles: ['viewer'], limits: {depth: 12, fields: 500, rows: 100_000, bytes: 50_000_000, cost: 10_000_000, seconds: 30, scanBytes: 1e12, queries: 100, streamRows: 1_000_000, streamSeconds: 60}};

  private constructor(
    readonly engine: Engine,
    readonly folder: string,
    private readonly core: GraphQLSchema,
  ) {
    this.scoreFiles = new ScoreFiles({folder: join(folder, 'scores'), warehouse: folder, bytes: 2 ** 30, runtime: 'test', concurrency: 2}, engine);
  }

  static async start(options: {allow?: string[]; core?: GraphQLSchema} = {}): Promise<TestGraph> {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-graph-'));
    const engine = createDuckDbEngine({allowedFolders: [folder, ...(options.allow ?? [])], threads: 2, tempFolder: join(folder, 'temp'), maxQueries: 4});
    await engine.start();
    return new TestGraph(engine, folder, options.core ?? buildSchema('type Query { ping: String }'));
  }

  async stop(): Promise<void> {
    await this.engine.stop();
    await rm(this.folder, {recursive: true});
  }

  /** Commits the rows of a SELECT as the next snapshot of a dataset, and the first time adds the dataset to the graph. */
  async commit(name: string, sql: string, extra: Partial<Omit<GraphDataset, 'name'>> & {filesOf?: number; committedAt?: Date} = {}): Promise<SnapshotRecord> {
    const query: Query = {sql, relations: {}};
    const described = extra.schema ?? (await this.engine.describe(query));
    const schema: Schema = {fields: described.fields.map((field, index) => ({...field, id: index + 1}))};
    const list = this.snapshots.get(name) ?? [];
    const folder = await mkdtemp(join(this.folder, `${name}-`));
    const files = await this.engine.materialize(query, {folder, schema, rowsPerFile: extra.filesOf});
    let firstRowId = 0;
    const table: Table = {
      kind: 'table',
      schema,
      uniform: true,
      files: files.map(file => {
        const entry = {path: file.path, rowCount: file.rowCount, bytes: file.bytes, firstRowId, rowIds: 'positional' as const, columns: file.columns};
        firstRowId += file.rowCount;
        return entry;
      }),
    };
    const snapshot: SnapshotRecord = {
      id: `${name}-${list.length}`, datasetId: name, datasetName: name, sequence: list.length, parentId: null, operation: 'overwrite', schema, schemaVersion: 1, runId: null, stepName: null,
      rowCount: BigInt(firstRowId), bytes: 0n, fileCount: files.length, nextRowId: BigInt(firstRowId), contentHash: '', profile: [], lineage: {}, committedAt: extra.committedAt ?? new Date(), expiredAt: null,
    };
    this.tables.set(snapshot.id, table);
    this.snapshots.set(name, [...list, snapshot]);
    const {contract = {}, predictions = [], relationships, description} = extra;
    const known = this.datasets.findIndex(dataset => dataset.name === name);
    const dataset: GraphDataset = {name, schema, contract, predictions, relationships, description};
    if (known < 0) this.datasets.push(dataset);
    else if (extra.schema) this.datasets[known] = dataset;
    this.executor = null;
    return snapshot;
  }

  get model(): GraphModel {
    return {version: 1n, datasets: [...this.datasets]};
  }

  get graph(): Executor {
    return (this.executor ??= new Executor(buildDataSchema(this.model, this.core)));
  }

  context(): DataContext {
    const engine: Engine = Object.create(this.engine) as Engine;
    engine.text = (query, work) => {
      this.statements.push(query);
      return this.engine.text(query, work);
    };
    engine.columns = (query, options) => {
      this.statements.push(query);
      return this.engine.columns(query, options);
    };
    return {
      now: () => this.now,
      explanation: this.explanation,
      viewer: this.viewer,
      engine,
      heads: {
        resolve: async (name, asOf) => {
          const all = this.snapshots.get(name)!;
          const found = !asOf ? all.at(-1) : asOf.snapshot ? all.find(({id}) => id === asOf.snapshot) : all.findLast(({committedAt}) => committedAt <= asOf.time!);
          if (!found) throw new Error(`no snapshot of ${name}`);
          return found;
        },
      },
      table: async ({id}) => this.tables.get(id)!,
      write: () => Promise.reject(new Error('nothing is written here')),
      score: (...args) => this.score(...args),
      version: (...args) => this.version(...args),
      scoreFiles: this.scoreFiles,
    };
  }

  parse(source: string): DocumentNode {
    let document = this.documents.get(source);
    if (!document) this.documents.set(source, (document = parse(source)));
    return document;
  }

  async execute(source: string, variables?: Record<string, unknown>, operationName?: string): Promise<ExecutionResult> {
    const document = this.parse(source);
    const problems = validate(this.graph.graph.schema, document);
    if (problems.length > 0) return {errors: problems};
    return this.graph.execute({document, variables, operationName, coreContext: {}, data: this.context()});
  }

  /** The response as a client sees it. @throws the first error when there are errors */
  async ask(source: string, variables?: Record<string, unknown>): Promise<Record<string, any>> {
    const result = await this.execute(source, variables);
    if (result.errors) throw result.errors[0]!.originalError ?? result.errors[0]!;
    return (JSON.parse(stringify(result as never)) as {data: Record<string, any>}).data;
  }
}
