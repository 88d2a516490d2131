import type {ColumnProfile, DataType} from '../../schemas/schema.ts';
import type {Table} from '../engine.ts';
import {identifier} from '../sql-text.ts';
import type {Lease} from './database.ts';
import {relationSql} from './relations.ts';

/** Columns a scan: a statement over thousands of aggregates takes longer to plan than to run. */
const columnsPerScan = 100;
/** Rows from which the examples are taken. */
const exampleRows = 2048;
const examples = 3;
/** Characters of a bound or an example. */
const longest = 200;

/** Nulls, approximate distinct values, bounds and examples of each column. */
export async function profiled(lease: Lease, table: Table): Promise<ColumnProfile[]> {
  const profiles: ColumnProfile[] = [];
  const {fields} = table.schema;
  for (let from = 0; from < fields.length; from += columnsPerScan) {
    profiles.push(...(await scan(lease, {...table, schema: {fields: fields.slice(from, from + columnsPerScan)}, rowIds: false})));
  }
  return profiles;
}

async function scan(lease: Lease, table: Table): Promise<ColumnProfile[]> {
  const {fields} = table.schema;
  const relation = relationSql(table);
  const measures = fields.flatMap((field, index) => {
    const column = identifier(field.name);
    const text = (value: string) => `left(CAST(${value} AS VARCHAR), ${longest})`;
    return [
      `count(${column}) AS n${index}`,
      `approx_count_distinct(${column}) AS d${index}`,
      isOrdered(field.type) ? `${text(`min(${column})`)} AS l${index}` : `NULL AS l${index}`,
      isOrdered(field.type) ? `${text(`max(${column})`)} AS h${index}` : `NULL AS h${index}`,
    ];
  });
  const samples = fields.map((field, index) => `list_slice(list_distinct(list(left(CAST(${identifier(field.name)} AS VARCHAR), ${longest}))), 1, ${examples}) AS e${index}`);
  const first = async (sql: string) => (await lease.connection.runAndReadAll(sql)).getRowObjectsJson()[0]!;
  const told = await first(`SELECT count(*) AS n, ${measures.join(', ')} FROM (${relation})`);
  const sample = await first(`SELECT ${samples.join(', ')} FROM (FROM (${relation}) LIMIT ${exampleRows})`);
  const text = (value: unknown) => (value === null ? null : String(value));
  return fields.map((field, index) => {
    const present = Number(told[`n${index}`]);
    return {
      name: field.name,
      nulls: Number(told.n) - present,
      // The estimate may pass the number of values there are.
      distinct: Math.min(Number(told[`d${index}`]), present),
      min: text(told[`l${index}`]),
      max: text(told[`h${index}`]),
      examples: ((sample[`e${index}`] as (string | null)[] | null) ?? []).filter(value => value !== null),
    };
  });
}

/** Bounds say something of these only. */
const isOrdered = (type: DataType): boolean => !['list', 'struct', 'map', 'json', 'binary'].includes(type.kind);
