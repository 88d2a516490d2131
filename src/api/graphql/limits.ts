import {Kind} from 'graphql';
import type {OperationDefinitionNode, SelectionSetNode} from 'graphql';
import {MillraceError} from '../../core/errors.ts';
import type {QueryLimits} from '../../core/viewer.ts';
import type {Fragments} from './data/selection.ts';

interface Size {
  readonly depth: number;
  readonly fields: number;
}

/**
 * Refuses documents that ask for too much, by their text alone. Each fragment is measured once, so a document cannot make measuring
 * it slow. Introspection is exempt: it is deep by nature, and its answer is bounded by the schema.
 * @throws QUERY_TOO_DEEP, QUERY_TOO_MANY_ALIASES
 */
export function checkSize(operation: OperationDefinitionNode, fragments: Fragments, limits: QueryLimits): void {
  const known = new Map<string, Size>();
  const sizeOf = (set: SelectionSetNode): Size => {
    let depth = 0;
    let fields = 0;
    for (const selection of set.selections) {
      let inner: Size;
      if (selection.kind === Kind.FIELD) {
        if (selection.name.value === '__schema' || selection.name.value === '__type') continue;
        const below = selection.selectionSet ? sizeOf(selection.selectionSet) : {depth: 0, fields: 0};
        inner = {depth: below.depth + 1, fields: below.fields + 1};
      } else if (selection.kind === Kind.INLINE_FRAGMENT) inner = sizeOf(selection.selectionSet);
      else inner = sizeOfFragment(selection.name.value);
      depth = Math.max(depth, inner.depth);
      fields += inner.fields;
    }
    return {depth, fields};
  };
  const sizeOfFragment = (name: string): Size => {
    let size = known.get(name);
    if (!size) {
      // Documents are measured before they are validated: a fragment may spread itself.
      known.set(name, {depth: 0, fields: 0});
      const fragment = fragments[name];
      size = fragment ? sizeOf(fragment.selectionSet) : {depth: 0, fields: 0};
      known.set(name, size);
    }
    return size;
  };
  const {depth, fields} = sizeOf(operation.selectionSet);
  if (depth > limits.depth) throw new MillraceError('QUERY_TOO_DEEP', {depth, limit: limits.depth});
  if (fields > limits.fields) throw new MillraceError('QUERY_TOO_MANY_ALIASES', {count: fields, limit: limits.fields});
}
