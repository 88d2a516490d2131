import {MillraceError} from '../core/errors.ts';
import type {Engine, Table} from '../engines/engine.ts';
import {identifier, literal, sqlType} from '../engines/sql-text.ts';
import {emptied, kindOf, rowCheckKinds, says} from '../schemas/contract.ts';
import type {Check, CheckValue, Contract, Fate, Severity} from '../schemas/contract.ts';
import {referencedKey} from './referenced-key.ts';
import type {Referenced} from './referenced-key.ts';
import {typeName} from '../schemas/schema.ts';
import type {Field, Schema} from '../schemas/schema.ts';

/** One thing that each row must hold to, as SQL over the relation `this`. */
export interface RowRule {
  /** In words; the reason a quarantined row bears. */
  readonly says: string;
  readonly severity: Severity;
  readonly fate: Fate;
  /** True for a row that breaks it, read from that row and from `relations` alone; null: see `unique`. */
  readonly broken: string | null;
  /** `broken` looks for the row's value in another relation. */
  readonly joins?: boolean;
  /** No two rows are equal in these columns: the first stays. */
  readonly unique?: readonly string[];
  /** The column that `null_value` empties. */
  readonly empties: string | null;
  /** What is shown of a row that breaks it, as text. */
  readonly example: string;
}

export interface RowRules {
  readonly rules: readonly RowRule[];
  /** Keys of other datasets that the rules read, by the name they give them. */
  readonly relations: Readonly<Record<string, Table>>;
}

/**
 * What a contract asks of each row of a dataset. Key and foreign keys are left out where they fail the commit: the commit checks
 * them over the whole dataset anyway.
 * @param isWholeUnchecked nobody checks the whole dataset: foreign keys that fail the commit are rules too
 * @throws CONTRACT_INVALID where it does not fit the columns
 */
export async function rowRules(dataset: string, contract: Contract, schema: Schema, engine: Engine, referenced: Referenced, isWholeUnchecked = false): Promise<RowRules> {
  const invalid = (reason: string): MillraceError => new MillraceError('CONTRACT_INVALID', {dataset, reason});
  const fieldOf = (name: string): Field => {
    const field = schema.fields.find(one => one.name === name);
    if (!field) throw invalid(`it has no column '${name}'`);
    return field;
  };
  const common = (check: Pick<Check, 'severity' | 'onBadRow'>) => ({severity: check.severity ?? 'error', fate: check.onBadRow ?? contract.onBadRow ?? 'fail'});
  const show = (names: readonly string[]): string => `concat_ws(', ', ${names.map(name => `${literal(`${name} `)} || coalesce(${identifier(name)}::VARCHAR, 'NULL')`).join(', ')})`;
  const local = async (check: Check): Promise<{broken: string; columns: readonly string[]}> => {
    const {notNull, range, set, pattern, length, sql} = check;
    if (notNull !== undefined) return {broken: `${identifier(fieldOf(notNull).name)} IS NULL`, columns: [notNull]};
    if (range) {
      const field = fieldOf(range.column);
      const ends = [...(range.min === undefined ? [] : [`< ${typed(range.min, field, invalid)}`]), ...(range.max === undefined ? [] : [`> ${typed(range.max, field, invalid)}`])];
      return {broken: ends.map(end => `${identifier(field.name)} ${end}`).join(' OR '), columns: [field.name]};
    }
    if (set) {
      const field = fieldOf(set.column);
      return {broken: `${identifier(field.name)} NOT IN (${set.values.map(value => typed(value, field, invalid)).join(', ')})`, columns: [field.name]};
    }
    if (pattern || length) {
      const {column} = (pattern ?? length)!;
      const field = fieldOf(column);
      if (field.type.kind !== 'utf8') throw invalid(`'${column}' is ${typeName(field.type)}, and only text has ${pattern ? 'a pattern' : 'a length'}`);
      const name = identifier(column);
      if (pattern) return {broken: `NOT regexp_full_match(${name}, ${literal(pattern.regex)})`, columns: [column]};
      return {broken: [...(length!.min === undefined ? [] : [`length(${name}) < ${length!.min}`]), ...(length!.max === undefined ? [] : [`length(${name}) > ${length!.max}`])].join(' OR '), columns: [column]};
    }
    await engine.analyzeExpression(sql!).catch(error => {
      throw invalid(`'${says(check)}': ${(error as Error).message}`);
    });
    return {broken: `NOT (\n${sql!}\n)`, columns: schema.fields.map(field => field.name)};
  };

  const rules: RowRule[] = [];
  const relations: Record<string, Table> = {};
  const keyFate = contract.onBadRow ?? 'fail';
  const {key} = contract;
  if (key && keyFate !== 'fail') {
    key.forEach(fieldOf);
    const rest = {severity: 'error', fate: keyFate === 'null_value' ? 'fail' : keyFate, empties: null, example: show(key)} as const;
    rules.push(
      {says: `the key ${key.join(', ')} has no null`, broken: key.map(name => `${identifier(name)} IS NULL`).join(' OR '), ...rest},
      {says: `the key ${key.join(', ')} is unique`, broken: null, unique: key, ...rest},
    );
  }
  for (const {column, references, onBadRow} of contract.foreignKeys ?? []) {
    const fate = onBadRow ?? contract.onBadRow ?? 'fail';
    // A row may refer to another that is about to be left out: rows that refer to their own dataset are checked when all are there.
    if ((fate === 'fail' && !isWholeUnchecked) || references === dataset) continue;
    const field = fieldOf(column);
    const other = await referenced(references);
    const target = referencedKey(dataset, field, references, other);
    const name = `key_${rules.length}`;
    relations[name] = other.table;
    rules.push({
      says: `${column} is a key of ${references}`, severity: 'error', fate, joins: true, empties: column, example: show([column]),
      broken: `${identifier(field.name)} IS NOT NULL AND ${identifier(field.name)} NOT IN (SELECT ${identifier(target)} FROM ${name} WHERE ${identifier(target)} IS NOT NULL)`,
    });
  }
  for (const check of contract.checks ?? []) {
    if (!(rowCheckKinds as readonly string[]).includes(kindOf(check))) continue;
    const {severity, fate} = common(check);
    if (check.unique) {
      check.unique.forEach(fieldOf);
      rules.push({says: says(check), severity, fate: fate === 'null_value' ? 'fail' : fate, broken: null, unique: check.unique, empties: null, example: show(check.unique)});
      continue;
    }
    const {broken, columns} = await local(check);
    const empties = emptied(check);
    if (empties !== null) fieldOf(empties);
    // The contract's default may be null_value where this check has nothing to empty.
    rules.push({says: says(check), severity, fate: fate === 'null_value' && empties === null ? 'fail' : fate, broken, empties, example: show(columns)});
  }
  return {rules, relations};
}

/** A check's value as a literal of its column's type. */
function typed(value: CheckValue, field: Field, invalid: (reason: string) => MillraceError): string {
  const {kind} = field.type;
  const isNumber = kind === 'int' || kind === 'float' || kind === 'decimal';
  if (isNumber !== (typeof value === 'number') || (kind === 'bool') !== (typeof value === 'boolean')) {
    throw invalid(`'${field.name}' is ${typeName(field.type)}, and ${JSON.stringify(value)} is not`);
  }
  if (typeof value !== 'string') return String(value);
  return kind === 'utf8' ? literal(value) : `CAST(${literal(value)} AS ${sqlType(field.type)})`;
}
