import {MillraceError} from './errors.ts';

/** Who asks. An argument of every service, part of plan and cache keys, recorded on runs; today everyone local may see everything. */
export interface Viewer {
  readonly name: string;
  readonly roles: readonly ('viewer' | 'admin')[];
  readonly limits: QueryLimits;
}

/** What one request may ask for. */
export interface QueryLimits {
  readonly depth: number;
  /** Fields of a document after fragments are spread, aliases included. */
  readonly fields: number;
  /** Rows of one root field. */
  readonly rows: number;
  /** Bytes of one answer. */
  readonly bytes: number;
  /** Rows that a statement may have to read, from the manifests: without the files whose bounds say that none of theirs matters. */
  readonly cost: number;
  /** The same in bytes of the columns that it reads, as they lie in the files. */
  readonly scanBytes: number;
  /** Operations at a time. */
  readonly queries: number;
  readonly seconds: number;
  /** Rows of one answer that is streamed (NDJSON, Arrow). */
  readonly streamRows: number;
  /** A stream takes as long as its reader does. */
  readonly streamSeconds: number;
}

/** @throws UNAUTHENTICATED */
export function onlyAdmin({roles}: Viewer): void {
  if (!roles.includes('admin')) throw new MillraceError('UNAUTHENTICATED');
}
