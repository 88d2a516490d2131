/**
 * Receipts: what an answer was made from, and enough to ask for it again.
 *
 * A receipt covers the data fields of an answer; fields of the core graph tell of the present and are left out of its checksum.
 */
import {createHash} from 'node:crypto';
import {deflateRawSync, inflateRawSync} from 'node:zlib';
import type {ExecutionResult} from 'graphql';
import {z} from 'zod';
import {MillraceError} from '../../core/errors.ts';
import type {Reads} from './request-data.ts';
import {RawJson} from './stringify.ts';

/** `extensions.receipt` of an answer. */
export interface Receipt {
  /** Ids. */
  readonly snapshots: readonly string[];
  /** `model@number`. */
  readonly versions: readonly string[];
  /** Of the answer's data fields. */
  readonly sha256: string;
  /** What `verifyReceipt` takes. */
  readonly token: string;
}

export interface VerifiedReceipt {
  readonly snapshots: readonly string[];
  readonly versions: readonly string[];
  readonly sha256: string;
  readonly bytes: number;
}

/** Answers above it get a receipt only when asked for one: the checksum costs about a millisecond for each MiB. */
export const receiptBytes = 2 ** 20;

/** Characters of a question and what it read. */
const mostPacked = 2 ** 20;
const mostUnasked = 2 ** 16;

/** Unpacked, so that a small token cannot become a large one. */
const mostUnpacked = 4 * 2 ** 20;

const texts = z.record(z.string(), z.string());

const tokenShape = z.strictObject({
  v: z.literal(1),
  document: z.string(),
  operation: z.string().nullable(),
  variables: z.record(z.string(), z.unknown()),
  snapshots: texts,
  versions: texts,
  now: z.string().optional(),
  fingerprint: z.string(),
  sha256: z.string(),
});

export type ReceiptContent = z.infer<typeof tokenShape>;

/** The data fields of an answer as they are sent. */
export interface DataPart {
  readonly sha256: string;
  readonly bytes: number;
}

/** How many characters the data fields have; 0 when there are none. */
export function dataLength(data: ExecutionResult['data']): number {
  let length = 0;
  for (const value of Object.values(data ?? {})) if (value instanceof RawJson) length += value.text.length;
  return length;
}

/** The checksum covers response keys and texts, in their order. */
export function dataPart(data: ExecutionResult['data']): DataPart {
  const hash = createHash('sha256');
  let bytes = 0;
  for (const [key, value] of Object.entries(data ?? {})) {
    if (!(value instanceof RawJson)) continue;
    hash.update(`${JSON.stringify(key)}:`).update(value.text).update('\n');
    bytes += Buffer.byteLength(value.text);
  }
  return {sha256: hash.digest('hex'), bytes};
}

/** Null where the question is too long to be asked again by a token; one that nobody asked for must not cost much either. */
export function makeReceipt(content: Omit<ReceiptContent, 'v'>, wanted: boolean): Receipt | null {
  const text = JSON.stringify({v: 1, ...content} satisfies ReceiptContent);
  if (text.length > (wanted ? mostPacked : mostUnasked)) return null;
  return {...namesOf(content), sha256: content.sha256, token: deflateRawSync(text).toString('base64url')};
}

/** @throws RECEIPT_INVALID */
export function readReceipt(token: string): ReceiptContent {
  let value: unknown;
  try {
    value = JSON.parse(inflateRawSync(Buffer.from(token, 'base64url'), {maxOutputLength: mostUnpacked}).toString('utf8'));
  } catch (error) {
    throw new MillraceError('RECEIPT_INVALID', {reason: 'it is not complete.'}, {cause: error});
  }
  const content = tokenShape.safeParse(value);
  if (!content.success) throw new MillraceError('RECEIPT_INVALID', {reason: 'it is no receipt of this version of Millrace.'}, {cause: content.error});
  return content.data;
}

/** Sorted, each once. */
export function namesOf({snapshots, versions}: Reads): {snapshots: string[]; versions: string[]} {
  const names = (record: Readonly<Record<string, string>>) => [...new Set(Object.values(record))].sort();
  return {snapshots: names(snapshots), versions: names(versions)};
}
