import {MillraceError} from '../core/errors.ts';
import type {DataType, Field, Schema} from './schema.ts';
import {typeName} from './schema.ts';

/** The fields nested directly in a type. */
export function nestedFields(type: DataType): readonly Field[] {
  switch (type.kind) {
    case 'list':
      return [type.element];
    case 'struct':
      return type.fields;
    case 'map':
      return [type.key, type.value];
    default:
      return [];
  }
}

function withNestedFields(type: DataType, fields: readonly Field[]): DataType {
  switch (type.kind) {
    case 'list':
      return {...type, element: fields[0]!};
    case 'struct':
      return {...type, fields};
    case 'map':
      return {...type, key: fields[0]!, value: fields[1]!};
    default:
      return type;
  }
}

/** Whether every value of `from` is a value of `to` with the same meaning, so that old files can be read as `to`. */
export function widens(from: DataType, to: DataType): boolean {
  if (from.kind === 'int' && to.kind === 'int') {
    return from.signed === to.signed ? to.bits >= from.bits : to.signed && to.bits > from.bits;
  }
  if (from.kind === 'float' && to.kind === 'float') return to.bits >= from.bits;
  if (from.kind === 'decimal' && to.kind === 'decimal') return to.scale === from.scale && to.precision >= from.precision;
  return typeName(from) === typeName(to);
}

/** Old name → new name. */
export type Renames = Readonly<Record<string, string>>;

function renamed(past: Schema, described: Schema, renames: Renames): Schema {
  const taken = new Set(past.fields.map(field => field.name));
  const wanted = new Set(described.fields.map(field => field.name));
  return {
    fields: past.fields.map(field => {
      const name = Object.hasOwn(renames, field.name) ? renames[field.name]! : field.name;
      return wanted.has(name) && !taken.has(name) ? {...field, name} : field;
    }),
  };
}

/**
 * The schema of a dataset after a commit, with field ids: columns that keep their name and a type that fits keep their id; others
 * get new ones from `nextId`, top-level columns first, then nested ones.
 *
 * @param mode append: what lies there stays readable, so a column keeps the wider type and stays when it is missing;
 *   overwrite: the new columns, whatever lies there
 * @param renames old name → new name; one whose new name is described, and is no column yet, keeps the id
 * @throws SCHEMA_INCOMPATIBLE only when appending
 */
export function evolve(dataset: string, past: Schema | null, described: Schema, mode: 'append' | 'overwrite', nextId: number, renames: Renames = {}): Schema {
  const previous = past && renamed(past, described, renames);
  const old = new Map((previous?.fields ?? []).map(field => [field.name, field]));
  const inLowerCase = new Map([...old.values()].map(field => [field.name.toLowerCase(), field]));
  const refused: string[] = [];
  let next = nextId;
  const fresh: Field[] = [];

  const top = described.fields.map((field): Field => {
    const before = old.get(field.name);
    if (!before) {
      // SQL does not tell names apart by case: two such columns could not be read.
      const twin = mode === 'append' && inLowerCase.get(field.name.toLowerCase());
      if (twin) refused.push(`${twin.name} → ${field.name}`);
      const added = {...field, id: next++, nullable: field.nullable || (mode === 'append' && previous !== null)};
      fresh.push(added);
      return added;
    }
    const nullable = mode === 'append' ? before.nullable || field.nullable : field.nullable;
    if (typeName(before.type) === typeName(field.type)) return {...field, id: before.id, type: before.type, nullable};
    if (widens(before.type, field.type)) return {...field, id: before.id, nullable};
    if (mode === 'append') {
      if (widens(field.type, before.type)) return {...field, id: before.id, type: before.type, nullable};
      refused.push(`${field.name}: ${typeName(before.type)} → ${typeName(field.type)}`);
    }
    const replaced = {...field, id: next++};
    fresh.push(replaced);
    return replaced;
  });

  if (refused.length > 0) throw new MillraceError('SCHEMA_INCOMPATIBLE', {dataset, misfit: 'does not fit what lies there', changes: refused.join(', '), broken: ''});

  const numbered = top.map(field => (fresh.includes(field) ? numberNested(field) : field));
  if (mode === 'overwrite' || !previous) return {fields: numbered};
  // Columns stay where they were; new ones come last.
  const now = new Map(numbered.map(field => [field.name, field]));
  const kept = previous.fields.map(field => now.get(field.name) ?? {...field, nullable: true});
  return {fields: [...kept, ...numbered.filter(field => !old.has(field.name))]};

  function numberNested(field: Field): Field {
    const nested = nestedFields(field.type).map(child => ({...child, id: next++}));
    return nested.length === 0 ? field : {...field, type: withNestedFields(field.type, nested.map(numberNested))};
  }
}
