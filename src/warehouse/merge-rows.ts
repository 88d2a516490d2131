/** Which rows of an input win over those of their key, and which rows of a dataset they replace or delete. */
import {MillraceError} from '../core/errors.ts';
import type {Engine, Query, StagedFile, Table, Work} from '../engines/engine.ts';
import {identifier} from '../engines/sql-text.ts';
import type {Contract} from '../schemas/contract.ts';
import type {Field, Schema} from '../schemas/schema.ts';
import {widens} from '../schemas/evolve.ts';
import type {FileRecord, MergeBy, WriteMode} from './warehouse.ts';

const number = (id: number, name: string): Field => ({id, name, type: {kind: 'int', bits: 64, signed: true}, nullable: true});

/**
 * One row for each row of the input that wins: its place there, and the row of the dataset that it replaces or deletes (and the place
 * of that row's file among those looked at), null when there is none.
 */
export const changeSchema: Schema = {
  fields: [number(1, 'input_row'), number(2, 'target_row'), number(3, 'target_file'), {id: 4, name: 'deleted', type: {kind: 'bool'}, nullable: false}],
};

const inputRow = 'input._row_id';

/**
 * The rows that win, as `changeSchema`. One hash table of the input's keys, probed by a scan of the key columns of `target`.
 * @param relations.input staged rows, `_row_id` being their place
 * @param relations.target the files that may hold rows of the same keys, with row ids and file indexes
 */
export function changesQuery(key: readonly string[], {latestBy, deletedWhen}: MergeBy, deletesAll: boolean, relations: {readonly input: Table; readonly target: Table}): Query {
  const keys = key.map(identifier);
  const latest = latestBy === undefined ? null : identifier(latestBy);
  const deleted = deletesAll ? 'true' : deletedWhen === undefined ? 'false' : `(\n${deletedWhen}\n) IS TRUE`;
  const ranked = `SELECT ${keys.join(', ')}${latest ? `, ${latest} AS latest__value` : ''}, ${deleted} AS is__deleted, ${inputRow} AS input__row,
    row_number() OVER (PARTITION BY ${keys.join(', ')} ORDER BY ${latest ? `${latest} DESC NULLS LAST, ` : ''}${inputRow} DESC) AS nth__row FROM input`;
  const wins = latest ? `target.${latest} IS NULL OR winner.latest__value >= target.${latest}` : 'true';
  return {
    sql: `SELECT winner.input__row AS input_row, target._row_id AS target_row, target._file::BIGINT AS target_file, winner.is__deleted AS deleted
      FROM (SELECT * FROM (${ranked}) AS ranked WHERE nth__row = 1) AS winner LEFT JOIN target ON ${keys.map(one => `winner.${one} = target.${one}`).join(' AND ')}
      WHERE ${wins}`,
    relations,
  };
}

/** The rows of some files as they are after the change, with their ids. @param own columns that the input has: the others keep their value */
export function rewrittenQuery(schema: Schema, own: ReadonlySet<string>, deletesAll: boolean, relations: {readonly input: Table; readonly target: Table; readonly changes: Table}): Query {
  const columns = schema.fields.map(({name}) => identifier(name));
  const taken = deletesAll ? [] : schema.fields.filter(({name}) => own.has(name)).map(({name}) => identifier(name));
  const change = `SELECT changes.target_row AS target__row, changes.deleted AS is__deleted${taken.map(name => `, input.${name}`).join('')}
    FROM changes JOIN input ON ${inputRow} = changes.input_row WHERE changes.target_row IS NOT NULL`;
  const values = columns.map(name => (taken.includes(name) ? `CASE WHEN change.target__row IS NULL THEN target.${name} ELSE change.${name} END AS ${name}` : `target.${name}`));
  return {
    sql: `SELECT ${values.join(', ')}, target._row_id AS _row_id FROM target LEFT JOIN (${change}) AS change ON change.target__row = target._row_id
      WHERE change.is__deleted IS NOT TRUE ORDER BY target._row_id`,
    relations,
  };
}

