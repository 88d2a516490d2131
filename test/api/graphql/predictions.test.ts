/** Predictions as columns through the whole application: real model, real snapshots, rows scored counted by the metric. */
import type {App} from '../../../src/compose.ts';
import {data, runToEnd, useApp} from '../../support/project.ts';
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
