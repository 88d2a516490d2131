import {randomUUID} from 'node:crypto';
import type {FieldNode, GraphQLFieldMap} from 'graphql';
import {MillraceError} from '../../../core/errors.ts';
import type {SqlValue} from '../../../engines/engine.ts';
import {literal, sqlType} from '../../../engines/sql-text.ts';
import type {DataType, Field} from '../../../schemas/schema.ts';
import {Aggregates} from './aggregate.ts';
import {Bindings} from './bindings.ts';
import {jsonForm, member as structMember} from './columns.ts';
import {rowCondition} from './filter.ts';
import type {FilterScope} from './filter.ts';
import {Given, givenArguments} from './given.ts';
import type {Variables} from './given.ts';
import type {GraphPrediction} from './graph-model.ts';
import {ordering} from './ordering.ts';
import type {NamedKey, Ordering} from './ordering.ts';
import {besideCursor, cursorText, reversed} from './paging.ts';
import type {ColumnRows, CompileInput, DatasetRead, PredictedUse, PredictionPart, PredictionPlan, Rows, ScoredRows, Statement} from './plan.ts';
import {deployedExpression, pinOf, replaced, replacement, settingsOf} from './predictions/asked.ts';
import type {PredictionSettings} from './predictions/asked.ts';
import {mostCandidates, withoutPredictions} from './predictions/candidates.ts';
import {inlineMark} from './predictions/inline.ts';
import {isFirst, RelationUse} from './relation.ts';
import {rowText, shown, shownIf, shownList, shownObject, shownOnce} from './row-json.ts';
import type {Shown} from './row-json.ts';
import {collectBelow} from './selection.ts';
import type {Collected} from './selection.ts';
import {elementOf, isObject, linked, rowId} from './shape.ts';
import type {DatasetShape, Relationship} from './shape.ts';

/** Arguments of a field that were given or defaulted. */
export type Arguments = ReadonlyMap<string, Given>;

/** Which rows, and in what order. */
export interface Chosen {
  readonly condition: string;
  readonly order: Ordering;
  readonly limit: string | null;
  readonly offset: string | null;
  /** Of rows equal in these expressions only the first. */
  readonly distinct?: readonly string[];
  /** Whether `limit` and `offset` count from the end. */
  readonly backward?: boolean;
}

/** Uses of datasets in one statement: what the engine needs to plan joins grows much faster than their number. */
const mostUses = 64;

interface NumberedOptions {
  /** More columns, each after a comma. */
  readonly extra?: string;
  readonly where?: string;
  readonly partition?: readonly string[];
  /** Rows of all lists together. */
  readonly most?: number;
}

/** One statement in the making. */
export class StatementBuilder implements FilterScope {
  readonly bindings = new Bindings();
  readonly predictions: PredictionPlan[] = [];
  private readonly inline: Omit<PredictionPlan, 'firstColumn' | 'placeholder'>[] = [];
  /** Lists of related rows around what is being made. */
  private depth = 0;
  private readonly uses: RelationUse[] = [];
  /** The order of each list's rows. */
  private readonly orders = new Map<RelationUse, readonly NamedKey[]>();
  private readonly joins: {use: RelationUse; on: string}[] = [];
  private readonly features: string[] = [];
  private readonly nonce = randomUUID();

  constructor(
    private readonly input: CompileInput,
    private readonly fields: GraphQLFieldMap<unknown, unknown>,
  ) {}

  /** What predictions are asked with where nothing else is said: by the root field's arguments. */
  get settings(): PredictionSettings {
    return this.settings_;
  }

  private settings_: PredictionSettings = {};

  /** @throws QUERY_TOO_COSTLY */
  use(dataset: string, first: readonly string[] = []): RelationUse {
    if (this.uses.length >= mostUses) throw new MillraceError('QUERY_TOO_COSTLY', {estimate: `more than ${mostUses} relations at once`, limit: mostUses});
    const use = new RelationUse(this.input.graph.shapes.get(dataset)!, `t${this.uses.length}`, first);
    this.uses.push(use);
    return use;
  }

  related({to, on, first}: Relationship): RelationUse {
    return this.use(to, first ? on.map(({toColumn}) => toColumn) : []);
  }

  shape(dataset: string): DatasetShape {
    return this.input.graph.shapes.get(dataset)!;
  }

