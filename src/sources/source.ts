/**
 * sources: where raw data lies.
 *
 * A source kind turns a specification (a path pattern, an upload) into raw files that an engine can read, and tells by a
 * fingerprint whether they changed since the last time. Kinds are listed in kinds.ts.
 */
import type {RawFiles, RawOptions, TextEncoding} from '../engines/engine.ts';
import type {Evidence} from '../schemas/detection/detection.ts';

/** What a user says of a source. Exactly one of the places is given. */
export interface SourceSpec {
  /** A path or glob, relative to the project folder; or `package:NAME/FILE` for a file of an installed npm package. */
  readonly path?: string;
  /** The id that POST /uploads answered. */
  readonly upload?: string;
  /** Of the configured Hive. */
  readonly hive?: HivePlace;
  /** Said only where the file name does not tell. */
  readonly format?: SourceFormat;
  readonly options?: RawOptions;
}

/** Rows of a Hive: a table, a part of it, or a query. */
export interface HivePlace {
  /** `database.table`, or `table` of the database `default`. */
  readonly table?: string;
  /** A condition in HiveQL; over the columns of the table's partitions alone it chooses partitions. */
  readonly where?: string;
  /** A SELECT in HiveQL, instead of a table. */
  readonly query?: string;
}

export type SourceFormat = 'csv' | 'tsv' | 'json' | 'ndjson' | 'parquet' | 'arrow';

/** A raw file as it was when it was looked at; `sha256` is of its bytes. */
export interface RawFile {
  /** As lineage shows it: relative to the project, or `package:…`, or `upload:…`. */
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
  readonly modifiedAt: number;
  readonly sha256: string;
}

/** A raw file by name and content. */
export type FoundRawFile = Pick<RawFile, 'name' | 'bytes' | 'sha256'>;

export interface OpenedSource {
  readonly files: readonly RawFile[];
  readonly raw: RawFiles;
  /** Of text files, as their bytes told it; they are UTF-8 in `raw`. */
  readonly text: {readonly encoding: TextEncoding; readonly evidence: readonly Evidence[]} | null;
  /** What is worth knowing of how it is read; shown in plans. */
  readonly told?: readonly string[];
  /** Same bytes and options, same fingerprint. */
  readonly fingerprint: string;
  /** Throws SOURCE_CHANGED when a file is no longer as it was. */
  unchanged(): Promise<void>;
  /** Removes what opening made (unpacked or converted copies). */
  close(): Promise<void>;
}

/** What a source is called where its columns are traced. */
export const sourceName = ({path, hive}: SourceSpec): string => path ?? (hive ? `hive:${hive.table ?? 'query'}` : 'upload');

export interface SourceKind {
  readonly kind: string;
  /** True when this kind reads the specification. */
  accepts(spec: SourceSpec): boolean;
  /** @throws SOURCE_NOT_FOUND, SOURCE_OUTSIDE_ROOTS, ENGINE_UNAVAILABLE, SOURCE_EMPTY, SOURCE_FORMAT_UNKNOWN, SOURCE_UNREADABLE, SOURCE_ENCODING, SOURCE_EXPANDS, UPLOAD_NOT_FOUND */
  open(spec: SourceSpec, scratch: string, only?: ReadonlySet<string>): Promise<OpenedSource>;
  /** Every file there is now, with its checksum; none when nothing matches. Only of kinds whose files come and go. */
  list?(spec: SourceSpec): Promise<readonly FoundRawFile[]>;
}

export interface Sources {
  /** @param only names of files that `list` told of: the others are passed over. @throws SOURCE_CHANGED when one of them is gone */
  open(spec: SourceSpec, scratch: string, only?: ReadonlySet<string>): Promise<OpenedSource>;
  /** @throws ARGUMENT_INVALID for a source that is one thing at one time */
  list(spec: SourceSpec): Promise<readonly FoundRawFile[]>;
}
