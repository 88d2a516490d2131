/** Every tab of the console, as it stands, against the real application over the sample project. */
import {consoleTabs} from '../../../src/api/console/tabs.ts';
import {collect, data, runToEnd} from '../../support/project.ts';
import {Subscriber} from '../../support/subscriber.ts';
import {startSample} from '../../support/sample-project.ts';
import type {SampleApp} from '../../support/sample-project.ts';

let sample: SampleApp;
beforeAll(async () => {
  sample = await startSample();
}, 120_000);
afterAll(() => sample.stop());

const tab = (title: string) => consoleTabs.find((candidate) => candidate.title === title)!;
const ask = (title: string) => data(sample.url, tab(title).query, tab(title).variables);

test('Discover shows datasets, the model and the pipeline', async () => {
  const {datasets, models, pipelines} = await ask('Discover');
  expect(datasets.nodes.map(({name}: {name: string}) => name)).toEqual(['airport_delays', 'airports', 'birdstrikes', 'birdstrikes_quarantine', 'flight_predictions', 'flights', 'flights_raw', 'movies', 'zipcodes']);
  expect(models[0].deployments).toEqual([{dataset: {name: 'flights'}, field: 'late_arrival', alias: 'champion'}]);
  expect(pipelines.map(({name, steps}: {name: string; steps: unknown[]}) => [name, steps.length])).toEqual([['archive', 2], ['flight_delays', 7]]);
});

test('Rows shows flights with their airport and a prediction', async () => {
  const {flights} = await ask('Rows');
  expect(flights).toHaveLength(10);
  for (const flight of flights) {
    expect(flight).toMatchObject({origin_airport: {state: 'GA'}, delay: expect.any(Number), late_arrival: {label: expect.any(Boolean), probability: expect.any(Number)}});
    expect(flight.inbound_late_share).toBeGreaterThan(0);
  }
});

test('Aggregate tells calm hours from congested ones', async () => {
  const {calm, congested, airport_delays} = await ask('Aggregate');
  expect(calm.aggregate.count).toBeGreaterThan(100);
  expect(congested.aggregate.count).toBeGreaterThan(100);
  expect(congested.aggregate.avg.delay).toBeGreaterThan(calm.aggregate.avg.delay);
  expect(airport_delays).toEqual([]);
});

test('Refused shows the strikes whose damage is no word of the contract', async () => {
  const {dataset, birdstrikes_quarantine} = await ask('Refused');
  expect(dataset).toMatchObject({rowCount: '9985', contract: {onBadRow: 'QUARANTINE'}, quarantine: {rowCount: '15'}});
  expect(birdstrikes_quarantine).toHaveLength(5);
  for (const row of birdstrikes_quarantine) expect(row).toMatchObject({effect_amount_of_damage: expect.stringMatching(/^[BC]$/), quarantine_file: expect.stringContaining('birdstrikes.csv')});
});

test('Groups shows the airports with the worst delays, and the months', async () => {
  const {worst, months} = await data(sample.url, tab('Groups').query, {least: 100});
  expect(worst).toHaveLength(4);
  const delays = worst.map(({aggregate}: {aggregate: {avg: {delay: number}}}) => aggregate.avg.delay);
  expect(delays).toEqual(delays.toSorted((a: number, b: number) => b - a));
  for (const {key, nodes, aggregate} of worst) {
    expect(key.origin_airport.city).toEqual(expect.any(String));
    expect(nodes[0].delay).toBeGreaterThanOrEqual(aggregate.quantile.delay);
  }
  expect(months).toEqual([{key: {date: '2001-06-01T00:00:00'}, aggregate: {count: 4000, avg: {delay: expect.any(Number)}}}]);
});

test('Predict shows the flights that the model holds for late, and what it would say otherwise', async () => {
  const {flights} = await data(sample.url, tab('Predict').query, {origin: 'ATL', least: 0.2});
  expect(flights).toHaveLength(5);
  const probabilities = flights.map(({late_arrival}: {late_arrival: {probability: number}}) => late_arrival.probability);
  expect(probabilities).toEqual(probabilities.toSorted((a: number, b: number) => b - a));
  for (const flight of flights) expect(flight.inbound_on_time.probability).toBeLessThan(flight.late_arrival.probability);
});

test('Live answers again when a run makes other flights', async () => {
  const subscriber = new Subscriber(sample.url, tab('Live').query);
  try {
    expect(await subscriber.until(() => true)).toMatchObject({flights_aggregate: {aggregate: {count: 4000}}});
    await runToEnd(sample.url, 'flight_delays', {through: '2001-06-15'});
    expect(await subscriber.until(() => true)).toMatchObject({flights_aggregate: {aggregate: {count: 2000, max: {date: expect.stringMatching(/^2001-06-14/)}}}});
  } finally {
    await subscriber.leave();
  }
}, 60_000);

test('StartRun starts a run that makes new snapshots, and WatchRun follows it to its end', async () => {
  const {startRun} = await ask('StartRun');
  expect(startRun).toMatchObject({__typename: 'RunStarted', run: {status: 'QUEUED'}});
  const {query, variables} = tab('WatchRun');
  const events = (await collect(sample.url, query, {...variables, runId: startRun.run.id})).map(({runEvents}) => runEvents);
  expect(events.map(({seq}) => Number(seq))).toEqual(events.map((_, index) => index + 1));
  expect(events.at(-1)).toMatchObject({__typename: 'RunFinished', run: {status: 'SUCCEEDED'}});
  const commits = events.filter(({__typename}) => __typename === 'SnapshotCommitted');
  expect(commits.map(({dataset, reused}) => [dataset.name, reused])).toEqual(expect.arrayContaining([['airports', true], ['flights_raw', true], ['flights', false]]));
});

test('Lineage leads from the prediction to the model and the columns of the raw file', async () => {
  const {lineage} = await ask('Lineage');
  const kinds = new Set(lineage.nodes.map(({__typename}: {__typename: string}) => __typename));
  expect([...kinds].toSorted()).toEqual(['ModelVersion', 'RawFile', 'Run', 'Snapshot']);
  const columns: string[] = lineage.edges.flatMap((edge: {columns: string[]}) => edge.columns);
  expect(columns).toEqual(expect.arrayContaining(['probability = flights.inbound_late_share', 'inbound_late_share = flights_raw.delay']));
  expect(lineage.verifyCommand).toContain('data/flights.csv');
});

test('there is no tab without a test here', () => {
  expect(consoleTabs.map(({title}) => title)).toEqual(['Discover', 'Rows', 'Aggregate', 'Groups', 'Predict', 'Live', 'Refused', 'StartRun', 'WatchRun', 'Lineage']);
});
