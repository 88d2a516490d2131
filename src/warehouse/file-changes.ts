import {mkdir, readdir, rename, rm} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {MillraceError} from '../core/errors.ts';
import {syncPath} from '../core/files.ts';
import type {Engine, Query, StagedFile, Table, WriteTarget} from '../engines/engine.ts';
import {identifier, literalList} from '../engines/sql-text.ts';
import type {Schema} from '../schemas/schema.ts';
import {changeSchema, changesQuery, checkMergeKey, insertedQuery, mayHold, rewrittenQuery} from './merge-rows.ts';
import {mostPartitions, partitionOf, partitionPrefix, partitionSql} from './partitions.ts';
import {stagedTable} from './sift.ts';
import type {FileRecord, PrepareInput, RowOutcome} from './warehouse.ts';

/** A file to be added to a dataset. */
export interface AddedFile extends StagedFile, Pick<FileRecord, 'rowIds' | 'partition'> {}

/** What a commit changes of a dataset's files. */
export interface FileChanges {
  /** All in the stage's folder, which holds nothing else. */
  readonly added: readonly AddedFile[];
  readonly removed: readonly FileRecord[];
  readonly outcome: RowOutcome;
}

/** Bytes of files that are rewritten together. */
const rewrittenBytes = 64n * 2n ** 20n;

export interface FileChangesInput extends Pick<PrepareInput, 'dataset' | 'operation' | 'mergeBy' | 'partitionBy' | 'partition' | 'files' | 'stage' | 'schema' | 'signal'> {
  /** What the files were written with. */
  readonly written: Schema;
  readonly key: readonly string[] | undefined;
  /** The files of the dataset as it is. */
  readonly before: readonly FileRecord[];
  /** The dataset's schema version now: the bounds of older files may be of columns that had other names. */
  readonly schemaVersion: number | undefined;
  readonly engine: Engine;
  /** Some of them, to be read with the schema after the commit. */
  readonly tableOf: (files: readonly FileRecord[]) => Table;
}

/**
 * Works out what staged rows make of a dataset's files. Files that hold no row that changes stay; the others are written again, each
 * row with its id. Memory does not depend on the number of rows.
 * @throws KEY_NULL, CONTRACT_INVALID, PARTITION_INVALID, PARTITION_OUTSIDE, DISK_FULL
 */
export async function fileChanges(input: FileChangesInput): Promise<FileChanges> {
  const changes = await new FileWriter(input).changes();
  return {...changes, added: await gather(input.stage.folder, changes.added)};
}

class FileWriter {
  private folders = 0;

  constructor(private readonly input: FileChangesInput) {}

  async changes(): Promise<FileChanges> {
    const {operation, files, before} = this.input;
    const rows = files.reduce((sum, file) => sum + file.rowCount, 0);
    const outcome = {written: rows, superseded: 0, deleted: 0};
    switch (operation) {
      case 'append':
        return {added: await this.partedInput(), removed: [], outcome};
      case 'overwrite':
        return {added: await this.partedInput(), removed: before, outcome};
      case 'overwrite_partitions':
        return {...(await this.replacePartitions(await this.partedInput())), outcome};
      case 'merge':
      case 'delete':
        return this.merge(rows);
    }
  }

  private partedInput(): Promise<AddedFile[]> {
    return this.parted(this.input.files, this.input.written, 'positional');
  }

  private async replacePartitions(added: readonly AddedFile[]): Promise<Pick<FileChanges, 'added' | 'removed'>> {
    const {dataset, partitionBy, partition, before, schema, signal, engine, tableOf} = this.input;
    if (!partitionBy) throw new MillraceError('PARTITION_INVALID', {dataset, reason: 'the step does not say by what (`partitionBy`)'});
    const only = partition === undefined ? null : partitionOf(partitionBy, partition);
    const outside = only === null ? [] : added.filter(file => file.partition !== only);
    if (outside.length > 0) {
      throw new MillraceError('PARTITION_OUTSIDE', {dataset, partition: only, example: outside[0]!.partition, count: outside.reduce((sum, file) => sum + file.rowCount, 0)});
    }
    const replaced = new Set(only === null ? added.map(file => file.partition!) : [only]);
    const removed = before.filter(file => file.partition !== null && replaced.has(file.partition));
    // Files that were not parted so may hold rows of these partitions too.
    const other = before.filter(file => !file.partition?.startsWith(partitionPrefix(partitionBy)));
    const kept: AddedFile[] = [];
    if (replaced.size > 0) {
      const isReplaced = `${partitionSql(dataset, partitionBy, schema)} IN (SELECT unnest(${literalList([...replaced])}))`;
      for (const files of together(other)) {
        const target = {...tableOf(files), rowIds: true};
        const [row] = await engine.rows({sql: `SELECT count(*) AS n FROM target WHERE ${isReplaced}`, relations: {target}}, {signal});
        if (Number(row!.n) === 0) continue;
        const rest = await this.write({sql: `SELECT * FROM target WHERE NOT (${isReplaced}) ORDER BY _row_id`, relations: {target}}, {schema, storeRowIds: true});
        kept.push(...(await this.parted(rest, schema, 'stored')));
        removed.push(...files);
      }
    }
    return {added: [...kept, ...added], removed};
  }

