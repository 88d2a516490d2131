import {execute, Kind} from 'graphql';
import type {ExecutionResult, FieldNode, GraphQLError, OperationDefinitionNode} from 'graphql';
import type {DataSchema} from './data/data-schema.ts';
import type {Variables} from './data/given.ts';
import {collect} from './data/selection.ts';
import type {Fragments} from './data/selection.ts';
import {compileWrite} from './data/writing/compile-write.ts';
import {executeWrite} from './data/writing/execute-write.ts';
import type {OperationRequest} from './executor.ts';
import {checkSize} from './limits.ts';
import {asGraphQLError} from './located-error.ts';
import {JsonText} from './stringify.ts';

export interface Mutation {
  readonly node: OperationDefinitionNode;
  readonly fragments: Fragments;
  /** Coerced. */
  readonly variables: Variables;
  readonly graph: DataSchema;
  readonly request: OperationRequest;
}

/** Whether an operation writes rows; if not, graphql-js resolves all of it. */
export const hasWrites = ({node, fragments, variables, graph}: Omit<Mutation, 'request'>): boolean =>
  node.operation === 'mutation' && graph.roots.mutation.size > 0 && [...collect([node.selectionSet], fragments, variables).values()].some(([field]) => graph.roots.mutation.has(field!.name.value));

/**
 * One root field after the other, as the specification has it, those of the core among them. Each that writes is atomic by itself: where one
 * fails, it is null, those before it stand and those after it go on.
 */
export async function mutate({node, fragments, variables, graph, request}: Mutation): Promise<ExecutionResult> {
  const {limits} = request.data.viewer;
  const errors: GraphQLError[] = [];
  const data: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  try {
    checkSize(node, fragments, limits);
  } catch (error) {
    return {errors: [asGraphQLError(error)]};
  }
  for (const [key, nodes] of collect([node.selectionSet], fragments, variables)) {
    const root = graph.roots.mutation.get(nodes[0]!.name.value);
    if (!root) {
      const core = await resolveCore(nodes, {node, fragments, graph, request});
      errors.push(...(core.errors ?? []));
      if (!core.data) return {errors, data: null};
      data[key] = core.data[key];
      continue;
    }
    try {
      const plan = compileWrite(nodes, root, {graph, fragments, variables, maxRows: limits.rows});
      data[key] = new JsonText(await executeWrite(plan, graph, variables, request.data));
    } catch (error) {
      data[key] = null;
      errors.push(asGraphQLError(error, nodes, key));
    }
  }
  return {...(errors.length > 0 ? {errors} : {}), data};
}

async function resolveCore(nodes: readonly FieldNode[], {node, fragments, graph, request}: Omit<Mutation, 'variables'>): Promise<ExecutionResult> {
  const definitions = [{...node, selectionSet: {kind: Kind.SELECTION_SET, selections: nodes}} as const, ...Object.values(fragments)];
  return execute({schema: graph.schema, document: {kind: Kind.DOCUMENT, definitions}, contextValue: request.coreContext, variableValues: request.variables});
}
