/**
 * The SQL of a batch of writes. Each request is made of patches: one for every row given, or for all the rows a condition chooses.
 * A patch and the row it meets make an image: the row as it would be. What is decided about images is decided elsewhere.
 */
import type {SqlValue, StagedFile} from '../engines/engine.ts';
import {identifier, literal, sqlType} from '../engines/sql-text.ts';
import type {DataType, Field, Schema} from '../schemas/schema.ts';
import type {GivenRow, RowCondition, RowWrite, WriteBatch} from '../writes/writes.ts';

/** How a patch finds the row it changes: by key, by `_row_id`, or it is one of those a condition chooses. */
type Meeting = 'key' | 'rowId' | 'condition';

export interface Patch {
  /** Its place in the batch. */
  readonly place: number;
  readonly request: number;
  /** Its place in its request. */
  readonly index: number;
  readonly meets: Meeting;
  readonly values: GivenRow;
  readonly rowId?: string;
  /** True: its image is made of `values` alone, whatever row it meets. */
  readonly isWhole?: boolean;
  /** Columns taken from `values` where there is a row, and those added to its own; all are taken where there is none. */
  readonly set: readonly string[];
  readonly increase: readonly string[];
}

export interface Patches {
  readonly patches: readonly Patch[];
  /** Of the only request that has one. */
  readonly condition: RowCondition | null;
}

const conditionOf = (write: RowWrite): RowCondition | undefined =>
  write.kind === 'insert' ? write.onConflict?.where : 'where' in write.rows ? write.rows.where : undefined;

/** Whether what a request does depends on more than rows it names. */
export const isConditional = (write: RowWrite): boolean => conditionOf(write) !== undefined;

export function patchesOf(requests: WriteBatch['requests']): Patches {
  const patches: Patch[] = [];
  let condition: RowCondition | null = null;
  requests.forEach(({write}, request) => {
    condition ??= conditionOf(write) ?? null;
    const add = (index: number, meets: Meeting, values: GivenRow, rest: Partial<Patch> = {}): void => void patches.push({place: patches.length, request, index, meets, values, set: [], increase: [], ...rest});
    if (write.kind === 'insert') {
      write.rows.forEach((row, index) => add(index, 'key', row, write.onConflict ? {set: write.onConflict.update} : {isWhole: true}));
      return;
    }
    const change = write.kind === 'update' ? {set: Object.keys(write.set), increase: Object.keys(write.increase)} : {};
    const values = write.kind === 'update' ? {...write.set, ...write.increase} : {};
    if ('where' in write.rows) add(0, 'condition', values, change);
    else if ('rowIds' in write.rows) write.rows.rowIds.forEach((rowId, index) => add(index, 'rowId', values, {rowId, ...change}));
    else write.rows.keys.forEach((key, index) => add(index, 'key', keyed(key, values), change));
  });
  return {patches, condition};
}

/** The key that finds a row stands beside what the row is to become, which may be another key. */
const keyed = (key: GivenRow, values: GivenRow): GivenRow => ({...values, ...Object.fromEntries(Object.entries(key).map(([name, value]) => [`${soughtPrefix}${name}`, value]))});
const soughtPrefix = 'write__key_';

/** Keys up to which each is compared with the bounds of files; past it, their own bounds are. */
const fewKeys = 200;

/** The keys that are looked for or written, as the bounds of files with nothing else in them; null where they are no integers. */
export function keyBounds(patches: readonly Patch[], column: string, {fields}: Schema): readonly Pick<StagedFile, 'columns'>[] | null {
  if (fields.find(({name}) => name === column)?.type.kind !== 'int') return null;
  const keys = new Set(patches.flatMap(({values}) => [values[column], values[`${soughtPrefix}${column}`]]).filter(key => typeof key === 'string'));
  const bounds = (min: string, max: string) => ({columns: [{name: column, bytes: 0, nulls: 0, min, max}]});
  if (keys.size <= fewKeys) return [...keys].map(key => bounds(key, key));
  const sorted = [...keys].map(BigInt).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return [bounds(String(sorted[0]), String(sorted.at(-1)))];
}

export interface BatchSql {
  /** Text of a WITH whose last relation is `write__image`, and its parameters. */
  readonly images: string;
  readonly params: readonly SqlValue[];
}

