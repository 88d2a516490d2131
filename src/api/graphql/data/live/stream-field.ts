import {GraphQLInt, GraphQLList, GraphQLNonNull, GraphQLObjectType, GraphQLString} from 'graphql';
import type {GraphQLFieldConfig, GraphQLInputObjectType, GraphQLObjectType as ObjectType} from 'graphql';

/** The field `…_stream` of the subscription type. */
export function streamField(dataset: string, row: ObjectType, where: GraphQLInputObjectType): GraphQLFieldConfig<unknown, unknown> {
  const batch = new GraphQLObjectType({
    name: `${dataset}_batch`,
    fields: {
      cursor: {type: new GraphQLNonNull(GraphQLString), description: 'Where the stream goes on after these rows, on any server and at any time.'},
      rows: {type: new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(row))), description: 'As they were in the snapshot that brought them.'},
    },
  });
  return {
    type: new GraphQLNonNull(batch),
    args: {
      cursor: {type: GraphQLString, description: 'Of the last batch that was received; `latest`: only rows that come from now on; default: from the beginning, which is all rows there are now.'},
      batch_size: {type: new GraphQLNonNull(GraphQLInt), description: 'Rows of a batch at most.'},
      where: {type: where},
    },
    description:
      `Every row of \`${dataset}\` once, in the order of commits and then of \`_row_id\`: first those there are, then those that each new snapshot brings. A row that is written over keeps its \`_row_id\` and does not come again; rows of an overwrite are new ones; a compaction brings none.`,
  };
}
