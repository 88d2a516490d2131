import {buildSchema, GraphQLError, parse, validate} from 'graphql';
import {MillraceError} from '../../../src/core/errors.ts';
import {RawJson, stringify} from '../../../src/api/graphql/stringify.ts';
import {TestGraph} from '../../support/data-graph.ts';

const core = buildSchema('type Query { hello(name: String = "you"): String! fails: Int! may: Int run(id: ID!): Run } type Run { id: ID! } type Mutation { go: Int }');
const query = core.getQueryType()!.getFields();
query.hello!.resolve = (_, {name}, context) => `hello ${String(name)} ${String((context as {tone?: string}).tone ?? '')}`.trim();
query.fails!.resolve = () => {
  throw new MillraceError('RUN_NOT_FOUND', {id: 'r'});
};
query.may!.resolve = query.fails!.resolve;
query.run!.resolve = (_, {id}) => ({id: id as string});
core.getMutationType()!.getFields().go!.resolve = () => 1;

let graph: TestGraph;
beforeAll(async () => {
  graph = await TestGraph.start({core});
  await graph.commit('things', "SELECT i::INT AS n FROM range(3) t(i)", {contract: {key: ['n']}});
});
afterAll(() => graph.stop());

const text = async (source: string, variables?: Record<string, unknown>, operation?: string) => stringify((await graph.execute(source, variables, operation)) as never);

describe('one operation over both graphs', () => {
  it('answers in the order of the document', async () => {
    expect(await text('query ($n: String, $with: Boolean = false) { a: things(limit: 1) { n } hello(name: $n) ...rest __typename } fragment rest on Query { b: things(offset: 2) { n } run(id: 1) { id } c: hello @include(if: $with) }', {n: 'b'})).toBe(
      '{"data":{"a":[{"n":0}],"hello":"hello b","b":[{"n":2}],"run":{"id":"1"},"__typename":"Query"}}',
    );
  });

  it('leaves pure core operations, mutations and introspection to graphql-js', async () => {
    expect(await text('{ hello }')).toBe('{"data":{"hello":"hello you"}}');
    expect(await text('mutation { go }')).toBe('{"data":{"go":1}}');
    const fields = JSON.parse(await text('{ __schema { queryType { fields { name } } } things { n } }')) as {data: {__schema: {queryType: {fields: {name: string}[]}}}};
    expect(fields.data.__schema.queryType.fields.map(({name}) => name)).toEqual(['hello', 'fails', 'may', 'run', 'things', 'things_by_pk', 'things_aggregate', 'things_groups', 'things_changes']);
  });

  it('chooses the operation by name', async () => {
    expect(await text('query A { things(limit: 1) { n } } query B { hello }', {}, 'A')).toBe('{"data":{"things":[{"n":0}]}}');
    expect(await text('query A { things(limit: 1) { n } } query B { hello }', {}, 'B')).toBe('{"data":{"hello":"hello you"}}');
  });

  it('lets nulls rise as far as the types say', async () => {
    const both = await graph.execute('{ may things { n } }');
    expect(both.errors).toHaveLength(1);
    expect(both.errors![0]!.path).toEqual(['may']);
    expect(both.data).toMatchObject({may: null, things: expect.any(RawJson)});
    const risen = await graph.execute('{ fails things { n } }');
    expect(risen.data).toBeNull();
    const list = await graph.execute('{ hello things(limit: -1) { n } }');
    expect(list).toMatchObject({data: null, errors: [{message: expect.stringContaining('limit')}]});
    expect(list.errors![0]!.extensions).toMatchObject({code: 'ARGUMENT_INVALID', hint: expect.any(String)});
    expect(list.errors![0]!.path).toEqual(['things']);
  });

  it('reports variables of wrong types as graphql-js does', async () => {
    const {errors, data} = await graph.execute('query ($n: Int) { things(limit: $n) { n } }', {n: 'x'});
    expect(data).toBeUndefined();
    expect(errors![0]).toBeInstanceOf(GraphQLError);
    expect(errors![0]!.message).toMatch(/Variable "\$n" got invalid value/);
  });

  it('runs root fields at once, and one statement for each', async () => {
    const before = graph.statements.length;
    await graph.ask('{ a: things { n } b: things_by_pk(n: 1) { n } c: things(where: {n: {_gt: 1}}) { n } }');
    expect(graph.statements.length - before).toBe(3);
  });

  it('keeps a bounded number of plans', async () => {
    for (let n = 0; n < 50; n++) await graph.ask(`{ things(limit: ${n}) { n } }`);
    expect(graph.graph.planCount).toBeLessThanOrEqual(1000);
    const document = parse('query ($l: [Int!]!) { things(where: {n: {_in: $l}}) { n } }');
    expect(validate(graph.graph.graph.schema, document)).toEqual([]);
    const plans = graph.graph.planCount;
    for (let n = 1; n <= 40; n++) {
      const result = await graph.graph.execute({document, variables: {l: Array.from({length: n}, (_, i) => i)}, coreContext: {}, data: graph.context()});
      expect(JSON.parse((result.data as {things: RawJson}).things.text)).toHaveLength(Math.min(n, 3));
    }
    expect(graph.graph.planCount - plans).toBe(6);
  });
});
