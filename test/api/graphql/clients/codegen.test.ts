/** Types that graphql-codegen makes of the graph and of documents compile in strict mode, and say what answers are. */
import {execFile} from 'node:child_process';
import {mkdir, writeFile} from 'node:fs/promises';
import {join, resolve} from 'node:path';
import {promisify} from 'node:util';
import {codegen} from '@graphql-codegen/core';
import * as typescript from '@graphql-codegen/typescript';
import * as operations from '@graphql-codegen/typescript-operations';
import {buildClientSchema, getIntrospectionQuery, parse, printSchema} from 'graphql';
import type {IntrospectionQuery} from 'graphql';
import {data, putPipeline, runToEnd, useApp} from '../../../support/project.ts';
import type {Project} from '../../../support/project.ts';

let project: Project;
let url: string;

useApp(started => ({project, url} = started));

const documents = `
  query Rows($where: trips_bool_exp, $order: [trips_order_by!], $limit: Int = 10) {
    trips(where: $where, order_by: $order, limit: $limit) { ...Trip }
    trips_aggregate(where: $where) { aggregate { count avg { delay } max { at } } }
    trips_groups(where: $where) { key { city } aggregate { count } }
  }
  fragment Trip on trips { _row_id id delay at price city_row { name } }
  query One($id: bigint!) { cities_by_pk(name: "Bern") { name trips(order_by: [{delay: desc_nulls_last}]) { id } } dataset(name: "trips") { rowCount } one: trips(where: {id: {_eq: $id}}) { id } }
  mutation Start { startRun(input: {pipeline: "p"}) { __typename ... on RunStarted { run { id status } } ... on Failure { code hint } } }
  subscription Watch($id: ID!) { runEvents(runId: $id) { __typename seq ... on StepProgress { fraction } } }
`;

/** As values travel in JSON. */
const scalars = {
  ...Object.fromEntries(['bigint', 'numeric', 'timestamp', 'timestamptz', 'date', 'time', 'interval', 'uuid', 'bytea', 'BigInt', 'DateTime'].map(name => [name, 'string'])),
  jsonb: 'unknown', JSON: 'unknown',
};

/** Holds exactly if answers have the types that the data have: each expectation of an error is one itself where there is none. */
const use = `
import type {RowsQuery, RowsQueryVariables, OneQuery, StartMutation} from './graph.ts';

export const asked: RowsQueryVariables = {where: {delay: {_gt: 5}, city: {_in: ['Bern']}, _or: [{id: {_eq: '1'}}]}, order: [{at: 'desc_nulls_last'}]};
// @ts-expect-error the operator is unknown
export const wrong: RowsQueryVariables = {where: {delay: {_above: 5}}};

export function read(rows: RowsQuery, one: OneQuery, started: StartMutation): (string | number | null | undefined)[] {
  const [trip] = rows.trips;
  // @ts-expect-error the list may be empty
  trip.id;
  if (!trip) return [];
  // @ts-expect-error it may be null
  const delay: number = trip.delay;
  const maybe: number | null = trip.delay ?? null;
  if (started.startRun.__typename === 'RunStarted') return [started.startRun.run.id];
  return [maybe, delay, trip._row_id, trip.city_row?.name, rows.trips_aggregate.aggregate?.avg?.delay, one.cities_by_pk?.name];
}
`;

test('graphql-codegen makes types of it that compile in strict mode', async () => {
  project.write('cities.csv', 'name\nBern\nThun\n');
  project.write('trips.csv', 'id,delay,at,price,city\n9007199254740993,5,2024-01-01 10:00:00,1.25,Bern\n9007199254740994,,2024-01-02 10:00:00,2.50,Thun\n');
  await putPipeline(url, 'p', [
    {kind: 'ingest', name: 'cities', source: {path: 'cities.csv'}, into: 'cities', contract: {key: ['name']}},
    {kind: 'ingest', name: 'trips', source: {path: 'trips.csv'}, into: 'trips', after: ['cities'], contract: {key: ['id'], foreignKeys: [{column: 'city', references: 'cities'}]}},
  ]);
  await runToEnd(url, 'p');
  const schema = buildClientSchema((await data(url, getIntrospectionQuery({inputValueDeprecation: true, oneOf: true}))) as unknown as IntrospectionQuery);
  const folder = join(project.folder, 'client');
  await mkdir(folder);
  for (const [filename, plugins] of [['schema.ts', [{typescript: {}}]], ['graph.ts', [{operations: {}}]]] as const) {
    const made = await codegen({
      schema: parse(printSchema(schema)),
      documents: [{document: parse(documents)}],
      filename,
      config: {strictScalars: true, useTypeImports: true, enumsAsTypes: true, scalars},
      plugins: [...plugins],
      pluginMap: {typescript, operations},
    });
    await writeFile(join(folder, filename), made);
  }
  await writeFile(join(folder, 'use.ts'), use);
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({compilerOptions: {strict: true, noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true, module: 'esnext', moduleResolution: 'bundler', target: 'esnext', allowImportingTsExtensions: true, noEmit: true, types: []}}));
  const {stdout} = await promisify(execFile)(resolve('node_modules/.bin/tsc'), ['-p', folder]).catch((error: {stdout: string}) => error);
  expect(stdout).toBe('');
}, 60_000);
