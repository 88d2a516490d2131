import {MillraceError} from '../../core/errors.ts';
import type {Beside, Column, Query, Relation, Table} from '../engine.ts';
import {sqlType} from '../sql-text.ts';
import {ColumnAppender} from './append-columns.ts';
import type {Lease} from './database.ts';

type RowsBeside = Extract<Beside, {kind: 'rows'}>;

/** Where the rows of a statement that runs are. */
const tables = new WeakMap<RowsBeside, string>();

let made = 0;

/** The table that holds rows which lie beside a relation's own, while a task of `withRows` runs. */
export function rowsTable(rows: RowsBeside): string {
  const table = tables.get(rows);
  if (table === undefined) throw new MillraceError('INTERNAL', {reason: 'this statement cannot have rows of memory beside its tables'});
  return table;
}

/** Runs a task with the rows that lie beside the query's tables in tables of their own. */
export async function withRows<T>(lease: Lease, query: Query, task: (query: Query) => Promise<T>): Promise<T> {
  const {placed, drop} = await place(lease, query);
  try {
    return await task(placed);
  } finally {
    await drop();
  }
}

/** As `withRows`, for a task that yields. */
export async function* streamWithRows<T>(lease: Lease, query: Query, task: (query: Query) => AsyncGenerator<T>): AsyncGenerator<T> {
  const {placed, drop} = await place(lease, query);
  try {
    yield* task(placed);
  } finally {
    await drop();
  }
}

const hasRows = (relation: Relation): relation is Table => relation.kind === 'table' && relation.beside?.some(({kind}) => kind === 'rows') === true;

async function place(lease: Lease, query: Query): Promise<{placed: Query; drop: () => Promise<void>}> {
  if (!Object.values(query.relations).some(hasRows)) return {placed: query, drop: async () => {}};
  const names: string[] = [];
  const drop = async () => {
    for (const name of names) await lease.connection.run(`DROP TABLE IF EXISTS ${name}`).catch(() => undefined);
  };
  try {
    const relations: Record<string, Relation> = {...query.relations};
    for (const [relation, table] of Object.entries(query.relations)) {
      if (!hasRows(table)) continue;
      const beside: Beside[] = [];
      for (const one of table.beside!) {
        // A copy: the same rows may lie beside tables of several statements at once.
        const own = {...one};
        if (own.kind === 'rows') {
          const name = `rows_${++made}`;
          names.push(name);
          await fill(lease, name, own);
          tables.set(own, name);
        }
        beside.push(own);
      }
      relations[relation] = {...table, beside};
    }
    return {placed: {...query, relations}, drop};
  } catch (error) {
    await drop();
    throw error;
  }
}

async function fill(lease: Lease, table: string, {rowIds, columns}: RowsBeside): Promise<void> {
  await lease.connection.run(`CREATE TABLE ${table} (row_id BIGINT${columns.map(({type}, index) => `, c${index} ${sqlType(type)}`).join('')})`);
  const appender = await ColumnAppender.open(lease.connection, table);
  const ids: Column = {kind: 'numbers', type: {kind: 'int', bits: 64, signed: true}, values: rowIds, validity: null};
  try {
    appender.add([ids, ...columns.map(({values}) => values)], rowIds.length);
  } finally {
    appender.close();
  }
}
