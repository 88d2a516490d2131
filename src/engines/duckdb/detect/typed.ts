import type {ColumnProfile, DataType} from '../../../schemas/schema.ts';
import {typeName} from '../../../schemas/schema.ts';
import {identifier} from '../../sql-text.ts';
import type {Lease} from '../database.ts';
import {histogramOf} from './histogram.ts';

/** Columns a scan. */
const columnsPerScan = 100;
const sampled = 2_000;
const examples = 3;
const longest = 200;

export interface TypedColumn {
  readonly name: string;
  readonly type: DataType;
}

export interface TypedFinding {
  readonly rows: number;
  readonly profile: readonly ColumnProfile[];
  /** Texts of sampled values, in the order of the columns; nulls are left out. */
  readonly samples: readonly (readonly string[])[];
  readonly sampleRows: number;
}

/** Counts and bounds of columns that have types already, and a sample of the rows. */
export async function typedScan(lease: Lease, relation: string, columns: readonly TypedColumn[]): Promise<TypedFinding> {
  const first = async (sql: string): Promise<Record<string, unknown>> => (await lease.connection.runAndReadAll(sql)).getRowObjectsJson()[0]!;
  const profile: ColumnProfile[] = [];
  let rows = 0;
  for (let from = 0; from < Math.max(1, columns.length); from += columnsPerScan) {
    const some = columns.slice(from, from + columnsPerScan);
    const measures = some.flatMap(({name, type}, index) => {
      const column = identifier(name);
      const bound = (of: string): string => (isOrdered(type) ? `left(CAST(${of}(${column}) AS VARCHAR), ${longest})` : 'NULL');
      return [`count(${column}) AS n${index}`, `approx_count_distinct(${column}) AS d${index}`, `${bound('min')} AS l${index}`, `${bound('max')} AS h${index}`];
    });
    const row = await first(`SELECT count(*) AS n${measures.map(measure => `, ${measure}`).join('')} FROM (${relation})`);
    rows = Number(row.n);
    profile.push(...some.map(({name}, index): ColumnProfile => {
      const present = Number(row[`n${index}`]);
      const text = (value: unknown): string | null => (value === null || value === undefined ? null : String(value));
      return {name, nulls: rows - present, distinct: Math.min(Number(row[`d${index}`]), present), min: text(row[`l${index}`]), max: text(row[`h${index}`]), examples: []};
    }));
  }
  const samples: string[][] = columns.map(() => []);
  const texts = columns.map(({name}) => `left(CAST(${identifier(name)} AS VARCHAR), ${longest})`);
  const reader = await lease.connection.runAndReadAll(`SELECT ${texts.join(', ') || 'NULL'} FROM (SELECT * FROM (${relation}) USING SAMPLE reservoir(${sampled} ROWS) REPEATABLE (1))`);
  const found = reader.getRows();
  for (const row of found) columns.forEach((_, index) => row[index] !== null && row[index] !== undefined && samples[index]!.push(String(row[index])));
  return {
    rows, samples, sampleRows: found.length,
    profile: profile.map((one, index) => ({...one, examples: [...new Set(samples[index])].slice(0, examples), histogram: isOrdered(columns[index]!.type) ? histogramOf(samples[index]!, typeName(columns[index]!.type)) : []})),
  };
}

/** Bounds say something of these only. */
const isOrdered = (type: DataType): boolean => !['list', 'struct', 'map', 'json', 'binary'].includes(type.kind);
