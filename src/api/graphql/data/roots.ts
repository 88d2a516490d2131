import type {DatasetShape} from './shape.ts';

/** What a root field that belongs to the data graph asks for. */
export interface DataRoot {
  readonly kind: 'rows' | 'byPk' | 'aggregate' | 'groups';
  readonly dataset: string;
}

export type RootOperation = 'query' | 'mutation' | 'subscription';

/** The root fields of a dataset, by the operation's type. */
export function rootsOf({name}: DatasetShape): Readonly<Record<RootOperation, Readonly<Record<string, DataRoot>>>> {
  const root = (kind: DataRoot['kind']): DataRoot => ({kind, dataset: name});
  const query = {[name]: root('rows'), [`${name}_by_pk`]: root('byPk'), [`${name}_aggregate`]: root('aggregate'), [`${name}_groups`]: root('groups')};
  return {query, mutation: {}, subscription: query};
}
