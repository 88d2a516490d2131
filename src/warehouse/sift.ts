import {MillraceError} from '../core/errors.ts';
import type {Engine, Relation, StagedFile, Table} from '../engines/engine.ts';
import {identifier, literal} from '../engines/sql-text.ts';
import type {Contract, Fate} from '../schemas/contract.ts';
import {markFields, ownFields} from '../schemas/quarantine.ts';
import type {Schema} from '../schemas/schema.ts';
import {rowRules} from './row-rules.ts';
import type {Referenced, RowRule} from './row-rules.ts';
import type {Finding} from './warehouse.ts';

/** What becomes of staged rows. */
export interface Sifting {
  readonly findings: readonly Finding[];
  readonly read: number;
  readonly quarantined: number;
  readonly dropped: number;
  /** Null: the staged files are kept as they are. */
  readonly queries: {
    /** The rows to keep, in their order. */
    readonly kept: string;
    /** `position` (from 0, in staging order) and `quarantine_reasons` of each row to keep aside, and its columns. */
    readonly bad: string;
    readonly relations: Readonly<Record<string, Relation>>;
  } | null;
}

const [reasons, raw, line] = markFields.map(one => identifier(one.name)) as [string, string, string];

/** Staged files as a relation whose `_row_id` is the position. */
export function stagedTable(files: readonly StagedFile[], schema: Schema): Table {
  let first = 0;
  return {
    kind: 'table', schema, uniform: true, rowIds: true,
    files: files.map(({path, rowCount, bytes}) => {
      const firstRowId = first;
      first += rowCount;
      return {path, rowCount, bytes, firstRowId, rowIds: 'positional' as const};
    }),
  };
}

/**
 * Looks at staged rows with the eyes of a contract. Where nothing is bad that costs one scan of the columns that are checked and, for
 * each uniqueness that does not fail the commit, one hash table of its columns.
 *
 * Of rows that are equal where they must not be, the first that breaks nothing else is kept; rows that are there already count as first.
 *
 * @param input.staged with `_row_id`; its schema may have `markFields`
 * @param input.before what the rows are appended to
 * @throws CONTRACT_INVALID, CHECK_FAILED (a check that fails the commit), CHECK_BROKEN (its SQL fails)
 */
export async function siftRows(input: {
  dataset: string; contract: Contract; staged: Table; before: Table | null; engine: Engine; referenced: Referenced; signal?: AbortSignal;
}): Promise<Sifting> {
  const {dataset, contract, staged, before, engine, signal} = input;
  const isMarked = staged.schema.fields.some(one => one.name === markFields[0]!.name);
  const own = ownFields(staged.schema);
  const {rules: checked, relations: keys} = await rowRules(dataset, contract, {fields: own}, engine, input.referenced);
  const rules: readonly RowRule[] = isMarked ? [...misread(contract), ...checked] : checked;
  const read = staged.files.reduce((sum, file) => sum + file.rowCount, 0);
  const nothing: Sifting = {findings: [], read, quarantined: 0, dropped: 0, queries: null};
  if (rules.length === 0 || (read === 0 && !isMarked)) return nothing;

  const relations = {this: staged, ...keys, ...(before ? {before} : {})};
  const row = async (sql: string) => (await engine.rows({sql, relations}, {signal}))[0]!;
  const run = async (sql: string, one: (rule: RowRule) => string) => {
    try {
      return await row(sql);
    } catch (error) {
      throw (await culprit(rules, rule => row(one(rule)), dataset)) ?? error;
    }
  };

  const local = rules.flatMap((rule, index) => (rule.broken === null ? [] : [`count(*) FILTER ((${rule.broken})) AS n${index}`]));
  const repeated = rules.flatMap((rule, index) => (rule.unique ? [`(${extraRows(rule.unique, before !== null)}) AS n${index}`] : []));
  const first = await run(
    `SELECT ${[...(local.length > 0 ? ['counted.*'] : []), ...repeated].join(', ')} ${local.length > 0 ? `FROM (SELECT ${local.join(', ')} FROM this) AS counted` : ''}`,
    rule => (rule.broken === null ? 'SELECT 1' : `SELECT count(*) FILTER ((${rule.broken})) FROM this`),
  );
  // Marked files are written anew in any case, without the marks.
  if (!isMarked && rules.every((_, index) => Number(first[`n${index}`]) === 0)) return nothing;

  const marked = markedSql(rules, before !== null);
  const found = await row(`${marked} SELECT ${[
    ...rules.map((_, index) => `count(*) FILTER (b${index}) AS n${index}`), ...rules.map((rule, index) => `min_by(${rule.example}, _row_id) FILTER (b${index}) AS e${index}`),
    'count(*) FILTER (aside) AS quarantined', 'count(*) FILTER (gone AND NOT aside) AS dropped',
  ].join(', ')} FROM marked`);
  const findings = rules.map((rule, index): Finding => ({
    says: rule.says, fate: rule.severity === 'warn' ? 'warn' : rule.fate, rows: Number(found[`n${index}`]), example: shorten(String(found[`e${index}`] ?? '')),
  })).filter(finding => finding.rows! > 0);
  const failed = findings.filter(finding => finding.fate === 'fail');
  if (failed.length > 0) {
    throw new MillraceError('CHECK_FAILED', {dataset, checks: failed.map(({rows, says, example}) => `${rows} row${rows === 1 ? ' breaks' : 's break'} '${says}' (for example ${example})`).join('; ')});
  }
  const changes = isMarked || findings.some(finding => finding.fate !== 'warn');
  if (!changes) return {...nothing, findings};

  const emptying = (name: string): string => {
    const empties = rules.flatMap((rule, index) => (rule.severity === 'error' && rule.fate === 'null_value' && rule.empties === name ? [`b${index}`] : []));
    return empties.length === 0 ? identifier(name) : `CASE WHEN NOT (${empties.join(' OR ')}) THEN ${identifier(name)} END AS ${identifier(name)}`;
  };
  const broken = rules.flatMap((rule, index) => (rule.severity === 'warn' || (isMarked && index < 2) ? [] : [`CASE WHEN b${index} THEN ${literal(rule.says)} END`]));
  const list = `list_filter([${broken.join(', ')}]::VARCHAR[], lambda one: one IS NOT NULL)`;
  const columns = own.map(one => identifier(one.name));
  const rest = markFields.slice(1).map(one => (isMarked ? identifier(one.name) : `NULL AS ${identifier(one.name)}`));
  return {
    findings, read, quarantined: Number(found.quarantined), dropped: Number(found.dropped),
    queries: {
      // A join may deliver in another order than it reads.
      kept: `${marked} SELECT ${own.map(one => emptying(one.name)).join(', ')} FROM marked WHERE NOT gone${rules.some(rule => rule.unique) ? ' ORDER BY _row_id' : ''}`,
      bad: `${marked} SELECT ${columns.join(', ')}, ${isMarked ? `coalesce(${reasons}, []) || ${list}` : list} AS ${reasons}, ${rest.join(', ')}, _row_id AS position FROM marked WHERE aside ORDER BY _row_id`,
      relations,
    },
  };
}

