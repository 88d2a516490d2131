/**
 * engines: what executes SQL.
 *
 * An engine reads snapshots (Parquet files named by manifests) and raw files, runs SELECT statements over them, and writes staged
 * Parquet files; it never commits anything. DuckDB is embedded; Spark and Hive implement the same port. Engines share the
 * warehouse, not memory: whatever one stages, the others can read.
 */
import type {Detection, Dialect} from '../schemas/detection/detection.ts';
import type {Reading} from '../schemas/detection/infer-column.ts';
import type {ColumnProfile, DataType, Field, Schema} from '../schemas/schema.ts';

export type EngineName = 'duckdb' | 'spark' | 'hive';

/** What an engine can do, as data: callers branch on these, never on the engine's name. */
export interface EngineCapabilities {
  /** Runs inside this process: low latency, so the graph's queries can use it. */
  readonly embedded: boolean;
  /** Several processes share the work of one statement. */
  readonly distributed: boolean;
  /** Tables may have columns `beside` their own. */
  readonly besides: boolean;
}

/** A file of a snapshot, by absolute path or URL that the engine can open. */
export interface TableFile {
  readonly path: string;
  readonly rowCount: number;
  readonly bytes: number;
  /** The `_row_id` of the file's first row, when `rowIds` is 'positional': row n of the file (from 0) has firstRowId + n. */
  readonly firstRowId: number;
  /** 'stored': the file carries a column `_row_id` (compaction keeps ids); 'positional': ids follow from firstRowId. */
  readonly rowIds: 'positional' | 'stored';
  /** What its manifest tells of its columns; absent where they have other names than the table's. */
  readonly columns?: readonly StagedColumn[];
}

/** A snapshot as an engine sees it. Files may hold older schemas: columns are found by Parquet field id. */
export interface Table {
  readonly kind: 'table';
  readonly schema: Schema;
  readonly files: readonly TableFile[];
  /** True: the relation also has the column `_row_id` (BIGINT, never null), which costs a little. Default: no. */
  readonly rowIds?: boolean;
  /** True: the relation also has the column `_file` (INTEGER): the place of the row's file among `files`, from 0. */
  readonly fileIndexes?: boolean;
  /** True: every file was written with exactly this schema, which reads up to twice as fast as finding columns by field id. */
  readonly uniform?: boolean;
  /** Columns that are not in the table's own files. Needs `rowIds`, and an engine with `besides`. */
  readonly beside?: readonly Beside[];
}

/** Columns that lie beside a table's own. */
export type Beside =
  /** Of all rows: Parquet files, one for each of the table's; row n of one belongs to row n of the other. */
  | {readonly kind: 'files'; readonly files: readonly string[]; readonly columns: readonly BesideColumn[]}
  /** Of some rows, each by its `_row_id`: the relation has no others. */
  | {readonly kind: 'rows'; readonly rowIds: BigInt64Array; readonly columns: readonly (BesideColumn & {readonly values: Column})[]};

export interface BesideColumn {
  /** In the relation. */
  readonly name: string;
  /** In the files. */
  readonly from: string;
  readonly type: DataType;
}

export type RawFormat = 'csv' | 'json' | 'ndjson' | 'parquet';

/** Raw files of one format, as a source hands them to an engine; `options` are the reader's (delimiter, header, …). */
export interface RawFiles {
  readonly kind: 'raw';
  readonly format: RawFormat;
  readonly files: readonly string[];
  /** How people know the files, where that differs: a copy in a scratch folder has no name for them. */
  readonly names?: readonly string[];
  readonly options: RawOptions;
  /** The relation also has the marks of a quarantine (src/schemas/quarantine.ts): what cannot be read is null and told there. Needs `options.columns`. */
  readonly marks?: Marks;
}

export interface Marks {
  /** Columns whose values may be bad, and their names in the dataset. */
  readonly columns: readonly {readonly name: string; readonly as: string}[];
  /** Rows without values, after all others. */
  readonly lines: readonly LostLine[];
}

/** A line of a raw file that cannot be taken apart. */
export interface LostLine {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly text: string;
  readonly reason: string;
}

/** What a lenient `sniff` found that cannot be read. */
export interface Unread {
  /** Values, of all columns. */
  readonly values: number;
  readonly lines: readonly LostLine[];
}

