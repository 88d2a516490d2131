/** Predictions as columns through the whole application: real model, real snapshots, rows scored counted by the metric. */
import type {App} from '../../../src/compose.ts';
import {readdir} from 'node:fs/promises';
import {join} from 'node:path';
import {tableFromIPC} from 'apache-arrow';
import {createClient} from 'graphql-ws';
import {WebSocket} from 'ws';
import {ask, data, putPipeline, runToEnd, useApp} from '../../support/project.ts';
import {Subscriber} from '../../support/subscriber.ts';
import {registerTripsModel, writeTrips} from '../../support/trips.ts';

interface Trip {
  readonly id: number;
  readonly late_arrival: {readonly probability: number; readonly label: boolean};
}

let app: App;
let url: string;
let trips: readonly Trip[];

/** Rows scored since it was asked last. */
let scoredBefore = 0;
async function scored(): Promise<number> {
  const {values} = await app.services.metrics.predictions.get();
  const now = values.reduce((sum, {value}) => sum + value, 0);
  const since = now - scoredBefore;
  scoredBefore = now;
  return since;
}

const keptFiles = async (): Promise<string[]> => (await readdir(join(app.services.config.data.folder, 'scores'), {recursive: true})).filter(name => name.endsWith('.parquet'));

useApp(async started => {
  ({app, url} = started);
  writeTrips(started.project);
  await registerTripsModel(url);
  await runToEnd(url, 'trips_daily');
  await data(url, 'mutation { deployModel(input: {model: "late_arrival", version: 1, alias: "champion", on: "trips"}) { ... on ModelDeployed { field } ... on Failure { code message } } }');
  trips = (await data(url, '{ trips(order_by: [{id: asc}]) { id late_arrival { probability label } } }')).trips as Trip[];
  await scored();
});

test('rows are filtered and ordered by what a model predicts, each file scored once', async () => {
  const probabilities = trips.map(({late_arrival}) => late_arrival.probability).toSorted((a, b) => a - b);
  const middle = probabilities[100]!;
  const source = 'query ($least: Float!) { trips(where: {late_arrival: {probability: {_gte: $least}}}, order_by: [{late_arrival: {probability: desc}}, {id: asc}]) { id late_arrival { probability label } } }';
  const found = trips.filter(({late_arrival}) => late_arrival.probability >= middle).toSorted((a, b) => b.late_arrival.probability - a.late_arrival.probability || a.id - b.id);
  expect((await data(url, source, {least: middle})).trips).toEqual(found);
  expect(await scored()).toBe(200);
  expect((await data(url, source, {least: 0})).trips).toHaveLength(200);
  expect(await scored()).toBe(0);
});

test('an answer that a prediction filtered names the version in its receipt, and verifies', async () => {
  const body = JSON.stringify({query: '{ trips_aggregate(where: {late_arrival: {label: {_eq: true}}}) { aggregate { count } } }'});
  const response = await fetch(`${url}/graphql`, {method: 'POST', headers: {'content-type': 'application/json'}, body});
  const {data: answer, extensions} = (await response.json()) as {data: any; extensions: {receipt: {token: string; versions: string[]}}};
  expect(answer.trips_aggregate.aggregate.count).toBe(trips.filter(({late_arrival}) => late_arrival.label).length);
  expect(extensions.receipt.versions).toEqual(['late_arrival@1']);
  const {verifyReceipt} = await data(url, 'query($receipt: String!) { verifyReceipt(receipt: $receipt) { __typename } }', {receipt: extensions.receipt.token});
  expect(verifyReceipt).toEqual({__typename: 'ReceiptVerified'});
});