/** Rows that the step itself found to be bad. A value that cannot be read is null already; a line without values has nothing to keep. */
function misread({onBadRow = 'fail'}: Contract): RowRule[] {
  const rest = {severity: 'error', empties: null, example: `array_to_string(${reasons}, '; ') || coalesce(' (' || ${raw}::VARCHAR || ')', '')`} as const;
  return [
    {says: 'every value is one of its column', fate: onBadRow, broken: `${reasons} IS NOT NULL AND ${line} IS NULL`, ...rest},
    {says: 'every line can be taken apart', fate: onBadRow === 'null_value' ? 'quarantine' : onBadRow, broken: `${reasons} IS NOT NULL AND ${line} IS NOT NULL`, ...rest},
  ];
}

const list = (columns: readonly string[]): string => columns.map(identifier).join(', ');
const present = (columns: readonly string[]): string => columns.map(column => `${identifier(column)} IS NOT NULL`).join(' AND ');

/** How many rows are equal to an earlier one. Counting distinct values is one hash table without values. */
function extraRows(unique: readonly string[], appended: boolean): string {
  const within = `(SELECT count(*) FROM this WHERE ${present(unique)}) - (SELECT count(*) FROM (SELECT DISTINCT ${list(unique)} FROM this WHERE ${present(unique)}))`;
  return appended ? `${within} + (SELECT count(*) FROM this SEMI JOIN before USING (${list(unique)}))` : within;
}

/** Every row with a mark for each rule (`b0`, `b1`, …), `gone` where it does not stay, `aside` where it is quarantined. */
function markedSql(rules: readonly RowRule[], appended: boolean): string {
  const removes = (fates: readonly Fate[], among: (rule: RowRule) => boolean): string =>
    rules.flatMap((rule, index) => (rule.severity === 'error' && fates.includes(rule.fate) && among(rule) ? [`b${index}`] : [])).join(' OR ') || 'false';
  const local = rules.flatMap((rule, index) => (rule.broken === null ? [] : [`((${rule.broken})) IS TRUE AS b${index}`]));
  const ctes = [`locally AS (SELECT *${local.map(one => `, ${one}`).join('')} FROM this)`];
  const later: string[] = [];
  rules.forEach(({unique}, index) => {
    if (!unique) return;
    const stays = `SELECT * FROM locally WHERE NOT (${removes(['quarantine', 'drop'], rule => rule.broken !== null)}) AND ${present(unique)}`;
    ctes.push(`stays${index} AS (${stays})`, `later${index} AS (
      SELECT _row_id FROM (
        SELECT _row_id, row_number() OVER (PARTITION BY ${list(unique)} ORDER BY _row_id) AS nth
        FROM stays${index} SEMI JOIN (SELECT ${list(unique)} FROM stays${index} GROUP BY ALL HAVING count(*) > 1) AS twice USING (${list(unique)})
      ) WHERE nth > 1${appended ? ` UNION SELECT _row_id FROM stays${index} SEMI JOIN before USING (${list(unique)})` : ''}
    )`);
    later.push(`_row_id IN (SELECT _row_id FROM later${index}) AS b${index}`);
  });
  ctes.push(
    `everywhere AS (SELECT *${later.map(one => `, ${one}`).join('')} FROM locally)`,
    `marked AS (SELECT *, (${removes(['quarantine'], () => true)}) AS aside, (${removes(['quarantine', 'drop'], () => true)}) AS gone FROM everywhere)`,
  );
  return `WITH ${ctes.join(', ')}`;
}

/** The rule whose SQL fails on these rows. */
async function culprit(rules: readonly RowRule[], tryOne: (rule: RowRule) => Promise<unknown>, dataset: string): Promise<MillraceError | null> {
  for (const rule of rules) {
    try {
      await tryOne(rule);
    } catch (error) {
      const known = error instanceof MillraceError && (error.code === 'SQL_FAILED' || error.code === 'SQL_INVALID');
      return known ? new MillraceError('CHECK_BROKEN', {dataset, check: rule.says, reason: error.message}, {cause: error}) : null;
    }
  }
  return null;
}

const shorten = (example: string): string => (example.length > 160 ? `${example.slice(0, 157)}…` : example);
