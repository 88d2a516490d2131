import type {ColumnProfile, DataType, Field} from '../../schemas/schema.ts';
import type {StagedColumn, Table} from '../engine.ts';
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
export async function profiled(lease: Lease, table: Table, known: readonly StagedColumn[] = []): Promise<ColumnProfile[]> {
  const profiles: ColumnProfile[] = [];
  const {fields} = table.schema;
  for (let from = 0; from < fields.length; from += columnsPerScan) {
    profiles.push(...(await scan(lease, {...table, schema: {fields: fields.slice(from, from + columnsPerScan)}, rowIds: false}, new Map(known.map(column => [column.name, column])))));
  }
  return profiles;
}

/** What the writer of the files told of a column, where it is what a scan would find. */
function toldOf({name, type}: Field, known: ReadonlyMap<string, StagedColumn>): StagedColumn | null {
  const told = known.get(name);
  if (!told || told.min === null || told.max === null || !['int', 'decimal', 'date', 'time', 'timestamp', 'utf8'].includes(type.kind)) return null;
  // Long texts are cut off there.
  return told.min.length <= longest && told.max.length <= longest ? told : null;
}

async function scan(lease: Lease, table: Table, known: ReadonlyMap<string, StagedColumn>): Promise<ColumnProfile[]> {
  const {fields} = table.schema;
  const writer = fields.map(field => toldOf(field, known));
  const relation = relationSql(table);
  const measures = fields.flatMap((field, index) => {
    const column = identifier(field.name);
    const text = (value: string) => `left(CAST(${value} AS VARCHAR), ${longest})`;
    if (writer[index]) return [`approx_count_distinct(${column}) AS d${index}`];
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
    const known = writer[index];
    const present = known ? Number(told.n) - known.nulls : Number(told[`n${index}`]);
    return {
      name: field.name,
      nulls: Number(told.n) - present,
      // The estimate may pass the number of values there are.
      distinct: Math.min(Number(told[`d${index}`]), present),
      min: known ? known.min : text(told[`l${index}`]),
      max: known ? known.max : text(told[`h${index}`]),
      examples: ((sample[`e${index}`] as (string | null)[] | null) ?? []).filter(value => value !== null),
    };
  });
}

/** Bounds say something of these only. */
const isOrdered = (type: DataType): boolean => !['list', 'struct', 'map', 'json', 'binary'].includes(type.kind);
