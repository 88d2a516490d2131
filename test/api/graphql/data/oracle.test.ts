import fc from 'fast-check';
import {parse, validate} from 'graphql';
import type {DataType, Field} from '../../../../src/schemas/schema.ts';
import {stringify} from '../../../../src/api/graphql/stringify.ts';
import {TestGraph} from '../../../support/data-graph.ts';
import {SlowGraph} from '../../../support/slow-executor.ts';
import type {Row, Value} from '../../../support/slow-executor.ts';

/** What random tests draw from; `g.pick` and the like come from one seed, so a failure shrinks and repeats. */
class Draw {
  constructor(private readonly g: fc.GeneratorValue) {}

  int = (most: number): number => this.g(fc.nat, {max: most});
  chance = (percent: number): boolean => this.int(99) < percent;
  pick = <T>(items: readonly T[]): T => items[this.int(items.length - 1)]!;
  list = <T>(most: number, make: () => T): T[] => Array.from({length: this.int(most)}, make);
  float = (): number => this.g(fc.double, {noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15});
  big = (): bigint => this.g(fc.bigInt, {min: -(2n ** 63n), max: 2n ** 63n - 1n});
}

const texts = ['', 'a', 'A', 'ab', 'Zürich', 'naïve', "o'hare", '"quoted"', 'back\\slash', '50%', 'under_score', 'new\nline', '日本', '😀', '￿'];
const int32: DataType = {kind: 'int', bits: 32, signed: true};
const int64: DataType = {kind: 'int', bits: 64, signed: true};
const decimal: DataType = {kind: 'decimal', precision: 18, scale: 4};
const plain: DataType[] = [{kind: 'bool'}, {kind: 'int', bits: 8, signed: true}, int32, int64, {kind: 'float', bits: 64}, decimal, {kind: 'utf8'}, {kind: 'date'}, {kind: 'timestamp', zoned: false}, {kind: 'timestamp', zoned: true}];
const field = (name: string, type: DataType): Field => ({id: 0, name, type, nullable: true});

function scalarValue(draw: Draw, type: DataType): Value {
  switch (type.kind) {
    case 'bool':
      return draw.chance(50);
    case 'int':
      return type.bits === 64 ? (draw.chance(50) ? BigInt(draw.int(5)) : draw.big()) : draw.int(type.bits === 8 ? 10 : 1000) - 5;
    case 'float':
      return draw.chance(60) ? draw.int(8) / 4 - 1 : draw.float();
    case 'decimal':
      return `${draw.int(20) - 10}.${String(draw.int(9999)).padStart(4, '0')}`.replace(/^0|^-0(?=\.)/, zero => zero);
    case 'utf8':
      return draw.pick(texts);
    case 'date':
      return `200${draw.int(3)}-0${1 + draw.int(8)}-1${draw.int(9)}`;
    default:
      return BigInt(draw.int(2_000_000_000)) * 1_000_000n + (draw.chance(50) ? 0n : BigInt(draw.int(999_999)));
  }
}

const scalarOf = (type: DataType): string => ({bool: 'Boolean', float: 'Float', decimal: 'numeric', utf8: 'String', date: 'date'} as Record<string, string>)[type.kind] ?? (type.kind === 'timestamp' ? (type.zoned ? 'timestamptz' : 'timestamp') : type.kind === 'int' && type.bits === 64 ? 'bigint' : 'Int');

const iso = (value: bigint): string => `${new Date(Number(value / 1000n)).toISOString().slice(0, 19)}.${String(value % 1_000_000n).padStart(6, '0')}`;

/** As a client would send it. */
function argument(draw: Draw, type: DataType): unknown {
  const value = scalarValue(draw, type);
  return typeof value === 'bigint' ? (type.kind === 'timestamp' ? iso(value) + (type.zoned ? 'Z' : '') : String(value)) : value;
}

const sqlText = (text: string): string => `'${text.replaceAll("'", "''")}'`;

