import {getDirectiveValues, GraphQLIncludeDirective, GraphQLSkipDirective, Kind} from 'graphql';
import type {FieldNode, FragmentDefinitionNode, SelectionSetNode} from 'graphql';
import type {Variables} from './given.ts';

export type Fragments = Readonly<Record<string, FragmentDefinitionNode>>;

/** The selected fields by response key, in order, as the GraphQL specification collects them. */
export type Collected = ReadonlyMap<string, readonly FieldNode[]>;

/**
 * Collects the fields of selection sets on one object type. Data types have neither interfaces nor unions, so in a valid document
 * every fragment that can apply does; `applies` tells otherwise for the root type's fragments.
 */
export function collect(sets: readonly SelectionSetNode[], fragments: Fragments, variables: Variables): Collected {
  const found = new Map<string, FieldNode[]>();
  const visited = new Set<string>();
  const visit = (set: SelectionSetNode): void => {
    for (const selection of set.selections) {
      if (selection.directives?.length && !isIncluded(selection, variables)) continue;
      if (selection.kind === Kind.FIELD) {
        const key = selection.alias?.value ?? selection.name.value;
        const list = found.get(key);
        if (list) list.push(selection);
        else found.set(key, [selection]);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) visit(selection.selectionSet);
      else if (!visited.has(selection.name.value)) {
        visited.add(selection.name.value);
        const fragment = fragments[selection.name.value];
        if (fragment) visit(fragment.selectionSet);
      }
    }
  };
  for (const set of sets) visit(set);
  return found;
}

/** The fields below the nodes of one response key. */
export const collectBelow = (nodes: readonly FieldNode[], fragments: Fragments, variables: Variables): Collected =>
  collect(nodes.flatMap(node => (node.selectionSet ? [node.selectionSet] : [])), fragments, variables);

function isIncluded(node: Parameters<typeof getDirectiveValues>[1], variables: Variables): boolean {
  const skip = getDirectiveValues(GraphQLSkipDirective, node, variables as Record<string, unknown>);
  if (skip?.if === true) return false;
  const include = getDirectiveValues(GraphQLIncludeDirective, node, variables as Record<string, unknown>);
  return include?.if !== false;
}
