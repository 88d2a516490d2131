/** `serve --sample` on a small copy of the sample project, killed on its way and started again. */
import {cpSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {root} from '../rules/sources.ts';
import {Project} from './millrace.ts';

const places = ['ATL', 'ORD', 'DFW', 'LAX', 'BOS', 'SEA', 'DEN', 'JFK'];

/** Flights of January to June 2001, the same each time. */
function flights(): string {
  let state = 7;
  const random = (below: number) => (state = (state * 48_271) % 2_147_483_647) % below;
  const lines = Array.from({length: 4000}, () => {
    const at = new Date(Date.UTC(2001, 0, 1) + random(181 * 24 * 60) * 60_000);
    const origin = random(places.length);
    const destination = (origin + 1 + random(places.length - 1)) % places.length;
    return `${at.toISOString().slice(0, 19).replace('T', ' ')},${random(90) - 20},${200 + random(2000)},${places[origin]},${places[destination]}`;
  });
  return `date,delay,distance,origin,destination\n${lines.join('\n')}\n`;
}

/** What a killed server was doing is taken over after two seconds. */
const soon = ['--set', 'pipelines.leaseSeconds=2'];

let project: Project;
beforeAll(() => {
  project = new Project().write({'flights.csv': flights()});
  cpSync(join(root, 'jobs'), join(project.folder, 'jobs'), {recursive: true});
  const text = readFileSync(join(root, 'jobs/flight_delays.ts'), 'utf8');
  const small = text.replace('package:vega-datasets/data/flights-3m.parquet', 'flights.csv');
  expect(small).not.toBe(text);
  project.write({'jobs/flight_delays.ts': small});
});
afterAll(async () => project.remove());

test('the sample is prepared once, however often it is killed on the way', async () => {
  for (const moment of ['flights: started', 'Flights through 2001-06-30']) {
    const server = await project.serve('--sample', ...soon);
    await server.until(() => server.err.includes(moment) || server.out.includes('Ctrl-C stops it'));
    await server.kill('SIGKILL');
  }
  const server = await project.serve('--sample', ...soon);
  await server.until(() => server.out.includes('Ctrl-C stops it'));
  expect(server.err).not.toContain('error ');

  const runs = await project.json(['runs']);
  expect(runs.map(({status, params}: any) => [status, params.through])).toEqual([['SUCCEEDED', '2001-06-30'], ['SUCCEEDED', '2001-05-31']]);
  const model = await project.json(['models', 'late_arrival']);
  expect(model.versions.map(({number, aliases}: any) => [number, aliases])).toEqual([[1, ['champion']]]);
  expect(model.deployments).toEqual([{field: 'late_arrival', alias: 'champion', dataset: {name: 'flights'}}]);
  const flights = await project.json(['datasets', 'flights']);
  expect(flights.snapshots.map(({sequence}: any) => sequence)).toEqual([2, 1]);
  const answer = await project.json(['query', '-q', '{ flights(limit: 3) { origin_airport { city } destination_airport { iata } late_arrival { label probability } } }']);
  expect(answer.errors).toBeUndefined();
  expect(answer.data.flights).toHaveLength(3);
  expect(readFileSync(join(project.folder, 'published/airport_delays.csv'), 'utf8').trim().split('\n')).toHaveLength(places.length + 1);

  expect((await server.kill('SIGTERM')).exit).toBe(0);
  const again = await project.serve('--sample', ...soon);
  await again.until(() => again.out.includes('Ctrl-C stops it'));
  expect(await project.json(['runs'])).toHaveLength(2);
  expect((await again.kill('SIGINT')).exit).toBe(0);
}, 240_000);
