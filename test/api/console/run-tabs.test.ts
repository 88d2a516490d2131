/** Every tab of the console, as it stands, against the real application over the sample project. */
import {consoleTabs} from '../../../src/api/console/tabs.ts';
import {collect, data} from '../../support/project.ts';
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
  expect(consoleTabs.map(({title}) => title)).toEqual(['Discover', 'Rows', 'Aggregate', 'Refused', 'StartRun', 'WatchRun', 'Lineage']);
});