  aggregates(relation: RelationUse): Aggregates {
    return new Aggregates(relation, this, this.input);
  }

  statement(sql: string): Statement {
    const predicted = this.uses.filter(use => use.predictions.length > 0).map((use): PredictedUse => ({
      relation: use.name, dataset: use.shape.name, readsColumns: use.readsColumns, predictions: use.predictions, candidates: this.candidates(use),
    }));
    const datasets = [...new Set(this.uses.map(use => use.shape.name))];
    const reads = new Map(datasets.map((dataset): [string, DatasetRead] => {
      const uses = this.uses.filter(use => use.shape.name === dataset);
      return [dataset, {columns: new Set(uses.flatMap(use => use.reads)), where: uses.length === 1 ? uses[0]!.where : null}];
    }));
    return {sql, parameters: this.bindings.parameters, datasets, reads, uses: this.uses.length, scaled: this.bindings.scaled, predicted, inline: {nonce: this.nonce, plans: this.inline}};
  }

  /** Takes from a root field's arguments what says which versions predict, and for which rows of its dataset. */
  begin(relation: RelationUse, args: Arguments): void {
    const where = args.get('where');
    this.settings_ = {models: args.get('models')};
    relation.where = where && !where.isNull ? where : null;
  }

  /** The rows that need predictions at most, with the inputs of all: where conditions on other columns are known. */
  private candidates({where, shape, predictions}: RelationUse): Statement | null {
    const plain = where && withoutPredictions(where, shape, this.input.graph.shapes);
    if (!plain) return null;
    const builder = new StatementBuilder(this.input, this.fields);
    builder.settings_ = this.settings;
    const relation = builder.use(shape.name);
    const condition = rowCondition(plain, relation, builder);
    const features = predictions.flatMap(({prediction, settings}) => {
      const set = replaced(settings);
      return prediction.inputs.map(input => builder.feature(input, prediction, relation, set.get(input.name)));
    });
    const columns = [`${relation.rowId} AS id`, ...features.map((feature, index) => `${feature} AS f${index}`)];
    return builder.statement(`SELECT ${columns.join(', ')} FROM ${relation.sql()} WHERE ${condition} LIMIT ${mostCandidates + 1}`);
  }

  /** The rows that `where`, `order_by`, `limit` and `offset` choose. `bounded`: more rows than the viewer may have are an error. */
  choose(relation: RelationUse, args: Arguments, bounded = true): Chosen {
    const {maxRows} = this.input;
    const where = args.get('where');
    if (relation === this.uses[0]) this.begin(relation, args);
    const most = bounded ? maxRows + 1 : Infinity;
    const condition = where && !where.isNull ? rowCondition(where, relation, this) : 'true';
    const order = ordering(args.get('order_by'), relation, this);
    this.orders.set(relation, order.keys);
    const [after, before] = ([['after', 1], ['before', -1]] as const).map(([name, side]) => {
      const given = args.get(name);
      return given && !given.isNull ? besideCursor(given, order.keys, relation.rowId, side, this.bindings) : null;
    });
    const distinct = args.get('distinct_on');
    return {
      condition: [condition, after, before].filter(part => part !== null && part !== undefined).join(' AND '),
      order,
      distinct: distinct && !distinct.isNull ? (distinct.value as readonly string[]).map(column => relation.column(column)) : [],
      backward: !after && !!before,
      limit: this.rowCount(args.get('limit'), 'limit', most) ?? (bounded ? String(most) : null),
      offset: this.rowCount(args.get('offset'), 'offset', Infinity),
    };
  }

  /** A number of rows for LIMIT and OFFSET; null where none is given. */
  rowCount(given: Given | undefined, name: string, most: number): string | null {
    if (!given || given.isNull) return null;
    const read = (variables: Variables) => Math.min(checkedCount(given.read(variables), name), most);
    // Engines plan a constant number of rows better than a bound one.
    return given.isConstant ? String(read({})) : this.bindings.bind(read, 'BIGINT');
  }

  chooseByKey(relation: RelationUse, args: Arguments): Chosen {
    const {key} = relation.shape;
    this.begin(relation, args);
    relation.where = Given.object(new Map((key?.map(field => field.name) ?? [rowId]).map(name => [name, Given.object(new Map([['_eq', args.get(name)!]]))])));
    const conditions = key
      ? key.map(field => `${relation.column(field.name)} = ${this.bindings.value(args.get(field.name)!, field.type, field.name)}`)
      : [`${relation.rowId} = ${this.bindings.bind(variables => rowNumber(args.get(rowId)!.read(variables)), 'BIGINT')}`];
    return {condition: conditions.join(' AND '), order: {keys: [], joins: []}, limit: '1', offset: null};
  }

