import type {GraphQLFieldConfig, GraphQLFieldConfigMap} from 'graphql';
import type {FollowedRoot} from '../roots.ts';

/** The fields of the query type that can be followed, as fields of the subscription type: they tell of the present, so they have no `as_of`. */
export const liveFields = (query: GraphQLFieldConfigMap<unknown, unknown>, live: Readonly<Record<string, FollowedRoot>>): GraphQLFieldConfigMap<unknown, unknown> =>
  Object.fromEntries(Object.entries(query).filter(([name]) => name in live).map(([name, field]) => [name, liveField(field)]));

function liveField({args, description, ...field}: GraphQLFieldConfig<unknown, unknown>): GraphQLFieldConfig<unknown, unknown> {
  const others = {...args};
  delete others.as_of;
  return {...field, args: others, description: `${description} Answered at once, and again whenever a new snapshot changes the answer.`};
}
