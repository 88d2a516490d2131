import type {FieldNode, GraphQLFieldMap} from 'graphql';
import {Aggregates} from './aggregate.ts';
import {asOfReader} from './as-of.ts';
import {compileChanges} from './changes.ts';
import {givenArguments} from './given.ts';
import {compileGroups} from './groups.ts';
import {aggregatedStatement} from './live/aggregated.ts';
import type {AggregatePart, Answer, CompileInput, FieldPlan} from './plan.ts';
import type {DataRoot} from './roots.ts';
import {collectBelow} from './selection.ts';
import type {Collected} from './selection.ts';
import {StatementBuilder} from './statement-builder.ts';
import type {Arguments} from './statement-builder.ts';

/** Compiles one root field, all nodes of its response key together. */
export function compileField(key: string, nodes: readonly FieldNode[], root: DataRoot, input: CompileInput): FieldPlan {
  const types = input.graph.types.get(root.dataset)!;
  const field = input.graph.schema.getQueryType()!.getFields()[nodes[0]!.name.value]!;
  const args = givenArguments(field.args, nodes[0]!, input.variables);
  const selected = collectBelow(nodes, input.fragments, input.variables);
  const asOf = asOfReader(args.get(root.kind === 'changes' ? 'to' : 'as_of'));
  const answer = answers[root.kind](selected, root, args, input, types.row.getFields());
  return {key, dataset: root.dataset, asOf, models: args.get('models'), answer};
}

const answers: Readonly<Record<DataRoot['kind'], typeof compileRows>> = {rows: compileRows, byPk: compileRows, aggregate: compileAggregate, groups: compileGroups, changes: compileChanges};

function compileRows(selected: Collected, root: DataRoot, args: Arguments, input: CompileInput, fields: GraphQLFieldMap<unknown, unknown>): Answer {
  const builder = new StatementBuilder(input, fields);
  const relation = builder.use(root.dataset);
  const single = root.kind === 'byPk';
  const chosen = single ? builder.chooseByKey(relation, args) : builder.choose(relation, args, !input.streamed);
  const row = builder.object(selected, relation);
  if (input.streamed === 'columns') return {kind: 'columns', ...builder.columns(row, relation, chosen)};
  if (builder.predictions.length === 0 && !input.streamed) return {kind: 'text', statement: builder.listOf(row, relation, chosen, single), single};
  return {kind: 'scored', rows: builder.scored(row, relation, chosen), single};
}

/** Aggregates and nodes are statements of their own, run at once: aggregates read all the rows chosen, nodes no more than the viewer may have. */
function compileAggregate(selected: Collected, root: DataRoot, args: Arguments, input: CompileInput, fields: GraphQLFieldMap<unknown, unknown>): Answer {
  const parts: AggregatePart[] = [];
  for (const [key, nodes] of selected) {
    const name = nodes[0]!.name.value;
    if (name === '__typename') parts.push({key, kind: 'constant', json: `"${root.dataset}_aggregate"`});
    else if (name === 'nodes') {
      const answer = compileRows(collectBelow(nodes, input.fragments, input.variables), {kind: 'rows', dataset: root.dataset}, args, input, fields);
      if (answer.kind === 'scored') parts.push({key, kind: 'scored', rows: answer.rows});
      else parts.push({key, kind: 'text', statement: (answer as Extract<Answer, {kind: 'text'}>).statement});
    } else {
      const builder = new StatementBuilder(input, fields);
      const relation = builder.use(root.dataset);
      const chosen = builder.choose(relation, args, false);
      const aggregates = new Aggregates(relation, builder, input);
      const object = aggregates.object(collectBelow(nodes, input.fragments, input.variables));
      const statement = builder.statement(`SELECT to_json(${object})::VARCHAR AS json FROM ${aggregates.sql(builder.chosenRows(relation, chosen))}`);
      const bounded = ['limit', 'offset', 'distinct_on'].find(name => args.has(name)) ?? null;
      parts.push({key, kind: 'text', statement: aggregatedStatement({statement, aggregates, alias: relation.alias, keyColumns: [], bounded})});
    }
  }
  return {kind: 'aggregate', parts};
}