  /** The chosen rows as a relation under the same alias; keys of the order that stand in other relations come along as columns. */
  chosenRows(relation: RelationUse, chosen: Chosen & {readonly extra?: string}): string {
    const {order, limit, offset, distinct = [], backward = false} = chosen;
    // Without an order rows come as they lie in the files, which is the order of their ids; but joins, which conditions with
    // subqueries become and predictions may be, keep no order.
    const asTheyLie = order.keys.length === 0 && !chosen.condition.includes('(SELECT ') && relation.predictions.length === 0 && !backward && distinct.length === 0;
    const sorted = (turn: (direction: string) => string) => [...order.keys.map(({expression, direction}) => `${expression} ${turn(direction)}`), `${relation.rowId} ${turn('ASC')}`].join(', ');
    const orderBy = asTheyLie ? '' : ` ORDER BY ${sorted(backward ? reversed : direction => direction)}`;
    const firsts = distinct.length === 0 ? '' : ` QUALIFY ${isFirst(relation.rowId, distinct, sorted(direction => direction))}`;
    const keys = order.keys.map(({expression}, index) => `, ${expression} AS "~k${index}"`).join('');
    const paging = `${limit === null ? '' : ` LIMIT ${limit}`}${offset === null ? '' : ` OFFSET ${offset}`}`;
    const needsOrder = limit !== null || offset !== null;
    return `(SELECT ${relation.alias}.*${keys}${chosen.extra ?? ''} FROM ${[relation.sql(), ...order.joins].join(' ')} WHERE ${chosen.condition}${firsts}${needsOrder ? orderBy : ''}${paging}) AS ${relation.alias}`;
  }

  /**
   * `chosenRows` with LIMIT and OFFSET for each of many lists, where they cannot be parameters: rows are numbered instead, in each partition
   * (columns of `extra`) from 1.
   */
  numberedRows(relation: RelationUse, chosen: Chosen, {extra = '', where = 'true', partition = [], most}: NumberedOptions = {}): string {
    const {order, limit, offset} = chosen;
    const whole = {...chosen, limit: null, offset: null, extra};
    const bounds = [where];
    let counted: string | null = null;
    if (limit !== null || offset !== null) {
      const sorted = [...order.keys.map(({expression, direction}) => `${expression} ${direction}`), relation.rowId].join(', ');
      const parted = partition.length === 0 ? '' : `PARTITION BY ${partition.join(', ')} `;
      const number = (by: string) => `, row_number() OVER (${parted}ORDER BY ${by}) AS "~n"`;
      // Those left out are not counted, so what is left is counted around them.
      if (chosen.distinct?.length) counted = number(this.orderOf(relation, chosen));
      else whole.extra += number(sorted);
      const first = offset ?? '0';
      bounds.push(`"~n" > ${first}`, ...(limit === null ? [] : [`"~n" <= ${first} + ${limit}`]));
    }
    if (bounds.length === 1 && where === 'true' && most === undefined) return this.chosenRows(relation, whole);
    const rows = counted === null ? this.chosenRows(relation, whole) : `(SELECT *${counted} FROM ${this.chosenRows(relation, whole)}) AS ${relation.alias}`;
    return `(SELECT * FROM ${rows} WHERE ${bounds.join(' AND ')}${most === undefined ? '' : ` LIMIT ${most}`}) AS ${relation.alias}`;
  }

  /** The order of chosen rows outside of them. */
  orderOf(relation: RelationUse, chosen: Chosen): string {
    return [...chosen.order.keys.map(({direction}, index) => `${relation.alias}."~k${index}" ${direction}`), relation.rowId].join(', ');
  }

  /** Rows with the related rows that their texts show. */
  private from(relation: RelationUse, chosen: Chosen): string {
    return [this.chosenRows(relation, chosen), ...this.joins.map(({use, on}) => `LEFT JOIN ${use.sql()} ON ${on}`)].join(' ');
  }

