/** Which rows are meant: as SQL over a file of any age, and as a hash that tells nobody which. */
import {createHash, randomBytes} from 'node:crypto';
import {MillraceError} from '../core/errors.ts';
import type {Engine, Query, SqlValue, Table} from '../engines/engine.ts';
import {identifier, sqlType} from '../engines/sql-text.ts';
import {typeName} from '../schemas/schema.ts';
import type {DataType, Field, Schema} from '../schemas/schema.ts';
import type {DatasetRecord} from '../warehouse/warehouse.ts';
import type {ErasureRecord, RowSelection} from './maintenance.ts';

export interface Selection {
  readonly recorded: Pick<ErasureRecord, 'selectedBy' | 'columns' | 'salt' | 'hashes'>;
  /** An expression of the columns of `fields` and of `_row_id`. */
  readonly where: string;
  readonly params: readonly SqlValue[];
  /** The dataset's columns now. */
  readonly fields: readonly Field[];
}

const most = 1_000;

const invalid = (name: string, reason: string): MillraceError => new MillraceError('ARGUMENT_INVALID', {name, reason});

/** @throws ARGUMENT_INVALID, SQL_INVALID, SQL_NOT_ALLOWED */
export async function selectionOf(engine: Engine, {name, contract}: DatasetRecord, {fields}: Schema, {keys, rowIds, where}: RowSelection): Promise<Selection> {
  const given = [keys, rowIds, where].filter(one => one !== undefined);
  if (given.length !== 1) throw invalid('input', 'exactly one of keys, rowIds and where is to be given.');
  const salt = randomBytes(16).toString('hex');
  const hash = (value: unknown): string => createHash('sha256').update(salt).update(JSON.stringify(value)).digest('hex');
  const count = keys?.length ?? rowIds?.length ?? 1;
  if (count === 0 || count > most) throw invalid(keys ? 'keys' : 'rowIds', `from 1 to ${most} may be given at once.`);

  if (rowIds) {
    return {
      recorded: {selectedBy: 'row_ids', columns: ['_row_id'], salt, hashes: rowIds.map(id => hash(String(id)))},
      where: `_row_id IN (${rowIds.map((_, index) => `$${index + 1}`).join(', ')})`, params: rowIds, fields,
    };
  }
  if (where !== undefined) {
    await engine.analyzeExpression(where);
    const {volatile} = await engine.analyze(`SELECT (\n${where}\n) AS result FROM this_row`);
    if (volatile.length > 0) throw invalid('where', `${volatile[0]} differs from call to call.`);
    return {recorded: {selectedBy: 'where', columns: [], salt, hashes: [hash(where)]}, where, params: [], fields};
  }

  if (!contract.key) throw invalid('keys', `'${name}' has no key; say the rows by rowIds or where.`);
  const columns = contract.key.map(column => {
    const found = fields.find(field => field.name === column);
    if (!found) throw invalid('keys', `'${name}' has no column ${column} of its key now; say the rows by rowIds or where.`);
    return found;
  });
  const params: SqlValue[] = [];
  const conditions = keys!.map(key => {
    const missing = contract.key!.find(column => key[column] === undefined || key[column] === null);
    const unknown = Object.keys(key).find(column => !contract.key!.includes(column));
    if (missing !== undefined) throw invalid('keys', `the key of '${name}' is (${contract.key!.join(', ')}), and a key lacks ${missing}.`);
    if (unknown !== undefined) throw invalid('keys', `'${unknown}' is no column of the key of '${name}' (${contract.key!.join(', ')}).`);
    const rounded = contract.key!.find(column => typeof key[column] === 'number' && Number.isInteger(key[column]) && !Number.isSafeInteger(key[column]));
    if (rounded !== undefined) throw invalid('keys', `the value of ${rounded} has more digits than a number of JSON keeps; say it as text.`);
    return `(${columns.map(column => `${identifier(column.name)} = CAST($${params.push(String(key[column.name]))} AS ${sqlType(column.type)})`).join(' AND ')})`;
  });
  for (const [index, value] of params.entries()) {
    const {name: column, type} = columns[index % columns.length]!;
    const [row] = await engine.rows({sql: `SELECT TRY_CAST($1 AS ${sqlType(type)}) IS NOT NULL AS fits`, relations: {}, params: [value]});
    if (row!.fits !== true) throw invalid('keys', `a value of ${column} is no ${typeName(type)}.`);
    if (!isExact(String(value), type)) throw invalid('keys', `a value of ${column} is not exactly an ${typeName(type)}: it would be rounded to that of another row.`);
  }
  const hashes = keys!.map(key => hash(contract.key!.map(column => String(key[column]))));
  return {recorded: {selectedBy: 'key', columns: contract.key, salt, hashes}, where: conditions.join(' OR '), params, fields};
}

/** Whether a text that an engine casts to a type loses nothing by it: engines round. */
function isExact(text: string, type: DataType): boolean {
  switch (type.kind) {
    case 'int':
      return /^\s*[+-]?\d+\s*$/.test(text);
    case 'decimal':
      return (/^\s*[+-]?\d*(?:\.(\d*))?\s*$/.exec(text)?.[1] ?? (/[.eE]/.test(text) ? text : '')).replace(/0+$/, '').length <= type.scale;
    case 'date':
      return !text.includes(':');
    case 'timestamp':
      return !/\.\d{6}\d*[1-9]/.test(text);
    default:
      return true;
  }
}

/**
 * The rows of one file that are meant (`is`: true), or all the others, with the columns the file has. A column of the selection is
 * found in a file of another age by field id, then by name, unless the file's column of that name is another one of now; one that the
 * file lacks is null there.
 */
export function rowsOf(table: Table, {where, params, fields}: Selection, sameDataset: boolean, is: boolean): Query {
  const own = table.schema.fields;
  const taken = new Set(sameDataset ? fields.map(({id}) => id) : []);
  const places = fields.map(field => (sameDataset ? own.find(other => other.id === field.id) : undefined) ?? own.find(other => other.name === field.name && !taken.has(other.id)));
  const columns = own.map(field => identifier(field.name));
  const picked = `(${where}\n) IS ${is ? '' : 'NOT '}TRUE`;
  const isSame = places.every((place, index) => place?.name === fields[index]!.name && typeName(place.type) === typeName(fields[index]!.type));
  if (isSame) return {sql: `SELECT ${[...columns, '_row_id'].join(', ')} FROM rows_of_file WHERE ${picked}`, relations: {rows_of_file: {...table, rowIds: true}}, params};
  const whole = `struct_pack(${columns.map(column => `${column} := ${column}`).join(', ')}) AS _own`;
  const seen = fields.map((field, index) => `${converted(places[index], field)} AS ${identifier(field.name)}`);
  return {
    sql: `SELECT _own.*, _row_id FROM (SELECT ${[whole, '_row_id', ...seen].join(', ')} FROM rows_of_file) WHERE ${picked}`, relations: {rows_of_file: {...table, rowIds: true}}, params,
  };
}

/** A value of an older type as one of the type of now; null where it is none, and says something else when it is turned back. */
function converted(from: Field | undefined, {type}: Field): string {
  if (!from) return `NULL::${sqlType(type)}`;
  const column = identifier(from.name);
  if (typeName(from.type) === typeName(type)) return column;
  const there = `TRY_CAST(${column} AS ${sqlType(type)})`;
  return `CASE WHEN TRY_CAST(${there} AS ${sqlType(from.type)}) = ${column} THEN ${there} END`;
}
