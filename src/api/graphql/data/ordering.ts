import {sqlType} from '../../../engines/sql-text.ts';
import type {DataType} from '../../../schemas/schema.ts';
import {namedAggregates} from './aggregate.ts';
import type {Aggregates} from './aggregate.ts';
import type {Typed} from './aggregate-parts.ts';
import {member as structMember} from './columns.ts';
import {relatedValue} from './filter.ts';
import type {FilterScope} from './filter.ts';
import type {Given} from './given.ts';
import type {PredictionSettings} from './predictions/asked.ts';
import {RelatedJoins} from './related-joins.ts';
import type {RelationUse} from './relation.ts';
import type {DatasetShape} from './shape.ts';

export interface OrderKey {
  readonly expression: string;
  readonly direction: string;
}

/** One that an `order_by` names. */
export interface NamedKey extends OrderKey {
  /** Its type in SQL. */
  readonly type: string;
  /** Where it stands in the `order_by`. */
  readonly path: string;
}

export interface Ordering<Key extends OrderKey = OrderKey> {
  readonly keys: readonly Key[];
  /** Joins that keys of related rows need. */
  readonly joins: readonly string[];
}

/** As PostgreSQL: nulls are greater than every value. */
const directions: Readonly<Record<string, string>> = {
  asc: 'ASC NULLS LAST',
  desc: 'DESC NULLS FIRST',
  asc_nulls_first: 'ASC NULLS FIRST',
  asc_nulls_last: 'ASC NULLS LAST',
  desc_nulls_first: 'DESC NULLS FIRST',
  desc_nulls_last: 'DESC NULLS LAST',
};

/** The direction an `order_by` value stands for. */
export const directionOf = (given: Given): string => directions[given.value as string]!;

/** The keys of an ordering by aggregates; `value` gives the expression of one. */
export const aggregateTerms = (order: Given, shape: DatasetShape, settings: PredictionSettings, value: (of: (aggregates: Aggregates) => Typed) => Typed): NamedKey[] =>
  order.entries().flatMap(([name, given]) => {
    if (given.isNull || name === 'key') return [];
    const named = name === 'count' ? [{path: name, given, of: (aggregates: Aggregates) => aggregates.count()}] : namedAggregates(name, given, shape, settings);
    return named.flatMap(({path, given: direction, of}) => {
      if (direction.isNull) return [];
      const {sql, type} = value(of);
      // Sums of integers have up to 128 bits.
      return [{expression: sql, direction: directionOf(direction), type: type.kind === 'int' ? 'HUGEINT' : sqlType(type), path}];
    });
  });

/** The keys of an `order_by`, without the row id that breaks ties. */
export function ordering(given: Given | undefined, relation: RelationUse, scope: FilterScope): Ordering<NamedKey> {
  const keys: NamedKey[] = [];
  const joins = new RelatedJoins(scope);
  const rows = (order: Given, from: RelationUse, path: string): void => {
    for (const [name, value] of order.entries()) {
      if (value.isNull) continue;
      const member = from.shape.members.get(name);
      if (member?.kind === 'rowId') keys.push({expression: from.rowId, direction: directionOf(value), type: 'BIGINT', path: `${path}.${name}`});
      else if (member?.kind === 'column') typed(value, from.column(name), member.field.type, `${path}.${name}`);
      else if (member?.kind === 'arrayAggregate') keys.push(...aggregateTerms(value, scope.shape(member.to), scope.settings, make => relatedValue(member, from, scope, make)).map(key => ({...key, path: `${path}.${name}.${key.path}`})));
      else if (member?.kind === 'prediction') {
        for (const [output, direction] of value.entries()) {
          if (direction.isNull) continue;
          const {expression, type} = from.output(member.prediction, scope.settings, output);
          keys.push({expression, direction: directionOf(direction), type: sqlType(type), path: `${path}.${name}.${output}`});
        }
      } else if (member?.kind === 'object') rows(value, joins.to(`${path}.${name}`, from, member), `${path}.${name}`);
    }
  };
  const typed = (value: Given, expression: string, type: DataType, path: string): void => {
    if (type.kind !== 'struct') {
      keys.push({expression, direction: directionOf(value), type: sqlType(type), path});
      return;
    }
    for (const [name, inner] of value.entries()) {
      if (inner.isNull) continue;
      const field = type.fields.find(candidate => candidate.name === name)!;
      typed(inner, structMember(expression, field), field.type, `${path}.${name}`);
    }
  };
  if (given && !given.isNull) for (const order of given.items()) if (!order.isNull) rows(order, relation, '');
  // What is ordered by once is not ordered by again.
  const first = new Set<string>();
  return {keys: keys.filter(({expression}) => !first.has(expression) && first.add(expression)), joins: joins.sql()};
}
