/**
 * The oracle of the data graph: graphql-js with plain resolvers over rows in memory, filtered and ordered by plain JavaScript with
 * three-valued logic. It shares the GraphQL types with the compiled path, and nothing of its compiler.
 */
import {execute} from 'graphql';
import type {DocumentNode, ExecutionResult, GraphQLFieldResolver, GraphQLResolveInfo, GraphQLSchema} from 'graphql';
import type {GraphDataset, GraphModel} from '../../src/api/graphql/data/graph-model.ts';
import type {DataType, Field} from '../../src/schemas/schema.ts';
import {binned, keyResolvers, part, selectedKeys, truncated} from './slow-groups.ts';
import type {KeySource, KeyValue} from './slow-groups.ts';

/**
 * A value as the oracle holds it: integers of 64 bits as bigint; decimals as text with all digits of their scale; days as text; times as bigint
 * microseconds; structs and lists as objects and arrays of these.
 */
export type Value = null | boolean | number | bigint | string | readonly Value[] | {readonly [name: string]: Value};
export type Row = Readonly<Record<string, Value>>;

/** True, false, or null for unknown. */
type Truth = boolean | null;

const and = (truths: Truth[]): Truth => (truths.includes(false) ? false : truths.includes(null) ? null : true);
const or = (truths: Truth[]): Truth => (truths.includes(true) ? true : truths.includes(null) ? null : false);
const not = (truth: Truth): Truth => (truth === null ? null : !truth);

const rowIds = new WeakMap<Row, number>();

export class SlowGraph {
  private readonly datasets: ReadonlyMap<string, GraphDataset>;

  constructor(
    model: GraphModel,
    private readonly rows: Readonly<Record<string, readonly Row[]>>,
    private readonly schema: GraphQLSchema,
  ) {
    this.datasets = new Map(model.datasets.map(dataset => [dataset.name, dataset]));
    for (const list of Object.values(rows)) list.forEach((row, index) => rowIds.set(row, index));
  }

  execute(document: DocumentNode, variables?: Record<string, unknown>): ExecutionResult {
    return execute({schema: this.schema, document, variableValues: variables, fieldResolver: this.resolve}) as ExecutionResult;
  }

  private readonly resolve: GraphQLFieldResolver<any, unknown> = (source, args, _context, info) => {
    const {parentType, fieldName} = info;
    if (parentType.name === 'Query') return this.root(fieldName, args, info);
    const dataset = this.datasets.get(parentType.name);
    if (!dataset) return typeof source[fieldName] === 'function' ? source[fieldName](args) : source[fieldName];
    return this.member(dataset, source as Row, fieldName, args);
  };

  private root(name: string, args: Record<string, any>, info: GraphQLResolveInfo): unknown {
    const grouped = this.datasets.get(name.replace(/_groups$/, ''));
    if (grouped && name.endsWith('_groups')) return this.groups(grouped, args, info);
    const exact = this.datasets.get(name);
    if (exact) return this.choose(exact, this.rows[name]!, args);
    const byKey = this.datasets.get(name.replace(/_by_pk$/, ''));
    if (byKey && name.endsWith('_by_pk')) {
      return this.rows[byKey.name]!.find(row => (byKey.contract.key ? byKey.contract.key.every(key => compare(row[key]!, this.read(args[key], typeOf(byKey, key))) === 0) : String(rowIds.get(row)) === args._row_id)) ?? null;
    }
    const dataset = this.datasets.get(name.replace(/_aggregate$/, ''))!;
    return this.aggregated(dataset, this.rows[dataset.name]!, args);
  }

  private aggregated(dataset: GraphDataset, all: readonly Row[], args: Record<string, any>): unknown {
    const rows = this.choose(dataset, all, args);
    return {nodes: rows, aggregate: this.aggregate(dataset, rows)};
  }

