import {statSync} from 'node:fs';
import {MillraceError} from '../../core/errors.ts';
import {parseTypeName} from '../../schemas/parse-type.ts';
import type {DataType} from '../../schemas/schema.ts';
import type {Query, RawColumn, RawFiles, RawOptions, Relation, Table} from '../engine.ts';
import {identifier, literal, literalList, sqlType, withoutTrailer} from '../sql-text.ts';
import {provenValue, provingValue, triedValue} from './cells.ts';
import type {Lease} from './database.ts';
import {markedSql, remembersLost} from './marked.ts';
import {rowsTable} from './rows-beside.ts';
import {dataType, readSchema, rowIdName} from './types.ts';

/**
 * The query as one statement of DuckDB: its relations as CTEs, its SQL as a subquery, so that the SQL may have a WITH of its own,
 * and may even give a relation's name to a CTE that reads it. NOT MATERIALIZED lets filters and column choices reach the files.
 */
export function statement(query: Query): string {
  const relations = Object.entries(query.relations).map(([name, relation]) => `${identifier(name)} AS NOT MATERIALIZED (${relationSql(relation)})`);
  const sql = withoutTrailer(query.sql);
  return relations.length === 0 ? `FROM (\n${sql}\n)` : `WITH ${relations.join(', ')}\nFROM (\n${sql}\n)`;
}

/** The columns a statement will have, without running it. */
export async function queryColumns(lease: Lease, sql: string): Promise<{name: string; type: DataType}[]> {
  const prepared = await lease.prepare(sql);
  try {
    return Array.from({length: prepared.columnCount}, (_, index) => ({name: prepared.columnName(index), type: dataType(prepared.columnType(index))}));
  } finally {
    prepared.destroySync();
  }
}

/** Lines of `statement` before the user's own. */
export const linesBefore = (query: Query): number => (Object.keys(query.relations).length === 0 ? 1 : 2);

/** A SELECT of all columns of a relation. */
export function relationSql(relation: Relation): string {
  return relation.kind === 'table' ? tableSql(relation) : rawSql(relation);
}

function tableSql(table: Table): string {
  if (table.files.length === 0) {
    const columns = [...table.schema.fields, ...(table.beside ?? []).flatMap(({columns}) => columns)].map(field => `NULL::${sqlType(field.type)} AS ${identifier(field.name)}`);
    if (table.rowIds) columns.push(`NULL::BIGINT AS ${rowIdName}`);
    if (table.fileIndexes) columns.push('NULL::INTEGER AS _file');
    return `SELECT ${columns.join(', ')} WHERE false`;
  }
  const stored = table.rowIds === true && table.files.some(file => file.rowIds === 'stored');
  const beside = table.beside ?? [];
  // Where nothing is asked of the table itself, what lies beside it is read alone.
  const alone = table.schema.fields.length === 0 && !stored && beside[0]?.kind === 'files' ? beside[0] : null;
  const alias = (index: number) => (alone && index === 0 ? 'd' : `b${index}`);
  const names = table.schema.fields.map(field => `d.${identifier(field.name)}`);
  if (table.rowIds) names.push(`${rowIdSql(table, stored)} AS ${rowIdName}`);
  if (table.fileIndexes) names.push('d.file_index::INTEGER AS _file');
  beside.forEach((one, index) => names.push(...one.columns.map(({name, from}, column) => `${alias(index)}.${one.kind === 'files' ? identifier(from) : `c${column}`} AS ${identifier(name)}`)));
  const joins = beside.map((one, index) => {
    if (alone && index === 0) return '';
    return one.kind === 'files' ? ` POSITIONAL JOIN read_parquet(${literalList(one.files)}) AS b${index}` : ` JOIN ${rowsTable(one)} AS b${index} ON b${index}.row_id = ${rowIdSql(table, stored)}`;
  });
  return `SELECT ${names.join(', ')} FROM ${alone ? `read_parquet(${literalList(alone.files)})` : ownFiles(table, stored)} AS d${joins.join('')}`;
}

function ownFiles(table: Table, stored: boolean): string {
  const files = literalList(table.files.map(file => file.path));
  // Files with and without a stored _row_id differ in their columns, so they too are read by field id.
  const uniform = table.uniform === true && !stored;
  return `read_parquet(${files}${uniform ? '' : `, schema = ${readSchema(table.schema, stored)}`})`;
}

/** One list look-up a row finds the file's first id: it plans as fast for ten thousand files as for one. */
function rowIdSql(table: Table, stored: boolean): string {
  const firsts = table.files.map(file => file.firstRowId);
  const positional = firsts.length === 1 ? `${firsts[0]}::BIGINT + d.file_row_number` : `([${firsts.join(', ')}]::BIGINT[])[d.file_index::BIGINT + 1] + d.file_row_number`;
  if (!stored) return `(${positional})`;
  return table.files.every(file => file.rowIds === 'stored') ? `d.${rowIdName}` : `coalesce(d.${rowIdName}, ${positional})`;
}

