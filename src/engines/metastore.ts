/**
 * Tables of a warehouse of others: what there is, how their rows are read, and how tables of ours come to stand there. Hive implements it; Spark's Thrift Server and
 * every reader of the same metastore see the same tables.
 */
import type {Schema} from '../schemas/schema.ts';
import type {Piece} from './engine.ts';

export interface ForeignColumn {
  readonly name: string;
  /** In the warehouse's own words. */
  readonly type: string;
  readonly comment: string | null;
}

export interface ForeignTable {
  readonly database: string;
  readonly name: string;
  readonly view: boolean;
  /** Without those that partitions are told by. */
  readonly columns: readonly ForeignColumn[];
  readonly partitionedBy: readonly ForeignColumn[];
  /** Of its files: parquet, orc, text, …; null where nothing tells, and of a view. */
  readonly format: string | null;
  /** The class that reads its rows. */
  readonly serde: string | null;
  /** Its files are not simply its rows: some take others back. */
  readonly transactional: boolean;
  /** A URL; null of a view. */
  readonly location: string | null;
  /** As the metastore has it, which may be old; null where it has nothing. */
  readonly statistics: ForeignStatistics;
  /** What whoever made it has noted. */
  readonly properties: Readonly<Record<string, string>>;
}

export interface ForeignStatistics {
  readonly rows: number | null;
  readonly bytes: number | null;
  readonly files: number | null;
  readonly changedAt: Date | null;
}

export interface ForeignPartition {
  /** Such as `dt=2001-01-01/hour=3`. */
  readonly name: string;
  readonly values: readonly {readonly column: string; readonly value: string}[];
}

/** What is known of one partition, or of a whole table. */
export interface ForeignPlace {
  readonly location: string;
  readonly statistics: ForeignStatistics;
}

export interface Metastore {
  /** @throws ENGINE_UNAVAILABLE, as all others */
  databases(): Promise<readonly string[]>;
  /** Tables and views by name. @throws SOURCE_NOT_FOUND */
  tables(database: string): Promise<readonly string[]>;
  /** @throws SOURCE_NOT_FOUND */
  table(database: string, name: string): Promise<ForeignTable>;
  /** @param where a condition over the columns that partitions are told by. @throws SQL_INVALID where it is another one */
  partitions(database: string, name: string, where?: string): Promise<readonly ForeignPartition[]>;
  place(database: string, name: string, partition: ForeignPartition): Promise<ForeignPlace>;
  /** A condition that is true for the rows of one partition. */
  condition(table: ForeignTable, partition: ForeignPartition): string;
  /** All columns of a table, those of its partitions last, of the rows for which `where` is true: as an Arrow stream. @throws SQL_INVALID, SQL_FAILED */
  read(database: string, name: string, where: string | null, signal?: AbortSignal): AsyncIterable<Piece>;
  /** The rows of a query in the warehouse's own words. */
  query(sql: string, signal?: AbortSignal): AsyncIterable<Piece>;
}

/** A folder of Parquet files as a table. Columns are found by their names. */
export interface OutsideTable {
  readonly database: string;
  readonly name: string;
  readonly schema: Schema;
  readonly folder: string;
  readonly rowCount: number;
  readonly fileCount: number;
  readonly bytes: number;
  readonly properties: Readonly<Record<string, string>>;
}

/** Tables and views of ours in a warehouse of others. */
export interface TableSink {
  /** What readers have to know of columns whose type is another one there. @throws ENGINE_UNSUPPORTED for a column it cannot show exactly */
  shows(schema: Schema): readonly string[];
  /** Whether the warehouse reads such columns as they are; makes nothing. @throws ENGINE_UNSUPPORTED, ENGINE_UNAVAILABLE, as all others */
  check(schema: Schema): Promise<void>;
  /** External: it does not own its files. One that `isThere` gets the folder in one call. Its row count is set. @throws ENGINE_FILES_UNREACHABLE where the warehouse does not see the files */
  put(table: OutsideTable, isThere: boolean, signal?: AbortSignal): Promise<void>;
  /** Makes a view show all columns of a table, in one call: who reads it sees the rows of before or those of after. */
  show(view: {readonly database: string; readonly name: string; readonly properties: Readonly<Record<string, string>>}, table: OutsideTable): Promise<void>;
  /** What is not there is no error. */
  drop(kind: 'table' | 'view', database: string, name: string): Promise<void>;
}
