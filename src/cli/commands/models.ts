import {resolve} from 'node:path';
import {MillraceError} from '../../core/errors.ts';
import {collect, wholeNumber} from '../command.ts';
import type {CliCommand, Context} from '../command.ts';
import {usage} from '../failure.ts';
import {ask, failureFields} from '../graph-client.ts';
import type {GraphClient} from '../graph-client.ts';
import {deployModel, registerModel} from '../model-actions.ts';
import {splitPairs} from '../params.ts';
import {readJsonFile} from '../read-input.ts';
import {facts} from '../table.ts';
import {time} from '../units.ts';

interface Field {
  readonly name: string;
  readonly type: string;
}

interface Version {
  readonly number: number;
  readonly aliases: readonly string[];
  readonly createdAt: string;
  readonly createdBy: string;
  readonly fingerprint: string;
  readonly metrics: unknown;
  readonly inputs: readonly Field[];
  readonly outputs: readonly Field[];
  readonly settings: {readonly batchRows: number; readonly tolerance: number};
  readonly gate: {readonly parityRows: number | null; readonly parityMaxDifference: number | null; readonly runtime: string};
}

interface Model {
  readonly name: string;
  readonly description: string;
  readonly aliases: readonly {readonly alias: string; readonly version: {readonly number: number} | null}[];
  readonly deployments: readonly {readonly field: string; readonly alias: string; readonly dataset: {readonly name: string}}[];
  readonly versions: readonly Version[];
}

const modelFields = `
  name description
  aliases { alias version { number } }
  deployments { field alias dataset { name } }
  versions { number aliases createdAt createdBy fingerprint metrics inputs { name type } outputs { name type } settings { batchRows tolerance } gate { parityRows parityMaxDifference runtime } }`;

export const listDocument = `query Models { models { ${modelFields} } }`;
export const oneDocument = `query Model($name: String!) { model(name: $name) { ${modelFields} } }`;
export const newestDocument = 'query Newest($name: String!) { model(name: $name) { versions { number } } }';
export const undeployDocument = `mutation Undeploy($dataset: String!, $field: String!) { undeployModel(dataset: $dataset, field: $field) { ${failureFields} } }`;
export const aliasDocument = `mutation SetAlias($input: SetAliasInput!) { setAlias(input: $input) { ${failureFields} } }`;

export const modelsCommand: CliCommand = {
  name: 'models',
  args: '[name]',
  summary: 'list models, or show one; register, deploy and name versions',
  examples: [
    'millrace models register late_arrival late_arrival.onnx --examples examples.json --metrics metrics.json --alias champion',
    'millrace models deploy late_arrival --version 1 --on flights',
  ],
  async run(context, [name]) {
    const {out, graph} = context;
    const client = await graph();
    if (name !== undefined) return showOne(context, client, name);
    const {models} = await ask<{models: readonly Model[]}>(client, listDocument);
    out.rows(models, [
      {title: 'MODEL', value: (model) => model.name},
      {title: 'VERSIONS', value: ({versions}) => versions.length},
      {title: 'ALIASES', value: ({aliases}) => aliases.flatMap(({alias, version}) => (version ? [`${alias} → ${version.number}`] : [])).join(', ')},
      {title: 'SERVED AS', value: servedAs},
      {title: 'DESCRIPTION', value: ({description}) => description},
    ], 'There are no models. Register one with: millrace models register NAME FILE.onnx');
  },
  commands: [
    {
      name: 'register',
      args: '<name> <file>',
      summary: 'put an ONNX file through the gate and keep it as the next version',
      options(command) {
        command
          .option('--data-file <file>', 'external data beside the model; may be given several times', collect)
          .option('--examples <file>', '{"inputs": {…}, "outputs": {…}}: rows that it must reproduce')
          .option('--metrics <file>', 'a JSON object')
          .option('--trained-on <snapshot>', 'a snapshot it was trained on; may be given several times', collect)
          .option('--alias <alias>', 'an alias to point at the new version')
          .option('--description <text>', 'what it predicts');
      },
      async run({io, out, graph}, [name, file], options: {dataFile?: string[]; examples?: string; metrics?: string; trainedOn?: string[]; alias?: string; description?: string}) {
        const {examples, metrics, dataFile = [], trainedOn, alias, description} = options;
        const client = await graph();
        const version = await registerModel(client, {
          model: name!, file: resolve(io.cwd, file!), dataFiles: dataFile.map((path) => resolve(io.cwd, path)), trainedOn, alias, description,
          examples: examples === undefined ? undefined : await readJsonFile(io, examples, '--examples'),
          metrics: metrics === undefined ? undefined : await readJsonFile(io, metrics, '--metrics'),
        });
        if (out.json) return out.document(version);
        out.write(`Version ${version.number} of ${name} is registered${alias === undefined ? '' : ` and is ${alias}`}.\n`);
      },
    } satisfies CliCommand<{dataFile?: string[]; examples?: string; metrics?: string; trainedOn?: string[]; alias?: string; description?: string}>,
    {
      name: 'deploy',
      args: '<name>',
      summary: 'serve a version over a dataset, as a field of its rows',
      options(command) {
        command
          .requiredOption('--on <dataset>', 'the dataset')
          .option('--version <number>', 'the version (default: the newest)', wholeNumber)
          .option('--alias <alias>', 'is pointed at the version and followed from then on', 'champion')
          .option('--as <field>', "the field's name (default: the model's)")
          .option('--feature <input=expression>', 'SQL over the columns for an input that is no column; may be given several times', collect);
      },
      async run({out, graph}, [name], options: {on: string; version?: number; alias: string; as?: string; feature?: string[]}) {
        const {on, version, alias, as, feature = []} = options;
        const client = await graph();
        const features = Object.fromEntries(splitPairs(feature, '--feature'));
        const deployed = await deployModel(client, {model: name!, version: version ?? (await newestVersion(client, name!)), alias, on, as, features});
        if (out.json) return out.document(deployed);
        out.write(`Rows of ${on} have the field ${deployed.field} now: ${name} version ${deployed.version.number}.\n`);
      },
    } satisfies CliCommand<{on: string; version?: number; alias: string; as?: string; feature?: string[]}>,
    {
      name: 'undeploy',
      args: '<dataset> <field>',
      summary: 'take a field of predictions away',
      async run({out, graph}, [dataset, field]) {
        await ask(await graph(), undeployDocument, {dataset, field});
        if (out.json) out.document({dataset, field});
        else out.write(`Rows of ${dataset} no longer have the field ${field}.\n`);
      },
    },
    {
      name: 'alias',
      args: '<name> <alias> [version]',
      summary: 'point an alias at a version; without a version, take it away',
      async run({out, graph}, [name, alias, given]) {
        const version = given === undefined ? null : wholeNumberOf(given);
        await ask(await graph(), aliasDocument, {input: {model: name, alias, version}});
        if (out.json) out.document({model: name, alias, version});
        else out.write(version === null ? `${name} has no alias ${alias} any more.\n` : `${alias} of ${name} is version ${version} now.\n`);
      },
    },
  ],
};

