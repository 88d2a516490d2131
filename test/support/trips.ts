/** The spine's project, small: a raw file, a pipeline over it, a model. */
import {readFileSync} from 'node:fs';
import {data} from './project.ts';
import type {Project} from './project.ts';

export const tripCount = 200;

const trips = ['id,from_city,minutes,inbound_flights,inbound_late_share,inbound_mean_delay,outbound_flights,outbound_late_share,distance',
  ...Array.from({length: tripCount}, (_, index) => `${index + 1},${index % 2 ? 'Basel' : 'Bern'},${index % 60},${index % 12},0.25,${index % 7}.5,${index % 9},0.5,${100 + index}`)].join('\n');

const jobs = `
  import {ingest, int, pipeline, predict, publish, sql} from 'millrace/jobs';
  export default pipeline('trips_daily', {
    params: {least: int({default: 0})},
    steps: [
      ingest('trips_raw', {path: 'data/trips.csv'}, {contract: {key: ['id']}}),
      sql('trips', \`SELECT id, from_city, minutes, inbound_flights, inbound_late_share::REAL AS inbound_late_share, inbound_mean_delay::REAL AS inbound_mean_delay,
                       outbound_flights, outbound_late_share::REAL AS outbound_late_share, distance FROM trips_raw WHERE minutes >= $least\`, {contract: {key: ['id']}}),
      predict('trip_predictions', {input: 'trips', model: 'late_arrival', keep: ['id', 'minutes']}),
      publish('trips.csv', {input: 'trips', format: 'csv'}),
    ],
  });`;

/** @param bad rows beside the 200 that the contract of trips_raw keeps aside */
export function writeTrips(project: Project, bad = 0): void {
  const refused = Array.from({length: bad}, (_, index) => `${tripCount + index + 1},Bern,-5,1,0.25,1.5,1,0.5,100`);
  project.write('data/trips.csv', [trips, ...refused].join('\n'));
  const contract = "{key: ['id'], onBadRow: 'quarantine', checks: [{range: {column: 'minutes', min: 0}}]}";
  project.write('jobs/trips.ts', bad === 0 ? jobs : jobs.replace("{path: 'data/trips.csv'}, {contract: {key: ['id']}}", `{path: 'data/trips.csv'}, {contract: ${contract}}`));
}

/** Registers the sample's model over HTTP; answers what the mutation answered. */
export async function registerTripsModel(url: string): Promise<Record<string, any>> {
  const bytes = readFileSync('jobs/models/late_arrival/late_arrival.onnx');
  const upload = await fetch(`${url}/uploads?name=late_arrival.onnx`, {method: 'POST', body: bytes, headers: {'content-type': 'application/octet-stream'}});
  const {id} = (await upload.json()) as {id: string};
  const examples = JSON.parse(readFileSync('jobs/models/late_arrival/examples.json', 'utf8')) as unknown;
  const {registerModel} = await data(url, `mutation($input: RegisterModelInput!) {
    registerModel(input: $input) { ... on ModelRegistered { version { number inputs { name type } outputs { name type } aliases } } ... on Failure { code message hint } } }`,
  {input: {model: 'late_arrival', artifact: id, examples, alias: 'champion'}});
  return registerModel;
}