/**
 * Relations it reads: `write__base`, the files that may hold rows that are met, with row ids and file indexes; and those of the condition.
 * `write__image` has the dataset's columns and `write__place`, `write__target` and `write__file` (null where there is no row), `write__holds`
 * (whether the row that is there fulfils the condition of `onConflict`), `write__misfit` (columns whose value is none of their type).
 */
export function batchSql({patches, condition}: Patches, schema: Schema, key: readonly string[] | undefined): BatchSql {
  const given = new Set(patches.flatMap(patch => Object.keys(patch.values)));
  const columns = schema.fields.filter(({name}) => given.has(name));
  const sought = (key ?? []).filter(name => given.has(`${soughtPrefix}${name}`));
  const changed = new Set(patches.flatMap(patch => [...patch.set, ...patch.increase]));
  const meetsRows = changed.size > 0 || patches.some(patch => patch.meets !== 'key') || sought.length > 0;
  const params: SqlValue[] = [...(condition?.params ?? [])];

  const typeOf = (name: string): DataType => schema.fields.find(field => field.name === name)!.type;
  const leaves = [...columns.map(({name, type}): [string, unknown] => [name, leafStructure(type)]), ...sought.map((name): [string, unknown] => [`${soughtPrefix}${name}`, 'VARCHAR'])];
  const structure = JSON.stringify([{
    p: 'INTEGER', m: 'VARCHAR', w: 'BOOLEAN', id: 'BIGINT', s: ['VARCHAR'], i: ['VARCHAR'], v: leaves.length === 0 ? {none: 'VARCHAR'} : Object.fromEntries(leaves.map(([, leaf], index) => [`c${index}`, leaf])),
  }]);
  params.push(JSON.stringify(patches.map(({place, meets, rowId, isWhole = false, set, increase, values}) => ({
    p: place, m: meets, w: isWhole, id: rowId, s: set, i: increase, v: Object.fromEntries(leaves.flatMap(([name], index) => (values[name] === undefined || values[name] === null ? [] : [[`c${index}`, values[name]]]))),
  }))));
  const typed = [
    ...columns.map(({name, type}, index) => ({name, value: fromLeaves(`g.v.c${index}`, type), raw: `g.v.c${index}`})),
    ...sought.map((name, index) => ({name: `${soughtPrefix}${name}`, value: fromLeaves(`g.v.c${columns.length + index}`, typeOf(name)), raw: `g.v.c${columns.length + index}`})),
  ];
  const misfits = typed.map(({name, value, raw}) => `CASE WHEN ${raw} IS NOT NULL AND ${value} IS NULL THEN ${literal(name.replace(soughtPrefix, ''))} END`);
  const patch = `SELECT g.p AS write__place, g.m AS write__meets, g.id AS write__id, g.w AS write__whole, g.s AS write__set, g.i AS write__increase, [${misfits.join(', ')}]::VARCHAR[] AS write__misfits${typed.map(({name, value}) => `, ${value} AS ${identifier(name)}`).join('')}
    FROM (SELECT unnest(from_json($${params.length}::JSON, ${literal(structure)})) AS g)`;

  const overflows: string[] = [];
  const image = schema.fields.map(({name, type}) => {
    const [own, its] = [`p.${identifier(name)}`, `t.${identifier(name)}`];
    const value = given.has(name) ? own : `NULL::${sqlType(type)}`;
    if (!meetsRows) return `${value} AS ${identifier(name)}`;
    const set = patches.some(one => one.set.includes(name)) ? ` OR list_contains(p.write__set, ${literal(name)})` : '';
    const isIncreased = given.has(name) && patches.some(one => one.increase.includes(name));
    const sum = `TRY_CAST(TRY(${its} + ${own}) AS ${sqlType(type)})`;
    if (isIncreased) overflows.push(`CASE WHEN list_contains(p.write__increase, ${literal(name)}) AND ${its} IS NOT NULL AND ${own} IS NOT NULL AND ${sum} IS NULL THEN ${literal(name)} END`);
    return `CASE WHEN t._row_id IS NULL OR p.write__whole${set} THEN ${value}${isIncreased ? ` WHEN list_contains(p.write__increase, ${literal(name)}) THEN ${sum}` : ''} ELSE ${its} END AS ${identifier(name)}`;
  });
  const keyOf = (name: string): string => (sought.length > 0 ? `coalesce(p.${identifier(`${soughtPrefix}${name}`)}${given.has(name) ? `, p.${identifier(name)}` : ''})` : given.has(name) ? `p.${identifier(name)}` : `NULL::${sqlType(typeOf(name))}`);
  const soughtText = key?.length ? `CASE WHEN p.write__meets = 'key' THEN ${textOf(key.map(keyOf))} END` : 'NULL::VARCHAR';
  const holds = condition && patches.some(one => one.meets === 'key' && one.set.length > 0) ? `t._row_id IN (SELECT _row_id FROM (${condition.sql}) AS chosen)` : 'true';
  const head = `p.write__place, ${holds} AS write__holds, ${soughtText} AS write__sought, t._row_id AS write__target, t._file AS write__file, list_filter(list_concat(p.write__misfits, [${overflows.join(', ')}]::VARCHAR[]), lambda one: one IS NOT NULL) AS write__misfit`;
  const select = (from: string): string => `SELECT ${[head, ...image].join(', ')} FROM write__patch AS p ${from}`;
  const met = (meets: Meeting): boolean => patches.some(one => one.meets === meets);
  const parts = [
    ...(met('key') ? [select(`LEFT JOIN write__base AS t ON ${key?.length ? key.map(name => `${keyOf(name)} = t.${identifier(name)}`).join(' AND ') : 'false'} WHERE p.write__meets = 'key'`)] : []),
    ...(met('rowId') ? [select("LEFT JOIN write__base AS t ON p.write__id = t._row_id WHERE p.write__meets = 'rowId'")] : []),
    ...(met('condition') ? [select(`JOIN write__base AS t ON t._row_id IN (SELECT _row_id FROM (${condition!.sql}) AS chosen) WHERE p.write__meets = 'condition'`)] : []),
  ];
  return {images: `WITH write__patch AS (${patch}), write__image AS (${parts.join(' UNION ALL ')})`, params};
}

