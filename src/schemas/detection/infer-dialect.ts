import type {Evidence} from './detection.ts';
import {fits, inferColumn} from './infer-column.ts';
import {afterLines, readRecords} from './csv-text.ts';
import type {Marks, Records} from './csv-text.ts';
import {isNullWord} from './words.ts';

/** What the user said of a text file; what is not said is inferred. */
export interface SaidOfText {
  readonly delimiter?: string;
  readonly quote?: string;
  readonly escape?: string;
  readonly header?: boolean;
  readonly skip?: number;
}

export interface TextDialect extends Marks {
  readonly header: boolean;
  /** Lines before the header, or before the first record. */
  readonly skip: number;
  readonly newline: 'lf' | 'crlf' | 'cr';
  /** Of the header as it is written, or empty names. */
  readonly names: readonly string[];
  readonly evidence: readonly Evidence[];
  /** Why the text is not what its dialect says, where it is not. */
  readonly problem: string | null;
}

const delimiters = [',', ';', '\t', '|'];
const names: Readonly<Record<string, string>> = {',': 'comma', ';': 'semicolon', '\t': 'tab', '|': 'pipe'};

/** Rows that the header is compared with. */
const compared = 500;

interface Trial {
  readonly marks: Marks;
  readonly records: Records;
  /** Lines left out before it. */
  readonly skip: number;
  /** Fields of most records. */
  readonly width: number;
  /** Share of records that have as many. */
  readonly share: number;
  /** Fields that hold another delimiter, unquoted or not. */
  readonly strays: number;
}

/**
 * How a text is delimited, from its beginning. All records must have as many fields; where no reading gives that, the one is taken that
 * most records have, and reading the file says which lines differ.
 */
export function inferDialect(text: string, whole: boolean, said: SaidOfText): TextDialect {
  const newline = newlineOf(text);
  const evidence: Evidence[] = [];
  const found = bestTrial(text, whole, said, evidence);
  const best = withoutPreamble(found, said);
  const {marks, records: {rows}, skip} = best;
  if (skip > 0 && said.skip === undefined) evidence.push({rule: 'skipped_lines', detail: `left out before the ${rows.length > 0 ? 'first record' : 'end'}: '${text.split(/\r\n|\n|\r/, skip).join("', '").slice(0, 200)}'`, count: skip, ...(best === found ? {} : {ambiguous: true})});
  const header = said.header ?? inferHeader(rows, evidence);
  const first = rows[0] ?? [];
  return {
    ...marks, header, skip, newline, evidence, problem: problemOf(best, said),
    names: header ? first.map(name => (name ?? '').trim()) : first.map(() => ''),
  };
}

function newlineOf(text: string): TextDialect['newline'] {
  const at = text.search(/[\r\n]/);
  if (at < 0 || text[at] === '\n') return 'lf';
  return text[at + 1] === '\n' ? 'crlf' : 'cr';
}

function bestTrial(text: string, whole: boolean, said: SaidOfText, evidence: Evidence[]): Trial {
  const trials: Trial[] = [];
  const quotes = said.quote === undefined ? ['"', "'"] : [said.quote];
  for (const quote of quotes) {
    const escapes = said.escape !== undefined ? [said.escape] : quote !== '' && text.includes(`\\${quote}`) ? [quote, '\\'] : [quote];
    for (const escape of escapes) {
      for (const delimiter of said.delimiter === undefined ? delimiters : [said.delimiter]) trials.push(trial(text, whole, {delimiter, quote, escape}, said.skip));
    }
  }
  const quoted = trials.filter(({marks, records}) => marks.quote !== "'" || said.quote !== undefined || (records.quotedFields > 0 && records.errors === 0));
  const better = (a: Trial, b: Trial): number =>
    Number(b.records.errors === 0) - Number(a.records.errors === 0)
    || Number(isTable(b)) - Number(isTable(a))
    || b.share * Number(b.width > 1) - a.share * Number(a.width > 1)
    || a.skip - b.skip
    || Number(b.records.quotedFields > 0) - Number(a.records.quotedFields > 0)
    || a.strays - b.strays
    || b.width - a.width;
  const [best, ...others] = quoted.sort(better) as [Trial, ...Trial[]];
  const {delimiter, quote, escape} = best.marks;
  const rival = others.find(other => other.marks.delimiter !== delimiter && other.marks.quote === quote && isTable(other) && other.skip === best.skip && other.records.errors === 0);
  const open = said.delimiter === undefined && isTable(best) && rival !== undefined;
  evidence.push({rule: 'delimiter', count: best.records.rows.length, ...(open ? {ambiguous: true} : {}), detail: said.delimiter !== undefined ? `'${delimiter}', as was said`
    : best.width <= 1 ? 'none: lines are one field each'
      : `${names[delimiter]}: ${best.share === 1 ? 'every record' : `${Math.floor(best.share * 100)} % of the records`} looked at ${best.share === 1 ? 'has' : 'have'} ${best.width} fields${open ? `; with a ${names[rival!.marks.delimiter]} each has ${rival!.width}` : ''}`});
  if (best.records.quotedFields > 0) evidence.push({rule: 'quote', detail: `fields are quoted with ${quote}${escape === quote ? ', doubled within' : `, ${escape} before one within`}`, count: best.records.quotedFields});
  return best;
}

