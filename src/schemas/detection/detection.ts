/**
 * What detection says of raw data: how it is read, what its columns are, and why.
 *
 * Nothing is decided in silence: each choice that could have been another one leaves evidence, and a choice that the data leaves open
 * is an ambiguity. What no type holds exactly stays text.
 */
import type {ColumnProfile, Schema} from '../schema.ts';

export type Rule =
  /** Digits after a leading zero are a code, not a number. */
  | 'leading_zeros'
  /** A plus before every number is a code, a telephone's for example. */
  | 'plus_sign'
  | 'spaces_trimmed'
  /** More digits than the narrower type holds. */
  | 'wide_integer' | 'exact_decimal'
  /** Decimal commas, thousands separators, units: numbers to people, text here. */
  | 'formatted_number'
  /** Words that mean null among typed values, or are categories among text. */
  | 'null_words' | 'null_categories'
  /** Quoted and empty: a text of no characters, where nothing between two delimiters is null. */
  | 'empty_texts'
  | 'boolean_words' | 'zero_one'
  | 'date_format' | 'ambiguous_dates' | 'mixed_dates' | 'two_digit_years' | 'dates_without_time' | 'offsets_to_utc' | 'digits_as_date'
  /** Nearly all values are of one type, some are not. */
  | 'mixed_types' | 'mixed_json' | 'wide_json_number'
  | 'no_values' | 'said'
  | 'name_mapped' | 'name_made' | 'duplicate_name'
  /** Of the whole file. */
  | 'delimiter' | 'quote' | 'header' | 'skipped_lines' | 'newlines' | 'encoding' | 'byte_order_mark';

/** Why something is as it is; `count` is how many values or lines it concerns, null where that says nothing. */
export interface Evidence {
  readonly rule: Rule;
  readonly detail: string;
  readonly count: number | null;
  /** The data leaves it open: somebody should look. */
  readonly ambiguous?: boolean;
}

export interface ColumnEvidence {
  /** The legal name. */
  readonly column: string;
  readonly evidence: readonly Evidence[];
}

/** How a text file is read; null for what a format says itself. */
export interface Dialect {
  readonly delimiter: string | null;
  readonly quote: string | null;
  readonly escape: string | null;
  readonly header: boolean | null;
  readonly skip: number;
  readonly newline: 'lf' | 'crlf' | 'cr' | null;
  readonly encoding: string;
  readonly evidence: readonly Evidence[];
}

/** All that was found. Nullability, bounds and counts are of every row; examples and histograms of the sample. */
export interface Detection {
  readonly schema: Schema;
  readonly rowCount: number;
  /** In the order of the schema, by legal name. */
  readonly profile: readonly ColumnProfile[];
  readonly evidence: readonly ColumnEvidence[];
  readonly dialect: Dialect;
  /** Rows that were looked at one by one, spread over all files. */
  readonly sampleRows: number;
}

/** What is open in all of a detection: the file's own first, `column` null there. */
export function ambiguities({dialect, evidence}: Pick<Detection, 'evidence'> & {readonly dialect: Pick<Dialect, 'evidence'>}): {readonly column: string | null; readonly evidence: Evidence}[] {
  return [
    ...dialect.evidence.filter(item => item.ambiguous).map(item => ({column: null, evidence: item})),
    ...evidence.flatMap(({column, evidence: all}) => all.filter(item => item.ambiguous).map(item => ({column, evidence: item}))),
  ];
}
