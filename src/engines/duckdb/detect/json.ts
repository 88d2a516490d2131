import {MillraceError} from '../../../core/errors.ts';
import type {ColumnEvidence, Detection, Dialect, Evidence} from '../../../schemas/detection/detection.ts';
import {legalNames} from '../../../schemas/names.ts';
import {parseTypeName} from '../../../schemas/parse-type.ts';
import {typeName} from '../../../schemas/schema.ts';
import type {Field} from '../../../schemas/schema.ts';
import type {RawColumn, RawFiles, Unread} from '../../engine.ts';
import {identifier, literal, literalList} from '../../sql-text.ts';
import type {Lease} from '../database.ts';
import {nameOf} from '../failures.ts';
import {jsonOptions, queryColumns, relationSql} from '../relations.ts';
import {described, fits, proveColumns, typeOf} from './columns.ts';
import type {ProvenColumn, TextColumn} from './columns.ts';
import {typedScan} from './typed.ts';
import type {TypedFinding} from './typed.ts';

/** What DuckDB takes for integers in JSON: it mixes signed and unsigned ones into 128 bits. */
const wideIntegers = new Set(['int64', 'uint64', 'decimal(38,0)']);
/** What strings of JSON may be: which of them are dates is told by the rules that texts of all files have. */
const strings = new Set(['utf8', 'date', 'time', 'timestamp', 'timestamptz', 'uuid']);
/** Past it a float no longer holds every whole number. */
const exactFloat = 2 ** 53;

export const noDialect: Dialect = {delimiter: null, quote: null, escape: null, header: null, skip: 0, newline: null, encoding: 'utf-8', evidence: []};

/**
 * Columns of JSON. Keys may appear for the first time in the last record, so types and keys are detected over everything; reading then
 * goes by the columns found, which is several times faster than detecting again.
 */
export async function detectJson(lease: Lease, raw: RawFiles): Promise<Detection & {raw: RawFiles; unread?: Unread}> {
  const found = await queryColumns(lease, `SELECT * FROM read_json(${[literalList(raw.files), ...jsonOptions({...raw, options: {...raw.options, columns: undefined}})].join(', ')})`);
  if (found.length === 0) throw new MillraceError('SOURCE_EMPTY', {path: nameOf('', raw)});
  const readings = raw.options.readings ?? {};
  const said: Record<string, string> = {...raw.options.types, ...Object.fromEntries(Object.entries(readings).map(([name, {type}]) => [name, type])), ...Object.fromEntries((raw.options.columns ?? []).map(column => [column.name, column.type]))};
  const columns = found.map(({name, type}) => ({name, type: said[name] ?? typeName(type)}));
  // A nested type whose keys hold punctuation has no name that could be read back.
  const named = columns.every(({type}) => parseTypeName(type) !== null && typeName(parseTypeName(type)!) === type);
  if (!named) {
    const finding = await typedScan(lease, relationSql({...raw, options: {...raw.options, columns: undefined}}), found);
    const types = Object.fromEntries(found.flatMap(({name}, index) => {
      const narrow = said[name] === undefined ? narrowed(columns[index]!.type, finding, index) : undefined;
      return narrow === undefined || narrow === columns[index]!.type ? [] : [[name, narrow]];
    }));
    const fixed: RawFiles = {...raw, options: {...raw.options, columns: undefined, types: {...types, ...said}}};
    const again = await queryColumns(lease, relationSql(fixed));
    return typedDetection(fixed, again.map(({name, type}): Field => ({id: 0, name, type, nullable: true})), finding, again.map(() => []));
  }

  const mixed = await mixedColumns(lease, raw, columns.filter(({name, type}) => type === 'json' && said[name] === undefined).map(({name}) => name));
  // What must be read in some way, or be told of, is read from its text.
  const toProve = ({name}: {name: string}): boolean => readings[name] !== undefined && !/^(list|struct|map|json)/.test(readings[name].type) && (raw.options.lenient === true || readings[name].type !== said[name] || readings[name].format !== undefined);
  const asText = new Set(columns.filter(column => toProve(column) || (said[column.name] === undefined && (strings.has(column.type) || mixed.get(column.name)?.text === true))).map(({name}) => name));
  const typed = columns.filter(({name}) => !asText.has(name));
  const relation = (some: readonly RawColumn[]): string => relationSql({...raw, options: {...raw.options, columns: some}});
  const everything: RawColumn[] = columns.map(({name, type}) => ({name, type: asText.has(name) ? 'utf8' : type}));
  const finding = await typedScan(lease, relation(everything), everything.map(({name, type}) => ({name, type: typeOf(type)})));
  // Numbers with more digits than a float holds are read again, as texts.
  for (const {name, type} of typed) {
    const {min, max} = finding.profile[columns.findIndex(column => column.name === name)]!;
    if (type === 'float64' && said[name] === undefined && [min, max].some(bound => bound !== null && Math.abs(Number(bound)) > exactFloat)) asText.add(name);
  }
  const wide = new Set(typed.map(({name}) => name).filter(name => asText.has(name)));
  const texts = columns.flatMap(({name}, index): TextColumn[] => (asText.has(name) ? [{name, column: identifier(name), sample: finding.samples[index]!, evidence: mixed.get(name)?.evidence ?? [], ...(readings[name] ? {said: readings[name]} : {}), ...(wide.has(name) ? {} : {strings: true})}] : []));
  const proven = await proveColumns(lease, `(${relation(texts.map(({name}) => ({name, type: 'utf8'})))})`, texts, raw);
  const byName = new Map(proven.map(one => [one.raw.name, one]));
  const all = columns.map(({name, type}, index): ProvenColumn => byName.get(name) ?? {
    raw: {name, type: said[name] ?? narrowed(type, finding, index)}, evidence: mixed.get(name)?.evidence ?? [],
    finding: {rows: finding.rows, empty: finding.profile[index]!.nulls, emptyTexts: 0, words: 0, bad: 0, badTexts: [], ...finding.profile[index]!},
  });
  const unread = raw.options.lenient ? {unread: {values: proven.reduce((sum, {finding: {bad}, raw: {type}}) => sum + (type === 'utf8' ? 0 : bad), 0), lines: []}} : {};
  return {...described(all, finding.samples), ...unread, raw: {...raw, options: {...raw.options, columns: all.map(({raw: column}) => column)}}, rowCount: finding.rows, sampleRows: finding.sampleRows, dialect: noDialect};
}

