/** Text of SQL, as the embedded engine reads it: quoting, names of types, and where a statement ends. */
import type {DataType} from '../schemas/schema.ts';

/** A name as an identifier, whatever it contains. */
export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A value as a string literal. */
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

export const literalList = (texts: readonly string[]): string => `[${texts.map(literal).join(', ')}]`;

/**
 * The statement without the semicolons and comments after its last word, so that it can stand inside brackets.
 * Strings, quoted names, dollar quotes and comments within it are passed over.
 */
export function withoutTrailer(sql: string): string {
  const token = /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$[A-Za-z_]*\$|;|\s+|[A-Za-z0-9_]+|./guy;
  // A tag that does not come again quotes nothing; to look for each to the end would take long where there are many.
  const lastOf = new Map([...sql.matchAll(/(?=(\$[A-Za-z_]*\$))/g)].map(match => [match[1]!, match.index]));
  let end = 0;
  for (let match = token.exec(sql); match; match = token.exec(sql)) {
    const text = match[0];
    if (text.length > 1 && text.startsWith('$')) {
      if (lastOf.get(text)! >= token.lastIndex) token.lastIndex = sql.indexOf(text, token.lastIndex) + text.length;
      else token.lastIndex = match.index + 1;
      end = token.lastIndex;
    } else if (text !== ';' && text.trim() !== '' && !text.startsWith('--') && !text.startsWith('/*')) end = token.lastIndex;
  }
  return sql.slice(0, end);
}

/** The type in SQL that holds a column of this type without loss. */
export function sqlType(type: DataType): string {
  switch (type.kind) {
    case 'bool':
      return 'BOOLEAN';
    case 'int':
      return `${type.signed ? '' : 'U'}${{8: 'TINYINT', 16: 'SMALLINT', 32: 'INTEGER', 64: 'BIGINT'}[type.bits]}`;
    case 'float':
      return type.bits === 32 ? 'FLOAT' : 'DOUBLE';
    case 'decimal':
      return `DECIMAL(${type.precision}, ${type.scale})`;
    case 'utf8':
      return 'VARCHAR';
    case 'binary':
      return 'BLOB';
    case 'uuid':
      return 'UUID';
    case 'json':
      return 'JSON';
    case 'date':
      return 'DATE';
    case 'time':
      return 'TIME';
    case 'timestamp':
      return type.zoned ? 'TIMESTAMP WITH TIME ZONE' : 'TIMESTAMP';
    case 'interval':
      return 'INTERVAL';
    case 'list':
      return `${sqlType(type.element.type)}[]`;
    case 'struct':
      return `STRUCT(${type.fields.map(field => `${identifier(field.name)} ${sqlType(field.type)}`).join(', ')})`;
    case 'map':
      return `MAP(${sqlType(type.key.type)}, ${sqlType(type.value.type)})`;
  }
}
