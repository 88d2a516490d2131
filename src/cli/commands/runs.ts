import {Option} from 'commander';
import type {CliCommand} from '../command.ts';
import {wholeNumber} from '../command.ts';
import {ask} from '../graph-client.ts';
import {runFields} from '../run-events.ts';
import type {RunView} from '../run-events.ts';
import {duration, time} from '../units.ts';

export const document = `query Runs($first: Int!, $pipeline: String, $status: RunStatus) { runs(first: $first, pipeline: $pipeline, status: $status) { nodes { ${runFields} } } }`;

export const runsCommand: CliCommand<{readonly pipeline?: string; readonly status?: string; readonly first: number}> = {
  name: 'runs',
  summary: 'list runs, newest first',
  options(command) {
    command
      .option('--pipeline <name>', 'of this pipeline only')
      .addOption(new Option('--status <status>', 'in this state only').choices(['queued', 'waiting', 'running', 'succeeded', 'failed', 'cancelled']))
      .option('--first <number>', 'how many', wholeNumber, 20);
  },
  async run({out, graph}, _args, {pipeline, status, first}) {
    const {runs} = await ask<{runs: {nodes: readonly RunView[]}}>(await graph(), document, {pipeline, status: status?.toUpperCase(), first});
    out.rows(runs.nodes, [
      {title: 'RUN', value: ({id}) => id},
      {title: 'PIPELINE', value: ({pipelineName}) => pipelineName},
      {title: 'STATUS', value: (run) => run.status.toLowerCase()},
      {title: 'CREATED', value: ({createdAt}) => time(createdAt)},
      {title: 'TOOK', value: tookOf, align: 'right'},
      {title: 'PARAMETERS', value: ({params}) => Object.entries(params).map(([name, value]) => `${name}=${String(value)}`).join(' ')},
      {title: '', value: ({waitingFor, error}) => (waitingFor === null ? error?.code : `waits for ${waitingFor}`)},
    ], 'There are no runs. Start one with: millrace run PIPELINE');
  },
};

function tookOf({startedAt, finishedAt}: RunView): string {
  return startedAt === null || finishedAt === null ? '' : duration(Date.parse(finishedAt) - Date.parse(startedAt));
}
