import {collect} from '../command.ts';
import type {CliCommand} from '../command.ts';
import {ask, failureFields} from '../graph-client.ts';
import {readParams} from '../params.ts';
import {bytes, count} from '../units.ts';

interface PlannedStep {
  readonly name: string;
  readonly kind: string;
  readonly action: 'EXECUTE' | 'REUSE';
  readonly reason: string;
  readonly into: string | null;
  readonly rowsIn: string | null;
  readonly bytesIn: string | null;
  readonly schemaChanges: readonly string[];
  readonly notices: readonly string[];
  readonly engine: string;
  readonly engineReason: string;
}

interface PlanWarning {
  readonly code: string;
  readonly certainty: 'PROVEN' | 'LIKELY';
  readonly step: string;
  readonly detail: string;
}

interface RunPlan {
  readonly pipeline: string;
  readonly params: unknown;
  readonly steps: readonly PlannedStep[];
  readonly warnings: readonly PlanWarning[];
  readonly affectedModels: readonly {readonly name: string}[];
}

export const document = `query Plan($input: StartRunInput!) {
  planRun(input: $input) {
    ${failureFields}
    ... on RunPlan { pipeline params steps { name kind action reason into rowsIn bytesIn schemaChanges notices engine engineReason } warnings { code certainty step column detail } affectedModels { name } }
  }
}`;

export const planCommand: CliCommand<{readonly param?: readonly string[]; readonly engine?: string}> = {
  name: 'plan',
  args: '<pipeline>',
  summary: 'tell what a run would do and why, and start nothing',
  options(command) {
    command.option('-p, --param <name=value>', 'a parameter; may be given several times', collect).option('--engine <engine>', 'what would run its SQL: duckdb, spark, hive or auto');
  },
  examples: ['millrace plan flight_delays -p through=2001-06-30'],
  async run({out, graph}, [pipeline], {param = [], engine}) {
    const client = await graph();
    const params = await readParams(client, pipeline!, param);
    const {planRun} = await ask<{planRun: RunPlan}>(client, document, {input: {pipeline, params, engine: engine?.toUpperCase()}});
    if (out.json) return out.document(planRun);
    out.write(out.table([
      {title: 'STEP', value: ({name}: PlannedStep) => name},
      {title: 'DOES', value: ({action}) => action.toLowerCase()},
      {title: 'WHY', value: ({reason}) => reason},
      {title: 'ON', value: ({engine: by}) => by},
      {title: 'ROWS IN', value: ({rowsIn}) => (rowsIn === null ? '?' : count(rowsIn)), align: 'right'},
      {title: 'BYTES IN', value: ({bytesIn}) => (bytesIn === null ? '?' : bytes(bytesIn)), align: 'right'},
      {title: 'SCHEMA', value: ({schemaChanges}) => schemaChanges.join('; ')},
    ], planRun.steps));
    for (const {name, engine: by, engineReason, kind} of planRun.steps) if (by !== 'duckdb' && kind === 'SQL') out.write(`\n${name}: on ${by}, because ${engineReason}\n`);
    for (const {name, notices} of planRun.steps) for (const notice of notices) out.write(`\n${name}: ${notice}\n`);
    if (planRun.warnings.length > 0) out.write(`\nWarnings, from statistics alone:\n${planRun.warnings.map(warningLine).join('\n')}\n`);
    if (planRun.affectedModels.length > 0) out.write(`\nModels it touches: ${planRun.affectedModels.map(({name}) => name).join(', ')}\n`);
  },
};

const warningLine = ({step, certainty, detail}: PlanWarning): string => `  ${step}: ${detail}${certainty === 'LIKELY' ? ' (likely)' : ''}`;
