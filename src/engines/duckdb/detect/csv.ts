import {MillraceError} from '../../../core/errors.ts';
import type {Evidence} from '../../../schemas/detection/detection.ts';
import {afterLines, readRecords} from '../../../schemas/detection/csv-text.ts';
import {inferDialect} from '../../../schemas/detection/infer-dialect.ts';
import type {TextDialect} from '../../../schemas/detection/infer-dialect.ts';
import type {Proposal, RawFiles, RawOptions, Unread} from '../../engine.ts';
import type {Detection} from '../../../schemas/detection/detection.ts';
import type {Lease} from '../database.ts';
import {nameOf, sourceUnreadable} from '../failures.ts';
import {forgetLost, lostLines, mostLostLines} from '../marked.ts';
import {csvText} from '../relations.ts';
import {described, guessed, narrowest, nothingFound, proveColumns, typeOf, withNulls} from './columns.ts';
import type {ProvenColumn, TextColumn} from './columns.ts';
import {readHead, sampleRows} from './sample.ts';
import type {Head} from './sample.ts';

/** Columns of one dataset: beyond it neither the catalog nor the graph is of use. */
const mostColumns = 4096;

/** What the beginning and a sample of delimited text say. */
interface CsvSample {
  readonly head: Head;
  readonly dialect: TextDialect;
  /** With the dialect. */
  readonly texts: RawFiles;
  readonly columns: readonly TextColumn[];
  readonly rows: readonly (readonly (string | null)[])[];
}

async function sampled(raw: RawFiles): Promise<CsvSample> {
  const [first] = raw.files as [string];
  const head = await readHead(first, nameOf(first, raw));
  const dialect = inferDialect(head.text, head.whole, raw.options);
  const width = dialect.names.length;
  if (width === 0) throw new MillraceError('SOURCE_EMPTY', {path: nameOf(first, raw)});
  if (width > mostColumns) throw new MillraceError('SOURCE_TOO_WIDE', {path: nameOf(first, raw), columns: width, limit: mostColumns});
  if (dialect.problem !== null && !raw.options.lenient) throw sourceUnreadable(dialect.problem, raw);
  await sameNames(raw, dialect);

  const {names, evidence: namings} = uniqueNames(dialect.names);
  const options: RawOptions = {
    ...raw.options, columns: undefined, delimiter: dialect.delimiter, quote: dialect.quote, escape: dialect.escape, header: dialect.header, skip: dialect.skip,
  };
  const texts: RawFiles = {...raw, options};
  const rows = await sampleRows(raw.files, dialect, width);
  const samples = names.map((_, index) => rows.flatMap(row => (typeof row[index] === 'string' ? [row[index]] : [])));
  const given = raw.options.columns;
  if (given && given.map(column => column.name).join('\0') !== names.join('\0')) {
    throw sourceUnreadable(`its columns (${names.join(', ')}) are not those accepted (${given.map(column => column.name).join(', ')})`, raw);
  }
  const columns = names.map((name, index): TextColumn => {
    const type = raw.options.types?.[name];
    const reading = given?.[index] ?? raw.options.readings?.[name] ?? (type === undefined ? undefined : saidReading(typeOf(type) && type, options));
    return {name, column: `c${index}`, sample: samples[index]!, evidence: namings[index]!, ...(reading ? {said: reading} : {})};
  });
  return {head, dialect, texts, columns, rows};
}

/** Columns from which on a statement that proves all of them takes longer to plan than it spares. */
const mostProposed = 200;

/** Dialect and columns as the sample has them; null where a read that proves them would not be worth it. */
export async function proposeCsv(raw: RawFiles): Promise<Proposal | null> {
  const {dialect, texts, columns, rows} = await sampled(raw);
  if (rows.length === 0 || columns.length > mostProposed || dialect.problem !== null) return null;
  const {guesses} = guessed(columns, texts);
  const proposed = columns.map((column, index): ProvenColumn => {
    const guess = guesses[index]!;
    const reading = column.said ?? narrowest(withNulls(guess, raw.options.nulls).reading, column.sample);
    const isNull = column.sample.length < rows.length || column.sample.some(value => reading.nulls?.includes(value));
    return {
      raw: {...reading, name: column.name, proof: column.said ? 'allowed' : 'exact'}, evidence: [...column.evidence, ...guess.evidence.map(one => ({...one, count: null}))],
      finding: {...nothingFound, rows: rows.length, empty: Number(isNull)},
    };
  });
  const {schema, evidence} = described(proposed, columns.map(({sample}) => sample));
  return {schema, evidence, dialect: {evidence: dialect.evidence}, raw: {...texts, options: {...texts.options, lenient: false, columns: proposed.map(({raw: column}) => column)}}};
}

