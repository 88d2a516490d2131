import {GraphQLError, GraphQLScalarType, Kind, valueFromASTUntyped} from 'graphql';
import type {ValueNode} from 'graphql';

const least = -(2n ** 63n);
const greatest = 2n ** 64n - 1n;

function readBigInt(value: unknown): bigint {
  const legible = typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value)) || (typeof value === 'string' && /^[+-]?\d{1,20}$/.test(value));
  const integer = legible ? BigInt(value) : null;
  if (integer === null || integer < least || integer > greatest) throw new GraphQLError('A BigInt is a whole number of up to 64 bits, as a string.');
  return integer;
}

/** 64-bit integers; JSON numbers would be rounded by clients. */
export const BigIntScalar = new GraphQLScalarType<bigint, string>({
  name: 'BigInt',
  description: 'A whole number of up to 64 bits, as a string: JSON numbers would be rounded.',
  serialize: String,
  parseValue: readBigInt,
  parseLiteral(node: ValueNode) {
    if (node.kind !== Kind.INT && node.kind !== Kind.STRING) throw new GraphQLError('A BigInt is a whole number, as a string.', {nodes: node});
    return readBigInt(node.value);
  },
});

const instant = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?$/;

function readInstant(value: unknown): Date {
  const date = new Date(typeof value === 'string' && instant.test(value) ? value : Number.NaN);
  if (Number.isNaN(date.getTime())) throw new GraphQLError('A DateTime is an instant such as 2001-06-30T12:00:00Z.');
  return date;
}

export const DateTimeScalar = new GraphQLScalarType<Date, string>({
  name: 'DateTime',
  description: 'An instant in ISO 8601, with its offset; answered in UTC. A day alone is its first moment in UTC.',
  serialize: value => (value as Date).toISOString(),
  parseValue: readInstant,
  parseLiteral(node: ValueNode) {
    return readInstant(node.kind === Kind.STRING ? node.value : null);
  },
});

/** Big integers within JSON travel as strings, as everywhere in the graph. */
function withoutBigInts(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) return value.map(withoutBigInts);
  if (typeof value !== 'object' || value === null || 'toJSON' in value) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutBigInts(inner)]));
}

export const JsonScalar = new GraphQLScalarType<unknown, unknown>({
  name: 'JSON',
  description: 'Any JSON value.',
  serialize: withoutBigInts,
  parseValue: value => value,
  parseLiteral: (node, variables) => valueFromASTUntyped(node, variables),
});
