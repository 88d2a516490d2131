import type {ColumnBatch, Query} from '../engine.ts';
import {identifier} from '../sql-text.ts';
import {chunks} from './chunks.ts';
import type {Lease} from './database.ts';
import {statement} from './relations.ts';
import {dataType} from './types.ts';
import {Batcher, planColumn} from './vectors.ts';
import type {ColumnPlan} from './vectors.ts';

/** Batches of a query's columns, in order; all of them, or those of the given names. */
export async function* readColumns(lease: Lease, query: Query, batchRows: number, names?: readonly string[]): AsyncGenerator<ColumnBatch> {
  const {sql, plans} = await columnsSql(lease, statement(query), names);
  const batcher = new Batcher(plans, batchRows);
  for await (const chunk of chunks(lease, sql, query.params)) yield* batcher.add(chunk);
  const rest = batcher.rest();
  if (rest) yield rest;
}

/** The statement that gives a query's columns in the types in which batches hold them. */
async function columnsSql(lease: Lease, sql: string, only: readonly string[] | undefined): Promise<{sql: string; plans: ColumnPlan[]}> {
  const prepared = await lease.prepare(only ? `SELECT ${only.map(identifier).join(', ')} FROM (\n${sql}\n)` : sql);
  try {
    const plans = Array.from({length: prepared.columnCount}, (_, index) => planColumn(dataType(prepared.columnType(index))));
    const names = plans.map((_, index) => prepared.columnName(index));
    const columns = plans.map((plan, index) => plan.sql(identifier(names[index]!)));
    return {sql: `SELECT ${columns.join(', ')} FROM (\n${sql}\n)`, plans};
  } finally {
    prepared.destroySync();
  }
}
