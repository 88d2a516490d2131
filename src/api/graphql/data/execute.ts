import {MillraceError} from '../../../core/errors.ts';
import type {Query, Table} from '../../../engines/engine.ts';
import {withEngineMembers} from '../../../schemas/legal-members.ts';
import type {Schema} from '../../../schemas/schema.ts';
import type {AsOf, SnapshotRecord} from '../../../warehouse/warehouse.ts';
import type {Facts} from './bindings.ts';
import {costOf, refuseCostly} from './cost.ts';
import type {Cost} from './cost.ts';
import type {DataSchema} from './data-schema.ts';
import type {Variables} from './given.ts';
import type {DataContext} from './graph-model.ts';
import type {KeptUse} from './live/kept-aggregates.ts';
import type {FieldPlan, Statement} from './plan.ts';
import {nameOf, refuseUnknownModels} from './predictions/asked.ts';
import {withInline} from './predictions/inline.ts';
import {predictedTable, versionOf} from './predictions/predicted-table.ts';
import {filesFor} from './pruning.ts';
import {scaleOf} from './scales.ts';
import {scoredTexts} from './scoring.ts';

/** Runs one compiled root field; the answer is its JSON text. @throws every code a data field can fail with */
export async function executeField(plan: FieldPlan, graph: DataSchema, variables: Variables, context: DataContext): Promise<string> {
  const run = new FieldRun(plan, graph, variables, context);
  const {answer} = plan;
  if (answer.kind === 'columns') throw new MillraceError('INTERNAL', {reason: `${plan.key} was compiled to be streamed`});
  const text = answer.kind === 'text' ? await run.text(answer.statement, answer.single) : answer.kind === 'scored' ? await run.scored(answer) : await run.aggregate(answer.parts);
  const {bytes} = context.viewer.limits;
  // A string of n UTF-16 units has at least n bytes, so most texts need no count.
  if (text.length > bytes || (text.length * 3 > bytes && Buffer.byteLength(text) > bytes)) throw new MillraceError('RESULT_TOO_LARGE', {limit: bytes, unit: 'bytes'});
  return text;
}

/** Rows that a statement may have to read and still be light; one that asks for a row by its key finds it by the files' bounds. */
const fewRows = 200_000;
const fewRowsByKey = 20_000_000;

interface DatasetCost extends Cost {
  readonly dataset: string;
  readonly snapshot: SnapshotRecord;
  readonly files: {readonly read: number; readonly pruned: number};
}

/** One run of a compiled root field: the snapshots it reads, resolved once. */
export class FieldRun {
  private readonly snapshots = new Map<string, Promise<SnapshotRecord>>();
  readonly asOf: AsOf | undefined;
  private readonly light = new WeakSet<Query>();
  /** How its aggregations were answered. */
  readonly keptUses: KeptUse[] = [];

  constructor(
    private readonly plan: FieldPlan,
    private readonly graph: DataSchema,
    private readonly variables: Variables,
    private readonly context: DataContext,
  ) {
    this.asOf = plan.asOf(variables);
    refuseUnknownModels(plan.models, variables, graph.shapes.values());
  }

  async text(statement: Statement, single: boolean): Promise<string> {
    const text = await this.reading(statement, query => this.textOf(query, statement));
    if (text === null && !single) throw this.tooManyRows();
    return text === null ? 'null' : (await withInline([text], statement.inline, this.variables, this.asOf?.time, this.context))[0]!;
  }

  private async textOf(query: Query, {aggregated, datasets}: Statement): Promise<string | null> {
    const {engine, signal, kept} = this.context;
    if (!aggregated || !kept) return engine.text(query, {signal, light: this.light.has(query)});
    const {profile} = await this.snapshot(datasets[0]!);
    const {text, use} = await kept.aggregates.text(query, aggregated, {engine, signal, profile, followed: kept.followed});
    this.keptUses.push(use);
    if (this.context.explanation) this.context.explanation.field(this.plan.key).kept = this.keptUses;
    return text;
  }