function sqlValue(value: Value, type: DataType): string {
  if (value === null) return 'NULL';
  switch (type.kind) {
    case 'utf8':
      return sqlText(value as string);
    case 'date':
      return `DATE '${String(value)}'`;
    case 'timestamp':
      return type.zoned ? `to_timestamp(0) + to_microseconds(${String(value)}::BIGINT)` : `make_timestamp(${String(value)}::BIGINT)`;
    case 'list':
      return `[${(value as readonly Value[]).map(item => sqlValue(item, type.element.type)).join(', ')}]::${sqlName(type)}`;
    case 'struct':
      return `{${type.fields.map(part => `'${part.name}': ${sqlValue((value as Row)[part.name]!, part.type)}`).join(', ')}}::${sqlName(type)}`;
    case 'int':
    case 'float':
    case 'decimal':
      return `'${String(value)}'::${sqlName(type)}`;
    default:
      return String(value);
  }
}

function sqlName(type: DataType): string {
  switch (type.kind) {
    case 'int':
      return {8: 'TINYINT', 16: 'SMALLINT', 32: 'INTEGER', 64: 'BIGINT'}[type.bits];
    case 'float':
      return 'DOUBLE';
    case 'decimal':
      return 'DECIMAL(18, 4)';
    case 'utf8':
      return 'VARCHAR';
    case 'bool':
      return 'BOOLEAN';
    case 'timestamp':
      return type.zoned ? 'TIMESTAMPTZ' : 'TIMESTAMP';
    case 'list':
      return `${sqlName(type.element.type)}[]`;
    case 'struct':
      return `STRUCT(${type.fields.map(part => `${part.name} ${sqlName(part.type)}`).join(', ')})`;
    default:
      return type.kind.toUpperCase();
  }
}

function anyValue(draw: Draw, type: DataType): Value {
  if (draw.chance(20)) return null;
  if (type.kind === 'list') return draw.list(3, () => (draw.chance(10) ? null : scalarValue(draw, type.element.type)));
  if (type.kind === 'struct') return Object.fromEntries(type.fields.map(part => [part.name, anyValue(draw, part.type)]));
  return scalarValue(draw, type);
}

/** A query under construction: text, and variables that parts of it were moved into. */
class Doc {
  readonly variables: Record<string, unknown> = {};
  readonly declared: string[] = [];
  readonly fragments: string[] = [];
  private aliases = 0;

  constructor(
    readonly draw: Draw,
    readonly schemas: Readonly<Record<string, readonly Field[]>>,
  ) {}

  /** A literal, or now and then a variable. */
  value(value: unknown, type: string): string {
    if (!this.draw.chance(35)) return literal(value);
    const name = `v${this.declared.length}`;
    this.declared.push(`$${name}: ${type}`);
    this.variables[name] = value;
    return `$${name}`;
  }

  comparison(type: DataType): string {
    const {draw} = this;
    const scalar = scalarOf(type);
    const operators = ['_eq', '_neq', '_gt', '_gte', '_lt', '_lte', '_in', '_nin', '_is_null', ...(type.kind === 'utf8' ? ['_like', '_nilike', '_ilike', '_regex', '_niregex', '_similar', '_nsimilar'] : [])];
    const parts = new Set([draw.pick(operators), ...(draw.chance(20) ? [draw.pick(operators)] : [])]);
    return `{${[...parts]
      .map(operator => {
        if (operator === '_is_null') return `_is_null: ${this.value(draw.chance(50), 'Boolean')}`;
        if (operator === '_in' || operator === '_nin') return `${operator}: ${this.value(draw.list(draw.chance(10) ? 40 : 4, () => argument(draw, type)), `[${scalar}!]`)}`;
        if (/regex/.test(operator)) return `${operator}: ${this.value(draw.pick(['^a', 'o', '.', 'e$', '[A-Z]', 'b?c|r']), 'String')}`;
        if (/like|similar/.test(operator)) return `${operator}: ${this.value(draw.pick(['a%', '%a%', '_', '%', '50\\%', '%\\_%', '', 'Z_rich']), 'String')}`;
        return `${operator}: ${this.value(argument(draw, type), scalar)}`;
      })
      .join(', ')}}`;
  }

