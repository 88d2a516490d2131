/** Every statement of the portable core gives the same rows on Spark. */
import {readFileSync} from 'node:fs';
import type {Query, Table} from '../../../src/engines/engine.ts';
import type {RemoteEngine} from '../../../src/engines/remote-engine.ts';
import {createSparkEngine} from '../../../src/engines/spark/engine.ts';
import {startTestSpark} from '../../support/spark.ts';
import type {TestSpark} from '../../support/spark.ts';
import {cases, testSchema, testTables} from './cases.ts';
import {openBench} from './compare.ts';
import type {Bench} from './compare.ts';

const {analyticQueries}: {analyticQueries: Readonly<Record<string, string>>} = await import(new URL('../../../bench/lib/analytic-queries.mjs', import.meta.url).href);

let server: TestSpark;
let spark: RemoteEngine;
let bench: Bench;
const tables: Record<string, Table> = {};

beforeAll(async () => {
  [server, bench] = await Promise.all([startTestSpark({conf: {'spark.sql.shuffle.partitions': '1'}}), openBench()]);
  spark = createSparkEngine({url: server.url, sessions: 4, keepAliveSeconds: 600, reconnectSeconds: 30, certificates: null});
  await spark.start();
  for (const [name, {rows}] of Object.entries(testTables)) tables[name] = await bench.table(rows, testSchema(name));
}, 300_000);
afterAll(async () => {
  await spark?.stop();
  await Promise.all([server?.close(), bench?.close()]);
});

/** Statements that differ, and how. A few at once: most of the time is spent waiting. */
async function differing(statements: readonly string[], relations: Query['relations']): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {};
  const left = [...statements];
  await Promise.all(Array.from({length: 4}, async () => {
    for (let sql = left.shift(); sql !== undefined; sql = left.shift()) {
      const lines = await bench.differences(sql, relations, spark);
      if (lines.length > 0) found[sql] = lines;
    }
  }));
  return found;
}

test.each(Object.entries(cases))('%s', async (_, statements) => {
  expect(await differing(statements, tables)).toEqual({});
}, 120_000);

describe('flights', () => {
  const relations: Record<string, Query['relations'][string]> = {};
  const folder = new URL('../../../', import.meta.url).pathname;

  beforeAll(async () => {
    const read = async (name: string, sql: string) => {
      const schema = await bench.duck.describe({sql, relations: {}});
      relations[name] = await bench.table(sql, {fields: schema.fields.map((field, index) => ({...field, id: index + 1}))});
    };
    await read('flights_raw', `SELECT * FROM read_parquet('${folder}node_modules/vega-datasets/data/flights-3m.parquet') WHERE date < '2001-01-08'`);
    await read('airports', `SELECT * FROM read_csv('${folder}node_modules/vega-datasets/data/airports.csv')`);
  });

  test('six analytic queries', async () => {
    expect(await differing(Object.values(analyticQueries), relations)).toEqual({});
  }, 120_000);

  test('the sample pipeline', async () => {
    const sql = (name: string) => readFileSync(`${folder}jobs/${name}`, 'utf8');
    const flights = sql('flights.sql').replace('$through', "'2001-01-05'");
    expect(await bench.differences(flights, relations, spark)).toEqual([]);
    relations.flight_predictions = await bench.table(
      `SELECT origin, CAST(delay AS INTEGER) AS delay, CAST((delay + 60) % 100 / 100 AS FLOAT) AS probability FROM read_parquet('${folder}node_modules/vega-datasets/data/flights-3m.parquet') WHERE date < '2001-01-08' AND delay > -60`,
      {fields: [{id: 1, name: 'origin', type: {kind: 'utf8'}, nullable: true}, {id: 2, name: 'delay', type: {kind: 'int', bits: 32, signed: true}, nullable: true}, {id: 3, name: 'probability', type: {kind: 'float', bits: 32}, nullable: true}]},
    );
    expect(await bench.differences(sql('airport_delays.sql'), relations, spark)).toEqual([]);
  }, 120_000);
});
