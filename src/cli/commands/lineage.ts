import {MillraceError} from '../../core/errors.ts';
import {wholeNumber} from '../command.ts';
import type {CliCommand} from '../command.ts';
import {ask} from '../graph-client.ts';
import type {GraphClient} from '../graph-client.ts';
import {bytes, count, time} from '../units.ts';

type Node =
  | {readonly __typename: 'RawFile'; readonly path: string; readonly sha256: string; readonly fileBytes: string}
  | {readonly __typename: 'Snapshot'; readonly snapshotId: string; readonly dataset: {readonly name: string}; readonly sequence: number; readonly rowCount: string; readonly committedAt: string}
  | {readonly __typename: 'Run'; readonly runId: string; readonly pipelineName: string; readonly runStatus: string; readonly createdAt: string}
  | {readonly __typename: 'ModelVersion'; readonly versionId: string; readonly number: number; readonly model: {readonly name: string}};

interface Edge {
  readonly from: string;
  readonly to: string;
  readonly kind: string;
  readonly columns: readonly string[];
}

export const document = `query Lineage($of: LineageRefInput!, $depth: Int!) {
  lineage(of: $of, depth: $depth) {
    verifyCommand
    nodes {
      __typename
      ... on RawFile { path sha256 fileBytes: bytes }
      ... on Snapshot { snapshotId: id sequence rowCount committedAt dataset { name } }
      ... on Run { runId: id pipelineName: pipeline runStatus: status createdAt }
      ... on ModelVersion { versionId: id number model { name } }
    }
    edges { from to kind columns }
  }
}`;

export const headDocument = 'query Head($name: String!) { dataset(name: $name) { head { id } } }';

export const lineageCommand: CliCommand<{readonly depth: number}> = {
  name: 'lineage',
  args: '<ref>',
  summary: 'show what a dataset, dataset.column, model@version or snapshot came from',
  options(command) {
    command.option('--depth <number>', 'how far back', wholeNumber, 10);
  },
  examples: ['millrace lineage flights.inbound_late_share', 'millrace lineage late_arrival@1'],
  async run({out, graph}, [ref], {depth}) {
    const client = await graph();
    const {lineage} = await ask<{lineage: {verifyCommand: string; nodes: readonly Node[]; edges: readonly Edge[]}}>(client, document, {of: await refOf(client, ref!), depth});
    if (out.json) return out.document(lineage);
    const names = new Map(lineage.nodes.map((node) => [nodeId(node), nameOf(node)]));
    const named = (end: string) => names.get(end) ?? names.get(end.replace(/^[a-z_]+:/, '')) ?? end;
    out.write(out.table([
      {title: 'WHAT', value: (node: Node) => kinds[node.__typename]},
      {title: 'NAME', value: nameOf},
      {title: 'DETAILS', value: detailsOf},
    ], lineage.nodes));
    if (lineage.edges.length > 0) {
      out.write(`\n${out.table([
        {title: 'FROM', value: ({from}: Edge) => named(from)},
        {title: '', value: ({kind}) => verbs[kind] ?? kind.toLowerCase()},
        {title: 'TO', value: ({to}) => named(to)},
        {title: 'COLUMNS', value: ({columns}) => columns.join(', ')},
      ], lineage.edges)}`);
    }
    out.write(`\nCheck it with: ${lineage.verifyCommand}\n`);
  },
};

async function refOf(client: GraphClient, ref: string): Promise<Record<string, string>> {
  if (/^[^@]+@\d+$/.test(ref)) return {modelVersion: ref};
  if (/^[0-9a-f]{8}-[0-9a-f-]{27}$/.test(ref)) return {snapshot: ref};
  if (ref.includes('.')) return {column: ref};
  const {dataset} = await ask<{dataset: {head: {id: string} | null} | null}>(client, headDocument, {name: ref});
  if (!dataset?.head) throw new MillraceError('DATASET_NOT_FOUND', {name: ref});
  return {snapshot: dataset.head.id};
}

const kinds = {RawFile: 'raw file', Snapshot: 'snapshot', Run: 'run', ModelVersion: 'model version'};
const verbs: Readonly<Record<string, string>> = {READ: 'was read for', MADE: 'made', TRAINED: 'trained', SCORED: 'scored'};

/** As the ends of edges have it, but for a word before it that tells the kind. */
function nodeId(node: Node): string {
  switch (node.__typename) {
    case 'RawFile':
      return `${node.sha256}:${node.path}`;
    case 'Snapshot':
      return node.snapshotId;
    case 'Run':
      return node.runId;
    case 'ModelVersion':
      return node.versionId;
  }
}

function nameOf(node: Node): string {
  switch (node.__typename) {
    case 'RawFile':
      return node.path;
    case 'Snapshot':
      return `${node.dataset.name} #${node.sequence}`;
    case 'Run':
      return `${node.pipelineName} ${node.runId.slice(0, 13)}…`;
    case 'ModelVersion':
      return `${node.model.name}@${node.number}`;
  }
}

function detailsOf(node: Node): string {
  switch (node.__typename) {
    case 'RawFile':
      return `${bytes(node.fileBytes)}, sha256 ${node.sha256.slice(0, 16)}…`;
    case 'Snapshot':
      return `${count(node.rowCount)} rows, ${time(node.committedAt)}, ${node.snapshotId}`;
    case 'Run':
      return `${node.runStatus.toLowerCase()}, ${time(node.createdAt)}`;
    case 'ModelVersion':
      return node.versionId;
  }
}