test('rows that a prediction chose are streamed, as lines and as Arrow, and followed', async () => {
  const least = trips.map(({late_arrival}) => late_arrival.probability).toSorted((a, b) => b - a)[9]!;
  const query = `{ trips(where: {late_arrival: {probability: {_gte: ${least}}}}, order_by: [{late_arrival: {probability: desc}}, {id: asc}]) { id late_arrival { probability _version } } }`;
  const {trips: expected} = await data(url, query);
  expect(expected.length).toBeGreaterThanOrEqual(10);
  const streamed = (accept: string) => fetch(`${url}/graphql`, {method: 'POST', headers: {'content-type': 'application/json', accept}, body: JSON.stringify({query})});
  const lines = await (await streamed('application/x-ndjson')).text();
  expect(lines.trim().split('\n').map(line => JSON.parse(line))).toEqual(expected);
  const table = tableFromIPC(new Uint8Array(await (await streamed('application/vnd.apache.arrow.stream')).arrayBuffer()));
  expect(JSON.parse(JSON.stringify(table.toArray()))).toMatchObject(expected.map(({id}: {id: number}) => ({id})));
  expect(table.toArray().map(row => row.late_arrival.probability)).toEqual(expected.map((row: any) => row.late_arrival.probability));
  const client = createClient({url: `${url.replace('http', 'ws')}/graphql`, webSocketImpl: WebSocket, retryAttempts: 0});
  try {
    for await (const answer of client.iterate({query: `subscription ${query}`})) {
      expect(answer.data).toEqual({trips: expected});
      break;
    }
    const inOrder = (expected as Trip[]).toSorted((a, b) => a.id - b.id);
    for await (const answer of client.iterate<Record<string, any>>({query: `subscription { trips_stream(batch_size: 4, where: {late_arrival: {probability: {_gte: ${least}}}}) { rows { id late_arrival { probability _version } } } }`})) {
      expect(answer.data!.trips_stream.rows).toEqual(inOrder.slice(0, 4));
      break;
    }
  } finally {
    await client.dispose();
  }
});