/** The structure of the JSON a value travels as: every leaf is text. */
function leafStructure(type: DataType): unknown {
  switch (type.kind) {
    case 'list':
      return [leafStructure(type.element.type)];
    case 'struct':
      return Object.fromEntries(type.fields.map(({name, type: inner}) => [name, leafStructure(inner)]));
    case 'map':
      return [{key: leafStructure(type.key.type), value: leafStructure(type.value.type)}];
    default:
      return 'VARCHAR';
  }
}

/** The value of the leaves; null where they are none of the type. */
function fromLeaves(leaves: string, type: DataType, depth = 0): string {
  switch (type.kind) {
    case 'binary':
      return `TRY(from_base64(${leaves}))`;
    case 'list': {
      const element = `e${depth}`;
      return `list_transform(${leaves}, lambda ${element}: ${fromLeaves(element, type.element.type, depth + 1)})`;
    }
    case 'struct':
      return `CASE WHEN ${leaves} IS NOT NULL THEN {${type.fields.map(({name, type: inner}: Field) => `${literal(name)}: ${fromLeaves(`struct_extract(${leaves}, ${literal(name)})`, inner, depth)}`).join(', ')}} END`;
    case 'map': {
      const entry = `e${depth}`;
      return `map_from_entries(list_transform(${leaves}, lambda ${entry}: {'k': ${fromLeaves(`${entry}.key`, type.key.type, depth + 1)}, 'v': ${fromLeaves(`${entry}.value`, type.value.type, depth + 1)}}))`;
    }
    default:
      return `TRY_CAST(${leaves} AS ${sqlType(type)})`;
  }
}

const textOf = (values: readonly string[]): string => `to_json([${values.map(value => `${value}::VARCHAR`).join(', ')}])::VARCHAR`;

/** Text by which tuples of values are told apart; null where one of them is. */
export const tupleText = (columns: readonly string[], alias: string): string => {
  const names = columns.map(name => `${alias}.${identifier(name)}`);
  return `CASE WHEN ${names.map(name => `${name} IS NOT NULL`).join(' AND ')} THEN ${textOf(names)} END`;
};

/** Ids of the rows that have the image's values in these columns. */
export const holders = (columns: readonly string[], alias: string): string =>
  `(SELECT list(held._row_id) FROM write__base AS held WHERE ${columns.map(name => `held.${identifier(name)} = ${alias}.${identifier(name)}`).join(' AND ')})`;

/** A relation of ids given as JSON text. */
export const idsSql = (param: number): string => `(SELECT unnest(from_json($${param}::JSON, '["BIGINT"]')))`;
