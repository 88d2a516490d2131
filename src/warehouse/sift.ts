import {MillraceError} from '../core/errors.ts';
import type {Engine, Query, Relation, SqlValue, StagedFile, Table} from '../engines/engine.ts';
import {identifier, literal} from '../engines/sql-text.ts';
import type {Contract, Fate} from '../schemas/contract.ts';
import {markFields, ownFields} from '../schemas/quarantine.ts';
import type {Field, Schema} from '../schemas/schema.ts';
import type {Referenced} from './referenced-key.ts';
import {rowRules} from './row-rules.ts';
import type {RowRule} from './row-rules.ts';
import type {Finding} from './warehouse.ts';

/** What becomes of staged rows. */
export interface Sifting {
  readonly findings: readonly Finding[];
  readonly read: number;
  readonly quarantined: number;
  readonly dropped: number;
  /** Null: the staged files are kept as they are. */
  readonly queries: {
    /** The rows to keep, in their order; `params` are its own. */
    readonly kept: string;
    readonly params?: readonly string[];
    /** `_position` (from 0, in staging order) and `quarantine_reasons` of each row to keep aside, and its columns. */
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

/** The rows that broke a rule which is no warning: their position, and the places of those rules in the list. */
const marksSchema: Schema = {
  fields: [
    {id: 1, name: 'position', type: {kind: 'int', bits: 64, signed: true}, nullable: false},
    {id: 2, name: 'broken', type: {kind: 'list', element: {id: 3, name: 'element', type: {kind: 'int', bits: 32, signed: true}, nullable: false}}, nullable: false},
  ],
};

/** Rows up to which those that go are told by a string of bits (in base64), in which one is found at once and which keeps the others' order. */
const mostBits = 2 ** 29;

/**
 * Looks at staged rows with the eyes of a contract: one scan of the columns that are checked and, for each uniqueness that does not fail
 * the commit, one hash table of its columns make a small table of the bad rows. Where there are any, the others are then kept by it in
 * one pass and in their order.
 *
 * Of rows that are equal where they must not be, the first that breaks nothing else is kept; rows that are there already count as first.
 *
 * @param input.staged with `_row_id`, its positions from 0; its schema may have `markFields`
 * @param input.before what the rows are appended to
 * @param input.keep writes rows into scratch
 * @throws CONTRACT_INVALID, CHECK_FAILED (a check that fails the commit), CHECK_BROKEN (its SQL fails)
 */
export async function siftRows(input: {
  dataset: string; contract: Contract; staged: Table; before: Table | null; engine: Engine; referenced: Referenced;
  keep: (query: Query, schema: Schema) => Promise<readonly StagedFile[]>; signal?: AbortSignal;
}): Promise<Sifting> {
  const {dataset, contract, staged, before, engine, signal} = input;
  const isMarked = staged.schema.fields.some(one => one.name === markFields[0]!.name);
  const own = ownFields(staged.schema);
  const {rules: checked, relations: keys} = await rowRules(dataset, contract, {fields: own}, engine, input.referenced);
  const rules: readonly RowRule[] = isMarked ? [...misread(contract), ...checked] : checked;
  const read = staged.files.reduce((sum, file) => sum + file.rowCount, 0);
  const nothing: Sifting = {findings: [], read, quarantined: 0, dropped: 0, queries: null};
  if (rules.length === 0 || (read === 0 && !isMarked)) return nothing;

  const relations: Record<string, Relation> = {this: staged, ...keys, ...(before ? {before} : {})};
  const row = async (sql: string, also: Record<string, Relation> = {}) => (await engine.rows({sql, relations: {...relations, ...also}}, {signal}))[0]!;
  const look = async () => ({
    warned: await warnings(rules, before !== null, row),
    marked: rules.some(rule => rule.severity === 'error') ? await input.keep({sql: marksSql(rules, before !== null), relations}, marksSchema) : [],
  });
  const {warned, marked} = await look().catch(async error => {
    throw (await culprit(rules, rule => row(rule.broken === null ? 'SELECT 1' : `SELECT count(*) FILTER ((${rule.broken})) FROM this`), dataset)) ?? error;
  });
  const marks: Table = {...stagedTable(marked, marksSchema), rowIds: false};
  const withMarks = {...relations, marks};
  const inMarks = marked.length === 0 ? []
    : await engine.rows({sql: 'SELECT rule, count(*) AS rows, min(position) AS first FROM (SELECT position, unnest(broken) AS rule FROM marks) GROUP BY rule', relations: {marks}}, {signal});
  const found = rules.map((_, index) => {
    const mark = inMarks.find(one => Number(one.rule) === index);
    return warned.get(index) ?? {rows: Number(mark?.rows ?? 0), first: mark ? Number(mark.first) : null};
  });
  const findings = await told(rules, found, row);
  const failed = findings.filter(finding => finding.fate === 'fail');
  if (failed.length > 0) {
    throw new MillraceError('CHECK_FAILED', {dataset, checks: failed.map(({rows, says, example}) => `${rows} row${rows === 1 ? ' breaks' : 's break'} '${says}' (for example ${example})`).join('; ')});
  }
  // Marked files are written anew in any case, without the marks.
  if (!isMarked && findings.every(finding => finding.fate === 'warn')) return {...nothing, findings};

  const [aside, gone] = [has(rules, ['quarantine']), has(rules, ['quarantine', 'drop'])];
  const {quarantined, dropped, bits} = await row(
    `SELECT count(*) FILTER (${aside}) AS quarantined, count(*) FILTER (${gone} AND NOT ${aside}) AS dropped, to_base64((bitstring_agg(position, 0, ${Math.ceil(Math.min(read + 1, mostBits) / 8) * 8 - 1}) FILTER (${gone} AND position < ${mostBits}))::BLOB) AS bits FROM marks`, {marks},
  );
  const empties = rules.filter(rule => rule.severity === 'error' && rule.fate === 'null_value' && rule.empties !== null);
  const emptying = ({name}: Field): string => {
    const conditions = empties.filter(rule => rule.empties === name).map(rule => `((${rule.broken!}))`);
    return conditions.length === 0 ? identifier(name) : `CASE WHEN (${conditions.join(' OR ')}) IS NOT TRUE THEN ${identifier(name)} END AS ${identifier(name)}`;
  };
  // A join would deliver the rows in another order than it reads them.
  const byBits = bits !== null && read <= mostBits;
  const stays = bits === null ? '' : byBits ? ' WHERE get_bit(from_base64($1)::BIT, _row_id::INTEGER) = 0' : ` WHERE _row_id NOT IN (SELECT position FROM marks WHERE ${gone})`;
  const order = (bits !== null && !byBits) || empties.some(rule => rule.joins) ? ' ORDER BY _row_id' : '';
  const says = `list_transform(list_filter(broken, lambda rule: rule >= ${isMarked ? misreadRules : 0}), lambda rule: [${rules.map(rule => literal(rule.says)).join(', ')}][rule + 1])`;
  const rest = markFields.slice(1).map(one => (isMarked ? identifier(one.name) : `NULL AS ${identifier(one.name)}`));
  return {
    findings, read, quarantined: Number(quarantined), dropped: Number(dropped),
    queries: {
      kept: `SELECT ${own.map(emptying).join(', ')} FROM this${stays}${order}`,
      ...(byBits ? {params: [String(bits)]} : {}),
      bad: `SELECT ${own.map(one => identifier(one.name)).join(', ')}, ${isMarked ? `coalesce(${reasons}, []) || _says` : '_says'} AS ${reasons}, ${rest.join(', ')}, _position
        FROM this JOIN (SELECT position AS _position, ${says} AS _says FROM marks WHERE ${aside}) AS found ON _position = _row_id ORDER BY _position`,
      relations: withMarks,
    },
  };
}

/** How many rows break each rule that only warns, by its place, and the first of them; of a uniqueness only how many. */
async function warnings(rules: readonly RowRule[], appended: boolean, row: (sql: string) => Promise<Readonly<Record<string, SqlValue>>>): Promise<Map<number, {rows: number; first: number | null}>> {
  const warning = rules.flatMap((rule, index) => (rule.severity === 'warn' ? [{...rule, index}] : []));
  if (warning.length === 0) return new Map();
  const local = warning.flatMap(({broken, index}) => (broken === null ? [] : [`count(*) FILTER ((${broken})) AS n${index}, min(_row_id) FILTER ((${broken})) AS f${index}`]));
  const repeated = warning.flatMap(({unique, index}) => (unique ? [`(${extraRows(unique, appended)}) AS n${index}`] : []));
  const answer = await row(`SELECT ${[...(local.length > 0 ? ['counted.*'] : []), ...repeated].join(', ')} ${local.length > 0 ? `FROM (SELECT ${local.join(', ')} FROM this) AS counted` : ''}`);
  return new Map(warning.map(({index}) => [index, {rows: Number(answer[`n${index}`]), first: answer[`f${index}`] === undefined || answer[`f${index}`] === null ? null : Number(answer[`f${index}`])}]));
}

/** What to tell of the rules that were broken, each with its first row. */
async function told(rules: readonly RowRule[], found: readonly {rows: number; first: number | null}[], row: (sql: string) => Promise<Readonly<Record<string, SqlValue>>>): Promise<Finding[]> {
  const shown = found.flatMap(({first}, index) => (first === null ? [] : [{index, first}]));
  const examples = shown.length === 0 ? {} : await row(
    `SELECT ${shown.map(({index, first}) => `any_value(${rules[index]!.example}) FILTER (_row_id = ${first}) AS e${index}`).join(', ')} FROM this WHERE _row_id IN (${[...new Set(shown.map(({first}) => first))].join(', ')})`,
  );
  return rules.flatMap((rule, index): Finding[] => (found[index]!.rows === 0 ? [] : [{
    says: rule.says, fate: rule.severity === 'warn' ? 'warn' : rule.fate, rows: found[index]!.rows, example: shorten(String((examples as Record<string, unknown>)[`e${index}`] ?? 'a repeated one')),
  }]));
}

/** Whether a row of `marks` broke a rule of one of these fates. */
const has = (rules: readonly RowRule[], fates: readonly Fate[]): string =>
  `list_has_any(broken, [${rules.flatMap((rule, index) => (rule.severity === 'error' && fates.includes(rule.fate) ? [index] : [])).join(', ')}]::INTEGER[])`;

/** How many rules stand before a contract's own where files are marked. */
const misreadRules = 2;

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

/** The content of `marksSchema`, in the order of positions. */
function marksSql(rules: readonly RowRule[], appended: boolean): string {
  const local = rules.flatMap(({severity, broken}, index) => (severity === 'error' && broken !== null ? [{index, broken}] : []));
  const removing = rules.filter(({severity, fate, broken}) => severity === 'error' && broken !== null && (fate === 'quarantine' || fate === 'drop')).map(({broken}) => `((${broken!}))`).join(' OR ');
  const parts = rules.flatMap(({severity, unique}, index) => {
    if (severity !== 'error' || !unique) return [];
    const stays = `(SELECT _row_id, ${list(unique)} FROM this WHERE ${present(unique)}${removing === '' ? '' : ` AND (${removing}) IS NOT TRUE`})`;
    return [`SELECT _row_id AS _position, ${index} AS _rule FROM (
      SELECT _row_id, row_number() OVER (PARTITION BY ${list(unique)} ORDER BY _row_id) AS _nth
      FROM ${stays} AS stays SEMI JOIN (SELECT ${list(unique)} FROM ${stays} GROUP BY ALL HAVING count(*) > 1) AS twice USING (${list(unique)})
    ) WHERE _nth > 1${appended ? ` UNION SELECT _row_id AS _position, ${index} AS _rule FROM ${stays} AS stays SEMI JOIN before USING (${list(unique)})` : ''}`];
  });
  if (local.length > 0) {
    const broken = `list_filter([${local.map(({index, broken: condition}) => `CASE WHEN ((${condition})) THEN ${index} END`).join(', ')}], lambda rule: rule IS NOT NULL)`;
    const found = (as: string): string => `SELECT _row_id AS ${as} FROM this WHERE ${local.map(({broken: condition}) => `((${condition}))`).join(' OR ')}`;
    // Rows that only their own values decide about come in their order, each once.
    if (parts.length === 0 && !rules.some(rule => rule.joins)) return found(`position, ${broken} AS broken`);
    parts.unshift(found(`_position, unnest(${broken}) AS _rule`));
  }
  const all = parts.length === 0 ? 'SELECT NULL::BIGINT AS _position, NULL::INTEGER AS _rule WHERE false' : parts.map(part => `(${part})`).join(' UNION ALL ');
  return `SELECT _position AS position, list(_rule ORDER BY _rule) AS broken FROM (${all}) GROUP BY _position ORDER BY _position`;
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
