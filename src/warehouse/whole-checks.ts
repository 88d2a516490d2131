import {MillraceError} from '../core/errors.ts';
import type {Engine, Table} from '../engines/engine.ts';
import {identifier, literal, sqlType} from '../engines/sql-text.ts';
import {kindOf, says, wholeCheckKinds} from '../schemas/contract.ts';
import type {Check, Contract} from '../schemas/contract.ts';
import {typeName} from '../schemas/schema.ts';
import type {Field, Schema} from '../schemas/schema.ts';
import type {Finding} from './warehouse.ts';

export interface WholeCheckInput {
  readonly dataset: string;
  readonly contract: Contract;
  /** The dataset after the commit. */
  readonly table: Table;
  /** Rows before it; null when there is no snapshot yet. */
  readonly rowsBefore: number | null;
  /** The last snapshots, for distributions. */
  readonly before: () => Promise<readonly Table[]>;
  readonly engine: Engine;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly signal?: AbortSignal;
}

/**
 * Checks what a contract says of all rows together.
 * @returns what did not hold and is only a warning
 * @throws CONTRACT_INVALID, CHECK_FAILED, CHECK_BROKEN
 */
export async function checkWhole(input: WholeCheckInput): Promise<readonly Finding[]> {
  const {dataset, contract} = input;
  const findings: Finding[] = [];
  for (const check of wholeChecks(contract)) {
    const seen = await broken(check, input).catch(error => {
      const known = error instanceof MillraceError && (error.code === 'SQL_FAILED' || error.code === 'SQL_INVALID' || error.code === 'SQL_NOT_ALLOWED');
      throw known ? new MillraceError('CHECK_BROKEN', {dataset, check: says(check), reason: error.message}, {cause: error}) : error;
    });
    if (seen !== null) findings.push({says: says(check), fate: check.severity === 'warn' ? 'warn' : 'fail', rows: null, example: seen});
  }
  const failed = findings.filter(finding => finding.fate === 'fail');
  if (failed.length > 0) throw new MillraceError('CHECK_FAILED', {dataset, checks: failed.map(({says: text, example}) => `not '${text}' (${example})`).join('; ')});
  return findings;
}

const wholeChecks = (contract: Contract): readonly Check[] => (contract.checks ?? []).filter(check => (wholeCheckKinds as readonly string[]).includes(kindOf(check)));

/** Refuses whole-dataset checks that do not fit the columns. @throws CONTRACT_INVALID */
export function fitWholeChecks(dataset: string, contract: Contract, schema: Schema): void {
  for (const {freshness, distribution} of wholeChecks(contract)) {
    if (freshness) timeField(dataset, schema, freshness.column);
    if (distribution) fieldOf(dataset, schema, distribution.column);
  }
}

/** What was seen where a check does not hold; null where it does. */
async function broken(check: Check, {dataset, table, rowsBefore, before, engine, now, signal}: WholeCheckInput): Promise<string | null> {
  const {freshness, rowCount, distribution, query} = check;
  const one = async (sql: string, relations: Record<string, Table>) => (await engine.rows({sql, relations}, {signal}))[0]!;
  if (freshness) {
    const column = identifier(timeField(dataset, table.schema, freshness.column).name);
    const {newest, at} = await one(`SELECT max(${column})::VARCHAR AS newest, epoch_ms(max(${column})::TIMESTAMP) AS at FROM this`, {this: table});
    if (at === null) return 'it has no value';
    const hours = (now - Number(at)) / 3_600_000;
    return hours <= freshness.hours ? null : `the newest is ${newest}, ${Math.floor(hours)} hours old`;
  }
  if (rowCount) {
    const rows = table.files.reduce((sum, file) => sum + file.rowCount, 0);
    if ((rowCount.min !== undefined && rows < rowCount.min) || (rowCount.max !== undefined && rows > rowCount.max)) return `there are ${rows}`;
    if (rowCount.maxChange === undefined || rowsBefore === null) return null;
    return Math.abs(rows - rowsBefore) <= rowCount.maxChange * rowsBefore ? null : `there are ${rows}, and there were ${rowsBefore}`;
  }
  if (distribution) {
    const field = fieldOf(dataset, table.schema, distribution.column);
    const tables = (await before()).filter(earlier => earlier.files.length > 0 && earlier.schema.fields.some(one => one.id === field.id));
    if (tables.length === 0) return null;
    const distance = await distanceOf(field, table, tables, one);
    return distance <= distribution.maxDistance ? null : `the distance is ${distance.toFixed(3)}`;
  }
  await engine.analyze(query!).then(({relations}) => {
    const other = relations.find(name => name !== 'this');
    if (other !== undefined) throw new MillraceError('SQL_NOT_ALLOWED', {reason: `it reads '${other}'; a check reads \`this\``});
  });
  const answer = await one(`SELECT answer::VARCHAR AS answer FROM (\n${query!}\n) AS asked(answer)`, {this: table});
  return answer?.answer === 'true' ? null : `it answers ${answer?.answer ?? 'NULL'}`;
}

