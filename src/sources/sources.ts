import {MillraceError} from '../core/errors.ts';
import type {SourceKind, Sources} from './source.ts';

/** Opens a specification with the one kind that accepts it. @throws ARGUMENT_INVALID, and what the kind throws */
export function createSources(kinds: readonly SourceKind[]): Sources {
  return {
    async open(spec, scratch) {
      const accepting = kinds.filter(kind => kind.accepts(spec));
      if (accepting.length !== 1) {
        throw new MillraceError('ARGUMENT_INVALID', {name: 'source', reason: `it needs exactly one place: ${kinds.map(kind => (kind.kind === 'file' ? 'path' : kind.kind)).join(' or ')}.`});
      }
      return accepting[0]!.open(spec, scratch);
    },
  };
}
