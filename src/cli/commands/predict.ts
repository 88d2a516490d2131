import {collect, wholeNumber} from '../command.ts';
import type {CliCommand} from '../command.ts';
import {usage} from '../failure.ts';
import {ask, failureFields} from '../graph-client.ts';
import {splitPairs} from '../params.ts';
import {readJsonFile} from '../read-input.ts';

interface PredictOptions {
  readonly input?: readonly string[];
  readonly inputs?: string;
  readonly version?: number;
  readonly alias?: string;
}

type Row = Readonly<Record<string, unknown>>;

export const document = `query Predict($model: String!, $inputs: [JSON!]!, $version: Int, $alias: String) {
  predict(model: $model, inputs: $inputs, version: $version, alias: $alias) { ${failureFields} ... on PredictionMade { outputs version { number } } }
}`;

export const typesDocument = 'query Inputs($name: String!) { model(name: $name) { versions { inputs { name type } } } }';

export const predictCommand: CliCommand<PredictOptions> = {
  name: 'predict',
  args: '<model>',
  summary: 'ask a model for predictions of given values',
  options(command) {
    command
      .option('-i, --input <name=value>', 'a value of one row; may be given several times', collect)
      .option('--inputs <file>', "a JSON file with an object or a list of objects; '-' is standard input")
      .option('--version <number>', 'of this version', wholeNumber)
      .option('--alias <alias>', 'of the version this alias points at (default: champion)');
  },
  examples: ['millrace predict late_arrival -i distance=700 -i inbound_flights=40 -i inbound_late_share=0.5 …', 'millrace predict late_arrival --inputs rows.json --json'],
  async run({io, out, graph}, [model], {input, inputs, version, alias}) {
    if ((input === undefined) === (inputs === undefined)) throw usage('Give the values by --input name=value or by --inputs FILE.');
    const client = await graph();
    let rows: readonly Row[];
    if (input) {
      const answer = await ask<{model: {versions: readonly {inputs: readonly {name: string; type: string}[]}[]} | null}>(client, typesDocument, {name: model});
      const types = new Map(answer.model?.versions[0]?.inputs.map(({name, type}) => [name, type]));
      rows = [Object.fromEntries(splitPairs(input, '--input').map(([name, value]) => [name, valueOf(value, types.get(name))]))];
    } else {
      const given = await readJsonFile(io, inputs!, '--inputs');
      rows = (Array.isArray(given) ? given : [given]) as Row[];
    }
    const {predict} = await ask<{predict: {outputs: readonly Row[]; version: {number: number}}}>(client, document, {model, inputs: rows, version, alias});
    if (out.json) return out.document(predict);
    const names = [...new Set(predict.outputs.flatMap((row) => Object.keys(row)))];
    out.rows(predict.outputs, names.map((name) => ({title: name, value: (row) => (typeof row[name] === 'number' ? row[name] : String(row[name] ?? ''))})), 'No rows.');
    out.note(out.paintError('dim', `${model} version ${predict.version.number}`));
  },
};

/** Text of the command line as a value of an input's type; `null` is none. What does not fit is sent as it is. */
function valueOf(text: string, type: string | undefined): unknown {
  if (text === 'null') return null;
  if (type === 'bool') return text === 'true' ? true : text === 'false' ? false : text;
  return type !== 'utf8' && text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
}
