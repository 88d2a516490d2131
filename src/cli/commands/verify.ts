import {existsSync} from 'node:fs';
import {resolve} from 'node:path';
import {MillraceError} from '../../core/errors.ts';
import type {CliCommand} from '../command.ts';
import {ask, failureFields} from '../graph-client.ts';
import type {Io} from '../output.ts';
import {readInput} from '../read-input.ts';
import {bytes} from '../units.ts';

export const document = `query Verify($receipt: String!) {
  verifyReceipt(receipt: $receipt) { ${failureFields} ... on ReceiptVerified { snapshots versions sha256 bytes } }
}`;

export const verifyCommand: CliCommand = {
  name: 'verify',
  args: '<receipt>',
  summary: "ask the question of a receipt again and compare; a token, a file with an answer, or '-'",
  examples: ["millrace query -q '{ flights(limit: 3) { date delay } }' --json > answer.json && millrace verify answer.json"],
  async run({io, out, graph}, [given]) {
    const receipt = await tokenOf(io, given!);
    const {verifyReceipt} = await ask<{verifyReceipt: {snapshots: string[]; versions: string[]; sha256: string; bytes: number}}>(await graph(), document, {receipt});
    if (out.json) return out.document(verifyReceipt);
    const {snapshots, versions} = verifyReceipt;
    out.write(`${out.paint('green', 'The same answer')}: ${bytes(verifyReceipt.bytes)}, sha256 ${verifyReceipt.sha256}\n`);
    out.write(`Read ${snapshots.length === 1 ? 'snapshot' : 'snapshots'} ${snapshots.join(', ')}${versions.length === 0 ? '' : `; predicted by ${versions.join(', ')}`}\n`);
  },
};

/** The token, wherever it is: given as such, in a file, or in an answer's `extensions.receipt`. @throws RECEIPT_INVALID */
async function tokenOf(io: Io, given: string): Promise<string> {
  const text = (given === '-' || existsSync(resolve(io.cwd, given)) ? await readInput(io, given) : given).trim();
  if (!text.startsWith('{')) return text.replace(/^"|"$/g, '');
  let content: {extensions?: {receipt?: {token?: unknown}}; receipt?: {token?: unknown}; token?: unknown};
  try {
    content = JSON.parse(text) as typeof content;
  } catch (error) {
    throw new MillraceError('RECEIPT_INVALID', {reason: `it is not JSON: ${(error as Error).message}.`});
  }
  const token = content.extensions?.receipt?.token ?? content.receipt?.token ?? content.token;
  if (typeof token !== 'string') throw new MillraceError('RECEIPT_INVALID', {reason: 'there is no extensions.receipt.token in it.'});
  return token;
}
