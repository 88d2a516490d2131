import {mkdir, stat, symlink} from 'node:fs/promises';
import {basename, join, resolve} from 'node:path';
import {pathToFileURL} from 'node:url';
import {MillraceError} from '../../core/errors.ts';
import type {DataType, Schema} from '../../schemas/schema.ts';
import type {Table} from '../engine.ts';
import type {HiveSession} from './session.ts';
import {hiveType, quoted, quotedText, writtenType} from './types.ts';

/** A folder as Hive is told of it. */
export const location = (folder: string): string => quotedText(pathToFileURL(folder).href.replace('file:///', 'file:/'));

export const columns = ({fields}: Schema, typeOf: typeof hiveType): string => fields.map(({name, type}) => `${quoted(name)} ${typeOf(type, name)}`).join(', ');

/**
 * Makes snapshots readable for a session under their names. A table of Hive is a folder, and a snapshot is files of several, so each gets a
 * folder of links to its files, in their order.
 * @param folder an empty one; its links are needed as long as the names are
 * @throws ENGINE_UNSUPPORTED, ENGINE_FILES_UNREACHABLE
 */
export async function makeRelations(session: HiveSession, relations: Readonly<Record<string, Table>>, folder: string): Promise<void> {
  for (const [name, table] of Object.entries(relations)) {
    const instant = table.schema.fields.find(({type}) => hasInstants(type));
    if (instant) await refuseOtherZone(session, instant.name);
    const files = await linkFiles(table, name, join(folder, name));
    await session.run(`create temporary external table ${quoted(name)} (${columns(table.schema, hiveType)}) stored as parquet location ${location(join(folder, name))}`);
    await refuseUnseen(session, name, files);
  }
}

/** A table whose rows come to lie in a folder, as Parquet. */
export async function makeTarget(session: HiveSession, name: string, schema: Schema, folder: string): Promise<void> {
  await session.run(`create temporary external table ${quoted(name)} (${columns(schema, writtenType)}) stored as parquet location ${location(folder)} tblproperties ("parquet.compression"="ZSTD")`);
}

export async function dropTables(session: HiveSession, names: Iterable<string>): Promise<void> {
  for (const name of names) if (session.usable) await session.run(`drop table if exists ${quoted(name)}`);
}

export interface Seen {
  readonly count: number;
  readonly bytes: number;
}

async function linkFiles({schema, files, uniform}: Table, name: string, folder: string): Promise<Seen> {
  await mkdir(folder, {recursive: true});
  const names = new Set(schema.fields.map(field => field.name));
  let bytes = 0;
  for (const [index, file] of files.entries()) {
    // Hive finds columns by their names: one that was renamed since would be null.
    if (!uniform && (!file.columns || file.columns.some(column => !names.has(column.name)))) {
      throw new MillraceError('ENGINE_FILES_UNREACHABLE', {engine: 'Hive', what: `read '${name}'`, reason: `${basename(file.path)} was written before a column got its name, and Hive finds columns by name; overwrite the dataset once, or use another engine`});
    }
    const path = resolve(file.path);
    const found = await stat(path).catch(() => {
      throw new MillraceError('ENGINE_FILES_UNREACHABLE', {engine: 'Hive', what: `read '${name}'`, reason: `${path} is not there`});
    });
    bytes += found.size;
    await symlink(path, join(folder, `${String(index).padStart(6, '0')}-${basename(path)}`));
  }
  return {count: files.length, bytes};
}

export const hasInstants = (type: DataType): boolean =>
  (type.kind === 'timestamp' && type.zoned) ||
  (type.kind === 'list' && hasInstants(type.element.type)) ||
  (type.kind === 'struct' && type.fields.some(field => hasInstants(field.type))) ||
  (type.kind === 'map' && (hasInstants(type.key.type) || hasInstants(type.value.type)));

/** Hive reads instants by the clock of its processes, whatever the session's time zone is. */
export async function refuseOtherZone(session: HiveSession, column: string): Promise<void> {
  const [zone] = await session.lines("select reflect('java.lang.System', 'getProperty', 'user.timezone')");
  if (zone !== undefined && /^(Etc\/)?(UTC|UCT|Zulu|Universal|GMT|Greenwich)$/.test(zone)) return;
  throw new MillraceError('ENGINE_UNSUPPORTED', {engine: 'Hive', reason: `column '${column}' holds instants, which Hive reads by the clock of its Java processes, ${zone || 'which it does not tell'}; start them with -Duser.timezone=UTC`});
}

/** Of a folder that is not there for Hive it makes an empty one, and says nothing. */
export async function refuseUnseen(session: HiveSession, name: string, {count, bytes}: Seen, database?: string): Promise<void> {
  const [answer = '{}'] = await session.lines(`show table extended ${database === undefined ? '' : `in ${quoted(database)} `}like ${quotedText(name)}`);
  const {totalNumberFiles = 0, totalFileSize = 0} = (JSON.parse(answer) as {tables?: {totalNumberFiles?: number; totalFileSize?: number}[]}).tables?.[0] ?? {};
  if (totalNumberFiles === count && totalFileSize === bytes) return;
  throw new MillraceError('ENGINE_FILES_UNREACHABLE', {
    engine: 'Hive', what: `read '${name}'`, reason: `of ${count} files with ${bytes} bytes it sees ${totalNumberFiles} with ${totalFileSize}`,
  });
}