  private async merge(rows: number): Promise<FileChanges> {
    const {dataset, operation, mergeBy = {}, files, before, schemaVersion, schema, written, engine, tableOf, signal} = this.input;
    const input = stagedTable(files, written);
    const key = await checkMergeKey(dataset, this.input.key, input, engine, {signal});
    const deletesAll = operation === 'delete';
    if (mergeBy.deletedWhen !== undefined) await engine.analyzeExpression(mergeBy.deletedWhen);

    const candidates = before.filter(file => file.schemaVersion !== schemaVersion || mayHold(file, key, files, schema));
    const target = {...tableOf(candidates), rowIds: true, fileIndexes: true};
    const changes = stagedTable(await this.write(changesQuery(key, mergeBy, deletesAll, {input, target}), {schema: changeSchema}), changeSchema);
    const count = async (sql: string): Promise<Readonly<Record<string, number>>> =>
      Object.fromEntries(Object.entries((await engine.rows({sql, relations: {changes}}, {signal}))[0]!).map(([name, value]) => [name, Number(value)]));
    const {won, deleted, inserted} = await count(
      'SELECT count(DISTINCT input_row) AS won, count(DISTINCT input_row) FILTER (deleted) AS deleted, count(*) FILTER (NOT deleted AND target_row IS NULL) AS inserted FROM changes',
    );
    const touched = await engine.rows({sql: 'SELECT DISTINCT target_file AS file FROM changes WHERE target_file IS NOT NULL ORDER BY 1', relations: {changes}}, {signal});
    const removed = touched.map(row => candidates[Number(row.file)]!);

    const added: AddedFile[] = [];
    const own = new Set(written.fields.map(field => field.name));
    for (const group of together(removed)) {
      const query = rewrittenQuery(schema, own, deletesAll, {input, target: {...tableOf(group), rowIds: true}, changes});
      added.push(...(await this.parted(await this.write(query, {schema, storeRowIds: true}), schema, 'stored')));
    }
    if (inserted === rows) added.push(...(await this.partedInput()));
    else if (inserted! > 0) added.push(...(await this.parted(await this.write(insertedQuery(written, {input, changes}), {schema: written}), written, 'positional')));
    return {added, removed, outcome: {written: won! - deleted!, superseded: rows - won!, deleted: deleted!}};
  }

  /** The rows of files in files of one partition each; the same files where the dataset is not parted, or they are of one partition. */
  private async parted(files: readonly StagedFile[], schema: Schema, rowIds: AddedFile['rowIds']): Promise<AddedFile[]> {
    const {dataset, partitionBy, engine, signal} = this.input;
    const whole = files.map(file => ({...file, rowIds, partition: null}));
    if (!partitionBy || files.length === 0) return whole;
    const staged: Table = rowIds === 'positional' ? stagedTable(files, schema) : {kind: 'table', schema, rowIds: true, files: files.map(file => ({...file, firstRowId: 0, rowIds}))};
    const of = partitionSql(dataset, partitionBy, schema);
    const partitions = await engine.rows({sql: `SELECT ${of} AS name, count(*) AS n FROM staged GROUP BY 1 ORDER BY 1 LIMIT ${mostPartitions + 1}`, relations: {staged}}, {signal});
    if (partitions.length > mostPartitions) throw new MillraceError('PARTITION_INVALID', {dataset, reason: `they are of more than ${mostPartitions} partitions`});
    if (partitions.length === 1) return whole.map(file => ({...file, partition: String(partitions[0]!.name)}));
    const columns = schema.fields.map(field => identifier(field.name)).join(', ');
    const sorted = await this.write(
      {sql: `SELECT ${columns}${rowIds === 'stored' ? ', _row_id' : ''} FROM staged ORDER BY ${of}, _row_id`, relations: {staged}},
      {schema, storeRowIds: rowIds === 'stored', rowsOfFiles: partitions.map(one => Number(one.n))},
    );
    return sorted.map((file, index) => ({...file, rowIds, partition: String(partitions[index]!.name)}));
  }

  private async write(query: Query, target: Omit<WriteTarget, 'folder'>): Promise<readonly StagedFile[]> {
    const folder = join(this.input.stage.folder, `.work-${this.folders++}`);
    await mkdir(folder);
    return this.input.engine.materialize(query, {...target, folder}, {signal: this.input.signal});
  }
}

/** Files of one partition, in groups that are not too large to be written anew at once. */
function* together(files: readonly FileRecord[]): Iterable<readonly FileRecord[]> {
  for (const alike of Map.groupBy(files, file => file.partition).values()) {
    let group: FileRecord[] = [];
    let bytes = 0n;
    for (const file of alike) {
      if (group.length > 0 && bytes + file.bytes > rewrittenBytes) {
        yield group;
        [group, bytes] = [[], 0n];
      }
      group.push(file);
      bytes += file.bytes;
    }
    if (group.length > 0) yield group;
  }
}

/**
 * Leaves nothing in the folder but the files added, and answers them there. Staged files keep their names; the others get names that no
 * staged file had: an engine may remember what it read under a path.
 */
async function gather(folder: string, added: readonly AddedFile[]): Promise<readonly AddedFile[]> {
  const entries = await readdir(folder);
  const paths = added.map((file, index) => (dirname(file.path) === folder ? file.path : join(folder, `rows-${String(index).padStart(5, '0')}.parquet`)));
  for (const [index, file] of added.entries()) if (file.path !== paths[index]) await rename(file.path, paths[index]!);
  const gone = entries.filter(name => !paths.includes(join(folder, name)));
  for (const name of gone) await rm(join(folder, name), {recursive: true, force: true});
  if (gone.length > 0) await syncPath(folder);
  return added.map((file, index) => ({...file, path: paths[index]!}));
}
