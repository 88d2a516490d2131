/** The tree that the embedded engine's parser gives, as far as it is followed here. */
import {MillraceError} from '../../core/errors.ts';
import type {RemoteName} from '../remote-engine.ts';

/** A node; what it is stands in `class` (expressions) and `type`. */
export type Node = Readonly<Record<string, unknown>>;

/** A type as the parser writes it, not yet looked up. */
export interface ParsedType {
  readonly id: string;
  readonly type_info: Node | null;
}

export const nodes = (value: unknown): readonly Node[] => (value ?? []) as readonly Node[];
export const texts = (value: unknown): readonly string[] => (value ?? []) as readonly string[];
export const nodeOrNull = (value: unknown): Node | null => (value ?? null) as Node | null;
export const lower = (name: unknown): string => String(name).toLowerCase();

/** The text of the statement, by the byte offsets that nodes carry. */
export class Source {
  private readonly bytes: Buffer;

  constructor(
    sql: string,
    private readonly engine: RemoteName,
  ) {
    this.bytes = Buffer.from(sql);
  }

  /** What stands at the node; '' where the parser did not note its place. */
  at(node: Node): string {
    const offset = this.offset(node);
    return offset === undefined ? '' : this.bytes.subarray(offset).toString();
  }

  /** @param what the function or construct, such as `the function 'reverse'` @param why as the end of a sentence that it begins */
  refusal(what: string, why: string, ...places: readonly (Node | null | undefined)[]): MillraceError {
    const offset = places.map(node => (node ? this.within(node) : undefined)).find(found => found !== undefined);
    const lines = offset === undefined ? null : this.bytes.subarray(0, offset).toString().split('\n');
    const place = lines === null ? {} : {line: lines.length, column: [...lines.at(-1)!].length + 1};
    return new MillraceError('SQL_NOT_PORTABLE', {engine: this.engine, construct: what, reason: why, at: lines === null ? '' : ` (line ${place.line}, column ${place.column})`, ...place});
  }

  private offset(node: Node): number | undefined {
    const place = node.query_location;
    return typeof place === 'number' && place < this.bytes.length ? place : undefined;
  }

  /** The node's own place, or the first one in it. */
  private within(node: Node): number | undefined {
    const own = this.offset(node);
    if (own !== undefined) return own;
    for (const child of Object.values(node)) {
      for (const item of Array.isArray(child) ? child : [child]) {
        const found = item !== null && typeof item === 'object' ? this.within(item as Node) : undefined;
        if (found !== undefined) return found;
      }
    }
    return undefined;
  }
}
