import type {CliCommand} from '../command.ts';
import {ask, failureFields} from '../graph-client.ts';
import {finishRun} from './run.ts';

export const document = `mutation Retry($id: ID!) { retryRun(id: $id) { ${failureFields} ... on RunStarted { run { id } } } }`;

export const retryCommand: CliCommand<{readonly wait: boolean}> = {
  name: 'retry',
  args: '<run>',
  summary: 'run a failed or cancelled run again; steps that succeeded are reused',
  options(command) {
    command.option('--no-wait', 'start it and leave it alone');
  },
  async run(context, [id], {wait}) {
    const graph = await context.graph();
    const {retryRun} = await ask<{retryRun: {run: {id: string}}}>(graph, document, {id});
    await finishRun(context, graph, retryRun.run.id, wait);
  },
};