/** Every record has as many fields, and more than one. */
const isTable = ({width, share, records}: Trial): boolean => width > 1 && share === 1 && records.errors === 0;

function strays({delimiter}: Marks, {rows}: Records): number {
  const others = delimiters.filter(other => other !== delimiter);
  return rows.reduce((sum, row) => sum + row.filter(field => field !== null && others.some(other => field.includes(other))).length, 0);
}

function trial(text: string, whole: boolean, marks: Marks, said: number | undefined): Trial {
  const from = (skip: number): Records => readRecords(afterLines(text, skip), marks, whole);
  if (said !== undefined) return measured(marks, from(said), said);
  const commented = text.split(/\r\n|\n|\r/, 100).findIndex(line => line.trim() !== '' && !line.startsWith('#'));
  // Blank lines are no records anyway; they count as left out only with comments between them.
  const comments = /^(?:\s*[\r\n])?#/.test(text) ? Math.max(0, commented) : 0;
  const plain = measured(marks, from(comments), comments);
  if (plain.width <= 1 || plain.share === 1 || plain.records.rows.length < 3) return plain;
  // A title above the header: lines without any delimiter before those that all have as many.
  const titles = plain.records.rows.findIndex(row => row.length > 1);
  if (titles < 1 || titles > 20) return plain;
  const skip = comments + plain.records.lines[titles]! - 1;
  const titled = measured(marks, from(skip), skip);
  return titled.share === 1 && titled.width > 1 ? titled : plain;
}

/** Records at the beginning, at most, that may be something else than names and values. */
const longestPreamble = 20;

/**
 * Without the records above a header that are a title or notes: they have nothing past their first field, or fewer fields than all others
 * have. Only where types tell that the header is one.
 */
function withoutPreamble(found: Trial, said: SaidOfText): Trial {
  const {marks, records, skip, width} = found;
  if (said.skip !== undefined || said.header === false || width < 2) return found;
  const isAside = (row: readonly (string | null)[]): boolean => row.length < width || (row[0] !== null && row.slice(1).every(field => field === null));
  const count = records.rows.findIndex(row => !isAside(row));
  const [head, ...body] = records.rows.slice(count, count + 1 + compared);
  if (count < 1 || count > longestPreamble || !looksLikeNames(head!) || records.rows.slice(0, count).flat().some(field => /[\r\n]/.test(field ?? ''))) return found;
  const {names, values} = typeVotes(head!, body);
  if (names === 0 || values > 0) return found;
  const rest = {...records, rows: records.rows.slice(count), lines: records.lines.slice(count).map(line => line - records.lines[count]! + 1)};
  return measured(marks, rest, skip + records.lines[count]! - 1);
}

function measured(marks: Marks, records: Records, skip: number): Trial {
  const widths = new Map<number, number>();
  for (const row of records.rows) widths.set(row.length, (widths.get(row.length) ?? 0) + 1);
  let width = 0;
  let count = 0;
  for (const [one, times] of widths) if (times > count || (times === count && one > width)) [width, count] = [one, times];
  return {marks, records, skip, width, share: records.rows.length === 0 ? 0 : count / records.rows.length, strays: strays(marks, records)};
}

/**
 * Whether the first record is names. It is where a name is none of its column's type. Where all columns are text it is, unless a name is
 * missing, comes twice, comes again as a value, or is written as all values of its column are, and none otherwise: values taken for names
 * would be lost, names taken for values are there to be seen.
 */
