/** What a quarantine holds: the rows that a dataset's contract refused, whole, with why and where from. */
import type {Query, Table} from '../engines/engine.ts';
import {identifier, literal, literalList, sqlType} from '../engines/sql-text.ts';
import type {Field, Schema} from '../schemas/schema.ts';
import type {Sifting} from './sift.ts';
import type {Origin} from './warehouse.ts';

const text: Field['type'] = {kind: 'utf8'};
const whole: Field['type'] = {kind: 'int', bits: 64, signed: true};
const field = (name: string, type: Field['type'], description: string): Field => ({id: 0, name, type, nullable: true, description});

/**
 * What a quarantined row bears beside its own columns. Files that are staged may bear the first three as well: the step read rows that
 * are bad before any check, with what it read.
 */
export const markFields: readonly Field[] = [
  field('quarantine_reasons', {kind: 'list', element: {id: 0, name: 'element', type: text, nullable: true}}, 'The rules that the row broke'),
  field('quarantine_raw', {kind: 'json'}, 'The values as they were read, where they are no values of their columns'),
  field('quarantine_line', whole, 'The line of the file, where the reader tells it'),
];
export const placeFields: readonly Field[] = [
  field('quarantine_file', text, 'The file the row came from'),
  field('quarantine_record', whole, "The row's number in what was read (in its file, where there is one), from 1"),
  field('quarantine_run', text, 'The run that refused it'),
];
const marks = new Set([...markFields, ...placeFields].map(one => one.name));
const nameOf = (name: 'reasons' | 'raw' | 'line' | 'file' | 'record' | 'run'): string => identifier(`quarantine_${name}`);

/** A dataset's columns, any of which may be missing in a row that was refused, and the marks. */
export function quarantineSchema(schema: Schema): Schema {
  const own = schema.fields.filter(one => !marks.has(one.name)).map(one => ({...one, id: 0, nullable: true}));
  return {fields: [...own, ...markFields, ...placeFields]};
}

/** The rows that are refused now, with the place each came from. */
export function asideQuery(queries: Sifting['queries'], origins: readonly Origin[], runId: string, written: Schema): Query {
  const run = `${literal(runId)} AS ${nameOf('run')}`;
  if (queries === null) {
    const none = quarantineSchema(written).fields.map(one => `NULL::${sqlType(one.type)} AS ${identifier(one.name)}`);
    return {sql: `SELECT ${none.join(', ')} WHERE false`, relations: {}};
  }
  const {file, record} = placeSql(origins);
  return {
    sql: `SELECT * EXCLUDE (position), ${file} AS ${nameOf('file')}, ${record} AS ${nameOf('record')}, ${run} FROM (${queries.bad}) ORDER BY position`,
    relations: queries.relations,
  };
}

/** File and record of a position. A list of where each file begins is searched once a row, however many files there are. */
function placeSql(origins: readonly Origin[]): {file: string; record: string} {
  if (origins.length === 0) return {file: 'NULL::VARCHAR', record: 'position + 1'};
  const firsts: number[] = [];
  let first = 0;
  for (const {rows} of origins) {
    firsts.push(first);
    first += rows;
  }
  const place = `len(list_filter([${firsts.join(', ')}]::BIGINT[], lambda first: first <= position))`;
  return {file: `${literalList(origins.map(origin => origin.file))}[${place}]`, record: `position - ([${firsts.join(', ')}]::BIGINT[])[${place}] + 1`};
}

/**
 * What stays in a quarantine after a replay: the rows that were not asked for, and those that were refused again, as they were, with
 * the reasons of now. The positions of `bad` are places among the rows asked for, in their order.
 */
export function replayedQuery(where: string, quarantine: Table, queries: Sifting['queries']): Query {
  const columns = quarantine.schema.fields.map(one => identifier(one.name)).join(', ');
  const asked = `coalesce((\n${where}\n), false)`;
  const left = `SELECT ${columns}, _row_id FROM quarantined WHERE NOT ${asked}`;
  const again = queries === null ? '' : ` UNION ALL
    SELECT asked.* EXCLUDE (position) REPLACE (again.${nameOf('reasons')} AS ${nameOf('reasons')})
    FROM (SELECT ${columns}, _row_id, row_number() OVER (ORDER BY _row_id) - 1 AS position FROM quarantined WHERE ${asked}) AS asked
    JOIN (SELECT position, ${nameOf('reasons')} FROM (${queries.bad})) AS again USING (position)`;
  return {sql: `SELECT * EXCLUDE (_row_id) FROM (${left}${again}) ORDER BY _row_id`, relations: {quarantined: quarantine, ...queries?.relations}};
}
