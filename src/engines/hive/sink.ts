import {MillraceError} from '../../core/errors.ts';
import type {DataType, Schema} from '../../schemas/schema.ts';
import type {OutsideTable, TableSink} from '../metastore.ts';
import {asHiveError} from './failures.ts';
import type {HiveSession} from './session.ts';
import {columns, hasInstants, location, refuseOtherZone, refuseUnseen} from './tables.ts';
import {hiveType, quoted, quotedText} from './types.ts';

/** Snapshots as Hive's external tables, and views that show one of them. */
export function createHiveSink(use: <T>(work: (session: HiveSession) => Promise<T>) => Promise<T>): TableSink {
  const within = async <T>(work: (session: HiveSession) => Promise<T>): Promise<T> => {
    try {
      return await use(work);
    } catch (error) {
      throw asHiveError(error);
    }
  };
  const full = ({database, name}: {readonly database: string; readonly name: string}): string => `${quoted(database)}.${quoted(name)}`;
  const noted = (properties: Readonly<Record<string, string>>): string => `tblproperties (${Object.entries(properties).map(([key, value]) => `${quotedText(key)} = ${quotedText(value)}`).join(', ')})`;
  const instantsOf = ({fields}: Schema) => fields.filter(({type}) => hasInstants(type));

  return {
    shows(schema) {
      for (const {name, type} of schema.fields) hiveType(type, name);
      const twin = schema.fields.find(({name}, index) => schema.fields.findIndex(other => other.name.toLowerCase() === name.toLowerCase()) < index);
      if (twin) throw new MillraceError('ENGINE_UNSUPPORTED', {engine: 'Hive', reason: `column '${twin.name}' has the name of another one for Hive, which knows no capitals; rename it`});
      const named = (fields: Schema['fields']): string => fields.map(({name}) => `'${name}'`).join(', ');
      const told = (fields: Schema['fields'], how: string): string[] => (fields.length === 0 ? [] : [`Hive shows ${named(fields)} ${how}`]);
      return [...told(schema.fields.filter(({type}) => holds(type, 'json')), 'as strings of JSON'), ...told(instantsOf(schema), 'as timestamps in UTC')];
    },

    check: schema => within(async session => {
      const [instant] = instantsOf(schema);
      if (instant) await refuseOtherZone(session, instant.name);
    }),

    put: (table, isThere, signal) => within(async session => {
      const {database, name, schema, folder, rowCount, fileCount, bytes, properties} = table;
      await session.run(isThere
        ? `alter table ${full(table)} set location ${location(folder)}`
        : `create external table ${full(table)} (${columns(schema, hiveType)}) stored as parquet location ${location(folder)} ${noted(properties)}`, {signal});
      await refuseUnseen(session, name, {count: fileCount, bytes}, database);
      await session.run(`alter table ${full(table)} update statistics set ('numRows' = '${rowCount}', 'rawDataSize' = '${bytes}')`, {signal});
    }),

    show: (view, table: OutsideTable) => within(session =>
      session.run(`create or replace view ${full(view)} ${noted(view.properties)} as select ${table.schema.fields.map(({name}) => quoted(name)).join(', ')} from ${full(table)}`)),

    drop: (kind, database, name) => within(session => session.run(`drop ${kind} if exists ${full({database, name})}`)),
  };
}

const holds = (type: DataType, kind: DataType['kind']): boolean =>
  type.kind === kind ||
  (type.kind === 'list' && holds(type.element.type, kind)) ||
  (type.kind === 'struct' && type.fields.some(field => holds(field.type, kind))) ||
  (type.kind === 'map' && (holds(type.key.type, kind) || holds(type.value.type, kind)));
