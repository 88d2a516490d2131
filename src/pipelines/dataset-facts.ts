import type {ColumnFacts, RelationFacts} from '../engines/engine.ts';
import {wholeCheckKinds, kindOf} from '../schemas/contract.ts';
import type {Contract} from '../schemas/contract.ts';
import type {ColumnProfile, Schema} from '../schemas/schema.ts';
import type {SnapshotRecord} from '../warehouse/warehouse.ts';

/** What a profile of all rows tells. */
export function factsOfProfile(schema: Schema, profile: readonly ColumnProfile[], rows: number, keys: RelationFacts['keys'] = []): RelationFacts {
  const profiles = new Map(profile.map(column => [column.name, column]));
  return {
    columns: schema.fields.map(({name, type}): ColumnFacts => {
      const known = profiles.get(name);
      if (!known || rows === 0) return {name, type, min: null, max: null, attained: false, nulls: 'unknown', distinct: null};
      const nulls = known.nulls === 0 ? 'none' : known.nulls === rows ? 'all' : 'some';
      return {name, type, min: known.min, max: known.max, attained: true, nulls, distinct: known.distinct};
    }),
    least: rows, most: rows, keys, repeats: [],
  };
}

export const factsOfSnapshot = ({schema, profile, rowCount}: SnapshotRecord, {key}: Contract): RelationFacts =>
  factsOfProfile(schema, profile, Number(rowCount), key && key.length > 0 ? [key] : []);

/** What is known of rows after a contract has taken out those that break it. */
export function factsKept(facts: RelationFacts, contract: Contract): RelationFacts {
  const keys = contract.key && contract.key.length > 0 ? [...facts.keys, contract.key] : facts.keys;
  const {checks = [], foreignKeys = [], onBadRow = 'fail', key, columns} = contract;
  const rules = [...checks.filter(check => check.severity !== 'warn' && !(wholeCheckKinds as readonly string[]).includes(kindOf(check))), ...foreignKeys, ...(key ? [{}] : []), ...(columns ? [{}] : [])];
  const takes = rules.some(rule => (('onBadRow' in rule && rule.onBadRow) || onBadRow) !== 'fail');
  if (!takes) return {...facts, keys};
  return {
    ...facts, keys, least: 0, repeats: [],
    columns: facts.columns.map(column => ({...column, attained: false, nulls: column.nulls === 'all' ? 'all' : 'unknown'})),
  };
}
