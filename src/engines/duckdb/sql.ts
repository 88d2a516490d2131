/** Text of SQL: quoting, and where a statement ends. */

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
  const token = /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|'(?:[^']|'')*'|"(?:[^"]|"")*"|(\$[A-Za-z_]*\$)[\s\S]*?\1|;|\s+|[A-Za-z0-9_]+|./gu;
  let end = 0;
  for (const match of sql.matchAll(token)) {
    const text = match[0];
    if (text !== ';' && text.trim() !== '' && !text.startsWith('--') && !text.startsWith('/*')) end = match.index + text.length;
  }
  return sql.slice(0, end);
}