  async scored({rows, single}: {rows: Extract<FieldPlan['answer'], {kind: 'scored'}>['rows']; single: boolean}): Promise<string> {
    const {limits} = this.context.viewer;
    const texts = await this.reading(rows.statement, query => scoredTexts(rows, query, this.variables, this.asOf?.time, this.context));
    if (single) return texts[0] ?? 'null';
    if (texts.length > limits.rows) throw this.tooManyRows();
    return `[${texts.join(',')}]`;
  }

  /** Kept outputs of models may be removed, or be damaged, between finding and reading them: then they are made again. */
  private async reading<T>(statement: Statement, read: (query: Query) => Promise<T>): Promise<T> {
    const query = await this.timed('snapshots', () => this.query(statement));
    try {
      return await this.timed('engine', () => read(query));
    } catch (error) {
      const kept = scoreFilesOf(query);
      if (kept.length === 0 || this.context.signal?.aborted || !(await this.context.scoreFiles.recheck(kept))) throw callersFault(error, query);
    }
    return read(await this.query(statement));
  }

  /** Parts run at once; they read the same snapshots. */
  async aggregate(parts: Extract<FieldPlan['answer'], {kind: 'aggregate'}>['parts']): Promise<string> {
    const texts = await Promise.all(
      parts.map(async part => {
        const value = part.kind === 'constant' ? part.json : part.kind === 'text' ? await this.text(part.statement, false) : await this.scored({rows: part.rows, single: false});
        return `${JSON.stringify(part.key)}:${value}`;
      }),
    );
    return `{${texts.join(',')}}`;
  }

  private tooManyRows(): MillraceError {
    return new MillraceError('RESULT_TOO_LARGE', {limit: this.context.viewer.limits.rows, unit: 'rows'});
  }

  /** The statement with this request's snapshots and values. @throws QUERY_TOO_COSTLY */
  async query(statement: Statement): Promise<Query> {
    const snapshots = new Map<string, SnapshotRecord>();
    for (const dataset of statement.datasets) snapshots.set(dataset, await this.snapshot(dataset));
    const relations: Record<string, Query['relations'][string]> = {};
    const read: DatasetCost[] = [];
    for (const [name, snapshot] of snapshots) {
      const table = await this.table(name, snapshot);
      const {where, columns} = statement.reads.get(name)!;
      // Rows that a condition does not choose may be what changed.
      const files = table.uniform && !statement.changed ? filesFor(where, this.graph.shapes.get(name)!, table, this.variables) : table.files;
      read.push({dataset: name, snapshot, files: {read: files.length, pruned: table.files.length - files.length}, ...costOf(files, table.uniform ? columns : null)});
      relations[name] = {...table, files};
    }
    if (statement.changed) {
      const {dataset, before, after, from} = statement.changed;
      const tables = [await this.table(dataset, await this.context.heads.resolve(dataset, from(this.variables))), relations[dataset] as Table] as const;
      // The rows of a file that both have are the same in both.
      const common = tables[0].files.filter(({path}) => tables[1].files.some(file => file.path === path)).map(({path}) => path);
      const rest = (table: Table): Table => ({...table, files: table.files.filter(({path}) => !common.includes(path))});
      [relations[before], relations[after]] = [rest(tables[0]), rest(tables[1])];
    }
    refuseCostly(read, this.context.viewer.limits);
    const at = this.asOf?.time;
    const numbers = new Map<string, number>();
    for (const use of statement.predicted) {
      for (const asked of use.predictions) numbers.set(`${use.dataset} ${nameOf(asked.prediction, asked.settings)}`, (await versionOf(use, asked, this.variables, at, this.context)).number);
      relations[use.relation] = await predictedTable({
        use, table: relations[use.dataset] as Table, variables: this.variables, at, context: this.context,
        candidates: async () => use.candidates && this.query(use.candidates),
        params: ({parameters}) => parameters.map(parameter => parameter(this.variables, noFacts)),
      });
    }
    const scales = await Promise.all(statement.scaled.map(({dataset, column}) => scaleOf(snapshots.get(dataset)!, column, relations[dataset]!, this.context)));
    const facts: Facts = {now: () => this.context.now(), scale: (dataset, column) => scales[statement.scaled.findIndex(one => one.dataset === dataset && one.column === column)]!, version: (dataset, prediction, settings) => numbers.get(`${dataset} ${nameOf(prediction, settings)}`)!};
    const params = statement.parameters.map(parameter => parameter(this.variables, facts));
    const query = {sql: statement.sql, params, relations};
    const {answer} = this.plan;
    if (statement.uses === 1 && statement.predicted.length === 0 && read[0]!.rows <= (answer.kind === 'text' && answer.single ? fewRowsByKey : fewRows)) this.light.add(query);
    this.explain(query, read);
    return query;
  }

