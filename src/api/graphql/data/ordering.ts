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
import type {DataType} from '../../../schemas/schema.ts';

export interface OrderKey {
  readonly expression: string;
  readonly direction: string;
}

export interface Ordering {
  readonly keys: readonly OrderKey[];
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
export const aggregateTerms = (order: Given, shape: DatasetShape, settings: PredictionSettings, value: (of: (aggregates: Aggregates) => Typed) => Typed): OrderKey[] =>
  order.entries().flatMap(([name, given]) => {
    if (given.isNull || name === 'key') return [];
    const named = name === 'count' ? [{given, of: (aggregates: Aggregates) => aggregates.count()}] : namedAggregates(name, given, shape, settings);
    return named.flatMap(({given: direction, of}) => (direction.isNull ? [] : [{expression: value(of).sql, direction: directionOf(direction)}]));
  });

/** The keys of an `order_by`, without the row id that breaks ties. */
export function ordering(given: Given | undefined, relation: RelationUse, scope: FilterScope): Ordering {
  const keys: OrderKey[] = [];
  const joins = new RelatedJoins(scope);
  const rows = (order: Given, from: RelationUse, path: string): void => {
    for (const [name, value] of order.entries()) {
      if (value.isNull) continue;
      const member = from.shape.members.get(name);
      if (member?.kind === 'rowId') keys.push({expression: from.rowId, direction: directionOf(value)});
      else if (member?.kind === 'column') typed(value, from.column(name), member.field.type);
      else if (member?.kind === 'arrayAggregate') keys.push(...aggregateTerms(value, scope.shape(member.to), scope.settings, make => relatedValue(member, from, scope, make)));
      else if (member?.kind === 'prediction') {
        for (const [output, direction] of value.entries()) if (!direction.isNull) keys.push({expression: from.output(member.prediction, scope.settings, output).expression, direction: directionOf(direction)});
      } else if (member?.kind === 'object') rows(value, joins.to(`${path}.${name}`, from, member), `${path}.${name}`);
    }
  };
  const typed = (value: Given, expression: string, type: DataType): void => {
    if (type.kind !== 'struct') {
      keys.push({expression, direction: directionOf(value)});
      return;
    }
    for (const [name, inner] of value.entries()) {
      if (inner.isNull) continue;
      const field = type.fields.find(candidate => candidate.name === name)!;
      typed(inner, structMember(expression, field), field.type);
    }
  };
  if (given && !given.isNull) for (const order of given.items()) if (!order.isNull) rows(order, relation, '');
  return {keys, joins: joins.sql()};
}
