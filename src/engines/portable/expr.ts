/** An expression in the words of a remote engine. */
import type {Type} from './types.ts';

export interface Expr {
  /** Stands in brackets where it has to. The engine's type of it is exactly the dialect's for `type`. */
  readonly sql: string;
  readonly type: Type;
  /** Of an integer or text that stands in the statement: it takes the type of what it meets. */
  readonly literal?: bigint | string;
  /** Of a decimal that stands in the statement. */
  readonly digits?: string;
  /** Known not to be zero, whatever the data. */
  readonly nonZero?: boolean;
  /** Of an INTERVAL: BIGINT texts to be added, months first. It can only be added to a date or a timestamp. */
  readonly span?: Span;
  /** Of the INTERVAL between two timestamps: its microseconds, BIGINT. */
  readonly elapsed?: string;
}

export interface Span {
  readonly months?: string;
  readonly days?: string;
  readonly micros?: string;
}

/** How a CAST is to be understood: what the user wrote, and what follows from the types that meet. */
export type Casting = 'explicit' | 'implicit';

/** Thrown where an expression cannot be written; the caller knows its place in the SQL. */
export class NotPortable extends Error {
  constructor(
    /** As the end of a sentence that the construct begins: `has no equal there`. */
    readonly why: string,
    /** The construct, where it is another than the caller's. */
    readonly what?: string,
  ) {
    super(why);
  }
}