  private explain(query: Query, read: readonly DatasetCost[]): void {
    const {explanation, engine, signal} = this.context;
    if (!explanation) return;
    const datasets = read.map(({dataset, snapshot, files, rows}) => ({dataset, snapshot: snapshot.id, rows, files}));
    const estimated = {rows: read.reduce((sum, {rows}) => sum + rows, 0), bytes: read.reduce((sum, {bytes}) => sum + bytes, 0)};
    (explanation.field(this.plan.key).statements ??= []).push({sql: query.sql, datasets, estimated, measure: () => engine.measure(query, {signal})});
  }

  private timed<T>(part: string, work: () => Promise<T>): Promise<T> {
    const {explanation} = this.context;
    return explanation ? explanation.timed(this.plan.key, part, work) : work();
  }

  private async table(dataset: string, snapshot: SnapshotRecord): Promise<Table> {
    const table = await this.context.table(snapshot);
    const schema = withEngineMembers(this.graph.shapes.get(dataset)!.dataset.schema);
    // Rows of an older snapshot are shown with today's columns: found by field id, null where they did not exist.
    return sameFields(schema, snapshot.schema) ? {...table, rowIds: true} : {...table, schema, uniform: false, rowIds: true};
  }

  /** Related datasets are read as they were when the root's snapshot was made, where that was asked for by snapshot or run. */
  snapshot(dataset: string): Promise<SnapshotRecord> {
    let found = this.snapshots.get(dataset);
    if (!found) {
      found = this.resolve(dataset);
      this.snapshots.set(dataset, found);
    }
    return found;
  }

  private async resolve(dataset: string): Promise<SnapshotRecord> {
    const {heads} = this.context;
    if (dataset === this.plan.dataset || !this.asOf || this.asOf.time) return heads.resolve(dataset, this.asOf);
    const root = await this.snapshot(this.plan.dataset);
    return heads.resolve(dataset, {time: root.committedAt});
  }
}

const scoreFilesOf = ({relations}: Query): string[] =>
  Object.values(relations).flatMap(relation => (relation.kind === 'table' ? (relation.beside ?? []).flatMap(beside => (beside.kind === 'files' ? beside.files : [])) : []));

/** Inputs that are replaced depend on variables only. */
const noFacts: Facts = {
  now: () => {
    throw new MillraceError('INTERNAL', {reason: 'an input of a model has no time'});
  },
  scale: () => {
    throw new MillraceError('INTERNAL', {reason: 'an input of a model has no scale'});
  },
  version: () => {
    throw new MillraceError('INTERNAL', {reason: 'an input of a model has no version'});
  },
};

/** How RE2 begins its complaints about a pattern; only the engine can tell, since its dialect is not JavaScript's. */
const badPattern = /^(missing|bad|invalid|unexpected|no argument|trailing|pattern too)\b/;

/** Of statements made here, patterns and sums are all that a caller's values, or the data, can break while they run. */
export function callersFault(error: unknown, {sql}: Query): unknown {
  const reason = error instanceof MillraceError && error.code === 'SQL_FAILED' ? String(error.details.reason) : '';
  if (reason.startsWith('Overflow in HUGEINT addition')) return new MillraceError('SUM_TOO_LARGE', undefined, {cause: error});
  return sql.includes('regexp_') && badPattern.test(reason) ? new MillraceError('ARGUMENT_INVALID', {name: 'where', reason: `the pattern has an error: ${reason}.`}, {cause: error}) : error;
}

const sameFields = (a: Schema, b: Schema): boolean => a === b || JSON.stringify(a.fields.map(({id, name, type}) => [id, name, type])) === JSON.stringify(b.fields.map(({id, name, type}) => [id, name, type]));