  /** The whole answer as one text; null when there are more rows than may be, or, for `single`, none. */
  listOf(row: Shown, relation: RelationUse, chosen: Chosen, single: boolean): Statement {
    const text = rowText(row);
    if (single) return this.statement(`SELECT ${text} AS json FROM ${this.from(relation, chosen)}`);
    const order = this.orderOf(relation, chosen);
    const list = `'[' || coalesce(string_agg(${text}, ',' ORDER BY ${order}), '') || ']'`;
    return this.statement(`SELECT CASE WHEN count(*) <= ${this.input.maxRows} THEN ${list} END AS json FROM ${this.from(relation, chosen)}`);
  }

  scored(row: Shown, relation: RelationUse, chosen: Chosen): ScoredRows {
    return {...this.inOrder([`${rowText(row)} AS json`, ...this.features.map((feature, index) => `${feature} AS f${index}`)], relation, chosen), predictions: this.predictions};
  }

  /** Rows as columns, one for each of the row's members. @throws NOT_STREAMABLE */
  columns({column}: Shown, relation: RelationUse, chosen: Chosen): ColumnRows {
    if (!column?.members) throw new MillraceError('NOT_STREAMABLE', {reason: 'predictions cannot be columns of Arrow yet; ask for NDJSON.'});
    const names = column.members;
    return {names, ...this.inOrder(names.map(({sql}, index) => `${sql} AS c${index}`), relation, chosen)};
  }

  /** A statement of rows in order. */
  private inOrder(columns: readonly string[], relation: RelationUse, chosen: Chosen): Rows {
    const select = () => `SELECT ${columns.join(', ')} FROM ${this.from(relation, chosen)}`;
    // Joins, and what becomes one, keep no order.
    const unsorted = chosen.order.keys.length === 0 && this.uses.length === 1 && relation.predictions.length === 0 ? this.statement(select()) : null;
    // The order asks for row ids, which are not read without it.
    const order = this.orderOf(relation, chosen);
    return {statement: this.statement(`${select()} ORDER BY ${order}`), unsorted};
  }

  /** A row as a JSON object, and as columns. */
  object(selected: Collected, relation: RelationUse, fields = this.fields): Shown {
    return shownObject(
      [...selected].map(([key, nodes]): [string, Shown] => {
        const name = nodes[0]!.name.value;
        if (name === '__typename') return [key, typeNamed(relation.shape.name)];
        const member = relation.shape.members.get(name)!;
        switch (member.kind) {
          case 'rowId':
            return [key, shown(`${relation.rowId}::VARCHAR`, {sql: relation.rowId})];
          case 'cursor':
            return [key, this.cursor(relation)];
          case 'column':
            return [key, this.column(relation.column(name), member.field.type, nodes, `${relation.shape.name}__${name}`)];
          case 'object':
            return [key, this.relatedObject(nodes, relation, member)];
          case 'array':
            return [key, this.relatedList(nodes, relation, member, fields)];
          case 'arrayAggregate':
            return [key, this.relatedAggregate(nodes, relation, member, fields)];
          case 'prediction':
            return [key, this.prediction(nodes, relation, member.prediction, fields)];
        }
      }),
    );
  }

  private cursor(relation: RelationUse): Shown {
    const keys = this.orders.get(relation) ?? [];
    const text = cursorText(keys, keys.map((_, index) => `${relation.alias}."~k${index}"`), relation.rowId);
    return shown(text, {sql: text});
  }

  private column(expression: string, type: DataType, nodes: readonly FieldNode[], path: string): Shown {
    const value = this.columnValue(expression, type, nodes, path, 0);
    return type.kind === 'float' ? {...value, plain: type.bits === 32 ? `${expression}::DOUBLE` : expression, floats: [expression]} : value;
  }

