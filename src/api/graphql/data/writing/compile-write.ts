import {createHash} from 'node:crypto';
import {print} from 'graphql';
import type {FieldNode, SelectionSetNode} from 'graphql';
import {MillraceError} from '../../../../core/errors.ts';
import type {GivenRow, OnConflict, RowCondition, RowSelection, RowWrite} from '../../../../writes/writes.ts';
import {rowCondition} from '../filter.ts';
import {givenArguments} from '../given.ts';
import type {Given, Variables} from '../given.ts';
import {withId} from '../live/compile-row-stream.ts';
import type {CompileInput} from '../plan.ts';
import type {WriteRoot} from '../roots.ts';
import {collectBelow} from '../selection.ts';
import type {Collected} from '../selection.ts';
import {rowId} from '../shape.ts';
import type {DatasetShape} from '../shape.ts';
import {StatementBuilder} from '../statement-builder.ts';
import type {Arguments} from '../statement-builder.ts';
import {givenRow} from './given-values.ts';
import type {WriteRootKind} from './mutation-types.ts';
import type {ReturnPlan} from './returned-rows.ts';

/** A mutation field, compiled: what to write, and how to answer. */
export interface WritePlan {
  readonly dataset: string;
  readonly write: RowWrite;
  readonly idempotency: {readonly key: string; readonly content: string} | null;
  readonly answer:
    /** The one row; null where there is none. */
    | {readonly kind: 'row'; readonly rows: ReturnPlan}
    | {readonly kind: 'response'; readonly parts: readonly ResponsePart[]};
}

export type ResponsePart =
  | {readonly key: string; readonly kind: 'affected'}
  | {readonly key: string; readonly kind: 'constant'; readonly json: string}
  | {readonly key: string; readonly kind: 'returning'; readonly rows: ReturnPlan}
  | {readonly key: string; readonly kind: 'quarantined'; readonly parts: readonly {readonly key: string; readonly of: 'index' | 'reasons' | '__typename'}[]};

/** Variables that the rows of an answer are asked for by; no variable of a document has such a name. */
export const writtenRows = ' rows';
export const writtenSnapshot = ' snapshot';

/** @throws ARGUMENT_INVALID and what a selection can fail with: before anything is written */
export function compileWrite(nodes: readonly FieldNode[], {kind, dataset}: WriteRoot, input: CompileInput): WritePlan {
  const {variables, fragments, graph} = input;
  const shape = graph.shapes.get(dataset)!;
  const field = graph.types.rootFields(dataset, 'mutation')[nodes[0]!.name.value]!;
  const args = givenArguments(field.args, nodes[0]!, variables);
  const write = new WriteCompiler(shape, args, input).write(kind);
  const selected = collectBelow(nodes, fragments, variables);
  const isOne = kind === 'insertOne' || kind === 'updateByPk' || kind === 'deleteByPk';
  const key = args.get('idempotency_key')?.value as string | null | undefined;
  if (key !== undefined && key !== null && (key.length === 0 || key.length > 255)) throw new MillraceError('ARGUMENT_INVALID', {name: 'idempotency_key', reason: 'it must have from 1 to 255 characters.'});
  return {
    dataset, write,
    idempotency: key ? {key, content: createHash('sha256').update(JSON.stringify([dataset, write])).digest('hex')} : null,
    answer: isOne ? {kind: 'row', rows: returnPlan(nodes, dataset, input, true)} : {kind: 'response', parts: responseParts(selected, dataset, input)},
  };
}

function responseParts(selected: Collected, dataset: string, input: CompileInput): ResponsePart[] {
  const below = (nodes: readonly FieldNode[]): Collected => collectBelow(nodes, input.fragments, input.variables);
  return [...selected].map(([key, nodes]): ResponsePart => {
    const name = nodes[0]!.name.value;
    if (name === 'affected_rows') return {key, kind: 'affected'};
    if (name === 'returning') return {key, kind: 'returning', rows: returnPlan(nodes, dataset, input, false)};
    if (name === 'quarantined') return {key, kind: 'quarantined', parts: [...below(nodes)].map(([inner, [node]]) => ({key: inner, of: node!.name.value as 'index'}))};
    return {key, kind: 'constant', json: JSON.stringify(`${dataset}_mutation_response`)};
  });
}

/** Plans of selections that no variable changes, by where they stand. */
const returnPlans = new WeakMap<CompileInput['graph'], WeakMap<FieldNode, ReturnPlan>>();

function returnPlan(nodes: readonly FieldNode[], dataset: string, input: CompileInput, single: boolean): ReturnPlan {
  const {graph, fragments, variables} = input;
  let plans = returnPlans.get(graph);
  if (!plans) returnPlans.set(graph, (plans = new WeakMap()));
  const [node] = nodes as [FieldNode];
  let plan = nodes.length === 1 ? plans.get(node) : undefined;
  if (!plan) {
    plan = rowsPlan(collectBelow(nodes, fragments, variables), dataset, input, single);
    if (nodes.length === 1 && !mentionsVariables(node.selectionSet!, fragments)) plans.set(node, plan);
  }
  return plan;
}

const mentionsVariables = (set: SelectionSetNode, fragments: CompileInput['fragments']): boolean => {
  const text = print(set);
  return text.includes('$') || (text.includes('...') && Object.values(fragments).some(fragment => print(fragment).includes('$')));
};

