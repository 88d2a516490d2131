import {MillraceError} from '../core/errors.ts';
import type {SourceKind, SourceSpec, Sources} from './source.ts';

/** Opens a specification with the one kind that accepts it. @throws ARGUMENT_INVALID, and what the kind throws */
export function createSources(kinds: readonly SourceKind[]): Sources {
  const kindOf = (spec: SourceSpec): SourceKind => {
    const accepting = kinds.filter(kind => kind.accepts(spec));
    if (accepting.length !== 1) {
      throw new MillraceError('ARGUMENT_INVALID', {name: 'source', reason: `it needs exactly one place: ${kinds.map(kind => (kind.kind === 'file' ? 'path' : kind.kind)).join(' or ')}.`});
    }
    return accepting[0]!;
  };
  return {
    open: async (spec, scratch, only) => kindOf(spec).open(spec, scratch, only),
    async list(spec) {
      const {list} = kindOf(spec);
      if (!list) throw new MillraceError('ARGUMENT_INVALID', {name: 'source', reason: 'only the files of a path and the partitions of a table come and go.'});
      return list(spec);
    },
  };
}
