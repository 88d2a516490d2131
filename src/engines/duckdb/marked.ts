import {markFields} from '../../schemas/quarantine.ts';
import {parseTypeName} from '../../schemas/parse-type.ts';
import {typeName} from '../../schemas/schema.ts';
import type {LostLine, Marks, RawColumn, RawFiles} from '../engine.ts';
import {identifier, literal, sqlType} from '../sql-text.ts';
import {allowed, isNullWord, triedValue} from './cells.ts';
import type {Lease} from './database.ts';

const [reasons, raw, line] = markFields.map(field => ({name: identifier(field.name), type: sqlType(field.type)})) as [Mark, Mark, Mark];
interface Mark {
  readonly name: string;
  readonly type: string;
}

/** Lines kept for the quarantine; a file with more of them is read in the wrong way. */
export const mostLostLines = 10_000;

/**
 * The rows of `texts`, which reads every column as text, with what is no value of its column null and told in the marks; then the lines
 * that could not be taken apart, without values.
 */
export function markedSql(texts: string, columns: readonly RawColumn[], {columns: checked, lines}: Marks): string {
  const names = new Map(checked.map(({name, as}) => [name, as]));
  const cells = columns.map((column, index) => {
    const text = identifier(column.name);
    const isNull = isNullWord(text, [...new Set(['', ...(column.nulls ?? [])])]);
    const plain = column.type === 'utf8' ? (column.nulls?.length ? `CASE WHEN NOT (${isNullWord(text, column.nulls)}) THEN ${text} END` : text) : `CASE WHEN NOT (${isNull}) THEN ${triedValue(text, column)} END`;
    const as = names.get(column.name);
    if (column.type === 'utf8' || as === undefined) return {tried: [`${plain} AS v${index}`], value: `v${index}`, bad: null};
    const isBad = `${text} IS NOT NULL AND NOT (${isNull}) AND (v${index} IS NULL OR NOT (${allowed(text, column)}))`;
    return {tried: [`${plain} AS v${index}`, `${isBad} AS b${index}`], value: `CASE WHEN NOT b${index} THEN v${index} END`, bad: {index, as, text, type: typeName(parseTypeName(column.type)!)}};
  });
  const bad = cells.flatMap(cell => (cell.bad ? [cell.bad] : []));
  const any = bad.map(({index}) => `b${index}`).join(' OR ') || 'false';
  const told = bad.map(({index, as, type}) => `CASE WHEN b${index} THEN ${literal(`${as} is no ${type}`)} END`).join(', ');
  const was = bad.map(({index, as, text}) => `CASE WHEN b${index} THEN {key: ${literal(as)}, value: ${text}} END`).join(', ');
  const list = (items: string): string => `list_filter([${items}], lambda one: one IS NOT NULL)`;
  const rows = `
    SELECT ${columns.map((column, index) => `${cells[index]!.value} AS ${identifier(column.name)}`).join(', ')},
      ${bad.length === 0 ? `NULL::${reasons.type}` : `CASE WHEN ${any} THEN ${list(told)} END`} AS ${reasons.name},
      ${bad.length === 0 ? `NULL::${raw.type}` : `CASE WHEN ${any} THEN to_json(map_from_entries(${list(was)})) END`} AS ${raw.name}, NULL::${line.type} AS ${line.name}
    FROM (SELECT *, ${cells.flatMap(cell => cell.tried).join(', ')} FROM (${texts}))`;
  const lost = lines.map(one => `(${literal(one.reason)}, ${literal(one.text)}, ${literal(one.file)}, ${one.line})`);
  if (lost.length === 0) return rows;
  return `${rows} UNION ALL
    SELECT ${columns.map(column => `NULL::${sqlType(parseTypeName(column.type)!)} AS ${identifier(column.name)}`).join(', ')}, [reason], json_object('line', line, 'file', file), number
    FROM (VALUES ${lost.join(', ')}) AS lost(reason, line, file, number)`;
}

/** The reader's option under which lines that cannot be taken apart are left out and remembered. */
export const remembersLost = 'store_rejects = true';

/** Forgets what reads before have left. */
export async function forgetLost(lease: Lease): Promise<void> {
  await lease.connection.run('DROP TABLE IF EXISTS temp.reject_errors; DROP TABLE IF EXISTS temp.reject_scans');
}

/** The lines left out by the reads since `forgetLost`, each once, in their order; at most one more than are kept. */
export async function lostLines(lease: Lease, {files, names = files}: RawFiles): Promise<LostLine[]> {
  const there = (await lease.connection.runAndReadAll(`SELECT count(*) AS n FROM duckdb_tables() WHERE table_name = 'reject_errors'`)).getRowObjectsJson()[0]!;
  if (Number(there.n) === 0) return [];
  const rows = (await lease.connection.runAndReadAll(`
    SELECT file_path, line, any_value(csv_line) AS text, any_value(error_message) AS reason FROM temp.reject_errors JOIN temp.reject_scans USING (scan_id, file_id)
    GROUP BY file_path, line LIMIT ${mostLostLines + 1}`)).getRowObjectsJson();
  await forgetLost(lease);
  const place = new Map(files.map((file, index) => [file, index]));
  return rows
    .map(row => ({file: place.get(String(row.file_path)) ?? 0, line: Number(row.line), text: String(row.text).replace(/\r?\n$/, ''), reason: `the line cannot be taken apart: ${said(String(row.reason))}`}))
    .sort((a, b) => a.file - b.file || a.line - b.line)
    .map(({file, ...rest}) => ({file: names[file]!, ...rest}));
}

/** The reader's reason in our words. */
function said(reason: string): string {
  const counted = /^Expected Number of Columns: (\d+) Found: (\d+)/.exec(reason);
  if (counted) return `it has ${counted[2]} fields, not ${counted[1]}`;
  return reason.split('\n')[0]!.replace(/\.$/, '').toLowerCase();
}