/** Rows by their ids, as of the snapshot that the write made or found. */
function rowsPlan(selected: Collected, dataset: string, input: CompileInput, single: boolean): ReturnPlan {
  const builder = new StatementBuilder(input, input.graph.types.get(dataset)!.row.getFields());
  const relation = builder.use(dataset);
  const ids = builder.bindings.bind(variables => variables[writtenRows] as string, 'JSON');
  const written = `(SELECT unnest(from_json(${ids}, '["BIGINT"]')) AS id) AS written`;
  const chosen = {condition: 'true', order: {keys: [], joins: [`JOIN ${written} ON written.id = ${relation.rowId}`]}, limit: null, offset: null};
  const row = builder.object(withId(selected), relation);
  return {key: '', dataset, asOf: variables => ({snapshot: variables[writtenSnapshot] as string}), answer: {kind: 'scored', rows: builder.scored(row, relation, chosen), single}};
}

class WriteCompiler {
  constructor(
    private readonly shape: DatasetShape,
    private readonly args: Arguments,
    private readonly input: CompileInput,
  ) {}

  write(kind: WriteRootKind): RowWrite {
    switch (kind) {
      case 'insert':
        return this.insert((this.value('objects') as readonly Readonly<Record<string, unknown>>[]).map((object, index) => this.row(object, `objects[${index}]`)));
      case 'insertOne':
        return this.insert([this.row(this.value('object') as Readonly<Record<string, unknown>>, 'object')]);
      case 'update':
        return {kind: 'update', rows: this.where(), ...this.changes()};
      case 'updateByPk':
        return {kind: 'update', rows: this.byKey(this.value('pk_columns') as Readonly<Record<string, unknown>>, 'pk_columns'), ...this.changes()};
      case 'delete':
        return {kind: 'delete', rows: this.where()};
      case 'deleteByPk':
        return {kind: 'delete', rows: this.byKey(Object.fromEntries([...this.args].map(([name, given]) => [name, given.value])), 'the key')};
    }
  }

  private value(name: string): unknown {
    return this.args.get(name)?.value;
  }

  private row(values: Readonly<Record<string, unknown>>, shown: string): GivenRow {
    return givenRow(values, this.shape.dataset.schema.fields, shown);
  }

  private insert(rows: readonly GivenRow[]): RowWrite {
    const given = this.args.get('on_conflict');
    if (!given || given.isNull) return {kind: 'insert', rows};
    const parts = new Map(given.entries());
    const update = [...new Set(parts.get('update_columns')?.value as readonly string[])];
    const where = parts.get('where');
    const onConflict: OnConflict = {update, ...(where && !where.isNull && update.length > 0 ? {where: this.condition(where)} : {})};
    return {kind: 'insert', rows, onConflict};
  }

  private changes(): {set: GivenRow; increase: GivenRow} {
    const [set, increase] = (['_set', '_inc'] as const).map(name => this.row((this.value(name) ?? {}) as Readonly<Record<string, unknown>>, name)) as [GivenRow, GivenRow];
    const both = Object.keys(set).find(name => name in increase);
    if (both !== undefined) throw new MillraceError('ARGUMENT_INVALID', {name: '_inc', reason: `'${both}' stands in \`_set\` too.`});
    if (Object.keys(set).length + Object.keys(increase).length === 0) throw new MillraceError('ARGUMENT_INVALID', {name: '_set', reason: 'no column is to be changed: give one in `_set` or `_inc`.'});
    return {set, increase};
  }

  private byKey(values: Readonly<Record<string, unknown>>, shown: string): RowSelection {
    const {key} = this.shape;
    if (!key) return {rowIds: /^\d{1,18}$/.test(String(values[rowId])) ? [String(values[rowId])] : []};
    return {keys: [givenRow(values, key, shown)]};
  }

  /** By key where the condition is nothing else: requests of different keys can be written together. */
  private where(): RowSelection {
    const where = this.args.get('where')!;
    return this.keysOf(where) ?? {where: this.condition(where)};
  }

  private keysOf(where: Given): RowSelection | null {
    const {key} = this.shape;
    if (!key || where.isNull) return null;
    const columns = new Map(where.entries());
    if (columns.size !== key.length) return null;
    const values: Record<string, readonly unknown[]> = {};
    for (const field of key) {
      const comparison = columns.get(field.name);
      if (!comparison || comparison.isNull || field.type.kind === 'float') return null;
      const [[operator, value] = [], ...more] = comparison.entries();
      if (more.length > 0 || value === undefined || value.isNull || (operator !== '_eq' && !(operator === '_in' && key.length === 1))) return null;
      values[field.name] = operator === '_in' ? (value.value as readonly unknown[]) : [value.value];
    }
    const rows = Math.max(...Object.values(values).map(list => list.length));
    return {keys: Array.from({length: rows}, (_, index) => givenRow(Object.fromEntries(Object.entries(values).map(([name, list]) => [name, list[index]])), key, 'where'))};
  }

  private condition(where: Given): RowCondition {
    const builder = new StatementBuilder(this.input, this.input.graph.types.get(this.shape.name)!.row.getFields());
    const relation = builder.use(this.shape.name);
    const condition = rowCondition(where, relation, builder);
    const {rowId: id} = relation;
    const {sql, parameters, datasets, predicted} = builder.statement(`SELECT ${id} AS _row_id FROM ${relation.sql()} WHERE ${condition}`);
    if (predicted.length > 0) throw new MillraceError('ARGUMENT_INVALID', {name: 'where', reason: 'predictions cannot choose the rows to be changed; ask for them first, and name the rows by their key or `_row_id`.'});
    const {variables} = this.input;
    return {sql, params: parameters.map(parameter => parameter(variables as Variables, noFacts)), datasets};
  }
}

const noFacts = {
  now: () => new Date(),
  scale: (): never => {
    throw new MillraceError('GRAPHQL_INVALID', {reason: 'Sums of related rows cannot choose the rows to be changed; ask for them first.'});
  },
  version: (): never => {
    throw new MillraceError('INTERNAL', {reason: 'no version predicts in a condition on the rows to be changed'});
  },
};