  private groups(dataset: GraphDataset, {where, having, order_by, limit, offset}: Record<string, any>, info: GraphQLResolveInfo): unknown {
    const keys = selectedKeys(info);
    const found = new Map<string, {keys: readonly KeyValue[]; source: KeySource | null; rows: Row[]}>();
    if (keys.length === 0) found.set('', {keys: [], source: null, rows: []});
    for (const row of this.choose(dataset, this.rows[dataset.name]!, {where})) {
      const source = this.keySource(dataset, row);
      const values = keys.map(key => key.of(source));
      const name = keys.length === 0 ? '' : JSON.stringify(values.map(({shown}) => shown));
      const group = found.get(name) ?? {keys: values, source, rows: []};
      found.set(name, group);
      group.rows.push(row);
    }
    const made = [...found.values()].map(group => ({...group, aggregate: this.aggregate(dataset, group.rows)}));
    const chosen = made.filter(({aggregate}) => !having || this.groupFulfils(dataset, aggregate, having) === true);
    const order: ((a: (typeof made)[number], b: (typeof made)[number]) => number)[] = [];
    const add = (of: (group: (typeof made)[number]) => Value, direction: string) => order.push((a, b) => comparing(of(a), of(b), direction));
    const byKey = (given: any, path: readonly string[]): void => {
      for (const [name, inner] of Object.entries(given)) {
        const here = [...path, name];
        if (typeof inner === 'object') byKey(inner, here);
        else keys.forEach((key, index) => key.path.join('.') === here.join('.') && add(({keys: values}) => values[index]!.compared, inner as string));
      }
    };
    for (const given of order_by ?? []) {
      if (given.key) byKey(given.key, []);
      for (const [name, inner] of Object.entries<any>(given)) {
        if (name === 'count') add(({rows}) => rows.length, inner);
        else if (name !== 'key') for (const [column, direction] of Object.entries<string>(inner)) add(({aggregate}) => this.raw(dataset, aggregate, name, column), direction);
      }
    }
    keys.forEach((_, index) => add(({keys: values}) => values[index]!.compared, 'asc'));
    chosen.sort((a, b) => order.reduce((result, by) => result || by(a, b), 0));
    return chosen.slice(offset ?? 0, limit == null ? undefined : (offset ?? 0) + limit).map(({source, aggregate, rows}) => ({key: keyResolvers(source ?? this.keySource(dataset, null)), aggregate, nodes: (args: Record<string, any>) => this.choose(dataset, rows, args)}));
  }

  /** An aggregate as it is compared. */
  private raw(dataset: GraphDataset, aggregate: any, name: string, column: string): Value {
    const shown = aggregate[name][column]();
    const {type} = dataset.schema.fields.find(field => field.name === column)!;
    if (shown === null || name === 'avg') return shown as Value;
    if (name === 'sum') return type.kind === 'int' ? BigInt(shown as string) : (shown as Value);
    return this.read(shown, type);
  }

  private groupFulfils(dataset: GraphDataset, aggregate: any, having: Record<string, any>): Truth {
    return and(
      Object.entries(having).map(([name, given]): Truth => {
        if (name === '_and') return and(given.map((inner: any) => this.groupFulfils(dataset, aggregate, inner)));
        if (name === '_or') return or(given.map((inner: any) => this.groupFulfils(dataset, aggregate, inner)));
        if (name === '_not') return not(this.groupFulfils(dataset, aggregate, given));
        if (name === 'count') return this.compared(aggregate.count({}), given, {kind: 'int', bits: 32, signed: true});
        return and(Object.entries<any>(given).map(([column, inner]) => {
          const {type} = dataset.schema.fields.find(field => field.name === column)!;
          const result: DataType = name === 'avg' ? {kind: 'float', bits: 64} : name === 'sum' && type.kind === 'int' ? int64 : type;
          return this.compared(this.raw(dataset, aggregate, name, column), inner, result);
        }));
      }),
    );
  }

  private keySource(dataset: GraphDataset, row: Row | null): KeySource {
    const own = this.keysOf(dataset.schema.fields, row);
    for (const key of dataset.contract.foreignKeys ?? []) {
      const other = row && this.related(dataset, row, key.as!).rows[0];
      own[key.as!] = this.keySource(this.datasets.get(key.references)!, other ?? null);
    }
    return own;
  }