export interface RawOptions {
  readonly delimiter?: string;
  readonly header?: boolean;
  readonly quote?: string;
  readonly escape?: string;
  /** Words that mean null in every column, beside the empty field; default: those that stand among typed values. */
  readonly nulls?: readonly string[];
  /** Column types that override detection, by source name, in `typeName` form. */
  readonly types?: Readonly<Record<string, string>>;
  /** Where the file's name does not tell it by .gz or .zst. */
  readonly compression?: 'gzip' | 'zstd';
  /** Lines before the header, or before the first record. */
  readonly skip?: number;
  /** In strptime's form (`%d/%m/%Y`), where the values allow several; default: ISO 8601. */
  readonly dateFormat?: string;
  readonly timestampFormat?: string;
  /** Of text; default: UTF-8, or what the bytes say. */
  readonly encoding?: TextEncoding;
  /** How columns must be read, by source name: nothing is inferred for them, and a text that is no value of its reading is an error. */
  readonly readings?: Readonly<Record<string, Reading>>;
  /** Texts that are no value of their reading, and lines that cannot be taken apart, do not fail `sniff`: it tells of them. */
  readonly lenient?: boolean;
  /** Every column in the file's order, and how its texts are read, as `sniff` found it: nothing is detected any more. */
  readonly columns?: readonly RawColumn[];
}

export type TextEncoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252';

export interface RawColumn extends Reading {
  /** As the file has it, made unique. */
  readonly name: string;
  /** Of a column that is proposed: a text fails the read that does not say its value exactly, or, of a type the user said, that is none of it. */
  readonly proof?: 'exact' | 'allowed';
}

/** What a sample of raw files says; `raw` is complete, and fails to be read where a row shows otherwise. */
export interface Proposal extends Pick<Detection, 'schema' | 'evidence'> {
  readonly dialect: Pick<Dialect, 'evidence'>;
  readonly raw: RawFiles;
}

export type Relation = Table | RawFiles;

/** One SELECT over named relations. Positional parameters ($1, $2 …) are bound, never spliced. */
export interface Query {
  readonly sql: string;
  readonly relations: Readonly<Record<string, Relation>>;
  readonly params?: readonly SqlValue[];
}

export type SqlValue = string | number | bigint | boolean | null;

/** Where staged files go: an existing, empty, private folder; and the field ids to write into them. */
export interface WriteTarget {
  readonly folder: string;
  readonly schema: Schema;
  /** Rows a file at most; default: one file. */
  readonly rowsPerFile?: number;
  /** Rows of each file, in the query's order; they add up to its rows. Instead of `rowsPerFile`. */
  readonly rowsOfFiles?: readonly number[];
  /** True: the query also selects `_row_id`, which is stored (compaction). */
  readonly storeRowIds?: boolean;
}

/** Parquet files that another engine wrote. */
export interface Inspected {
  /** With the statistics of their footers; files without rows are left out. */
  readonly files: readonly StagedFile[];
  /** Whether columns, types and field ids are those asked for; else the rows have to be written once more. */
  readonly exact: boolean;
}

/** A staged Parquet file with the statistics its manifest row needs. */
export interface StagedFile {
  readonly path: string;
  readonly rowCount: number;
  readonly bytes: number;
  readonly columns: readonly StagedColumn[];
}

export interface StagedColumn {
  readonly name: string;
  readonly bytes: number;
  readonly nulls: number;
  readonly min: string | null;
  readonly max: string | null;
}

export interface Work {
  /**
   * Aborting interrupts the statement; the promise rejects with the signal's reason. Statements with one signal are of one asker, who takes
   * turns with others where all have to wait.
   */
  readonly signal?: AbortSignal;
  /** It reads little, so it need not wait behind statements that may take long. Default false. */
  readonly light?: boolean;
  /** Fraction done, 0 to 1, a few times a second at most; absent where the engine cannot tell. */
  readonly onProgress?: (fraction: number) => void;
}

/**
 * A column of a batch in Arrow's layout. `validity`: one bit a row, least significant first, 1 = present; null when no row is null.
 * Values of absent rows are unspecified. Buffers may be transferred to another thread: whoever receives a batch owns it.
 */
