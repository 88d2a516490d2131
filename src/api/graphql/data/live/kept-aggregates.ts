import {hash} from 'node:crypto';
import type {Engine, Query, Relation, Table, TableFile} from '../../../../engines/engine.ts';
import type {ColumnProfile} from '../../../../schemas/schema.ts';
import type {Aggregated, PartOfStatement, StateStatements} from './aggregated.ts';

/** How an aggregation was answered. */
export type KeptUse =
  /** As it was answered before: nothing that it is made from has changed. */
  | {readonly kind: 'kept'}
  /** From what is kept of files; only those new to it were read. */
  | {readonly kind: 'maintained'; readonly files: number; readonly filesRead: number}
  /** From all rows. */
  | {readonly kind: 'computed'; readonly why: string};

export interface KeptContext {
  readonly engine: Engine;
  readonly signal?: AbortSignal;
  /** Whether the question is asked again after each commit. */
  readonly followed: boolean;
  /** Of the columns of the dataset, as far as it is known. */
  readonly profile: readonly ColumnProfile[];
}

/** Groups that are few enough to be kept the first time they are asked for, by what is known of the keys' values. */
const fewGroups = 2_000;

/** States that are put together one by one; more become one first. */
const fewStates = 8;

/**
 * Answers of aggregations, and the states of files they are made from, within a number of bytes; what was used longest ago goes first. Both are
 * found by the statement with its values and by the files they are of, so what is found is what would be computed: no commit makes it wrong.
 */
export class KeptAggregates {
  private readonly texts = new Map<string, string>();
  private bytes = 0;

  /** @param budget bytes; the default holds some hundred thousand groups */
  constructor(private readonly budget = 64 * 2 ** 20) {}

  /** Bytes in use. */
  get size(): number {
    return this.bytes;
  }

  /** The single text of a query, or null where it has none. */
  async text(query: Query, {states, why}: Aggregated, context: KeptContext): Promise<{text: string | null; use: KeptUse}> {
    const relations = Object.values(query.relations);
    const key = digest([query.sql, query.params, relations.map(relationKey)]);
    const known = this.get(key);
    if (known !== undefined) return {text: known, use: {kind: 'kept'}};
    const table = states && query.relations[states.dataset];
    // Without a file, as where the bounds of all leave them out, there is nothing to put together.
    const none = table?.kind === 'table' && table.files.length === 0;
    const found = table?.kind === 'table' && !none ? await this.fromStates(query, table, states!, context) : null;
    const use: KeptUse = none ? {kind: 'maintained', files: 0, filesRead: 0} : {kind: 'computed', why: why ?? 'it is asked for the first time'};
    const made = found ?? {text: await context.engine.text(query, context), use};
    if (made.text !== null && relations.every(({kind}) => kind === 'table')) this.set(key, made.text);
    return made;
  }