  private keysOf(fields: readonly Field[], row: Row | null): Record<string, ((args: Record<string, any>) => KeyValue) | KeySource> {
    const made: Record<string, ((args: Record<string, any>) => KeyValue) | KeySource> = {};
    for (const {name, type} of fields) {
      const value = row ? row[name]! : null;
      if (type.kind === 'struct') made[name] = this.keysOf(type.fields, value as Row | null);
      else {
        made[name] = ({trunc, bin}) => {
          const compared = value === null ? null : trunc ? truncated(value, type, trunc) : bin != null ? binned(value, type, bin) : type.kind === 'float' ? (value as number) + 0 : value;
          return {shown: show(compared, type), compared};
        };
        made[`${name}_part`] = ({part: wanted}) => {
          const compared = value === null ? null : part(value, type, wanted);
          return {shown: compared, compared};
        };
      }
    }
    return made;
  }

  private member(dataset: GraphDataset, row: Row, name: string, args: Record<string, any>): unknown {
    if (name === '_row_id') return String(rowIds.get(row));
    const field = dataset.schema.fields.find(candidate => candidate.name === name);
    if (field) return show(row[name]!, field.type);
    const listed = name.replace(/_aggregate$/, '');
    if (listed !== name) {
      const {dataset: of, rows} = this.related(dataset, row, listed);
      return this.aggregated(of, rows, args);
    }
    const related = this.related(dataset, row, name);
    return Array.isArray(related.rows) && related.many ? this.choose(related.dataset, related.rows, args) : (related.rows[0] ?? null);
  }

  private related(dataset: GraphDataset, row: Row, name: string): {dataset: GraphDataset; many: boolean; rows: readonly Row[]} {
    const own = dataset.contract.foreignKeys?.find(key => key.as === name);
    if (own) {
      const to = this.datasets.get(own.references)!;
      return {dataset: to, many: false, rows: this.rows[to.name]!.filter(other => equal(other[to.contract.key![0]!]!, row[own.column]!))};
    }
    const from = this.datasets.get(name)!;
    const key = from.contract.foreignKeys!.find(({references}) => references === dataset.name)!;
    return {dataset: from, many: true, rows: this.rows[from.name]!.filter(other => equal(other[key.column]!, row[dataset.contract.key![0]!]!))};
  }

  private choose(dataset: GraphDataset, rows: readonly Row[], {where, order_by, limit, offset, distinct_on}: Record<string, any>): readonly Row[] {
    let chosen = where ? rows.filter(row => this.fulfils(dataset, row, where) === true) : [...rows];
    const keys = (order_by ?? []).flatMap((order: object) => this.keys(dataset, order));
    if (keys.length > 0) chosen = [...chosen].sort((a, b) => keys.reduce((found: number, key: Key) => found || key(a, b), 0) || rowIds.get(a)! - rowIds.get(b)!);
    if (distinct_on) {
      const seen = new Set<string>();
      chosen = chosen.filter(row => {
        const values = [distinct_on].flat().map((name: string) => (row[name] === null ? 'null' : `=${String((row[name] as number) === 0 ? 0 : row[name])}`)).join('\0');
        return !seen.has(values) && seen.add(values);
      });
    }
    return chosen.slice(offset ?? 0, limit == null ? undefined : (offset ?? 0) + limit);
  }

  private fulfils(dataset: GraphDataset, row: Row, where: Record<string, any>): Truth {
    return and(
      Object.entries(where).map(([name, given]): Truth => {
        if (name === '_and') return and(given.map((part: any) => this.fulfils(dataset, row, part)));
        if (name === '_or') return or(given.map((part: any) => this.fulfils(dataset, row, part)));
        if (name === '_not') return not(this.fulfils(dataset, row, given));
        if (name === '_row_id') return this.compared(BigInt(rowIds.get(row)!), given, int64);
        const field = dataset.schema.fields.find(candidate => candidate.name === name);
        if (field) return this.typed(row[name]!, given, field.type);
        if (name.endsWith('_aggregate')) {
          const {dataset: of, rows} = this.related(dataset, row, name.replace(/_aggregate$/, ''));
          const {count, ...others} = given;
          const counted = count && this.compared((this.aggregate(of, this.choose(of, rows, {where: count.filter})) as any).count({columns: count.arguments, distinct: count.distinct}), count.predicate, {kind: 'int', bits: 32, signed: true});
          return and([...(count ? [counted] : []), this.groupFulfils(of, this.aggregate(of, rows), others)]);
        }
        const related = this.related(dataset, row, name);
        return related.rows.some(other => this.fulfils(related.dataset, other, given) === true);
      }),
    );
  }

