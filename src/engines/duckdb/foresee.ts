import {isLess} from '../../schemas/bounds.ts';
import type {ColumnFacts, Foresight, Query, RelationFacts} from '../engine.ts';
import type {Node} from './analyze.ts';
import {factsOf, hull, isDisjoint, narrowed, rangeSays, unknown} from './facts.ts';
import type {Known, Names} from './facts.ts';

/** A column in sight, under the name of the relation it belongs to there. */
interface Column {
  readonly relation: string | null;
  readonly name: string;
  readonly known: Known;
  /** The right side's column of a USING: a star shows the left one. */
  readonly merged?: boolean;
}

/** Rows as they pass through a statement. Sets of columns name them by their place. */
interface Rows {
  readonly columns: readonly Column[];
  /** False: there are columns that are not known. */
  readonly closed: boolean;
  readonly least: number;
  readonly most: number;
  readonly keys: readonly ReadonlySet<number>[];
  readonly repeats: readonly {readonly columns: ReadonlySet<number>; readonly why: string}[];
}

const opaque: Rows = {columns: [], closed: false, least: 0, most: Infinity, keys: [], repeats: []};
const oneRow: Rows = {columns: [], closed: true, least: 1, most: 1, keys: [], repeats: []};

type Ctes = ReadonlyMap<string, Rows>;
type Finding = Foresight['findings'][number];

/** Matches for each row from which a join is said to multiply rows: estimates of distinct values are off by less. */
const multiplies = 2;

const lower = (name: unknown): string => String(name).toLowerCase();

/** Follows a statement's tree with what is known of its relations. @param aggregates names of aggregate functions */
export function foreseen(root: Node, query: Query, facts: Readonly<Record<string, RelationFacts>>, aggregates: ReadonlySet<string>): Foresight {
  const walk = new Walk(query, facts, aggregates);
  const rows = walk.select(root, new Map());
  return {result: rows.closed ? resultOf(rows) : null, findings: walk.findings};
}

function resultOf({columns, least, most, keys, repeats}: Rows): RelationFacts {
  const names = (places: ReadonlySet<number>): string[] => [...places].map(place => columns[place]!.name);
  return {
    columns: columns.map(({name, known: {type, min, max, attained, nulls, distinct, why, wanted}}): ColumnFacts => ({
      name, type, min, max, attained, nulls, distinct, ...(why === undefined || wanted ? {} : {why}),
    })),
    least, most, keys: keys.map(names), repeats: repeats.map(({columns: places, why}) => ({columns: names(places), why})),
  };
}

class Walk {
  readonly findings: Finding[] = [];

  constructor(
    private readonly query: Query,
    private readonly facts: Readonly<Record<string, RelationFacts>>,
    private readonly aggregates: ReadonlySet<string>,
  ) {}

  select(node: Node, outer: Ctes): Rows {
    const ctes = new Map(outer);
    for (const {key, value} of ((node.cte_map as {map: {key: string; value: Node}[]} | undefined)?.map ?? [])) {
      const rows = this.select((value.query as Node).node as Node, ctes);
      ctes.set(lower(key), renamed(rows, key, value.aliases as readonly string[]));
    }
    const rows = node.type === 'SELECT_NODE' ? this.plain(node, ctes) : node.type === 'SET_OPERATION_NODE' ? this.setOperation(node, ctes) : opaque;
    return (node.modifiers as readonly Node[]).reduce((all, modifier) => modified(all, modifier), rows);
  }

  private plain(node: Node, ctes: Ctes): Rows {
    let rows = this.from(node.from_table as Node, ctes);
    for (const condition of conjuncts(node.where_clause as Node | null)) rows = this.filtered(rows, condition);
    const list = node.select_list as readonly Node[];
    const groups = node.group_expressions as readonly Node[];
    const forced = node.aggregate_handling === 'FORCE_AGGREGATES';
    const aggregated = forced || groups.length > 0 || list.some(item => this.isAggregated(item));
    const shown = this.projected(rows, list);
    const result = aggregated ? this.grouped(rows, shown, list, groups, forced, (node.group_sets as unknown[]).length > 1) : shown;
    const fewer = node.having || node.qualify || node.sample;
    return fewer ? {...loosened(result), least: 0} : result;
  }

