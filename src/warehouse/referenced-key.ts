import {MillraceError} from '../core/errors.ts';
import type {Table} from '../engines/engine.ts';
import {typeName} from '../schemas/schema.ts';
import type {Field} from '../schemas/schema.ts';

/** The newest content of another dataset and its key. */
export type Referenced = (dataset: string) => Promise<{table: Table; key: readonly string[]}>;

/** Integers of any size compare; else a foreign key has its key's type. */
const compared = ({type}: Field): string => (type.kind === 'int' ? 'an integer' : typeName(type));

/** The one column that a foreign key holds values of. @throws CONTRACT_INVALID where there is none, or its values cannot be compared */
export function referencedKey(dataset: string, field: Field, references: string, {table, key}: Awaited<ReturnType<Referenced>>): string {
  const invalid = (reason: string): MillraceError => new MillraceError('CONTRACT_INVALID', {dataset, reason});
  const [target, ...more] = key;
  if (target === undefined || more.length > 0) throw invalid(`'${field.name}' refers to '${references}', which has no key of one column`);
  const [own, its] = [compared(field), compared(table.schema.fields.find(one => one.name === target)!)];
  if (own !== its) throw invalid(`'${field.name}' is ${own}, and the key of '${references}' is ${its}`);
  return target;
}