  private typed(value: Value, given: Record<string, any>, type: DataType): Truth {
    if (type.kind !== 'struct') return type.kind === 'list' ? this.listed(value as readonly Value[] | null, given, type.element.type) : this.compared(value, given, type);
    return and(
      Object.entries(given).map(([name, inner]): Truth => {
        if (name === '_and') return and(inner.map((part: any) => this.typed(value, part, type)));
        if (name === '_or') return or(inner.map((part: any) => this.typed(value, part, type)));
        if (name === '_not') return not(this.typed(value, inner, type));
        if (name === '_is_null') return (value === null) === inner;
        const field = type.fields.find(candidate => candidate.name === name)!;
        return this.typed(value === null ? null : (value as Row)[name]!, inner, field.type);
      }),
    );
  }

  private compared(value: Value, given: Record<string, any>, type: DataType): Truth {
    return and(
      Object.entries(given).map(([operator, argument]): Truth => {
        if (operator === '_is_null') return (value === null) === argument;
        if (operator === '_in' || operator === '_nin') {
          const list = argument as unknown[];
          const found = list.length === 0 ? false : value === null ? null : list.some(item => compare(value, this.read(item, type)) === 0);
          return operator === '_in' ? found : not(found);
        }
        if (value === null) return null;
        const text = textOperators[operator];
        if (text) return text(value as string, argument as string);
        const order = compare(value, this.read(argument, type));
        return {_eq: order === 0, _neq: order !== 0, _gt: order > 0, _gte: order >= 0, _lt: order < 0, _lte: order <= 0}[operator]!;
      }),
    );
  }

  private listed(value: readonly Value[] | null, given: Record<string, any>, element: DataType): Truth {
    return and(
      Object.entries(given).map(([operator, argument]): Truth => {
        if (operator === '_is_null') return (value === null) === argument;
        if (value === null) return null;
        const list = (argument as unknown[]).map(item => this.read(item, element));
        const has = (items: readonly Value[], item: Value) => items.some(other => other !== null && compare(other, item) === 0);
        switch (operator) {
          case '_contains':
            return list.every(item => has(value, item));
          case '_contained_in':
            return value.every(item => item === null || has(list, item));
          default: {
            const same = value.length === list.length && value.every((item, index) => item !== null && compare(item, list[index]!) === 0);
            return operator === '_eq' ? same : !same;
          }
        }
      }),
    );
  }

  private keys(dataset: GraphDataset, order: object): Key[] {
    return Object.entries(order).flatMap(([name, direction]): Key[] => {
      if (name === '_row_id') return [by(row => rowIds.get(row) ?? null, direction)];
      const field = dataset.schema.fields.find(candidate => candidate.name === name);
      if (field) return structKeys(field, direction, row => row[name]!);
      if (name.endsWith('_aggregate')) {
        const of = (row: Row, what: string, column?: string): Value => {
          const related = this.related(dataset, row, name.replace(/_aggregate$/, ''));
          const aggregate = this.aggregate(related.dataset, related.rows);
          return column === undefined ? related.rows.length : this.raw(related.dataset, aggregate, what, column);
        };
        return Object.entries<any>(direction).flatMap(([what, inner]) => (what === 'count' ? [by(row => of(row, what), inner)] : Object.entries<string>(inner).map(([column, way]) => by(row => of(row, what, column), way))));
      }
      const own = dataset.contract.foreignKeys!.find(key => key.as === name)!;
      const to = this.datasets.get(own.references)!;
      return this.keys(to, direction).map((key): Key => {
        const empty: Row = Object.fromEntries(to.schema.fields.map(candidate => [candidate.name, null]));
        const of = (row: Row) => this.related(dataset, row, name).rows[0] ?? empty;
        return (a, b) => key(of(a), of(b));
      });
    });
  }

