import {stat} from 'node:fs/promises';
import {MillraceError} from '../../core/errors.ts';
import {legalNames} from '../../schemas/names.ts';
import {parseTypeName} from '../../schemas/parse-type.ts';
import {typeName} from '../../schemas/schema.ts';
import type {DataType, Field, Schema} from '../../schemas/schema.ts';
import type {RawFiles, RawOptions} from '../engine.ts';
import {identifier, literal, literalList, sqlType} from '../sql-text.ts';
import type {Lease} from './database.ts';
import {sourceUnreadable} from './failures.ts';
import {csvDialect, jsonOptions, queryColumns, relationSql} from './relations.ts';

/** Schema and reader options of raw files; types hold for every value of every file. @throws SOURCE_EMPTY, SOURCE_UNREADABLE */
export async function sniffed(lease: Lease, raw: RawFiles): Promise<{schema: Schema; raw: RawFiles}> {
  for (const file of raw.files) {
    if ((await stat(file)).size === 0) throw new MillraceError('SOURCE_EMPTY', {path: file});
  }
  const found = raw.format === 'csv' ? await sniffCsv(lease, raw) : raw.format === 'parquet' ? raw : await sniffJson(lease, raw);
  return {schema: await schemaOf(lease, found), raw: found};
}

async function objects(lease: Lease, sql: string): Promise<Record<string, unknown>[]> {
  return (await lease.connection.runAndReadAll(sql)).getRowObjectsJson();
}

/** Fields with legal names; not null where the data has no null. */
async function schemaOf(lease: Lease, raw: RawFiles): Promise<Schema> {
  const relation = relationSql(raw);
  const columns = await queryColumns(lease, relation);
  const names = legalNames(columns.map(column => column.name));
  const counts = columns.map((column, index) => `count(${identifier(column.name)}) AS c${index}`);
  const [row] = await objects(lease, `SELECT count(*) AS n, ${counts.join(', ')} FROM (${relation})`);
  const fields = columns.map(
    (column, index): Field => ({
      id: 0,
      name: names[index]!,
      ...(names[index] === column.name ? {} : {sourceName: column.name}),
      type: column.type,
      nullable: row!.n === '0' || row![`c${index}`] !== row!.n,
    }),
  );
  return {fields};
}

// --- CSV

async function sniffCsv(lease: Lease, raw: RawFiles): Promise<RawFiles> {
  const [first] = raw.files;
  const said = raw.options;
  const [dialect] = await objects(lease, `FROM sniff_csv(${[literal(first!), ...csvDialect(said)].join(', ')})`);
  const text = (value: unknown) => (value === null || value === '(empty)' ? '' : String(value));
  await refuseGuesses(lease, raw, {delimiter: text(dialect!.Delimiter), skip: Number(dialect!.SkipRows), names: (dialect!.Columns as {name: string}[]).map(column => column.name)});
  const options: RawOptions = {
    ...said,
    delimiter: said.delimiter ?? text(dialect!.Delimiter),
    // A file whose sample has no quotes may have them further down, so the usual ones are kept.
    quote: said.quote ?? (text(dialect!.Quote) || '"'),
    escape: said.escape ?? (text(dialect!.Escape) || text(dialect!.Quote) || '"'),
    header: said.header ?? dialect!.HasHeader === true,
    skip: said.skip ?? Number(dialect!.SkipRows),
    dateFormat: said.dateFormat ?? isoUnless(dialect!.DateFormat),
    timestampFormat: said.timestampFormat ?? isoUnless(dialect!.TimestampFormat),
  };
  const guesses = (dialect!.Columns as {name: string; type: string}[]).map(column => ({name: column.name, guess: column.type}));
  if (guesses.length === 0) throw new MillraceError('SOURCE_EMPTY', {path: first});
  await sameColumns(lease, raw, options, guesses.map(column => column.name));
  const types = await proven(lease, raw.files, options, guesses);
  return {...raw, options: {...options, columns: guesses.map((column, index) => ({name: column.name, type: typeName(types[index]!)}))}};
}

/**
 * Where lines have different numbers of fields DuckDB looks for a reading without that: it leaves out the first lines, or takes each
 * for one field. Lines are left out only where they are no records: empty, a comment, a title.
 */