describe('what is kept', () => {
  const inputs = 'inbound_flights, inbound_late_share, inbound_mean_delay, outbound_flights, outbound_late_share';
  const everyLeg = '{ legs(order_by: [{id: asc}]) { id late { probability } } }';
  const likely = 'query ($least: Float!) { legs(where: {late: {probability: {_gte: $least}}}, order_by: [{id: asc}]) { id late { probability } } legs_aggregate(where: {late: {probability: {_lt: $least}}}) { aggregate { count max { late { probability } } } } }';
  let half: number;
  let legs: readonly {id: number; late: {probability: number}}[];
  const right = (rows = legs) => {
    const under = rows.filter(({late}) => late.probability < half);
    return {legs: rows.filter(({late}) => late.probability >= half), legs_aggregate: {aggregate: {count: under.length, max: {late: {probability: Math.max(...under.map(({late}) => late.probability))}}}}};
  };
  let first: string;

  beforeAll(async () => {
    await putPipeline(url, 'cities', [{kind: 'sql', name: 'cities', into: 'cities', sql: "SELECT * FROM (VALUES ('Basel', 1), ('Bern', 2), ('Thun', 3)) AS t(name, rank)", contract: {key: ['name']}}]);
    await runToEnd(url, 'cities');
    const leg = (condition: string) => ({
      kind: 'sql', name: 'legs', into: 'legs', mode: 'append', contract: {key: ['id'], foreignKeys: [{column: 'from_city', references: 'cities', as: 'city'}]},
      sql: `SELECT id, from_city, CASE WHEN id % 10 > 0 THEN distance END AS metres, ${inputs} FROM trips WHERE ${condition}`,
    });
    await putPipeline(url, 'first_legs', [leg('id <= 100')]);
    await putPipeline(url, 'more_legs', [leg('id > 100')]);
    await runToEnd(url, 'first_legs');
    const deploy = '{model: "late_arrival", version: 1, alias: "legs", on: "legs", as: "late", features: {distance: "metres * 3"}}';
    const {deployModel} = await data(url, `mutation { deployModel(input: ${deploy}) { ... on ModelDeployed { field } ... on Failure { code message } } }`);
    expect(deployModel).toEqual({field: 'late'});
    legs = (await data(url, everyLeg)).legs;
    half = complete().map(({late}) => late.probability).toSorted((a, b) => a - b)[45]!;
    first = (await data(url, '{ dataset(name: "legs") { head { id } } }')).dataset.head.id;
    await scored();
  }, 60_000);

  // Rows without a distance have no prediction.
  const complete = () => legs.filter(({late}) => late !== null);

  test('is of files: a new snapshot scores its new ones, and an old one none', async () => {
    expect(await data(url, likely, {least: half})).toEqual(right(complete()));
    expect(await scored()).toBe(90);
    await runToEnd(url, 'more_legs');
    const before = legs;
    legs = (await data(url, everyLeg)).legs;
    await scored();
    expect(await data(url, likely, {least: half})).toEqual(right(complete()));
    expect(await scored()).toBe(90);
    const then = await data(url, likely.replace('legs(', `legs(as_of: {snapshot: "${first}"}, `).replace('legs_aggregate(', `legs_aggregate(as_of: {snapshot: "${first}"}, `), {least: half});
    expect(then).toEqual(right(before.filter(({late}) => late !== null)));
    expect(await scored()).toBe(0);
  });

  test('is asked over relationships: exists, orders and lists', async () => {
    const {cities} = await data(url, `query ($least: Float!) { cities(where: {legs: {late: {probability: {_gte: $least}}}}, order_by: [{name: asc}]) {
      name legs(where: {late: {probability: {_gte: $least}}}, order_by: [{late: {probability: desc}}, {id: asc}], limit: 2) { id late { probability } } } }`, {least: half});
    const cityOf = ({id}: {id: number}) => (id % 2 === 0 ? 'Basel' : 'Bern');
    const found = (name: string) => complete().filter(leg => cityOf(leg) === name && leg.late.probability >= half).toSorted((a, b) => b.late.probability - a.late.probability || a.id - b.id).slice(0, 2);
    expect(cities).toEqual(['Basel', 'Bern'].filter(name => found(name).length > 0).map(name => ({name, legs: found(name)})));
    expect(cities.length).toBeGreaterThan(0);
    expect(await scored()).toBe(0);
    const selected = await data(url, '{ cities(order_by: [{name: asc}]) { name legs(order_by: [{id: asc}], limit: 3) { id late { probability } city { name } } } }');
    expect(selected.cities[0].legs).toEqual(legs.filter(leg => cityOf(leg) === 'Basel').slice(0, 3).map(leg => ({...leg, city: {name: 'Basel'}})));
    expect(selected.cities[2]).toEqual({name: 'Thun', legs: []});
    expect(await scored()).toBeLessThanOrEqual(6);
  });

  test('is never read for other rows: a compaction and an erasure make new files', async () => {
    const {compact} = await data(url, 'mutation { compact(dataset: "legs") { ... on Compacted { snapshot { rowCount } } ... on Failure { code message } } }');
    expect(compact.snapshot.rowCount).toBe('200');
    expect(await data(url, likely, {least: half})).toEqual(right(complete()));
    expect(await scored()).toBe(180);
    const kept = await keptFiles();
    const {eraseRows} = await data(url, 'mutation { eraseRows(input: {dataset: "legs", keys: [{id: 7}], reason: "request 9"}) { ... on RowsErased { erasure { rows } } ... on Failure { code message hint } } }');
    expect(eraseRows).toEqual({erasure: {rows: '1'}});
    // Of three files of legs (two appended, one compacted) only the second had no such row.
    expect(kept.filter(file => file.includes('/legs/'))).toHaveLength(3);
    expect((await keptFiles()).filter(file => file.includes('/legs/'))).toHaveLength(1);
    legs = legs.filter(({id}) => id !== 7);
    expect(await data(url, likely, {least: half})).toEqual(right(complete()));
    expect(await scored()).toBe(179);
  });

  test('is of a version: an alias that moves is followed, as of a time it is where it was', async () => {
    const counts = '{ legs_aggregate(where: {late: {probability: {_gte: 0}}}) { aggregate { count } } legs(limit: 1, where: {late: {label: {_in: [true, false]}}}) { late { _version } other: late(version: 1) { _version } } }';
    const before = new Date().toISOString();
    await new Promise(resolve => setTimeout(resolve, 20));
    const {registerModel} = {registerModel: await registerTripsModel(url)};
    expect(registerModel.version.number).toBe(2);
    const live = new Subscriber(url, 'subscription { legs(limit: 1, where: {late: {label: {_in: [true, false]}}}) { late { _version } } }');
    expect((await live.next()).data).toEqual({legs: [{late: {_version: 1}}]});
    await data(url, 'mutation { setAlias(input: {model: "late_arrival", alias: "legs", version: 2}) { __typename } }');
    expect((await live.next()).data).toEqual({legs: [{late: {_version: 2}}]});
    await live.leave();
    await scored();
    expect((await data(url, counts)).legs).toEqual([{late: {_version: 2}, other: {_version: 1}}]);
    // Both versions are the same artifact in the same settings, so what is kept is of both; `other` alone is scored, for its row.
    expect(await scored()).toBe(1);
    const then = await data(url, counts.replace('legs_aggregate(', `legs_aggregate(as_of: {time: "${before}"}, `).replace('legs(', `legs(as_of: {time: "${before}"}, `));
    expect(then.legs[0].late).toEqual({_version: 1});
    expect(await scored()).toBe(1);
    const pinned = await data(url, '{ legs(limit: 1, models: [{model: "late_arrival", version: 1}], where: {late: {probability: {_gt: 0}}}) { late { _version } } }');
    expect(pinned.legs).toEqual([{late: {_version: 1}}]);
  });

  test('that a model is not there is said', async () => {
    const answer = await ask(url, '{ legs(models: [{model: "late_arival", version: 1}], where: {late: {probability: {_gt: 0}}}) { id } }');
    expect(answer.errors?.[0]?.extensions).toMatchObject({code: 'ARGUMENT_INVALID'});
    const version = await ask(url, '{ legs(models: [{model: "late_arrival", version: 9}], where: {late: {probability: {_gt: 0}}}) { id } }');
    expect(version.errors?.[0]?.extensions).toMatchObject({code: 'MODEL_VERSION_NOT_FOUND'});
  });
});

