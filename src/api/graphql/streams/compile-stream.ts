import type {OperationDefinitionNode} from 'graphql';
import {MillraceError} from '../../../core/errors.ts';
import {compileField} from '../data/compile.ts';
import type {CompileInput, FieldPlan} from '../data/plan.ts';
import {collect} from '../data/selection.ts';

/** The plan of a query whose one field is a list of rows. @throws NOT_STREAMABLE and what compiling a field throws */
export function compileStream(node: OperationDefinitionNode, input: CompileInput): FieldPlan {
  if (node.operation !== 'query') throw new MillraceError('NOT_STREAMABLE', {reason: `it is that of a ${node.operation}.`});
  const roots = collect([node.selectionSet], input.fragments, input.variables);
  const [[key, nodes] = []] = roots;
  if (!key || !nodes || roots.size > 1) throw new MillraceError('NOT_STREAMABLE', {reason: `the query has ${roots.size} fields.`});
  const name = nodes[0]!.name.value;
  const root = input.graph.roots.query.get(name);
  if (root?.kind !== 'rows') throw new MillraceError('NOT_STREAMABLE', {reason: `\`${name}\` is no list of rows.`});
  return compileField(key, nodes, root, input);
}
