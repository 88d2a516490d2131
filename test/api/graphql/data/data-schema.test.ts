import {buildSchema, printType, validateSchema} from 'graphql';
import type {GraphQLObjectType} from 'graphql';
import {buildDataSchema, swapDataSchema} from '../../../../src/api/graphql/data/data-schema.ts';
import type {GraphDataset, GraphPrediction} from '../../../../src/api/graphql/data/graph-model.ts';
import type {DataType, Field} from '../../../../src/schemas/schema.ts';

const core = buildSchema('type Query { ping: String }');
const types: DataType[] = [{kind: 'int', bits: 32, signed: true}, {kind: 'utf8'}, {kind: 'float', bits: 64}, {kind: 'timestamp', zoned: false}, {kind: 'int', bits: 64, signed: true}];
const field = (name: string, type: DataType, nullable = true): Field => ({id: 0, name, type, nullable});
const dataset = (name: string, fields: Field[], rest: Partial<GraphDataset> = {}): GraphDataset => ({name, schema: {fields}, contract: {}, predictions: [], ...rest});
const wide = (name: string, columns = 30) => dataset(name, Array.from({length: columns}, (_, index) => field(`c${index}`, types[index % types.length]!)));

const airports = dataset('airports', [field('iata', types[1]!, false), field('state', types[1]!)], {contract: {key: ['iata']}});
const late: GraphPrediction = {field: 'late', model: 'late_arrival', inputs: [field('delay', types[0]!)], outputs: [field('probability', {kind: 'float', bits: 32}, false)], features: {}};
const flights = dataset('flights', [field('delay', types[0]!), field('origin', types[1]!), field('tags', {kind: 'list', element: field('element', types[1]!)}), field('place', {kind: 'struct', fields: [field('lat', types[2]!)]})], {
  contract: {foreignKeys: [{column: 'origin', references: 'airports'}]},
  predictions: [late],
});

describe('data schema', () => {
  it('names types as Hasura does', () => {
    const {schema} = buildDataSchema({version: 1n, datasets: [airports, flights]}, core);
    expect(validateSchema(schema)).toEqual([]);
    const shown = ['flights', 'airports', 'flights_bool_exp', 'flights_order_by', 'flights_aggregate', 'flights_aggregate_fields', 'flights_select_column', 'late_arrival', 'late_arrival_set_input', 'flights__place', 'Query']
      .map(name => printType(schema.getType(name)!).replace(/ *"""[^"]*"""\n/g, ''))
      .join('\n');
    expect(shown).toMatchSnapshot();
  });

  it('swaps one dataset and what is related with it, and nothing else', () => {
    const others = [wide('a'), wide('b')];
    const first = buildDataSchema({version: 1n, datasets: [airports, flights, ...others]}, core);
    const second = swapDataSchema(first, {version: 2n, datasets: [airports, {...flights, schema: {fields: flights.schema.fields.slice(0, 2)}}, ...others]});
    expect(second.schema.getType('a')).toBe(first.schema.getType('a'));
    expect(second.schema.getType('airports')).not.toBe(first.schema.getType('airports'));
    expect(validateSchema(second.schema)).toEqual([]);
    expect((second.schema.getType('airports') as GraphQLObjectType).getFields().flights!.type.toString()).toBe('[flights!]!');
    expect((first.schema.getType('flights') as GraphQLObjectType).getFields().tags).toBeDefined();
    expect((second.schema.getType('flights') as GraphQLObjectType).getFields().tags).toBeUndefined();
    const third = swapDataSchema(second, {version: 3n, datasets: [airports, ...others]});
    expect((third.schema.getType('airports') as GraphQLObjectType).getFields().flights).toBeUndefined();
    expect(third.schema.getQueryType()!.getFields().flights).toBeUndefined();
    expect(third.schema.getType('late_arrival')).toBeUndefined();
    expect(swapDataSchema(third, {version: 4n, datasets: [airports, ...others]}).schema).toBe(third.schema);
  });

  it('adds a prediction and takes a changed signature', () => {
    const bare = {...flights, predictions: []};
    const first = buildDataSchema({version: 1n, datasets: [airports, bare]}, core);
    const second = swapDataSchema(first, {version: 2n, datasets: [airports, flights]});
    expect(second.schema.getType('late_arrival')).toBeDefined();
    const third = swapDataSchema(second, {version: 3n, datasets: [airports, {...flights, predictions: [{...late, outputs: [...late.outputs, field('label', {kind: 'bool'})]}]}]});
    expect(Object.keys((third.schema.getType('late_arrival') as GraphQLObjectType).getFields())).toContain('label');
    expect(validateSchema(third.schema)).toEqual([]);
  });

  it('gives one model over two datasets one type, and another signature a type of its own', () => {
    const {schema} = buildDataSchema({version: 1n, datasets: [airports, flights, dataset('b', [field('delay', types[0]!)], {predictions: [late]}), dataset('c', [field('x', types[0]!)], {predictions: [{...late, outputs: []}]})]}, core);
    expect((schema.getType('b') as GraphQLObjectType).getFields().late!.type.toString()).toBe('late_arrival');
    expect((schema.getType('c') as GraphQLObjectType).getFields().late!.type.toString()).toBe('c__late');
  });

  it('refuses a dataset whose fields the core graph has, and keeps the old schema', () => {
    const first = buildDataSchema({version: 1n, datasets: [airports]}, core);
    expect(() => swapDataSchema(first, {version: 2n, datasets: [airports, wide('ping')]})).toThrow(/taken/);
    expect(validateSchema(first.schema)).toEqual([]);
  });

  it('builds 300 datasets of 30 columns with few types, and swaps one quickly', () => {
    const datasets = Array.from({length: 300}, (_, index) => wide(`d${index}`));
    const start = performance.now();
    let schema = buildDataSchema({version: 1n, datasets}, core);
    const building = performance.now() - start;
    expect(Object.keys(schema.schema.getTypeMap()).length / 300).toBeLessThan(11);
    const times = Array.from({length: 5}, (_, index) => {
      const begin = performance.now();
      schema = swapDataSchema(schema, {version: 2n, datasets: datasets.with(5, wide('d5', 20 + index))});
      return performance.now() - begin;
    });
    // Milliseconds belong to the benchmarks: this machine may be busy.
    expect(Math.min(...times)).toBeLessThan(building / 2);
  });
});
