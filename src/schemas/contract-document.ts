import {parse, stringify} from 'yaml';
import {MillraceError} from '../core/errors.ts';
import {contractShape, parseContract} from './contract-shape.ts';
import type {Contract} from './contract.ts';

/** A contract as YAML, as a file beside the jobs says it; in the order of the shape, since a catalog does not keep that of keys. */
export const contractDocument = (contract: Contract): string => stringify(contractShape.parse(contract), {lineWidth: 120});

/** Reads a contract from YAML, of which JSON is a part. @throws CONTRACT_INVALID */
export function readContractDocument(dataset: string, text: string): Contract {
  let value: unknown;
  try {
    // Aliases can make a small text a huge value.
    value = parse(text, {maxAliasCount: 100});
  } catch (cause) {
    throw new MillraceError('CONTRACT_INVALID', {dataset, reason: (cause as Error).message.split('\n')[0]}, {cause});
  }
  return parseContract(dataset, value ?? {});
}
