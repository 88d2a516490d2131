import {collect} from '../command.ts';
import type {CliCommand} from '../command.ts';
import {ask, failureFields} from '../graph-client.ts';
import {splitPairs} from '../params.ts';
import {finishRun} from './run.ts';

export const document = `mutation Replay($input: ReplayQuarantineInput!) { replayQuarantine(input: $input) { ${failureFields} ... on RunStarted { run { id } } } }`;

interface ReplayOptions {
  readonly where?: string;
  readonly setSql?: readonly string[];
  readonly idempotencyKey?: string;
  readonly wait: boolean;
}

export const replayCommand: CliCommand<ReplayOptions> = {
  name: 'replay',
  args: '<dataset>',
  summary: 'give quarantined rows to their dataset again, mended or under another contract',
  options(command) {
    command
      .option('--where <sql>', "an expression of the quarantine's columns that is true for the rows to give (default: all)")
      .option('--set-sql <column=sql>', 'an expression that is the value of a column now; may be given several times', collect)
      .option('--idempotency-key <key>', 'the same key again answers with the run it started')
      .option('--no-wait', 'start it and leave it alone');
  },
  examples: ['millrace replay flights', `millrace replay movies --where "year(released) > 2010" --set-sql "released=released - INTERVAL 100 YEAR"`],
  async run(context, [dataset], {where, setSql, idempotencyKey, wait}) {
    const graph = await context.graph();
    const input = {dataset, where, setSql: setSql && Object.fromEntries(splitPairs(setSql, '--set-sql')), idempotencyKey};
    const {replayQuarantine} = await ask<{replayQuarantine: {run: {id: string}}}>(graph, document, {input});
    await finishRun(context, graph, replayQuarantine.run.id, wait);
  },
};
