import type {DatasetShape} from './shape.ts';
import {writeRootsOf} from './writing/mutation-types.ts';
import type {WriteRootKind} from './writing/mutation-types.ts';

/** What a root field that belongs to the data graph asks for. */
export interface DataRoot {
  readonly kind: 'rows' | 'byPk' | 'aggregate' | 'groups' | WriteRootKind;
  readonly dataset: string;
}

export type RootOperation = 'query' | 'mutation' | 'subscription';

/** The root fields of a dataset, by the operation's type. */
export function rootsOf(shape: DatasetShape): Readonly<Record<RootOperation, Readonly<Record<string, DataRoot>>>> {
  const {name} = shape;
  const root = (kind: DataRoot['kind']): DataRoot => ({kind, dataset: name});
  const query = {[name]: root('rows'), [`${name}_by_pk`]: root('byPk'), [`${name}_aggregate`]: root('aggregate'), [`${name}_groups`]: root('groups')};
  return {query, mutation: writeRootsOf(shape), subscription: query};
}
