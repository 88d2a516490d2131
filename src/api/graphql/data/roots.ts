import type {DatasetShape} from './shape.ts';
import {writeRootsOf} from './writing/mutation-types.ts';
import type {WriteRootKind} from './writing/mutation-types.ts';

/** What a root field that belongs to the data graph asks for. */
export interface DataRoot<Kind = 'rows' | 'byPk' | 'aggregate' | 'groups' | 'changes'> {
  readonly kind: Kind;
  readonly dataset: string;
}

/** What can be followed: live, or as a stream. */
export type FollowedRoot = DataRoot<DataRoot['kind'] | 'stream'>;

export type WriteRoot = DataRoot<WriteRootKind>;

/** What the root fields of each operation's type ask for, by name. */
export interface Roots {
  readonly query: Readonly<Record<string, DataRoot>>;
  readonly mutation: Readonly<Record<string, WriteRoot>>;
  readonly subscription: Readonly<Record<string, FollowedRoot>>;
}

export type RootOperation = keyof Roots;

/** The root fields of a dataset, by the operation's type. */
export function rootsOf(shape: DatasetShape): Roots {
  const {name} = shape;
  const root = (kind: DataRoot['kind']): DataRoot => ({kind, dataset: name});
  const followed = {[name]: root('rows'), [`${name}_by_pk`]: root('byPk'), [`${name}_aggregate`]: root('aggregate'), [`${name}_groups`]: root('groups')};
  const query = shape.key ? {...followed, [`${name}_changes`]: root('changes')} : followed;
  return {query, mutation: writeRootsOf(shape), subscription: {...followed, [`${name}_stream`]: {kind: 'stream', dataset: name}}};
}