  private setOperation(node: Node, ctes: Ctes): Rows {
    const [left, right] = [this.select(node.left as Node, ctes), this.select(node.right as Node, ctes)];
    if (node.setop_type !== 'UNION') return node.setop_type === 'UNION_BY_NAME' ? opaque : {...loosened(left), least: 0};
    if (!left.closed || !right.closed || left.columns.length !== right.columns.length) return opaque;
    const all = node.setop_all === true;
    return {
      columns: left.columns.map((column, index) => ({...column, known: hull([column.known, right.columns[index]!.known])})), closed: true,
      least: all ? left.least + right.least : Math.min(1, left.least + right.least), most: left.most + right.most,
      keys: all ? [] : [new Set(left.columns.keys())], repeats: [],
    };
  }

  private from(node: Node, ctes: Ctes): Rows {
    const sampled = (rows: Rows): Rows => (node.sample ? {...loosened(rows), least: 0} : rows);
    switch (node.type) {
      case 'EMPTY':
        return oneRow;
      case 'BASE_TABLE': {
        const name = String(node.table_name);
        return sampled(renamed(ctes.get(lower(name)) ?? this.relation(name), String(node.alias || name), node.column_name_alias as readonly string[]));
      }
      case 'SUBQUERY':
        return sampled(renamed(this.select((node.subquery as Node).node as Node, ctes), String(node.alias || ''), node.column_name_alias as readonly string[]));
      case 'JOIN':
        return this.joined(node, this.from(node.left as Node, ctes), this.from(node.right as Node, ctes));
      default:
        return opaque;
    }
  }

  private relation(name: string): Rows {
    const found = Object.entries(this.facts).find(([known]) => lower(known) === lower(name));
    if (!found) return opaque;
    const [own, {columns, least, most, keys, repeats}] = found;
    const places = (names: readonly string[]): Set<number> => new Set(names.map(column => columns.findIndex(({name: other}) => other === column)));
    return {
      columns: columns.map(({name: column, ...known}) => ({relation: own, name: column, known: {...known, why: undefined, origin: `${own}.${column}`}})), closed: true, least, most,
      keys: keys.map(places).filter(key => !key.has(-1)), repeats: repeats.map(({columns: names, why}) => ({columns: places(names), why})),
    };
  }

  private joined(node: Node, left: Rows, right: Rows): Rows {
    const kind = String(node.join_type);
    const merged = node.ref_type === 'NATURAL' ? left.columns.filter(({name}) => right.columns.some(other => lower(other.name) === lower(name))).map(({name}) => name) : (node.using_columns as readonly string[]);
    const both = beside(left, right, new Set(merged.map(lower)));
    const coalesced = (rows: Rows): Rows => (['INNER', 'LEFT', 'SEMI', 'ANTI'].includes(kind) ? rows : merge(rows, left, right, merged));
    if (!['REGULAR', 'NATURAL', 'CROSS'].includes(String(node.ref_type)) || !['INNER', 'LEFT', 'RIGHT', 'FULL', 'SEMI', 'ANTI'].includes(kind)) return {...coalesced(nullable(both)), least: 0, most: Infinity, keys: [], repeats: []};

    const equal: [Known, Known, number | null, number | null][] = [];
    for (const name of merged) {
      const [l, r] = [placeOf(left, [name]), placeOf(right, [name])];
      equal.push([l === null ? unknown : left.columns[l]!.known, r === null ? unknown : right.columns[r]!.known, l, r]);
    }
    const conditions = conjuncts(node.condition as Node | null);
    for (const condition of conditions) {
      if (condition.type !== 'COMPARE_EQUAL') continue;
      const [p, q] = [condition.left as Node, condition.right as Node];
      const [straight, crossed] = [[plainPlace(left, p), plainPlace(right, q)] as const, [plainPlace(left, q), plainPlace(right, p)] as const];
      const isCrossed = crossed.filter(place => place !== null).length > straight.filter(place => place !== null).length;
      const [a, b] = (isCrossed ? [q, p] : [p, q]).map(side => this.factsIn(both, side)) as [Known, Known];
      equal.push([a, b, ...(isCrossed ? crossed : straight)]);
    }

    const apart = equal.find(([a, b]) => isDisjoint(...aligned(a, b)));
    const known = left.most > 0 && right.most > 0;
    if (apart && known) {
      const [a, b] = aligned(apart[0], apart[1]);
      const detail = `no row of the ${kind.toLowerCase()} join can match: ${rangeSays(a)}, ${rangeSays(b)}`;
      this.findings.push({kind: 'join_without_match', certainty: 'proven', detail});
    }
    if (apart) return coalesced(unmatched(kind, left, right, both));

    const keyed = (rows: Rows, places: readonly (number | null)[]): boolean => rows.keys.some(key => [...key].every(place => places.includes(place)));
    const [leftKeyed, rightKeyed] = [keyed(left, equal.map(pair => pair[2])), keyed(right, equal.map(pair => pair[3]))];
    const perLeft = rightKeyed ? null : matchesOf(right, equal.map(pair => pair[3]), conditions.length + merged.length);
    const perRight = leftKeyed ? null : matchesOf(left, equal.map(pair => pair[2]), conditions.length + merged.length);
    if (perLeft !== null && perRight !== null && kind !== 'SEMI' && kind !== 'ANTI') {
      this.findings.push({
        kind: 'join_multiplies', certainty: 'likely',
        detail: `rows of both sides of the ${kind.toLowerCase()} join repeat what they are joined by: each row on the left meets about ${perLeft.count} on the right (${perLeft.why}), each on the right about ${perRight.count} on the left (${perRight.why})`,
      });
    }
    return coalesced(matched(kind, left, right, both, {leftKeyed, rightKeyed, perLeft, perRight, free: equal.length === 0 && conditions.length === 0}));
  }

