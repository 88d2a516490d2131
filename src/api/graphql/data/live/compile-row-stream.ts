import {Kind} from 'graphql';
import type {FieldNode} from 'graphql';
import {identifier} from '../../../../engines/sql-text.ts';
import {MillraceError} from '../../../../core/errors.ts';
import {givenArguments} from '../given.ts';
import type {Variables} from '../given.ts';
import type {CompileInput, FieldPlan, ScoredRows} from '../plan.ts';
import type {FollowedRoot} from '../roots.ts';
import {collectBelow} from '../selection.ts';
import type {Collected} from '../selection.ts';
import {rowId} from '../shape.ts';
import {StatementBuilder} from '../statement-builder.ts';
import type {Arguments} from '../statement-builder.ts';

/** `…_stream`, compiled: good for every batch of it. */
export interface RowStreamPlan {
  readonly key: string;
  readonly dataset: string;
  /** Null: from the beginning. */
  readonly cursor: (variables: Variables) => string | null;
  /** @throws ARGUMENT_INVALID */
  readonly batchSize: (variables: Variables) => number;
  /** What a batch shows, in the order of the selection; `rows` by their place in `lists`. */
  readonly parts: readonly ({readonly key: string} & ({readonly kind: 'cursor'} | {readonly kind: 'constant'; readonly json: string} | {readonly kind: 'rows'; readonly list: number}))[];
  /** Rows of a batch, once for each way in which they are selected. There is one at least, which tells the batch's last row. */
  readonly lists: readonly BatchRows[];
}

export interface BatchRows {
  readonly plan: FieldPlan;
  readonly rows: ScoredRows;
  /** Whether only rows of the batch are read of the dataset: then its other files need not be. */
  readonly readsOnce: boolean;
}

/** Which rows of which snapshot a batch is taken from. They are bound as variables, under names that GraphQL does not allow. */
export interface BatchBounds {
  readonly snapshot: string;
  /** `_row_id` of the row before the first, and of the last. */
  readonly after: bigint;
  readonly through: bigint;
  /** Ids of rows that were written again, in files that store their ids, are less. */
  readonly settled: bigint;
  readonly count: number;
}

export const boundsAsVariables = ({snapshot, after, through, count}: Omit<BatchBounds, 'settled'>): Variables => ({'~snapshot': snapshot, '~after': String(after), '~through': String(through), '~count': count});

/** Under this key each row's text begins with its id. */
export const idKey = '~id';

/** A selection with the row's id before all. */
export const withId = (selected: Collected): Collected => new Map([[idKey, [{kind: Kind.FIELD, name: {kind: Kind.NAME, value: rowId}}] as const], ...selected]);

export function compileRowStream(key: string, nodes: readonly FieldNode[], {dataset}: FollowedRoot, input: CompileInput): RowStreamPlan {
  const field = input.graph.schema.getSubscriptionType()!.getFields()[nodes[0]!.name.value]!;
  const args = givenArguments(field.args, nodes[0]!, input.variables);
  const lists: BatchRows[] = [];
  const parts = [...collectBelow(nodes, input.fragments, input.variables)].map(([partKey, partNodes]): RowStreamPlan['parts'][number] => {
    switch (partNodes[0]!.name.value) {
      case 'cursor':
        return {key: partKey, kind: 'cursor'};
      case 'rows':
        lists.push(batchRows(partKey, collectBelow(partNodes, input.fragments, input.variables), dataset, args, input));
        return {key: partKey, kind: 'rows', list: lists.length - 1};
      default:
        return {key: partKey, kind: 'constant', json: `"${dataset}_batch"`};
    }
  });
  if (lists.length === 0) lists.push(batchRows('rows', new Map(), dataset, args, input));
  const cursor = args.get('cursor');
  return {
    key, dataset, parts, lists,
    cursor: variables => (cursor?.read(variables) as string | null | undefined) ?? null,
    batchSize: variables => {
      const size = args.get('batch_size')!.read(variables) as number;
      if (size < 1 || size > input.maxRows) throw new MillraceError('ARGUMENT_INVALID', {name: 'batch_size', reason: `it is not between 1 and ${input.maxRows}.`});
      return size;
    },
  };
}

function batchRows(key: string, selected: Collected, dataset: string, args: Arguments, input: CompileInput): BatchRows {
  const builder = new StatementBuilder(input, input.graph.types.get(dataset)!.row.getFields());
  const relation = builder.use(dataset);
  const {condition} = builder.choose(relation, new Map([...args].filter(([name]) => name === 'where')), false);
  const bound = (name: string) => builder.bindings.bind(variables => variables[name] as string, 'BIGINT');
  const chosen = {
    condition: `${condition} AND ${relation.rowId} > ${bound('~after')} AND ${relation.rowId} <= ${bound('~through')}`,
    order: {keys: [{expression: relation.rowId, direction: 'ASC'}], joins: []},
    limit: builder.bindings.bind(variables => variables['~count'] as number, 'BIGINT'),
    offset: null,
  };
  const rows = builder.scored(builder.object(withId(selected), relation), relation, chosen);
  return {
    rows,
    plan: {key, dataset, asOf: variables => ({snapshot: variables['~snapshot'] as string}), answer: {kind: 'scored', rows, single: false}},
    readsOnce: rows.statement.sql.split(`FROM ${identifier(dataset)})`).length === 2,
  };
}