  /** A column's value; of structs and maps only what is selected. */
  private columnValue(expression: string, type: DataType, nodes: readonly FieldNode[], path: string, depth: number): Shown {
    if (!isObject(elementOf(type))) return shown(jsonForm(expression, type, depth), {sql: expression});
    if (type.kind === 'list') {
      const element = `e${depth}`;
      return shownList(this.columnValue(element, type.element.type, nodes, path, depth + 1), inner => `list_transform(${expression}, lambda ${element}: ${inner})`);
    }
    const selected = collectBelow(nodes, this.input.fragments, this.input.variables);
    if (type.kind === 'struct') {
      const parts = [...selected].map(([key, inner]): [string, Shown] => {
        const field = type.fields.find(({name}) => name === inner[0]!.name.value);
        return [key, field ? this.columnValue(structMember(expression, field), field.type, inner, `${path}__${field.name}`, depth) : typeNamed(path)];
      });
      return shownIf(`${expression} IS NOT NULL`, shownObject(parts));
    }
    if (type.kind !== 'map') throw new MillraceError('INTERNAL', {reason: `no value for ${path}`});
    const entry = `e${depth}`;
    const parts = [...selected].map(([key, inner]): [string, Shown] => {
      const name = inner[0]!.name.value;
      if (name === '__typename') return [key, typeNamed(path)];
      const part = name === 'key' ? type.key.type : type.value.type;
      return [key, this.columnValue(`${entry}.${name}`, part, inner, `${path}__${name}`, depth + 1)];
    });
    return shownList(shownObject(parts), inner => `list_transform(map_entries(${expression}), lambda ${entry}: ${inner})`);
  }

  private relatedObject(nodes: readonly FieldNode[], relation: RelationUse, relationship: Relationship): Shown {
    const other = this.related(relationship);
    const matched = other.column(relationship.on[0]!.toColumn);
    this.joins.push({use: other, on: linked(relationship, column => relation.column(column), column => other.column(column))});
    const row = this.object(collectBelow(nodes, this.input.fragments, this.input.variables), other, this.rowFields(relationship.to));
    return shownIf(`${matched} IS NOT NULL`, row);
  }

  /** A list of related rows as a subquery for each row, which engines turn into one join. */
  private relatedList(nodes: readonly FieldNode[], relation: RelationUse, relationship: Relationship, fields: GraphQLFieldMap<unknown, unknown>, args = this.argumentsOf(nodes, fields)): Shown {
    const other = this.use(relationship.to);
    const chosen = this.chooseRelated(other, relation, relationship, args);
    return this.nested(() => {
      const row = this.object(collectBelow(nodes, this.input.fragments, this.input.variables), other, this.rowFields(relationship.to));
      const order = this.orderOf(other, chosen);
      return joins => {
        const from = [this.numberedRows(other, chosen), ...joins].join(' ');
        const text = `coalesce((SELECT '[' || string_agg(${rowText(row)}, ',' ORDER BY ${order}) || ']' FROM ${from}), '[]')::JSON`;
        return shownOnce(text, row.column && {...row.column, sql: `coalesce((SELECT list(${row.column.sql} ORDER BY ${order}) FROM ${from}), [])`});
      };
    });
  }

  /** Aggregates of related rows, and the rows themselves, each as a subquery for each row. */
  private relatedAggregate(nodes: readonly FieldNode[], relation: RelationUse, relationship: Relationship, fields: GraphQLFieldMap<unknown, unknown>): Shown {
    const args = this.argumentsOf(nodes, fields);
    return shownObject(
      [...collectBelow(nodes, this.input.fragments, this.input.variables)].map(([key, inner]): [string, Shown] => {
        const name = inner[0]!.name.value;
        if (name === '__typename') return [key, typeNamed(`${relationship.to}_aggregate`)];
        if (name === 'nodes') return [key, this.relatedList(inner, relation, relationship, fields, args)];
        const other = this.use(relationship.to);
        const chosen = this.chooseRelated(other, relation, relationship, args);
        const aggregates = this.aggregates(other);
        const object = aggregates.object(collectBelow(inner, this.input.fragments, this.input.variables));
        const text = `(SELECT to_json(${object}) FROM ${aggregates.sql(this.numberedRows(other, chosen))})`;
        return [key, shownOnce(text, {sql: text})];
      }),
    );
  }

  private argumentsOf(nodes: readonly FieldNode[], fields: GraphQLFieldMap<unknown, unknown>): Arguments {
    return givenArguments(fields[nodes[0]!.name.value]!.args, nodes[0]!, this.input.variables);
  }

  private chooseRelated(other: RelationUse, relation: RelationUse, relationship: Relationship, args: Arguments): Chosen {
    const chosen = this.choose(other, args, false);
    return {...chosen, condition: `${linked(relationship, column => relation.column(column), column => other.column(column))} AND ${chosen.condition}`};
  }

