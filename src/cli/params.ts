import {MillraceError} from '../core/errors.ts';
import {usage} from './failure.ts';
import {ask} from './graph-client.ts';
import type {GraphClient} from './graph-client.ts';

export const document = 'query Params($name: String!) { pipeline(name: $name) { params { name type } } }';

/** Splits `name=value` entries. @throws USAGE */
export function splitPairs(entries: readonly string[], option: string): [name: string, value: string][] {
  return entries.map((entry) => {
    const equals = entry.indexOf('=');
    if (equals < 1) throw usage(`${option} ${entry}: must have the form name=value.`);
    return [entry.slice(0, equals), entry.slice(equals + 1)];
  });
}

/** `-p name=value` entries as values of the types that the pipeline declares. What does not fit is sent as it is: the graph tells why it is wrong. */
export async function readParams(graph: GraphClient, pipeline: string, entries: readonly string[]): Promise<Record<string, unknown>> {
  if (entries.length === 0) return {};
  const pairs = splitPairs(entries, '-p');
  const answer = await ask<{pipeline: {params: readonly {name: string; type: string}[]} | null}>(graph, document, {name: pipeline});
  if (answer.pipeline === null) throw new MillraceError('PIPELINE_NOT_FOUND', {name: pipeline});
  const types = new Map(answer.pipeline.params.map(({name, type}) => [name, type]));
  return Object.fromEntries(pairs.map(([name, value]) => [name, typed(value, types.get(name))]));
}

function typed(value: string, type: string | undefined): unknown {
  switch (type) {
    case 'INT':
      return /^[+-]?\d+$/.test(value) && Number.isSafeInteger(Number(value)) ? Number(value) : value;
    case 'FLOAT':
      return value.trim() !== '' && Number.isFinite(Number(value)) ? Number(value) : value;
    case 'BOOL':
      return value === 'true' ? true : value === 'false' ? false : value;
    default:
      return value;
  }
}