  private aggregate(dataset: GraphDataset, rows: readonly Row[]): unknown {
    const each = (calculate: (values: Value[], field: Field) => unknown) => Object.fromEntries(dataset.schema.fields.map(field => [field.name, () => calculate(rows.map(row => row[field.name]!).filter(value => value !== null), field)]));
    const least = (sign: number) => (values: Value[], field: Field) => (values.length === 0 ? null : show(values.reduce((a, b) => (sign * compare(a, b) <= 0 ? a : b)), field.type));
    return {
      count: ({columns, distinct}: {columns?: string[]; distinct?: boolean}) => {
        if (!columns?.length) return rows.length;
        const tuples = rows.filter(row => columns.length > 1 || row[columns[0]!] !== null).map(row => columns.map(column => (row[column] === null ? 'null' : `=${String(row[column])}`)).join('\0'));
        return distinct ? new Set(tuples).size : tuples.length;
      },
      sum: each((values, field) => this.sum(values, field, dataset)),
      avg: each((values, field) => {
        if (values.length === 0) return null;
        const sum = this.sum(values, field, dataset);
        return (field.type.kind === 'int' ? asDouble(BigInt(sum as string)) : Number(sum)) / values.length;
      }),
      min: each(least(1)),
      max: each(least(-1)),
      bool_and: each(values => (values.length === 0 ? null : values.every(value => value === true))),
      bool_or: each(values => (values.length === 0 ? null : values.includes(true))),
      quantile_disc: ({q}: {q: number}) => each((values, field) => (values.length === 0 ? null : show(values.toSorted(compare)[Math.max(Math.ceil(q * values.length) - 1, 0)]!, field.type))),
    };
  }

  /** Floats on the same grid as the engine's: a power of two from the greatest value of the whole column. */
  private sum(values: Value[], field: Field, dataset: GraphDataset): unknown {
    if (values.length === 0) return null;
    if (field.type.kind === 'decimal') return decimalText(values.reduce<bigint>((sum, value) => sum + scaled(value as string), 0n), field.type.scale);
    if (field.type.kind === 'int') return String(values.reduce<bigint>((sum, value) => sum + BigInt(value as number), 0n));
    const greatest = Math.max(1e-280, ...this.rows[dataset.name]!.map(row => Math.abs((row[field.name] as number | null) ?? 0)));
    const scale = 2 ** (60 - 8 * Math.ceil(Math.log2(greatest) / 8));
    return asDouble(values.reduce<bigint>((sum, value) => sum + BigInt(halfToEven((value as number) * scale)), 0n)) / scale;
  }

  private read(argument: unknown, type: DataType): Value {
    const text = String(argument);
    switch (type.kind) {
      case 'int':
        return type.bits === 64 ? BigInt(text) : Number(argument);
      case 'decimal':
        return text;
      case 'timestamp':
        return microseconds(text);
      default:
        return argument as Value;
    }
  }
}

const int64: DataType = {kind: 'int', bits: 64, signed: true};
type Key = (a: Row, b: Row) => number;

const typeOf = (dataset: GraphDataset, name: string): DataType => dataset.schema.fields.find(field => field.name === name)!.type;
const equal = (a: Value, b: Value): boolean => a !== null && b !== null && compare(a, b) === 0;

/** As the engine rounds 128 bits: each half by itself. */
function asDouble(value: bigint): number {
  const [upper, lower] = [value >> 64n, BigInt.asUintN(64, value)];
  return upper === -1n ? -Number(2n ** 64n - 1n - lower) - 1 : Number(lower) + Number(upper) * 2 ** 64;
}

function halfToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
}

function structKeys(field: Field, direction: any, of: (row: Row) => Value): Key[] {
  if (field.type.kind !== 'struct') return [by(of, direction)];
  const {fields} = field.type;
  return Object.entries(direction).flatMap(([name, inner]) =>
    structKeys(fields.find(candidate => candidate.name === name)!, inner, row => {
      const value = of(row) as Row | null;
      return value === null ? null : value[name]!;
    }),
  );
}

const by = (of: (row: Row) => Value, direction: string): Key => (a, b) => comparing(of(a), of(b), direction);