export type Column =
  | {
      readonly kind: 'numbers';
      readonly type: DataType;
      readonly values: Int8Array | Int16Array | Int32Array | BigInt64Array | Uint8Array | Uint16Array | Uint32Array | BigUint64Array | Float32Array | Float64Array;
      readonly validity: Uint8Array | null;
    }
  /** Booleans: one byte a row, 0 or 1. */
  | {readonly kind: 'booleans'; readonly values: Uint8Array; readonly validity: Uint8Array | null}
  /** Strings by their place in a dictionary that the batches of one read may share. */
  | {readonly kind: 'strings'; readonly dictionary: readonly string[]; readonly indices: Uint32Array; readonly validity: Uint8Array | null};

export interface ColumnBatch {
  readonly rowCount: number;
  readonly columns: readonly Column[];
}

/** What it took to run a query. */
export interface Measured {
  /** That came out of the files, after what the reader itself could leave out. */
  readonly rows: number;
  readonly files: number;
  /** Of all threads. */
  readonly cpuMilliseconds: number;
  /** Bytes, at most. */
  readonly memory: number;
}

/** How a column is named in an answer, and the members of its structs (in a list, of the elements'), by their places. */
export interface ColumnName {
  readonly name: string;
  readonly members?: readonly ColumnName[];
}

/** Some rows of an answer that is sent on while more are read. */
export interface Piece {
  readonly rowCount: number;
  readonly bytes: Uint8Array;
}

/** What SQL says about itself when it is parsed. */
export interface SqlAnalysis {
  /** Names of relations it reads, in order of appearance, without its own WITH names. */
  readonly relations: readonly string[];
  /** Functions whose answer differs from call to call (random, now, …): such a step is never reused. */
  readonly volatile: readonly string[];
}

/** Output column → the input columns it is computed from, as `relation.column`; null where it cannot be told. */
export type ColumnLineage = Readonly<Record<string, readonly string[]>>;

/** What is known of a column's values without reading them. Bounds are text, as in a profile: no value lies outside of them. */
export interface ColumnFacts {
  readonly name: string;
  /** Null where only running the query would tell. */
  readonly type: DataType | null;
  readonly min: string | null;
  readonly max: string | null;
  /** Whether min and max are values that occur. */
  readonly attained: boolean;
  readonly nulls: 'none' | 'some' | 'all' | 'unknown';
  /** Of a column with nothing but nulls: why, where it is not simply so in the data or wanted by the text. */
  readonly why?: string;
  /** Approximate; null: not known. */
  readonly distinct: number | null;
}

/** What is known of a relation without reading it: from manifests, or of a query's result by `foresee`. */
export interface RelationFacts {
  readonly columns: readonly ColumnFacts[];
  /** Rows at least and at most; Infinity where nothing bounds them. */
  readonly least: number;
  readonly most: number;
  /** Sets of columns that are never equal in two rows. */
  readonly keys: readonly (readonly string[])[];
  /** Sets of columns that are equal in several rows, probably, and why. */
  readonly repeats: readonly {readonly columns: readonly string[]; readonly why: string}[];
}

/** proven: no data within the statistics could make it otherwise; likely: estimates say so. */
export type Certainty = 'proven' | 'likely';

export interface Foresight {
  /** Null where the text is of a form that is not followed. */
  readonly result: RelationFacts | null;
  readonly findings: readonly {readonly kind: 'join_without_match' | 'filter_without_match' | 'join_multiplies'; readonly certainty: Certainty; readonly detail: string}[];
}

/** Scores rows while they pass: `features` are columns of the query (not written where the target's schema lacks them); `score` answers with one column for each of `outputs`. */
export interface Scoring {
  readonly features: readonly string[];
  readonly outputs: readonly Field[];
  /** Rows a batch, for all but the last. */
  readonly batchRows: number;
  /** Batches in flight at once. */
  readonly concurrency: number;
  readonly score: (batch: ColumnBatch) => Promise<readonly Column[]>;
}

export interface Engine {
  readonly name: EngineName;
  readonly capabilities: EngineCapabilities;
  /** Engine and version: what a result may depend on beside its inputs. Part of receipts and of steps' fingerprints. */
  readonly fingerprint: string;

  /** Parses one statement of a user. @throws SQL_INVALID, SQL_NOT_ALLOWED (anything but a SELECT over relations). */
  analyze(sql: string): Promise<SqlAnalysis>;

  /** The tree of one statement, as `Translate` takes it. @throws SQL_INVALID */
  syntax(sql: string): Promise<unknown>;

