import {MillraceError, didYouMean} from '../core/errors.ts';
import type {Check, Contract} from './contract.ts';
import {isLegal, legalNames} from './names.ts';
import type {ColumnProfile, Schema} from './schema.ts';

/** The schema with a column under another name; its id, and so its values in old files, stay. @throws ARGUMENT_INVALID, NAME_INVALID, NAME_TAKEN */
export function renamedColumn(dataset: string, {fields}: Schema, from: string, to: string): Schema {
  const names = fields.map(({name}) => name);
  if (!names.includes(from)) throw new MillraceError('ARGUMENT_INVALID', {name: 'from', reason: `'${dataset}' has no column '${from}'. ${didYouMean(from, names)}`.trim()});
  if (!isLegal(to)) throw new MillraceError('NAME_INVALID', {name: to, suggestion: legalNames([to])[0]});
  // SQL does not tell names apart by their case.
  const twin = names.find(name => name !== from && name.toLowerCase() === to.toLowerCase());
  if (twin !== undefined || from === to) throw new MillraceError('NAME_TAKEN', {name: to, by: `a column of '${dataset}'`, suggestion: `${to}_2`});
  return {fields: fields.map(field => (field.name === from ? {...field, name: to, sourceName: field.sourceName ?? from} : field))};
}

export const renamedProfile = (profile: readonly ColumnProfile[], from: string, to: string): ColumnProfile[] =>
  profile.map(column => (column.name === from ? {...column, name: to} : column));

/** The contract for the renamed column. What SQL says of it stays as it is written. */
export function renamedContract(contract: Contract, from: string, to: string): Contract {
  const name = (column: string): string => (column === from ? to : column);
  const inCheck = (check: Check): Check => ({
    ...check,
    ...(check.notNull === undefined ? {} : {notNull: name(check.notNull)}),
    ...(check.unique ? {unique: check.unique.map(name)} : {}),
    ...(check.range ? {range: {...check.range, column: name(check.range.column)}} : {}),
    ...(check.set ? {set: {...check.set, column: name(check.set.column)}} : {}),
    ...(check.pattern ? {pattern: {...check.pattern, column: name(check.pattern.column)}} : {}),
    ...(check.length ? {length: {...check.length, column: name(check.length.column)}} : {}),
    ...(check.freshness ? {freshness: {...check.freshness, column: name(check.freshness.column)}} : {}),
    ...(check.distribution ? {distribution: {...check.distribution, column: name(check.distribution.column)}} : {}),
    ...(check.column === undefined ? {} : {column: name(check.column)}),
  });
  return {
    ...contract,
    ...(contract.key ? {key: contract.key.map(name)} : {}),
    ...(contract.foreignKeys ? {foreignKeys: contract.foreignKeys.map(one => ({...one, column: name(one.column)}))} : {}),
    ...(contract.checks ? {checks: contract.checks.map(inCheck)} : {}),
    ...(contract.columns ? {columns: Object.fromEntries(Object.entries(contract.columns).map(([column, rule]) => [name(column), column === from ? {source: from, ...rule} : rule]))} : {}),
  };
}
