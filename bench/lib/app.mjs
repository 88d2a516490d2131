import {mkdirSync} from 'node:fs';
import {join} from 'node:path';
import 'reflect-metadata';
import {root} from '../../scripts/lib/project.mjs';

/** The sample's files, where their package has them. */
export const sampleFolder = join(root, 'node_modules/vega-datasets/data');
export const flightsFile = join(sampleFolder, 'flights-3m.parquet');

/** As many as the defaults of Millrace on two processors. */
export const threads = 2;

const dist = new URL('../../dist/', import.meta.url);
export const built = (/** @type {string} */ path) => import(new URL(path, dist).href);

/** Millrace's own defaults, wired by its own composition root, in this process: as a worker or a server. */
export async function startApp(/** @type {string} */ folder, /** @type {string[]} */ set = [], /** @type {'work' | 'serve'} */ mode = 'work') {
  mkdirSync(folder, {recursive: true});
  const [{compose}, {loadConfig}] = await Promise.all([built('compose.js'), built('core/config.js')]);
  const config = loadConfig({projectFolder: folder, flags: {set: [`engine.threads=${threads}`, `inference.threads=${threads}`, `sources.roots=${sampleFolder}`, 'api.port=0', 'log.level=warn', ...set]}});
  const {services} = compose(config, {mode});
  await services.lifecycle.start();
  return services;
}

export const viewer = {name: 'bench', roles: ['admin'], limits: {rows: 1e6, bytes: 1e9, seconds: 600}};

/** Waits for a run's end. @throws when it did not succeed */
export async function finished(app, /** @type {string} */ runId, onEvent = (_event) => {}) {
  for await (const event of app.pipelines.events(viewer, runId, 0n, new AbortController().signal)) {
    onEvent(event);
    if (event.data.kind === 'run_finished' && event.data.status !== 'succeeded') throw new Error(JSON.stringify(event.data));
  }
}