  /**
   * Checks that a text is one expression of a row's own columns: no aggregate, no window, no subquery, nothing after it.
   * @throws SQL_INVALID, SQL_NOT_ALLOWED
   */
  analyzeExpression(expression: string): Promise<void>;

  /** Names, types and nullability of the query's columns, without running it; names are made legal. @throws SQL_INVALID */
  describe(query: Query): Promise<Schema>;

  /** Where each output column comes from. Best effort: a column that cannot be traced is left out. */
  lineage(query: Query): Promise<ColumnLineage>;

  /** What follows of a query's result from facts about its relations, by name; no row is read. Sound: what cannot be told is unknown. @throws SQL_INVALID */
  foresee(query: Query, facts: Readonly<Record<string, RelationFacts>>): Promise<Foresight>;

  /**
   * Detects how raw files are read and what their columns are: a sample spread over all of them proposes, one scan of every row proves.
   * The answer's `raw` is complete: reading it detects nothing more. @throws SOURCE_UNREADABLE, SOURCE_EMPTY, SOURCE_LINE_TOO_LONG
   */
  sniff(raw: RawFiles, work?: Work): Promise<Detection & {readonly raw: RawFiles; readonly unread?: Unread}>;

  /**
   * What a sample of raw files says of them, for a read that writes rows while it proves it. Null where that would not be worth a try:
   * then `sniff` tells. @throws as `sniff`
   */
  propose(raw: RawFiles): Promise<Proposal | null>;

  /** Runs the query and writes its rows, in order, as Parquet with the target's field ids. @throws SQL_FAILED, SOURCE_UNREADABLE, FILE_DAMAGED, DISK_FULL */
  materialize(query: Query, target: WriteTarget, work?: Work): Promise<readonly StagedFile[]>;

  /** Like materialize; the score's columns stand after the query's own. Memory does not depend on the row count. */
  materializeScored(query: Query, scoring: Scoring, target: WriteTarget, work?: Work): Promise<readonly StagedFile[]>;

  /** Writes the query's rows as one file for people and programs outside. @throws as materialize */
  publish(query: Query, file: {path: string; format: 'csv' | 'parquet' | 'json' | 'ndjson' | 'arrow'}, work?: Work): Promise<{rowCount: number; bytes: number}>;

  /** What the footers of Parquet files that another engine wrote say of them, and whether they are what this one would have written. @throws FILE_DAMAGED */
  inspect(paths: readonly string[], schema: Schema): Promise<Inspected>;

  /** Converts an Arrow IPC file or stream into one Parquet file. @throws SOURCE_UNREADABLE, SOURCE_EMPTY, DISK_FULL */
  importArrow(path: string, out: string, work?: Work): Promise<void>;

  /** Profiles of staged or committed files, from one pass over them. @param work.known what the writer told of all rows of the table, which need not be found again */
  profile(table: Table, work?: Work & {readonly known?: readonly StagedColumn[]}): Promise<readonly ColumnProfile[]>;

  /** Column batches of the query's rows, in order. `outward`: for a reader elsewhere, as `lines`. */
  columns(query: Query, options: {batchRows: number; outward?: boolean} & Work): AsyncIterable<ColumnBatch>;

  /**
   * The texts of a query that selects one VARCHAR, none of them null, in order: as UTF-8, a line feed after each. For readers elsewhere, who
   * set the pace: neither memory nor other queries depend on how slow they are, or how many rows there are.
   */
  lines(query: Query, work?: Work): AsyncIterable<Piece>;

  /**
   * The query's columns as a stream of Arrow's IPC format, for readers elsewhere as `lines`. 64-bit integers, decimals, times, binary and
   * nested values have Arrow's own types; what has none (UUIDs, JSON) is text. The first piece is the schema; a stream that fails has no end mark.
   */
  arrow(query: Query, options?: {readonly names?: readonly ColumnName[]} & Work): AsyncIterable<Piece>;

  /** The single text value of a query that selects one VARCHAR (JSON made by the engine); null when it has no row. */
  text(query: Query, work?: Work): Promise<string | null>;

  /** Runs a query for what it takes alone. */
  measure(query: Query, work?: Work): Promise<Measured>;

  /** Rows as plain values (bigint for 64 bits, strings for decimals and times). For small answers only. */
  rows(query: Query, work?: Work): Promise<readonly Readonly<Record<string, SqlValue>>[]>;

  start(): Promise<void>;
  /** Interrupts what runs and frees everything. */
  stop(): Promise<void>;
}
