/** Partitions: each file of a dataset holds rows of one day, month or value of a column. */
import {MillraceError} from '../core/errors.ts';
import {identifier, literal} from '../engines/sql-text.ts';
import {typeName} from '../schemas/schema.ts';
import type {Schema} from '../schemas/schema.ts';
import type {PartitionBy} from './warehouse.ts';

/** Partitions a commit may write to: each is a file at least. */
export const mostPartitions = 5_000;

/** The value of rows whose column is null: as Hive, Spark and Iceberg's readers name it. */
const nullValue = '__HIVE_DEFAULT_PARTITION__';

/** What the names of partitions begin with: files of other names were parted otherwise, or not at all. */
export const partitionPrefix = ({column, grain}: PartitionBy): string => (grain === 'value' ? `${column}=` : `${column}_${grain}=`);

const formats = {day: '%Y-%m-%d', month: '%Y-%m'} as const;

/** SQL of a row's partition, as `date_day=2001-06-30`. @throws PARTITION_INVALID when the schema's column has no such partitions */
export function partitionSql(dataset: string, by: PartitionBy, schema: Schema): string {
  const field = schema.fields.find(one => one.name === by.column);
  if (!field) throw new MillraceError('PARTITION_INVALID', {dataset, reason: `they have no column '${by.column}'`});
  const column = identifier(by.column);
  if (by.grain === 'value') return named(by, `${column}::VARCHAR`);
  if (field.type.kind !== 'date' && field.type.kind !== 'timestamp') {
    throw new MillraceError('PARTITION_INVALID', {dataset, reason: `'${by.column}' is ${typeName(field.type)}, which has no ${by.grain}`});
  }
  return named(by, `strftime(${column}::DATE, ${literal(formats[by.grain])})`);
}

const named = (by: PartitionBy, value: string): string => `${literal(partitionPrefix(by))} || coalesce(${value}, ${literal(nullValue)})`;

/** The partition of a date (`2001-06-30`) or, for the grain `value`, of a value. */
export function partitionOf(by: PartitionBy, value: string): string {
  return partitionPrefix(by) + (by.grain === 'month' ? value.slice(0, 7) : value);
}
