import {matchesGlob, posix} from 'node:path';
import type {FoundRawFile} from '../../sources/source.ts';
import type {IngestedFile} from '../../warehouse/warehouse.ts';
import type {IngestStep} from '../pipeline.ts';
import type {PreparedStep} from './step-kind.ts';

export interface NewFiles {
  /** To be read. */
  readonly names: ReadonlySet<string>;
  /** Files that were read with another content, and that the step does not want to be read again. */
  readonly refused: readonly string[];
  readonly due: NonNullable<PreparedStep['due']>;
  readonly notices: NonNullable<PreparedStep['notices']>;
}

/** Names told of in full; the others are counted. */
const told = 5;

const counted = (count: number): string => (count === 1 ? 'one file' : `${count} files`);
const sinceRead = (what: string, {length}: readonly string[]): string => `${counted(length)} ${what} since ${length === 1 ? 'it was' : 'they were'} read`;
const listed = (names: readonly string[]): string => names.slice(0, told).join(', ') + (names.length > told ? ` and ${names.length - told} more` : '');

/** What of a pattern's files a dataset has not read yet, and what is to be said of those it has. */
export function newFiles(step: IngestStep, found: readonly FoundRawFile[], read: readonly IngestedFile[]): NewFiles {
  const before = new Map(read.map(file => [file.name, file.sha256]));
  const there = new Set(found.map(file => file.name));
  const fresh = found.filter(file => !before.has(file.name)).map(file => file.name);
  const changed = found.filter(file => before.has(file.name) && before.get(file.name) !== file.sha256).map(file => file.name);
  const vanished = read.map(file => file.name).filter(name => !there.has(name) && isOf(step.source.path!, name));

  const onChanged = step.onChanged ?? (step.mode === 'merge' ? 'reread' : 'fail');
  const fate = {fail: 'the step fails', ignore: 'what was read stays', reread: 'read again'}[onChanged];
  const names = new Set(onChanged === 'ignore' ? fresh : [...fresh, ...changed]);
  return {
    names,
    refused: onChanged === 'fail' ? changed : [],
    due: {
      now: names.size > 0,
      reason: names.size === 0 ? `none of ${counted(found.length)} is new` : [
        ...(fresh.length > 0 ? [`${fresh.length} of ${counted(found.length)} ${fresh.length === 1 ? 'is' : 'are'} new`] : []),
        ...(names.size > fresh.length ? [`${changed.length} changed`] : []),
      ].join(', '),
    },
    notices: [
      ...(changed.length > 0 ? [{level: onChanged === 'fail' ? 'error' as const : 'warn' as const, message: `${sinceRead('changed', changed)} (${fate}): ${listed(changed)}`}] : []),
      ...(vanished.length > 0 ? [{level: 'warn' as const, message: `${sinceRead('vanished', vanished)} (what was read stays): ${listed(vanished)}`}] : []),
    ],
  };
}

/** Whether a pattern could have found a file of this name: a dataset may be read from several. */
const isOf = (pattern: string, name: string): boolean => name === pattern || matchesGlob(name, posix.normalize(pattern));
