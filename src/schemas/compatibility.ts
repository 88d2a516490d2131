/**
 * What changed between two schemas of a dataset, and whether those who read it can go on.
 *
 * The modes are those of Avro's registries. Backward: who knows the new schema can read old data. Forward: who knows an old schema
 * can read new data. Full: both. Transitive: not only of the newest earlier schema, but of each. Readers are pipelines, clients of
 * the graph and models; they find columns by name, while files are read by field id. So, for columns:
 *
 * | change            | backward      | forward | because                                                                  |
 * |-------------------|---------------|---------|--------------------------------------------------------------------------|
 * | added             | when nullable | yes     | files that lack a column give null                                       |
 * | removed           | yes           | no      | a reader that names it fails: nobody gives readers a default, so none is optional |
 * | renamed           | yes           | no      | the id finds the old files' values, but readers know the old name        |
 * | widened           | yes           | no      | every old value is a value of the new type, not the other way            |
 * | narrowed          | no            | yes     |                                                                          |
 * | retyped           | no            | no      |                                                                          |
 * | made nullable     | yes           | no      | a reader that counts on a value may meet null                            |
 * | made not null     | no            | yes     |                                                                          |
 *
 * The same holds for members of structs and elements of lists. Order says nothing.
 */
import type {Compatibility} from './contract.ts';
import {nestedFields, widens} from './evolve.ts';
import type {DataType, Field, Schema} from './schema.ts';
import {typeName} from './schema.ts';

export type ChangeKind = 'added' | 'removed' | 'renamed' | 'widened' | 'narrowed' | 'retyped' | 'made_nullable' | 'made_not_null';

export interface SchemaChange {
  readonly kind: ChangeKind;
  /** Its name before, or where it was added its name now: `delay`, `address.city`, `tags[]`. */
  readonly column: string;
  /** Types; names where it was renamed; `not null` and `nullable`. Null on the side where there is no such column. */
  readonly from: string | null;
  readonly to: string | null;
  /** Whether readers of the new schema can read old data, as far as this change goes. */
  readonly backward: boolean;
  /** Whether readers of the old schema can read new data. */
  readonly forward: boolean;
}

/** What readers can do after a change; for an added column, after one that may be null. */
const verdicts: Readonly<Record<ChangeKind, {readonly backward: boolean; readonly forward: boolean}>> = {
  added: {backward: true, forward: true},
  removed: {backward: true, forward: false},
  renamed: {backward: true, forward: false},
  widened: {backward: true, forward: false},
  narrowed: {backward: false, forward: true},
  retyped: {backward: false, forward: false},
  made_nullable: {backward: true, forward: false},
  made_not_null: {backward: false, forward: true},
};

const change = (kind: ChangeKind, column: string, from: string | null, to: string | null): SchemaChange => ({kind, column, from, to, ...verdicts[kind]});

/** Every change from one schema to another, in the order of the new columns; what was removed comes last. */
export function schemaChanges(before: Schema, after: Schema): SchemaChange[] {
  return changesOf(before.fields, after.fields, name => name);
}

function changesOf(before: readonly Field[], after: readonly Field[], path: (name: string) => string): SchemaChange[] {
  const twins = twinsOf(before, after);
  const kept = new Set(twins.values());
  return [
    ...after.flatMap(field => {
      const twin = twins.get(field);
      return twin ? changesOfField(twin, field, path(twin.name)) : [{...change('added', path(field.name), null, typeName(field.type)), backward: field.nullable}];
    }),
    ...before.filter(field => !kept.has(field)).map(field => change('removed', path(field.name), typeName(field.type), null)),
  ];
}

/** Each new field's old one: of the same id, else of the same name, since a column of another type is another column. */
function twinsOf(before: readonly Field[], after: readonly Field[]): Map<Field, Field> {
  const twins = new Map<Field, Field>();
  const free = new Set(before);
  const pair = <K>(keyOf: (field: Field) => K): void => {
    const olds = new Map([...free].reverse().map(old => [keyOf(old), old]));
    for (const field of after) {
      const twin = twins.has(field) ? undefined : olds.get(keyOf(field));
      if (!twin || !free.delete(twin)) continue;
      twins.set(field, twin);
    }
  };
  // 0 is no id yet.
  pair(field => (field.id > 0 ? field.id : field));
  pair(field => field.name);
  return twins;
}

function changesOfField(before: Field, after: Field, column: string): SchemaChange[] {
  return [
    ...(before.name === after.name ? [] : [change('renamed', column, before.name, after.name)]),
    ...changesOfType(before.type, after.type, column),
    ...(before.nullable === after.nullable ? [] : [after.nullable ? change('made_nullable', column, 'not null', 'nullable') : change('made_not_null', column, 'nullable', 'not null')]),
  ];
}

function changesOfType(before: DataType, after: DataType, column: string): SchemaChange[] {
  const nested = nestedFields(before);
  if (nested.length > 0 && before.kind === after.kind) {
    return changesOf(nested, nestedFields(after), name => (before.kind === 'list' ? `${column}[]` : `${column}.${name}`));
  }
  if (typeName(before) === typeName(after)) return [];
  const kind = widens(before, after) ? 'widened' : widens(after, before) ? 'narrowed' : 'retyped';
  return [change(kind, column, typeName(before), typeName(after))];
}

/** A change in words: `+ city utf8`, `- zip int32`, `delay: int32 → int64`, `dest renamed to destination`, `delay may be null`. */
export function changeSays({kind, column, from, to}: SchemaChange): string {
  switch (kind) {
    case 'added':
      return `+ ${column} ${to}`;
    case 'removed':
      return `- ${column} ${from}`;
    case 'renamed':
      return `${column} renamed to ${to}`;
    case 'made_nullable':
      return `${column} may be null`;
    case 'made_not_null':
      return `${column} is never null`;
    default:
      return `${column}: ${from} → ${to}`;
  }
}

export interface VersionedSchema {
  readonly version: number;
  readonly schema: Schema;
}

/** A change that a mode does not allow, and the version it is a change from. */
export interface Incompatible {
  readonly since: number;
  readonly change: SchemaChange;
}

/** Whether a mode allows a change. */
export function allows(mode: Compatibility, {backward, forward}: SchemaChange): boolean {
  switch (mode.replace('_transitive', '')) {
    case 'backward':
      return backward;
    case 'forward':
      return forward;
    case 'full':
      return backward && forward;
    default:
      return true;
  }
}

export const isTransitive = (mode: Compatibility): boolean => mode.endsWith('_transitive');

/**
 * What a mode does not allow of a new schema; empty when it fits.
 *
 * @param previous newest first; only the first counts unless the mode is transitive
 */
export function incompatibilities(mode: Compatibility, previous: readonly VersionedSchema[], next: Schema): Incompatible[] {
  const found = new Map<string, Incompatible>();
  for (const {version, schema} of isTransitive(mode) ? previous : previous.slice(0, 1)) {
    for (const made of schemaChanges(schema, next)) {
      const text = changeSays(made);
      if (!allows(mode, made) && !found.has(text)) found.set(text, {since: version, change: made});
    }
  }
  return [...found.values()];
}
