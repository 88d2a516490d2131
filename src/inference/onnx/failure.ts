import type {ErrorCode} from '../../core/errors.ts';

/**
 * A failure inside a scoring thread or the gate's process, on its way to become a MillraceError there where it is reported.
 * Those two run these sources directly when there is no build (type stripping), which core's errors do not allow.
 */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, details: Readonly<Record<string, unknown>>) {
    super(`${code} ${Object.values(details).map(String).join(' ')}`);
    this.code = code;
    this.details = details;
  }
}

/** A failure as plain data: what crosses from a thread or a process. */
export interface FailureData {
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;
}

/** Any thrown thing as plain data; what is no Failure gets `otherwise` with the reason. */
export function failureData(error: unknown, otherwise: (reason: string) => FailureData): FailureData {
  if (error instanceof Failure) return {code: error.code, details: error.details};
  return otherwise(reasonOf(error));
}

export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