function comparing(x: Value, y: Value, direction: string): number {
  const sign = direction.startsWith('asc') ? 1 : -1;
  const nullsFirst = direction.endsWith('nulls_first') || direction === 'desc';
  if (x === null || y === null) return x === y ? 0 : (x === null) === nullsFirst ? -1 : 1;
  return sign * compare(x, y);
}

const isDecimal = (text: string): boolean => /^[+-]?\d+(\.\d*)?$/.test(text);
/** With 30 digits after the point. */
const scaled = (text: string): bigint => {
  const [, sign, whole, fraction = ''] = /^([+-]?)(\d+)\.?(\d*)$/.exec(text)!;
  return BigInt(`${sign}${whole}${fraction.padEnd(30, '0')}`);
};
const decimalText = (value: bigint, scale: number): string => {
  const digits = (value < 0n ? -value : value).toString().padStart(31, '0');
  const text = `${digits.slice(0, -30)}${scale === 0 ? '' : `.${digits.slice(-30).slice(0, scale)}`}`;
  return value < 0n ? `-${text}` : text;
};

/** Decimals are told from other text by their form: the strings of a test hold no numbers alone. */
function compare(a: Value, b: Value): number {
  if (typeof a === 'string' && typeof b === 'string') {
    if (isDecimal(a) && isDecimal(b)) return scaled(a) < scaled(b) ? -1 : scaled(a) > scaled(b) ? 1 : 0;
    return Buffer.compare(Buffer.from(a), Buffer.from(b));
  }
  return a! < b! ? -1 : a! > b! ? 1 : 0;
}

export function microseconds(text: string): bigint {
  const [, day, clock = '00:00:00', fraction = ''] = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}:\d{2})(?:\.(\d+))?)?/.exec(text)!;
  return BigInt(Date.parse(`${day}T${clock}Z`)) * 1000n + BigInt(fraction.padEnd(6, '0'));
}

const timestampText = (value: bigint): string => {
  const second = value >= 0n ? value / 1_000_000n : -((-value + 999_999n) / 1_000_000n);
  const fraction = value - second * 1_000_000n;
  const text = new Date(Number(second) * 1000).toISOString().slice(0, 19);
  return fraction === 0n ? text : `${text}.${String(fraction).padStart(6, '0').replace(/0+$/, '')}`;
};

/** A value as a plain resolver would answer it. */
function show(value: Value, type: DataType): unknown {
  if (value === null) return null;
  switch (type.kind) {
    case 'int':
      return typeof value === 'bigint' ? String(value) : value;
    case 'timestamp':
      return timestampText(value as bigint) + (type.zoned ? 'Z' : '');
    case 'list':
      return (value as readonly Value[]).map(item => show(item, type.element.type));
    case 'struct':
      return Object.fromEntries(type.fields.map(field => [field.name, show((value as Row)[field.name]!, field.type)]));
    default:
      return value;
  }
}

function likeToRegex(pattern: string, flags: string): RegExp {
  const text = pattern.replace(/\\(.)|[%_]|[.*+?^${}()|[\]\\]/gs, (whole, escaped: string | undefined) => (escaped !== undefined ? escaped.replace(/[.*+?^${}()|[\]\\]/g, '\\$&') : whole === '%' ? '.*' : whole === '_' ? '.' : `\\${whole}`));
  return new RegExp(`^${text}$`, `su${flags}`);
}

const textOperators: Readonly<Record<string, (value: string, pattern: string) => boolean>> = {
  _like: (value, pattern) => likeToRegex(pattern, '').test(value),
  _nlike: (value, pattern) => !likeToRegex(pattern, '').test(value),
  _ilike: (value, pattern) => likeToRegex(pattern, 'i').test(value),
  _nilike: (value, pattern) => !likeToRegex(pattern, 'i').test(value),
  _similar: (value, pattern) => likeToRegex(pattern, '').test(value),
  _nsimilar: (value, pattern) => !likeToRegex(pattern, '').test(value),
  _regex: (value, pattern) => new RegExp(pattern, 'su').test(value),
  _nregex: (value, pattern) => !new RegExp(pattern, 'su').test(value),
  _iregex: (value, pattern) => new RegExp(pattern, 'sui').test(value),
  _niregex: (value, pattern) => !new RegExp(pattern, 'sui').test(value),
};

