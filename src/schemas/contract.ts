import type {Reading} from './detection/infer-column.ts';

/**
 * A contract: what may change or fail in a dataset, and what becomes of a row that breaks it.
 *
 * Plain data with one shape wherever it stands: in a step (`contract: {…}`), in a file beside the jobs
 * (`jobs/<dataset>.contract.yaml`), in the graph (`setContract`), in the catalog and in a snapshot's manifest.
 */
export interface Contract {
  /** Columns that tell rows apart: never null, never twice. */
  readonly key?: readonly string[];
  readonly foreignKeys?: readonly ForeignKey[];
  readonly checks?: readonly Check[];
  /** What becomes of a row that breaks the key, a foreign key or a check that does not say it itself. Default: `fail`. */
  readonly onBadRow?: Fate;
  /** What a commit may change of the columns. Default: `none`. */
  readonly compatibility?: Compatibility;
  /** The columns as they were accepted, by legal name; raw values that are none of the type are bad rows. */
  readonly columns?: Readonly<Record<string, ContractColumn>>;
  /** What a later collection leaves; default: everything. */
  readonly retention?: Retention;
  /** What clients may do to single rows by the graph; default: nothing. */
  readonly writes?: readonly WriteKind[];
  /** What the dataset is, for people. */
  readonly description?: string;
  /** What columns are, for people, by name. */
  readonly documentation?: Readonly<Record<string, ColumnDocumentation>>;
}

export interface ColumnDocumentation {
  readonly description?: string;
  /** Such as `minutes`, `°C`, `USD`. */
  readonly unit?: string;
  /** Why it should not be used any more, and what instead. */
  readonly deprecated?: string;
}

/** The graph has the mutations of these kinds for the dataset. A row that takes the place of another of its key needs `update` too. */
export type WriteKind = 'insert' | 'update' | 'delete';

export interface ContractColumn extends Reading {
  /** The name the data comes with, where it differs. */
  readonly source?: string;
  readonly description?: string;
}

/** `column` of this dataset holds values of the single-column key of dataset `references`; `as` names the relationship. */
export interface ForeignKey {
  readonly column: string;
  readonly references: string;
  readonly as?: string;
  readonly onBadRow?: Fate;
}

/**
 * fail: nothing is committed; quarantine: the row is kept, whole, in `<dataset>_quarantine`; drop: the row is left out and counted;
 * null_value: the row stays, the value that breaks the check is null.
 */
export type Fate = 'fail' | 'quarantine' | 'drop' | 'null_value';

/** warn: told in the run, nothing else; error: a row meets its fate, the whole dataset's checks fail the commit. */
export type Severity = 'warn' | 'error';

/** Of a commit's schema against the newest (or, transitively, every) earlier one; readers and data as in Avro's registries. */
export type Compatibility = 'backward' | 'backward_transitive' | 'forward' | 'forward_transitive' | 'full' | 'full_transitive' | 'none';

/** How much of a dataset's past stays; a snapshot that either of them keeps stays, and so do the newest and pinned ones. */
export interface Retention {
  readonly snapshots?: number;
  readonly days?: number;
}

/** One thing that must hold: exactly one of the kinds is given. A null value breaks `notNull` and nothing else. */
export interface Check {
  readonly notNull?: string;
  /** No two rows are equal in all of these columns; rows with a null in one of them are not compared. */
  readonly unique?: readonly string[];
  /** Both ends included. Dates and times are text. */
  readonly range?: {readonly column: string; readonly min?: CheckValue; readonly max?: CheckValue};
  readonly set?: {readonly column: string; readonly values: readonly CheckValue[]};
  /** A regular expression that the whole text matches. */
  readonly pattern?: {readonly column: string; readonly regex: string};
  /** Characters of a text. */
  readonly length?: {readonly column: string; readonly min?: number; readonly max?: number};
  /** An expression of one row's columns that is true, or null. */
  readonly sql?: string;

  /** The newest value is no older than that many hours when the commit is made. */
  readonly freshness?: {readonly column: string; readonly hours: number};
  /** Rows after the commit; `maxChange` is a share of the rows before it (0.2: a fifth more or fewer). */
  readonly rowCount?: {readonly min?: number; readonly max?: number; readonly maxChange?: number};
  /** How far the column's values may be distributed otherwise than in the last snapshots: 0 the same, 1 nothing in common. */
  readonly distribution?: {readonly column: string; readonly maxDistance: number};
  /** A SELECT over `this`, the dataset after the commit, whose one value is true. */
  readonly query?: string;

  /** Shown for what the check says; default: made of its kind. */
  readonly name?: string;
  /** Default: `error`. */
  readonly severity?: Severity;
  /** Default: the contract's. */
  readonly onBadRow?: Fate;
  /** For `sql`: the column that `null_value` empties. */
  readonly column?: string;
}

export type CheckValue = string | number | boolean;
export type CheckKind = Exclude<keyof Check, 'name' | 'severity' | 'onBadRow' | 'column'>;

export const rowCheckKinds = ['notNull', 'unique', 'range', 'set', 'pattern', 'length', 'sql'] as const satisfies readonly CheckKind[];
export const wholeCheckKinds = ['freshness', 'rowCount', 'distribution', 'query'] as const satisfies readonly CheckKind[];
export const checkKinds: readonly CheckKind[] = [...rowCheckKinds, ...wholeCheckKinds];

/** The kind of a check. */
export const kindOf = (check: Check): CheckKind => checkKinds.find(kind => check[kind] !== undefined)!;

/** The column that `null_value` empties where a check is broken; null when there is none. */
export function emptied(given: Check): string | null {
  const kind = kindOf(given);
  if (kind === 'sql') return given.column ?? null;
  if (kind === 'range' || kind === 'set' || kind === 'pattern' || kind === 'length') return given[kind]!.column;
  return null;
}

/** The dataset beside a dataset that keeps the rows its contract refused. */
export const quarantineOf = (dataset: string): string => `${dataset}_quarantine`;

/** Values of a set that are told. */
const shownValues = 10;

/** What a check says, in a few words: `delay between -120 and 1000`, `iata, date are unique`. */
export function says(check: Check): string {
  if (check.name !== undefined) return check.name;
  const between = (of: {readonly min?: CheckValue; readonly max?: CheckValue}): string =>
    of.min === undefined ? `at most ${of.max}` : of.max === undefined ? `at least ${of.min}` : `between ${of.min} and ${of.max}`;
  const {notNull, unique, range, set, pattern, length, sql, freshness, rowCount, distribution, query} = check;
  if (notNull !== undefined) return `${notNull} is not null`;
  if (unique) return `${unique.join(', ')} ${unique.length > 1 ? 'are' : 'is'} unique`;
  if (range) return `${range.column} is ${between(range)}`;
  if (set) return `${set.column} is one of ${set.values.slice(0, shownValues).join(', ')}${set.values.length > shownValues ? ` and ${set.values.length - shownValues} more` : ''}`;
  if (pattern) return `${pattern.column} matches ${pattern.regex}`;
  if (length) return `${length.column} has ${between(length)} characters`;
  if (sql !== undefined) return sql;
  if (freshness) return `${freshness.column} is no older than ${freshness.hours} hours`;
  if (rowCount) return [
    rowCount.min === undefined && rowCount.max === undefined ? '' : `rows are ${between(rowCount)}`,
    rowCount.maxChange === undefined ? '' : `rows change by at most ${rowCount.maxChange * 100} %`,
  ].filter(Boolean).join(', ');
  if (distribution) return `${distribution.column} is distributed as before, within ${distribution.maxDistance}`;
  return query!;
}
