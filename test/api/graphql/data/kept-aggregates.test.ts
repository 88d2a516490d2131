import {buildSchema, parse, validate} from 'graphql';
import {buildDataSchema} from '../../../../src/api/graphql/data/data-schema.ts';
import type {DataContext} from '../../../../src/api/graphql/data/graph-model.ts';
import {KeptAggregates} from '../../../../src/api/graphql/data/live/kept-aggregates.ts';
import type {KeptUse} from '../../../../src/api/graphql/data/live/kept-aggregates.ts';
import {Executor} from '../../../../src/api/graphql/executor.ts';
import {stringify} from '../../../../src/api/graphql/stringify.ts';
import type {Engine, Query, Table} from '../../../../src/engines/engine.ts';
import {createRandom} from '../../../support/random.ts';
import {openWorld} from '../../../support/warehouse-world.ts';
import type {WarehouseWorld, WriteOptions} from '../../../support/warehouse-world.ts';

let world: WarehouseWorld;
beforeAll(async () => {
  world = await openWorld();
}, 60_000);
afterAll(() => world.close());

/** Notes how answers are made. */
class Noted extends KeptAggregates {
  readonly uses: KeptUse[] = [];

  override async text(...args: Parameters<KeptAggregates['text']>): ReturnType<KeptAggregates['text']> {
    const made = await super.text(...args);
    this.uses.push(made.use);
    return made;
  }
}

/** A graph over one dataset of the world. */
class Asked {
  readonly kept = new Noted();
  readonly statements: Query[] = [];

  private constructor(
    private readonly executor: Executor,
  ) {}

  static async of(dataset: string): Promise<Asked> {
    const {schema} = await world.warehouse.resolve(dataset);
    return new Asked(new Executor(buildDataSchema({version: 1n, datasets: [{name: dataset, schema, contract: {key: ['id']}, predictions: []}]}, buildSchema('type Query { ping: String }'))));
  }

  async answer(source: string, kept?: DataContext['kept']): Promise<string> {
    const engine = Object.create(world.engine) as Engine;
    engine.text = (query, work) => {
      this.statements.push(query);
      return world.engine.text(query, work);
    };
    const data: DataContext = {
      viewer: {name: 'test', roles: ['viewer'], limits: {depth: 12, fields: 500, rows: 10_000, bytes: 50_000_000, cost: 10_000_000, seconds: 30} as DataContext['viewer']['limits']},
      engine, kept,
      heads: {resolve: (name, asOf) => world.warehouse.resolve(name, asOf)},
      table: snapshot => world.warehouse.table(snapshot),
      write: () => Promise.reject(new Error('nothing is written here')),
      score: () => Promise.reject(new Error('no models here')),
    } as Partial<DataContext> as DataContext;
    const document = parse(source);
    expect(validate(this.executor.graph.schema, document)).toEqual([]);
    const text = stringify((await this.executor.execute({document, coreContext: {}, data})) as never);
    expect(text).not.toContain('"errors"');
    return text;
  }

  fresh(source: string): Promise<string> {
    return this.answer(source);
  }

  maintained(source: string, followed = true): Promise<string> {
    return this.answer(source, {aggregates: this.kept, followed});
  }
}

const floats = ['0.1', '1e300', '-1e300', '3.25', '-0.0', "'nan'", "'inf'", "'-inf'", '1e-300', '7e15', '12345.6789'];

/** Rows as a SELECT, of all kinds of columns. */
function rowsOf(random: ReturnType<typeof createRandom>, ids: readonly number[], wild: boolean): string {
  const row = (id: number) => {
    const some = (sql: string) => (random.chance(0.15) ? 'NULL' : sql);
    const x = some(wild && random.chance(0.05) ? random.pick(floats) : String(random.next() * 2000 - 1000));
    return `(${id}, ${some(`'${random.pick(['a', 'b', 'Ä', 'say "x"', ''])}'`)}, ${some(String(random.integer(-5, 5)))}, ${some(String(random.integer(-1e15, 1e15)))}, ${x}::DOUBLE, ${some(String(random.integer(-99999, 99999) / 100))}, ${some(`'2020-0${random.integer(1, 9)}-1${random.integer(0, 9)} 0${random.integer(0, 9)}:00:00.123456'`)}, ${some(random.pick(['true', 'false']))})`;
  };
  return `SELECT id::INT AS id, word::VARCHAR AS word, small::INT AS small, big::BIGINT AS big, x::DOUBLE AS x, money::DECIMAL(12,2) AS money, moment::TIMESTAMP AS moment, flag::BOOLEAN AS flag FROM (VALUES ${ids.map(row).join(', ')}) t(id, word, small, big, x, money, moment, flag)`;
}

const numbers = 'small big x money';
const fields = `count c: count(columns: [x]) sum { ${numbers} } avg { ${numbers} } min { word ${numbers} moment } max { word ${numbers} moment } stddev { ${numbers} } var_pop { x small } bool_or { flag }`;
const questions = (dataset: string) => [
  `{ a: ${dataset}_aggregate { aggregate { ${fields} } } }`,
  `{ a: ${dataset}_aggregate(where: {small: {_gt: 99}}) { aggregate { count c: count(columns: [x]) sum { x big } max { word } } } }`,
  `{ g: ${dataset}_groups(where: {small: {_gt: 0}, word: {_neq: "b"}}, order_by: [{sum: {x: desc}}]) { key { word small } aggregate { count sum { ${numbers} } min { word } max { moment x } variance { x } } } }`,
  `{ g: ${dataset}_groups(having: {count: {_gt: 2}}, order_by: [{avg: {big: asc}}], limit: 7, offset: 1) { key { moment(trunc: MONTH) flag } aggregate { count sum { x } } } }`,
  `{ g: ${dataset}_groups(where: {x: {_lt: 10}}) { aggregate { avg { x } } } }`,
];

