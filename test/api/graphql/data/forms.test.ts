import type {GraphQLObjectType} from 'graphql';
import {TestGraph} from '../../../support/data-graph.ts';

let graph: TestGraph;
beforeAll(async () => {
  graph = await TestGraph.start();
});
afterAll(() => graph.stop());

/** What the graph answers for one value of SQL. */
async function shown(expression: string, selection = 'x'): Promise<unknown> {
  await graph.commit('one', `SELECT ${expression} AS x`, {schema: await graph.engine.describe({sql: `SELECT ${expression} AS x`, relations: {}})});
  return (await graph.ask(`{ one { ${selection} } }`)).one[0].x;
}

describe('JSON forms', () => {
  it.each([
    ["127::TINYINT", 127],
    ['(-2147483648)::INTEGER', -2147483648],
    ['4294967295::UINTEGER', '4294967295'],
    ['9223372036854775807::BIGINT', '9223372036854775807'],
    ['18446744073709551615::UBIGINT', '18446744073709551615'],
    ["'123456789012345678.9000'::DECIMAL(38, 4)", '123456789012345678.9000'],
    ['0.1::DOUBLE', 0.1],
    ['0.1::FLOAT', 0.10000000149011612],
    ['1e300::DOUBLE', 1e300],
    ['5e-324::DOUBLE', 5e-324],
    ["'nan'::DOUBLE", 'NaN'],
    ["'inf'::FLOAT", 'Infinity'],
    ["'-inf'::DOUBLE", '-Infinity'],
    ["'nul' || chr(7) || '\"\\😀'", 'nul\u0007"\\😀'],
    ["DATE '2001-02-28'", '2001-02-28'],
    ["TIMESTAMP '2001-02-28 13:00:00'", '2001-02-28T13:00:00'],
    ["TIMESTAMP '2001-02-28 13:00:00.000123'", '2001-02-28T13:00:00.000123'],
    ["TIMESTAMPTZ '2001-02-28 13:00:00.5+02'", '2001-02-28T11:00:00.5Z'],
    ["TIME '13:00:00'", '13:00:00'],
    ["'\\x00\\xFF'::BLOB", 'AP8='],
    ["'8d3f0c1e-0000-4000-8000-00000000000a'::UUID", '8d3f0c1e-0000-4000-8000-00000000000a'],
    ["[1::BIGINT, NULL]", ['1', null]],
    ["[['nan'::DOUBLE, 1.5]]", [['NaN', 1.5]]],
    ['NULL::BIGINT', null],
    ['NULL::DOUBLE', null],
    ['NULL::INTEGER[]', null],
  ])('%s → %j', async (expression, expected) => {
    expect(await shown(expression)).toEqual(expected);
  });

  it.each([
    '12::TINYINT', '4294967295::UINTEGER', '(-9223372036854775807)::BIGINT', '18446744073709551615::UBIGINT', "'12.3400'::DECIMAL(18, 4)", "'-99999999999999999999999999999999999.9'::DECIMAL(38, 1)", '0.1::DOUBLE', '0.1::FLOAT', "'it''s'",
    'true', "DATE '2001-02-28'", "TIMESTAMP '2001-02-28 13:00:00.000123'", "TIMESTAMPTZ '2001-02-28 13:00:00.5+02'", "TIME '13:00:00.25'", "'\\x00\\xFF'::BLOB", "'8d3f0c1e-0000-4000-8000-00000000000a'::UUID",
  ])('of %s is what finds the row again', async expression => {
    const value = await shown(expression);
    const kind = String((graph.graph.graph.schema.getType('one') as GraphQLObjectType).getFields().x!.type);
    const source = `query ($x: ${kind}!, $many: [${kind}!]) { eq: one(where: {x: {_eq: $x}}) { x } in: one(where: {x: {_in: $many}}) { x } neq: one(where: {x: {_neq: $x}}) { x } gte: one(where: {x: {_gte: ${JSON.stringify(value)}}}) { x } }`;
    expect(await graph.ask(source, {x: value, many: [value]})).toEqual({eq: [{x: value}], in: [{x: value}], neq: [], gte: [{x: value}]});
    expect((await graph.ask(source, {x: value, many: Array.from({length: 20}, () => value)})).in).toEqual([{x: value}]);
  });

  it('compares JSON by what it contains', async () => {
    await graph.commit('docs', "SELECT '{\"a\": {\"b\": [1, 2]}, \"c\": null}'::JSON AS doc", {schema: {fields: [{id: 1, name: 'doc', type: {kind: 'json'}, nullable: true}]}});
    const answer = await graph.ask('query ($v: jsonb) { yes: docs(where: {doc: {_contains: {a: {b: [2]}}}}) { doc } no: docs(where: {doc: {_contains: $v}}) { doc } key: docs(where: {doc: {_has_key: "c"}}) { doc } }', {v: {a: 1}});
    const doc = {a: {b: [1, 2]}, c: null};
    expect(answer).toEqual({yes: [{doc}], no: [], key: [{doc}]});
  });

  it('shows structs, also in lists, and maps as entries', async () => {
    expect(await shown("{'a': 1::BIGINT, 'b': {'c': DATE '2001-01-01'}}", 'x { __typename a inner: b { c } }')).toEqual({__typename: 'one__x', a: '1', inner: {c: '2001-01-01'}});
    expect(await shown("[{'a': 1, 'b': 0.5::DOUBLE}, NULL]", 'x { b }')).toEqual([{b: 0.5}, null]);
    expect(await shown("MAP {'k': 1.5::DOUBLE, 'l': 'nan'::DOUBLE}", 'x { key value }')).toEqual([{key: 'k', value: 1.5}, {key: 'l', value: 'NaN'}]);
  });

  it('sums floats alike in any order, and says what is not finite', async () => {
    await graph.commit('sums', 'SELECT CASE WHEN i % 2 = 0 THEN 1e15 ELSE 0.1 END + i / 7.0::DOUBLE AS x, i AS n FROM range(50000) t(i)', {filesOf: 7000});
    const sum = async (where: string) => (await graph.ask(`{ sums_aggregate(where: ${where}) { aggregate { sum { x } avg { x } count } } }`)).sums_aggregate.aggregate;
    const whole = await sum('{}');
    for (let n = 0; n < 3; n++) expect(await sum('{}')).toEqual(whole);
    const [low, high] = [await sum('{n: {_lt: "20000"}}'), await sum('{n: {_gte: "20000"}}')];
    expect(low.count + high.count).toBe(whole.count);
    await graph.commit('odd', "SELECT * FROM (VALUES ('inf'::DOUBLE, 1.5::DOUBLE), ('-inf', NULL), (1.0, 2.5)) t(x, y)");
    expect((await graph.ask('{ odd_aggregate { aggregate { sum { x y } avg { y } max { x } min { x } } } }')).odd_aggregate.aggregate).toEqual({sum: {x: 'NaN', y: 4}, avg: {y: 2}, max: {x: 'Infinity'}, min: {x: '-Infinity'}});
  });
});

