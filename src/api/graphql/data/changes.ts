import {GraphQLEnumType, GraphQLInt, GraphQLNonNull, GraphQLObjectType} from 'graphql';
import type {GraphQLFieldConfig, GraphQLInputObjectType} from 'graphql';
import {literal} from '../../../engines/sql-text.ts';
import {asOfReader} from './as-of.ts';
import {jsonObject} from './columns.ts';
import type {Answer, CompileInput} from './plan.ts';
import type {DataRoot} from './roots.ts';
import {rowText, shownIf} from './row-json.ts';
import {collectBelow} from './selection.ts';
import type {Collected} from './selection.ts';
import {StatementBuilder} from './statement-builder.ts';
import type {Arguments} from './statement-builder.ts';

export const changeKind = new GraphQLEnumType({name: 'change_kind', values: {inserted: {}, updated: {}, deleted: {}}});

/** `<dataset>_changes`: what became of the rows of a dataset with a key, from one state to another. */
export function changesField(name: string, row: GraphQLObjectType, asOf: GraphQLInputObjectType, list: (type: GraphQLObjectType) => GraphQLFieldConfig<unknown, unknown>['type']): GraphQLFieldConfig<unknown, unknown> {
  const change = new GraphQLObjectType({
    name: `${name}_change`,
    fields: {
      change: {type: new GraphQLNonNull(changeKind)},
      before: {type: row, description: 'The row as it was; null: it was not there. Related rows are those of `to`.'},
      after: {type: row, description: 'The row as it is; null: it is gone.'},
    },
  });
  return {
    type: list(change),
    args: {
      from: {type: new GraphQLNonNull(asOf)},
      to: {type: asOf, description: 'Default: the newest state.'},
      limit: {type: GraphQLInt},
      offset: {type: GraphQLInt},
    },
    description: `Rows of \`${name}\` that were inserted, updated or deleted between two states, told apart by their key, in its order.`,
  };
}

/** One statement over both states, which read only the files that they do not have in common. */
export function compileChanges(selected: Collected, root: DataRoot, args: Arguments, input: CompileInput): Answer {
  const fields = input.graph.types.get(root.dataset)!.row.getFields();
  const builder = new StatementBuilder(input, fields);
  const [before, after] = [builder.use(root.dataset), builder.use(root.dataset)];
  before.apart = after.apart = true;
  const {shape} = before;
  const key = shape.key!.map(({name}) => name);
  const was = `${before.column(key[0]!)} IS NOT NULL`;
  const is = `${after.column(key[0]!)} IS NOT NULL`;
  const {maxRows} = input;
  const sql = builder.nested(() => {
    const parts = [...selected].map(([responseKey, nodes]) => {
      const name = nodes[0]!.name.value;
      if (name === '__typename') return [responseKey, literal(`${root.dataset}_change`)] as const;
      if (name === 'change') return [responseKey, `CASE WHEN NOT (${was}) THEN 'inserted' WHEN NOT (${is}) THEN 'deleted' ELSE 'updated' END`] as const;
      const [relation, present] = name === 'before' ? [before, was] : [after, is];
      return [responseKey, `${rowText(shownIf(present, builder.object(collectBelow(nodes, input.fragments, input.variables), relation, fields)))}::JSON`] as const;
    });
    const text = `to_json(${jsonObject(parts)})::VARCHAR`;
    const same = key.map(name => `${before.column(name)} = ${after.column(name)}`).join(' AND ');
    const differs = shape.dataset.schema.fields.map(({name}) => `${before.column(name)} IS DISTINCT FROM ${after.column(name)}`).join(' OR ');
    const order = key.map(name => `coalesce(${before.column(name)}, ${after.column(name)})`).join(', ');
    const limit = builder.rowCount(args.get('limit'), 'limit', maxRows + 1) ?? String(maxRows + 1);
    const offset = builder.rowCount(args.get('offset'), 'offset', Infinity);
    return joins => {
      const rows = `${before.sql()} FULL JOIN ${after.sql()} ON ${same} ${joins.join(' ')} WHERE ${differs} ORDER BY ${order} LIMIT ${limit}${offset === null ? '' : ` OFFSET ${offset}`}`;
      return `SELECT CASE WHEN count(*) <= ${maxRows} THEN '[' || coalesce(string_agg(text, ',' ORDER BY n), '') || ']' END AS json FROM (SELECT ${text} AS text, row_number() OVER (ORDER BY ${order}) AS n FROM ${rows})`;
    };
  });
  return {kind: 'text', statement: {...builder.statement(sql), changed: {dataset: root.dataset, before: before.name, after: after.name, from: asOfReader(args.get('from'))}}, single: false};
}
