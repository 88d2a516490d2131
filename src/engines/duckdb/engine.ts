import {version} from '@duckdb/node-api';
import type {Field} from '../../schemas/schema.ts';
import type {Engine, Query, SqlAnalysis, SqlValue} from '../engine.ts';
import {sqlType, withoutTrailer} from '../sql-text.ts';
import {analyzed, parsed} from './analyze.ts';
import {asSelect, checkExpression} from './expression.ts';
import {arrowToParquet} from './arrow-import.ts';
import {publishArrow, readArrow} from './arrow-stream.ts';
import {readColumns} from './columns.ts';
import {bind, Database} from './database.ts';
import type {DatabaseOptions, Lease} from './database.ts';
import {foreseen} from './foresee.ts';
import {inspected} from './inspect.ts';
import {LineageTracer} from './lineage.ts';
import {readLines} from './lines.ts';
import {measured} from './measure.ts';
import {neverNull} from './nullability.ts';
import {profiled} from './profile.ts';
import {queryColumns, relationSql, statement} from './relations.ts';
import {streamWithRows, withRows} from './rows-beside.ts';
import {writeScored} from './scored.ts';
import {detected, proposed} from './detect/detect.ts';
import {columnNames, publishFile, writeParquet} from './write.ts';

export type DuckDbOptions = DatabaseOptions;

const keptAnalyses = 500;

/** DuckDB inside this process: files only from the allowed folders, no network, no extensions, settings locked. */
export function createDuckDbEngine(options: DuckDbOptions): Engine {
  const database = new Database(options);
  /** What a text says of itself never changes, and one step asks several times. The oldest go first. */
  const analyses = new Map<string, SqlAnalysis>();
  const tracer = new LineageTracer();

  return {
    name: 'duckdb',
    capabilities: {embedded: true, distributed: false, besides: true},
    fingerprint: `duckdb ${version()}`,
    start: () => database.start(),
    stop: async () => {
      await Promise.all([database.stop(), tracer.stop()]);
    },

    async analyze(sql) {
      const known = analyses.get(sql);
      if (known) return known;
      const analysis = await database.use(async lease => analyzed(await tree(lease, sql)));
      analyses.set(sql, analysis);
      if (analyses.size > keptAnalyses) analyses.delete(analyses.keys().next().value!);
      return analysis;
    },

    analyzeExpression: expression => database.use(async lease => checkExpression(await tree(lease, asSelect(expression)), await aggregates(lease))),

    describe: query =>
      database.use(
        async lease => {
          const columns = await queryColumns(lease, statement(query));
          const names = columnNames(columns.map(column => column.name));
          const required = neverNull(await tree(lease, query.sql), query);
          // A count that differs means that the text was understood otherwise than DuckDB does.
          const trusted = required?.length === columns.length ? required : null;
          const fields = columns.map(
            ({name: source, type}, index): Field => ({id: 0, name: names[index]!, ...(names[index] === source ? {} : {sourceName: source}), type, nullable: trusted?.[index] !== true}),
          );
          return {fields};
        },
        {},
        {query},
      ),

    propose: raw => proposed(raw),

    sniff: (raw, work) => database.use(lease => detected(lease, raw), work, {query: {sql: '', relations: {raw}}}),

    materialize: (query, target, work) => database.use(lease => writeParquet(lease, query, target), work, {query, writing: target.folder}),

    publish: (query, file, work) =>
      database.use(
        lease => {
          if (file.format === 'arrow') return publishArrow(lease, query, file.path);
          return publishFile(lease, query, file.path, file.format);
        },
        work,
        {query, writing: file.path},
      ),

    text: (query, work) =>
      promptly(work?.signal, database.use(
        async lease => {
          const result = await withRows(lease, query, placed => run(lease, placed));
          const chunk = await result.fetchChunk();
          return chunk && chunk.rowCount > 0 ? (chunk.getColumnVector(0).getItem(0) as string | null) : null;
        },
        work,
        {query},
      )),

    rows: (query, work) => database.use(lease => withRows(lease, query, placed => plainRows(lease, placed)), work, {query}),

    materializeScored: (query, scoring, target, work) =>
      database.use(
        lease =>
          database.withScratch(async (scratch, scores) => writeScored({lease, scores, scratch, signal: work?.signal}, query, scoring, target)),
        work,
        {query, writing: target.folder},
      ),

    profile: (table, work) => database.use(lease => profiled(lease, table, work?.known), work),

    columns: (query, {batchRows, ...work}) => database.stream(lease => streamWithRows(lease, query, placed => readColumns(lease, placed, batchRows)), work, {query}),

    measure: (query, work) => database.use(lease => measured(lease, query), work, {query}),

    lines: (query, work) => database.stream(lease => streamWithRows(lease, query, placed => readLines(lease, placed)), {...work, outward: true}, {query}),

    arrow: (query, {names, ...work} = {}) => database.stream(lease => streamWithRows(lease, query, placed => readArrow(lease, placed, names, 'stream')), {...work, outward: true}, {query}),

    importArrow: (path, out, work) => database.use(() => database.withScratch((_, connection) => arrowToParquet(connection, path, out, work?.signal)), work, {writing: out}),

    syntax: sql => database.use(lease => tree(lease, sql)),

    inspect: (paths, schema) => database.use(lease => inspected(lease, paths, schema)),

    foresee: (query, facts) => database.use(async lease => foreseen(await tree(lease, query.sql), query, facts, await aggregates(lease))),

    async lineage(query) {
      const {outputs, relations} = await database.use(async lease => lineageInputs(lease, query), {}, {query});
      return tracer.trace(withoutTrailer(query.sql), outputs, relations);
    },
  };
}