async function showOne({out}: Context, client: GraphClient, name: string): Promise<void> {
  const {model} = await ask<{model: Model | null}>(client, oneDocument, {name});
  if (model === null) throw new MillraceError('MODEL_NOT_FOUND', {name});
  if (out.json) return out.document(model);
  const newest = model.versions[0];
  const fields = (list: readonly Field[] = []) => list.map((field) => `${field.name} ${field.type}`).join(', ');
  out.write(facts([
    ['model', model.name],
    ['description', model.description],
    ['served as', servedAs(model)],
    ['inputs', fields(newest?.inputs)],
    ['outputs', fields(newest?.outputs)],
    ['metrics', newest && scalars(newest.metrics)],
  ], (text) => out.paint('dim', text)));
  out.write(`\n${out.table([
    {title: 'VERSION', value: (version: Version) => version.number},
    {title: 'ALIASES', value: ({aliases}) => aliases.join(', ')},
    {title: 'REGISTERED', value: ({createdAt}) => time(createdAt)},
    {title: 'BY', value: ({createdBy}) => createdBy},
    {title: 'EXAMPLES', value: ({gate}) => gate.parityRows},
    {title: 'DIFFER BY', value: ({gate}) => gate.parityMaxDifference},
    {title: 'BATCH', value: ({settings}) => settings.batchRows},
    {title: 'FINGERPRINT', value: ({fingerprint}) => fingerprint.slice(0, 16)},
  ], model.versions)}`);
}

const servedAs = ({deployments}: Model): string => deployments.map(({dataset, field}) => `${dataset.name}.${field}`).join(', ');

/** `may.auc 0.72, may.rows 200`: the numbers among metrics, down to the second level. */
function scalars(metrics: unknown, prefix = ''): string {
  if (typeof metrics !== 'object' || metrics === null || Array.isArray(metrics)) return '';
  return Object.entries(metrics).flatMap(([name, value]) => {
    if (typeof value === 'number') return [`${prefix}${name} ${value}`];
    const inner = prefix === '' ? scalars(value, `${name}.`) : '';
    return inner === '' ? [] : [inner];
  }).join(', ');
}

async function newestVersion(client: GraphClient, name: string): Promise<number> {
  const {model} = await ask<{model: {versions: readonly {number: number}[]} | null}>(client, newestDocument, {name});
  if (model === null) throw new MillraceError('MODEL_NOT_FOUND', {name});
  if (!model.versions[0]) throw new MillraceError('MODEL_VERSION_NOT_FOUND', {name, version: 'version'});
  return model.versions[0].number;
}

function wholeNumberOf(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw usage(`'${text}' is no version: versions are numbers from 1 on.`);
  return Number(text);
}
