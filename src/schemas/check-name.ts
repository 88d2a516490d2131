import {MillraceError} from '../core/errors.ts';
import {isLegal, legalNames} from './names.ts';
import {reservedReason, unreserved} from './reserved.ts';

const longest = 63;

/** Refuses what cannot name a dataset, a model or a pipeline. @throws NAME_INVALID, NAME_RESERVED */
export function checkName(name: string): void {
  if (!isLegal(name) || name.length > longest) throw new MillraceError('NAME_INVALID', {name, suggestion: suggest(name)});
  const reason = reservedReason(name);
  if (reason) throw new MillraceError('NAME_RESERVED', {name, reason, suggestion: unreserved(name)});
}

const suggest = (name: string): string => unreserved(legalNames([name])[0]!.slice(0, longest - 5));
