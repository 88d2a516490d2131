import {MillraceError} from '../../core/errors.ts';

/** What a server says of a failed call. */
export class HiveFailure extends Error {
  constructor(
    message: string,
    readonly sqlState: string | null,
    readonly errorCode: number | null,
  ) {
    super(message);
  }
}

/** Hive's own numbers of what the compiler finds; Spark sends SQL states alone. */
const [firstSemantic, lastSemantic] = [10_000, 19_999];

/** A failure of the server under one of our codes. What is none is answered as it is. */
export function asHiveError(error: unknown): unknown {
  if (!(error instanceof HiveFailure)) return error;
  const {sqlState, errorCode} = error;
  const reason = tidy(error.message);
  const state = sqlState === null || sqlState === '' ? '' : ` (SQL state ${sqlState})`;
  const options = {cause: error};
  if (/No space left on device|DiskQuota/i.test(error.message)) return new MillraceError('DISK_FULL', {path: 'Hive writes to'}, options);
  if (/FileNotFoundException|Wrong FS|Permission denied|AccessControlException/.test(error.message)) {
    return new MillraceError('ENGINE_FILES_UNREACHABLE', {engine: 'Hive', what: 'read or write the files of the step', reason}, options);
  }
  const compiled = sqlState?.startsWith('42') === true || (errorCode !== null && errorCode >= firstSemantic && errorCode <= lastSemantic) || /^(Parse|Semantic|Analysis)Exception/.test(reason);
  return new MillraceError(compiled ? 'SQL_INVALID' : 'SQL_FAILED', {reason: `Hive: ${reason}${state}`}, options);
}

/** The first line that says something, without what the server puts before it. */
function tidy(message: string): string {
  const line = message.split('\n').find(text => text.trim() !== '')?.trim() ?? 'the server does not say why';
  return line
    .replace(/^Error (while compiling|running|while processing) (statement|query): /, '')
    .replace(/^FAILED: /, '')
    .replace(/^Execution Error, return code \d+ from [\w.]+\.?\s*/, '')
    .replace(/^(?:org|java)\.[\w.]+\.(\w+(?:Exception|Error)): /, '$1: ')
    .slice(0, 2000) || 'the server does not say why';
}