  private filtered(rows: Rows, condition: Node): Rows {
    const kept = {...loosened(rows), least: 0};
    const none = (why: string): Rows => {
      if (rows.most > 0) this.findings.push({kind: 'filter_without_match', certainty: 'proven', detail: `no row can pass the filter: ${why}`});
      return {...kept, most: 0};
    };
    const present = (place: number | null, change: (known: Known) => Known): Rows =>
      place === null ? kept : {...kept, columns: kept.columns.map((column, index) => (index === place ? {...column, known: change(column.known)} : column))};
    if (condition.type === 'OPERATOR_IS_NOT_NULL') {
      const [operand] = condition.children as readonly Node[];
      const known = this.factsIn(rows, operand!);
      return known.nulls === 'all' ? none(rangeSays(known)) : present(plainPlace(rows, operand!), one => ({...one, nulls: 'none'}));
    }
    if (condition.type === 'COMPARE_BETWEEN') {
      const {input, lower: low, upper: high} = condition as Record<string, Node>;
      return [['COMPARE_GREATERTHANOREQUALTO', low], ['COMPARE_LESSTHANOREQUALTO', high]]
        .reduce((all, [type, bound]) => this.filtered(all, {class: 'COMPARISON', type, left: input, right: bound}), rows);
    }
    if (condition.class !== 'COMPARISON') return kept;
    const [l, r] = [condition.left as Node, condition.right as Node];
    const [a, b] = aligned(this.factsIn(rows, l), this.factsIn(rows, r));
    const orEqual = condition.type === 'COMPARE_LESSTHAN' || condition.type === 'COMPARE_GREATERTHAN';
    const isNot = a.nulls === 'all' || b.nulls === 'all';
    const said = `${rangeSays(a)}, ${b.origin === null && b.min !== null ? `it is compared with ${b.min === b.max ? b.min : `${b.min} to ${b.max}`}` : rangeSays(b)}`;
    const valued = (known: Known): Known => ({...known, nulls: known.nulls === 'all' ? 'all' : 'none'});
    const [place, other] = [plainPlace(rows, l), plainPlace(rows, r)];
    switch (condition.type) {
      case 'COMPARE_EQUAL':
        if (isNot || isDisjoint(a, b)) return none(said);
        return present(place, known => valued(narrowed(narrowed(known, 'min', b), 'max', b)));
      case 'COMPARE_LESSTHAN':
      case 'COMPARE_LESSTHANOREQUALTO':
        if (isNot || isLess(b, a, orEqual)) return none(said);
        return withBoth(present(place, known => valued(narrowed(known, 'max', b))), other, known => valued(narrowed(known, 'min', a)));
      case 'COMPARE_GREATERTHAN':
      case 'COMPARE_GREATERTHANOREQUALTO':
        if (isNot || isLess(a, b, orEqual)) return none(said);
        return withBoth(present(place, known => valued(narrowed(known, 'min', b))), other, known => valued(narrowed(known, 'max', a)));
      default:
        return kept;
    }
  }

