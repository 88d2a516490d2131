/**
 * The whole path through the real API: a raw file becomes a snapshot, a pipeline makes datasets of it, a model predicts on them, and
 * one typed graph shows all of it while it happens.
 */
import {collect, data, runEvents, runToEnd, useApp} from './support/project.ts';
import type {Project} from './support/project.ts';
import {registerTripsModel, writeTrips} from './support/trips.ts';

describe('the spine', () => {
  let project: Project;
  let url: string;

  useApp(started => {
    ({project, url} = started);
    writeTrips(project);
  });

  test('a model comes in through the gate', async () => {
    const registerModel = await registerTripsModel(url);
    expect(registerModel.version).toMatchObject({number: 1, aliases: ['champion']});
    expect(registerModel.version.outputs.map((output: {name: string}) => output.name)).toEqual(['label', 'probability']);
  });

  let firstRun: string;
  let firstSnapshot: string;

  test('a run makes snapshots and tells of it live, in order, each event once', async () => {
    const {id, events} = await runToEnd(url, 'trips_daily');
    firstRun = id;
    expect(events.at(-1)).toMatchObject({__typename: 'RunFinished', run: {status: 'SUCCEEDED', error: null}});
    expect(events.map(event => Number(event.seq))).toEqual(events.map((_, index) => index + 1));
    const commits = events.filter(event => event.__typename === 'SnapshotCommitted');
    expect(commits.map(event => [event.dataset.name, event.snapshot.rowCount])).toEqual([['trips_raw', '200'], ['trips', '200'], ['trip_predictions', '200']]);
    firstSnapshot = commits[1]!.snapshot.id;
    const late = await collect(url, runEvents, {id, after: String(events.length - 3)});
    expect(late.map(event => event.runEvents.seq)).toEqual(events.slice(-3).map(event => event.seq));
  });

  test('its datasets are typed rows of the graph at once', async () => {
    const {trips, trips_aggregate, trips_by_pk, trip_predictions} = await data(url, `{
      trips(where: {from_city: {_eq: "Basel"}, minutes: {_gte: 50}}, order_by: [{minutes: desc}, {id: asc}], limit: 2) { id from_city minutes }
      trips_aggregate { aggregate { count sum { minutes } avg { minutes } max { distance } } }
      trips_by_pk(id: 7) { id minutes }
      trip_predictions(limit: 1) { id label probability }
    }`);
    expect(trips).toEqual([{id: 60, from_city: 'Basel', minutes: 59}, {id: 120, from_city: 'Basel', minutes: 59}]);
    expect(trips_aggregate.aggregate).toMatchObject({count: 200, max: {distance: 299}});
    expect(trips_by_pk).toEqual({id: 7, minutes: 6});
    expect(trip_predictions[0].probability).toBeGreaterThan(0);
  });

  test('a deployed model is a typed field of the rows, equal to the predict step', async () => {
    const {deployModel} = await data(url, `mutation { deployModel(input: {model: "late_arrival", version: 1, alias: "champion", on: "trips"}) {
      ... on ModelDeployed { field } ... on Failure { code message hint } } }`);
    expect(deployModel).toEqual({field: 'late_arrival'});
    const {trips, trip_predictions} = await data(url, `{
      trips(order_by: [{id: asc}]) { id late_arrival { probability label _version } }
      trip_predictions(order_by: [{id: asc}]) { id probability label }
    }`);
    expect(trips).toHaveLength(200);
    expect(trips.map((row: any) => [row.id, row.late_arrival.probability, row.late_arrival.label])).toEqual(
      trip_predictions.map((row: any) => [row.id, row.probability, row.label]));
    expect(trips[0].late_arrival._version).toBe(1);
  });

  test('what did not change is reused; what did makes a new snapshot, and the old one stays', async () => {
    const again = await runToEnd(url, 'trips_daily');
    expect(again.events.filter(event => event.__typename === 'SnapshotCommitted').map(event => event.reused)).toEqual([true, true, true]);
    const more = await runToEnd(url, 'trips_daily', {least: 30});
    expect(more.events.filter(event => event.__typename === 'SnapshotCommitted').map(event => event.reused)).toEqual([true, false, false]);
    const {now, before, byRun} = await data(url, `query($snapshot: ID!, $run: ID!) {
      now: trips_aggregate { aggregate { count } }
      before: trips_aggregate(as_of: {snapshot: $snapshot}) { aggregate { count } }
      byRun: trip_predictions_aggregate(as_of: {run: $run}) { aggregate { count } }
    }`, {snapshot: firstSnapshot, run: firstRun});
    expect([now, before, byRun].map(part => part.aggregate.count)).toEqual([90, 200, 200]);
  });

  test('an answer carries a receipt that can be verified', async () => {
    const response = await fetch(`${url}/graphql`, {method: 'POST', headers: {'content-type': 'application/json'}, body: JSON.stringify({query: '{ trips(limit: 3) { id late_arrival { probability } } }'})});
    const {extensions} = (await response.json()) as {extensions: {receipt: {token: string}}};
    const {verifyReceipt} = await data(url, `query($receipt: String!) { verifyReceipt(receipt: $receipt) { __typename ... on Failure { code message } } }`, {receipt: extensions.receipt.token});
    expect(verifyReceipt.__typename).toBe('ReceiptVerified');
  });

  test('lineage leads from the predictions to the raw file', async () => {
    const {dataset} = await data(url, `{ dataset(name: "trip_predictions") { head { id } } }`);
    const {lineage} = await data(url, `query($id: ID!) { lineage(of: {snapshot: $id}) { nodes { __typename ... on RawFile { id path sha256 } ... on Snapshot { id } ... on Run { id } ... on ModelVersion { id } } edges { from to kind } } }`, {id: dataset.head.id});
    const kinds = lineage.nodes.map((node: any) => node.__typename);
    const ids = new Set(lineage.nodes.map((node: any) => node.id));
    expect(lineage.edges.flatMap((edge: any) => [edge.from, edge.to]).filter((id: string) => !ids.has(id))).toEqual([]);
    expect(kinds).toEqual(expect.arrayContaining(['RawFile', 'Snapshot', 'Run', 'ModelVersion']));
    expect(lineage.nodes.find((node: any) => node.__typename === 'RawFile').path).toBe('data/trips.csv');
  });
});
