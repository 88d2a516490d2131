import {Kind} from 'graphql';
import type {OperationDefinitionNode, SelectionSetNode, ValueNode} from 'graphql';
import {MillraceError} from '../../core/errors.ts';
import type {QueryLimits} from '../../core/viewer.ts';
import type {Fragments} from './data/selection.ts';

/** Levels of one value: of a literal, or of a variable. */
const deepestValue = 64;

/** Objects among the arguments of a query (conditions, orderings), for each field that it may have. */
const objectsForField = 5;

/** What an operation asks for, by its text alone; what fragments ask for counts each time they are spread. */
interface Size {
  readonly depth: number;
  readonly fields: number;
  /** Objects that stand in arguments. */
  readonly objects: number;
  /** How often each variable stands in arguments. */
  readonly uses: ReadonlyMap<string, number>;
}

const nothing: Size = {depth: 0, fields: 0, objects: 0, uses: new Map()};

/** Parsed documents never change. */
const sizes = new WeakMap<OperationDefinitionNode, Size>();

/**
 * Refuses documents that ask for too much, by their text alone. Each fragment is measured once, so a document cannot make measuring
 * it slow. Introspection may be as deep as it likes: it is by nature, and graph rules bound it.
 * @throws QUERY_TOO_DEEP, QUERY_TOO_MANY_ALIASES
 */
export function checkSize(operation: OperationDefinitionNode, fragments: Fragments, limits: QueryLimits): void {
  const {depth, fields} = sizeOf(operation, fragments);
  if (depth > limits.depth) throw new MillraceError('QUERY_TOO_DEEP', {depth, limit: limits.depth});
  if (fields > limits.fields) throw new MillraceError('QUERY_TOO_MANY_ALIASES', {count: fields, limit: limits.fields});
}

/**
 * Refuses values that would cost more to read, to compile and to plan than a query may, before anything is done with them. What a mutation writes
 * has limits of its own.
 * @throws QUERY_TOO_DEEP, QUERY_TOO_MANY_CONDITIONS
 */
export function checkValues(operation: OperationDefinitionNode, fragments: Fragments, variables: Readonly<Record<string, unknown>>, limits: QueryLimits): void {
  const limit = limits.fields * objectsForField;
  const {uses, objects} = sizeOf(operation, fragments);
  let count = objects;
  for (const [name, value] of Object.entries(variables)) {
    if (typeof value === 'object' && value !== null) count += objectsOf(value) * (uses.get(name) ?? 1);
  }
  if (operation.operation !== 'mutation' && count > limit) throw new MillraceError('QUERY_TOO_MANY_CONDITIONS', {count, limit});
}

/** Objects within a variable's value. Written without recursion, since nobody has looked at its depth. @throws QUERY_TOO_DEEP */
function objectsOf(value: object): number {
  let count = 0;
  let level: object[] = [value];
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > deepestValue) throw new MillraceError('QUERY_TOO_DEEP', {depth, limit: deepestValue});
    const below: object[] = [];
    for (const one of level) {
      if (!Array.isArray(one)) count++;
      for (const inner of Array.isArray(one) ? (one as unknown[]) : Object.values(one)) if (typeof inner === 'object' && inner !== null) below.push(inner);
    }
    level = below;
  }
  return count;
}

function sizeOf(operation: OperationDefinitionNode, fragments: Fragments): Size {
  let size = sizes.get(operation);
  if (!size) sizes.set(operation, (size = measured(operation.selectionSet, fragments)));
  return size;
}

function measured(selectionSet: SelectionSetNode, fragments: Fragments): Size {
  const known = new Map<string, Size>();
  const sizeOfSet = (set: SelectionSetNode): Size => {
    let [depth, fields, objects] = [0, 0, 0];
    const uses = new Map<string, number>();
    const add = (inner: Size) => {
      depth = Math.max(depth, inner.depth);
      fields += inner.fields;
      objects += inner.objects;
      for (const [name, count] of inner.uses) uses.set(name, (uses.get(name) ?? 0) + count);
    };
    for (const selection of set.selections) {
      if (selection.kind === Kind.FRAGMENT_SPREAD) add(sizeOfFragment(selection.name.value));
      else if (selection.kind === Kind.INLINE_FRAGMENT) add(sizeOfSet(selection.selectionSet));
      else {
        const below = selection.selectionSet ? sizeOfSet(selection.selectionSet) : nothing;
        const isIntrospection = selection.name.value === '__schema' || selection.name.value === '__type';
        add({...below, depth: isIntrospection ? 1 : below.depth + 1, fields: below.fields + 1});
        for (const {value} of selection.arguments ?? []) add({...nothing, ...sizeOfLiteral(value)});
      }
    }
    return {depth, fields, objects, uses};
  };
  const sizeOfFragment = (name: string): Size => {
    let size = known.get(name);
    if (!size) {
      // Documents are measured before they are validated: a fragment may spread itself.
      known.set(name, nothing);
      const fragment = fragments[name];
      size = fragment ? sizeOfSet(fragment.selectionSet) : nothing;
      known.set(name, size);
    }
    return size;
  };
  return sizeOfSet(selectionSet);
}

/** @throws QUERY_TOO_DEEP */
function sizeOfLiteral(value: ValueNode, depth = 1): Pick<Size, 'objects' | 'uses'> {
  if (value.kind === Kind.VARIABLE) return {objects: 0, uses: new Map([[value.name.value, 1]])};
  if (value.kind !== Kind.LIST && value.kind !== Kind.OBJECT) return nothing;
  if (depth > deepestValue) throw new MillraceError('QUERY_TOO_DEEP', {depth, limit: deepestValue});
  const isList = value.kind === Kind.LIST;
  let objects = isList ? 0 : 1;
  const uses = new Map<string, number>();
  for (const inner of isList ? value.values : value.fields.map(field => field.value)) {
    if (inner.kind !== Kind.VARIABLE && inner.kind !== Kind.LIST && inner.kind !== Kind.OBJECT) continue;
    const size = sizeOfLiteral(inner, depth + 1);
    objects += size.objects;
    for (const [name, count] of size.uses) uses.set(name, (uses.get(name) ?? 0) + count);
  }
  return {objects, uses};
}
