/** Plans that warn, over real files: flights of 2001 and the weather of 2012 to 2015 of npm's vega-datasets. Each warning fires where it should and is silent beside it. */
import {readFileSync} from 'node:fs';
import {data, runToEnd, useApp} from '../support/project.ts';

let url: string;
useApp(async started => {
  ({url} = started);
  await put([
    {kind: 'ingest', name: 'weather', into: 'weather', source: {path: 'package:vega-datasets/data/weather.csv'}},
    {kind: 'ingest', name: 'flights', into: 'flights', source: {path: 'package:vega-datasets/data/flights-20k.json'}},
    {kind: 'ingest', name: 'airports', into: 'airports', source: {path: 'package:vega-datasets/data/airports.csv'}, contract: {key: ['iata']}},
    sql('states', "SELECT iata, nullif(state, 'NA') AS state FROM airports"),
    sql('wind', 'SELECT date, location, wind FROM weather'),
  ], 'base');
  const {events} = await runToEnd(url, 'base');
  expect(events.at(-1)!.run).toEqual({status: 'SUCCEEDED', error: null});
});

const sql = (into: string, text: string, more: object = {}): object => ({kind: 'sql', name: into, into, sql: text, ...more});
const put = async (steps: readonly object[], name = 'tried'): Promise<void> => {
  const {createPipeline} = await data(url, `mutation($d: JSON!) { createPipeline(definition: $d) { __typename ... on Failure { code message } } }`, {d: {name, steps}});
  expect(createPipeline).toEqual({__typename: 'PipelineCreated'});
};
const warnings = async (...steps: readonly object[]): Promise<string[]> => {
  await put(steps);
  const {planRun} = await data(url, `{ planRun(input: {pipeline: "tried"}) { ... on RunPlan { warnings { code certainty step column detail } } ... on Failure { code message } } }`);
  expect(planRun).toEqual({warnings: expect.anything()});
  return planRun.warnings.map(({code, certainty, step, column, detail}: Record<string, string>) => `${step} ${code} ${certainty} ${column ?? ''}: ${detail}`);
};

const joined = (day: string, how = 'JOIN'): string => `SELECT f.date, f.origin, w.wind FROM flights f ${how} weather w ON w.date = ${day}`;

test('a join that no row can match, also through steps the same run makes', async () => {
  expect(await warnings(sql('windy', joined('f.date::DATE')))).toEqual([expect.stringMatching(/^windy JOIN_WITHOUT_MATCH PROVEN : no row of the inner join can match: flights.date is from 2001-01-01 to 2001-\d\d-\d\d, weather.date is from 2012-01-01 to 2015-12-31$/)]);
  const [warning] = await warnings(
    sql('days', 'SELECT CAST(date AS DATE) AS day, count(*) AS flights FROM flights GROUP BY day'),
    sql('windy', 'SELECT day, flights, wind FROM days JOIN wind ON days.day = wind.date'),
  );
  expect(warning).toMatch(/^windy JOIN_WITHOUT_MATCH PROVEN : no row of the inner join can match: days.day is from 2001-01-01 to 2001-\d\d-\d\d, wind.date is from 2012-01-01 to 2015-12-31$/);
  expect(await warnings(sql('windy', joined('(f.date + INTERVAL 11 YEAR)::DATE')))).toEqual([]);
});

test('a filter that nothing passes', async () => {
  expect(await warnings(sql('late', "SELECT * FROM flights WHERE date >= '2002-01-01'"))).toEqual([expect.stringMatching(/^late FILTER_WITHOUT_MATCH PROVEN : no row can pass the filter: flights.date is from 2001-01-01 .* it is compared with 2002-01-01$/)]);
  expect(await warnings(sql('late', "SELECT * FROM flights WHERE date >= '2001-02-01'"))).toEqual([]);
});

test('a column that will become all null', async () => {
  const all = await warnings(sql('windy', joined('f.date::DATE', 'LEFT JOIN')));
  expect(all).toEqual([expect.stringContaining('windy JOIN_WITHOUT_MATCH PROVEN'), "windy COLUMN_ALL_NULL PROVEN wind: 'wind' will be null in every row: no row of the join can match"]);
  expect(await warnings(sql('coded', 'SELECT TRY_CAST(origin AS INTEGER) AS origin, TRY_CAST(distance AS TINYINT) AS distance FROM flights'))).toEqual([expect.stringMatching(/^coded COLUMN_ALL_NULL PROVEN origin: 'origin' will be null in every row: flights.origin is from ABE to XNA: none of it is a number$/)]);
  expect(await warnings(sql('windy', "SELECT a.iata, f.delay FROM airports a LEFT JOIN flights f ON f.origin = a.iata"))).toEqual([]);

  expect(await warnings(sql('wind', 'SELECT date, location FROM weather', {mode: 'append'}))).toEqual(["wind COLUMN_ALL_NULL PROVEN wind: the rows to append have no 'wind': it will be null in all of them"]);
  expect(await warnings(sql('wind', 'SELECT date, location, wind FROM weather', {mode: 'append'}))).toEqual([]);
});

