import {createHash} from 'node:crypto';
import {mkdtemp, open, readdir, realpath, rm, stat} from 'node:fs/promises';
import {join, sep} from 'node:path';
import {fileURLToPath} from 'node:url';
import {MillraceError} from '../../core/errors.ts';
import type {Piece} from '../../engines/engine.ts';
import type {ForeignPartition, ForeignStatistics, ForeignTable, Metastore} from '../../engines/metastore.ts';
import {openFiles} from '../raw-files.ts';
import type {FoundFile, OpenOptions} from '../raw-files.ts';
import type {FoundRawFile, HivePlace, OpenedSource, SourceKind} from '../source.ts';

export interface HiveSourceOptions extends OpenOptions {
  readonly metastore: Metastore;
  readonly projectFolder: string;
  readonly roots: readonly string[];
}

/** Bytes of a table past which its own files are read, where they are Parquet and within reach: the server sends each value as text or word. */
const largeBytes = 64 * 2 ** 20;

/**
 * Tables, partitions and queries of Hive. Rows come through HiveServer2, or, of large tables, straight from their Parquet files. In an
 * incremental ingest the partitions are what files are elsewhere.
 */
export function createHiveSource(options: HiveSourceOptions): SourceKind {
  const {metastore} = options;
  return {
    kind: 'hive',
    accepts: spec => spec.hive !== undefined,

    async open(spec, scratch, only) {
      const place = spec.hive!;
      try {
        if (place.query !== undefined) return await fetched([{name: 'hive:query', pieces: metastore.query(place.query)}], scratch, options, 'the query is run by Hive');
        const table = await tableOf(metastore, place);
        const partitions = table.partitionedBy.length === 0 ? null : await partitionsOf(metastore, table, only ? undefined : place.where);
        const chosen = only ? partitions?.filter(partition => only.has(nameOf(table, partition))) : partitions;
        if (only && chosen!.length < only.size) throw new MillraceError('SOURCE_CHANGED', {path: [...only].find(name => !chosen!.some(partition => nameOf(table, partition) === name))});
        // A condition over rows may need any partition: whether its folder is there is asked of all of them.
        const read = chosen ?? (table.partitionedBy.length === 0 ? null : await metastore.partitions(table.database, table.name));
        const files = await dataFiles(table, read, metastore, options);
        const filtered = place.where !== undefined && chosen === null && !only;
        if (files.found && !filtered && files.bytes >= largeBytes) {
          const opened = await openFiles(files.found, {format: 'parquet'}, scratch, options);
          return {...opened, told: [`${files.found.length} Parquet files of ${shown(table)} are read where they lie (${size(files.bytes)})`]};
        }
        const why = `the rows of ${shown(table)} come through HiveServer2: ${filtered ? 'it filters them' : files.found ? `the table is small (${size(files.bytes)})` : files.why}`;
        const parts = only && chosen
          ? await Promise.all(chosen.map(async partition => ({
            ...(await identified(metastore, table, partition)), pieces: metastore.read(table.database, table.name, metastore.condition(table, partition)),
          })))
          : [{name: `hive:${shown(table)}`, pieces: metastore.read(table.database, table.name, place.where ?? null)}];
        return await fetched(parts, scratch, options, why);
      } catch (error) {
        throw asUnreadable(error, place);
      }
    },

    async list(spec) {
      const place = spec.hive!;
      if (place.table === undefined) throw new MillraceError('ARGUMENT_INVALID', {name: 'source', reason: 'a query has no partitions that come and go.'});
      const table = await tableOf(metastore, place);
      if (table.partitionedBy.length === 0) throw new MillraceError('ARGUMENT_INVALID', {name: 'source', reason: `the table ${shown(table)} has no partitions that come and go.`});
      const partitions = await partitionsOf(metastore, table, place.where);
      if (partitions === null) throw new MillraceError('ARGUMENT_INVALID', {name: 'source', reason: `only the columns that partitions are told by (${table.partitionedBy.map(column => column.name).join(', ')}) may stand in \`where\`.`});
      return Promise.all(partitions.map(partition => identified(metastore, table, partition)));
    },
  };
}