/** Rejects when the signal aborts: planning, and the end of some aggregates, cannot be interrupted, and nobody waits for them. */
async function promptly<T>(signal: AbortSignal | undefined, work: Promise<T>): Promise<T> {
  if (!signal) return work;
  let abort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, {once: true});
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
    work.catch(() => undefined);
  }
}

async function tree(lease: Lease, sql: string) {
  const prepared = await lease.prepared('SELECT json_serialize_sql($1::VARCHAR)');
  bind(prepared, [sql]);
  const reader = await prepared.runAndReadAll();
  return parsed(reader.value(0, 0) as string, sql);
}

/** What tracing needs to know of the query's own columns and those of its relations. */
async function lineageInputs(lease: Lease, query: Query) {
  const columns = await queryColumns(lease, statement(query));
  const names = columnNames(columns.map(column => column.name));
  const relations: Record<string, {name: string; sqlType: string}[]> = {};
  for (const [name, relation] of Object.entries(query.relations)) {
    relations[name] = (await queryColumns(lease, relationSql(relation))).map(column => ({name: column.name, sqlType: sqlType(column.type)}));
  }
  return {outputs: columns.map(({name: original}, index) => ({name: names[index]!, original})), relations};
}

/** Names of DuckDB's aggregate functions. */
async function aggregates(lease: Lease): Promise<ReadonlySet<string>> {
  const prepared = await lease.prepared("SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type = 'aggregate'");
  return new Set((await prepared.runAndReadAll()).getRows().map(([name]) => String(name)));
}

async function run(lease: Lease, query: Query) {
  const prepared = await lease.prepared(statement(query));
  bind(prepared, query.params);
  return prepared.run();
}

async function plainRows(lease: Lease, query: Query): Promise<Record<string, SqlValue>[]> {
  const result = await run(lease, query);
  return (await result.getRowObjects()).map(row => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(value)])));
}

/** bigint for 64 bits and more; what JavaScript has no plain value for is text as DuckDB prints it. */
function plain(value: unknown): SqlValue {
  if (value === null || value === undefined) return null;
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'bigint':
    case 'boolean':
      return value;
    default:
      return String(value);
  }
}
