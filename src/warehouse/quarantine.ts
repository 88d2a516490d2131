/** How the rows that a contract refuses come into a quarantine, and how they leave it. */
import type {Query, Table} from '../engines/engine.ts';
import {identifier, literal, literalList, sqlType} from '../engines/sql-text.ts';
import {quarantineSchema} from '../schemas/quarantine.ts';
import type {Schema} from '../schemas/schema.ts';
import type {Sifting} from './sift.ts';
import type {Origin} from './warehouse.ts';

const nameOf = (name: 'reasons' | 'raw' | 'line' | 'file' | 'record' | 'run'): string => identifier(`quarantine_${name}`);

/** The rows that are refused now, with the place each came from. */
export function asideQuery(queries: Sifting['queries'], origins: readonly Origin[], runId: string, written: Schema): Query {
  const run = `${literal(runId)} AS ${nameOf('run')}`;
  if (queries === null) {
    const none = quarantineSchema(written).fields.map(one => `NULL::${sqlType(one.type)} AS ${identifier(one.name)}`);
    return {sql: `SELECT ${none.join(', ')} WHERE false`, relations: {}};
  }
  const {file, record} = placeSql(origins);
  return {
    sql: `SELECT * EXCLUDE (_position), CASE WHEN ${nameOf('line')} IS NULL THEN ${file} ELSE ${nameOf('raw')} ->> 'file' END AS ${nameOf('file')},
      CASE WHEN ${nameOf('line')} IS NULL THEN ${record} END AS ${nameOf('record')}, ${run} FROM (${queries.bad}) ORDER BY _position`,
    relations: queries.relations,
  };
}

/** File and record of a position. A list of where each file begins is searched once a row, however many files there are. */
function placeSql(origins: readonly Origin[]): {file: string; record: string} {
  if (origins.length === 0) return {file: 'NULL::VARCHAR', record: '_position + 1'};
  const firsts: number[] = [];
  let first = 0;
  for (const {rows} of origins) {
    firsts.push(first);
    first += rows;
  }
  const place = `len(list_filter([${firsts.join(', ')}]::BIGINT[], lambda first: first <= _position))`;
  return {file: `${literalList(origins.map(origin => origin.file))}[${place}]`, record: `_position - ([${firsts.join(', ')}]::BIGINT[])[${place}] + 1`};
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
    SELECT asked.* EXCLUDE (_position) REPLACE (again.${nameOf('reasons')} AS ${nameOf('reasons')})
    FROM (SELECT ${columns}, _row_id, row_number() OVER (ORDER BY _row_id) - 1 AS _position FROM quarantined WHERE ${asked}) AS asked
    JOIN (SELECT _position, ${nameOf('reasons')} FROM (${queries.bad})) AS again USING (_position)`;
  return {sql: `SELECT * EXCLUDE (_row_id) FROM (${left}${again}) ORDER BY _row_id`, relations: {quarantined: quarantine, ...queries?.relations}};
}