const shown = ({database, name}: ForeignTable): string => `${database}.${name}`;
const nameOf = (table: ForeignTable, partition: ForeignPartition): string => `hive:${shown(table)}/${partition.name}`;
const size = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

async function tableOf(metastore: Metastore, {table}: HivePlace): Promise<ForeignTable> {
  const [, database = 'default', name] = /^(?:([^.]+)\.)?([^.]+)$/.exec(table!) ?? [];
  if (name === undefined) throw new MillraceError('ARGUMENT_INVALID', {name: 'source.hive.table', reason: 'it is a name, or a database and a name with a dot between.'});
  return metastore.table(database, name);
}

/** A partition as a file: what stands for its content are its files, or, where they are out of reach, what the metastore says of them. */
async function identified(metastore: Metastore, table: ForeignTable, partition: ForeignPartition): Promise<FoundRawFile> {
  const {location, statistics} = await metastore.place(table.database, table.name, partition);
  const files = await filesBelow(location);
  const content = files === 'gone' ? missing(table, partition) : (files ?? statistics);
  return {name: nameOf(table, partition), bytes: statistics.bytes ?? 0, sha256: createHash('sha256').update(JSON.stringify([location, content])).digest('hex')};
}

/** Null: the condition is over other columns as well. */
async function partitionsOf(metastore: Metastore, table: ForeignTable, where: string | undefined): Promise<readonly ForeignPartition[] | null> {
  try {
    return await metastore.partitions(table.database, table.name, where);
  } catch (error) {
    if (where !== undefined && error instanceof MillraceError && error.code === 'SQL_INVALID') return null;
    throw error;
  }
}

const missing = (table: ForeignTable, partition: ForeignPartition | null): never => {
  throw new MillraceError('SOURCE_UNREADABLE', {path: nameOf(table, partition ?? {name: '', values: []}), format: 'a table of Hive', reason: 'its folder is gone, and Hive would take it for empty.'});
};

/** Hive takes a folder whose files are gone for empty as well; the metastore remembers that there were some. */
function refuseEmptied(table: ForeignTable, partition: ForeignPartition | null, {files}: ForeignStatistics): void {
  if (!files) return;
  const reason = `its folder is empty, though the metastore tells of ${files} file${files === 1 ? '' : 's'}; if that is as it should be, let Hive count again (ANALYZE TABLE … COMPUTE STATISTICS).`;
  throw new MillraceError('SOURCE_UNREADABLE', {path: nameOf(table, partition ?? {name: '', values: []}), format: 'a table of Hive', reason});
}

interface DataFile {
  readonly path: string;
  readonly bytes: number;
  readonly modifiedAt: number;
}

