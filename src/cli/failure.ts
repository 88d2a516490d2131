import {MillraceError, asMillraceError, errorTable} from '../core/errors.ts';

/** An error that the graph answered, kept in its own words. */
export class GraphFailure extends Error {
  override readonly name = 'GraphFailure';

  constructor(
    readonly code: string,
    message: string,
    readonly hint: string,
    readonly details: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
  }
}

/** What a command ends with when it fails. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  /** The exit code of the table. */
  readonly exit: number;
}

/** Anything thrown, as the failure a user sees. */
export function failureOf(thrown: unknown): Failure {
  if (thrown instanceof GraphFailure) return {code: thrown.code, message: thrown.message, hint: thrown.hint, exit: exitCodeOf(thrown.code)};
  const {code, message, hint, exit} = asMillraceError(thrown);
  return {code, message, hint, exit};
}

/** The exit code of an error code; 1 for one this version does not know. */
export function exitCodeOf(code: string): number {
  return (errorTable as Readonly<Record<string, {readonly exit?: number} | undefined>>)[code]?.exit ?? 1;
}

export const usage = (reason: string): MillraceError => new MillraceError('USAGE', {reason});
