import {MillraceError} from '../../../core/errors.ts';
import type {ErrorCode} from '../../../core/errors.ts';

/** The number of things asked for at once. @throws ARGUMENT_INVALID */
export function pageSize(first: number, most = 1000): number {
  if (first < 1 || first > most) throw new MillraceError('ARGUMENT_INVALID', {name: 'first', reason: `it must be from 1 to ${most}.`});
  return first;
}

/** A place in a list, opaque to clients. */
export function cursorOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64url');
}

/** @throws ARGUMENT_INVALID */
export function readCursor(cursor: string): string {
  const text = Buffer.from(cursor, 'base64url').toString('utf8');
  if (cursorOf(text) !== cursor) throw new MillraceError('ARGUMENT_INVALID', {name: 'after', reason: 'it is no cursor of an earlier page.'});
  return text;
}

/** A JSON argument that must be an object. @throws ARGUMENT_INVALID */
export function jsonObject(value: unknown, name: string): Readonly<Record<string, unknown>> | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'object' || Array.isArray(value)) throw new MillraceError('ARGUMENT_INVALID', {name, reason: 'it must be an object.'});
  return value as Readonly<Record<string, unknown>>;
}

/** A JSON argument that must be an object of texts. @throws ARGUMENT_INVALID */
export function jsonTexts(value: unknown, name: string): Readonly<Record<string, string>> | undefined {
  const object = jsonObject(value, name);
  if (object && Object.values(object).some(text => typeof text !== 'string')) throw new MillraceError('ARGUMENT_INVALID', {name, reason: 'its values must be texts.'});
  return object as Readonly<Record<string, string>> | undefined;
}

/** What the work gives, or null where it fails with the code: for lookups that may find nothing. */
export async function orNull<T>(code: ErrorCode, work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof MillraceError && error.code === code) return null;
    throw error;
  }
}
