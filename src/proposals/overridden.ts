import {MillraceError, didYouMean} from '../core/errors.ts';
import type {Reading} from '../schemas/detection/infer-column.ts';
import {isLegal} from '../schemas/names.ts';
import {parseTypeName} from '../schemas/parse-type.ts';
import {typeName} from '../schemas/schema.ts';
import type {Field, Schema} from '../schemas/schema.ts';
import type {Overrides, Proposal} from './proposals.ts';

/** A proposal's columns as the user wants them: their schema, and how they are read. @throws ARGUMENT_INVALID */
export function overridden({detection: {schema}, readings}: Pick<Proposal, 'detection' | 'readings'>, overrides: Overrides): {schema: Schema; readings: readonly Reading[]} {
  const of = <T>(what: keyof Overrides): Map<Field, T> => new Map(Object.entries((overrides[what] ?? {}) as Record<string, T>).map(([name, value]) => [columnOf(schema, name, what), value]));
  const [types, nulls, formats, names] = [of<string>('types'), of<readonly string[]>('nulls'), of<string>('formats'), of<string>('names')];
  const fields = schema.fields.map((field): Field => {
    const type = types.get(field);
    const name = names.get(field) ?? field.name;
    if (!isLegal(name)) throw new MillraceError('ARGUMENT_INVALID', {name: 'overrides.names', reason: `'${name}' is no legal name: letters, digits and underscores, beginning with a letter.`});
    const sourceName = field.sourceName ?? field.name;
    return {...field, name, sourceName: name === sourceName ? undefined : sourceName, type: type === undefined ? field.type : typeOf(type), nullable: field.nullable || nulls.has(field)};
  });
  const twice = fields.find((field, index) => fields.findIndex(other => other.name.toLowerCase() === field.name.toLowerCase()) < index);
  if (twice) throw new MillraceError('ARGUMENT_INVALID', {name: 'overrides.names', reason: `two columns would be named '${twice.name}'.`});
  const read = schema.fields.map((field, index): Reading => {
    const {type, format, booleans, nulls: words} = readings[index] ?? {type: typeName(field.type)};
    const [said, form] = [types.get(field), formats.get(field)];
    // Another type is written in its own way.
    const written = said === undefined ? {format, booleans} : {};
    return {...written, ...(form === undefined ? {} : {format: form}), type: said ?? type, nulls: nulls.get(field) ?? words};
  });
  return {schema: {fields}, readings: read};
}

function columnOf({fields}: Schema, name: string, what: string): Field {
  const found = fields.find(field => field.name === name) ?? fields.find(field => field.sourceName === name);
  if (found) return found;
  throw new MillraceError('ARGUMENT_INVALID', {name: `overrides.${what}`, reason: `'${name}' is no column of the proposal. ${didYouMean(name, fields.map(field => field.name))}`.trim()});
}

function typeOf(name: string): Field['type'] {
  const type = parseTypeName(name);
  if (!type) throw new MillraceError('ARGUMENT_INVALID', {name: 'overrides.types', reason: `'${name}' is no type; for example int64, utf8, decimal(18,2).`});
  return type;
}
