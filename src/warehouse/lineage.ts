import type {Catalog, Stores} from '../catalog/catalog.ts';
import {MillraceError, didYouMean} from '../core/errors.ts';
import type {ModelVersionRecord} from '../models/models.ts';
import {datasetNotFound} from './datasets.ts';
import type {Lineage, LineageEdge, LineageGraph, LineageNode, LineageRef, SnapshotRecord} from './warehouse.ts';

/** Levels of snapshots at most: what is further up can be asked for from where the answer ends. */
const deepest = 50;

/** What is followed of a snapshot: some of its columns, or the whole of it (null). */
type Wanted = ReadonlySet<string> | null;

/** What something came from, read from the catalog. */
export function createLineage({catalog}: {readonly catalog: Catalog}): Lineage {
  return {
    of: async (_viewer, ref, depth) => {
      if (!Number.isInteger(depth) || depth < 1 || depth > deepest) {
        throw new MillraceError('ARGUMENT_INVALID', {name: 'depth', reason: `it must be from 1 to ${deepest}`});
      }
      return catalog.read(async stores => new Walk(stores).from(ref, depth));
    },
  };
}

/** One walk upstream. A snapshot that is reached again by other columns is followed again for those. */
class Walk {
  private readonly nodes = new Map<string, LineageNode>();
  private readonly edges = new Map<string, Omit<LineageEdge, 'columns'> & {readonly columns: Set<string>}>();
  private readonly snapshots = new Map<string, SnapshotRecord>();
  private readonly versions = new Map<string, ModelVersionRecord>();
  private readonly followed = new Map<string, Wanted>();
  private next = new Map<string, Wanted>();

  constructor(private readonly stores: Stores) {}

  async from(ref: LineageRef, depth: number): Promise<LineageGraph> {
    await this.begin(ref);
    for (let level = 0; level <= depth && this.next.size > 0; level++) {
      const current = this.next;
      this.next = new Map();
      await this.load([...current.keys()]);
      for (const [id, wanted] of current) {
        const snapshot = this.snapshots.get(id);
        // A snapshot that is not kept any more is where the story ends.
        if (!snapshot) continue;
        this.nodes.set(snapshotNode(id), {kind: 'snapshot', id: snapshotNode(id), snapshot});
        if (level < depth) this.follow(snapshot, wanted);
      }
    }
    // An edge of the last level may begin at a node that was not looked at.
    const edges = [...this.edges.values()].filter(edge => this.nodes.has(edge.from) && this.nodes.has(edge.to));
    return {nodes: [...this.nodes.values()], edges: edges.map(edge => ({...edge, columns: [...edge.columns].sort()}))};
  }

  private async begin({snapshot, column, modelVersion}: LineageRef): Promise<void> {
    if ([snapshot, column, modelVersion].filter(place => place !== undefined).length !== 1) {
      throw new MillraceError('ARGUMENT_INVALID', {name: 'of', reason: 'exactly one of snapshot, column and modelVersion is to be given'});
    }
    if (snapshot !== undefined) {
      const record = await this.stores.datasets.snapshot(snapshot);
      if (!record) throw new MillraceError('SNAPSHOT_NOT_FOUND', {id: snapshot});
      this.snapshots.set(record.id, record);
      this.want(record.id, null);
    } else if (column !== undefined) {
      await this.beginAtColumn(column);
    } else {
      const version = await this.versionNamed(modelVersion!);
      this.versions.set(version.id, version);
      this.addVersion(version);
    }
  }

  private async beginAtColumn(text: string): Promise<void> {
    const [, name, column] = /^([^.]+)\.([^.]+)$/.exec(text) ?? [];
    if (name === undefined || column === undefined) throw new MillraceError('ARGUMENT_INVALID', {name: 'column', reason: `'${text}' is not of the form dataset.column`});
    const head = await this.stores.datasets.head('main', name);
    if (!head) throw datasetNotFound(name, await this.stores.datasets.list());
    const names = head.schema.fields.map(field => field.name);
    if (!names.includes(column)) {
      throw new MillraceError('ARGUMENT_INVALID', {name: 'column', reason: `'${name}' has no column '${column}'. ${didYouMean(column, names)}`.trim()});
    }
    this.snapshots.set(head.id, head);
    this.want(head.id, new Set([column]));
  }

  private async versionNamed(text: string): Promise<ModelVersionRecord> {
    const [, name, number] = /^([^@]+)@(\d+)$/.exec(text) ?? [];
    if (name === undefined) throw new MillraceError('ARGUMENT_INVALID', {name: 'modelVersion', reason: `'${text}' is not of the form model@number`});
    const model = await this.stores.models.byName(name);
    const version = model && (await this.stores.models.versions(model.id)).find(item => item.number === Number(number));
    if (!version) throw new MillraceError('MODEL_VERSION_NOT_FOUND', {name, version: `version ${number}`});
    return version;
  }