/** Columns with values of several kinds; those of strings and numbers can be texts, what else there is stays JSON. */
async function mixedColumns(lease: Lease, raw: RawFiles, names: readonly string[]): Promise<Map<string, {text: boolean; evidence: Evidence[]}>> {
  const result = new Map<string, {text: boolean; evidence: Evidence[]}>();
  if (names.length === 0) return result;
  const options = {...raw.options, columns: names.map(name => ({name, type: 'json'}))};
  const kinds: Readonly<Record<string, readonly string[]>> = {string: ['VARCHAR'], number: ['UBIGINT', 'BIGINT', 'DOUBLE', 'HUGEINT'], boolean: ['BOOLEAN'], list: ['ARRAY'], object: ['OBJECT']};
  const measures = names.flatMap((name, index) => Object.entries(kinds).map(([kind, types]) =>
    `count(*) FILTER (json_type(${identifier(name)}) IN (${types.map(literal).join(', ')})) AS ${kind}${index}, any_value(left(${identifier(name)}, 40)) FILTER (json_type(${identifier(name)}) IN (${types.map(literal).join(', ')})) AS ${kind}_${index}`));
  const row = (await lease.connection.runAndReadAll(`SELECT ${measures.join(', ')} FROM (${relationSql({...raw, options})})`)).getRowObjectsJson()[0]!;
  names.forEach((name, index) => {
    const there = Object.keys(kinds).map(kind => ({kind, count: Number(row[`${kind}${index}`]), example: String(row[`${kind}_${index}`])})).filter(({count}) => count > 0).sort((a, b) => b.count - a.count);
    const text = there.length === 2 && there.every(({kind}) => kind === 'string' || kind === 'number');
    if (there.length < 2) return;
    const [, ...fewer] = there;
    result.set(name, {
      text,
      evidence: [{
        rule: 'mixed_json', ambiguous: true, count: fewer.reduce((sum, {count}) => sum + count, 0),
        detail: `${there.map(({kind, count, example}) => `${count} ${kind}${count === 1 ? '' : 's'} (${example})`).join(', ')}: ${text ? 'all are kept as text, numbers as they are written' : 'kept as JSON'}`,
      }],
    });
  });
  return result;
}

/** An integer type that holds the bounds; other types as they are. */
function narrowed(type: string, {profile}: TypedFinding, index: number): string {
  const {min, max} = profile[index]!;
  if (!wideIntegers.has(type)) return type;
  if (min === null || max === null) return 'int32';
  return [32, 64].find(bits => fits(bits, min) && fits(bits, max)) === undefined ? type : fits(32, min) && fits(32, max) ? 'int32' : 'int64';
}

/** Of files whose columns have their types already. */
export function typedDetection(raw: RawFiles, columns: readonly Field[], {rows, profile, sampleRows}: TypedFinding, evidence: readonly (readonly Evidence[])[]): Detection & {raw: RawFiles} {
  const names = legalNames(columns.map(({name}) => name));
  return {
    raw, rowCount: rows, sampleRows, dialect: noDialect,
    schema: {fields: columns.map((field, index) => ({...field, name: names[index]!, ...(names[index] === field.name ? {} : {sourceName: field.name}), nullable: rows === 0 || profile[index]!.nulls > 0}))},
    profile: profile.map((one, index) => ({...one, name: names[index]!})),
    evidence: columns.map(({name}, index): ColumnEvidence => ({
      column: names[index]!, evidence: [...(names[index] === name ? [] : [{rule: 'name_mapped', detail: `'${name}' is ${names[index]} here`, count: null} as const]), ...evidence[index]!],
    })),
  };
}