  typed(type: DataType): string {
    const {draw} = this;
    if (type.kind === 'list') {
      const list = this.value(draw.list(2, () => argument(draw, type.element.type)), `[${scalarOf(type.element.type)}!]`);
      return draw.chance(20) ? '{_is_null: true}' : `{${draw.pick(['_eq', '_neq', '_contains', '_contained_in'])}: ${list}}`;
    }
    if (type.kind === 'struct') return draw.chance(15) ? `{_not: ${this.typed(type)}}` : draw.chance(15) ? '{_is_null: false}' : `{${type.fields.map(part => `${part.name}: ${this.typed(part.type)}`).slice(0, 1 + draw.int(1)).join(', ')}}`;
    return this.comparison(type);
  }

  where(dataset: string, depth = 0): string {
    const {draw} = this;
    const parts: string[] = [];
    for (let n = draw.int(2); n >= 0; n--) {
      const choice = draw.int(9);
      if (choice === 0 && depth < 2) parts.push(`_not: ${this.where(dataset, depth + 1)}`);
      else if (choice <= 2 && depth < 2) parts.push(`${draw.pick(['_and', '_or'])}: [${draw.list(3, () => this.where(dataset, depth + 1)).join(', ')}]`);
      else if (choice === 4 && depth < 2 && dataset === 'parent') {
        const filter = draw.chance(40) ? `, filter: ${this.where('child', depth + 1)}` : '';
        const least = this.numbers('child')[0];
        parts.push(`child_aggregate: {${draw.chance(70) || !least ? `count: {predicate: {${draw.pick(['_gt', '_lte', '_eq'])}: ${this.value(draw.int(4), 'Int')}}${filter}}` : `max: {${least.name}: {_is_null: ${draw.chance(50)}}}`}}`);
      } else if (choice === 3 && depth < 2) parts.push(dataset === 'child' ? `up: ${this.where('parent', depth + 1)}` : `child: ${this.where('child', depth + 1)}`);
      else {
        const column = draw.pick(this.schemas[dataset]!);
        parts.push(`${column.name}: ${this.typed(column.type)}`);
      }
    }
    return `{${unique(parts).join(', ')}}`;
  }

  order(dataset: string): string {
    const {draw} = this;
    const direction = () => draw.pick(['asc', 'desc', 'asc_nulls_first', 'asc_nulls_last', 'desc_nulls_first', 'desc_nulls_last']);
    const one = (name: string): string => {
      const column = draw.pick(this.schemas[name]!);
      if (name === 'child' && draw.chance(20)) return `{up: ${one('parent')}}`;
      if (name === 'parent' && draw.chance(20)) return draw.chance(50) ? `{child_aggregate: {count: ${direction()}}}` : `{child_aggregate: {max: {ref: ${direction()}}}}`;
      if (column.type.kind === 'list') return `{_row_id: ${direction()}}`;
      if (column.type.kind === 'struct') return `{${column.name}: {${column.type.fields[0]!.name}: ${direction()}}}`;
      return `{${column.name}: ${direction()}}`;
    };
    return `[${draw.list(3, () => one(dataset)).join(', ')}]`;
  }

  arguments(dataset: string): string {
    const {draw} = this;
    const parts: string[] = [];
    if (draw.chance(70)) parts.push(`where: ${this.where(dataset)}`);
    if (draw.chance(70)) parts.push(`order_by: ${this.order(dataset)}`);
    if (draw.chance(40)) parts.push(`limit: ${this.value(draw.int(6), 'Int')}`);
    if (draw.chance(30)) parts.push(`offset: ${this.value(draw.int(4), 'Int')}`);
    if (draw.chance(15)) parts.push(`distinct_on: [${[...new Set(draw.list(2, () => draw.pick(this.scalars(dataset)).name))].join(', ')}]`.replace('[]', `[${this.scalars(dataset)[0]!.name}]`));
    return parts.length === 0 ? '' : `(${parts.join(', ')})`;
  }

