import {MillraceError} from '../core/errors.ts';
import type {SqlValue} from '../engines/engine.ts';
import type {ParamSpec, ParamType, ParamValue} from './pipeline.ts';

const sqlTypes: Readonly<Record<ParamType, string>> = {string: 'VARCHAR', int: 'BIGINT', float: 'DOUBLE', bool: 'BOOLEAN', date: 'DATE'};

/** What is no parameter although a dollar stands in it: strings, quoted names, comments, dollar-quoted text. */
const token = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/|\$([A-Za-z_]\w*)?\$[\s\S]*?\$\1\$|\$([A-Za-z_]\w*)/g;

/**
 * Turns `$name` into typed positional parameters: `date < $through` with `through: date` becomes `date < CAST($1 AS DATE)`.
 *
 * @throws SQL_INVALID for a name that is no parameter of the pipeline
 */
export function bindParams(
  sql: string,
  specs: Readonly<Record<string, ParamSpec>>,
  values: Readonly<Record<string, ParamValue>>,
): {sql: string; params: SqlValue[]; used: string[]} {
  const used: string[] = [];
  const bound = replaced(sql, specs, (name, {type}) => {
    if (!used.includes(name)) used.push(name);
    return `CAST($${used.indexOf(name) + 1} AS ${sqlTypes[type]})`;
  });
  return {sql: bound, used, params: used.map(name => values[name] ?? null)};
}

/** Puts the values themselves in the place of `$name`, for Spark and Hive, which read backslashes in strings as escapes and replace `${…}` even there. @throws SQL_INVALID */
export function withLiterals(sql: string, specs: Readonly<Record<string, ParamSpec>>, values: Readonly<Record<string, ParamValue>>): string {
  const quoted = (value: unknown): string => `'${String(value).replace(/[\\']/g, '\\$&').replaceAll('${', '\\u0024{')}'`;
  return replaced(sql, specs, (name, {type}) => {
    const value = values[name];
    if (value === undefined) return 'NULL';
    return type === 'string' ? quoted(value) : type === 'date' ? `DATE ${quoted(value)}` : type === 'float' ? `CAST(${quoted(value)} AS DOUBLE)` : String(value);
  });
}

function replaced(sql: string, specs: Readonly<Record<string, ParamSpec>>, by: (name: string, spec: ParamSpec) => string): string {
  return sql.replace(token, (whole, _tag: string | undefined, name: string | undefined) => {
    if (name === undefined) return whole;
    const spec = specs[name];
    if (!spec) throw new MillraceError('SQL_INVALID', {reason: `$${name} is no parameter of the pipeline`});
    return by(name, spec);
  });
}
