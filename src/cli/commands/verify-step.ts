import {MillraceError} from '../../core/errors.ts';
import {collect} from '../command.ts';
import type {CliCommand} from '../command.ts';
import {ask, failureFields} from '../graph-client.ts';
import {readParams} from '../params.ts';
import {count} from '../units.ts';

interface StepVerified {
  readonly step: string;
  readonly equal: boolean;
  readonly engines: readonly {readonly name: string; readonly version: string; readonly rowCount: string; readonly seconds: number}[];
  readonly tolerance: number;
  readonly differing: string;
  readonly examples: readonly {readonly left: string | null; readonly right: string | null}[];
}

export const document = `mutation VerifyStep($input: VerifyStepInput!) {
  verifyStep(input: $input) {
    ${failureFields}
    ... on StepVerified { step equal engines { name version rowCount seconds } tolerance differing examples { left right } }
  }
}`;

interface Options {
  readonly engines: string;
  readonly param?: readonly string[];
  readonly tolerance?: string;
}

export const verifyStepCommand: CliCommand<Options> = {
  name: 'verify-step',
  args: '<pipeline> <step>',
  summary: 'run an SQL step on two engines and compare what they make of it; commits nothing',
  options(command) {
    command
      .option('--engines <names>', 'the two, with a comma', 'duckdb,spark')
      .option('-p, --param <name=value>', 'a parameter; may be given several times', collect)
      .option('--tolerance <fraction>', 'how much two floats may differ, relative to the larger of them and 1');
  },
  examples: ['millrace verify-step flight_delays flights --engines duckdb,spark -p through=2001-06-30'],
  async run({out, graph}, [pipeline, step], {engines, param = [], tolerance}) {
    const client = await graph();
    const params = await readParams(client, pipeline!, param);
    const input = {pipeline, step, params, engines: engines.split(',').map(name => name.trim().toUpperCase()), tolerance: tolerance === undefined ? undefined : Number(tolerance)};
    const {verifyStep} = await ask<{verifyStep: StepVerified}>(client, document, {input});
    if (out.json) out.document(verifyStep);
    else {
      out.write(out.table([
        {title: 'ENGINE', value: ({version}: StepVerified['engines'][number]) => version},
        {title: 'ROWS', value: ({rowCount}) => count(rowCount), align: 'right'},
        {title: 'SECONDS', value: ({seconds}) => seconds.toFixed(2), align: 'right'},
      ], verifyStep.engines));
      for (const {left, right} of verifyStep.examples) out.write(`\n< ${left ?? '(no such row)'}\n> ${right ?? '(no such row)'}\n`);
    }
    if (!verifyStep.equal) throw new MillraceError('ENGINES_DIFFER', {step: verifyStep.step, rows: count(verifyStep.differing)});
    if (!out.json) out.write(`\n${out.paint('green', 'The same rows')} on both engines\n`);
  },
};