  directive(): string {
    return this.draw.chance(10) ? ` @${this.draw.pick(['skip', 'include'])}(if: ${this.value(this.draw.chance(50), 'Boolean!')})` : '';
  }

  selection(dataset: string, depth = 0): string {
    const {draw} = this;
    const parts: string[] = ['_row_id'];
    for (let n = draw.int(4); n >= 0; n--) {
      const choice = draw.int(9);
      const alias = `x${this.aliases++}`;
      if (choice === 0) parts.push(`${alias}: __typename${this.directive()}`);
      else if (choice === 1) parts.push(`... on ${dataset}${this.directive()} ${this.selection(dataset, depth + 1)}`);
      else if (choice === 2 && depth < 2) {
        const name = `f${this.fragments.length}`;
        const at = this.fragments.push('') - 1;
        this.fragments[at] = `fragment ${name} on ${dataset} ${this.selection(dataset, depth + 1)}`;
        parts.push(`...${name}${this.directive()}`);
      } else if (choice === 3 && depth < 2) parts.push(dataset === 'child' ? `${alias}: up${this.directive()} ${this.selection('parent', depth + 1)}` : draw.chance(30) ? `${alias}: child_aggregate${this.arguments('child')}${this.directive()} ${this.aggregate('child')}` : `${alias}: child${this.arguments('child')}${this.directive()} ${this.selection('child', depth + 1)}`);
      else {
        const column = draw.pick(this.schemas[dataset]!);
        const below = column.type.kind === 'struct' ? ` {${column.type.fields.map(part => `${draw.chance(30) ? 'z_' + part.name + ': ' : ''}${part.name}`).join(' ')} __typename}` : '';
        parts.push(`${draw.chance(30) ? `${alias}: ` : ''}${column.name}${this.directive()}${below}`);
      }
    }
    return `{${parts.join(' ')}}`;
  }

  numbers = (dataset: string): Field[] => this.schemas[dataset]!.filter(({type}) => ['int', 'float', 'decimal'].includes(type.kind));
  scalars = (dataset: string): Field[] => this.schemas[dataset]!.filter(({type}) => !['list', 'struct'].includes(type.kind));

  key(dataset: string): string {
    const {draw} = this;
    const parts = draw.list(3, () => {
      const column = draw.pick(this.schemas[dataset]!);
      const alias = draw.chance(40) ? `k${this.aliases++}: ` : '';
      if (dataset === 'child' && draw.chance(20)) return `${alias}up {${this.key('parent')}}`;
      if (column.type.kind === 'list') return '__typename';
      if (column.type.kind === 'struct') return `${alias}${column.name} {m n}`;
      const timed = column.type.kind === 'date' || column.type.kind === 'timestamp';
      if (timed && draw.chance(40)) return `k${this.aliases++}: ${column.name}_part(part: ${draw.pick(['YEAR', 'QUARTER', 'MONTH', 'DAY', 'DOY', 'DOW', 'ISODOW', ...(column.type.kind === 'date' ? [] : ['HOUR', 'SECOND'])])})`;
      if (timed && draw.chance(50)) return `${alias}${column.name}(trunc: ${draw.pick(['YEAR', 'QUARTER', 'MONTH', 'WEEK', 'DAY', 'HOUR', 'MINUTE'])})`;
      if (column.type.kind === 'int' && draw.chance(40)) return `${alias}${column.name}(bin: ${column.type.bits === 64 ? '"3"' : 3})`;
      if (column.type.kind === 'decimal' && draw.chance(40)) return `${alias}${column.name}(bin: "0.5")`;
      if (column.type.kind === 'float' && draw.chance(40)) return `${alias}${column.name}(bin: 0.5)`;
      return `${alias}${column.name}`;
    });
    return parts.join(' ') || '__typename';
  }