/** The rows of the input that the dataset has no row of the key of, in their order. */
export function insertedQuery(written: Schema, relations: {readonly input: Table; readonly changes: Table}): Query {
  const columns = written.fields.map(({name}) => `input.${identifier(name)}`);
  return {
    sql: `SELECT ${columns.join(', ')} FROM input JOIN changes ON changes.input_row = ${inputRow} WHERE changes.target_row IS NULL AND NOT changes.deleted ORDER BY ${inputRow}`,
    relations,
  };
}

/**
 * What is asked of the rows of an input by themselves. Rows of the same key replace each other in a merge, and partitions their rows:
 * there, that rows are unique is asked of the whole afterwards. What only deletes need not keep to anything.
 */
export function contractOfInput(contract: Contract, mode: WriteMode): Contract {
  if (mode === 'delete') return {};
  if (mode !== 'merge') return contract;
  const {key = [], checks = []} = contract;
  return {...contract, key: undefined, checks: [...checks.filter(check => !check.unique), ...(contract.onBadRow === undefined || contract.onBadRow === 'null_value' ? [] : key.map(notNull => ({notNull})))]};
}

/** What rows that delete are staged with: the dataset's types where it has the columns. */
export function deletingSchema(schema: Schema, described: Schema): Schema {
  const own = new Map(schema.fields.map(field => [field.name, field]));
  let next = Math.max(0, ...schema.fields.map(field => field.id)) + 1;
  const fields = described.fields.map(field => {
    const its = own.get(field.name);
    return {...field, id: its?.id ?? next++, type: its && widens(field.type, its.type) ? its.type : field.type};
  });
  return {fields};
}

/** @throws CONTRACT_INVALID when there is no key, or the input or the dataset lacks a column of it; KEY_NULL */
export async function checkMergeKey(dataset: string, key: readonly string[] | undefined, input: Table, engine: Engine, work: Work): Promise<readonly string[]> {
  if (!key || key.length === 0) throw new MillraceError('CONTRACT_INVALID', {dataset, reason: 'it has no key, by which rows could be merged or deleted'});
  const missing = key.find(column => !input.schema.fields.some(field => field.name === column));
  if (missing !== undefined) throw new MillraceError('CONTRACT_INVALID', {dataset, reason: `the input has no column '${missing}', which is part of the key`});
  const [nulls] = await engine.rows({sql: `SELECT ${key.map((column, index) => `count(*) FILTER (${identifier(column)} IS NULL) AS n${index}`).join(', ')} FROM input`, relations: {input}}, work);
  key.forEach((column, index) => {
    if (Number(nulls![`n${index}`]) > 0) throw new MillraceError('KEY_NULL', {dataset, column, count: nulls![`n${index}`]});
  });
  return key;
}

/** Types whose bounds in a manifest compare exactly; those of text may be cut off. */
const comparable: Readonly<Partial<Record<Field['type']['kind'], (a: string, b: string) => boolean>>> = {
  int: (a, b) => BigInt(a) < BigInt(b),
  date: (a, b) => a < b,
};
/** Years of four digits compare as text. */
const plainDate = /^\d{4}-\d\d-\d\d$/;

/** Whether a file may hold a row of a key of the input, by the bounds of its columns. */
export function mayHold(file: Pick<FileRecord, 'columns'>, key: readonly string[], input: readonly Pick<StagedFile, 'columns'>[], schema: Schema): boolean {
  return key.every(column => {
    const {kind} = schema.fields.find(field => field.name === column)!.type;
    const less = comparable[kind];
    const own = file.columns.find(one => one.name === column);
    const its = input.map(one => one.columns.find(staged => staged.name === column));
    const bounds = [own?.min, own?.max, ...its.flatMap(one => [one?.min, one?.max])];
    if (!less || bounds.some(bound => bound === null || bound === undefined || (kind === 'date' && !plainDate.test(bound)))) return true;
    return its.some(one => !less(own!.max!, one!.min!) && !less(one!.max!, own!.min!));
  });
}
