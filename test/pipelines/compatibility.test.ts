/** Compatibility decided at commits and in plans, and what a refused change would have broken, over the real services. */
import {data, runToEnd, useApp} from '../support/project.ts';
import {registerTripsModel, writeTrips} from '../support/trips.ts';

let url: string;
useApp(async started => {
  ({url} = started);
  writeTrips(started.project);
  await registerTripsModel(url);
});

const columns = `SELECT id, from_city, minutes, inbound_flights, inbound_late_share::REAL AS inbound_late_share, inbound_mean_delay::REAL AS inbound_mean_delay,
  outbound_flights, outbound_late_share::REAL AS outbound_late_share, distance FROM trips_raw`;
const put = async (name: string, steps: readonly object[]): Promise<void> => {
  const {createPipeline} = await data(url, `mutation($d: JSON!) { createPipeline(definition: $d) { __typename ... on Failure { code message } } }`, {d: {name, steps}});
  expect(createPipeline).toEqual({__typename: 'PipelineCreated'});
};
const run = async (name: string): Promise<Record<string, any>> => (await runToEnd(url, name)).events.at(-1)!.run;
const plan = async (name: string): Promise<Record<string, any>> => (await data(url, `query($p: String!) { planRun(input: {pipeline: $p}) {
  __typename ... on RunPlan { steps { name schemaChanges } }
  ... on SchemaIncompatible { code message hint changes { kind column from to backward forward compatible text } breaks { kind name detail } } } }`, {p: name})).planRun;

test('a change the mode does not allow is refused by the plan and by the run, with what it breaks', async () => {
  expect((await run('trips_daily')).status).toBe('SUCCEEDED');
  const {deployModel} = await data(url, `mutation { deployModel(input: {model: "late_arrival", version: 1, on: "trips"}) { __typename ... on Failure { code message } } }`);
  expect(deployModel.__typename).toBe('ModelDeployed');

  const trips = (sql: string): object => ({kind: 'sql', name: 'trips', into: 'trips', sql, contract: {key: ['id'], compatibility: 'forward'}});
  await put('other_trips', [trips(columns)]);
  expect((await run('other_trips')).status).toBe('SUCCEEDED');
  await put('reports', [
    {kind: 'sql', name: 'by_city', into: 'by_city', sql: 'SELECT from_city, avg(minutes) AS minutes FROM trips GROUP BY from_city'},
    {kind: 'sql', name: 'visits', into: 'visits', sql: 'SELECT id AS trip FROM trips', contract: {foreignKeys: [{column: 'trip', references: 'trips'}]}},
  ]);
  expect((await run('reports')).status).toBe('SUCCEEDED');
  // What does not work as things are is not said to be broken by the change.
  await put('wrong', [{kind: 'sql', name: 'wrong', into: 'wrong', sql: 'SELECT no_such_column FROM trips'}]);

  await put('other_trips', [trips(`SELECT * EXCLUDE (minutes, inbound_flights, id), id::VARCHAR AS id FROM (${columns})`)]);
  const refused = await plan('other_trips');
  expect(refused).toMatchObject({__typename: 'SchemaIncompatible', code: 'SCHEMA_INCOMPATIBLE'});
  expect(refused.changes.map(({kind, column, from, to, compatible}: any) => [kind, column, from, to, compatible])).toEqual(expect.arrayContaining([
    ['retyped', 'id', 'int32', 'utf8', false], ['removed', 'minutes', 'int32', null, false], ['removed', 'inbound_flights', 'int32', null, false],
  ].map(([kind, ...rest]) => [(kind as string).toUpperCase(), ...rest])));
  expect(refused.message).toMatch(/^The new schema of 'trips' is not forward compatible: .*id: int32 → utf8/);
  const breaks = new Map(refused.breaks.map(({kind, name, detail}: any) => [`${kind} ${name}`, detail]));
  expect([...breaks.keys()].sort()).toEqual([
    'MODEL late_arrival', 'PIPELINE reports.by_city', 'PIPELINE reports.visits', 'PIPELINE trips_daily.trip_predictions', 'RELATIONSHIP visits.trip → trips',
  ]);
  expect(breaks.get('PIPELINE reports.by_city')).toContain('minutes');
  expect(breaks.get('PIPELINE reports.visits')).toBe("the columns of 'visits' change: trip: int32 → utf8");
  expect(breaks.get('MODEL late_arrival')).toContain('inbound_flights');
  expect(breaks.get('RELATIONSHIP visits.trip → trips')).toBe("'trips.id' would be utf8");

  const failed = await run('other_trips');
  expect(failed).toMatchObject({status: 'FAILED', error: {message: expect.stringContaining('pipeline trips_daily.trip_predictions (it keeps minutes)')}});
  const {dataset} = await data(url, '{ dataset(name: "trips") { schema { version } } }');
  expect(dataset.schema.version).toBe(1);
}, 120_000);

