/**
 * A batch of writes as files: what its requests make of the rows, which of them the contract lets pass, and the files that change.
 *
 * One query tells what each image breaks; what becomes of it is decided here, in the order of requests; a second and a third one write
 * the rows that are new and those that stay in files whose rows change.
 */
import {MillraceError} from '../core/errors.ts';
import type {Engine, Query, Relation, StagedFile, Table, WriteTarget} from '../engines/engine.ts';
import {identifier} from '../engines/sql-text.ts';
import {kindOf, wholeCheckKinds} from '../schemas/contract.ts';
import type {Contract} from '../schemas/contract.ts';
import {markFields, placeFields} from '../schemas/quarantine.ts';
import type {Schema} from '../schemas/schema.ts';
import type {RowWrite, WriteBatch, WriteDecision} from '../writes/writes.ts';
import {batchSql, holders, idsSql, keyBounds, patchesOf, tupleText} from './batch-sql.ts';
import type {BatchSql, Patch} from './batch-sql.ts';
import {decideBatch} from './decide-batch.ts';
import type {Aside, ImageFacts, Uniqueness, Written} from './decide-batch.ts';
import type {AddedFile} from './file-changes.ts';
import type {Referenced} from './referenced-key.ts';
import {mayHold} from './merge-rows.ts';
import {rowRules} from './row-rules.ts';
import type {RowRule} from './row-rules.ts';
import type {FileRecord, RowOutcome, SnapshotRecord} from './warehouse.ts';

export interface BatchInput extends WriteBatch {
  readonly contract: Contract;
  readonly head: SnapshotRecord;
  readonly files: readonly FileRecord[];
  readonly engine: Engine;
  readonly referenced: Referenced;
  readonly tableOf: (files: readonly FileRecord[]) => Table;
  /** Writes a query's rows into a folder of the batch's own. */
  readonly write: (query: Query, target: Omit<WriteTarget, 'folder'>) => Promise<readonly StagedFile[]>;
}

export interface BatchFiles {
  readonly decisions: readonly WriteDecision[];
  readonly added: readonly AddedFile[];
  readonly removed: readonly FileRecord[];
  readonly outcome: RowOutcome;
  /** Rows to keep aside, as the quarantine has them; null where there are none. */
  readonly aside: Query | null;
  readonly quarantined: number;
  readonly dropped: number;
}

/** Whether a dataset's rows can only be judged all together, so that its requests are written one by one. */
export const writesAlone = (dataset: string, {checks = [], foreignKeys = []}: Contract): boolean =>
  foreignKeys.some(one => one.references === dataset) || checks.some(check => (wholeCheckKinds as readonly string[]).includes(kindOf(check)));

/** @throws DATASET_NOT_WRITABLE, ARGUMENT_INVALID */
function refuseUnwritable(dataset: string, {writes = [], key}: Contract, write: RowWrite): void {
  const kinds = [write.kind, ...(write.kind === 'insert' && (write.onConflict?.update.length ?? 0) > 0 ? (['update'] as const) : [])];
  const missing = kinds.find(kind => !writes.includes(kind));
  if (missing !== undefined) throw new MillraceError('DATASET_NOT_WRITABLE', {dataset, kind: missing});
  const needsKey = write.kind === 'insert' ? write.onConflict !== undefined : 'keys' in write.rows;
  if (needsKey && !key?.length) throw new MillraceError('CONTRACT_INVALID', {dataset, reason: 'it has no key, by which rows could be told apart'});
}

export async function prepareBatch(input: BatchInput): Promise<BatchFiles> {
  const {dataset, contract, head: {schema}, requests} = input;
  const refused = requests.map(({write}) => {
    try {
      refuseUnwritable(dataset, contract, write);
      return null;
    } catch (error) {
      return error as MillraceError;
    }
  });
  const allowed = requests.filter((_, index) => refused[index] === null);
  const decided = allowed.length === 0 ? null : await new BatchWriter(input, schema, allowed).run();
  let next = 0;
  const decisions = requests.map((_, index): WriteDecision => (refused[index] ? {kind: 'refused', error: refused[index]} : decided!.decisions[next++]!));
  return decided ? {...decided, decisions} : {decisions, added: [], removed: [], outcome: {written: 0, superseded: 0, deleted: 0}, aside: null, quarantined: 0, dropped: 0};
}

class BatchWriter {
  private readonly patches: readonly Patch[];
  private readonly sql: BatchSql;
  private readonly relations: Record<string, Relation> = {};

  constructor(
    private readonly input: BatchInput,
    private readonly schema: Schema,
    private readonly requests: WriteBatch['requests'],
  ) {
    const made = patchesOf(requests);
    this.patches = made.patches;
    this.condition = made.condition;
    this.sql = batchSql(made, schema, input.contract.key);
  }

  private readonly condition: ReturnType<typeof patchesOf>['condition'];

