/**
 * The sample project, "June 2001, as it happened": its model, two runs of its pipeline, and the predictions as a field.
 *
 * Each part is done only where it is not there yet, and the runs have idempotency keys: killed at any moment and started again, it
 * goes on where it was.
 */
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {Context} from './command.ts';
import {failureOf} from './failure.ts';
import {ask, failureFields} from './graph-client.ts';
import type {GraphClient} from './graph-client.ts';
import {deployModel, registerModel} from './model-actions.ts';
import type {RunStatus} from './run-events.ts';
import {runSummary} from './run-summary.ts';
import {followRun, runFailure} from './watch-run.ts';

const pipeline = 'flight_delays';
const model = 'late_arrival';
const dataset = 'flights';
/** January to May, then June: two snapshots, so that there is something to go back to. */
const days = ['2001-05-31', '2001-06-30'];

interface ModelState {
  readonly versions: readonly {readonly number: number}[];
  readonly aliases: readonly {readonly alias: string; readonly version: {readonly number: number} | null}[];
  readonly deployments: readonly {readonly dataset: {readonly name: string}}[];
}

export const modelDocument = `query SampleModel($name: String!) {
  model(name: $name) { versions { number } aliases { alias version { number } } deployments { dataset { name } } }
}`;

export const startDocument = `mutation StartSample($input: StartRunInput!) {
  startRun(input: $input) { ${failureFields} ... on RunStarted { deduplicated run { id status } } }
}`;

export const retryDocument = `mutation RetrySample($id: ID!) { retryRun(id: $id) { ${failureFields} ... on RunStarted { run { id } } } }`;

/** @throws what the graph refuses; RUN_FAILED, RUN_CANCELLED */
export async function prepareSample(context: Pick<Context, 'out'>, graph: GraphClient, options: {modelFolder: string; signal: AbortSignal}): Promise<void> {
  const {modelFolder, signal} = options;
  const version = await ensureModel(context, graph, modelFolder);
  for (const day of days) {
    if (signal.aborted) return;
    await ensureRun(context, graph, day, signal);
  }
  if (signal.aborted) return;
  const {deployments} = (await modelState(graph))!;
  if (deployments.some((deployment) => deployment.dataset.name === dataset)) return;
  const {field} = await deployModel(graph, {model, version, alias: 'champion', on: dataset});
  context.out.note(`Rows of ${dataset} have the field ${field} now, the model's prediction.`);
}

async function modelState(graph: GraphClient): Promise<ModelState | null> {
  return (await ask<{model: ModelState | null}>(graph, modelDocument, {name: model})).model;
}

/** Answers the number of the version that is champion. */
async function ensureModel({out}: Pick<Context, 'out'>, graph: GraphClient, folder: string): Promise<number> {
  const state = await modelState(graph);
  const champion = state?.aliases.find(({alias}) => alias === 'champion')?.version;
  if (champion) return champion.number;
  const read = async (name: string) => JSON.parse(await readFile(join(folder, name), 'utf8')) as unknown;
  const {number} = await registerModel(graph, {
    model, file: join(folder, `${model}.onnx`), examples: await read('examples.json'), metrics: await read('metrics.json'), alias: 'champion',
    description: 'Will a flight arrive more than 15 minutes late?',
  });
  out.note(`Model ${model} is registered as version ${number}.`);
  return number;
}

/** Starts the run of a day, or goes on with the one that was started before, and shows it to its end. */
async function ensureRun(context: Pick<Context, 'out'>, graph: GraphClient, day: string, signal: AbortSignal): Promise<void> {
  const {out} = context;
  const {startRun} = await ask<{startRun: {deduplicated: boolean; run: {id: string; status: RunStatus}}}>(graph, startDocument, {
    input: {pipeline, params: {through: day}, idempotencyKey: `sample-${day}`},
  }).catch((error: unknown) => {
    // The pipeline is the user's to change; what the sample made of it before stands.
    if (failureOf(error).code === 'IDEMPOTENCY_CONFLICT') return {startRun: null};
    throw error;
  });
  if (startRun === null || startRun.run.status === 'SUCCEEDED') return;
  let {id} = startRun.run;
  if (startRun.run.status === 'FAILED' || startRun.run.status === 'CANCELLED') {
    id = (await ask<{retryRun: {run: {id: string}}}>(graph, retryDocument, {id})).retryRun.run.id;
  }
  out.note(`\n${out.paintError('bold', `Flights through ${day}`)}`);
  const run = await followRun(context, graph, id, signal);
  if (signal.aborted) return;
  const failure = runFailure(run);
  if (failure !== null) throw failure;
  out.note(out.paintError('dim', runSummary(run).trimEnd()));
}