  private projected(rows: Rows, list: readonly Node[]): Rows {
    const columns: Column[] = [];
    /** Where a column of the rows stands in the result. */
    const moved = new Map<number, number>();
    let {closed, least, most} = rows;
    for (const item of list) {
      if (item.class === 'STAR') {
        const places = starPlaces(rows, item);
        if (places === null) closed = false;
        for (const place of places ?? []) {
          moved.set(place, columns.length);
          columns.push({...rows.columns[place]!, merged: false});
        }
        continue;
      }
      if (contains(item, isUnnest)) {
        [least, most] = [0, Infinity];
        // Of a struct it makes a column of each member.
        if (!this.unnestsList(rows, item)) closed = false;
      }
      if (contains(item, node => node.class === 'STAR')) closed = false;
      const place = plainPlace(rows, item);
      if (place !== null && !moved.has(place)) moved.set(place, columns.length);
      columns.push({relation: null, name: String(item.alias || nameOf(item)), known: this.factsIn(rows, item)});
    }
    const follow = (places: ReadonlySet<number>): Set<number> | null => ([...places].every(place => moved.has(place)) ? new Set([...places].map(place => moved.get(place)!)) : null);
    return {
      columns, closed: closed && columns.length > 0, least, most,
      keys: most === Infinity && rows.most !== Infinity ? [] : rows.keys.map(follow).filter(key => key !== null),
      repeats: rows.repeats.flatMap(({columns: places, why}) => {
        const shown = [...places].flatMap(place => moved.get(place) ?? []);
        return shown.length > 0 ? [{columns: new Set(shown), why}] : [];
      }),
    };
  }

  private unnestsList(rows: Rows, item: Node): boolean {
    const [list, ...more] = isUnnest(item) ? (item.children as readonly Node[]) : [];
    return list !== undefined && more.length === 0 && (list.type === 'ARRAY_CONSTRUCTOR' || this.factsIn(rows, list).type?.kind === 'list');
  }

  private grouped(rows: Rows, shown: Rows, list: readonly Node[], groups: readonly Node[], forced: boolean, sets: boolean): Rows {
    const aggregated = list.map(item => this.isAggregated(item));
    if (!forced && groups.length === 0) return {...shown, columns: shown.columns.map((column, index) => ({...column, known: aggregated[index] ? column.known : unknown})), least: 1, most: 1, keys: [], repeats: []};
    if (!shown.closed || shown.columns.length !== list.length) return {...opaque, least: Math.min(1, rows.least), most: rows.most};
    const text = (node: Node): string => JSON.stringify(node, (key, value: unknown) => (key === 'query_location' || key === 'alias' ? undefined : value));
    const places = forced ? list.flatMap((_, index) => (aggregated[index] ? [] : [index])) : groups.map(group => {
      const position = group.class === 'CONSTANT' ? Number((group.value as Node).value) - 1 : -1;
      if (position >= 0) return position;
      const same = list.findIndex(item => text(item) === text(group));
      return same >= 0 ? same : list.findIndex(item => group.class === 'COLUMN_REF' && (group.column_names as readonly string[]).length === 1 && lower(item.alias) === lower((group.column_names as readonly string[])[0]));
    });
    const columns = sets ? shown.columns.map(column => ({...column, known: {...column.known, nulls: column.known.nulls === 'none' ? ('unknown' as const) : column.known.nulls}})) : shown.columns;
    return {columns, closed: true, least: Math.min(1, rows.least), most: sets ? Infinity : rows.most, keys: sets || places.includes(-1) ? [] : [new Set(places)], repeats: []};
  }

  private isAggregated(item: Node): boolean {
    return contains(item, node => node.class === 'FUNCTION' && this.aggregates.has(lower(node.function_name)));
  }

  private factsIn(rows: Rows, node: Node): Known {
    const names: Names = {
      params: this.query.params ?? [],
      column: path => {
        const place = placeOf(rows, path);
        return place === null ? null : rows.columns[place]!.known;
      },
    };
    return factsOf(node, names);
  }
}

/** Whether an expression has such a node, outside of subqueries and windows. */
function contains(value: unknown, is: (node: Node) => boolean): boolean {
  if (Array.isArray(value)) return value.some(item => contains(item, is));
  if (value === null || typeof value !== 'object') return false;
  const node = value as Node;
  if (node.class === 'SUBQUERY' || node.class === 'WINDOW') return false;
  return is(node) || Object.values(node).some(child => contains(child, is));
}

const isUnnest = (node: Node): boolean => node.class === 'FUNCTION' && ['unnest', 'unlist'].includes(lower(node.function_name));

/** A text constant beside a time is a time. */
function aligned(a: Known, b: Known): [Known, Known] {
  const asTime = (text: Known, other: Known): Known =>
    text.type?.kind === 'utf8' && text.origin === null && (other.type?.kind === 'date' || (other.type?.kind === 'timestamp' && !other.type.zoned)) ? {...text, type: {kind: 'timestamp', zoned: false}} : text;
  return [asTime(a, b), asTime(b, a)];
}

