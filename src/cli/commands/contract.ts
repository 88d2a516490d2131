import {MillraceError} from '../../core/errors.ts';
import type {CliCommand} from '../command.ts';
import {ask, failureFields} from '../graph-client.ts';
import {readInput} from '../read-input.ts';

export const showDocument = 'query Contract($dataset: String!) { dataset(name: $dataset) { contract { document } } }';

export const setDocument = `mutation SetContract($dataset: String!, $document: String!) {
  setContract(dataset: $dataset, document: $document) { ${failureFields} ... on ContractSet { dataset { name contract { document } } } }
}`;

export const contractCommand: CliCommand<{readonly set?: string}> = {
  name: 'contract',
  args: '<dataset>',
  summary: 'print what a dataset has to keep to as YAML, or set it',
  options(command) {
    command.option('--set <file>', 'take it from a YAML or JSON file; - is standard input');
  },
  examples: ['millrace contract flights > jobs/flights.contract.yaml', 'millrace contract flights --set flights.contract.yaml'],
  async run({io, out, graph}, [dataset], {set}) {
    const client = await graph();
    if (set !== undefined) {
      await ask(client, setDocument, {dataset, document: await readInput(io, set)});
      return out.json ? out.document({dataset}) : out.write(`The contract of ${dataset} is set: it holds from the next commit on.\n`);
    }
    const answer = await ask<{dataset: {contract: {document: string}} | null}>(client, showDocument, {dataset});
    if (answer.dataset === null) throw new MillraceError('DATASET_NOT_FOUND', {name: dataset!});
    const {document} = answer.dataset.contract;
    if (out.json) out.document({dataset, document});
    else out.write(document);
  },
};