describe('values of callers', () => {
  beforeAll(() => graph.commit('words', "SELECT * FROM (VALUES ('a''); DROP TABLE words; --'), ('$1'), ('x')) t(word)"));

  it('never become SQL', async () => {
    const word = "a'); DROP TABLE words; --";
    const find = 'query ($w: String, $l: [String!]) { eq: words(where: {word: {_eq: $w}}) { word } in: words(where: {word: {_in: $l}}) { word } }';
    expect(await graph.ask(find, {w: word, l: [word, '$1', "'"]})).toEqual({eq: [{word}], in: [{word}, {word: '$1'}]});
    expect((await graph.ask(find, {w: '', l: Array.from({length: 100}, (_, n) => (n === 50 ? word : `'${n}`))})).in).toEqual([{word}]);
    expect((await graph.ask(`{ words(where: {word: {_eq: ${JSON.stringify(word)}}}) { word } }`)).words).toHaveLength(1);
    for (const {sql} of graph.statements) expect(sql).not.toContain('DROP');
  });

  it.each([
    ['{ numbers(where: {big: {_eq: "12a"}}) { big } }', /no bigint/],
    ['{ numbers(where: {big: {_eq: "9223372036854775808"}}) { big } }', /range/],
    ['{ numbers(where: {at: {_gt: "2001-02-30"}}) { big } }', /no timestamp/],
    ['{ numbers(where: {word: {_like: "a\\\\"}}) { big } }', /backslash/],
    ['{ numbers(where: {price: {_eq: "1.1234567890123456789"}}) { big } }', /digits/],
    ['{ numbers(where: {word: {_regex: "("}}) { big } }', /pattern/],
    ['{ numbers(where: {word: {_similar: "a**"}}) { big } }', /pattern/],
  ])('%s is refused', async (source, message) => {
    if (!graph.snapshots.has('numbers')) await graph.commit('numbers', "SELECT 1::BIGINT AS big, 1.5::DECIMAL(18,2) AS price, now()::TIMESTAMP AS at, 'w' AS word");
    const {errors} = await graph.execute(source);
    expect(errors?.[0]!.message).toMatch(message);
    // What the scalars refuse is refused by validation, before there is a code.
    expect(errors?.[0]!.extensions.code ?? 'GRAPHQL_VALIDATION_FAILED').toMatch(/ARGUMENT_INVALID|GRAPHQL_VALIDATION_FAILED/);
  });
});

describe('time', () => {
  it('as_of answers earlier states, in the columns of today', async () => {
    await graph.commit('states', 'SELECT 1 AS a', {committedAt: new Date('2001-01-01T00:00:00Z')});
    await graph.commit('states', "SELECT 2 AS a, 'new' AS b", {committedAt: new Date('2001-02-01T00:00:00Z'), schema: await graph.engine.describe({sql: "SELECT 2 AS a, 'new' AS b", relations: {}})});
    expect(await graph.ask('query ($t: DateTime!) { now: states { a b } then: states(as_of: {time: $t}) { a b } id: states(as_of: {snapshot: "states-0"}) { a } n: states_aggregate(as_of: {snapshot: "states-0"}) { aggregate { sum { a } } } }', {t: '2001-01-15T00:00:00Z'})).toEqual({
      now: [{a: 2, b: 'new'}],
      then: [{a: 1, b: null}],
      id: [{a: 1}],
      n: {aggregate: {sum: {a: '1'}}},
    });
  });
});
