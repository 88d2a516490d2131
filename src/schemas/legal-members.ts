import {legalNames} from './names.ts';
import type {DataType, Field, Schema} from './schema.ts';

/** The schema with legal names for the members of structs too; the name that engines know a member by is then its `sourceName`. */
export function withLegalMembers(schema: Schema): Schema {
  return mapTypes(schema, fields => {
    const names = legalNames(fields.map(field => field.name));
    return fields.map((field, index) => ({...field, name: names[index]!, sourceName: field.name}));
  });
}

/** The schema as engines know it: what `withLegalMembers` did is undone. */
export function withEngineMembers(schema: Schema): Schema {
  return mapTypes(schema, fields => fields.map(({sourceName, ...field}) => ({...field, name: sourceName ?? field.name})));
}

function mapTypes(schema: Schema, members: (fields: readonly Field[]) => readonly Field[]): Schema {
  const inField = (field: Field): Field => ({...field, type: inType(field.type)});
  const inType = (type: DataType): DataType => {
    switch (type.kind) {
      case 'list':
        return {...type, element: inField(type.element)};
      case 'map':
        return {...type, key: inField(type.key), value: inField(type.value)};
      case 'struct':
        return {...type, fields: members(type.fields).map(inField)};
      default:
        return type;
    }
  };
  return {fields: schema.fields.map(inField)};
}
