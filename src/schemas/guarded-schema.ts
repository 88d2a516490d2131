import {emptied} from './contract.ts';
import type {Check, Contract, Fate} from './contract.ts';
import type {Schema} from './schema.ts';

/** The columns as the contract makes them: what it says is never null is not, what it may empty can be. */
export function guardedSchema(described: Schema, contract: Contract): Schema {
  const fateOf = (check: Pick<Check, 'onBadRow'>): Fate => check.onBadRow ?? contract.onBadRow ?? 'fail';
  const errors = (contract.checks ?? []).filter(check => check.severity !== 'warn');
  const never = new Set([...(contract.key ?? []), ...errors.flatMap(check => (check.notNull === undefined ? [] : [check.notNull]))]);
  const maybe = new Set([
    ...errors.flatMap(check => (fateOf(check) === 'null_value' ? [emptied(check)] : [])),
    ...(contract.foreignKeys ?? []).flatMap(one => (fateOf(one) === 'null_value' ? [one.column] : [])),
  ]);
  return {fields: described.fields.map(field => ({...field, nullable: !never.has(field.name) && (field.nullable || maybe.has(field.name))}))};
}
