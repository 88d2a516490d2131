import {inferColumn, provenOrder} from '../../../schemas/detection/infer-column.ts';
import type {Guess, Hints, Reading} from '../../../schemas/detection/infer-column.ts';
import type {ColumnEvidence, Evidence, Rule} from '../../../schemas/detection/detection.ts';
import {parseTypeName} from '../../../schemas/parse-type.ts';
import {legalNames} from '../../../schemas/names.ts';
import type {ColumnProfile, Schema} from '../../../schemas/schema.ts';
import {MillraceError} from '../../../core/errors.ts';
import {decimalDigits} from '../cells.ts';
import type {Lease} from '../database.ts';
import {sourceUnreadable} from '../failures.ts';
import type {RawColumn, RawFiles} from '../../engine.ts';
import {histogramOf} from './histogram.ts';
import {scanned} from './scan.ts';
import type {Claim, Finding} from './scan.ts';

/** A column of texts on its way to a type. */
export interface TextColumn {
  /** As the file has it, made unique. */
  readonly name: string;
  /** In the relation of texts. */
  readonly column: string;
  /** The texts of a sample; fields with nothing in them are left out. */
  readonly sample: readonly string[];
  /** Evidence of what came before: its name. */
  readonly evidence: readonly Evidence[];
  /** Nothing is inferred: it has to be this. */
  readonly said?: Reading;
  /** Strings of JSON. */
  readonly strings?: boolean;
}

/** Of a column nothing of whose values is known. */
export const nothingFound: Finding = {rows: 0, empty: 0, emptyTexts: 0, words: 0, bad: 0, badTexts: [], distinct: 0, min: null, max: null};

export interface ProvenColumn {
  readonly raw: RawColumn;
  readonly finding: Finding;
  readonly evidence: readonly Evidence[];
}

/** Rounds of proposing and proving after which what is not proven is text. */
const rounds = 4;
const examples = 3;
const longest = 200;

/** What the samples say of each column. */
export function guessed(columns: readonly TextColumn[], raw: RawFiles) {
  const {nulls} = raw.options;
  const isSaid = new Set(nulls ?? []);
  const samples = columns.map(({sample}) => sample.filter(value => !isSaid.has(value)));
  const hints: Hints = {dateFormat: raw.options.dateFormat, timestampFormat: raw.options.timestampFormat, ...(nulls ? {nulls} : {})};
  const hintsOf = (index: number): Hints => (columns[index]!.strings ? {...hints, strings: true} : hints);
  const first = samples.map((sample, index) => inferColumn(sample, hintsOf(index)));
  // Day and month in the order that another column proves.
  const order = provenOrder(first);
  const guesses = columns.map(({said}, index): Guess => (said ? {reading: said, evidence: []} : order && first[index]!.nearly?.format ? inferColumn(samples[index]!, {...hintsOf(index), order}) : first[index]!));
  return {guesses, samples, hintsOf, order};
}

/**
 * The narrowest reading of each column that all of its texts have. The sample proposes, a scan of everything proves; texts that a
 * proposal did not know join the sample, and it proposes again.
 */
