import {validateSync} from 'class-validator';
import type {ValidationError} from 'class-validator';
import {MillraceError} from '../../../core/errors.ts';

/**
 * Checks inputs by their class-validator decorators. The errors of class-validator hold the input itself, which may be secret or huge,
 * so only names and reasons are taken from them.
 * @throws ARGUMENT_INVALID
 */
export function validateArgument(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  for (const item of Array.isArray(value) ? value : [value]) {
    if (!isDecorated(item)) continue;
    const first = firstProblem(validateSync(item, {forbidUnknownValues: false, validationError: {target: false, value: false}}), '');
    if (first) throw new MillraceError('ARGUMENT_INVALID', first);
  }
}

/** Scalars such as JSON give plain objects, dates and the like: nothing is declared for those. */
const isDecorated = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && ![Object.prototype, Date.prototype, null].includes(Object.getPrototypeOf(value) as object | null);

function firstProblem(errors: readonly ValidationError[], path: string): {name: string; reason: string} | null {
  for (const {property, constraints, children = []} of errors) {
    const name = path === '' ? property : `${path}.${property}`;
    const reason = Object.values(constraints ?? {})[0];
    if (reason !== undefined) return {name, reason: `${reason}.`};
    const inner = firstProblem(children, name);
    if (inner) return inner;
  }
  return null;
}
