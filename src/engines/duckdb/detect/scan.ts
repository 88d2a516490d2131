import type {Reading} from '../../../schemas/detection/infer-column.ts';
import type {Lease} from '../database.ts';
import {allowed, exact, isNullWord, plainlyExact, triedValue} from '../cells.ts';

/** Columns a scan: a statement over thousands of aggregates takes longer to plan than to run. */
const columnsPerScan = 100;
/** Characters of a bound. */
const longest = 200;
/** Texts that are no value of their column's reading, from each end of their order. */
const shown = 10;

/** What is to be proven of one column of texts. */
export interface Claim {
  /** The column of the relation. */
  readonly column: string;
  /** Its profile is of these values. */
  readonly reading: Reading;
  /** For a text column: counted beside it. */
  readonly nearly?: Reading;
  /** The user said it. */
  readonly said?: boolean;
}

/** What is true of all rows. */
export interface Finding {
  readonly rows: number;
  /** Fields with nothing in them. */
  readonly empty: number;
  /** Texts of no characters, in quotes. */
  readonly emptyTexts: number;
  /** Words that are null. */
  readonly words: number;
  /** Texts that are no value of the reading (of `nearly`, for a text column). */
  readonly bad: number;
  /** Some of them, unless the column is text. */
  readonly badTexts: readonly string[];
  readonly distinct: number;
  readonly min: string | null;
  readonly max: string | null;
}

/** Proves the claims by one scan of the texts (one for each hundred columns). */
export async function scanned(lease: Lease, relation: string, claims: readonly Claim[]): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (let from = 0; from < claims.length; from += columnsPerScan) findings.push(...(await scanSome(lease, relation, claims.slice(from, from + columnsPerScan))));
  return findings;
}

async function scanSome(lease: Lease, relation: string, claims: readonly Claim[]): Promise<Finding[]> {
  const tried: string[] = [];
  const values: string[] = [];
  const measures: string[] = ['count(*) AS n'];
  claims.forEach((claim, index) => {
    const {column, reading} = claim;
    const checked = checkedOf(claim);
    const [text, value, proven] = [`t${index}`, `v${index}`, `p${index}`];
    tried.push(`${column} AS ${text}`);
    values.push(text);
    if (checked) tried.push(`${triedValue(column, checked)} AS ${value}`);
    if (reading.type === 'utf8') values.push(`${reading.nulls?.length ? `CASE WHEN ${isNullWord(text, reading.nulls)} THEN NULL ELSE ${text} END` : text} AS ${proven}`);
    else values.push(`CASE ${valueCase(claim, index)} END AS ${proven}`);
    // Words for null and texts that are no value are told apart only where there are both, or neither would be known.
    if (checked && (checked.nulls?.length || reading.type === 'utf8')) {
      measures.push(`${badCount(claim, index)} AS b${index}`);
      values.push(value);
    }
    const bound = (of: string): string => (reading.type === 'utf8' ? `left(${of}(${proven}), ${longest})` : `CAST(${of}(${proven}) AS VARCHAR)`);
    const distinct = reading.type === 'bool' ? `CASE WHEN min(${proven}) = max(${proven}) THEN 1 ELSE 2 END` : `approx_count_distinct(${proven})`;
    measures.push(`count(${text}) AS c${index}`, `count(${proven}) AS q${index}`, `${distinct} AS d${index}`, `${bound('min')} AS l${index}`, `${bound('max')} AS h${index}`);
  });
  const texts = `(SELECT ${tried.join(', ')} FROM ${relation})`;
  const row = await first(lease, `SELECT ${measures.join(', ')} FROM (SELECT ${values.join(', ')} FROM ${texts})`);
  const number = (name: string): number => Number(row[name] ?? 0);
  const text = (name: string): string | null => (row[name] === null || row[name] === undefined ? null : String(row[name]));
  // What is seldom there is looked at only where it is.
  const rest = claims.flatMap((claim, index) => {
    // A text column has its exceptions from the sample.
    const odd = claim.reading.type === 'utf8' ? false : row[`b${index}`] === undefined ? number(`c${index}`) > number(`q${index}`) : number(`b${index}`) > 0;
    const some = (of: string, as: string): string => `${of}(t${index}, ${shown}) FILTER (${isBad(claim, index)}) AS ${as}${index}`;
    return [
      ...(odd ? [`${badCount(claim, index)} AS b${index}`, some('min', 'x'), some('max', 'y')] : []),
      ...(claim.reading.type === 'utf8' && text(`l${index}`) === '' ? [`count(*) FILTER (t${index} = '') AS z${index}`] : []),
    ];
  });
  if (rest.length > 0) Object.assign(row, await first(lease, `SELECT ${rest.join(', ')} FROM ${texts}`));
  return claims.map(({reading}, index) => {
    const [given, present, bad] = [number(`c${index}`), number(`q${index}`), number(`b${index}`)];
    return {
      rows: number('n'),
      empty: number('n') - given,
      emptyTexts: number(`z${index}`),
      words: given - present - (reading.type === 'utf8' ? 0 : bad),
      bad,
      badTexts: [...new Set([...((row[`x${index}`] as string[] | undefined) ?? []), ...((row[`y${index}`] as string[] | undefined) ?? [])])],
      distinct: Math.min(number(`d${index}`), present),
      min: text(`l${index}`),
      max: text(`h${index}`),
    };
  });
}

/** Branches of a CASE: most texts are values by the first, the others are words for null or have to be looked at closely. */
function valueCase(claim: Claim, index: number, value = `v${index}`): string {
  const {said} = claim;
  const checked = checkedOf(claim)!;
  const [text, tried] = [`t${index}`, `v${index}`];
  const plainly = said ? allowed(text, checked) : plainlyExact(text, tried, checked);
  // A word that the user said is null may look like a value (-999).
  const first = checked.nulls?.some(word => word !== '') ? `WHEN ${isNullWord(text, checked.nulls)} THEN NULL ` : '';
  return `${first}WHEN ${tried} IS NOT NULL AND (${plainly}) THEN ${value} WHEN ${text} IS NULL OR ${tried} IS NULL OR ${isNullWord(text, nullsOf(checked))} THEN NULL${said ? '' : ` WHEN ${exact(text, tried, checked)} THEN ${value}`}`;
}

const nullsOf = ({nulls = []}: Reading): string[] => [...new Set(['', ...nulls])];

/** Neither a value nor a word for null. */
const isBad = (claim: Claim, index: number): string => `t${index} IS NOT NULL AND NOT (${isNullWord(`t${index}`, nullsOf(checkedOf(claim)!))}) AND (CASE ${valueCase(claim, index, 'true')} END) IS NULL`;

const badCount = (claim: Claim, index: number): string => `count(*) FILTER (${isBad(claim, index)})`;

/** The reading that texts are tried against. */
const checkedOf = ({reading, nearly}: Claim): Reading | undefined => (reading.type === 'utf8' ? nearly : reading);

async function first(lease: Lease, sql: string): Promise<Record<string, unknown>> {
  return (await lease.connection.runAndReadAll(sql)).getRowObjectsJson()[0]!;
}
