import type {CliCommand, Context} from '../command.ts';
import {collect} from '../command.ts';
import {usage} from '../failure.ts';
import {ask, failureFields} from '../graph-client.ts';
import {MillraceError} from '../../core/errors.ts';
import {splitPairs} from '../params.ts';
import {count, time} from '../units.ts';

interface EraseOptions {
  readonly key?: readonly string[];
  readonly rowId?: readonly string[];
  readonly where?: string;
  readonly reason?: string;
}

interface Erasure {
  readonly id: string;
  readonly selectedBy: string;
  readonly columns: readonly string[];
  readonly requestedBy: string;
  readonly reason: string;
  readonly erasedAt: string;
  readonly rows: string;
  readonly snapshots: readonly string[];
  readonly affected: {
    readonly datasets: readonly {readonly name: string; readonly snapshots: number}[]; readonly modelVersions: readonly string[]; readonly rawFiles: readonly string[]; readonly runs: readonly string[]; readonly keylessRows: number;
  };
}

const erasureFields = 'id selectedBy columns salt hashes requestedBy reason erasedAt rows snapshots affected { datasets { name snapshots } modelVersions rawFiles runs keylessRows }';

export const document = `mutation EraseRows($input: EraseRowsInput!) { eraseRows(input: $input) { ${failureFields} ... on RowsErased { erasure { ${erasureFields} } } } }`;
export const listDocument = `query Erasures($name: String!) { dataset(name: $name) { erasures { ${erasureFields} } } }`;

export const eraseCommand: CliCommand<EraseOptions> = {
  name: 'erase',
  args: '<dataset>',
  summary: 'remove rows from every snapshot of a dataset, for good; without rows: what was erased from it',
  options(command) {
    command
      .option('--key <column=value>', "a key, whose columns stand with commas or as JSON; may be given several times", collect)
      .option('--row-id <id>', 'the _row_id of a row; may be given several times', collect)
      .option('--where <sql>', "an expression of a row's columns")
      .option('--reason <text>', 'why; kept in the record, so it must not say what was erased');
  },
  examples: ["millrace erase people --key id=42 --reason 'request 2024-17'", 'millrace erase people'],
  async run(context, [dataset], {key, rowId, where, reason}) {
    if (!key && !rowId && where === undefined) return list(context, dataset!);
    if (reason === undefined) throw usage('--reason is needed: it is kept in the record.');
    const wrong = rowId?.find(id => !/^\d+$/.test(id));
    if (wrong !== undefined) throw usage(`--row-id ${wrong}: it must be a whole number.`);
    const input = {dataset, keys: key?.map(readKey), rowIds: rowId, where, reason};
    const {eraseRows: {erasure}} = await ask<{eraseRows: {erasure: Erasure}}>(await context.graph(), document, {input});
    if (context.out.json) context.out.document(erasure);
    else show(context.out, erasure);
  },
};

function readKey(text: string): Record<string, unknown> {
  if (!text.startsWith('{')) return Object.fromEntries(splitPairs(text.split(','), '--key'));
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    throw usage(`--key ${text}: ${(error as Error).message}.`);
  }
}

async function list({out, graph}: Context, name: string): Promise<void> {
  const {dataset} = await ask<{dataset: {erasures: Erasure[]} | null}>(await graph(), listDocument, {name});
  if (dataset === null) throw new MillraceError('DATASET_NOT_FOUND', {name});
  out.rows(dataset.erasures, [
    {title: 'ERASED', value: ({erasedAt}) => time(erasedAt)},
    {title: 'ROWS', value: ({rows}) => count(rows), align: 'right'},
    {title: 'SNAPSHOTS', value: ({snapshots}) => snapshots.length},
    {title: 'BY', value: ({requestedBy}) => requestedBy},
    {title: 'REASON', value: ({reason}) => reason},
    {title: 'ID', value: ({id}) => id},
  ], 'Nothing was erased from it.');
}

function show(out: Context['out'], {id, rows, snapshots, affected: {datasets, modelVersions, rawFiles, runs, keylessRows}}: Erasure): void {
  const of = (amount: number | string, what: string): string => `${count(amount)} ${what}${String(amount) === '1' ? '' : 's'}`;
  out.write(`Erased ${of(rows, 'row')} from ${of(snapshots.length, 'snapshot')} (erasure ${id})\n`);
  const told: readonly (readonly [text: string, names: readonly string[]])[] = [
    ['Computed from them, and not changed: ', datasets.map(({name, snapshots: number}) => `${name} (${of(number, 'snapshot')})`)],
    ['Trained on them: ', modelVersions],
    ['Raw files that may have them still: ', rawFiles],
    ['Runs whose events may quote them until they expire: ', runs],
  ];
  for (const [text, names] of told) if (names.length > 0) out.write(`${text}${names.join(', ')}\n`);
  if (keylessRows > 0) out.write(`Left in the quarantine, since their keys could not be read: ${of(keylessRows, 'row')}\n`);
  if (rows !== '0') out.write('Backups that were made before have them still.\n');
}
