/** How a remote engine writes what every statement has: names, literals, types. What it writes for operators and functions stands in the tables. */
import type {RemoteName} from '../remote-engine.ts';
import type {Type} from './types.ts';

export interface Dialect {
  readonly engine: RemoteName;
  identifier(name: string): string;
  text(value: string): string;
  /** Null: the engine has no type that holds each of its values exactly. */
  type(type: Type): string | null;
  /** @param at as `2001-01-31 10:00:00.5` */
  timestamp(at: string, zoned: boolean): string;
}

/** Both engines read backslashes in literals as escapes, and replace `${…}` even there. */
const textLiteral = (value: string): string =>
  `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\0', '\\0').replaceAll('${', '\\u0024{')}'`;

const quoted = (name: string): string => `\`${name.replaceAll('`', '``')}\``;

const plainTypes: Partial<Record<Type['kind'], string>> = {bool: 'BOOLEAN', utf8: 'STRING', json: 'STRING', binary: 'BINARY', date: 'DATE', hugeint: 'DECIMAL(38, 0)'};
const integers = {8: 'TINYINT', 16: 'SMALLINT', 32: 'INT', 64: 'BIGINT'} as const;
const unsigned = {8: 'SMALLINT', 16: 'INT', 32: 'BIGINT', 64: 'DECIMAL(20, 0)'} as const;

function typeText(type: Type, dialect: {timestamp: string; timestamptz: string | null}): string | null {
  const inner = (of: Type): string | null => typeText(of, dialect);
  switch (type.kind) {
    case 'int':
      return (type.signed ? integers : unsigned)[type.bits];
    case 'float':
      return type.bits === 32 ? 'FLOAT' : 'DOUBLE';
    case 'decimal':
      return `DECIMAL(${type.precision}, ${type.scale})`;
    case 'timestamp':
      return type.zoned ? dialect.timestamptz : dialect.timestamp;
    case 'list': {
      const element = inner(type.element.type);
      return element === null ? null : `ARRAY<${element}>`;
    }
    case 'struct': {
      const members = type.fields.map(field => ({name: field.name, type: inner(field.type)}));
      return members.some(member => member.type === null) ? null : `STRUCT<${members.map(member => `${quoted(member.name)}: ${member.type}`).join(', ')}>`;
    }
    default:
      return plainTypes[type.kind] ?? null;
  }
}

/** ANSI mode, session time zone UTC. */
const spark: Dialect = {
  engine: 'spark',
  identifier: quoted,
  text: textLiteral,
  type: type => typeText(type, {timestamp: 'TIMESTAMP_NTZ', timestamptz: 'TIMESTAMP_LTZ'}),
  timestamp: (at, zoned) => (zoned ? `TIMESTAMP_LTZ '${at} UTC'` : `TIMESTAMP_NTZ '${at}'`),
};

const hive: Dialect = {
  engine: 'hive',
  identifier: quoted,
  text: textLiteral,
  type: type => typeText(type, {timestamp: 'TIMESTAMP', timestamptz: null}),
  timestamp: at => `TIMESTAMP '${at}'`,
};

export const dialects: Readonly<Record<RemoteName, Dialect>> = {spark, hive};
