import {progressView} from '../../src/cli/progress-view.ts';
import {EventLines, RunProgress} from '../../src/cli/progress.ts';
import type {RunEvent} from '../../src/cli/run-events.ts';
import {golden} from './golden.ts';
import {TestScreen, shownOn} from './screen.ts';

const began = Date.parse('2001-07-01T00:00:00Z');
const plain = (_style: string, text: string) => text;
const run = {
  status: 'QUEUED' as const,
  steps: ['airports', 'flights_raw', 'flights', 'airport_delays.csv'].map((name, index, names) => ({
    name, kind: 'SQL', status: 'PENDING' as const, reused: false, reason: null, needs: index < 2 ? [] : names.slice(index === 2 ? 0 : 2, index), rowsWritten: '0', rowsSuperseded: '0', rowsDeleted: '0', rowsQuarantined: '0', rowsDropped: '0', startedAt: null, finishedAt: null, error: null,
  })),
};

type Bare<E> = E extends unknown ? Omit<E, 'seq' | 'at'> : never;

/** Events at seconds after the beginning, numbered. */
const events: RunEvent[] = ([
  [0, {__typename: 'RunBegan'}],
  [0.1, {__typename: 'StepStarted', step: {name: 'airports'}, attempt: 1, reason: 'the dataset does not exist yet'}],
  [0.1, {__typename: 'StepStarted', step: {name: 'flights_raw'}, attempt: 1, reason: 'the dataset does not exist yet'}],
  [0.5, {__typename: 'SnapshotCommitted', step: {name: 'airports'}, dataset: {name: 'airports'}, snapshot: {id: 's1'}, rowCount: '3376', reused: true}],
  [0.5, {__typename: 'StepFinished', step: {name: 'airports'}, status: 'SUCCEEDED', error: null}],
  [1, {__typename: 'StepProgress', step: {name: 'flights_raw'}, fraction: 0.25, rowsDone: '750000', rowsPerSecond: 833_333}],
  [6, {__typename: 'StepProgress', step: {name: 'flights_raw'}, fraction: 0.53, rowsDone: '1590000', rowsPerSecond: 269_491}],
  [6.1, {__typename: 'LogLine', about: {name: 'flights_raw'}, level: 'WARN', message: 'the engine is slow today'}],
  [8, {__typename: 'SnapshotCommitted', step: {name: 'flights_raw'}, dataset: {name: 'flights_raw'}, snapshot: {id: 's2'}, rowCount: '3000000', reused: false}],
  [8.1, {__typename: 'StepFinished', step: {name: 'flights_raw'}, status: 'SUCCEEDED', error: null}],
  [8.2, {__typename: 'StepStarted', step: {name: 'flights'}, attempt: 1, reason: 'an input changed'}],
  [9, {__typename: 'StepRetrying', step: {name: 'flights'}, attempt: 1, failure: {code: 'SQL_FAILED', message: 'The SQL failed while running: no.', hint: ''}, waitSeconds: 1}],
  [10, {__typename: 'StepStarted', step: {name: 'flights'}, attempt: 2, reason: 'an input changed'}],
  [12, {__typename: 'StepFinished', step: {name: 'flights'}, status: 'FAILED', error: {code: 'SQL_FAILED', message: 'The SQL failed while running: no.', hint: ''}}],
  [12, {__typename: 'StepFinished', step: {name: 'airport_delays.csv'}, status: 'SKIPPED', error: null}],
  [12, {__typename: 'RunFinished', run: {status: 'FAILED'}, error: {code: 'RUN_FAILED', message: "Step 'flights' failed: no.", hint: ''}}],
] satisfies [number, Bare<RunEvent>][]).map(([seconds, event], index) => ({...event, seq: String(index + 1), at: new Date(began + seconds * 1000).toISOString()}) as RunEvent);

test('in a pipe, an event is a line', () => {
  const screen = new TestScreen();
  const view = progressView(run, {screen, paint: plain});
  for (const event of events) view.show(event);
  view.end();
  expect(screen.text).not.toContain('\u001b');
  expect(screen.text).toBe(golden('progress-lines.txt', screen.text));
});

test('on a terminal, steps are bars; each state as a person sees it', () => {
  const frames: string[] = [];
  const progress = new RunProgress(run);
  for (const event of events) {
    progress.apply(event);
    frames.push(`after ${event.seq} ${event.__typename}\n${progress.lines(80, Date.parse(event.at), plain).join('\n')}\n`);
  }
  const text = frames.join('\n');
  expect(text).toBe(golden('progress-bars.txt', text));
});

test('drawing again and again leaves one picture on the screen, below the lines that stay', () => {
  const screen = new TestScreen(80);
  let now = began;
  const view = progressView(run, {screen, paint: plain, now: () => now});
  for (const event of events) {
    now = Date.parse(event.at);
    view.show(event);
    if (event.seq === '9') view.say('Cancelling the run.');
  }
  view.end();
  const shown = shownOn(screen.text);
  expect(shown).toBe(golden('progress-screen.txt', shown));
});

test('the same events give the same state, wherever the watcher began', () => {
  const [early, late] = [new RunProgress(run), new RunProgress({status: 'RUNNING', steps: []})];
  for (const event of events) {
    early.apply(event);
    late.apply(event);
  }
  const told = (progress: RunProgress) => [progress.status, ...[...progress.steps.values()].map(({name, status, made}) => `${name} ${status} ${made}`).toSorted()];
  expect(told(late)).toEqual(told(early));
});

test('more steps than the terminal has rows are cut to those that matter', () => {
  const steps = Array.from({length: 40}, (_, index) => ({...run.steps[0]!, name: `step_${index}`, needs: []}));
  const screen = new TestScreen(60, 12);
  const view = progressView({status: 'RUNNING', steps}, {screen, paint: plain, now: () => began});
  for (let index = 0; index < 30; index++) view.show({__typename: 'StepFinished', seq: String(index), at: new Date(began).toISOString(), step: {name: `step_${index}`}, status: 'SUCCEEDED', error: null});
  view.end();
  const lines = shownOn(screen.text).trimEnd().split('\n');
  expect(lines.length).toBeLessThanOrEqual(10);
  expect(lines[0]).toBe('… 30 steps above, 1 below');
  expect(lines[1]).toContain('step_30');
});

test('progress is a line in five seconds', () => {
  const lines = new EventLines();
  const progress = (seconds: number): RunEvent => ({__typename: 'StepProgress', seq: '1', at: new Date(began + seconds * 1000).toISOString(), step: {name: 'a'}, fraction: seconds / 100, rowsDone: '0', rowsPerSecond: 0});
  lines.line({__typename: 'StepStarted', seq: '1', at: new Date(began).toISOString(), step: {name: 'a'}, attempt: 1, reason: ''});
  expect([1, 4.9, 5, 6, 10].map((seconds) => lines.line(progress(seconds)))).toEqual([null, null, 'a: 5 %', null, 'a: 10 %']);
});