export async function proveColumns(lease: Lease, relation: string, columns: readonly TextColumn[], raw: RawFiles): Promise<ProvenColumn[]> {
  const {nulls} = raw.options;
  const {guesses, samples, hintsOf, order} = guessed(columns, raw);
  const proven: ProvenColumn[] = [];
  let open = columns.map((_, index) => index);
  for (let round = 0; open.length > 0; round++) {
    const claims = open.map((index): Claim => ({column: columns[index]!.column, said: columns[index]!.said !== undefined, ...withNulls(guesses[index]!, nulls)}));
    const findings = await scanned(lease, relation, claims);
    const again: number[] = [];
    open.forEach((index, place) => {
      const {name, said, evidence} = columns[index]!;
      const [claim, finding] = [claims[place]!, findings[place]!];
      if (claim.reading.type === 'utf8' || finding.bad === 0 || (said && raw.options.lenient)) {
        const reading = narrowed(claim.reading, finding, said !== undefined);
        proven[index] = {raw: {name, ...reading}, finding, evidence: [...evidence, ...counted(guesses[index]!, finding), ...seen(reading, finding), ...quoteInside(columns[index]!, reading, finding)]};
        return;
      }
      if (said) throw sourceUnreadable(`the column '${name}' is said to be ${said.type}, but ${finding.bad} ${finding.bad === 1 ? 'value is' : 'values are'} not exactly that, for example '${finding.badTexts[0]!.slice(0, 60)}'`, raw);
      samples[index] = [...samples[index]!, ...finding.badTexts];
      const next = inferColumn(samples[index]!, {...hintsOf(index), order});
      guesses[index] = round + 2 < rounds && !same(next.reading, claim.reading) ? next : {
        reading: {type: 'utf8'}, nearly: claim.reading,
        evidence: [{rule: 'mixed_types', detail: `most values are ${claim.reading.type}, some are not exactly that, as '${finding.badTexts[0]!.slice(0, 40)}': all are kept as text`, count: finding.bad, ambiguous: true}],
      };
      again.push(index);
    });
    open = again;
  }
  return proven;
}

const same = (a: Reading, b: Reading): boolean => a.type === b.type && a.format === b.format && String(a.nulls) === String(b.nulls) && String(a.booleans) === String(b.booleans);

export const withNulls = ({reading, nearly}: Guess, nulls: readonly string[] = []): Pick<Claim, 'reading' | 'nearly'> => {
  const add = (one: Reading): Reading => (nulls.length === 0 ? one : {...one, nulls: [...new Set([...(one.nulls ?? []), ...nulls])]});
  return {reading: add(reading), ...(nearly ? {nearly: add(nearly)} : {})};
};

/** With the type that the bounds of all values need, and without words that none of them is. */
function narrowed({nulls, ...reading}: Reading, {words, min, max}: Finding, said: boolean): Reading {
  const kept = words > 0 && nulls?.length ? {nulls: reading.type === 'utf8' ? nulls : [...new Set(['', ...nulls])]} : words > 0 && reading.type !== 'utf8' ? {nulls: ['']} : {};
  if (said || min === null || max === null) return {...reading, ...kept};
  if (reading.type === 'int64') return {...reading, type: fits(32, min) && fits(32, max) ? 'int32' : 'int64', ...kept};
  if (!reading.type.startsWith('decimal')) return {...reading, ...kept};
  const [, scale] = decimalDigits(reading.type);
  const whole = Math.max(...[min, max].map(bound => bound.replace(/^-|\..*$/g, '').replace(/^0$/, '').length));
  return {...reading, type: `decimal(${whole + scale <= 18 ? 18 : 38},${scale})`, ...kept};
}

/** With the type that the bounds of a sample need: those of all values may need a wider one. */
export function narrowest(reading: Reading, sample: readonly string[]): Reading {
  const isWhole = reading.type === 'int64';
  if (!isWhole && !reading.type.startsWith('decimal')) return reading;
  const values = sample.filter(value => !reading.nulls?.includes(value)).map(value => value.trim().replace(/^\+/, '')).filter(value => value !== '');
  const weight = (value: string): number => value.replace(/^-|\..*$/g, '').length;
  const longest = values.reduce((one, other) => (weight(other) > weight(one) ? other : one), '0');
  // All of the greatest length count: 9999999999 and 1000000000 differ in what they need.
  const bounds = isWhole ? values.filter(value => weight(value) === weight(longest)).map(BigInt).sort((a, b) => (a < b ? -1 : Number(a > b))).map(String) : [longest];
  return narrowed(reading, {...nothingFound, words: reading.nulls?.length ?? 0, min: bounds[0] ?? null, max: bounds.at(-1) ?? null}, false);
}