function fieldOf(dataset: string, schema: Schema, name: string): Field {
  const field = schema.fields.find(one => one.name === name);
  if (!field) throw new MillraceError('CONTRACT_INVALID', {dataset, reason: `it has no column '${name}'`});
  return field;
}

function timeField(dataset: string, schema: Schema, name: string): Field {
  const field = fieldOf(dataset, schema, name);
  if (field.type.kind !== 'date' && field.type.kind !== 'timestamp') {
    throw new MillraceError('CONTRACT_INVALID', {dataset, reason: `'${name}' is ${typeName(field.type)}, and only a date or a timestamp can be fresh`});
  }
  return field;
}

/** Into how many classes the values of before are divided. */
const classes = 20;

/**
 * The total variation distance of a column's values from those of earlier tables: half the sum of the differences of the shares of
 * each class. Classes are 20 quantiles of the values before where values have an order that means something, else their 20 most
 * frequent values; missing values are a class of their own.
 */
async function distanceOf(
  field: Field, now: Table, before: readonly Table[], one: (sql: string, relations: Record<string, Table>) => Promise<Readonly<Record<string, unknown>>>,
): Promise<number> {
  const earlier = Object.fromEntries(before.map((table, index) => [`before${index}`, table]));
  // Columns are found by id, whatever they were called then.
  const column = (table: Table): string => identifier(table.schema.fields.find(other => other.id === field.id)!.name);
  const values = `SELECT v FROM (${before.map((table, index) => `SELECT ${column(table)} AS v FROM before${index}`).join(' UNION ALL ')})`;
  const isOrdered = ['int', 'float', 'decimal', 'date', 'time', 'timestamp'].includes(field.type.kind);
  const {edges} = (await one(
    isOrdered
      ? `SELECT array_to_string(list_transform(list_distinct(quantile_disc(v, [${Array.from({length: classes - 1}, (_, index) => (index + 1) / classes).join(', ')}])), lambda edge: edge::VARCHAR), chr(31)) AS edges FROM (${values})`
      : `SELECT string_agg(v::VARCHAR, chr(31)) AS edges FROM (SELECT v FROM (${values}) WHERE v IS NOT NULL GROUP BY v ORDER BY count(*) DESC, v LIMIT ${classes})`,
    earlier,
  )) as {edges: string | null};
  const bounds = (edges ?? '').split('\u001F').filter(edge => edge !== '').map(edge => `CAST(${literal(edge)} AS ${sqlType(field.type)})`);
  // A value's class is the number of bounds below it, or the one it equals.
  const of = isOrdered ? `(${['0', ...bounds.map(bound => `(v > ${bound})::INTEGER`)].join(' + ')})` : `CASE ${bounds.map((bound, index) => `WHEN v = ${bound} THEN ${index}`).join(' ')} ELSE ${bounds.length} END`;
  const shares = (from: string): string => `SELECT class, count(*) / sum(count(*)) OVER () AS share FROM (SELECT CASE WHEN v IS NULL THEN -1 ELSE ${bounds.length === 0 ? '0' : of} END AS class FROM (${from})) GROUP BY class`;
  const {distance} = await one(
    `SELECT coalesce(sum(abs(coalesce(a.share, 0) - coalesce(b.share, 0))) / 2, 0)::DOUBLE AS distance
     FROM (${shares(values)}) AS a FULL JOIN (${shares(`SELECT ${column(now)} AS v FROM this`)}) AS b USING (class)`,
    {...earlier, this: now},
  );
  return Number(distance);
}
