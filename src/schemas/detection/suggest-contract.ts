import type {Check, Contract, ContractColumn} from '../contract.ts';
import type {Reading} from './infer-column.ts';
import {typeName} from '../schema.ts';
import type {ColumnProfile, Field, Schema} from '../schema.ts';

/** Rows below which a column without repeats says nothing. */
const enough = 20;
/** How far an approximate count of different values may lie below the rows of a key. */
const estimateError = 0.15;

/** Columns that may be a key, as far as names and estimates tell: to be counted. */
export function keyCandidates({fields}: Schema, profile: readonly ColumnProfile[], rowCount: number): Field[] {
  if (rowCount < enough) return [];
  return fields.filter((field, index) => !field.nullable && isNamedLikeKey(field.name) && ['int', 'utf8', 'uuid', 'decimal'].includes(field.type.kind) && profile[index]!.distinct >= rowCount * (1 - estimateError));
}

/**
 * What a dataset would have to keep to, were its first rows typical: columns as they are, a key, no nulls where none was, plain bounds.
 * @param unique the name of a column of which it is known that no value comes twice
 */
export function suggestContract(schema: Schema, profile: readonly ColumnProfile[], rowCount: number, readings?: readonly Reading[], unique?: string): Contract {
  const {fields} = schema;
  const key = fields.some(({name, nullable}) => name === unique && !nullable) ? unique : undefined;
  const checks = fields.flatMap((field, index): Check[] => {
    const {min, max} = profile[index]!;
    const own: Check[] = rowCount > 0 && !field.nullable && field.name !== key ? [{notNull: field.name}] : [];
    const range = min === null || max === null || !isNumber(field.type.kind) ? null : sensibleRange(field.name, Number(min), Number(max));
    return range ? [...own, {range: {column: field.name, ...range}}] : own;
  });
  return {...(key ? {key: [key]} : {}), ...(checks.length > 0 ? {checks} : {}), onBadRow: 'quarantine', columns: contractColumns(schema, readings)};
}

/** The columns of a schema as a contract names them, with how each is read. */
export const contractColumns = ({fields}: Schema, readings: readonly Reading[] = []): Record<string, ContractColumn> => Object.fromEntries(fields.map(({name, sourceName, type, description}, index) => {
  const {nulls, format, booleans} = readings[index] ?? {};
  return [name, {
    type: typeName(type), ...(sourceName === undefined ? {} : {source: sourceName}), ...(description === undefined ? {} : {description}),
    ...(nulls?.length ? {nulls} : {}), ...(format === undefined ? {} : {format}), ...(booleans ? {booleans} : {}),
  }];
}));

const isNamedLikeKey = (name: string): boolean => /^(?:.*_)?(?:id|key|code|uuid|guid|sku|isbn|iata|icao|zip|number|nr|no)$|[a-z]Id$/i.test(name);

const isNumber = (kind: string): boolean => ['int', 'float', 'decimal'].includes(kind);

/** Bounds that are so by what is measured: shares, percentages and coordinates; what was seen is no bound of what will be. */
function sensibleRange(name: string, min: number, max: number): {min: number; max: number} | null {
  const says = (...words: readonly string[]): boolean => words.some(word => new RegExp(`(?:^|_)${word}(?:$|_)`, 'i').test(name));
  const within = (low: number, high: number): {min: number; max: number} | null => (min >= low && max <= high ? {min: low, max: high} : null);
  if (says('lat', 'latitude')) return within(-90, 90);
  if (says('lon', 'lng', 'long', 'longitude')) return within(-180, 180);
  if (says('share', 'ratio', 'probability', 'fraction')) return within(0, 1);
  if (says('percent', 'percentage', 'pct')) return within(0, 100);
  if (says('month')) return within(1, 12);
  return says('hour') ? within(0, 23) : null;
}