export const fits = (bits: number, value: string): boolean => BigInt.asIntN(bits, BigInt(value)) === BigInt(value);

/** These concern every value of their column. */
const ofAllValues: ReadonlySet<Rule> = new Set(['boolean_words', 'zero_one', 'date_format', 'two_digit_years', 'ambiguous_dates', 'digits_as_date', 'formatted_number']);

/** Evidence of the sample with the counts of all rows, where the scan took them. */
function counted({evidence, reading, nearly}: Guess, {rows, empty, words, bad}: Finding): Evidence[] {
  return evidence.map(item => {
    if (ofAllValues.has(item.rule)) return {...item, count: rows - empty - words};
    if (item.rule === 'null_words' && reading.type !== 'utf8') return {...item, count: words};
    if (nearly && (item.rule === 'mixed_types' || item.rule === 'leading_zeros')) return {...item, count: bad};
    return item;
  });
}

function seen(reading: Reading, {emptyTexts, words, min, max}: Finding): Evidence[] {
  const evidence: Evidence[] = [];
  if (reading.type === 'utf8' && emptyTexts > 0) evidence.push({rule: 'empty_texts', detail: "'' in quotes is a text of no characters, not null", count: emptyTexts});
  if (reading.type === 'int64') evidence.push({rule: 'wide_integer', detail: `${min} to ${max} needs more than 32 bits`, count: null});
  if (reading.type !== 'utf8' && reading.nulls?.length === 1 && reading.nulls[0] === '' && words > 0) evidence.push({rule: 'null_words', detail: `'' in quotes among values of type ${reading.type} is null`, count: words});
  return evidence;
}

/** A quote after spaces is a character like others to a reader of delimited text; where the beginning of a file has them, its source left them out. */
const quoteInside = ({strings}: TextColumn, {type}: Reading, {min}: Finding): Evidence[] =>
  type === 'utf8' && !strings && min !== null && /^ +"/.test(min) ? [{rule: 'quote', detail: `spaces before a quote, as in '${min.slice(0, 40)}': both are kept as characters of the value`, count: null, ambiguous: true}] : [];

/** Legal names, types and profiles of proven columns. */
export function described(columns: readonly ProvenColumn[], samples: readonly (readonly string[])[]): {schema: Schema; profile: ColumnProfile[]; evidence: ColumnEvidence[]} {
  const names = legalNames(columns.map(({raw}) => raw.name));
  const mapped = (name: string, source: string): Evidence[] => (name === source ? [] : [{rule: 'name_mapped', detail: `'${source}' is ${name} here`, count: null}]);
  return {
    schema: {
      fields: columns.map(({raw, finding}, index) => ({
        id: 0, name: names[index]!, ...(names[index] === raw.name ? {} : {sourceName: raw.name}), type: typeOf(raw.type), nullable: finding.rows === 0 || finding.empty + finding.words > 0,
      })),
    },
    profile: columns.map(({raw, finding}, index) => {
      const values = samples[index]!.filter(value => !(raw.nulls ?? []).includes(value)).map(value => (raw.type === 'utf8' ? value : value.trim()));
      return {
        name: names[index]!, nulls: finding.empty + finding.words, distinct: finding.distinct, min: finding.min, max: finding.max,
        examples: [...new Set(values.map(value => value.slice(0, longest)))].slice(0, examples), histogram: histogramOf(raw.format === undefined ? values : [], raw.type),
      };
    }),
    evidence: columns.map(({raw, evidence}, index) => ({column: names[index]!, evidence: [...mapped(names[index]!, raw.name), ...evidence]})),
  };
}

export function typeOf(name: string) {
  const type = parseTypeName(name);
  if (!type) throw new MillraceError('ARGUMENT_INVALID', {name: 'types', reason: `'${name}' is no type; for example int64, utf8, decimal(18,2).`});
  return type;
}
