import {setTimeout as sleep} from 'node:timers/promises';
import {MillraceError} from '../../src/core/errors.ts';
import {createLogger, logContext, withLogContext, type LoggerOptions} from '../../src/core/logging.ts';
import {prettyLine} from '../../src/core/pretty-line.ts';

function capture(options: LoggerOptions = {}) {
  const lines: string[] = [];
  const logger = createLogger({format: 'json', output: {write: (line) => void lines.push(line)}, ...options});
  return {logger, lines, entries: () => lines.map((line) => JSON.parse(line))};
}

test('lines carry the ids of the work they belong to, also across awaits and side by side', async () => {
  const {logger, entries} = capture();
  const work = (requestId: string) => withLogContext({requestId}, async () => {
    await sleep(5);
    await withLogContext({runId: `run-${requestId}`, step: 'load'}, async () => {
      await sleep(1);
      logger.info('inner');
    });
    logger.info('outer');
  });
  await Promise.all([work('a'), work('b')]);
  logger.info('outside');
  const ids = entries().map(({msg, requestId, runId, step}) => [msg, requestId, runId, step]).sort();
  expect(ids).toEqual([
    ['inner', 'a', 'run-a', 'load'], ['inner', 'b', 'run-b', 'load'],
    ['outer', 'a', undefined, undefined], ['outer', 'b', undefined, undefined],
    ['outside', undefined, undefined, undefined],
  ]);
  expect(logContext()).toEqual({});
});

test('JSON lines have a level by name and an ISO time; lower levels are left out', () => {
  const {logger, entries} = capture({level: 'warn'});
  logger.info('no');
  logger.child({part: 'http'}).warn({port: 4000}, 'yes');
  expect(entries()).toMatchObject([{level: 'warn', part: 'http', port: 4000, msg: 'yes', pid: process.pid, time: expect.stringMatching(/^\d{4}-.*Z$/)}]);
});

test('secrets are hidden by the name of their field and by their text', () => {
  for (const format of ['json', 'pretty'] as const) {
    const {logger, lines} = capture({format, secrets: ['se"cret value']});
    logger.info({headers: {authorization: 'Bearer abc'}, password: 'hunter2', note: 'the se"cret value!'}, 'with se"cret value');
    expect(lines.join('')).not.toMatch(/abc|hunter2|cret value/);
    expect(lines.join('').match(/\[secret\]/g)).toHaveLength(4);
  }
});

test('errors keep code, hint and cause', () => {
  const {logger, entries} = capture();
  logger.error({err: new MillraceError('DISK_FULL', {path: '/data'}, {cause: Object.assign(new Error('no space'), {code: 'ENOSPC'})})}, 'failed');
  expect(entries()[0].err).toMatchObject({code: 'DISK_FULL', hint: expect.stringContaining('Free some space'), cause: {code: 'ENOSPC', message: 'no space'}, stack: expect.any(String)});
});

test('pretty lines are for people', () => {
  const at = new Date(2026, 0, 2, 3, 4, 5, 6).toISOString();
  const line = (entry: object) => prettyLine(JSON.stringify({level: 'info', time: at, ...entry}), false);
  expect(line({part: 'http', msg: 'listening', port: 4000, url: 'http://x', note: 'two words', pid: 1}))
    .toBe('03:04:05.006 info  [http] listening port=4000 url=http://x note="two words"\n');
  expect(line({level: 'error', msg: 'failed', err: {code: 'X', message: 'why', hint: 'do', stack: 'Error: why\n    at a (b:1)', cause: {message: 'deeper', stack: ''}}}))
    .toBe('03:04:05.006 error failed\n    X: why\n    do\n      at a (b:1)\n    caused by deeper\n');
  expect(prettyLine(JSON.stringify({level: 'warn', time: at, msg: 'm'}), true)).toContain('\u001b[33mwarn ');
  expect(prettyLine('no json\n', true)).toBe('no json\n');
});