/** Dialect and columns of delimited text. */
export async function detectCsv(lease: Lease, raw: RawFiles): Promise<Detection & {raw: RawFiles; unread?: Unread}> {
  const {head, dialect, texts, columns, rows} = await sampled(raw);
  if (raw.options.lenient) await forgetLost(lease);
  const proven = await proveColumns(lease, csvText(texts, columns.length), columns, texts);
  const lost = raw.options.lenient ? await lostLines(lease, raw) : [];
  if (lost.length > mostLostLines) throw sourceUnreadable(`more than ${mostLostLines} lines cannot be taken apart: the first is line ${lost[0]!.line}: ${lost[0]!.reason}`, raw);
  return {
    ...described(proven, columns.map(({sample}) => sample)),
    raw: {...raw, options: {...texts.options, columns: proven.map(column => column.raw)}},
    ...(raw.options.lenient ? {unread: {values: proven.reduce((sum, {finding, raw: {type}}) => sum + (type === 'utf8' ? 0 : finding.bad), 0), lines: lost}} : {}),
    rowCount: proven[0]!.finding.rows,
    sampleRows: rows.length,
    dialect: {
      delimiter: dialect.delimiter, quote: dialect.quote, escape: dialect.escape, header: dialect.header, skip: dialect.skip, newline: dialect.newline, encoding: 'utf-8',
      evidence: [...(head.bom ? [{rule: 'byte_order_mark', detail: 'a byte order mark says UTF-8', count: null} as const] : []), ...dialect.evidence],
    },
  };
}

/** The reading of a type the user said. */
function saidReading(type: string, {dateFormat, timestampFormat}: RawOptions) {
  const format = type === 'date' ? dateFormat : type === 'timestamp' ? timestampFormat : undefined;
  return {type, ...(format === undefined ? {} : {format})};
}

/** Columns are read by place, so all files of a pattern must have the same header. */
async function sameNames(raw: RawFiles, dialect: TextDialect): Promise<void> {
  for (const file of raw.files.slice(1)) {
    const {text, whole} = await readHead(file, nameOf(file, raw));
    const [record = []] = readRecords(afterLines(text, dialect.skip), dialect, whole, 1).rows;
    const own = record.map(name => (name ?? '').trim());
    if (dialect.header ? own.join('\0') !== dialect.names.join('\0') : own.length !== dialect.names.length) {
      throw sourceUnreadable(`its columns (${own.join(', ')}) differ from those of ${raw.names?.[0] ?? raw.files[0]} (${dialect.names.join(', ')})`, only(raw, file));
    }
  }
}

/** One file of several. */
const only = (raw: RawFiles, file: string): RawFiles => ({...raw, files: [file], names: [nameOf(file, raw)]});

/** Names that tell the columns apart, also in SQL, which does not see case. */
function uniqueNames(given: readonly string[]): {names: string[]; evidence: Evidence[][]} {
  const taken = new Set(given.map(name => name.toLowerCase()));
  const used = new Set<string>();
  const evidence: Evidence[][] = [];
  const names = given.map((name, index) => {
    const own: Evidence[] = [];
    let unique = name === '' ? `column${index}` : name;
    if (used.has(unique.toLowerCase()) || (name === '' && taken.has(unique))) {
      for (let n = 2; used.has(unique.toLowerCase()) || taken.has(unique.toLowerCase()); n++) unique = `${name === '' ? `column${index}` : name}_${n}`;
      own.push({rule: 'duplicate_name', detail: `the header has '${name}' more than once: this one is ${unique}`, count: null, ambiguous: true});
    } else if (name === '') own.push({rule: 'name_made', detail: `the column has no name: ${unique}`, count: null});
    used.add(unique.toLowerCase());
    evidence.push(own);
    return unique;
  });
  return {names, evidence};
}

