import {readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {DuckDBInstance} from '@duckdb/node-api';
import type {DuckDBConnection} from '@duckdb/node-api';
import {typeName} from '../../src/schemas/schema.ts';
import {createOnnxRuntime} from '../../src/inference/onnx/onnx-runtime.ts';
import {artifactOf, limits} from './models.ts';
import type {Examples} from '../../src/inference/runtime.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = `${root}/jobs/models/late_arrival`;
const statement = readFileSync(`${root}/jobs/flights.sql`, 'utf8');

let instance: DuckDBInstance;
let connection: DuckDBConnection;
beforeAll(async () => {
  instance = await DuckDBInstance.create(':memory:', {threads: '2'});
  connection = await instance.connect();
});
afterAll(() => {
  connection.closeSync();
  instance.closeSync();
});

test('the sample model passes the gate and answers as scikit-learn did', async () => {
  const runtime = createOnnxRuntime({threads: 1});
  const examples = JSON.parse(readFileSync(`${folder}/examples.json`, 'utf8')) as Examples;
  const report = await runtime.inspect(artifactOf('late_arrival', [], folder), {...limits, examples});
  expect(report.parity!.rows).toBe(200);
  expect(report.settings.tolerance).toBe(0);
  expect(report.signature.outputs.map(field => `${field.name}: ${typeName(field.type)}`)).toEqual(['label: bool', 'probability: float32']);

  // Its inputs are columns of the statement, of types that fit without loss.
  await connection.run("CREATE OR REPLACE VIEW flights_raw AS SELECT NULL::TIMESTAMP AS date, 0::BIGINT AS delay, 0::BIGINT AS distance, '' AS origin, '' AS destination");
  const described = await connection.runAndReadAll(`DESCRIBE ${statement.replaceAll('$through', "'2001-01-01'")}`);
  const columns = Object.fromEntries(described.getRows().map(([name, type]) => [String(name), String(type)]));
  const fitting: Record<string, string[]> = {int64: ['BIGINT', 'INTEGER'], float32: ['FLOAT']};
  for (const field of report.signature.inputs) expect(fitting[typeName(field.type)]).toContain(columns[field.name]);
  await runtime.stop();
});

interface Flight {
  readonly minute: number;
  readonly arrival: number;
  readonly delay: number;
  readonly origin: string;
  readonly destination: string;
}

describe('what is known of an airport', () => {
  beforeAll(() => connection.run(`CREATE OR REPLACE VIEW flights_raw AS SELECT * FROM read_parquet('${root}/node_modules/vega-datasets/data/flights-3m.parquet') WHERE date < '2001-01-03'`));

  test('is what a plain count of the flights before gives', async () => {
    const reader = await connection.runAndReadAll(
      `SELECT epoch_us(date) // 60000000 AS minute, delay, distance, origin, destination, inbound_flights, inbound_late_share, inbound_mean_delay, outbound_flights, outbound_late_share FROM (${statement})`,
      {through: '2001-01-01'});
    const rows = reader.getRows().map(row => row.map(value => (typeof value === 'bigint' ? Number(value) : value)) as (number & string)[]);
    const flights = rows.map(([minute, delay, distance, origin, destination]): Flight =>
      ({minute: minute!, delay: delay!, origin: origin!, destination: destination!, arrival: minute! + 30 + Math.floor((distance! * 60) / 500)}));
    expect(rows.length).toBeGreaterThan(10_000);
    for (let index = 0; index < rows.length; index += 37) {
      const {minute, origin} = flights[index]!;
      const slot = Math.floor(minute / 10);
      const known = flights.filter(({arrival}) => Math.floor(arrival / 10) >= slot - 12 && Math.floor(arrival / 10) < slot);
      const inbound = known.filter(flight => flight.destination === origin);
      const outbound = known.filter(flight => flight.origin === origin);
      const share = (of: readonly Flight[]): number => Math.fround(of.length === 0 ? 0 : of.filter(({delay}) => delay > 15).length / of.length);
      const delays = inbound.reduce((sum, {delay}) => sum + Math.max(-60, Math.min(240, delay)), 0);
      expect(rows[index]!.slice(5)).toEqual([
        inbound.length, share(inbound), inbound.length === 0 ? 0 : Math.fround(delays / inbound.length), outbound.length, share(outbound),
      ]);
    }
  });

  test('does not depend on what comes later', async () => {
    const count = async (through: string): Promise<unknown> =>
      (await connection.runAndReadAll(`SELECT count(*), sum(hash(COLUMNS(*)::VARCHAR)) FROM (${statement}) WHERE date < '2001-01-02'`, {through})).getRowsJson();
    expect(await count('2001-01-01')).toEqual(await count('2001-01-02'));
  });
});
