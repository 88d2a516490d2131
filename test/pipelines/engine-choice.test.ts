/** Which engine runs a step, and why: what the run says, then the step, the pipeline, the configuration; `auto` by the bytes to read. */
import {withLiterals} from '../../src/pipelines/bind-params.ts';
import {chosenEngine, remoteEngine} from '../../src/pipelines/engine-choice.ts';
import type {Remotes} from '../../src/pipelines/engine-choice.ts';
import {ask, data, useApp} from '../support/project.ts';

const remotes = (given: Partial<Remotes> = {}): Remotes => ({engines: {}, translate: () => ({sql: '', relations: {}}), initial: 'duckdb', autoBytes: 1_000_000, ...given});
const configured = {spark: {address: 'sc://127.0.0.1:15002'}, hive: {address: null}} as unknown as Remotes['engines'];
const said = (run: 'spark' | 'duckdb' | 'auto' | null, step?: 'hive' | 'auto', pipeline?: 'spark') => ({run, step: {engine: step}, definition: {engine: pipeline}});

test('the run wins over the step, that over the pipeline, that over the configuration', () => {
  expect(chosenEngine(said('duckdb', 'hive', 'spark'), 1, remotes()).name).toBe('duckdb');
  expect(chosenEngine(said(null, 'hive', 'spark'), 1, remotes())).toEqual({name: 'hive', why: 'the step says so'});
  expect(chosenEngine(said(null, undefined, 'spark'), 1, remotes())).toEqual({name: 'spark', why: 'the pipeline says so'});
  expect(chosenEngine(said(null), 1, remotes({initial: 'spark'}))).toEqual({name: 'spark', why: 'the configuration says so'});
});

test('auto: by the bytes to read, on what is configured; not known before the inputs are made', () => {
  expect(chosenEngine(said('auto'), 1_000_000, remotes({engines: configured})).name).toBe('duckdb');
  expect(chosenEngine(said('auto'), 1_000_001, remotes({engines: configured}))).toEqual({name: 'spark', why: 'it reads 1 MB, more than the 1 MB that are for this machine'});
  expect(chosenEngine(said('auto'), 5_000_000, remotes())).toEqual({name: 'duckdb', why: 'it reads 5 MB, which is much for this machine, but no other engine is configured'});
  expect(chosenEngine(said(null, 'auto'), null, remotes({engines: configured}))).toEqual({name: 'auto', why: 'what it reads is yet to be made'});
});

test('an engine without an address is no engine', () => {
  expect(() => remoteEngine(remotes({engines: configured}), 'hive')).toThrow(expect.objectContaining({code: 'ENGINE_UNAVAILABLE'}));
  expect(() => remoteEngine(remotes(), 'spark')).toThrow(expect.objectContaining({code: 'ENGINE_UNAVAILABLE'}));
  expect(remoteEngine(remotes({engines: configured}), 'spark')).toBe(configured.spark);
});

test('parameters of a variant become literals that cannot end early', () => {
  const specs = {name: {type: 'string'}, n: {type: 'int'}, x: {type: 'float'}, day: {type: 'date'}, on: {type: 'bool'}} as const;
  const values = {name: "a'); DROP\\$".concat('{x}'), n: -5, x: 0.1, day: '2001-06-30', on: true};
  expect(withLiterals("SELECT $name, $n, $x, $day, $on, '$name', `a` -- $n", specs, values)).toBe("SELECT 'a\\'); DROP\\\\\\u0024{x}', -5, CAST('0.1' AS DOUBLE), DATE '2001-06-30', true, '$name', `a` -- $n");
  expect(withLiterals('SELECT $name', specs, {})).toBe('SELECT NULL');
  expect(() => withLiterals('SELECT $other', specs, values)).toThrow(expect.objectContaining({code: 'SQL_INVALID'}));
});

describe('through the graph', () => {
  let url: string;
  useApp(async started => {
    ({url} = started);
    await data(url, `mutation($d: JSON!) { createPipeline(definition: $d) { __typename } }`, {d: {
      name: 'placed', steps: [
        {kind: 'ingest', name: 'airports', into: 'airports', source: {path: 'package:vega-datasets/data/airports.csv'}},
        {kind: 'sql', name: 'states', into: 'states', sql: 'SELECT state, count(*) AS n FROM airports GROUP BY state', engine: 'auto', variants: {spark: 'SELECT 1'}},
      ],
    }});
  });
  const plan = async (more = ''): Promise<unknown> => (await data(url, `{ planRun(input: {pipeline: "placed"${more}}) { __typename ... on RunPlan { steps { name engine engineReason } } ... on Failure { code message } } }`)).planRun;

  test('a plan says what runs each step, and why', async () => {
    expect(await plan()).toEqual({__typename: 'RunPlan', steps: [
      {name: 'airports', engine: 'duckdb', engineReason: 'steps of its kind are done by the embedded engine'},
      {name: 'states', engine: 'auto', engineReason: 'what it reads is yet to be made'},
    ]});
    expect(await plan(', engine: DUCKDB')).toMatchObject({steps: [{}, {engine: 'duckdb', engineReason: 'the run says so'}]});
    const {errors} = await ask(url, '{ planRun(input: {pipeline: "placed", engine: SPARK}) { __typename } }');
    expect(errors).toMatchObject([{message: expect.stringContaining('no address is configured'), extensions: {code: 'ENGINE_UNAVAILABLE'}}]);
  });

  test('the engines there are, and how they are', async () => {
    const {engines} = await data(url, '{ engines { name health version address capabilities { embedded } } }');
    expect(engines[0]).toEqual({name: 'DUCKDB', health: 'READY', version: expect.stringMatching(/^v?\d/), address: null, capabilities: {embedded: true}});
    for (const other of engines.slice(1)) expect(other).toMatchObject({health: 'UNSET', version: null, address: null, capabilities: {embedded: false}});
  });

  test('a step is not verified against itself, nor one that is none', async () => {
    const verify = async (step: string, engines: string): Promise<unknown> => (await data(url, `mutation { verifyStep(input: {pipeline: "placed", step: "${step}", engines: [${engines}]}) { __typename ... on Failure { code message } } }`)).verifyStep;
    expect(await verify('states', 'DUCKDB, DUCKDB')).toMatchObject({code: 'ARGUMENT_INVALID', message: expect.stringContaining('two different ones')});
    expect(await verify('airports', 'DUCKDB, SPARK')).toMatchObject({code: 'ARGUMENT_INVALID', message: expect.stringContaining("'airports' is no SQL step")});
    expect(await verify('none', 'DUCKDB, SPARK')).toMatchObject({code: 'ARGUMENT_INVALID', message: expect.stringContaining("has no step 'none'")});
  });
});
