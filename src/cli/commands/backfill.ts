import {setTimeout as delay} from 'node:timers/promises';
import {Option} from 'commander';
import {collect} from '../command.ts';
import type {CliCommand, Context} from '../command.ts';
import {GraphFailure, usage} from '../failure.ts';
import {ask, failureFields} from '../graph-client.ts';
import type {GraphClient} from '../graph-client.ts';
import {readParams} from '../params.ts';

interface BackfillOptions {
  readonly from?: string;
  readonly to?: string;
  readonly grain?: 'day' | 'month';
  readonly param?: readonly string[];
  readonly again?: boolean;
  readonly cancel?: string;
  readonly wait: boolean;
}

interface Progress {
  readonly id: string;
  readonly pipeline: string;
  readonly status: 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED';
  readonly done: number;
  readonly failed: number;
  readonly total: number;
}

interface View extends Progress {
  readonly partitions: readonly {readonly partition: string; readonly status: string; readonly run: {readonly id: string; readonly error: {readonly message: string} | null} | null}[];
}

const progressFields = 'id pipeline status done failed total';

export const startDocument = `mutation Backfill($input: BackfillInput!) { backfill(input: $input) { ${failureFields} ... on BackfillStarted { deduplicated backfill { ${progressFields} } } } }`;
export const progressDocument = `query BackfillProgress($id: ID!) { backfill(id: $id) { ${progressFields} } }`;
export const document = `query BackfillPartitions($id: ID!) { backfill(id: $id) { ${progressFields} partitions { partition status run { id error { message } } } } }`;
export const cancelDocument = `mutation CancelBackfill($id: ID!) { cancelBackfill(id: $id) { ${failureFields} ... on BackfillCancelled { backfill { ${progressFields} } } } }`;

/** Milliseconds between two looks at how far it is. */
const pause = 500;

export const backfillCommand: CliCommand<BackfillOptions> = {
  name: 'backfill',
  args: '[pipeline]',
  summary: 'run a pipeline for every partition of a range that has not succeeded yet',
  options(command) {
    command
      .option('--from <day>', 'the first partition, by a day of it')
      .option('--to <day>', 'the last partition, by a day of it')
      .addOption(new Option('--grain <grain>', "what a partition is (default: what the steps' partitionBy says)").choices(['day', 'month']))
      .option('-p, --param <name=value>', 'another parameter of the runs; may be given several times', collect)
      .option('--again', 'also run the partitions that have succeeded')
      .option('--cancel <id>', 'end a backfill instead of starting one')
      .option('--no-wait', 'start it and leave it alone');
  },
  examples: ['millrace backfill flights_daily --from 2001-01-01 --to 2001-04-10', 'millrace backfill sales_monthly --from 2024-01-01 --to 2024-12-31 --no-wait'],
  async run(context, [pipeline], options) {
    const graph = await context.graph();
    if (options.cancel !== undefined) {
      await ask(graph, cancelDocument, {id: options.cancel});
      return finish(context, await viewOf(graph, options.cancel));
    }
    const {from, to, grain, param = [], again, wait} = options;
    if (pipeline === undefined || from === undefined || to === undefined) throw usage('A backfill needs a pipeline, --from and --to.');
    const input = {pipeline, from, to, grain: grain?.toUpperCase(), params: param.length > 0 ? await readParams(graph, pipeline, param) : undefined, again};
    const {backfill: {backfill, deduplicated}} = await ask<{backfill: {backfill: Progress; deduplicated: boolean}}>(graph, startDocument, {input});
    if (deduplicated) context.out.note('The same backfill goes on: this is that one.');
    if (!wait) {
      if (context.out.json) context.out.document(backfill);
      else context.out.write(`Backfill ${backfill.id}: ${backfill.done} of ${backfill.total} partitions are done\n`);
      return;
    }
    const view = await follow(context, graph, backfill);
    finish(context, view);
    if (view.status !== 'SUCCEEDED') throw failure(view);
  },
};

/** Tells how far it is, whenever that changes, until it has ended. Ctrl-C leaves it alone: it goes on. */
async function follow({out, io}: Context, graph: GraphClient, started: Progress): Promise<View> {
  let left = false;
  const leave = (): void => {
    left = true;
  };
  io.signals.on('SIGINT', leave);
  try {
    let told = '';
    for (let now = started; ; now = await progressOf(graph, started.id)) {
      const text = `${now.done} of ${now.total} partitions are done${now.failed > 0 ? `, ${now.failed} failed` : ''}`;
      if (text !== told) out.note((told = text));
      if (left || now.status !== 'RUNNING') return await viewOf(graph, started.id);
      await delay(pause);
    }
  } finally {
    io.signals.off('SIGINT', leave);
  }
}

const progressOf = async (graph: GraphClient, id: string): Promise<Progress> => (await ask<{backfill: Progress}>(graph, progressDocument, {id})).backfill;
const viewOf = async (graph: GraphClient, id: string): Promise<View> => (await ask<{backfill: View}>(graph, document, {id})).backfill;

function finish({out}: Pick<Context, 'out'>, view: View): void {
  if (out.json) return out.document(view);
  const failed = view.partitions.filter(one => one.status === 'FAILED');
  out.write(`Backfill ${view.id} of ${view.pipeline}: ${view.status.toLowerCase()}, ${view.done} of ${view.total} partitions are done\n`);
  for (const one of failed) out.write(`  ${one.partition}: ${one.run?.error?.message ?? 'failed'} (millrace events ${one.run?.id})\n`);
}

function failure(view: View): GraphFailure {
  const again = 'Ask for the same backfill again: only the partitions that have not succeeded are run.';
  if (view.status === 'CANCELLED') return new GraphFailure('RUN_CANCELLED', 'The backfill was cancelled.', again);
  if (view.status === 'RUNNING') return new GraphFailure('RUN_CANCELLED', 'The backfill was left; it goes on.', `End it with: millrace backfill --cancel ${view.id}`);
  return new GraphFailure('RUN_FAILED', `${view.failed} of ${view.total} partitions failed.`, `Mend the cause. ${again}`);
}
