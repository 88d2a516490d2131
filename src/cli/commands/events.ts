import {MillraceError} from '../../core/errors.ts';
import {wholeNumber} from '../command.ts';
import type {CliCommand} from '../command.ts';
import {exitCodeOf} from '../failure.ts';
import {ask} from '../graph-client.ts';
import {EventLines} from '../progress.ts';
import {time} from '../units.ts';
import {runEvents, runOf} from '../watch-run.ts';

export const document = 'query LastEvent($id: ID!) { run(id: $id) { lastSeq finishedAt } }';

interface EventsOptions {
  readonly after: number;
  readonly follow?: boolean;
}

export const eventsCommand: CliCommand<EventsOptions> = {
  name: 'events',
  args: '<run>',
  summary: 'show what happened in a run',
  options(command) {
    command
      .option('--after <number>', 'begin after this event', wholeNumber, 0)
      .option('-f, --follow', 'go on until the run has ended');
  },
  examples: ['millrace events 0199aa10-… --follow', 'millrace events 0199aa10-… --json | jq .message'],
  async run({io, out, graph}, [id], {after, follow = false}) {
    const client = await graph();
    const {run} = await ask<{run: {lastSeq: string; finishedAt: string | null} | null}>(client, document, {id});
    if (run === null) throw new MillraceError('RUN_NOT_FOUND', {id});
    const {lastSeq, finishedAt} = run;
    if (!follow && BigInt(lastSeq) <= BigInt(after)) return;
    const stop = new AbortController();
    const onInterrupt = () => stop.abort();
    io.signals.on('SIGINT', onInterrupt);
    const lines = new EventLines();
    try {
      for await (const event of runEvents(client, id!, String(after), AbortSignal.any([stop.signal, out.closed]))) {
        if (out.json) {
          out.document(event);
        } else {
          const line = lines.line(event);
          if (line !== null) out.write(`${out.paint('dim', `${event.seq.padStart(4)}  ${time(event.at)}`)}  ${line}\n`);
        }
        await out.drained();
        if (!follow && finishedAt === null && BigInt(event.seq) >= BigInt(lastSeq)) return;
      }
    } finally {
      io.signals.off('SIGINT', onInterrupt);
    }
    if (!follow || stop.signal.aborted || out.closed.aborted) return;
    // Following a run ends as the run did.
    const {status} = await runOf(client, id!);
    return status === 'FAILED' ? exitCodeOf('RUN_FAILED') : status === 'CANCELLED' ? exitCodeOf('RUN_CANCELLED') : 0;
  },
};
