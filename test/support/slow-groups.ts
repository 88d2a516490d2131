/** Groups as plain resolvers make them: rows in memory, by what the selection of `key` gives for each. Part of the oracle of the data graph. */
import {collectSubfields} from 'graphql/execution/collectFields.js';
import {getArgumentValues} from 'graphql/execution/values.js';
import {getNamedType} from 'graphql';
import type {FieldNode, GraphQLObjectType, GraphQLResolveInfo} from 'graphql';
import type {DataType} from '../../src/schemas/schema.ts';
import type {Value} from './slow-executor.ts';

/** A value of a key: as it is shown, and as it is compared. */
export interface KeyValue {
  readonly shown: unknown;
  readonly compared: Value;
}

/** What a row gives for the fields of a key type. */
export interface KeySource {
  readonly [name: string]: ((args: Record<string, any>) => KeyValue) | KeySource;
}

/** A selected key, by the columns that lead to it. */
export interface Key {
  readonly path: readonly string[];
  readonly of: (source: KeySource) => KeyValue;
}

const subfields = ({schema, fragments, variableValues}: GraphQLResolveInfo, type: GraphQLObjectType, nodes: readonly FieldNode[]) =>
  collectSubfields(schema, fragments as never, variableValues as never, type, nodes as never) as unknown as Map<string, FieldNode[]>;

/** The keys that a field `…_groups` selects. */
export function selectedKeys(info: GraphQLResolveInfo): Key[] {
  const group = getNamedType(info.returnType) as GraphQLObjectType;
  const keys: Key[] = [];
  const visit = (type: GraphQLObjectType, nodes: readonly FieldNode[], path: readonly string[], at: (source: KeySource) => KeySource): void => {
    for (const inner of subfields(info, type, nodes).values()) {
      const name = inner[0]!.name.value;
      if (name === '__typename') continue;
      const field = type.getFields()[name]!;
      const named = getNamedType(field.type);
      if ('getFields' in named) visit(named as GraphQLObjectType, inner, [...path, name], source => at(source)[name] as KeySource);
      else {
        const args = getArgumentValues(field, inner[0]!, info.variableValues);
        keys.push({path: [...path, name.replace(/_part$/, '')], of: source => (at(source)[name] as (args: object) => KeyValue)(args)});
      }
    }
  };
  for (const nodes of subfields(info, group, info.fieldNodes).values()) if (nodes[0]!.name.value === 'key') visit(getNamedType(group.getFields().key!.type) as GraphQLObjectType, nodes, [], source => source);
  return keys;
}

/** The parts that resolvers answer for a key, from what its row gives. */
export const keyResolvers = (source: KeySource): Record<string, unknown> =>
  Object.fromEntries(Object.entries(source).map(([name, value]) => [name, typeof value === 'function' ? (args: object) => value(args).shown : keyResolvers(value)]));

const unitStart = (time: Date, unit: string): Date => {
  const [year, month, day, hour, minute, second] = [time.getUTCFullYear(), time.getUTCMonth(), time.getUTCDate(), time.getUTCHours(), time.getUTCMinutes(), time.getUTCSeconds()];
  switch (unit) {
    case 'year':
      return new Date(Date.UTC(year, 0));
    case 'quarter':
      return new Date(Date.UTC(year, month - (month % 3)));
    case 'month':
      return new Date(Date.UTC(year, month));
    case 'week':
      return new Date(Date.UTC(year, month, day - ((time.getUTCDay() + 6) % 7)));
    case 'day':
      return new Date(Date.UTC(year, month, day));
    case 'hour':
      return new Date(Date.UTC(year, month, day, hour));
    case 'minute':
      return new Date(Date.UTC(year, month, day, hour, minute));
    default:
      return new Date(Date.UTC(year, month, day, hour, minute, second));
  }
};

const asDate = (value: Value, type: DataType): Date => new Date(type.kind === 'date' ? `${String(value)}T00:00:00Z` : Number((value as bigint) / 1000n));

export function truncated(value: Value, type: DataType, unit: string): Value {
  const start = unitStart(asDate(value, type), unit);
  return type.kind === 'date' ? start.toISOString().slice(0, 10) : BigInt(start.getTime()) * 1000n;
}

export function part(value: Value, type: DataType, name: string): number {
  const time = asDate(value, type);
  const parts: Readonly<Record<string, () => number>> = {
    year: () => time.getUTCFullYear(), quarter: () => Math.floor(time.getUTCMonth() / 3) + 1, month: () => time.getUTCMonth() + 1, day: () => time.getUTCDate(),
    doy: () => Math.round((Date.UTC(time.getUTCFullYear(), time.getUTCMonth(), time.getUTCDate()) - Date.UTC(time.getUTCFullYear(), 0)) / 86_400_000) + 1,
    dow: () => time.getUTCDay(), isodow: () => time.getUTCDay() || 7, hour: () => time.getUTCHours(), minute: () => time.getUTCMinutes(), second: () => time.getUTCSeconds(),
  };
  return parts[name]!();
}

const floorTo = (value: bigint, width: bigint): bigint => value - (((value % width) + width) % width);

/** The lower end of a bin; decimals by their digits. */
export function binned(value: Value, type: DataType, width: unknown): Value {
  if (type.kind === 'float') return Math.floor((value as number) / (width as number)) * (width as number) + 0;
  if (type.kind === 'decimal') {
    const digits = (text: string) => BigInt(text.replace('.', ''));
    const whole = (text: string) => (text.includes('.') ? digits(`${text.split('.')[0]}.${text.split('.')[1]!.padEnd(type.scale, '0')}`) : digits(`${text}${'0'.repeat(type.scale)}`));
    const end = floorTo(whole(String(value)), whole(String(width)));
    const text = (end < 0n ? -end : end).toString().padStart(type.scale + 1, '0');
    return `${end < 0n ? '-' : ''}${text.slice(0, -type.scale)}.${text.slice(-type.scale)}`;
  }
  if (type.kind !== 'int') return value;
  const end = floorTo(BigInt(value as number), BigInt(width as string));
  const least = -(2n ** BigInt(type.bits - 1));
  const within = end < least ? least : end;
  return type.bits === 64 ? within : Number(within);
}
