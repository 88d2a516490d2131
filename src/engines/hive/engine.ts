import {mkdir, readdir, rm, stat} from 'node:fs/promises';
import {join} from 'node:path';
import {Field as ArrowField, makeData, RecordBatch, Schema as ArrowSchema, Struct} from 'apache-arrow';
import {asMillraceError, MillraceError} from '../../core/errors.ts';
import {newId} from '../../core/ids.ts';
import type {DataType} from '../../schemas/schema.ts';
import {encoder} from '../arrow-encoder.ts';
import type {Piece} from '../engine.ts';
import type {Metastore, TableSink} from '../metastore.ts';
import type {EngineHealth, EngineProgress, EngineStatus, NativeQuery, RemoteEngine, RemoteWork} from '../remote-engine.ts';
import {parseHiveUrl, shownAddress} from './address.ts';
import {arrowColumn, arrowType} from './arrow.ts';
import {asHiveError} from './failures.ts';
import {createHiveMetastore} from './metastore.ts';
import type {HiveSession} from './session.ts';
import {HiveSessions} from './sessions.ts';
import {createHiveSink} from './sink.ts';
import {dropTables, makeRelations, makeTarget} from './tables.ts';
import {hiveWrites} from './types.ts';

export interface HiveEngineOptions {
  /** Null: none is configured. */
  readonly url: string | null;
  /** Sessions at once; what needs one more waits. */
  readonly sessions: number;
  /** For links to the files that a statement reads, under a path that Hive's processes see as well. */
  readonly scratchFolder: string;
}

/** Parquet as others read it: days and microseconds as they are, not by the calendar of 1582, and the order that a statement asks for. */
const preparations = [
  'hive.parquet.date.proleptic.gregorian=true', 'hive.parquet.date.proleptic.gregorian.default=true', 'hive.parquet.write.int64.timestamp=true', 'hive.parquet.timestamp.time.unit=micros',
  'hive.remove.orderby.in.subquery=false', 'hive.ddl.output.format=json', 'hive.resultset.use.unique.column.names=false',
];

interface Running {
  readonly label: string;
  readonly startedAt: Date;
  progress: EngineProgress | null;
}

interface Prepared {
  readonly session: HiveSession;
  readonly work: RemoteWork;
  release(): Promise<void>;
}

export interface HiveEngine extends RemoteEngine {
  readonly metastore: Metastore;
  readonly sink: TableSink;
}