function conjuncts(node: Node | null): Node[] {
  if (!node) return [];
  return node.type === 'CONJUNCTION_AND' ? (node.children as readonly Node[]).flatMap(conjuncts) : [node];
}

/** The same rows, some of them perhaps gone: what occurred need not occur any more. */
function loosened(rows: Rows): Rows {
  return {...rows, columns: rows.columns.map(column => ({...column, known: {...column.known, attained: false, nulls: column.known.nulls === 'some' ? 'unknown' : column.known.nulls}}))};
}

const renamed = (rows: Rows, relation: string, names: readonly string[] = []): Rows =>
  ({...rows, columns: rows.columns.map((column, index) => ({...column, relation, name: names[index] ?? column.name, merged: false}))});

const withBoth = (rows: Rows, place: number | null, change: (known: Known) => Known): Rows =>
  place === null ? rows : {...rows, columns: rows.columns.map((column, index) => (index === place ? {...column, known: change(column.known)} : column))};

/** The column that a name means; null when it means none or several. */
function placeOf(rows: Rows, path: readonly string[]): number | null {
  const [relation, name] = path.length === 1 ? [null, path[0]!] : path.length === 2 ? [path[0]!, path[1]!] : [null, null];
  if (name === null) return null;
  const found = rows.columns.flatMap((column, index) =>
    lower(column.name) === lower(name) && (relation === null ? !column.merged : lower(column.relation) === lower(relation)) ? [index] : []);
  return found.length === 1 ? found[0]! : null;
}

const plainPlace = (rows: Rows, node: Node): number | null => (node.class === 'COLUMN_REF' ? placeOf(rows, node.column_names as readonly string[]) : null);

const nameOf = (node: Node): string => (node.class === 'COLUMN_REF' ? (node.column_names as readonly string[]).at(-1)! : '');

/** Places that a star shows; null when it is not followed. */
function starPlaces(rows: Rows, star: Node): number[] | null {
  const lists = ['replace_list', 'qualified_exclude_list', 'rename_list'];
  if (!rows.closed || star.columns || star.expr || lists.some(list => ((star[list] as unknown[] | undefined) ?? []).length > 0)) return null;
  const excluded = new Set(((star.exclude_list as string[] | undefined) ?? []).map(lower));
  const relation = String(star.relation_name ?? '');
  // Members of a struct.
  if (relation !== '' && !rows.columns.some(column => lower(column.relation) === lower(relation))) return null;
  return rows.columns.flatMap((column, index) => {
    const inSight = relation === '' ? !column.merged : lower(column.relation) === lower(relation);
    return inSight && !excluded.has(lower(column.name)) ? [index] : [];
  });
}

function modified(rows: Rows, modifier: Node): Rows {
  switch (modifier.type) {
    case 'ORDER_MODIFIER':
      return rows;
    case 'DISTINCT_MODIFIER': {
      const targets = modifier.distinct_on_targets as readonly Node[];
      if (targets.length === 0) return {...rows, least: Math.min(1, rows.least), keys: rows.closed ? [new Set(rows.columns.keys())] : [], repeats: []};
      return {...loosened(rows), least: Math.min(1, rows.least), repeats: []};
    }
    default:
      return {...loosened(rows), least: 0};
  }
}

function beside(left: Rows, right: Rows, merged: ReadonlySet<string>): Rows {
  const shift = (places: ReadonlySet<number>): Set<number> => new Set([...places].map(place => place + left.columns.length));
  return {
    columns: [...left.columns, ...right.columns.map(column => (merged.has(lower(column.name)) ? {...column, merged: true} : column))],
    closed: left.closed && right.closed, least: left.least * right.least, most: left.most === 0 || right.most === 0 ? 0 : left.most * right.most,
    keys: right.keys.map(shift), repeats: right.repeats.map(one => ({...one, columns: shift(one.columns)})),
  };
}

/** Where rows of the right side stand alone, the column of a USING has their values; by the left side's name it is null there. */
function merge(rows: Rows, left: Rows, right: Rows, names: readonly string[]): Rows {
  const values = new Map(names.map(name => [placeOf(left, [name]), placeOf(right, [name])]));
  return {
    ...rows, columns: rows.columns.map((column, index) => {
      const other = values.get(index);
      if (other === undefined) return column;
      return {...column, known: other === null ? unknown : {...hull([left.columns[index]!.known, right.columns[other]!.known]), attained: false, nulls: 'unknown'}};
    }),
  };
}