test('keys that will not be unique, or null', async () => {
  expect(await warnings(sql('rated', 'SELECT delay::SMALLINT AS delay, origin FROM flights', {contract: {key: ['delay']}}))).toEqual([expect.stringMatching(/^rated KEY_NOT_UNIQUE (PROVEN|LIKELY) delay: the key 'delay' (cannot|will probably not) be unique: 20000 rows/)]);
  expect(await warnings(sql('rated', 'SELECT delay > 0 AS late, delay::SMALLINT AS delay FROM flights', {contract: {key: ['delay']}}))).toEqual([expect.stringContaining('KEY_NOT_UNIQUE PROVEN')]);
  expect(await warnings(sql('rated', 'SELECT origin, destination FROM flights', {contract: {key: ['origin']}}))).toEqual([expect.stringMatching(/LIKELY origin: the key 'origin' will probably not be unique: 20000 rows, and about \d+ values/)]);
  expect(await warnings(sql('places', 'SELECT iata, w.wind FROM airports JOIN (SELECT location, wind FROM weather) w ON w.location = airports.city', {contract: {key: ['iata']}}))).toEqual([expect.stringMatching(/^places KEY_NOT_UNIQUE LIKELY iata: the key 'iata' will probably not be unique: a join repeats its rows \(2922 rows have about 2 values of weather.location\)/)]);
  expect(await warnings(sql('pairs', 'SELECT f.date, w.wind FROM flights f JOIN weather w ON w.wind = f.delay'))).toEqual([expect.stringMatching(/^pairs JOIN_MULTIPLIES LIKELY : rows of both sides of the inner join repeat what they are joined by: each row on the left meets about \d+ on the right/)]);
  expect(await warnings(sql('rated', 'SELECT a.iata, d.delay FROM airports a LEFT JOIN (SELECT origin, max(delay) AS delay FROM flights GROUP BY origin) d ON d.origin = a.iata', {contract: {key: ['iata']}}))).toEqual([]);
  expect(await warnings(sql('rated', 'SELECT origin, avg(delay) AS delay FROM flights GROUP BY origin', {contract: {key: ['origin']}}))).toEqual([]);
  expect(await warnings(sql('codes', 'SELECT iata, state FROM states', {contract: {key: ['state', 'iata']}}))).toEqual([expect.stringMatching(/^codes KEY_NULL PROVEN state/)]);
  expect(await warnings(sql('codes', "SELECT iata, state FROM states WHERE state IS NOT NULL", {contract: {key: ['state', 'iata']}}))).toEqual([]);
});

test('a model whose inputs change their type, or leave what it was trained on', async () => {
  const names = 'inbound_flights,inbound_late_share,inbound_mean_delay,outbound_flights,outbound_late_share,distance'.split(',');
  const inputs = (distance: string): string => `SELECT ${names.slice(0, -1).map(name => (/flights/.test(name) ? `(distance % 9)::INTEGER AS ${name}` : `0.5::REAL AS ${name}`)).join(', ')}, ${distance} AS distance FROM flights`;
  await put([sql('seen', inputs('distance::INTEGER'))], 'seen');
  await runToEnd(url, 'seen');
  const {dataset} = await data(url, '{ dataset(name: "seen") { head { id } schema { fields { name profile { min max } } } } }');
  const {min, max} = dataset.schema.fields.at(-1).profile;

  const upload = await fetch(`${url}/uploads?name=late_arrival.onnx`, {method: 'POST', body: readFileSync('jobs/models/late_arrival/late_arrival.onnx'), headers: {'content-type': 'application/octet-stream'}});
  const {id} = (await upload.json()) as {id: string};
  const examples = JSON.parse(readFileSync('jobs/models/late_arrival/examples.json', 'utf8')) as unknown;
  const {registerModel} = await data(url, 'mutation($input: RegisterModelInput!) { registerModel(input: $input) { __typename ... on Failure { code message } } }', {input: {model: 'late_arrival', artifact: id, examples, alias: 'champion', trainedOn: [dataset.head.id]}});
  expect(registerModel).toEqual({__typename: 'ModelRegistered'});
  const {deployModel} = await data(url, 'mutation { deployModel(input: {model: "late_arrival", version: 1, on: "seen"}) { __typename ... on Failure { code message } } }');
  expect(deployModel).toEqual({__typename: 'ModelDeployed'});

  expect(await warnings(sql('seen', inputs('distance::INTEGER + 10000')))).toEqual([
    `seen MODEL_INPUT_OUT_OF_RANGE PROVEN distance: late_arrival@1 was trained on distance from ${min} to ${max}; it will be from ${Number(min) + 10_000} to ${Number(max) + 10_000}, every row outside`,
  ]);
  expect(await warnings(sql('seen', inputs('distance::INTEGER + 5')))).toEqual([expect.stringMatching(/^seen MODEL_INPUT_OUT_OF_RANGE PROVEN distance: .* it will be from /)]);
  expect(await warnings(sql('seen', inputs('distance::INTEGER')))).toEqual([]);
  expect(await warnings(sql('seen', `SELECT * FROM (${inputs('distance::INTEGER')}) WHERE distance > 500`))).toEqual([]);
  expect(await warnings(sql('seen', inputs('distance::SMALLINT')))).toEqual([expect.stringMatching(/^seen MODEL_INPUT_RETYPED PROVEN distance: the input of late_arrival@1 changes its type: distance: int32 → int16$/)]);
  expect(await warnings(sql('seen', inputs('distance::VARCHAR')))).toEqual([expect.stringMatching(/^seen MODEL_INPUT_UNFIT PROVEN : late_arrival@1 could not score 'seen' any more: types differ: distance/)]);

  expect(await warnings(sql('far', inputs('distance::INTEGER + 10000')), {kind: 'predict', name: 'scored', input: 'far', model: 'late_arrival', into: 'scored'})).toEqual([expect.stringMatching(/^scored MODEL_INPUT_OUT_OF_RANGE PROVEN distance: late_arrival@1 was trained on distance from .* every row outside$/)]);
  expect(await warnings({kind: 'predict', name: 'scored', input: 'seen', model: 'late_arrival', into: 'scored'})).toEqual([]);
});
