import {MillraceError} from '../../core/errors.ts';
import type {CliCommand, Context} from '../command.ts';
import {ask, failureFields} from '../graph-client.ts';
import type {GraphClient} from '../graph-client.ts';
import {facts} from '../table.ts';
import {bytes, count, time} from '../units.ts';

interface DatasetRow {
  readonly name: string;
  readonly rowCount: string;
  readonly bytes: string;
  readonly key: readonly string[];
  readonly schema: {readonly fields: readonly Column[]};
  readonly head: {readonly id: string; readonly committedAt: string} | null;
}

interface Column {
  readonly name: string;
  readonly sourceName: string;
  readonly type: string;
  readonly nullable: boolean;
  readonly profile: {readonly nulls: string; readonly distinct: string; readonly min: string | null; readonly max: string | null} | null;
}

interface DatasetDetails extends DatasetRow {
  readonly foreignKeys: readonly {readonly column: string; readonly references: string; readonly as: string | null}[];
  readonly snapshots: readonly {readonly id: string; readonly sequence: number; readonly operation: string; readonly committedAt: string; readonly rowCount: string; readonly bytes: string; readonly step: string | null}[];
  readonly models: readonly {readonly model: {readonly name: string}; readonly state: string; readonly deployment: {readonly field: string; readonly alias: string} | null}[];
}

export const listDocument = `query Datasets($search: String, $after: String) {
  datasets(search: $search, first: 500, after: $after) {
    endCursor
    nodes { name rowCount bytes key head { id committedAt } schema { fields { name type } } }
  }
}`;

export const oneDocument = `query Dataset($name: String!) {
  dataset(name: $name) {
    name rowCount bytes key
    foreignKeys { column references as }
    head { id committedAt }
    schema { fields { name sourceName type nullable profile { nulls distinct min max } } }
    snapshots(first: 10) { id sequence operation committedAt rowCount bytes step }
    models { model { name } state deployment { field alias } }
  }
}`;

interface SchemaVersion {
  readonly version: number;
  readonly createdAt: string;
  readonly snapshot: {readonly id: string} | null;
  readonly schema: {readonly fields: readonly {readonly name: string}[]};
  readonly changes: readonly {readonly text: string; readonly backward: boolean; readonly forward: boolean}[];
}

export const historyDocument = `query SchemaHistory($name: String!) {
  dataset(name: $name) {
    schemaVersions(first: 100) { version createdAt snapshot { id } schema { fields { name type nullable } } changes { kind column from to backward forward compatible text } }
  }
}`;

export const renameDocument = `mutation RenameColumn($dataset: String!, $from: String!, $to: String!) {
  renameColumn(dataset: $dataset, from: $from, to: $to) { ${failureFields} ... on ColumnRenamed { snapshot { id } breaks { kind name detail } } }
}`;

export const datasetsCommand: CliCommand<{readonly search?: string; readonly history?: boolean; readonly rename?: string}> = {
  name: 'datasets',
  args: '[name]',
  summary: 'list datasets, or show one with its columns, snapshots and models',
  options(command) {
    command.option('--search <text>', 'a part of the name');
    command.option('--rename <old=new>', 'of one dataset: give a column another name; it stays the same column');
    command.option('--history', "of one dataset: how its columns changed, newest first");
  },
  async run(context, [name], {search, history, rename}) {
    const client = await context.graph();
    if (rename !== undefined) return renameColumn(context, client, name, rename);
    if (history) return showHistory(context, client, name);
    if (name !== undefined) return showOne(context, client, name);
    context.out.rows(await listAll(client, search), [
      {title: 'DATASET', value: (row) => row.name},
      {title: 'ROWS', value: ({rowCount}) => count(rowCount), align: 'right'},
      {title: 'BYTES', value: (row) => bytes(row.bytes), align: 'right'},
      {title: 'COLUMNS', value: ({schema}) => schema.fields.length},
      {title: 'KEY', value: ({key}) => key.join(', ')},
      {title: 'COMMITTED', value: ({head}) => time(head?.committedAt ?? null)},
    ], 'There are no datasets. Make one with: millrace ingest FILE');
  },
};

async function listAll(client: GraphClient, search: string | undefined): Promise<DatasetRow[]> {
  const rows: DatasetRow[] = [];
  let after: string | null = null;
  do {
    const {datasets}: {datasets: {nodes: DatasetRow[]; endCursor: string | null}} = await ask(client, listDocument, {search, after});
    rows.push(...datasets.nodes);
    after = datasets.endCursor;
  } while (after !== null);
  return rows;
}

