import {z} from 'zod';
import {MillraceError} from '../core/errors.ts';
import {parseTypeName} from './parse-type.ts';
import {checkKinds, emptied, wholeCheckKinds} from './contract.ts';
import type {Check, Contract} from './contract.ts';

const column = z.string().min(1);
const columns = z.array(column).min(1);
const value = z.union([z.string(), z.number(), z.boolean()]);
const fate = z.enum(['fail', 'quarantine', 'drop', 'null_value']);
const share = z.number().min(0).max(1);
const atLeastOne = (keys: readonly string[]) => [(given: object) => keys.some(key => key in given), `needs ${keys.join(' or ')}`] as const;
const ordered = [(of: {min?: unknown; max?: unknown}) => typeof of.min !== typeof of.max || (of.min as number) <= (of.max as number), 'min is greater than max'] as const;

const check = z.strictObject({
  notNull: column.optional(),
  unique: columns.optional(),
  range: z.strictObject({column, min: value.optional(), max: value.optional()}).refine(...atLeastOne(['min', 'max'])).refine(...ordered).optional(),
  set: z.strictObject({column, values: z.array(value).min(1)}).optional(),
  pattern: z.strictObject({column, regex: z.string().min(1)}).optional(),
  length: z.strictObject({column, min: z.int().min(0).optional(), max: z.int().min(0).optional()}).refine(...atLeastOne(['min', 'max'])).refine(...ordered).optional(),
  sql: z.string().min(1).optional(),
  freshness: z.strictObject({column, hours: z.number().positive()}).optional(),
  rowCount: z.strictObject({min: z.int().min(0).optional(), max: z.int().min(0).optional(), maxChange: z.number().min(0).optional()})
    .refine(...atLeastOne(['min', 'max', 'maxChange'])).refine(...ordered).optional(),
  distribution: z.strictObject({column, maxDistance: share}).optional(),
  query: z.string().min(1).optional(),
  name: z.string().min(1).optional(),
  severity: z.enum(['warn', 'error']).optional(),
  onBadRow: fate.optional(),
  column: column.optional(),
}).superRefine((given, context) => {
  const kinds = checkKinds.filter(kind => given[kind] !== undefined);
  if (kinds.length !== 1) context.addIssue({code: 'custom', message: `needs exactly one of ${checkKinds.join(', ')}`});
  else if (given.onBadRow !== undefined && (wholeCheckKinds as readonly string[]).includes(kinds[0]!)) context.addIssue({code: 'custom', message: `${kinds[0]} is about all rows, so no single row can have a fate`});
  else if (given.onBadRow === 'null_value' && emptied(given as Check) === null) context.addIssue({code: 'custom', message: 'has no value that could be null: null_value needs a check of one column, and sql needs `column`'});
});

/** A contract as users write it. */
export const contractShape = z.strictObject({
  key: columns.optional(),
  foreignKeys: z.array(z.strictObject({column, references: column, as: z.string().min(1).optional(), onBadRow: fate.optional()})).optional(),
  checks: z.array(check).optional(),
  onBadRow: fate.optional(),
  compatibility: z.enum(['backward', 'backward_transitive', 'forward', 'forward_transitive', 'full', 'full_transitive', 'none']).optional(),
  columns: z.record(column, z.strictObject({
    type: z.string().refine(text => parseTypeName(text) !== null, 'is no type; for example int32, utf8, date, decimal(18,2)'), source: z.string().min(1).optional(), description: z.string().optional(),
    nulls: z.array(z.string()).optional(), format: z.string().min(1).optional(), booleans: z.tuple([z.string(), z.string()]).optional(),
  })).optional(),
  writes: z.array(z.enum(['insert', 'update', 'delete'])).refine(kinds => new Set(kinds).size === kinds.length, 'names a kind twice').optional(),
  description: z.string().min(1).optional(),
  documentation: z.record(column, z.strictObject({description: z.string().min(1).optional(), unit: z.string().min(1).max(40).optional(), deprecated: z.string().min(1).optional()})).optional(),
  retention: z.strictObject({snapshots: z.int().min(1).optional(), days: z.number().positive().optional()}).refine(...atLeastOne(['snapshots', 'days'])).optional(),
}).superRefine((given, context) => {
  const key = new Set(given.key ?? []);
  if (key.size !== (given.key ?? []).length) context.addIssue({code: 'custom', path: ['key'], message: 'names a column twice'});
  (given.checks ?? []).forEach((one, index) => {
    const empties = one.onBadRow === 'null_value' ? emptied(one as Check) : null;
    if (empties !== null && key.has(empties)) context.addIssue({code: 'custom', path: ['checks', index], message: `'${empties}' is part of the key, which is never null`});
    const conflict = empties !== null && (given.checks ?? []).some(other => other.notNull === empties && other.severity !== 'warn');
    if (conflict) context.addIssue({code: 'custom', path: ['checks', index], message: `'${empties}' is made null here and must not be null elsewhere`});
  });
});

/** Checks the shape of a contract. @throws CONTRACT_INVALID with every problem */
export function parseContract(dataset: string, given: unknown): Contract {
  const parsed = contractShape.safeParse(given);
  if (parsed.success) return parsed.data as Contract;
  const reason = parsed.error.issues.map(issue => `${issue.path.join('.') || 'the contract'}: ${issue.message}`).join('; ');
  throw new MillraceError('CONTRACT_INVALID', {dataset, reason});
}