/** Data files in a folder; null: it is not within reach; 'gone': it was, and is not there. */
async function filesBelow(location: string): Promise<readonly DataFile[] | 'gone' | null> {
  if (!location.startsWith('file:')) return null;
  const folder = fileURLToPath(location.replace(/^file:\/*/, 'file:///').replaceAll('%', '%25'));
  const entries = await readdir(folder, {recursive: true, withFileTypes: true}).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return 'gone' as const;
    throw error;
  });
  if (entries === 'gone') return 'gone';
  const files = entries.map(entry => join(entry.parentPath, entry.name)).filter((path, index) => entries[index]!.isFile() && !path.slice(folder.length).split(sep).some(part => /^[._]/.test(part)));
  return Promise.all(files.sort().map(async path => {
    const {size: bytes, mtimeMs} = await stat(path);
    return {path, bytes, modifiedAt: mtimeMs};
  }));
}

/** The table's files where they can be read without Hive; else why they cannot. A folder that is gone fails. */
async function dataFiles(
  table: ForeignTable, partitions: readonly ForeignPartition[] | null, metastore: Metastore, {projectFolder, roots}: HiveSourceOptions,
): Promise<{readonly found: readonly FoundFile[]; readonly bytes: number} | {readonly found: null; readonly why: string}> {
  if (table.view || table.location === null) return {found: null, why: 'it is a view'};
  const own = await filesBelow(table.location);
  if (own === null) return {found: null, why: `its files are at ${table.location}`};
  const folderOf = async (partition: ForeignPartition): Promise<readonly DataFile[] | 'elsewhere'> => {
    const files = await filesBelow(`${table.location}/${partition.name}`);
    if (files === null || (typeof files !== 'string' && files.length > 0)) return files!;
    // It lies elsewhere, or its name is written another way there.
    const {location, statistics} = await metastore.place(table.database, table.name, partition);
    const own = await filesBelow(location);
    if (own === 'gone') return missing(table, partition);
    if (own?.length === 0) refuseEmptied(table, partition, statistics);
    return files === 'gone' ? 'elsewhere' : files;
  };
  if (!partitions && own !== 'gone' && own.length === 0) refuseEmptied(table, null, table.statistics);
  const folders = await Promise.all<readonly DataFile[] | 'elsewhere'>(partitions ? partitions.map(folderOf) : [own === 'gone' ? missing(table, null) : own]);
  if (folders.includes('elsewhere')) return {found: null, why: 'some partitions lie elsewhere'};
  const files = (folders as (readonly DataFile[])[]).flat();
  if (table.transactional) return {found: null, why: 'it is transactional'};
  if (table.format !== 'parquet') return {found: null, why: `its files are ${table.format ?? 'of an unknown format'}`};
  const allowed = await Promise.all([projectFolder, ...roots].map(root => realpath(root).catch(() => root)));
  const outside = (await Promise.all(files.map(({path}) => realpath(path)))).find(path => !allowed.some(root => path.startsWith(root + sep)));
  if (outside !== undefined) return {found: null, why: 'its files lie outside the folders of the setting `sources.roots`'};
  return {found: files.filter(file => file.bytes > 0).map(({path}) => ({name: `hive:${shown(table)}${path.slice(path.indexOf(table.name) + table.name.length)}`, path, fileName: 'x.parquet'})), bytes: files.reduce((sum, file) => sum + file.bytes, 0)};
}

/** Takes rows in as Arrow files, which are read as others are. */
async function fetched(parts: readonly (Partial<FoundRawFile> & {name: string; pieces: AsyncIterable<Piece>})[], scratch: string, options: HiveSourceOptions, told: string): Promise<OpenedSource> {
  const folder = await mkdtemp(join(scratch, 'hive-'));
  const close = () => rm(folder, {recursive: true, force: true});
  try {
    const found: FoundFile[] = [];
    for (const [index, {name, pieces}] of parts.entries()) {
      const path = join(folder, `${index}.arrows`);
      const file = await open(path, 'w');
      try {
        for await (const {bytes} of pieces) await file.writeFile(bytes);
      } finally {
        await file.close();
      }
      found.push({name, path, fileName: path});
    }
    const opened = await openFiles(found, {format: 'arrow'}, scratch, options);
    return {
      ...opened, told: [told],
      files: opened.files.map((file, index) => ({...file, sha256: parts[index]!.sha256 ?? file.sha256})),
      async close() {
        await opened.close();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What Hive cannot read is a source that cannot be read. */
function asUnreadable(error: unknown, {table, query}: HivePlace): unknown {
  if (!(error instanceof MillraceError) || (error.code !== 'SQL_FAILED' && (error.code !== 'SQL_INVALID' || query !== undefined))) return error;
  return new MillraceError('SOURCE_UNREADABLE', {path: `hive:${table ?? 'query'}`, format: 'a table of Hive', reason: String(error.details['reason'])}, {cause: error});
}
