/** `millrace serve` from the command to the first answered query. */
import {mkdirSync} from 'node:fs';
import {join} from 'node:path';
import {sampleFolder} from './lib/app.mjs';
import {line, megabytes, milliseconds} from './lib/figures.mjs';
import {prepareProject, withProject} from './lib/project.mjs';
import {firstAnswer, serve} from './lib/server.mjs';

const rounds = 7;

export const title = 'From `millrace serve` to the first answered query';
export const conditions = 'A process of its own each time, asked every 5 ms; an existing project answers with rows of a dataset, a new one (an empty folder) with the list of its datasets.';

export const run = ({progress}) => withProject(async (folder) => {
  const existing = join(folder, 'existing');
  mkdirSync(existing);
  await prepareProject(existing, [{kind: 'ingest', name: 'airports', into: 'airports', source: {path: join(sampleFolder, 'airports.csv')}, contract: {key: ['iata']}}]);
  const times = {existing: [], fresh: []};
  const memory = [];
  for (let round = -1; round < rounds; round++) {
    progress(`round ${round + 1} of ${rounds}`);
    const fresh = join(folder, `fresh-${round}`);
    mkdirSync(fresh);
    const began = [await until(existing, '{ airports(limit: 3) { iata name city } }'), await until(fresh, '{ datasets { nodes { name } } }')];
    if (round < 0) continue; // the disk's cache is warm from here on
    times.existing.push(began[0].time);
    times.fresh.push(began[1].time);
    memory.push(began[0].memory);
  }
  return [
    line('existing project', times.existing, milliseconds, 2_000),
    line('new project', times.fresh, milliseconds, 6_000),
    line('peak memory when it first answered', memory, megabytes),
  ];
});

async function until(/** @type {string} */ folder, /** @type {string} */ text) {
  const start = performance.now();
  const server = await serve(folder);
  try {
    await firstAnswer(server.url, text);
    return {time: performance.now() - start, memory: server.peakMemory()};
  } finally {
    await server.stop();
  }
}
