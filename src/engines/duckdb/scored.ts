import {join} from 'node:path';
import type {DuckDBConnection} from '@duckdb/node-api';
import {MillraceError} from '../../core/errors.ts';
import type {Field} from '../../schemas/schema.ts';
import type {Column, Query, Scoring, StagedFile, WriteTarget} from '../engine.ts';
import {identifier, literal, sqlType} from '../sql-text.ts';
import {ColumnAppender} from './append-columns.ts';
import {readColumns} from './columns.ts';
import {bind} from './database.ts';
import type {Lease} from './database.ts';
import {queryColumns, statement} from './relations.ts';
import {columnNames, copyParquet, targetFields} from './write.ts';

/** Operators that give their rows in the order of the files, so that running them twice gives the same rows at the same places. */
const orderly = new Set(['PROJECTION', 'FILTER', 'READ_PARQUET', 'PARQUET_SCAN', 'TABLE_SCAN', 'EMPTY_RESULT', 'STREAMING_LIMIT', 'DUMMY_SCAN']);

let scorings = 0;

export interface ScoringSetting {
  readonly lease: Lease;
  /** A second connection: the features are still being read from the first while scores are added. */
  readonly scores: DuckDBConnection;
  /** Private folder for a copy of the query's rows. */
  readonly scratch: string;
  readonly signal: AbortSignal | undefined;
}

/**
 * Reads only the features, scores them into a table (which DuckDB moves to disk when memory is short), and then writes the query's
 * columns with the scores beside them in one pass. A query that may answer in another order the second time, or that costs more than
 * reading files does, is first written to a scratch file.
 */
export async function writeScored(setting: ScoringSetting, query: Query, scoring: Scoring, target: WriteTarget): Promise<StagedFile[]> {
  const {lease, scores} = setting;
  lease.part = [0, 0.2];
  const source = (await isOrderly(lease, query)) ? query : await spilled(setting, query);
  const names = columnNames((await queryColumns(lease, statement(source))).map(column => column.name));
  // Features go by the legal names that `describe` tells.
  const renamed: Query = {...source, sql: `FROM (\n${source.sql}\n) AS q(${names.map(identifier).join(', ')})`};
  const table = `scores_${++scorings}`;
  await scores.run(`CREATE TABLE ${table} (${scoring.outputs.map(output => `${identifier(output.name)} ${sqlType(output.type)}`).join(', ')})`);
  try {
    lease.part = [0, 0.8];
    await score(setting, renamed, scoring, table);
    lease.part = [0.8, 1];
    const fields = targetFields(target);
    const select = `SELECT ${columns(fields, names, scoring)} FROM (\n${statement(source)}\n) AS q(${names.map(identifier).join(', ')}) POSITIONAL JOIN ${table} AS s`;
    return await copyParquet(lease, select, source.params, fields, target);
  } finally {
    await scores.run(`DROP TABLE ${table}`);
  }
}

function columns(fields: readonly Field[], names: readonly string[], {features, outputs}: Scoring): string {
  const from = new Map<string, string>([...names.map(name => [name, 'q'] as const), ...outputs.map(output => [output.name, 's'] as const)]);
  const missing = [...from.keys()].find(name => !features.includes(name) && !fields.some(field => field.name === name));
  if (missing !== undefined) throw new MillraceError('INTERNAL', {reason: `the column '${missing}' is not in the schema it is written with`});
  return fields
    .map(field => {
      const side = from.get(field.name);
      return `${side ? `CAST(${side}.${identifier(field.name)} AS ${sqlType(field.type)})` : `NULL::${sqlType(field.type)}`} AS ${identifier(field.name)}`;
    })
    .join(', ');
}

interface PlanNode {
  readonly name?: string;
  readonly children?: readonly PlanNode[];
}

async function isOrderly(lease: Lease, query: Query): Promise<boolean> {
  if (Object.values(query.relations).some(relation => relation.kind === 'raw')) return false;
  const prepared = await lease.prepare(`EXPLAIN (FORMAT json) ${statement(query)}`);
  try {
    bind(prepared, query.params);
    const reader = await prepared.runAndReadAll();
    const plan = JSON.parse(reader.value(1, 0) as string) as PlanNode[];
    const all = (node: PlanNode): boolean => orderly.has((node.name ?? '').trim()) && (node.children ?? []).every(all);
    return plan.every(all) && !/random|uuid|nextval/i.test(query.sql);
  } finally {
    prepared.destroySync();
  }
}

async function spilled({lease, scratch}: ScoringSetting, query: Query): Promise<Query> {
  const path = join(scratch, 'rows.parquet');
  const prepared = await lease.prepare(`COPY (${statement(query)}) TO ${literal(path)} (FORMAT parquet, COMPRESSION lz4)`);
  try {
    bind(prepared, query.params);
    await prepared.run();
  } finally {
    prepared.destroySync();
  }
  return {sql: 'FROM rows', relations: {rows: {kind: 'raw', format: 'parquet', files: [path], options: {}}}};
}

/** Hands batches to the model, `concurrency` at once, and adds its answers to the table in the order of the rows. */
async function score({lease, scores, signal}: ScoringSetting, query: Query, scoring: Scoring, table: string): Promise<void> {
  const writer = await ColumnAppender.open(scores, table);
  const answers: Promise<{rowCount: number; columns: readonly Column[]}>[] = [];
  const takeFirst = async () => {
    const answer = await answers.shift()!;
    writer.add(answer.columns, answer.rowCount);
  };
  try {
    for await (const batch of readColumns(lease, query, scoring.batchRows, scoring.features)) {
      signal?.throwIfAborted();
      const answer = scoring.score(batch).then(columns => ({rowCount: batch.rowCount, columns}));
      // It is awaited in its turn; until then a rejection must not count as unhandled.
      answer.catch(() => {});
      answers.push(answer);
      if (answers.length >= scoring.concurrency) await takeFirst();
    }
    while (answers.length > 0) await takeFirst();
  } finally {
    await Promise.allSettled(answers);
    writer.close();
  }
}
