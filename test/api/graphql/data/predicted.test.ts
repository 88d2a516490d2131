import type {Column, ColumnBatch} from '../../../../src/engines/engine.ts';
import type {DataContext, GraphPrediction} from '../../../../src/api/graphql/data/graph-model.ts';
import type {ModelVersionRecord} from '../../../../src/models/models.ts';
import type {DataType} from '../../../../src/schemas/schema.ts';
import {TestGraph} from '../../../support/data-graph.ts';

const float32: DataType = {kind: 'float', bits: 32};

/** `twice` = 2 × (amount + bonus) + version; `big`: whether it is over 100; `word`: its sign. */
const doubling: GraphPrediction = {
  field: 'doubled',
  model: 'doubling',
  inputs: [{id: 0, name: 'amount', type: float32, nullable: false}, {id: 0, name: 'bonus', type: float32, nullable: false}],
  outputs: [{id: 0, name: 'twice', type: float32, nullable: false}, {id: 0, name: 'big', type: {kind: 'bool'}, nullable: false}, {id: 0, name: 'word', type: {kind: 'utf8'}, nullable: false}],
  features: {bonus: 'length(name)'},
};

let graph: TestGraph;
let scoredRows = 0;

const score: DataContext['score'] = async (_dataset, _prediction, {version = 1}, batch: ColumnBatch) => {
  scoredRows += batch.rowCount;
  const [amount, bonus] = batch.columns as Extract<Column, {kind: 'numbers'}>[];
  const twice = Float32Array.from({length: batch.rowCount}, (_, row) => 2 * (Number(amount!.values[row]) + Number(bonus!.values[row])) + version);
  return {
    columns: [
      {kind: 'numbers', type: float32, values: twice, validity: null},
      {kind: 'booleans', values: Uint8Array.from(twice, value => (value > 100 ? 1 : 0)), validity: null},
      {kind: 'strings', dictionary: ['minus', 'plus'], indices: Uint32Array.from(twice, value => (value < 0 ? 0 : 1)), validity: null},
    ],
    version: {number: version} as ModelVersionRecord,
  };
};

beforeAll(async () => {
  graph = await TestGraph.start();
  graph.score = (...args) => score(...args);
  await graph.commit('places', "SELECT (i % 7)::VARCHAR || 'x' AS name, i AS id, CASE WHEN i % 5 = 0 THEN NULL ELSE i - 50 END::FLOAT AS amount FROM range(100) t(i)", {contract: {key: ['id']}, predictions: [doubling], filesOf: 30});
});
beforeEach(() => (scoredRows = 0));
afterAll(() => graph.stop());

const ids = (rows: {id: string}[]) => rows.map(({id}) => Number(id));
const expected = Array.from({length: 100}, (_, id) => ({id, twice: id % 5 === 0 ? null : 2 * (id - 50 + 2) + 1}));

