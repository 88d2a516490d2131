import type {Column, ColumnBatch} from '../../../../src/engines/engine.ts';
import type {DataContext, GraphPrediction, PredictionPin} from '../../../../src/api/graphql/data/graph-model.ts';
import type {ModelVersionRecord} from '../../../../src/models/models.ts';
import type {DataType} from '../../../../src/schemas/schema.ts';
import {streamRows} from '../../../../src/api/graphql/streams/stream-rows.ts';
import {TestGraph} from '../../../support/data-graph.ts';

const float32: DataType = {kind: 'float', bits: 32};
const int32: DataType = {kind: 'int', bits: 32, signed: true};

/** `twice` = 2 × amount, exact in 32 bits; `big` = whether it is over 100. */
const doubling: GraphPrediction = {
  field: 'doubled',
  model: 'doubling',
  inputs: [{id: 0, name: 'amount', type: float32, nullable: false}, {id: 0, name: 'bonus', type: int32, nullable: false}],
  outputs: [{id: 0, name: 'twice', type: float32, nullable: true}, {id: 0, name: 'big', type: {kind: 'bool'}, nullable: false}, {id: 0, name: 'word', type: {kind: 'utf8'}, nullable: false}],
  features: {bonus: 'length(name)'},
};

let graph: TestGraph;
let asked: {rows: number; pin: PredictionPin}[] = [];

const score: DataContext['score'] = async (_dataset, prediction, pin, batch: ColumnBatch) => {
  asked.push({rows: batch.rowCount, pin});
  expect(prediction.model).toBe('doubling');
  const [amount, bonus] = batch.columns as Extract<Column, {kind: 'numbers'}>[];
  expect(amount!.values.constructor.name).toBe('Float32Array');
  const twice = Float32Array.from({length: batch.rowCount}, (_, row) => 2 * (Number(amount!.values[row]) + Number(bonus!.values[row])));
  return {
    columns: [
      {kind: 'numbers', type: float32, values: twice, validity: null},
      {kind: 'booleans', values: Uint8Array.from(twice, value => (value > 100 ? 1 : 0)), validity: null},
      {kind: 'strings', dictionary: ['$& "quoted"', 'plain'], indices: Uint32Array.from(twice, (_, row) => row % 2), validity: null},
    ],
    version: {number: pin.version ?? 7} as ModelVersionRecord,
  };
};

beforeAll(async () => {
  graph = await TestGraph.start();
  graph.score = (...args) => score(...args);
  await graph.commit('places', "SELECT * FROM (VALUES ('x', 10.5), ('y', 90.0), ('z', NULL)) t(name, amount)", {contract: {key: ['name']}, predictions: [doubling]});
  await graph.commit('visits', "SELECT i AS n, CASE i % 4 WHEN 0 THEN 'x' WHEN 1 THEN 'y' WHEN 2 THEN 'z' END AS place FROM range(10000) t(i)", {contract: {foreignKeys: [{column: 'place', references: 'places', as: 'at'}]}});
});
beforeEach(() => (asked = []));
afterAll(() => graph.stop());

