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
  /** Texts that are no value of the reading (of `nearly`, for a text column); some of them. */
  readonly bad: number;
  readonly badTexts: readonly string[];
  readonly distinct: number;
  readonly min: string | null;
  readonly max: string | null;
}

/** Proves the claims by one scan of the texts (one for each hundred columns). */
export async function scanned(lease: Lease, relation: string, claims: readonly Claim[]): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (let from = 0; from < Math.max(1, claims.length); from += columnsPerScan) findings.push(...(await scanSome(lease, relation, claims.slice(from, from + columnsPerScan))));
  return findings;
}

async function scanSome(lease: Lease, relation: string, claims: readonly Claim[]): Promise<Finding[]> {
  const tried: string[] = [];
  const states: string[] = [];
  const measures: string[] = ['count(*) AS n'];
  claims.forEach(({column, reading, nearly, said}, index) => {
    const checked = reading.type === 'utf8' ? nearly : reading;
    const [text, value, state] = [`t${index}`, `v${index}`, `s${index}`];
    tried.push(`${column} AS ${text}`);
    states.push(text);
    const profiled = reading.type === 'utf8' ? (reading.nulls?.length ? `CASE WHEN ${isNullWord(text, reading.nulls)} THEN NULL ELSE ${text} END` : text) : `CASE WHEN ${state} = 0 THEN ${value} END`;
    if (checked) {
      // A text is a value (0), a word for null (1) or neither (2).
      tried.push(`${triedValue(column, checked)} AS ${value}`);
      const nulls = [...new Set(['', ...(checked.nulls ?? [])])];
      states.push(value, `CASE WHEN ${text} IS NULL THEN NULL WHEN ${value} IS NOT NULL AND (${said ? allowed(text, checked) : plainlyExact(text, value, checked)}) THEN 0 WHEN ${isNullWord(text, nulls)} THEN 1 WHEN ${value} IS NULL THEN 2 WHEN ${said ? 'false' : exact(text, value, checked)} THEN 0 ELSE 2 END AS ${state}`);
      measures.push(`count(*) FILTER (${state} = 1) AS w${index}`, `count(*) FILTER (${state} = 2) AS b${index}`, `min(${text}, ${shown}) FILTER (${state} = 2) AS x${index}`, `max(${text}, ${shown}) FILTER (${state} = 2) AS y${index}`);
    }
    if (reading.type === 'utf8') measures.push(`count(*) FILTER (${text} = '') AS z${index}`);
    const bound = (of: string): string => (reading.type === 'utf8' ? `left(${of}(${profiled}), ${longest})` : `CAST(${of}(${profiled}) AS VARCHAR)`);
    measures.push(`count(${text}) AS p${index}`, `count(${profiled}) AS q${index}`, `approx_count_distinct(${profiled}) AS d${index}`, `${bound('min')} AS l${index}`, `${bound('max')} AS h${index}`);
  });
  const sql = claims.length === 0 ? `SELECT count(*) AS n FROM ${relation}`
    : `SELECT ${measures.join(', ')} FROM (SELECT ${states.join(', ')} FROM (SELECT ${tried.join(', ')} FROM ${relation}))`;
  const row = (await lease.connection.runAndReadAll(sql)).getRowObjectsJson()[0]!;
  const number = (name: string): number => Number(row[name] ?? 0);
  const text = (name: string): string | null => (row[name] === null || row[name] === undefined ? null : String(row[name]));
  return claims.map(({reading}, index) => {
    const present = number(`q${index}`);
    return {
      rows: number('n'),
      empty: number('n') - number(`p${index}`),
      emptyTexts: number(`z${index}`),
      words: reading.type === 'utf8' ? number(`p${index}`) - present : number(`w${index}`),
      bad: number(`b${index}`),
      badTexts: [...new Set([...((row[`x${index}`] as string[] | null) ?? []), ...((row[`y${index}`] as string[] | null) ?? [])])],
      distinct: Math.min(number(`d${index}`), present),
      min: text(`l${index}`),
      max: text(`h${index}`),
    };
  });
}
