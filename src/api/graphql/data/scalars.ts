import {GraphQLBoolean, GraphQLEnumType, GraphQLError, GraphQLFloat, GraphQLInt, GraphQLScalarType, GraphQLString, Kind, valueFromASTUntyped} from 'graphql';
import type {ValueNode} from 'graphql';

/** The word for what a scalar accepts, in a message. */
type Read = (value: unknown) => string | undefined;

/** A scalar whose values travel as text: `read` gives the canonical text, or undefined for what is no such value. */
function textScalar(name: string, description: string, read: Read): GraphQLScalarType<string, unknown> {
  const parse = (value: unknown): string => {
    const text = read(value);
    if (text === undefined) throw new GraphQLError(`${JSON.stringify(value)?.slice(0, 100)} is no ${name}.`);
    return text;
  };
  return new GraphQLScalarType<string, unknown>({
    name,
    description,
    serialize: value => value,
    parseValue: parse,
    parseLiteral: (node: ValueNode) => {
      if (node.kind === Kind.STRING || node.kind === Kind.INT || node.kind === Kind.FLOAT) return parse(node.value);
      throw new GraphQLError(`A ${node.kind} is no ${name}.`, {nodes: node});
    },
  });
}

const least = -(2n ** 63n);
const greatest = 2n ** 64n - 1n;

const readInteger: Read = value => {
  if (typeof value === 'number' ? !Number.isSafeInteger(value) : typeof value !== 'bigint' && !(typeof value === 'string' && /^[+-]?\d{1,20}$/.test(value))) return undefined;
  if (typeof value === 'string' && value.length < 18 && /^-?[1-9]/.test(value)) return value;
  const integer = BigInt(value as string | number | bigint);
  return integer < least || integer > greatest ? undefined : String(integer);
};

const readDecimal: Read = value => {
  const text = typeof value === 'number' ? plainNumber(value) : value;
  return typeof text === 'string' && /^[+-]?(\d+(\.\d*)?|\.\d+)$/.test(text) && text.length <= 80 ? text : undefined;
};

/** A number without an exponent, as decimals are written. */
const plainNumber = (value: number): string | undefined =>
  !Number.isFinite(value) ? undefined : /e/i.test(String(value)) ? value.toFixed(20).replace(/0+$/, '') : String(value);

const dayPattern = /^(\d{4})-(\d{2})-(\d{2})/;

/** A day that exists. */
function isDay(text: string): boolean {
  const [, year, month, day] = dayPattern.exec(text) ?? [];
  if (!year) return false;
  const date = new Date(`${year}-${month}-${day}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.getUTCDate() === Number(day);
}

const clock = '([01]\\d|2[0-3]):[0-5]\\d(:[0-5]\\d(\\.\\d{1,6})?)?';
const timePattern = new RegExp(`^${clock}$`);
const timestampPattern = new RegExp(`^\\d{4}-\\d{2}-\\d{2}([T ]${clock}Z?)?$`);
const instantPattern = new RegExp(`^\\d{4}-\\d{2}-\\d{2}([T ]${clock}(Z|[+-]\\d{2}(:?\\d{2})?)?)?$`);

const readTimestamp: Read = value => (typeof value === 'string' && timestampPattern.test(value) && isDay(value) ? value.replace('T', ' ').replace('Z', '') : undefined);

const readInstant: Read = value => {
  if (typeof value !== 'string' || !instantPattern.test(value) || !isDay(value)) return undefined;
  const text = value.replace('T', ' ');
  if (text.length === 10) return `${text} 00:00:00+00`;
  return /[+-]\d{2}(:?\d{2})?$/.test(text.slice(10)) ? text : `${text.replace('Z', '')}+00`;
};

const readUuid: Read = value => (typeof value === 'string' && /^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$/i.test(value) ? value.toLowerCase() : undefined);
const readBase64: Read = value => (typeof value === 'string' && value.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(value) ? value : undefined);

export const bigint = textScalar('bigint', 'An integer of up to 64 bits (sums: of any size), as a string: JSON numbers would be rounded.', readInteger);
export const numeric = textScalar('numeric', 'An exact decimal, as a string: JSON numbers would be rounded.', readDecimal);
export const timestamp = textScalar('timestamp', 'A wall-clock time without a zone: `2001-01-31T13:45:00`, with a fraction only where it has one.', readTimestamp);
export const timestamptz = textScalar('timestamptz', 'An instant, in UTC: `2001-01-31T13:45:00Z`. Read with any offset; without one it is UTC.', readInstant);
export const date = textScalar('date', 'A day: `2001-01-31`.', value => (typeof value === 'string' && value.length === 10 && isDay(value) ? value : undefined));
export const time = textScalar('time', 'A time of day: `13:45:00`.', value => (typeof value === 'string' && timePattern.test(value) ? value : undefined));
export const interval = textScalar('interval', 'A length of time: `1 day 02:00:00`.', value => (typeof value === 'string' && /^[\w :.+-]{1,100}$/.test(value) ? value : undefined));
export const uuid = textScalar('uuid', 'A UUID.', readUuid);
export const bytea = textScalar('bytea', 'Bytes, in Base64.', readBase64);

export const jsonb = new GraphQLScalarType<unknown, unknown>({
  name: 'jsonb',
  description: 'Any JSON value.',
  parseValue: value => value,
  parseLiteral: (node, variables) => valueFromASTUntyped(node, variables),
});

export const orderBy = new GraphQLEnumType({
  name: 'order_by',
  description: 'Nulls come last when ascending and first when descending, unless told.',
  values: {asc: {}, desc: {}, asc_nulls_first: {}, asc_nulls_last: {}, desc_nulls_first: {}, desc_nulls_last: {}},
});

const words = (names: readonly string[]) => Object.fromEntries(names.map(name => [name.toUpperCase(), {value: name}]));

export const timeUnit = new GraphQLEnumType({
  name: 'time_unit',
  description: 'What times are cut off to. Weeks begin on Mondays.',
  values: words(['year', 'quarter', 'month', 'week', 'day', 'hour', 'minute', 'second']),
});

export const timePart = new GraphQLEnumType({
  name: 'time_part',
  description: 'What is taken of times. DOW: Sunday is 0; ISODOW: Monday is 1, Sunday 7; WEEK and ISOYEAR are those of ISO 8601.',
  values: words(['year', 'isoyear', 'quarter', 'month', 'week', 'day', 'doy', 'dow', 'isodow', 'hour', 'minute', 'second']),
});

export const scalars = {Boolean: GraphQLBoolean, Int: GraphQLInt, Float: GraphQLFloat, String: GraphQLString, bigint, numeric, timestamp, timestamptz, date, time, interval, uuid, bytea, jsonb} as const;

export type ScalarName = keyof typeof scalars;
