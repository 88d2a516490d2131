import {setTimeout as delay} from 'node:timers/promises';
import {MillraceError} from '../core/errors.ts';
import type {Context} from './command.ts';
import {GraphFailure, failureOf} from './failure.ts';
import {ask, dataOf, failureFields} from './graph-client.ts';
import type {GraphClient} from './graph-client.ts';
import {progressView} from './progress-view.ts';
import {eventsDocument, runDocument} from './run-events.ts';
import type {RunEvent, RunView} from './run-events.ts';

/** Seconds in which a server that went away must be back. */
const patience = 60;

/**
 * Events of a run after a number, once each and in order, until it has ended or `signal` aborts. A connection that is lost is made
 * again and goes on after the last event that arrived.
 *
 * @throws RUN_NOT_FOUND, EVENTS_EXPIRED; SERVER_UNREACHABLE when the server stays away for a minute
 */
export async function* runEvents(graph: GraphClient, runId: string, after: string, signal: AbortSignal): AsyncGenerator<RunEvent> {
  let last = after;
  let awayUntil: number | null = null;
  while (!signal.aborted) {
    try {
      for await (const answer of graph.subscribe({document: eventsDocument, variables: {runId, after: last}}, signal)) {
        const {runEvents: event} = dataOf<{runEvents: RunEvent}>(answer);
        awayUntil = null;
        last = event.seq;
        yield event;
        if (event.__typename === 'RunFinished') return;
      }
      // The server ends a subscription when it stops, and when the run had ended before.
      if (signal.aborted || (await runOf(graph, runId)).finishedAt !== null) return;
    } catch (error) {
      const {code} = failureOf(error);
      if (graph.url === null || !['SERVER_UNREACHABLE', 'SHUTTING_DOWN', 'SUBSCRIBER_TOO_SLOW'].includes(code)) throw error;
      awayUntil ??= Date.now() + patience * 1000;
      if (Date.now() > awayUntil) throw error;
    }
    await delay(500, undefined, {signal}).catch(() => undefined);
  }
}

/** @throws RUN_NOT_FOUND */
export async function runOf(graph: GraphClient, id: string): Promise<RunView> {
  const {run} = await ask<{run: RunView | null}>(graph, runDocument, {id});
  if (run === null) throw new MillraceError('RUN_NOT_FOUND', {id});
  return run;
}

/** Shows a run until it has ended; answers it as it is then. It fails as the run did: see {@link runFailure}. */
export async function followRun(context: Pick<Context, 'out'>, graph: GraphClient, runId: string, signal: AbortSignal, onView?: (say: (text: string) => void) => void): Promise<RunView> {
  const {out} = context;
  const view = progressView(await runOf(graph, runId), {screen: out.io.stderr, paint: out.paintError});
  onView?.((text) => view.say(text));
  try {
    for await (const event of runEvents(graph, runId, '0', signal)) view.show(event);
  } finally {
    view.end();
  }
  return runOf(graph, runId);
}

/** What ended a run that did not succeed, with the exit code 3 (failed) or 4 (cancelled); null for one that did. */
export function runFailure({id, status, error, steps}: RunView): GraphFailure | null {
  const again = `millrace retry ${id}`;
  if (status === 'CANCELLED') return new GraphFailure('RUN_CANCELLED', 'The run was cancelled.', `Start it again with: ${again}`);
  if (status !== 'FAILED') return null;
  const step = steps.find((candidate) => candidate.status === 'FAILED');
  const message = error?.message ?? `Step '${step?.name ?? '?'}' failed: ${step?.error?.message ?? 'see its events'}`;
  return new GraphFailure('RUN_FAILED', message, `${step?.error?.hint ?? 'Mend the cause.'} Then: ${again}`);
}

export const cancelDocument = `mutation Cancel($id: ID!) { cancelRun(id: $id) { ${failureFields} ... on RunCancelled { run { id } } } }`;

/** Asks for the end of a run. @throws RUN_NOT_FOUND, RUN_FINISHED */
export async function cancelRun(graph: GraphClient, id: string): Promise<void> {
  await ask(graph, cancelDocument, {id});
}

/**
 * Follows a run that this command started. Ctrl-C asks to cancel it; a second one leaves it alone.
 * Answers null when it was left before it ended.
 */
export async function attend(context: Context, graph: GraphClient, runId: string): Promise<RunView | null> {
  const {signals} = context.io;
  const leave = new AbortController();
  let say = (text: string) => context.out.note(text);
  let interrupted = false;
  const onInterrupt = () => {
    if (interrupted) return leave.abort();
    interrupted = true;
    say('Cancelling the run. Ctrl-C again leaves it alone.');
    cancelRun(graph, runId).catch((error: unknown) => say(failureOf(error).message));
  };
  signals.on('SIGINT', onInterrupt);
  try {
    const run = await followRun(context, graph, runId, leave.signal, (sayAbove) => (say = sayAbove));
    return leave.signal.aborted && run.finishedAt === null ? null : run;
  } finally {
    signals.off('SIGINT', onInterrupt);
  }
}
