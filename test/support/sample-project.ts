import {readFileSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import {HttpGraphClient} from '../../src/cli/http-client.ts';
import {deployModel, registerModel} from '../../src/cli/model-actions.ts';
import type {App} from '../../src/compose.ts';
import {createProject, runToEnd, startApp} from './project.ts';
import type {Project} from './project.ts';

const jobs = join(import.meta.dirname, '../../jobs');
const airports = ['ATL', 'ORD', 'DFW', 'DEN'];

/** A few thousand flights in place of three million, with the columns of flights-3m.parquet: mornings on time, evenings late. */
function flightsFile(): string {
  const lines = ['date,delay,distance,origin,destination'];
  for (let index = 0; index < 4_000; index++) {
    const minute = (index * 3) % 1_440;
    const day = index < 2_000 ? '14' : '30';
    const time = `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}:00`;
    const from = index % 4;
    lines.push(`2001-06-${day} ${time},${minute < 720 ? -(index % 7) : 20 + (index % 50)},${400 + (index % 9) * 50},${airports[from]},${airports[(from + 1 + (index % 3)) % 4]}`);
  }
  return `${lines.join('\n')}\n`;
}

export interface SampleApp {
  readonly app: App;
  readonly project: Project;
  readonly url: string;
  stop(): Promise<void>;
}

/** The sample project over few flights: its own jobs file, SQL and model, as `serve --sample` prepares them. Takes some seconds. */
export async function startSample(): Promise<SampleApp> {
  const project = createProject();
  for (const file of readdirSync(jobs).filter((name) => /\.(sql|yaml)$|^archive/.test(name))) project.write(`jobs/${file}`, readFileSync(join(jobs, file)));
  const pipeline = readFileSync(join(jobs, 'flight_delays.ts'), 'utf8').replace('package:vega-datasets/data/flights-3m.parquet', 'data/flights.csv');
  project.write('jobs/flight_delays.ts', pipeline);
  project.write('data/flights.csv', flightsFile());
  const app = await startApp(project);
  const stop = async (): Promise<void> => {
    await app.lifecycle.stop();
    project.remove();
  };
  try {
    const {url} = app.http;
    const graph = new HttpGraphClient(url, null);
    const folder = join(jobs, 'models/late_arrival');
    const read = (name: string) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as unknown;
    const {number} = await registerModel(graph, {
      model: 'late_arrival', file: join(folder, 'late_arrival.onnx'), examples: read('examples.json'), metrics: read('metrics.json'), alias: 'champion',
      description: 'Will a flight arrive more than 15 minutes late?',
    });
    const {events} = await runToEnd(url, 'flight_delays', {through: '2001-06-30'});
    if (events.at(-1)?.run?.status !== 'SUCCEEDED') throw new Error(JSON.stringify(events.at(-1)));
    await deployModel(graph, {model: 'late_arrival', version: number, alias: 'champion', on: 'flights'});
    await graph.close();
    return {app, project, url, stop};
  } catch (error) {
    await stop();
    throw error;
  }
}