async function refuseGuesses(lease: Lease, raw: RawFiles, {delimiter, skip, names}: {delimiter: string; skip: number; names: readonly string[]}): Promise<void> {
  const [first] = raw.files;
  const said = raw.options;
  if (said.skip === undefined && skip > 0) {
    const lines = await objects(lease, `FROM read_csv(${[literal(first!), 'auto_detect = false', 'header = false', `delim = '\x1f'`, `quote = ''`, `escape = ''`, `columns = {line: 'VARCHAR'}`,
      ...csvDialect({compression: said.compression})].join(', ')}) LIMIT ${skip}`);
    const record = lines.map(({line}) => String(line ?? '')).find(line => !line.startsWith('#') && line.includes(delimiter));
    if (record !== undefined) throw sourceUnreadable(`its lines have different numbers of fields: '${record.slice(0, 60)}' has others than those after line ${skip}`, [first!], raw.format);
  }
  const [only, ...more] = names;
  if (said.delimiter === undefined && more.length === 0 && only !== undefined && /[,;\t|]/.test(only)) {
    throw sourceUnreadable(`its lines have different numbers of fields: not all have those of '${only.slice(0, 60)}'`, [first!], raw.format);
  }
}

const isoUnless = (format: unknown): string | undefined => {
  const text = typeof format === 'string' ? format : '';
  return text === '' || text.startsWith('%Y-%m-%d') ? undefined : text;
};

/** Columns are read by place, so all files of a pattern must have the same header. */
async function sameColumns(lease: Lease, raw: RawFiles, options: RawOptions, names: readonly string[]): Promise<void> {
  for (const file of raw.files.slice(1)) {
    const columns = await queryColumns(lease, `SELECT * FROM read_csv(${[literal(file), ...csvDialect(options), 'all_varchar = true'].join(', ')})`);
    const own = columns.map(column => column.name);
    if (own.join('\0') !== names.join('\0')) {
      throw sourceUnreadable(`its columns (${own.join(', ')}) differ from those of ${raw.files[0]} (${names.join(', ')})`, [file], raw.format);
    }
  }
}

/** What a column may be, narrowest first; text holds everything. */
const ladders: Readonly<Record<string, readonly string[]>> = {
  BOOLEAN: ['bool'],
  BIGINT: ['int64', 'float64'],
  DOUBLE: ['float64'],
  DATE: ['date', 'timestamp'],
  TIME: ['time'],
  TIMESTAMP: ['timestamp'],
  'TIMESTAMP WITH TIME ZONE': ['timestamptz'],
};

/**
 * The narrowest type of each column's ladder that every value has, from one scan of the text. Numbers that are written like codes
 * (`00501`), or that a float would round, stay text.
 */
async function proven(lease: Lease, files: readonly string[], options: RawOptions, columns: readonly {name: string; guess: string}[]): Promise<DataType[]> {
  const measures: string[] = [];
  const candidates = columns.map(({name, guess}, index) => {
    const said = options.types?.[name];
    if (said !== undefined) return {said, rungs: []};
    const rungs = ladders[guess] ?? [];
    const column = `c${index}`;
    rungs.forEach((rung, place) => measures.push(`count(*) FILTER (${column} IS NOT NULL AND (${tryCast(column, rung, options)} IS NULL${rounded(column, rung, options)})) AS fails_${index}_${place}`));
    if (rungs.includes('float64')) {
      measures.push(`count(*) FILTER (${isCode(column)} OR (length(${column}) > 15 AND regexp_matches(${column}, '^\\s*[+-]?[0-9]{16,}\\s*$'))) AS codes_${index}`);
    }
    if (rungs[0] === 'int64') measures.push(`min(TRY_CAST(${column} AS BIGINT)) AS low_${index}`, `max(TRY_CAST(${column} AS BIGINT)) AS high_${index}`, `count(*) FILTER (${isCode(column)}) AS zeros_${index}`);
    return {said: undefined, rungs};
  });
  if (measures.length === 0) return candidates.map(({said}) => typeOf(said ?? 'utf8'));
  const names = columns.map((_, index) => `c${index}`);
  const source = `read_csv(${[literalList(files), 'ignore_errors = false', ...csvDialect({...options, dateFormat: undefined, timestampFormat: undefined}), 'auto_detect = false', `columns = {${names.map(name => `${literal(name)}: 'VARCHAR'`).join(', ')}}`].join(', ')})`;
  const [row] = await objects(lease, `SELECT ${measures.join(', ')} FROM ${source}`);
  return candidates.map(({said, rungs}, index) => {
    if (said !== undefined) return typeOf(said);
    const place = rungs.findIndex((_, rung) => row![`fails_${index}_${rung}`] === '0');
    const rung = rungs[place];
    if (rung === undefined) return typeOf('utf8');
    if (rung === 'int64') {
      if (row![`zeros_${index}`] !== '0') return typeOf('utf8');
      return typeOf(fits(32, row![`low_${index}`], row![`high_${index}`]) ? 'int32' : 'int64');
    }
    return typeOf(rung === 'float64' && row![`codes_${index}`] !== '0' ? 'utf8' : rung);
  });
}