test('the schemas of a dataset are its history, with what changed and which readers can go on', async () => {
  const step = (sql: string, compatibility = 'backward_transitive'): object => ({kind: 'sql', name: 'grown', into: 'grown', sql, contract: {compatibility}});
  for (const sql of ['SELECT 1 AS a, 2 AS b FROM trips LIMIT 1', 'SELECT 3000000000 AS a FROM trips LIMIT 1', 'SELECT 3000000000 AS a, nullif(2, 1) AS c FROM trips LIMIT 1']) {
    await put('growing', [step(sql)]);
    expect(await run('growing')).toMatchObject({status: 'SUCCEEDED'});
  }
  const {dataset} = await data(url, `{ dataset(name: "grown") { snapshots { id }
    schemaVersions(first: 2) { version createdAt snapshot { id } schema { version fields { name type } } changes { text backward forward compatible } } } }`);
  expect(dataset.schemaVersions).toMatchObject([
    {version: 3, snapshot: {id: dataset.snapshots[0].id}, schema: {version: 3, fields: [{name: 'a', type: 'int64'}, {name: 'c', type: 'int32'}]}, changes: [{text: '+ c int32', backward: true, forward: true, compatible: true}]},
    {version: 2, snapshot: {id: dataset.snapshots[1].id}, changes: [{text: 'a: int32 → int64', backward: true, forward: false, compatible: true}, {text: '- b int32', backward: true, forward: false, compatible: true}]},
  ]);

  // b comes back as something else: only the first version stands against it.
  await put('growing', [step("SELECT 3000000000 AS a, nullif(2, 1) AS c, nullif('x', 'y') AS b FROM trips LIMIT 1")]);
  expect(await plan('growing')).toMatchObject({code: 'SCHEMA_INCOMPATIBLE', message: expect.stringContaining('b: int32 → utf8 (since version 1)'), breaks: []});
  await put('growing', [step("SELECT 3000000000 AS a, nullif(2, 1) AS c, nullif('x', 'y') AS b FROM trips LIMIT 1", 'backward')]);
  expect(await plan('growing')).toMatchObject({steps: [{schemaChanges: ['+ b utf8']}]});
  expect(await run('growing')).toMatchObject({status: 'SUCCEEDED'});
});

test('columns of many datasets\' histories take no statement each', async () => {
  const {datasets} = await data(url, '{ datasets { nodes { name schemaVersions { version snapshot { id } } } } }');
  expect(datasets.nodes.every(({schemaVersions}: any) => schemaVersions.length > 0 && schemaVersions.every(({snapshot}: any) => snapshot !== null))).toBe(true);
});

test('a renamed column stays the same column: old files under the new name, old snapshots under the old one', async () => {
  const step = (sql: string, more: object = {}): object => ({kind: 'sql', name: 'named', into: 'named', sql, contract: {key: ['trip'], checks: [{range: {column: 'minutes', min: 0}}], compatibility: 'backward'}, ...more});
  await put('naming', [step('SELECT id AS trip, minutes FROM trips_raw WHERE id <= 3')]);
  expect(await run('naming')).toMatchObject({status: 'SUCCEEDED'});
  await put('reads_named', [{kind: 'sql', name: 'mean', into: 'mean', sql: 'SELECT avg(minutes) AS mean FROM named'}]);
  const rename = (from: string, to: string) => data(url, `mutation($from: String!, $to: String!) { renameColumn(dataset: "named", from: $from, to: $to) {
    __typename ... on Failure { code message } ... on ColumnRenamed { snapshot { id operation parent { id } } breaks { kind name detail } dataset { rowCount } } } }`, {from, to});

  const {renameColumn} = await rename('minutes', 'duration');
  expect(renameColumn).toMatchObject({__typename: 'ColumnRenamed', dataset: {rowCount: '3'}, snapshot: {operation: 'REPLACE'}, breaks: [{kind: 'PIPELINE', name: 'reads_named.mean', detail: expect.stringContaining('minutes')}]});
  expect((await data(url, '{ named(order_by: [{trip: asc}]) { trip duration } }')).named).toEqual([{trip: 1, duration: 0}, {trip: 2, duration: 1}, {trip: 3, duration: 2}]);
  const {dataset, lineage} = await data(url, '{ dataset(name: "named") { schemaVersions { version changes { kind text } } contract { document } } lineage(of: {column: "named.duration"}) { edges { columns } } }');
  expect(dataset.schemaVersions[0]).toEqual({version: 2, changes: [{kind: 'RENAMED', text: 'minutes renamed to duration'}]});
  expect(dataset.contract.document).toContain('column: duration');
  expect(lineage.edges.flatMap(({columns}: any) => columns)).toEqual(expect.arrayContaining(['duration = named.minutes', 'minutes = trips_raw.minutes']));

  for (const [from, to, code] of [['minutes', 'x', 'ARGUMENT_INVALID'], ['duration', 'TRIP', 'NAME_TAKEN'], ['duration', 'a b', 'NAME_INVALID']] as const) expect((await rename(from, to)).renameColumn).toMatchObject({code});
  const {snapshots} = (await data(url, '{ dataset(name: "named") { snapshots { id schema { fields { name } } } } }')).dataset;
  expect(snapshots.map(({schema}: any) => schema.fields.map(({name}: any) => name))).toEqual([['trip', 'duration'], ['trip', 'minutes']]);

  // A step gives its column another name and says that it is the same one.
  const renamedStep = (mode: object): object => ({...step('SELECT id AS trip, minutes AS took FROM trips_raw WHERE id <= 3', {renames: {duration: 'took'}, contract: {key: ['trip'], compatibility: 'backward'}}), ...mode});
  await put('naming', [renamedStep({})]);
  expect(await run('naming')).toMatchObject({status: 'SUCCEEDED'});
  const {planRun} = await data(url, '{ planRun(input: {pipeline: "naming"}) { ... on RunPlan { steps { action } } } }');
  expect(planRun.steps).toEqual([{action: 'REUSE'}]);
  const after = (await data(url, '{ dataset(name: "named") { schemaVersions(first: 1) { changes { text } } } }')).dataset;
  expect(after.schemaVersions).toEqual([{changes: [{text: 'duration renamed to took'}]}]);
  const {createPipeline} = await data(url, 'mutation($d: JSON!) { createPipeline(definition: $d) { ... on Failure { code message } } }', {d: {name: 'naming', steps: [renamedStep({mode: 'append'})]}});
  expect(createPipeline).toMatchObject({code: 'PIPELINE_INVALID', message: expect.stringContaining('renameColumn')});
});