  /** Runs `make` with joins of its own: those of a nested list belong to its subquery. */
  nested<T>(make: () => (joins: readonly string[]) => T): T {
    const outer = this.joins.splice(0);
    this.depth++;
    const finish = make();
    this.depth--;
    const own = this.joins.splice(0);
    this.joins.push(...outer);
    return finish(own.map(({use, on}) => `LEFT JOIN ${use.sql()} ON ${on}`));
  }

  private rowFields(dataset: string): GraphQLFieldMap<unknown, unknown> {
    return this.input.graph.types.get(dataset)!.row.getFields();
  }

  /** Shows a prediction whose outputs are columns; of another it asks for the features, and leaves a mark in the row's text. */
  private prediction(nodes: readonly FieldNode[], relation: RelationUse, prediction: GraphPrediction, fields: GraphQLFieldMap<unknown, unknown>): Shown {
    const settings = settingsOf(givenArguments(fields[nodes[0]!.name.value]!.args, nodes[0]!, this.input.variables), this.settings);
    const selected = collectBelow(nodes, this.input.fragments, this.input.variables);
    if (relation.hasAsked(prediction, settings)) return this.predictedColumns(selected, relation, prediction, settings);
    const set = replaced(settings);
    const features = prediction.inputs.map(input => this.feature(input, prediction, relation, set.get(input.name)));
    const parts = [...selected].map(([key, [node]]): PredictionPart => {
      const name = node!.name.value;
      if (name === '__typename') return {key, kind: 'constant', json: JSON.stringify(this.predictionType(relation.shape, prediction))};
      if (name === '_model') return {key, kind: 'constant', json: JSON.stringify(prediction.model)};
      if (name === '_version') return {key, kind: 'version'};
      return {key, kind: 'output', index: prediction.outputs.findIndex(output => output.name === name)};
    });
    const plan = {dataset: relation.shape.name, prediction, pin: pinOf(prediction, settings), selected: parts};
    if (this.depth > 0) return shownOnce(inlineMark(this.nonce, this.inline.push(plan) - 1, features.map(feature => `${feature}::VARCHAR`)), null);
    const mark = `${this.nonce}:${this.predictions.length}`;
    this.predictions.push({...plan, firstColumn: 1 + this.features.length, placeholder: `"${mark}"`});
    this.features.push(...features);
    return shown(literal(mark), null);
  }

  private predictedColumns(selected: Collected, relation: RelationUse, prediction: GraphPrediction, settings: PredictionSettings): Shown {
    const parts = [...selected].map(([key, [node]]): [string, Shown] => {
      const name = node!.name.value;
      if (name === '__typename') return [key, typeNamed(this.predictionType(relation.shape, prediction))];
      if (name === '_model') return [key, typeNamed(prediction.model)];
      if (name === '_version') {
        const version = relation.compute(this.bindings.bind((_, facts) => facts.version(relation.shape.name, prediction, settings), 'INTEGER'), false);
        return [key, shown(version, {sql: version})];
      }
      const {expression, type} = relation.output(prediction, settings, name);
      return [key, this.column(expression, type, [], name)];
    });
    const {expression} = relation.output(prediction, settings, prediction.outputs[0]!.name);
    return shownIf(`${expression} IS NOT NULL`, shownObject(parts));
  }

  private feature(input: Field, prediction: GraphPrediction, relation: RelationUse, given: Given | undefined): string {
    // As a column, since types of JSON with parameters in it cannot be told before they are bound.
    if (given) return relation.compute(replacement(given, input, this.bindings), false);
    const expression = deployedExpression(prediction, input);
    return expression === null ? `${relation.column(input.name)}::${sqlType(input.type)}` : relation.compute(expression);
  }

  private predictionType(shape: DatasetShape, prediction: GraphPrediction): string {
    const field = this.input.graph.types.get(shape.name)!.row.getFields()[prediction.field]!;
    return String(field.type);
  }
}

const typeNamed = (name: string): Shown => shown(literal(name), {sql: literal(name)});

function checkedCount(value: unknown, name: string): number {
  if ((value as number) < 0) throw new MillraceError('ARGUMENT_INVALID', {name, reason: 'it must not be negative.'});
  return value as number;
}

function rowNumber(id: unknown): SqlValue {
  const text = String(id);
  if (!/^\d{1,18}$/.test(text)) throw new MillraceError('ARGUMENT_INVALID', {name: rowId, reason: 'it is no row id.'});
  return text;
}