function tryCast(column: string, rung: string, options: RawOptions): string {
  if (rung === 'date' && options.dateFormat) return `try_strptime(${column}, ${literal(options.dateFormat)})`;
  if (rung === 'timestamp' && options.timestampFormat) return `try_strptime(${column}, ${literal(options.timestampFormat)})`;
  return `TRY_CAST(${column} AS ${sqlType(typeOf(rung))})`;
}

/** Begins with a zero before another digit (':' follows '9'): comparing costs a third of what a regular expression does. */
const isCode = (column: string) => `(${['', '-', '+'].map(sign => `${column} >= '${sign}00' AND ${column} < '${sign}0:'`).join(' OR ')})`;

/** A cast to an integer rounds a fraction away, and one to a date the time: what would lose something does not fit. */
function rounded(column: string, rung: string, options: RawOptions): string {
  if (rung === 'int64') return ` OR contains(${column}, '.') OR contains(${column}, 'e') OR contains(${column}, 'E')`;
  return rung === 'date' && !options.dateFormat ? ` OR contains(${column}, ':')` : '';
}

const typeOf = (name: string): DataType => {
  const type = parseTypeName(name);
  if (!type) throw new MillraceError('ARGUMENT_INVALID', {name: 'types', reason: `'${name}' is no type.`});
  return type;
};

/** A column without a value is a 32-bit integer as much as anything. */
const fits = (bits: number, low: unknown, high: unknown): boolean => {
  if (low === null) return true;
  return BigInt.asIntN(bits, BigInt(String(low))) === BigInt(String(low)) && BigInt.asIntN(bits, BigInt(String(high))) === BigInt(String(high));
};

// --- JSON

/** What DuckDB takes for integers in JSON: it mixes signed and unsigned ones into 128 bits. */
const wideIntegers = new Set(['int64', 'uint64', 'decimal(38,0)']);

/**
 * Keys may appear for the first time in the last record, so types and keys are detected over everything; reading then goes by the
 * columns found, which is several times faster than detecting again.
 */
async function sniffJson(lease: Lease, raw: RawFiles): Promise<RawFiles> {
  const found = await queryColumns(lease, `SELECT * FROM read_json(${[literalList(raw.files), ...jsonOptions(raw)].join(', ')})`);
  if (found.length === 0) throw new MillraceError('SOURCE_EMPTY', {path: raw.files[0]});
  const said = raw.options.types ?? {};
  const columns = found.map(({name, type}) => ({name, type: said[name] ?? typeName(type)}));
  // A nested type whose keys hold punctuation has no name that could be read back.
  if (columns.every(({type}) => parseTypeName(type) !== null && typeName(parseTypeName(type)!) === type)) {
    const fixed: RawFiles = {...raw, options: {...raw.options, columns}};
    try {
      return {...raw, options: {...raw.options, columns: await narrowed(lease, fixed, columns)}};
    } catch (error) {
      // Dates in a form that only detection knows.
      if (lease.interrupted) throw error;
    }
  }
  const narrow = (await narrowed(lease, raw, columns)).filter((column, index) => column.type !== columns[index]!.type);
  return {...raw, options: {...raw.options, types: {...Object.fromEntries(narrow.map(({name, type}) => [name, type])), ...said}}};
}

/** Integer columns in the narrowest type that holds their bounds. */
async function narrowed(lease: Lease, raw: RawFiles, columns: readonly {name: string; type: string}[]): Promise<{name: string; type: string}[]> {
  const isWide = ({name, type}: {name: string; type: string}) => wideIntegers.has(type) && raw.options.types?.[name] === undefined;
  const bounds = columns.map((column, index) => (isWide(column) ? `min(${identifier(column.name)}) AS low_${index}, max(${identifier(column.name)}) AS high_${index}` : `count(${identifier(column.name)}) AS n_${index}`));
  const [row] = await objects(lease, `SELECT ${bounds.join(', ')} FROM (${relationSql(raw)})`);
  return columns.map((column, index) => {
    const [low, high] = [row![`low_${index}`], row![`high_${index}`]];
    if (!isWide(column)) return column;
    return {name: column.name, type: fits(32, low, high) ? 'int32' : fits(64, low, high) ? 'int64' : column.type};
  });
}