  groups(dataset: string): string {
    const {draw} = this;
    const parts: string[] = [];
    const [number] = this.numbers(dataset);
    if (draw.chance(60)) parts.push(`where: ${this.where(dataset)}`);
    if (draw.chance(40)) parts.push(`having: {${draw.pick([`count: {_gt: ${this.value(draw.int(3), 'Int')}}`, `_not: {count: {_eq: 1}}`, `_or: [{count: {_gte: 2}}, {min: {${number!.name}: {_is_null: true}}}]`])}}`);
    if (draw.chance(50)) parts.push(`order_by: [${draw.pick([`{count: ${draw.pick(['asc', 'desc'])}}`, `{max: {${number!.name}: ${draw.pick(['asc', 'desc_nulls_last'])}}}`, `{sum: {${number!.name}: desc}}, {count: asc}`])}]`);
    if (draw.chance(30)) parts.push(`limit: ${this.value(draw.int(5), 'Int')}`);
    if (draw.chance(20)) parts.push(`offset: ${this.value(draw.int(2), 'Int')}`);
    const nodes = draw.chance(40) ? `nodes${draw.chance(50) ? `(order_by: ${this.order(dataset)}, limit: ${draw.int(3)})` : ''} ${this.selection(dataset, 1)}` : '';
    return `${parts.length ? `(${parts.join(', ')})` : ''} {${draw.chance(80) ? `key {${this.key(dataset)}}` : '__typename'} ${this.aggregates(dataset)} ${nodes}}`;
  }

  aggregate(dataset: string): string {
    return `{${this.aggregates(dataset)} ${this.draw.chance(50) ? `nodes ${this.selection(dataset)}` : ''}}`;
  }

  private aggregates(dataset: string): string {
    const {draw} = this;
    const columns = this.schemas[dataset]!;
    const numbers = this.numbers(dataset);
    const comparable = columns.filter(({type}) => !['list', 'struct', 'bool'].includes(type.kind));
    const scalars = this.scalars(dataset);
    const booleans = columns.filter(({type}) => type.kind === 'bool');
    const names = (list: readonly Field[]) => [...new Set(list.map(({name}) => name))].join(' ');
    const parts = ['count', `some: count(columns: [${[...new Set([draw.pick(scalars).name, draw.pick(scalars).name])].join(', ')}], distinct: ${draw.chance(50)})`, `sum {${names(numbers)}}`, `avg {${names(numbers)}}`, `min {${names(comparable)}}`, `max {${names(comparable)} __typename}`, `quantile_disc(q: ${draw.int(10) / 10}) {${names(comparable)}}`, ...(booleans.length > 0 ? [`bool_and {${names(booleans)}} bool_or {${names(booleans)}}`] : [])];
    return `aggregate {${parts.filter(() => draw.chance(70)).join(' ') || 'count'}}`;
  }

  text(): string {
    const roots = ['child', 'parent'].flatMap(dataset => {
      const choice = this.draw.int(4);
      if (choice === 1) return [`g_${dataset}: ${dataset}_groups${this.groups(dataset)}`];
      return [choice === 0 ? `a_${dataset}: ${dataset}_aggregate${this.arguments(dataset)} ${this.aggregate(dataset)}` : `r_${dataset}: ${dataset}${this.arguments(dataset)} ${this.selection(dataset)}`];
    });
    roots.push(`p: parent_by_pk(id: ${this.value(this.draw.int(6), 'Int!')}) ${this.selection('parent')}`);
    const body = `{${roots.join(' ')}} ${this.fragments.join(' ')}`;
    // Parts that were dropped for others of their name took their variables with them.
    const used = this.declared.filter(declared => new RegExp(`\\${declared.split(':')[0]}\\b`).test(body));
    return `query ${used.length > 0 ? `(${used.join(', ')})` : ''} ${body}`;
  }
}

const unique = (parts: readonly string[]): string[] => [...new Map(parts.map(part => [part.slice(0, part.indexOf(':')), part])).values()];