test.each([1, 2])('what is maintained is to the last bit what is computed anew (seed %s)', async seed => {
  const random = createRandom(seed);
  const dataset = `d${seed}`;
  let next = 0;
  const ids = (count: number) => Array.from({length: count}, () => next++);
  const write = (sql: string, options?: WriteOptions) => world.write(dataset, sql, options);
  await write(rowsOf(random, ids(60), seed === 2), {contract: {key: ['id']}, rowsPerFile: 25});
  const asked = await Asked.of(dataset);
  const check = async () => {
    for (const question of questions(dataset)) {
      const maintained = await asked.maintained(question);
      expect(maintained).toBe(await asked.fresh(question));
    }
  };
  await check();
  for (let commit = 0; commit < Number(process.env.KEPT_COMMITS ?? 3); commit++) {
    const kind = random.integer(0, 9);
    if (kind < 6) await write(rowsOf(random, ids(random.integer(1, 30)), seed === 2), {mode: 'append'});
    else if (kind < 8) await write(rowsOf(random, [...ids(3), ...Array.from({length: 4}, () => random.integer(0, next - 4))].filter((id, index, all) => all.indexOf(id) === index), seed === 2), {mode: 'merge'});
    else if (kind < 9) await write(`SELECT unnest([${random.integer(0, next)}, ${random.integer(0, next)}])::INT AS id`, {mode: 'delete'});
    else await world.warehouse.compact(dataset);
    await check();
  }
  expect(new Set(asked.kept.uses.map(({kind}) => kind))).toContain('maintained');
  expect(asked.kept.uses.filter(({kind}) => kind === 'computed')).toEqual([]);
}, 120_000);

describe('what is kept', () => {
  test('of an answer is given again, of files is not read again', async () => {
    await world.write('again', 'SELECT i::INT AS id, i % 3 AS g, i / 7 AS x FROM range(1000) t(i)', {contract: {key: ['id']}});
    const asked = await Asked.of('again');
    const question = '{ again_groups { key { g } aggregate { count sum { x } } } }';
    const first = await asked.maintained(question, false);
    expect(asked.kept.uses).toEqual([{kind: 'maintained', files: 1, filesRead: 1}]);
    expect(await asked.maintained(question, false)).toBe(first);
    expect(asked.kept.uses[1]).toEqual({kind: 'kept'});
    for (let commit = 0; commit < 12; commit++) {
      await world.write('again', `SELECT ${1000 + commit}::INT AS id, 5::BIGINT AS g, 0.5::DOUBLE AS x`, {mode: 'append'});
      asked.statements.length = 0;
      await asked.maintained(question, false);
      expect(asked.kept.uses.at(-1)).toEqual({kind: 'maintained', files: commit + 2, filesRead: 1});
      expect(asked.statements.flatMap(({relations}) => Object.values(relations).map(relation => (relation as Table).files.length))).toEqual([1]);
    }
    expect(await asked.maintained(question, false)).toBe(await asked.fresh(question));
  });

  test('says what cannot be put together from files', async () => {
    await world.write('whole', 'SELECT i::INT AS id, i % 3 AS g FROM range(100) t(i)', {contract: {key: ['id']}});
    const asked = await Asked.of('whole');
    for (const question of [
      '{ whole_aggregate { aggregate { count(columns: [g], distinct: true) } } }', '{ whole_aggregate { aggregate { quantile(q: 0.5) { g } } } }', '{ whole_aggregate(limit: 3) { aggregate { count } } }',
      '{ whole_groups { key { g } nodes { id } } }',
    ]) {
      expect(await asked.maintained(question)).toBe(await asked.fresh(question));
      expect(await asked.maintained(question)).toBe(await asked.fresh(question));
    }
    expect(asked.kept.uses.map(use => (use.kind === 'computed' ? use.why : use.kind))).toEqual([
      'count needs all rows at once', 'kept', 'quantile_cont needs all rows at once', 'kept', 'limit needs all rows at once', 'kept', 'nothing is computed over rows', 'kept',
    ]);
  });

  test('groups that may be many are only kept when they are asked for again after a commit', async () => {
    await world.write('many', 'SELECT i::INT AS id, i % 5 AS g FROM range(9000) t(i)', {contract: {key: ['id']}});
    const asked = await Asked.of('many');
    const question = '{ many_groups(limit: 3) { key { id } aggregate { count } } }';
    for (let commit = 0; commit < 3; commit++) {
      expect(await asked.maintained(question, false)).toBe(await asked.fresh(question));
      await world.write('many', `SELECT ${9000 + commit}::INT AS id, 1::BIGINT AS g`, {mode: 'append'});
    }
    expect(asked.kept.uses.map(({kind}) => kind)).toEqual(['computed', 'maintained', 'maintained']);
  });

  test('stays within its bytes', async () => {
    await world.write('big', 'SELECT i::INT AS id FROM range(3000) t(i)', {contract: {key: ['id']}});
    const asked = await Asked.of('big');
    const kept = new KeptAggregates(400_000);
    for (let n = 0; n < 30; n++) {
      await asked.answer(`{ big_groups(limit: 1000, where: {id: {_gt: ${n}}}) { key { id } aggregate { count } } }`, {aggregates: kept, followed: n % 2 === 0});
      expect(kept.size).toBeLessThanOrEqual(400_000);
    }
    expect(kept.size).toBeGreaterThan(100_000);
  });
});
