import {MillraceError} from '../../../core/errors.ts';
import type {Bindings} from './bindings.ts';
import type {Given} from './given.ts';

/** A name of the IANA database as the engine knows it. @throws ARGUMENT_INVALID */
function timeZone(name: string): string {
  try {
    if (/^[A-Za-z]/.test(name)) return new Intl.DateTimeFormat('en', {timeZone: name}).resolvedOptions().timeZone;
  } catch {
    // told below
  }
  throw new MillraceError('ARGUMENT_INVALID', {name: 'time_zone', reason: `'${name.slice(0, 100)}' is no time zone; one is 'Europe/Berlin'.`});
}

export const timeZoneParameter = (given: Given, bindings: Bindings): string => bindings.bind(variables => timeZone(given.read(variables) as string), 'VARCHAR');
