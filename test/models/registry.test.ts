/** The registry through the graph: versions, aliases with their history, deployments, predictions for given values. */
import {readFileSync} from 'node:fs';
import type {App} from '../../src/compose.ts';
import {ask, createProject, data, runToEnd, startApp} from '../support/project.ts';
import type {Project} from '../support/project.ts';

const failure = '... on Failure { code message hint }';
const inputs = {inbound_flights: 4, inbound_late_share: 0.5, inbound_mean_delay: 12, outbound_flights: 3, outbound_late_share: 0.25, distance: 500};

describe('the registry', () => {
  let project: Project;
  let app: App;
  let url: string;
  let artifact: string;

  const register = async (more: Record<string, unknown> = {}) => (await data(url, `mutation($input: RegisterModelInput!) {
    registerModel(input: $input) { ... on ModelRegistered { version { number aliases } } ${failure} } }`, {input: {model: 'late_arrival', artifact, ...more}})).registerModel;
  const deploy = async (more: Record<string, unknown>) => (await data(url, `mutation($input: DeployModelInput!) {
    deployModel(input: $input) { ... on ModelDeployed { field } ... on SignatureMismatch { missing wrongType } ${failure} } }`,
  {input: {model: 'late_arrival', version: 1, alias: 'champion', ...more}})).deployModel;

  beforeAll(async () => {
    project = createProject();
    project.write('rows.csv', `id,inbound_flights,inbound_late_share,inbound_mean_delay,outbound_flights,outbound_late_share,miles\n1,4,0.5,12.5,3,0.25,500\n2,0,0,0.5,0,0,900\n`);
    project.write('jobs/rows.ts', `import {ingest, pipeline} from 'millrace/jobs'; export default pipeline('rows_in', {steps: [ingest('trips', {path: 'rows.csv'}, {contract: {key: ['id']}})]});`);
    app = await startApp(project);
    url = app.http.url;
    const upload = await fetch(`${url}/uploads?name=m.onnx`, {method: 'POST', body: readFileSync('jobs/models/late_arrival/late_arrival.onnx'), headers: {'content-type': 'application/octet-stream'}});
    artifact = ((await upload.json()) as {id: string}).id;
    await runToEnd(url, 'rows_in');
  });
  afterAll(async () => {
    await app.lifecycle.stop();
    project.remove();
  });

  test('numbers versions, and moves aliases while it keeps where they pointed', async () => {
    expect(await register({alias: 'champion', metrics: {auc: 0.7}})).toEqual({version: {number: 1, aliases: ['champion']}});
    const between = new Date().toISOString();
    expect(await register({alias: 'champion'})).toEqual({version: {number: 2, aliases: ['champion']}});
    const {model} = await data(url, `{ model(name: "late_arrival") { versions { number aliases metrics } } }`);
    expect(model.versions).toEqual([{number: 2, aliases: ['champion'], metrics: {}}, {number: 1, aliases: [], metrics: {auc: 0.7}}]);
    const then = await app.services.models.resolve('late_arrival', {alias: 'champion'}, new Date(between));
    expect(then.number).toBe(1);
  });

  test('predicts for given values, the same each time, and names what does not fit', async () => {
    const predict = async (rows: unknown[]) => (await data(url, `query($inputs: [JSON!]!) { predict(model: "late_arrival", inputs: $inputs) {
      __typename ... on PredictionMade { outputs version { number } } ${failure} } }`, {inputs: rows})).predict;
    const [alone, company] = [await predict([inputs]), await predict([{...inputs, distance: 100}, inputs, {...inputs, distance: 900}])];
    expect(company.outputs[1]).toEqual(alone.outputs[0]);
    expect(alone.outputs[0].probability).toBeGreaterThan(0);
    expect(await predict([{...inputs, distance: 'far'}])).toMatchObject({code: 'INPUT_INVALID', message: expect.stringContaining('distance')});
    expect(await predict([{...inputs, distance: undefined}])).toMatchObject({code: 'INPUT_INVALID', message: expect.stringContaining("'distance' is missing")});
  });

  test('deploys over a dataset only what fits, with derived features, and says what is missing', async () => {
    expect(await deploy({on: 'trips'})).toMatchObject({missing: ['distance']});
    expect(await deploy({on: 'trips', features: {distance: 'max(miles)'}})).toMatchObject({code: 'SQL_NOT_ALLOWED'});
    expect(await deploy({on: 'trips', features: {distance: 'miles', nothing: '1'}})).toMatchObject({message: expect.stringContaining("no input 'nothing'")});
    expect(await deploy({on: 'trips', features: {distance: 'miles'}})).toMatchObject({wrongType: ['inbound_late_share: float64 for float32', 'inbound_mean_delay: float64 for float32', 'outbound_late_share: float64 for float32']});
    const features = {distance: 'miles', ...Object.fromEntries(['inbound_late_share', 'inbound_mean_delay', 'outbound_late_share'].map(name => [name, `${name}::REAL`]))};
    expect(await deploy({on: 'trips', as: 'miles', features})).toMatchObject({code: 'NAME_TAKEN'});
    expect(await deploy({on: 'trips', features})).toEqual({field: 'late_arrival'});
    const {trips, now} = await data(url, `query($inputs: [JSON!]!) {
      trips(order_by: [{id: asc}]) { late_arrival { probability } first: late_arrival(version: 1) { _version } }
      now: predict(model: "late_arrival", inputs: $inputs) { ... on PredictionMade { outputs } }
    }`, {inputs: [{...inputs, inbound_mean_delay: 12.5}]});
    expect(trips[0].first._version).toBe(1);
    expect(Math.fround(trips[0].late_arrival.probability)).toBe(Math.fround(now.outputs[0].probability));
  });

  test('an unknown model or version is named with what was meant', async () => {
    expect(await register({model: 'trips'})).toMatchObject({code: 'NAME_TAKEN'});
    expect(await register({artifact: '0193b3c4-0000-7000-8000-000000000000'})).toMatchObject({code: 'UPLOAD_NOT_FOUND'});
    expect(await deploy({on: 'trips', version: 9})).toMatchObject({code: 'MODEL_VERSION_NOT_FOUND'});
    expect(await deploy({on: 'trps'})).toMatchObject({code: 'DATASET_NOT_FOUND'});
    const answer = await ask(url, `{ predict(model: "late_arival", inputs: []) { ${failure} } }`);
    expect(JSON.stringify(answer)).toContain('late_arrival');
  });
});