describe('predictions', () => {
  it('are fields of rows, null where an input is null', async () => {
    const answer = await graph.ask('{ places(order_by: {name: asc}) { name p: doubled { __typename twice big word _version _model } } }');
    expect(answer.places).toEqual([
      {name: 'x', p: {__typename: 'doubling', twice: 23, big: false, word: '$& "quoted"', _version: 7, _model: 'doubling'}},
      {name: 'y', p: {__typename: 'doubling', twice: 182, big: true, word: 'plain', _version: 7, _model: 'doubling'}},
      {name: 'z', p: null},
    ]);
    expect(asked).toEqual([{rows: 2, pin: {version: undefined, alias: undefined, at: undefined}}]);
  });

  it('are asked of versions and aliases, with inputs replaced', async () => {
    const source = 'query ($a: Float) { places_by_pk(name: "z") { old: doubled(version: 3, set: {amount: $a}) { twice _version } other: doubled(alias: "next", set: {amount: 1, bonus: 0}) { twice } } }';
    expect(await graph.ask(source, {a: 4})).toEqual({places_by_pk: {old: {twice: 10, _version: 3}, other: {twice: 2}}});
    expect(asked.map(({pin}) => pin)).toEqual([{version: 3}, {alias: 'next'}]);
    expect(await graph.ask(source, {a: 0.5})).toMatchObject({places_by_pk: {old: {twice: 3}}});
  });

  it('stand under related rows and under nodes, scored in batches', async () => {
    const {visits, visits_aggregate: all} = await graph.ask('{ visits(order_by: {n: desc}) { n at { name doubled { twice } } } visits_aggregate(limit: 2) { nodes { at { doubled { big } } } aggregate { count } } }');
    expect(visits).toHaveLength(10_000);
    expect(visits[0]).toEqual({n: '9999', at: null});
    expect(visits[1]).toEqual({n: '9998', at: {name: 'z', doubled: null}});
    expect(visits[2]).toEqual({n: '9997', at: {name: 'y', doubled: {twice: 182}}});
    expect(all).toEqual({nodes: [{at: {doubled: {big: false}}}, {at: {doubled: {big: true}}}], aggregate: {count: 2}});
    expect(asked.length).toBeLessThan(10);
  });

  it('stand in streamed lines as in an ordinary answer', async () => {
    const source = '{ visits(order_by: {n: desc}) { n at { name doubled { twice word } } } }';
    const {visits} = await graph.ask(source);
    const context = graph.context();
    const compiled = graph.graph.compileStream({document: graph.parse(source)}, context.viewer.limits, 'texts');
    const pieces: Uint8Array[] = [];
    for await (const piece of streamRows({...compiled, graph: graph.graph.graph, context})) pieces.push(piece);
    expect(pieces.length).toBeGreaterThan(1);
    expect(Buffer.concat(pieces).toString()).toBe((visits as object[]).map(row => `${JSON.stringify(row)}\n`).join(''));
  });

  it('stand in lists of related rows at any depth, all of them scored together', async () => {
    await graph.commit('parts', "SELECT 1 AS id, 'x' AS place UNION ALL SELECT 7, 'x' UNION ALL SELECT NULL, 'y'", {contract: {foreignKeys: [{column: 'place', references: 'places'}]}, predictions: [{...doubling, features: {amount: 'id', bonus: 'id'}}]});
    const answer = await graph.ask(`query ($bonus: Int) { places(order_by: [{name: asc}]) { name doubled { big } parts(order_by: [{id: asc}]) { id doubled { t: twice __typename } set: doubled(version: 4, set: {bonus: $bonus}) { word _version }
      related: place_row { doubled { twice } } } } }`, {bonus: 3});
    const x = {related: {doubled: {twice: 23}}};
    expect(answer).toEqual({places: [
      {name: 'x', doubled: {big: false}, parts: [
        {id: 1, doubled: {t: 4, __typename: 'doubling'}, set: {word: '$& "quoted"', _version: 4}, ...x}, {id: 7, doubled: {t: 28, __typename: 'doubling'}, set: {word: 'plain', _version: 4}, ...x}]},
      {name: 'y', doubled: {big: true}, parts: [{id: null, doubled: null, set: null, related: {doubled: {twice: 182}}}]},
      {name: 'z', doubled: null, parts: []},
    ]});
    expect(asked.map(({rows}) => rows).toSorted()).toEqual([2, 2, 2, 3]);
  });

  it('of aliases follow the time asked for', async () => {
    const time = new Date(Date.now() + 1000).toISOString();
    await graph.ask(`{ places(as_of: {time: "${time}"}, limit: 1) { doubled { twice } } }`);
    expect(asked[0]!.pin.at).toEqual(new Date(time));
  });
});
