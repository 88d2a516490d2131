import {isEnumType, isInputObjectType, isLeafType, isListType, isNonNullType, GraphQLBoolean} from 'graphql';
import type {DocumentNode, GraphQLInputType} from 'graphql';
import {paddedLength} from './bindings.ts';
import type {Variables} from './given.ts';

/** A declared variable of an operation. */
export interface Declared {
  readonly name: string;
  readonly type: GraphQLInputType;
}

/**
 * What of the variables shapes a plan: which are given and which are null, the fields of objects, lengths of lists as far as they change
 * SQL, and the values of booleans and enums. Other values are bound.
 */
export function shapeOfVariables(declared: readonly Declared[], variables: Variables): string {
  return declared.map(({name, type}) => shapeOf(type, variables[name])).join(';');
}

function shapeOf(type: GraphQLInputType, value: unknown): string {
  if (value === undefined) return 'u';
  if (value === null) return 'n';
  if (isNonNullType(type)) return shapeOf(type.ofType, value);
  if (isListType(type)) {
    const items = value as readonly unknown[];
    const inner = isNonNullType(type.ofType) ? type.ofType.ofType : type.ofType;
    // Items of such lists are bound one by one or as a whole; the length decides.
    if (isLeafType(inner) && !isEnumType(inner)) return `[${paddedLength(items.length)}]`;
    return `[${items.map(item => shapeOf(type.ofType, item)).join(',')}]`;
  }
  if (isInputObjectType(type)) {
    const fields = type.getFields();
    return `{${Object.entries(value)
      .map(([name, inner]) => `${name}:${shapeOf(fields[name]!.type, inner)}`)
      .join(',')}}`;
  }
  return isEnumType(type) || type === GraphQLBoolean ? String(value) : 's';
}

/** Least recently used entries go first. */
export class Lru<V> {
  private readonly entries = new Map<string, V>();

  constructor(private readonly capacity: number) {}

  get size(): number {
    return this.entries.size;
  }

  get(key: string): V | undefined {
    const value = this.entries.get(key);
    if (value !== undefined) {
      this.entries.delete(key);
      this.entries.set(key, value);
    }
    return value;
  }

  set(key: string, value: V): void {
    this.entries.delete(key);
    this.entries.set(key, value);
    if (this.entries.size > this.capacity) this.entries.delete(this.entries.keys().next().value!);
  }
}

/** A number for a parsed document, for as long as it is in use: equal requests share the document their server parsed. */
export class DocumentIds {
  private readonly ids = new WeakMap<DocumentNode, number>();
  private next = 1;

  idOf(document: DocumentNode): number {
    let id = this.ids.get(document);
    if (id === undefined) this.ids.set(document, (id = this.next++));
    return id;
  }
}