/** HiveServer2, or a Spark Thrift Server that does not mind Hive's words. @throws CONFIG_INVALID, ENGINE_UNSUPPORTED for an address that cannot be used */
export function createHiveEngine(options: HiveEngineOptions): HiveEngine {
  const address = options.url === null ? null : parseHiveUrl(options.url);
  const running = new Map<string, Running>();
  let version: string | null = null;
  const pool = address && new HiveSessions(address, options.sessions, async session => {
    version = `${session.server.name === 'Apache Hive' ? '' : `${session.server.name} `}${session.server.version}`;
    for (const preparation of preparations) await session.run(`set ${preparation}`);
  });
  const sessions = (): HiveSessions => {
    if (!pool) throw new MillraceError('ENGINE_UNAVAILABLE', {engine: 'Hive', reason: 'the setting `hive.url` is empty'});
    return pool;
  };

  /** A session in which the query's relations are there, until it is released. */
  async function prepare(query: NativeQuery, work: RemoteWork, also: readonly string[] = []): Promise<Prepared> {
    const id = newId();
    const folder = join(options.scratchFolder, `hive-${id}`);
    const entry: Running = {label: work.label ?? 'statement', startedAt: new Date(), progress: null};
    const session = await sessions().take(work.signal);
    running.set(id, entry);
    const release = async () => {
      running.delete(id);
      await dropTables(session, [...Object.keys(query.relations), ...also]).catch(() => undefined);
      sessions().give(session);
      await rm(folder, {recursive: true, force: true});
    };
    try {
      await mkdir(folder, {recursive: true});
      await makeRelations(session, query.relations, folder);
    } catch (error) {
      await release();
      throw error;
    }
    const onProgress = (fraction: number, progress?: EngineProgress) => {
      entry.progress = progress ?? entry.progress;
      work.onProgress?.(fraction, progress);
    };
    return {session, work: {...work, onProgress}, release};
  }

  async function within<T>(query: NativeQuery, work: RemoteWork, also: readonly string[], body: (prepared: Prepared) => Promise<T>): Promise<T> {
    let prepared: Prepared | undefined;
    try {
      prepared = await prepare(query, work, also);
      return await body(prepared);
    } catch (error) {
      throw asHiveError(error);
    } finally {
      await prepared?.release();
    }
  }

  const engine: RemoteEngine = {
    name: 'hive',
    capabilities: {embedded: false, distributed: true, fieldIds: false, writes: (type: DataType) => hiveWrites(type), progress: true},
    address: address && shownAddress(address),

    async status(): Promise<EngineStatus> {
      const now = (health: EngineHealth, detail: string | null): EngineStatus => ({
        health, version, detail, sessions: pool?.count ?? 0, running: [...running].map(([id, {label, startedAt, progress}]) => ({id, label, startedAt, progress})),
      });
      if (!pool) return now('unset', 'The setting `hive.url` is empty.');
      try {
        if (running.size === 0) await pool.use(session => session.answers());
        return now('ready', null);
      } catch (error) {
        const {code, message} = asMillraceError(asHiveError(error));
        return now(code === 'ENGINE_REFUSED' ? 'refused' : code === 'ENGINE_UNSUPPORTED' ? 'unsupported' : 'unreachable', message);
      }
    },

    async fingerprint() {
      if (version === null) await sessions().use(async () => undefined);
      return `hive ${version}`;
    },

    check: query => within(query, {}, [], ({session}) => session.run(`explain ${query.sql}`)),

    async materialize(query, {folder, schema}, work = {}) {
      const target = `millrace_${newId().replaceAll('-', '')}`;
      await within(query, work, [target], async ({session, work: observed}) => {
        await makeTarget(session, target, schema, folder);
        await session.run(`insert overwrite table ${target} select * from (${query.sql}\n) q`, observed);
      });
      return writtenFiles(folder);
    },

    async *arrow(query, work = {}) {
      let prepared: Prepared | undefined;
      try {
        prepared = await prepare(query, work);
        yield* readArrow(prepared.session, query.sql, prepared.work);
      } catch (error) {
        throw asHiveError(error);
      } finally {
        await prepared?.release();
      }
    },

    async start() {
      // Sessions are opened when somebody needs them.
    },

    async stop() {
      await pool?.stop();
    },
  };
  return {
    ...engine, sink: createHiveSink(work => sessions().use(work)),
    metastore: createHiveMetastore(work => sessions().use(work), (sql, signal) => engine.arrow({sql, relations: {}}, {signal, label: 'read'})),
  };
}

async function* readArrow(session: HiveSession, sql: string, work: RemoteWork): AsyncGenerator<Piece> {
  const {columns, rows} = await session.open(sql, work);
  try {
    const schema = new ArrowSchema(columns.map(({name, type}) => new ArrowField(name, arrowType(type), true)));
    const {writer, written} = encoder('stream');
    writer.reset(undefined, schema);
    yield {rowCount: 0, bytes: written()};
    for await (const {rowCount, columns: values} of rows) {
      const children = values.map((column, index) => arrowColumn(column, columns[index]!.type));
      writer.write(new RecordBatch(schema, makeData({type: new Struct(schema.fields), length: rowCount, nullCount: 0, children})));
      yield {rowCount, bytes: written()};
    }
    writer.finish();
    yield {rowCount: 0, bytes: written()};
  } finally {
    await rows.return();
  }
}

/** What Hive wrote, in the order of the rows: its tasks number their files. The rest (checksums, leftovers of stages) is removed. */
async function writtenFiles(folder: string): Promise<string[]> {
  const files: string[] = [];
  const entries = await readdir(folder, {recursive: true, withFileTypes: true});
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    const hidden = path.slice(folder.length + 1).split('/').some(part => /^[._]/.test(part));
    if (!hidden && entry.isFile() && (await stat(path)).size > 0) files.push(path);
    else if (hidden || entry.isFile()) await rm(path, {recursive: true, force: true});
  }
  return files.sort();
}