function inferHeader(rows: Records['rows'], evidence: Evidence[]): boolean {
  const [first, ...rest] = rows;
  if (!first) return false;
  const body = rest.slice(0, compared);
  const {names, values} = typeVotes(first, body);
  if (names > 0) {
    evidence.push({rule: 'header', detail: `the first record is names: ${names === 1 ? 'one is' : `${names} are`} no value of ${names === 1 ? 'its column' : 'their columns'}`, count: names});
    return true;
  }
  if (values > 0) {
    evidence.push({rule: 'header', detail: 'there are no names: the first record is values like the others', count: values});
    return false;
  }
  const again = first.some((name, index) => name !== null && body.some(row => row[index] === name));
  const shapes = again ? [] : first.flatMap((name, index) => (name === null ? [] : [shapeVote(name, column(body, index))]));
  const alike = shapes.includes('alike') && !shapes.includes('unlike') ? first[shapes.indexOf('alike')]! : null;
  const header = looksLikeNames(first) && !again && alike === null;
  evidence.push({
    rule: 'header', count: null, ambiguous: true,
    detail: header ? 'the first record is taken for names: no type tells it from the others'
      : alike === null ? 'the first record is taken for values: it is like the others' : `the first record is taken for values: '${alike.slice(0, 40)}' is written as all others of its column are`,
  });
  return header;
}

const column = (body: Records['rows'], index: number): string[] => body.flatMap(row => (typeof row[index] === 'string' && row[index] !== '' ? [row[index]] : []));

/** How many fields of a record are no values of their columns' types, and how many are; text tells nothing. */
function typeVotes(first: readonly (string | null)[], body: Records['rows']): {names: number; values: number} {
  let names = 0;
  let values = 0;
  first.forEach((name, index) => {
    const {reading} = inferColumn(column(body, index));
    if (reading.type === 'utf8' || name === null || isNullWord(name)) return;
    if (fits(name, reading)) values++;
    else names++;
  });
  return {names, values};
}

/** All there, all different, none like a number. */
function looksLikeNames(record: readonly (string | null)[]): boolean {
  const given = record.map(name => (name ?? '').trim());
  return given.every(name => name !== '' && !/^[-+]?[\d.]/.test(name) && name.length <= 100) && new Set(given).size === given.length;
}

/** Fewer values than these have a shape by chance. */
const fewest = 3;

/** Whether a text is written as all values of a column are, where these are all written alike. */
function shapeVote(name: string, values: readonly string[]): 'alike' | 'unlike' | null {
  if (values.length < fewest) return null;
  for (const shapeOf of [shape, codeShape]) {
    const common = shapeOf(values[0]!);
    if (common !== null && values.every(value => shapeOf(value) === common)) return shapeOf(name) === common ? 'alike' : 'unlike';
  }
  const begins = shape(values[0]!)[0];
  return values.every(value => shape(value)[0] === begins) && shape(name)[0] !== begins ? 'unlike' : null;
}

/** `AB-12` is `AA-99`. */
const shape = (text: string): string => text.replace(/\p{Lu}/gu, 'A').replace(/[\p{Ll}\p{Lo}]/gu, 'a').replace(/\p{Nd}/gu, '9');

/** The same without lengths, `A-9`; only of codes: words have no other shape than words. */
function codeShape(text: string): string | null {
  const runs = shape(text).replace(/A+/g, 'A').replace(/a+/g, 'a').replace(/9+/g, '9');
  return runs.includes('9') && !runs.includes(' ') ? runs : null;
}

function problemOf({records, width, share, marks, skip}: Trial, said: SaidOfText): string | null {
  const {rows, lines} = records;
  if (rows.length === 0) return null;
  if (said.delimiter === undefined && width <= 1) {
    const [only] = rows[0]!;
    if (typeof only === 'string' && /[,;\t|]/.test(only) && records.quotedFields === 0) return `its lines have different numbers of fields: not all have those of '${only.slice(0, 60)}'`;
  }
  if (share < 1) {
    const odd = rows.flatMap((row, index) => (row.length === width ? [] : [`line ${lines[index]! + skip} has ${row.length}`]));
    return `its lines have different numbers of fields: most have ${width} by '${marks.delimiter === '\t' ? '\\t' : marks.delimiter}', but ${odd.slice(0, 5).join(', ')}${odd.length > 5 ? ` and ${odd.length - 5} more` : ''}`;
  }
  return null;
}