test('models that are not served over a dataset are explained', async () => {
  const states = async () => Object.fromEntries(
    (await data(url, '{ datasets { nodes { name models { state reason missing } } } }')).datasets.nodes.map(({name, models}: any) => [name, models[0]]));
  await putPipeline(url, 'told', [
    {kind: 'sql', name: 'told', into: 'told', sql: 'SELECT * REPLACE (distance::VARCHAR AS distance) FROM trips'}, {kind: 'sql', name: 'untold', into: 'untold', sql: 'SELECT * EXCLUDE (distance) FROM trips'},
  ]);
  await runToEnd(url, 'told');
  expect(await states()).toMatchObject({
    trips: {state: 'SERVED', reason: null, missing: []},
    told: {state: 'FEATURES_MISSING', reason: 'types differ: distance: utf8 for int64', missing: []},
    untold: {state: 'FEATURES_MISSING', reason: 'the inputs distance are no columns of it', missing: ['distance']},
  });
  const deploy = (features: string) => data(url, `mutation { deployModel(input: {model: "late_arrival", version: 1, alias: "told", on: "told", as: "late", features: ${features}}) { ... on ModelDeployed { field } ... on SignatureMismatch { wrongType } ... on Failure { code } } }`);
  expect((await deploy('{}')).deployModel).toMatchObject({code: 'SIGNATURE_MISMATCH'});
  expect((await deploy('{distance: "distance::INTEGER + random()::INTEGER"}')).deployModel).toMatchObject({code: 'SQL_NOT_ALLOWED'});
  expect((await deploy('{distance: "distance::INTEGER"}')).deployModel).toEqual({field: 'late'});
  expect((await data(url, '{ told_aggregate(where: {late: {probability: {_gt: 0}}}) { aggregate { count } } }')).told_aggregate.aggregate.count).toBe(200);
  await data(url, 'mutation { setAlias(input: {model: "late_arrival", alias: "told"}) { __typename } }');
  expect((await states()).told).toEqual({state: 'DISABLED', reason: "its alias 'told' points to no version", missing: []});
  expect((await ask(url, '{ told { late { probability } } }')).errors?.[0]?.message).toContain('late');
});