  async run(): Promise<BatchFiles> {
    const {dataset, contract, head, engine, tableOf, files} = this.input;
    const candidates = this.candidates();
    const base = {...tableOf(candidates), rowIds: true, fileIndexes: true};
    this.relations.write__base = base;
    for (const name of this.condition?.datasets ?? []) this.relations[name] = name === dataset ? {...tableOf(files), rowIds: true} : {...(await this.input.referenced(name)).table, rowIds: true};
    const changes = this.requests.some(({write}) => write.kind !== 'delete');
    const {rules, relations} = changes ? await rowRules(dataset, {...contract, key: undefined}, this.schema, engine, this.input.referenced, true) : {rules: [], relations: {}};
    Object.assign(this.relations, relations);
    const uniques = uniquesOf(contract, rules);
    const own = rules.filter(rule => !rule.unique);
    const images = await this.look(own, uniques);
    const foreign = (contract.foreignKeys ?? []).map(({column, references}) => ({column, references, says: `${column} is a key of ${references}`}));
    const references = new Map(own.flatMap((rule, index) => foreign.filter(one => one.says === rule.says).map(one => [index, one] as const)));
    const decided = decideBatch(this.requests, this.patches, images, {dataset, contract, rules: own, uniques, references});

    const pending = decided.flatMap(({decision}) => (decision.kind === 'pending' ? [decision] : []));
    const written = pending.flatMap(one => one.written);
    const deleted = pending.flatMap(one => one.deleted);
    const inserted = written.filter(({target}) => target === null);
    const updated = written.filter(({target}) => target !== null);
    const added: AddedFile[] = [];
    const gone = [...updated.map(({target}) => target!), ...deleted];
    const removed = await this.filesWith(gone, base, candidates);
    for (const file of removed) {
      const rest = await this.write(`SELECT ${this.columns()}, _row_id FROM touched WHERE _row_id NOT IN ${idsSql(1)} ORDER BY _row_id`, [JSON.stringify(gone)], {touched: {...tableOf([file]), rowIds: true}}, true);
      added.push(...rest.map(one => ({...one, rowIds: 'stored' as const, partition: file.partition})));
    }
    const emptying = own.filter(rule => rule.severity === 'error' && rule.fate === 'null_value' && rule.empties !== null);
    if (updated.length > 0) added.push(...(await this.writeImages(updated, emptying, true)));
    if (inserted.length > 0) added.push(...(await this.writeImages(inserted, emptying, false)));

    const rowIds = new Map(inserted.map(({place}, index) => [place, Number(head.nextRowId) + index]));
    const decisions = decided.map(({decision}): WriteDecision => {
      if (decision.kind !== 'pending') return decision;
      return {kind: 'accepted', outcome: {...decision.outcome, rowIds: [...decision.written.map(({place, target}) => target ?? rowIds.get(place)!), ...decision.deleted]}};
    });
    const aside = decided.flatMap(one => one.aside);
    const sum = (of: (outcome: {superseded: number; dropped: number}) => number): number => pending.reduce((total, {outcome}) => total + of(outcome), 0);
    return {
      decisions, added, removed, outcome: {written: written.length, superseded: sum(one => one.superseded), deleted: deleted.length}, aside: aside.length === 0 ? null : this.asideQuery(aside),
      quarantined: aside.length, dropped: sum(one => one.dropped),
    };
  }

  private columns(alias?: string): string {
    return this.schema.fields.map(({name}) => `${alias === undefined ? '' : `${alias}.`}${identifier(name)}`).join(', ');
  }

  /** What there is to know of every image. */
  private async look(rules: readonly RowRule[], uniques: readonly Uniqueness[]): Promise<ImageFacts[]> {
    const key = this.input.contract.key ?? [];
    const most = Math.max(...this.requests.map(({mostRows}) => mostRows)) + 1;
    const judged = this.requests.some(({write}) => write.kind !== 'delete');
    const broken = rules.map((rule, index) => (rule.severity === 'warn' ? 'NULL' : `CASE WHEN ((${rule.broken!})) THEN ${index} END`));
    const tuples = judged ? uniques.map(({columns}) => `{'text': ${tupleText(columns, 'this')}, 'held': ${holders(columns, 'this')}}`) : [];
    const facts = [
      "'place': write__place", "'target': write__target", "'holds': coalesce(write__holds, false)", "'misfit': write__misfit",
      `'broken': list_filter([${broken.join(', ')}]::INTEGER[], lambda one: one IS NOT NULL)`, `'tuples': [${tuples.join(', ')}]`, `'sought': ${key.length > 0 ? 'write__sought' : 'NULL'}`,
    ];
    const limit = this.condition === null ? '' : ` LIMIT ${most + this.patches.length}`;
    const rows = await this.input.engine.rows({sql: `${this.sql.images} SELECT to_json({${facts.join(', ')}})::VARCHAR AS fact FROM write__image AS this${limit}`, relations: this.relations, params: this.sql.params});
    return rows.map(({fact}) => {
      const {tuples: told, ...rest} = JSON.parse(fact as string) as ImageFacts & {tuples: readonly {text: string | null; held: readonly number[] | null}[]};
      return {...rest, tuples: judged ? told.map(({text, held}) => ({text, held: held ?? []})) : uniques.map(() => ({text: null, held: []}))};
    });
  }