/** A join of which it is known that no row of one side meets one of the other. */
function unmatched(kind: string, left: Rows, right: Rows, both: Rows): Rows {
  const width = left.columns.length;
  const emptied = (isEmpty: (place: number) => boolean): Column[] => both.columns.map((column, place) =>
    isEmpty(place) ? {...column, known: {...unknown, type: column.known.type, origin: column.known.origin, nulls: 'all', why: 'no row of the join can match'}} : column);
  switch (kind) {
    case 'LEFT':
      return {...both, columns: emptied(place => place >= width), least: left.least, most: left.most, keys: left.keys, repeats: left.repeats};
    case 'RIGHT':
      return {...both, columns: emptied(place => place < width), least: right.least, most: right.most};
    case 'ANTI':
      return left;
    case 'SEMI':
      return {...loosened(left), least: 0, most: 0};
    case 'FULL':
      return {...nullable(both), least: left.least + right.least, most: left.most + right.most, keys: [], repeats: []};
    default:
      return {...loosened(both), least: 0, most: 0};
  }
}

const nullable = (rows: Rows, from = 0, to = Infinity): Rows => ({
  ...rows, columns: rows.columns.map((column, place) => (place >= from && place < to ? {...column, known: {...column.known, attained: false, nulls: column.known.nulls === 'all' ? 'all' : 'unknown'}} : column)),
});

interface Matching {
  readonly leftKeyed: boolean;
  readonly rightKeyed: boolean;
  readonly perLeft: Matches | null;
  readonly perRight: Matches | null;
  /** Without a condition. */
  readonly free: boolean;
}

function matched(kind: string, left: Rows, right: Rows, both: Rows, {leftKeyed, rightKeyed, perLeft, perRight, free}: Matching): Rows {
  if (kind === 'SEMI' || kind === 'ANTI') return {...loosened(left), least: 0};
  const width = left.columns.length;
  const places = (from: number, count: number): Set<number> => new Set(Array.from({length: count}, (_, index) => from + index));
  const keepsLeft = kind === 'LEFT' || kind === 'FULL' || (free && right.least > 0);
  const keepsRight = kind === 'RIGHT' || kind === 'FULL' || (free && left.least > 0);
  const loose = (rows: Rows, keeps: boolean): Rows => (keeps ? rows : loosened(rows));
  const columns = [...loose({...both, columns: both.columns.slice(0, width)}, keepsLeft).columns, ...loose({...both, columns: both.columns.slice(width)}, keepsRight).columns];
  let rows: Rows = {
    ...both, columns,
    least: free ? both.least : Math.max(keepsLeft ? left.least : 0, keepsRight ? right.least : 0),
    most: kind === 'FULL' ? Infinity : rightKeyed && kind !== 'RIGHT' ? left.most : leftKeyed && kind !== 'LEFT' ? right.most : Math.max(both.most, keepsLeft ? left.most : 0, keepsRight ? right.most : 0),
    // A key stays one where each of its rows meets one row at most, and where it is not null for rows that meet none.
    keys: [...(rightKeyed && (kind === 'INNER' || kind === 'LEFT') ? left.keys : []), ...(leftKeyed && (kind === 'INNER' || kind === 'RIGHT') ? both.keys : [])],
    repeats: [
      ...left.repeats, ...both.repeats,
      ...(perLeft ? [{columns: places(0, width), why: perLeft.why}] : []), ...(perRight ? [{columns: places(width, right.columns.length), why: perRight.why}] : []),
    ],
  };
  if (kind === 'LEFT' || kind === 'FULL') rows = nullable(rows, width);
  if (kind === 'RIGHT' || kind === 'FULL') rows = nullable(rows, 0, width);
  return rows;
}

interface Matches {
  readonly count: number;
  readonly why: string;
}

/** How many rows share a value that is joined by, where that is one column and all there is to the join; null where they are few. */
function matchesOf(rows: Rows, places: readonly (number | null)[], conditions: number): Matches | null {
  const [place] = places;
  if (conditions !== 1 || places.length !== 1 || place === null || place === undefined) return null;
  const {known} = rows.columns[place]!;
  if (known.distinct === null || known.distinct === 0 || rows.least === 0) return null;
  const count = Math.round(rows.least / known.distinct);
  return count < multiplies ? null : {count, why: `${rows.least} rows have about ${known.distinct} values of ${known.origin ?? 'it'}`};
}