  private async fromStates(query: Query, table: Table, states: StateStatements, context: KeptContext): Promise<{text: string | null; use: KeptUse} | null> {
    const params = (part: PartOfStatement) => part.places.map(place => query.params![place]!);
    const question = digest([states.make.sql, params(states.make), schemaKey(table)]);
    const kept = this.get(question);
    if (kept === tooMany) return null;
    if (kept === undefined && !context.followed && !isFew(states, context.profile)) {
      this.set(question, asked);
      return null;
    }
    const files = table.files.map(({path}) => path);
    const all = this.merged(question, files);
    const parts: string[] = all ? [all.state] : [];
    let {types} = all ?? {types: null as readonly string[] | null};
    const missing: TableFile[] = [];
    for (const file of table.files) {
      if (all?.files.has(file.path)) continue;
      const state = this.get(`${question} ${file.path}`);
      if (state === undefined) missing.push(file);
      else {
        const [first, text] = cut(state);
        types = first.split('|');
        if (text !== '') parts.push(text);
      }
    }
    if (missing.length > 0) {
      const text = await context.engine.text({sql: states.make.sql, params: params(states.make), relations: {...query.relations, [states.dataset]: {...table, files: missing, fileIndexes: true}}}, context);
      if (text === null) {
        this.set(question, tooMany);
        return null;
      }
      const [first, ...lines] = text.split('\n');
      types = first!.split('|');
      const made = new Map(lines.map(line => [Number(line.slice(0, line.indexOf(' '))), line.slice(line.indexOf(' ') + 1)]));
      missing.forEach(({path}, index) => this.set(`${question} ${path}`, `${first}\n${made.get(index) ?? ''}`));
      parts.push(...made.values());
    }
    if (parts.length >= fewStates || (all === null && parts.length > 1)) {
      const state = (await context.engine.text({sql: states.merge(types!), params: [`[${parts.join(',')}]`], relations: {}}, context))!;
      this.set(`${question} all`, `${types!.join('|')}\n${JSON.stringify(files)}\n${state}`);
      parts.splice(0, parts.length, state);
    }
    this.set(question, asked);
    const answer = states.answer(types!);
    const text = await context.engine.text({sql: answer.sql, params: [...params(answer), `[${parts.join(',')}]`], relations: {}}, context);
    return {text, use: {kind: 'maintained', files: files.length, filesRead: missing.length}};
  }

  /** What was put together before, where all its files are still among these. */
  private merged(question: string, files: readonly string[]): {types: readonly string[]; files: ReadonlySet<string>; state: string} | null {
    const text = this.get(`${question} all`);
    if (text === undefined) return null;
    const [types, rest] = cut(text);
    const [of, state] = cut(rest);
    const merged = new Set(JSON.parse(of) as string[]);
    const there = new Set(files);
    return [...merged].every(path => there.has(path)) ? {types: types.split('|'), files: merged, state} : null;
  }

  private get(key: string): string | undefined {
    const text = this.texts.get(key);
    if (text !== undefined) {
      this.texts.delete(key);
      this.texts.set(key, text);
    }
    return text;
  }

  private set(key: string, text: string): void {
    const before = this.texts.get(key);
    if (before !== undefined) this.bytes -= costOf(key, before);
    this.texts.delete(key);
    // One answer must not drive out all others.
    if (costOf(key, text) > this.budget / 4) return;
    this.texts.set(key, text);
    this.bytes += costOf(key, text);
    for (const [oldest, old] of this.texts) {
      if (this.bytes <= this.budget) break;
      this.texts.delete(oldest);
      this.bytes -= costOf(oldest, old);
    }
  }
}

/** Instead of a state: the question was asked before; its groups are too many to be kept. */
const asked = 'asked';
const tooMany = 'too many';

/** Strings are of one or two bytes a character; an entry costs some more. */
const costOf = (key: string, text: string): number => 2 * (key.length + text.length) + 100;

const digest = (parts: unknown): string => hash('sha256', JSON.stringify(parts, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value)), 'base64');

function cut(text: string): [line: string, rest: string] {
  const end = text.indexOf('\n');
  return [text.slice(0, end), text.slice(end + 1)];
}

const isFew = ({keyColumns}: StateStatements, profile: readonly ColumnProfile[]): boolean =>
  keyColumns !== null && keyColumns.reduce((product, column) => product * ((profile.find(({name}) => name === column)?.distinct ?? Infinity) + 1), 1) <= fewGroups;

/** Files never change, so their paths say what is in them. Lists of files are kept with their snapshots. */
const fileKeys = new WeakMap<readonly TableFile[], string>();

function relationKey(relation: Relation): unknown {
  if (relation.kind !== 'table') return relation;
  let files = fileKeys.get(relation.files);
  if (files === undefined) fileKeys.set(relation.files, (files = digest(relation.files)));
  return [files, schemaKey(relation)];
}

const schemaKey = ({schema, rowIds}: Table): unknown => [rowIds === true, schema.fields.map(({id, name, type}) => [id, name, type])];
