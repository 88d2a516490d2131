import {bindParams} from '../../src/pipelines/bind-params.ts';
import {canonicalJson, definitionHash, parseDefinition, parseParams, topologicalOrder} from '../../src/pipelines/definition.ts';
import type {Step} from '../../src/pipelines/pipeline.ts';

const code = (work: () => unknown): string => {
  try {
    work();
    return 'nothing was thrown';
  } catch (error) {
    return (error as {code: string}).code;
  }
};

describe('a definition', () => {
  const step = {kind: 'sql', name: 'a', into: 'a', sql: 'SELECT 1'};

  test.each([
    ['no steps', {name: 'p', steps: []}],
    ['an unknown kind', {name: 'p', steps: [{kind: 'magic', name: 'a'}]}],
    ['an unknown key', {name: 'p', steps: [{...step, colour: 'red'}]}],
    ['two steps of one name', {name: 'p', steps: [step, {...step, into: 'b'}]}],
    ['two steps that write one dataset', {name: 'p', steps: [step, {...step, name: 'b'}]}],
    ['a source with two places', {name: 'p', steps: [{kind: 'ingest', name: 'a', into: 'a', source: {path: 'x', upload: 'y'}}]}],
    ['a default of another type', {name: 'p', params: {n: {type: 'int', default: 'x'}}, steps: [step]}],
    ['a file outside the published folder', {name: 'p', steps: [{kind: 'publish', name: 'p', input: 'a', format: 'csv', file: '../x.csv'}]}],
    ['a file and a table to publish to', {name: 'p', steps: [{kind: 'publish', name: 'p', input: 'a', format: 'csv', file: 'x.csv', to: {hive: {table: 'shop.a'}}}]}],
    ['a file without a format', {name: 'p', steps: [{kind: 'publish', name: 'p', input: 'a', file: 'x.csv'}]}],
    ['a table without a database', {name: 'p', steps: [{kind: 'publish', name: 'p', input: 'a', to: {hive: {table: 'a'}}}]}],
    ['no object', 'SELECT 1'],
  ])('with %s is refused', (_what, definition) => {
    expect(code(() => parseDefinition(definition))).toBe('PIPELINE_INVALID');
  });

  test('has one hash whatever the order of its keys', () => {
    expect(definitionHash({b: 1, a: {d: [1, {y: 1, x: 2}], c: 2}})).toBe(definitionHash({a: {c: 2, d: [1, {x: 2, y: 1}]}, b: 1}));
    expect(canonicalJson({b: 1n, a: [2, 1]})).toBe('{"a":[2,1],"b":"1"}');
  });
});

describe('parameters', () => {
  const specs = {through: {type: 'date'}, n: {type: 'int', default: 3}, on: {type: 'bool', default: false}} as const;

  test('get their defaults', () => {
    expect(parseParams(specs, {through: '2001-05-31'})).toEqual({through: '2001-05-31', n: 3, on: false});
  });

  test('are refused with every problem at once', () => {
    expect(() => parseParams(specs, {through: '2001-02-30', n: 1.5, extra: 1})).toThrow(/'extra' is no parameter.*'through' must be a date.*'n' must be of type int/);
  });

  test('become typed positions, but not in text, names or comments', () => {
    const {sql, params, used} = bindParams(
      `SELECT '$n', "$n", $$ $n $$, $tag$ $n $tag$, $n + $n -- $n\n/* $n */ FROM t WHERE day < $through`, specs, {through: '2001-05-31', n: 3},
    );
    expect(sql).toBe(`SELECT '$n', "$n", $$ $n $$, $tag$ $n $tag$, CAST($1 AS BIGINT) + CAST($1 AS BIGINT) -- $n\n/* $n */ FROM t WHERE day < CAST($2 AS DATE)`);
    expect(params).toEqual([3, '2001-05-31']);
    expect(used).toEqual(['n', 'through']);
  });

  test('that are none are refused', () => {
    expect(code(() => bindParams('SELECT $wrong', specs, {}))).toBe('SQL_INVALID');
  });
});

describe('the order of steps', () => {
  const steps = ['a', 'b', 'c'].map((name): Step => ({kind: 'sql', name, into: name, sql: 'SELECT 1'}));

  test('puts each after what it needs', () => {
    const ordered = topologicalOrder(steps, new Map([['a', ['b']], ['b', ['c']]]));
    expect(ordered.map(step => step.name)).toEqual(['c', 'b', 'a']);
  });

  test('does not exist for a circle, which is named', () => {
    expect(() => topologicalOrder(steps, new Map([['a', ['b']], ['b', ['c']], ['c', ['b']]]))).toThrow(/b → c → b/);
  });
});
