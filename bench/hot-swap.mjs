/** One dataset among 300 gets another schema: how long until the graph has it, and does any request notice? */
import {link, mkdir} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {setImmediate as nextTurn} from 'node:timers/promises';
import {built, sampleFolder, startApp} from './lib/app.mjs';
import {line, megabytes, milliseconds} from './lib/figures.mjs';
import {prepareProject, withProject} from './lib/project.mjs';
import {ask} from './lib/server.mjs';
import {Side} from './lib/turns.mjs';

const datasets = 300;
const clients = 8;
const rounds = 15;

export const title = `Hot swap: one dataset among ${datasets} gets a new column`;
export const conditions = `From the commit of the new schema until it serves, while ${clients} clients ask for rows without pause.`;

export const sides = {
  async server(folder) {
    const app = await startApp(folder, [], 'serve');
    const {newId} = await built('core/ids.js');
    return {
      async run(round) {
        const name = `set_${round}`;
        const head = await app.warehouse.resolve(name);
        const schema = {fields: [...head.schema.fields, {id: 100, name: 'added', type: {kind: 'utf8'}, nullable: true}]};
        const commit = await linked(app, newId, name, head, {datasetId: head.datasetId, schema, parentId: head.id});
        await app.catalog.transaction(async (stores) => {
          await stores.datasets.commit(commit);
          await stores.changes.tell('graph', '');
        });
        const start = performance.now();
        while (!app.graphql.current.schema.getType(name).getFields().added) await nextTurn();
        return {swap: performance.now() - start};
      },
      stop: () => app.lifecycle.stop(),
      url: app.http.url,
    };
  },
};

/** A commit of another snapshot's files under names of their own, which costs no writing. */
async function linked(app, newId, name, from, commit) {
  const id = newId();
  const files = await app.catalog.read((stores) => stores.datasets.files(from));
  const copies = files.map((file) => ({...file, id: newId(), path: `data/${name}/${id}/${file.path.split('/').at(-1)}`}));
  for (const [index, {path}] of copies.entries()) {
    await mkdir(dirname(app.warehouse.pathOf(path)), {recursive: true});
    await link(app.warehouse.pathOf(files[index].path), app.warehouse.pathOf(path));
  }
  return {id, branch: 'main', operation: 'overwrite', schema: from.schema, files: copies, profile: from.profile, runId: null, stepName: null, contentHash: id, lineage: {}, ...commit};
}

export const run = ({progress}) => withProject(async (folder) => {
  progress(`making ${datasets} datasets`);
  await prepareProject(folder, [{kind: 'ingest', name: 'set_0', into: 'set_0', source: {path: join(sampleFolder, 'airports.csv')}}], async (app) => {
    const {newId} = await built('core/ids.js');
    const head = await app.warehouse.resolve('set_0');
    for (let index = 1; index < datasets; index++) {
      const name = `set_${index}`;
      const commit = await linked(app, newId, name, head, {parentId: null});
      await app.catalog.transaction(async (stores) => {
        const {id} = await stores.datasets.create(name, {});
        await stores.datasets.commit({...commit, datasetId: id});
      });
    }
  });
  const server = new Side(import.meta.url, 'server', folder, folder);
  try {
    const {url} = await server.started;
    let asking = true;
    let answered = 0;
    const failures = [];
    const ask1 = async (client) => {
      for (let count = 0; asking; count++) {
        const name = `set_${(client * 37 + count) % datasets}`;
        try {
          const {status, body} = await ask(`${url}/graphql`, JSON.stringify({query: `{ ${name}(limit: 5) { iata name city } }`}));
          if (status !== 200 || body.includes('"errors"')) failures.push(`${status} ${body}`);
          else answered++;
        } catch (error) {
          failures.push(String(error));
        }
      }
    };
    const all = Array.from({length: clients}, (_, client) => ask1(client));
    const swaps = [];
    for (let round = 1; round <= rounds + 1; round++) {
      progress(`round ${round} of ${rounds}`);
      const {swap} = await server.ask('run', round);
      if (round > 1) swaps.push(swap);
    }
    asking = false;
    await Promise.all(all);
    const {peakMemory} = await server.ask('stop');
    return [
      line('swap', swaps, milliseconds, 50),
      {...line(`requests that failed, of ${answered + failures.length}`, [failures.length], String, 0), aim: '0'},
      line('peak memory', [peakMemory], megabytes),
    ];
  } finally {
    server.kill();
  }
});