  /** The files that may hold a row that is looked for: where only keys are, those whose bounds allow one of them. */
  private candidates(): readonly FileRecord[] {
    const {contract: {key = [], checks = []}, files, head} = this.input;
    const isByKey = this.patches.every(patch => patch.meets === 'key' && !patch.increase.some(name => key.includes(name)));
    const [column, ...more] = key;
    if (column === undefined) return this.patches.every(patch => patch.meets === 'key') && !checks.some(check => check.unique) ? [] : files;
    if (!isByKey || more.length > 0 || checks.some(check => check.unique)) return files;
    const bounds = keyBounds(this.patches, column, this.schema);
    return bounds === null ? files : files.filter(file => file.schemaVersion !== head.schemaVersion || mayHold(file, [column], bounds, this.schema));
  }

  /** The files that hold some of these rows. */
  private async filesWith(rowIds: readonly number[], base: Table, files: readonly FileRecord[]): Promise<FileRecord[]> {
    if (rowIds.length === 0) return [];
    const rows = await this.input.engine.rows({sql: `SELECT DISTINCT _file AS file FROM base WHERE _row_id IN ${idsSql(1)} ORDER BY 1`, relations: {base}, params: [JSON.stringify(rowIds)]});
    return rows.map(({file}) => files[Number(file)]!);
  }

  private async writeImages(written: readonly Written[], emptying: readonly RowRule[], stored: boolean): Promise<AddedFile[]> {
    const column = (name: string): string => {
      const conditions = emptying.filter(rule => rule.empties === name).map(rule => `((${rule.broken!}))`);
      return conditions.length === 0 ? identifier(name) : `CASE WHEN (${conditions.join(' OR ')}) IS NOT TRUE THEN ${identifier(name)} END AS ${identifier(name)}`;
    };
    const values = this.schema.fields.map(({name}) => column(name)).join(', ');
    const files = await this.write(
      `${this.sql.images} SELECT ${values}${stored ? ', write__target AS _row_id' : ''} FROM write__image AS this WHERE ${this.chosen(1)} ORDER BY ${stored ? 'write__target' : 'write__place'}`,
      [...this.sql.params, placesText(written)], this.relations, stored,
    );
    return files.map(file => ({...file, rowIds: stored ? 'stored' : 'positional', partition: null}));
  }

  /** A condition on images by their place and target, given as the parameter after those of the images. */
  private chosen(after: number): string {
    return `to_json([write__place, coalesce(write__target, -1)])::VARCHAR IN (SELECT unnest(from_json($${this.sql.params.length + after}::JSON, '["VARCHAR"]')))`;
  }

  private async write(sql: string, params: Query['params'], relations: Query['relations'], storeRowIds: boolean): Promise<readonly StagedFile[]> {
    return this.input.write({sql, relations, params}, {schema: this.schema, storeRowIds});
  }

  /** The rows kept aside as their quarantine has them: values, reasons, and the place in what was given. */
  private asideQuery(aside: readonly Aside[]): Query {
    const told = JSON.stringify(aside.map(({place, target, index, reasons}) => ({k: JSON.stringify([place, target ?? -1]), i: index + 1, r: reasons})));
    const params = [...this.sql.params, told];
    const [reasons, ...others] = [...markFields, ...placeFields].map(({name}) => name);
    const marks = others.map(name => `${name === 'quarantine_record' ? 'told.o.i' : 'NULL'} AS ${identifier(name)}`);
    return {
      sql: `${this.sql.images} SELECT ${this.columns('this')}, told.o.r AS ${identifier(reasons!)}, ${marks.join(', ')} FROM write__image AS this
        JOIN (SELECT unnest(from_json($${params.length}::JSON, '[{"k":"VARCHAR","i":"BIGINT","r":["VARCHAR"]}]')) AS o) AS told ON told.o.k = to_json([write__place, coalesce(write__target, -1)])::VARCHAR
        ORDER BY write__place, write__target`,
      relations: this.relations, params,
    };
  }
}

const placesText = (written: readonly Written[]): string => JSON.stringify(written.map(({place, target}) => JSON.stringify([place, target ?? -1])));

/** What must be unique: the key first. */
function uniquesOf(contract: Contract, rules: readonly RowRule[]): Uniqueness[] {
  const {key, onBadRow = 'fail'} = contract;
  const others = rules.flatMap(rule => (rule.unique && rule.severity === 'error' ? [{says: rule.says, columns: rule.unique, fate: rule.fate, isKey: false}] : []));
  if (!key?.length) return others;
  return [{says: `the key ${key.join(', ')} is unique`, columns: key, fate: onBadRow === 'null_value' ? 'fail' : onBadRow, isKey: true}, ...others];
}
