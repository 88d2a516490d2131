import {jest} from '@jest/globals';
import {buildSchema, GraphQLSchema, lexicographicSortSchema, parse, printSchema, printType, validate, validateSchema} from 'graphql';
import type {GraphQLObjectType} from 'graphql';
import {buildDataSchema, swapDataSchema} from '../../../../src/api/graphql/data/data-schema.ts';
import type {GraphDataset, GraphPrediction} from '../../../../src/api/graphql/data/graph-model.ts';
import {validationRules} from '../../../../src/api/graphql/validation-rules.ts';
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

/** All that is wrong with a schema: lazy ones are assumed to be valid. */
const problemsOf = (schema: GraphQLSchema) => validateSchema(new GraphQLSchema({...schema.toConfig(), assumeValid: false}));

describe('data schema', () => {
  it('names types as Hasura does', () => {
    const {schema} = buildDataSchema({version: 1n, datasets: [airports, flights]}, core);
    expect(problemsOf(schema)).toEqual([]);
    expect(printSchema(lexicographicSortSchema(schema))).not.toContain('undefined');
    const shown = ['flights', 'airports', 'flights_bool_exp', 'flights_order_by', 'flights_aggregate', 'flights_aggregate_fields', 'flights_select_column', 'late_arrival', 'late_arrival_set_input', 'flights__place', 'Query']
      .map(name => printType(schema.getType(name)!).replace(/ *"""[^"]*"""\n/g, ''))
      .join('\n');
    expect(shown).toMatchSnapshot();
  });

  it('swaps one dataset and what is related with it, and nothing else', () => {
    const others = [wide('a'), wide('b')];
    const first = buildDataSchema({version: 1n, datasets: [airports, flights, ...others]}, core);
    const [a, airportsBefore] = [first.schema.getType('a'), first.schema.getType('airports')];
    const second = swapDataSchema(first, {version: 2n, datasets: [airports, {...flights, schema: {fields: flights.schema.fields.slice(0, 2)}}, ...others]});
    expect(second.schema.getType('a')).toBe(a);
    expect(second.schema.getType('airports')).not.toBe(airportsBefore);
    expect(problemsOf(second.schema)).toEqual([]);
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
    expect(problemsOf(third.schema)).toEqual([]);
  });

  it('gives one model over two datasets one type, and another signature a type of its own', () => {
    const {schema} = buildDataSchema({version: 1n, datasets: [airports, flights, dataset('b', [field('delay', types[0]!)], {predictions: [late]}), dataset('c', [field('x', types[0]!)], {predictions: [{...late, outputs: []}]})]}, core);
    expect((schema.getType('b') as GraphQLObjectType).getFields().late!.type.toString()).toBe('late_arrival');
    expect((schema.getType('c') as GraphQLObjectType).getFields().late!.type.toString()).toBe('c__late');
  });

  it('refuses a dataset whose fields the core graph has, and keeps the old schema', () => {
    const first = buildDataSchema({version: 1n, datasets: [airports]}, core);
    expect(() => swapDataSchema(first, {version: 2n, datasets: [airports, wide('ping')]})).toThrow(/taken/);
    expect(problemsOf(first.schema)).toEqual([]);
  });

  it('makes the types of datasets that are asked for, and no others', () => {
    const datasets = Array.from({length: 1000}, (_, index) => wide(`d${index}`));
    const made = jest.fn();
    const watched = datasets.map(one => ({...one, get schema() {
      made(one.name);
      return one.schema;
    }}));
    const built = buildDataSchema({version: 1n, datasets: watched}, core);
    made.mockClear();
    expect(validate(built.schema, parse('query ($where: d7_bool_exp) { d5(where: {c0: {_gt: 1}}) { ...row } d7(where: $where) { c1 } } fragment row on d5 { c0 c2 }'), validationRules)).toEqual([]);
    expect(new Set(made.mock.calls.flat())).toEqual(new Set(['d5', 'd7']));
    made.mockClear();
    const next = swapDataSchema(built, {version: 2n, datasets: watched.with(9, wide('d9', 20))});
    expect((next.schema.getType('d9') as GraphQLObjectType).getFields().c19).toBeDefined();
    expect(made).not.toHaveBeenCalledWith('d5');
    expect(Object.keys(next.schema.getTypeMap()).length / 1000).toBeLessThan(23);
  });

  it('says what is unknown, with what is near', () => {
    const {schema} = buildDataSchema({version: 1n, datasets: [airports, flights]}, core);
    const messages = (document: string) => validate(schema, parse(document), validationRules).map(({message}) => message);
    expect(messages('query ($where: flight_bool_exp) { flights(where: $where) { delay } }')).toEqual([expect.stringMatching(/^Unknown type "flight_bool_exp"\. Did you mean 'flights_bool_exp'/)]);
    expect(messages('{ flightz { delay } }')).toEqual([expect.stringMatching(/^Cannot query field "flightz" on type "Query"\. Did you mean "flights"/)]);
    expect(messages('query ($x: Int_comparison_exp, $y: String_comparison_exp) { flights(where: {delay: $x, origin: $y}) { delay } }')).toEqual([]);
  });

  it('lets no dataset be named so that the types of two meet', () => {
    const nested = dataset('a', [field('b', {kind: 'struct', fields: [field('c', types[0]!)]})]);
    const {schema} = buildDataSchema({version: 1n, datasets: [nested, dataset('a_b', [field('c', types[1]!)])]}, core);
    expect((schema.getType('a__b') as GraphQLObjectType).getFields().c!.type.toString()).toBe('Int');
    expect((schema.getType('a_b') as GraphQLObjectType).getFields().c!.type.toString()).toBe('String');
    expect(schema.getType('a_b_bool_exp')).toBeDefined();
    expect(problemsOf(schema)).toEqual([]);
  });
});
