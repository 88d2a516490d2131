import type {Contract} from './contract.ts';
import type {Schema} from './schema.ts';

/** The columns with what the contract says of them to people. */
export function documented(schema: Schema, {documentation}: Contract): Schema {
  if (!documentation) return schema;
  return {
    fields: schema.fields.map(field => {
      const said = documentation[field.name];
      if (!said) return field;
      const description = [said.description ?? field.description, said.unit && `(${said.unit})`].filter(Boolean).join(' ');
      return {...field, ...(description ? {description} : {}), ...(said.deprecated ? {deprecated: said.deprecated} : {})};
    }),
  };
}