  /** The records of one level: its snapshots by one statement, the versions that scored them by another. */
  private async load(ids: readonly string[]): Promise<void> {
    const missing = ids.filter(id => !this.snapshots.has(id));
    if (missing.length > 0) {
      for (const [id, snapshot] of await this.stores.datasets.snapshotsById(missing)) this.snapshots.set(id, snapshot);
    }
    const versions = ids.flatMap(id => this.snapshots.get(id)?.lineage.modelVersions ?? []).filter(id => !this.versions.has(id));
    if (versions.length > 0) {
      for (const [id, version] of await this.stores.models.versionsById([...new Set(versions)])) this.versions.set(id, version);
    }
  }

  private follow(snapshot: SnapshotRecord, asked: Wanted): void {
    const to = snapshotNode(snapshot.id);
    const {files = [], inputs = {}, modelVersions = [], columns = {}} = snapshot.lineage;
    const names = snapshot.schema.fields.map(field => field.name);
    // A feature may be an expression: it may be made of any column.
    const wanted = asked !== null && [...asked].every(name => names.includes(name)) ? asked : null;
    const outputs = names.filter(name => wanted === null || wanted.has(name));

    if (snapshot.runId !== null) {
      const run = `run:${snapshot.runId}`;
      this.nodes.set(run, {kind: 'run', id: run, runId: snapshot.runId});
      this.connect(run, to, 'made');
    }
    // The rows that were there before and stay are its parent's, column by column.
    if (!['overwrite', 'replace'].includes(snapshot.operation) && snapshot.parentId !== null) {
      this.connect(snapshotNode(snapshot.parentId), to, 'read', outputs.map(name => `${name} = ${snapshot.datasetName}.${name}`));
      this.want(snapshot.parentId, wanted);
    }
    for (const [name, id] of Object.entries(inputs)) {
      // A replace has the same columns, but for one that it renames; of other steps, a column that could not be traced may have come from any.
      const from = snapshot.operation === 'replace' ? Object.fromEntries(outputs.map(output => [output, columns[output] ?? [`${name}.${output}`]])) : columns;
      const pairs = pairsOf(from, outputs, ref => ref.startsWith(`${name}.`));
      const untraced = outputs.some(output => from[output] === undefined);
      if (wanted !== null && pairs.length === 0 && !untraced) continue;
      this.connect(snapshotNode(id), to, 'read', pairs.map(pair => pair.text));
      this.want(id, wanted === null || untraced ? null : new Set(pairs.map(pair => pair.ref.slice(name.length + 1))));
    }
    const isInput = (ref: string): boolean => Object.keys(inputs).some(name => ref.startsWith(`${name}.`));
    for (const file of files) {
      const id = `file:${file.sha256}:${file.name}`;
      this.nodes.set(id, {kind: 'raw_file', id, path: file.name, sha256: file.sha256, bytes: file.bytes});
      this.connect(id, to, 'read', pairsOf(columns, outputs, ref => !isInput(ref)).map(pair => pair.text));
    }
    for (const id of modelVersions) {
      const version = this.versions.get(id);
      const scored = version && outputs.filter(output => isOutputOf(version, output, names));
      if (!scored || (wanted !== null && scored.length === 0)) continue;
      this.addVersion(version);
      this.connect(versionNode(id), to, 'scored', scored.map(output => `${output} = ${version.modelName}@${version.number}`));
    }
  }

  private addVersion({id, trainedOn}: ModelVersionRecord): void {
    this.nodes.set(versionNode(id), {kind: 'model_version', id: versionNode(id), versionId: id});
    for (const snapshot of trainedOn) {
      this.connect(snapshotNode(snapshot), versionNode(id), 'trained');
      this.want(snapshot, null);
    }
  }

  private connect(from: string, to: string, kind: LineageEdge['kind'], columns: readonly string[] = []): void {
    const key = `${from} ${to} ${kind}`;
    const edge = this.edges.get(key) ?? {from, to, kind, columns: new Set<string>()};
    columns.forEach(column => edge.columns.add(column));
    this.edges.set(key, edge);
  }

  /** Puts a snapshot into the next level, unless all that is wanted of it was followed already. */
  private want(id: string, wanted: Wanted): void {
    const before = this.followed.get(id);
    if (before === null || (before !== undefined && wanted !== null && [...wanted].every(column => before.has(column)))) return;
    const all = before === undefined || wanted === null ? wanted : new Set([...before, ...wanted]);
    this.followed.set(id, all);
    this.next.set(id, all);
  }
}

const snapshotNode = (id: string): string => `snapshot:${id}`;
const versionNode = (id: string): string => `model_version:${id}`;

/** `output = dataset.column` for what the outputs came from, as far as it passes. */
function pairsOf(columns: Readonly<Record<string, readonly string[]>>, outputs: readonly string[], passes: (ref: string) => boolean): {ref: string; text: string}[] {
  return outputs.flatMap(output => (columns[output] ?? []).filter(passes).map(ref => ({ref, text: `${output} = ${ref}`})));
}

/** Whether a column holds predictions: it has an output's name, with the model's before it where the input had such a column too. */
function isOutputOf({modelName, signature}: ModelVersionRecord, column: string, columns: readonly string[]): boolean {
  return signature.outputs.some(({name}) => {
    const prefixed = `${modelName}_${name}`;
    return column === prefixed || (column === name && !columns.includes(prefixed));
  });
}