function rawSql(raw: RawFiles): string {
  const files = literalList(raw.files);
  if (raw.marks && raw.options.columns) return markedSql(rawSql({...asTexts(raw, raw.options.columns), marks: undefined}), raw.options.columns, raw.marks);
  switch (raw.format) {
    case 'csv':
      if (raw.options.columns?.some(column => column.proof)) return provingSql(raw, raw.options.columns);
      return `SELECT ${readColumns(raw.options.columns)} FROM read_csv(${[files, ...csvOptions(raw.options)].join(', ')})`;
    case 'json':
    case 'ndjson':
      return `SELECT ${raw.options.columns ? readColumns(raw.options.columns) : jsonColumns(raw.options)} FROM read_json(${[files, ...jsonOptions(raw)].join(', ')})`;
    case 'parquet':
      return `SELECT * FROM read_parquet(${files}${raw.files.length > 1 ? ', union_by_name = true' : ''})`;
  }
}

/** Values of a column of texts that are proven while they are read. */
function provingSql(raw: RawFiles, columns: readonly RawColumn[]): string {
  const texts = csvText(raw, columns.length);
  const tried = columns.map((column, index) => `c${index}, ${triedValue(`c${index}`, column)} AS v${index}`);
  const values = columns.map((column, index) => `${provingValue(`c${index}`, `v${index}`, column)} AS ${identifier(column.name)}`);
  return `SELECT ${values.join(', ')} FROM (SELECT ${tried.join(', ')} FROM ${texts})`;
}

/** Every column as text, under its own name. */
const asTexts = (raw: RawFiles, columns: readonly RawColumn[]): RawFiles => ({...raw, options: {...raw.options, columns: columns.map(({name}) => ({name, type: 'utf8'}))}});

/** Options of read_csv; every malformed row fails the read, unless it is known by now. */
export function csvOptions(options: RawOptions): string[] {
  const known = options.columns;
  return [
    `ignore_errors = ${options.lenient === true}`,
    ...csvDialect(options),
    ...(known ? ['auto_detect = false', columnTypes(known)] : typeOverrides(options)),
  ];
}

/** Where the reader itself can make the value of the text: it does so faster, and names the line where it cannot. */
const isPlain = ({nulls = [], format, booleans}: RawColumn): boolean => nulls.length === 0 && format === undefined && booleans === undefined;

const readColumns = (columns: readonly RawColumn[] | undefined): string =>
  columns === undefined || columns.every(isPlain) ? '*' : columns.map(column => (isPlain(column) ? identifier(column.name) : `${provenValue(identifier(column.name), column)} AS ${identifier(column.name)}`)).join(', ');

const columnTypes = (columns: readonly RawColumn[]): string =>
  `columns = {${columns.map(column => `${literal(column.name)}: ${literal(isPlain(column) ? columnType(column.type) : 'VARCHAR')}`).join(', ')}}`;

/** Reads every column as text, under the names c0, c1 …; what is quoted and empty is a text of no characters. */
export const csvText = (raw: RawFiles, width: number): string =>
  `read_csv(${[literalList(raw.files), raw.options.lenient ? remembersLost : 'ignore_errors = false', ...csvDialect(raw.options), 'auto_detect = false', `columns = {${Array.from({length: width}, (_, index) => `c${index}: 'VARCHAR'`).join(', ')}}`].join(', ')})`;

export function csvDialect(options: RawOptions): string[] {
  const said = (name: string, value: string | undefined) => (value === undefined ? [] : [`${name} = ${literal(value)}`]);
  return [
    ...compression(options),
    ...said('delim', options.delimiter),
    ...said('quote', options.quote),
    ...said('escape', options.escape),
    ...(options.header === undefined ? [] : [`header = ${options.header}`]),
    ...(options.skip === undefined ? [] : [`skip = ${options.skip}`]),
    'allow_quoted_nulls = false',
  ];
}

const compression = (options: RawOptions): string[] => (options.compression === undefined ? [] : [`compression = ${literal(options.compression)}`]);

function typeOverrides(options: RawOptions): string[] {
  const types = Object.entries(options.types ?? {});
  return types.length === 0 ? [] : [`types = {${types.map(([name, type]) => `${literal(name)}: ${literal(columnType(type))}`).join(', ')}}`];
}

/** A file up to this size may be one object, as a GeoJSON file is; larger ones are read as many objects, each up to the second size. */
const largestWhole = 128 * 2 ** 20;
const largestPart = 32 * 2 ** 20;

/** The reader's buffers are twice the size of the largest object, one for each thread: so they are no larger than the files need. */
function largestObject({format, files}: RawFiles): number {
  if (format === 'ndjson') return largestPart;
  const largest = Math.max(...files.map(file => statSync(file, {throwIfNoEntry: false})?.size ?? 0));
  return largest <= largestWhole ? Math.max(largest, 2 ** 20) : largestPart;
}

export function jsonOptions(raw: RawFiles): string[] {
  const {columns} = raw.options;
  return [
    `format = '${raw.format === 'ndjson' ? 'newline_delimited' : 'auto'}'`,
    `maximum_object_size = ${largestObject(raw)}`,
    ...compression(raw.options),
    ...(columns ? ['auto_detect = false', columnTypes(columns)] : ['sample_size = -1']),
  ];
}

function jsonColumns(options: RawOptions): string {
  const casts = Object.entries(options.columns ? {} : options.types ?? {}).map(([name, type]) => `CAST(${identifier(name)} AS ${columnType(type)}) AS ${identifier(name)}`);
  return casts.length === 0 ? '*' : `* REPLACE (${casts.join(', ')})`;
}

function columnType(text: string): string {
  const type = parseTypeName(text);
  if (!type) throw new MillraceError('ARGUMENT_INVALID', {name: 'types', reason: `'${text}' is no type; for example int64, utf8, decimal(18,2).`});
  return sqlType(type);
}