describe('predictions as columns', () => {
  it('filter and order rows, scored once for each file', async () => {
    const source = '{ places(where: {doubled: {twice: {_gt: 60}}}, order_by: [{doubled: {twice: desc}}], limit: 4) { id doubled { twice big word _version } } }';
    const {places} = await graph.ask(source);
    const found = expected.filter(({twice}) => twice !== null && twice > 60).toSorted((a, b) => b.twice! - a.twice!).slice(0, 4);
    expect(ids(places)).toEqual(found.map(({id}) => id));
    expect(places[0].doubled).toEqual({twice: found[0]!.twice, big: found[0]!.twice! > 100, word: 'plus', _version: 1});
    expect(scoredRows).toBe(80);
    expect((await graph.ask(source)).places).toEqual(places);
    expect(scoredRows).toBe(80);
  });

  it('that are null are neither true nor false', async () => {
    const count = async (where: string) => (await graph.ask(`{ places_aggregate(where: ${where}) { aggregate { count } } }`)).places_aggregate.aggregate.count;
    expect(await count('{doubled: {_is_null: true}}')).toBe(20);
    expect(await count('{doubled: {_not: {twice: {_gt: 0}}}}')).toBe(expected.filter(({twice}) => twice !== null && twice <= 0).length);
    expect(await count('{_or: [{doubled: {word: {_like: "mi%"}}}, {id: {_lt: 5}}]}')).toBe(expected.filter(({id, twice}) => (twice !== null && twice < 0) || id < 5).length);
  });

  it('of few rows are scored for these alone', async () => {
    await graph.commit('fresh', 'SELECT i AS id, i::FLOAT AS amount, 0::FLOAT AS bonus FROM range(1000) t(i)', {predictions: [{...doubling, features: {}}]});
    const source = 'query ($least: bigint!) { fresh(where: {id: {_gte: $least}, doubled: {twice: {_gt: 1990}}}, order_by: [{doubled: {twice: desc}}]) { id doubled { twice } } }';
    const {fresh} = await graph.ask(source, {least: 990});
    expect(fresh).toEqual([999, 998, 997, 996, 995].map(id => ({id: String(id), doubled: {twice: 2 * id + 1}})));
    expect(scoredRows).toBe(10);
    expect(await graph.ask(source, {least: 1000})).toEqual({fresh: []});
    expect(scoredRows).toBe(10);
  });

  it('are aggregated, with other versions and inputs beside them', async () => {
    const {places_aggregate: {aggregate}} = await graph.ask(`{ places_aggregate(where: {id: {_gte: 10}}) { aggregate {
      count
      sum { doubled { twice } }
      avg { doubled { twice } other: doubled(version: 5) { twice } without: doubled(set: {bonus: 0}) { twice } }
      min { doubled { twice word } } max { amount doubled { __typename twice } }
    } } }`);
    const values = expected.flatMap(({id, twice}) => (twice !== null && id >= 10 ? [twice] : []));
    const sum = values.reduce((all, value) => all + value, 0);
    expect(aggregate).toEqual({
      count: 90,
      sum: {doubled: {twice: sum}},
      avg: {doubled: {twice: sum / values.length}, other: {twice: sum / values.length + 4}, without: {twice: sum / values.length - 4}},
      min: {doubled: {twice: Math.min(...values), word: 'minus'}},
      max: {amount: 49, doubled: {__typename: 'doubling_max', twice: Math.max(...values)}},
    });
  });

  it('are of the versions that `models` names', async () => {
    const source = 'query ($models: [ModelPin!]) { places(models: $models, where: {doubled: {twice: {_gt: 95}}}, order_by: [{id: asc}], limit: 1) { id doubled { twice _version } old: doubled(version: 1) { twice _version } } }';
    const first = (version: number) => expected.find(({twice}) => twice !== null && twice - 1 + version > 95)!;
    for (const version of [1, 9]) {
      const {id, twice} = first(version);
      expect((await graph.ask(source, {models: [{model: 'doubling', version}]})).places).toEqual([{id: String(id), doubled: {twice: twice! - 1 + version, _version: version}, old: {twice, _version: 1}}]);
    }
  });

  it('group rows, order groups and are conditions on them', async () => {
    const {places_groups: groups} = await graph.ask(`{ places_groups(where: {id: {_lt: 60}}, having: {count: {_gt: 1}}, order_by: [{avg: {doubled: {twice: desc}}}]) {
      key { doubled { word twice(bin: 50) } } aggregate { count avg { doubled { twice } } } nodes(limit: 1, order_by: [{doubled: {twice: desc}}]) { id doubled { twice } } } }`);
    const bins = new Map<number | null, {id: number; twice: number | null}[]>();
    for (const row of expected.slice(0, 60)) {
      const bin = row.twice === null ? null : Math.floor(row.twice / 50) * 50;
      bins.set(bin, [...(bins.get(bin) ?? []), row]);
    }
    const mean = (rows: {twice: number | null}[]) => rows.reduce((sum, {twice}) => sum + twice!, 0) / rows.length;
    const found = [...bins].map(([bin, rows]) => {
      const first = rows.toSorted((a, b) => (b.twice ?? 0) - (a.twice ?? 0) || a.id - b.id)[0]!;
      return {
        key: {doubled: {word: bin === null ? null : bin < 0 ? 'minus' : 'plus', twice: bin}}, aggregate: {count: rows.length, avg: {doubled: {twice: bin === null ? null : mean(rows)}}},
        nodes: [{id: String(first.id), doubled: first.twice === null ? null : {twice: first.twice}}],
      };
    });
    expect(groups).toEqual(found.toSorted((a, b) => (b.key.doubled.twice ?? Infinity) - (a.key.doubled.twice ?? Infinity)));
    const having = await graph.ask('{ places_groups(having: {avg: {doubled: {twice: {_gt: 50}}}}) { key { name doubled(version: 3) { big } } aggregate { variance { doubled { twice } } } } }');
    expect(having.places_groups.every((group: any) => group.key.doubled.big !== null)).toBe(true);
  });

  it('that are kept for many rows are not read for a few', async () => {
    // Each of two files has rows enough: the first need not be opened.
    const rows = 140_000;
    await graph.commit('many', 'SELECT i AS id, i::FLOAT AS amount, 0::FLOAT AS bonus FROM range(140000) t(i)', {predictions: [{...doubling, features: {}}], filesOf: 70_000});
    const source = 'query ($least: bigint!, $twice: Float!) { many_aggregate(where: {id: {_gte: $least}, doubled: {twice: {_gte: $twice}}}) { aggregate { count sum { doubled { twice } } } } }';
    const ask = async (least: number, twice: number) => (await graph.ask(source, {least, twice})).many_aggregate.aggregate;
    const right = (least: number) => ({count: rows - least, sum: {doubled: {twice: (rows - least) * (rows + least)}}});
    expect(await ask(0, -1)).toEqual(right(0));
    expect(scoredRows).toBe(rows);
    for (const [least, more] of [[1_000, 0], [rows - 2_048, 2_048], [rows - 2_049, 0], [rows - 10, 10], [rows - 10_000, 0]] as const) {
      scoredRows = 0;
      expect(await ask(least, 0)).toEqual(right(least));
      expect([least, scoredRows]).toEqual([least, more]);
    }
  });

  it('stand in changes, as the row was and as it is', async () => {
    const of = (amounts: string) => `SELECT * FROM (VALUES ${amounts}) AS t(id, amount)`;
    const extra = {contract: {key: ['id']}, predictions: [{...doubling, features: {amount: 'amount', bonus: '0'}}]};
    await graph.commit('keyed', of('(1, 10.5), (2, 20.5), (3, 30.5)'), extra);
    await graph.commit('keyed', of('(1, 10.5), (2, 21.5), (4, 40.5)'), extra);
    const {keyed_changes: changes} = await graph.ask('{ keyed_changes(from: {snapshot: "keyed-0"}) { change before { id doubled { twice } } after { doubled { twice word } } } }');
    expect(changes).toEqual([
      {change: 'updated', before: {id: 2, doubled: {twice: 42}}, after: {doubled: {twice: 44, word: 'plus'}}},
      {change: 'deleted', before: {id: 3, doubled: {twice: 62}}, after: null},
      {change: 'inserted', before: null, after: {doubled: {twice: 82, word: 'plus'}}},
    ]);
    expect(scoredRows).toBe(4);
  });
});
