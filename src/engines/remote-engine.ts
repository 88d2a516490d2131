/**
 * Engines past one machine: Spark and Hive. They run the SQL of steps in processes of their own, over the same Parquet files.
 *
 * The embedded engine (engine.ts) stays what parses a user's SQL, says which columns it gives, and reads what another engine has
 * written; a remote engine gets a statement that was translated for it, and answers with files.
 */
import type {DataType, Schema} from '../schemas/schema.ts';
import type {EngineName, Piece, Query, Table} from './engine.ts';

export type RemoteName = Exclude<EngineName, 'duckdb'>;

/** What a remote engine can do, as data: callers branch on these, never on its name. */
export interface RemoteCapabilities {
  readonly embedded: false;
  /** Several processes share the work of one statement. */
  readonly distributed: boolean;
  /** Its Parquet files carry the field ids of a schema; others are written once more by the embedded engine. */
  readonly fieldIds: boolean;
  /** Columns of these types are written so that they are read as the same type; a file with another is written once more. */
  writes(type: DataType): boolean;
  /** A statement under way tells of its stages and tasks. */
  readonly progress: boolean;
}

/** A statement in an engine's own words. */
export interface NativeQuery {
  readonly sql: string;
  /** Names that the statement reads. Files may hold older schemas: columns are found by Parquet field id. */
  readonly relations: Readonly<Record<string, Table>>;
}

/** How far a statement has come. */
export interface EngineProgress {
  readonly stages: number;
  readonly stagesDone: number;
  readonly tasks: number;
  /** Never more than `tasks`. */
  readonly tasksDone: number;
  readonly bytesRead: number;
}

export interface RemoteWork {
  /** Aborting stops the statement in the engine; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (fraction: number, progress?: EngineProgress) => void;
  /** Shown by `status` and, where the engine has names for jobs, there. */
  readonly label?: string;
}

/** ready · unreachable: nothing answers · refused: it wants other credentials · unsupported: something else, or another version, answers · unset: no address is configured. */
export type EngineHealth = 'ready' | 'unreachable' | 'refused' | 'unsupported' | 'unset';

export interface RunningStatement {
  readonly id: string;
  readonly label: string;
  readonly startedAt: Date;
  readonly progress: EngineProgress | null;
}

export interface EngineStatus {
  readonly health: EngineHealth;
  /** Of the servers, as they tell it. */
  readonly version: string | null;
  /** Why it is not ready, and what to do. */
  readonly detail: string | null;
  /** That this process holds open. */
  readonly sessions: number;
  /** Of this process. */
  readonly running: readonly RunningStatement[];
}

export interface RemoteEngine {
  readonly name: RemoteName;
  readonly capabilities: RemoteCapabilities;
  /** Where it is looked for, without secrets; null: no address is configured, and everything else fails with ENGINE_UNAVAILABLE. */
  readonly address: string | null;

  /** Asks the servers; never throws. */
  status(): Promise<EngineStatus>;

  /** Engine and version, such as `spark 4.0.1`: part of a step's fingerprint. @throws ENGINE_UNAVAILABLE */
  fingerprint(): Promise<string>;

  /** Checks a statement and what it reads without running it, as far as the engine can. @throws ENGINE_UNAVAILABLE, ENGINE_FILES_UNREACHABLE, SQL_INVALID */
  check(query: NativeQuery): Promise<void>;

  /**
   * Runs the statement and writes its rows as Parquet into `folder`, an existing, empty, private one. The statement's columns are those
   * of `schema`, by place; they are cast to its types. Answers with the files, in the order of the rows.
   * @throws ENGINE_UNAVAILABLE, ENGINE_FILES_UNREACHABLE, SQL_INVALID, SQL_FAILED, DISK_FULL
   */
  materialize(query: NativeQuery, target: {readonly folder: string; readonly schema: Schema}, work?: RemoteWork): Promise<readonly string[]>;

  /** The statement's rows as a stream of Arrow's IPC format. Memory does not depend on the row count. @throws as materialize */
  arrow(query: NativeQuery, work?: RemoteWork): AsyncIterable<Piece>;

  start(): Promise<void>;
  /** Cancels what runs and closes all sessions. */
  stop(): Promise<void>;
}

/**
 * A query in the words of another engine, with its parameters as literals.
 * @param tree what the embedded engine's parser made of `query.sql` (`Engine.syntax`)
 * @param described its columns, which the embedded engine told
 * @throws SQL_NOT_PORTABLE with the place in the SQL
 */
export type Translate = (tree: unknown, query: Query, described: Schema, engine: RemoteName) => NativeQuery;
