import type {Command} from 'commander';
import {attend, runFailure, runOf} from '../watch-run.ts';
import {collect} from '../command.ts';
import type {CliCommand, Context} from '../command.ts';
import {ask, failureFields} from '../graph-client.ts';
import type {GraphClient} from '../graph-client.ts';
import {readParams} from '../params.ts';
import {runSummary} from '../run-summary.ts';

interface RunOptions {
  readonly param?: readonly string[];
  readonly engine?: string;
  readonly idempotencyKey?: string;
  readonly wait: boolean;
}

export const startDocument = `mutation Start($input: StartRunInput!) {
  startRun(input: $input) { ${failureFields} ... on RunStarted { deduplicated run { id } } }
}`;

export const runCommand: CliCommand<RunOptions> = {
  name: 'run',
  args: '<pipeline>',
  summary: 'run a pipeline and show its progress',
  options(command: Command) {
    command
      .option('-p, --param <name=value>', 'a parameter; may be given several times', collect)
      .option('--engine <engine>', 'what runs its SQL: duckdb, spark, hive or auto')
      .option('--idempotency-key <key>', 'the same key again answers with the run it started')
      .option('--no-wait', 'start it and leave it alone');
  },
  examples: ['millrace run flight_delays -p through=2001-06-30', 'millrace run flight_delays --engine spark', 'millrace run flight_delays --no-wait --json'],
  async run(context, [pipeline], {param = [], engine, idempotencyKey, wait}) {
    const graph = await context.graph();
    const params = await readParams(graph, pipeline!, param);
    const {startRun} = await ask<{startRun: {deduplicated: boolean; run: {id: string}}}>(graph, startDocument, {input: {pipeline, params, engine: engine?.toUpperCase(), idempotencyKey}});
    if (startRun.deduplicated) context.out.note(`The key '${idempotencyKey}' is known: this is the run it started.`);
    await finishRun(context, graph, startRun.run.id, wait);
  },
};

/** Follows a run to its end, or only tells its id; prints what it made. @throws RUN_FAILED, RUN_CANCELLED */
export async function finishRun(context: Context, graph: GraphClient, id: string, wait: boolean): Promise<void> {
  const {out} = context;
  const run = wait ? await attend(context, graph, id) : null;
  if (run !== null) {
    if (out.json) out.document(run);
    else out.write(runSummary(run));
    const failure = runFailure(run);
    if (failure !== null) throw failure;
    return;
  }
  if (out.json) out.document(await runOf(graph, id));
  else out.write(`Run ${id}\nWatch it with: millrace events ${id} --follow\n`);
  if (graph.url === null) out.note('No server runs: the run goes on when one is started (`millrace serve`).');
}