async function renameColumn({out}: Context, client: GraphClient, dataset: string | undefined, rename: string): Promise<void> {
  const [from, to, ...more] = rename.split('=');
  if (dataset === undefined || !from || !to || more.length > 0) throw new MillraceError('ARGUMENT_INVALID', {name: '--rename', reason: 'it needs the name of a dataset, and old=new.'});
  const {renameColumn: renamed} = await ask<{renameColumn: {snapshot: {id: string}; breaks: readonly {kind: string; name: string; detail: string}[]}}>(client, renameDocument, {dataset, from, to});
  if (out.json) return out.document(renamed);
  out.write(`${dataset}.${from} is ${to} from snapshot ${renamed.snapshot.id} on.\n`);
  if (renamed.breaks.length > 0) out.write(`To change next:\n${renamed.breaks.map(({kind, name, detail}) => `  ${kind.toLowerCase()} ${name}: ${detail}`).join('\n')}\n`);
}

async function showHistory({out}: Context, client: GraphClient, name: string | undefined): Promise<void> {
  if (name === undefined) throw new MillraceError('ARGUMENT_INVALID', {name: '--history', reason: 'it needs the name of a dataset.'});
  const {dataset} = await ask<{dataset: {schemaVersions: SchemaVersion[]} | null}>(client, historyDocument, {name});
  if (dataset === null) throw new MillraceError('DATASET_NOT_FOUND', {name});
  out.rows(dataset.schemaVersions, [
    {title: 'VERSION', value: ({version}) => version},
    {title: 'SINCE', value: ({createdAt}) => time(createdAt)},
    {title: 'COLUMNS', value: ({schema}) => schema.fields.length},
    {title: 'CHANGES', value: ({version, changes}) => (version === 1 ? 'first schema' : changes.map(({text}) => text).join('; '))},
    {title: 'COMPATIBLE', value: ({version, changes}) => (version === 1 ? '' : compatibleWays(changes))},
    {title: 'SNAPSHOT', value: ({snapshot}) => snapshot?.id},
  ], 'It has no columns yet.');
}

const compatibleWays = (changes: SchemaVersion['changes']): string => {
  const [backward, forward] = [changes.every((change) => change.backward), changes.every((change) => change.forward)];
  return backward && forward ? 'full' : backward ? 'backward' : forward ? 'forward' : 'none';
};

async function showOne({out}: Context, client: GraphClient, name: string): Promise<void> {
  const {dataset} = await ask<{dataset: DatasetDetails | null}>(client, oneDocument, {name});
  if (dataset === null) throw new MillraceError('DATASET_NOT_FOUND', {name});
  if (out.json) return out.document(dataset);
  const served = dataset.models.filter(({state}) => state === 'SERVED');
  out.write(facts([
    ['dataset', dataset.name],
    ['rows', count(dataset.rowCount)],
    ['bytes', bytes(dataset.bytes)],
    ['key', dataset.key.join(', ')],
    ['foreign keys', dataset.foreignKeys.map(({column, references, as}) => `${column} → ${references}${as === null ? '' : ` as ${as}`}`).join(', ')],
    ['predictions', served.map(({model, deployment}) => `${deployment?.field ?? model.name} (${model.name}, ${deployment?.alias ?? ''})`).join(', ')],
    ['snapshot', dataset.head?.id],
  ], (text) => out.paint('dim', text)));
  out.write(`\n${out.table([
    {title: 'COLUMN', value: (column: Column) => column.name},
    {title: 'TYPE', value: ({type, nullable}) => `${type}${nullable ? '' : ' not null'}`},
    {title: 'NULLS', value: ({profile}) => profile && count(profile.nulls), align: 'right'},
    {title: 'DISTINCT', value: ({profile}) => profile && `~${count(profile.distinct)}`, align: 'right'},
    {title: 'MIN', value: ({profile}) => profile?.min},
    {title: 'MAX', value: ({profile}) => profile?.max},
    {title: 'CAME AS', value: (column) => (column.sourceName === column.name ? '' : column.sourceName)},
  ], dataset.schema.fields)}`);
  if (dataset.snapshots.length === 0) return;
  out.write(`\n${out.table([
    {title: 'SNAPSHOT', value: ({id}) => id},
    {title: '#', value: ({sequence}) => sequence},
    {title: 'BY', value: ({operation, step}) => `${operation.toLowerCase()}${step === null ? '' : ` (${step})`}`},
    {title: 'COMMITTED', value: ({committedAt}) => time(committedAt)},
    {title: 'ROWS', value: ({rowCount}) => count(rowCount), align: 'right'},
    {title: 'BYTES', value: (snapshot) => bytes(snapshot.bytes), align: 'right'},
  ], dataset.snapshots)}`);
}