function literal(value: unknown): string {
  return Array.isArray(value) ? `[${value.map(literal).join(', ')}]` : JSON.stringify(value);
}

let graph: TestGraph;
beforeAll(async () => {
  graph = await TestGraph.start();
});
afterAll(() => graph.stop());

async function makeData(draw: Draw): Promise<{schemas: Record<string, readonly Field[]>; rows: Record<string, Row[]>}> {
  const columns = (names: string): Field[] => [...names].filter(() => draw.chance(70)).map(name => {
    const type = draw.chance(15) ? ({kind: 'list', element: field('element', draw.pick(plain.filter(({kind}) => kind !== 'decimal')))} as DataType) : draw.chance(15) ? ({kind: 'struct', fields: [field('m', int32), field('n', {kind: 'utf8'})]} as DataType) : draw.pick(plain);
    return field(name, type);
  });
  const schemas = {parent: [field('id', int32), ...columns('abcd')], child: [field('ref', int32), ...columns('efghij')]};
  const make = (name: 'parent' | 'child', index: number): Row => Object.fromEntries(schemas[name].map(column => [column.name, column.name === 'id' ? index : column.name === 'ref' ? (draw.chance(15) ? null : draw.int(7)) : anyValue(draw, column.type)]));
  const rows = {parent: Array.from({length: 1 + draw.int(6)}, (_, index) => make('parent', index)), child: Array.from({length: draw.int(25)}, (_, index) => make('child', index))};
  const contract = {parent: {key: ['id']}, child: {foreignKeys: [{column: 'ref', references: 'parent', as: 'up'}]}};
  for (const name of ['parent', 'child'] as const) {
    const selects = rows[name].map(row => `SELECT ${schemas[name].map(column => `${sqlValue(row[column.name]!, column.type)} AS ${column.name}`).join(', ')}`);
    const empty = `SELECT ${schemas[name].map(column => `NULL::${sqlName(column.type)} AS ${column.name}`).join(', ')} WHERE false`;
    await graph.commit(name, selects.join(' UNION ALL ') || empty, {schema: {fields: schemas[name]}, contract: contract[name], filesOf: 10});
  }
  return {schemas, rows};
}

describe('the compiled path answers what graphql-js answers over plain resolvers', () => {
  it('for random schemas, rows and documents', async () => {
    let answered = 0;
    await fc.assert(
      fc.asyncProperty(fc.gen(), async g => {
        const draw = new Draw(g);
        const {schemas, rows} = await makeData(draw);
        const executor = graph.graph;
        const slow = new SlowGraph(graph.model, rows, executor.graph.schema);
        for (let n = 0; n < 4; n++) {
          const doc = new Doc(draw, schemas);
          const text = doc.text();
          const document = parse(text);
          // Two selections of one name can conflict by chance; such a document is refused before it is executed.
          if (validate(executor.graph.schema, document).length > 0) continue;
          const fast = await executor.execute({document, variables: doc.variables, coreContext: {}, data: graph.context()});
          const expected = slow.execute(document, doc.variables);
          expect(expected.errors).toBeUndefined();
          const shown = {text, variables: doc.variables};
          if (fast.errors) throw new Error(`${String(fast.errors[0]!.path)} of ${JSON.stringify(shown)}\n${graph.statements.slice(-4).map(({sql}) => sql).join("\n\n")}\n${fast.errors[0]!.stack}`);
          expect({...shown, data: JSON.stringify(JSON.parse(stringify({data: fast.data} as never)).data, null, 1)}).toEqual({...shown, data: JSON.stringify(expected.data, null, 1)});
          answered++;
        }
      }),
      {numRuns: Number(process.env.PROPERTY_RUNS ?? 20), endOnFailure: true, ...(process.env.PROPERTY_SEED ? {seed: Number(process.env.PROPERTY_SEED)} : {})},
    );
    expect(answered).toBeGreaterThan(20);
  }, 240_000);
});
