import {MillraceError} from '../../core/errors.ts';
import type {Piece} from '../engine.ts';
import type {ForeignColumn, ForeignPartition, ForeignStatistics, ForeignTable, Metastore} from '../metastore.ts';
import {asHiveError} from './failures.ts';
import type {HiveSession} from './session.ts';
import {quoted, quotedText} from './types.ts';

interface Described {
  readonly columns: readonly {readonly name: string; readonly type: string; readonly comment?: string | null}[];
  readonly tableInfo?: {
    readonly tableType: string;
    readonly partitionKeys: readonly {readonly name: string}[];
    readonly sd: StorageDescriptor;
    readonly parameters: Readonly<Record<string, string>>;
  };
  readonly partitionInfo?: {readonly sd: StorageDescriptor; readonly parameters: Readonly<Record<string, string>>};
}

interface StorageDescriptor {
  readonly location: string | null;
  readonly inputFormat: string | null;
  readonly serdeInfo: {readonly serializationLib: string | null} | null;
}

/** Hive's tables, asked for in HiveQL by sessions that answer in JSON. */
export function createHiveMetastore(use: <T>(work: (session: HiveSession) => Promise<T>) => Promise<T>, arrow: (sql: string, signal?: AbortSignal) => AsyncIterable<Piece>): Metastore {
  const ask = async <T>(sql: string): Promise<T> => {
    try {
      return JSON.parse((await use(session => session.lines(sql))).join('')) as T;
    } catch (error) {
      throw asHiveError(error);
    }
  };
  const full = (database: string, name: string): string => `${quoted(database)}.${quoted(name)}`;
  const orMissing = (path: string) => (error: unknown): never => {
    const missing = error instanceof MillraceError && error.code === 'SQL_INVALID' && /Table not found|Database (does not exist|not found)|UnknownDB|not exist/i.test(error.message);
    throw missing ? new MillraceError('SOURCE_NOT_FOUND', {path: `hive:${path}`}, {cause: error}) : error;
  };
  const columnsOf = async (database: string, name: string): Promise<Described> => ask<Described>(`describe extended ${full(database, name)}`).catch(orMissing(`${database}.${name}`));

  return {
    async databases() {
      return (await ask<{databases: string[]}>('show databases')).databases;
    },

    async tables(database) {
      return (await ask<{tables: string[]}>(`show tables in ${quoted(database)}`).catch(orMissing(database))).tables;
    },

    async table(database, name): Promise<ForeignTable> {
      const {columns, tableInfo} = await columnsOf(database, name);
      const {tableType, partitionKeys, sd, parameters} = tableInfo!;
      const keys = new Set(partitionKeys.map(key => key.name));
      const column = (given: Described['columns'][number]): ForeignColumn => ({name: given.name, type: given.type, comment: given.comment ?? null});
      const view = tableType.includes('VIEW');
      const serde = sd.serdeInfo?.serializationLib ?? null;
      return {
        database, name, view, serde,
        columns: columns.filter(given => !keys.has(given.name)).map(column),
        partitionedBy: columns.filter(given => keys.has(given.name)).map(column),
        format: view ? null : formatOf(`${serde} ${sd.inputFormat}`),
        transactional: parameters['transactional']?.toLowerCase() === 'true',
        location: sd.location,
        statistics: statisticsOf(parameters),
        properties: parameters,
      };
    },

    async partitions(database, name, where) {
      const {partitions} = await ask<{partitions: {values: {columnName: string; columnValue: string}[]}[]}>(`show partitions ${full(database, name)}${where === undefined ? '' : ` where ${where}`}`);
      return partitions.map(({values}): ForeignPartition => ({
        name: values.map(({columnName, columnValue}) => `${columnName}=${columnValue}`).join('/'),
        values: values.map(({columnName, columnValue}) => ({column: columnName, value: columnValue})),
      }));
    },

    async place(database, name, {values}) {
      const {partitionInfo} = await ask<Described>(`describe extended ${full(database, name)} partition (${values.map(({column, value}) => `${quoted(column)} = ${quotedText(value)}`).join(', ')})`);
      return {location: partitionInfo!.sd.location!, statistics: statisticsOf(partitionInfo!.parameters)};
    },

    condition: (table, {values}) => values.map(({column, value}) => {
      if (value === absent) return `${quoted(column)} is null`;
      const type = table.partitionedBy.find(given => given.name === column)?.type ?? 'string';
      return `${quoted(column)} = ${/^(string|varchar|char)/.test(type) ? quotedText(value) : `cast(${quotedText(value)} as ${type})`}`;
    }).join(' and '),

    read: (database, name, where, signal) => arrow(`select * from ${full(database, name)}${where === null ? '' : ` where ${where}`}`, signal),
    query: (sql, signal) => arrow(sql, signal),
  };
}

/** How Hive calls a partition whose column is null. */
const absent = '__HIVE_DEFAULT_PARTITION__';

const formats: readonly (readonly [RegExp, string])[] = [
  [/parquet/i, 'parquet'], [/orc/i, 'orc'], [/avro/i, 'avro'], [/iceberg/i, 'iceberg'], [/json/i, 'json'], [/opencsv/i, 'csv'], [/sequencefile/i, 'sequence'], [/rcfile|columnar/i, 'rc'], [/text/i, 'text'],
];

const formatOf = (classes: string): string | null => formats.find(([pattern]) => pattern.test(classes))?.[1] ?? null;

function statisticsOf(parameters: Readonly<Record<string, string>>): ForeignStatistics {
  const count = (key: string): number | null => (parameters[key] !== undefined && Number(parameters[key]) >= 0 ? Number(parameters[key]) : null);
  const changed = count('transient_lastDdlTime');
  return {rows: count('numRows'), bytes: count('totalSize'), files: count('numFiles'), changedAt: changed === null ? null : new Date(changed * 1000)};
}
