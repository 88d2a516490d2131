/** A thousand datasets: how long until a server that starts answers about one, and until the graph has another schema of one? Does any request notice? */
import {link, mkdir, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {setImmediate as nextTurn} from 'node:timers/promises';
import {getIntrospectionQuery} from 'graphql';
import {built, startApp} from './lib/app.mjs';
import {line, megabytes, milliseconds} from './lib/figures.mjs';
import {prepareProject, withProject} from './lib/project.mjs';
import {ask} from './lib/server.mjs';
import {Side} from './lib/turns.mjs';

const datasets = 1000;
const columns = 30;
const clients = 8;
const rounds = 15;

export const title = `A graph of ${datasets} datasets of ${columns} columns`;
export const conditions = `First query: from the start of the server's process until it has answered, with rows. Swap: one dataset gets a new column; from the commit of the new schema until it serves, while ${clients} clients ask for rows without pause. Introspection: the whole, over HTTP.`;

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
  const file = join(folder, 'wide.csv');
  await mkdir(folder, {recursive: true});
  await writeFile(file, wideCsv());
  await prepareProject(folder, [{kind: 'ingest', name: 'set_0', into: 'set_0', source: {path: file}}], async (app) => {
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
  // A start writes the manifests of snapshots that were put into the catalog above.
  await (await startApp(folder)).lifecycle.stop();
  progress('starting a server');
  const begun = performance.now();
  const server = new Side(import.meta.url, 'server', folder, folder);
  try {
    const {url} = await server.started;
    const query = (text) => ask(`${url}/graphql`, JSON.stringify({query: text}));
    const first = await query('{ set_7(limit: 5, where: {c1: {_gt: 3}}) { c0 c1 c2 } }');
    const firstTook = performance.now() - begun;
    if (first.status !== 200 || first.body.includes('"errors"')) throw new Error(first.body);
    const timed = async (text) => {
      const start = performance.now();
      const {body} = await query(text);
      return {took: performance.now() - start, bytes: body.length};
    };
    const introspection = await timed(getIntrospectionQuery());
    const again = await timed(getIntrospectionQuery());
    let asking = true;
    let answered = 0;
    const failures = [];
    const ask1 = async (client) => {
      for (let count = 0; asking; count++) {
        const name = `set_${(client * 37 + count) % datasets}`;
        try {
          const {status, body} = await ask(`${url}/graphql`, JSON.stringify({query: `{ ${name}(limit: 5) { c0 c1 c2 } }`}));
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
      line('first query', [firstTook], milliseconds, 2000),
      line('swap', swaps, milliseconds, 50),
      {...line(`requests that failed, of ${answered + failures.length}`, [failures.length], String, 0), aim: '0'},
      line(`introspection (${Math.round(introspection.bytes / 1e6)} MB)`, [introspection.took], milliseconds),
      line('introspection again', [again.took], milliseconds),
      line('peak memory', [peakMemory], megabytes),
    ];
  } finally {
    server.kill();
  }
});

/** 100 rows of whole numbers, decimals, texts and times. */
function wideCsv() {
  const cell = [(row) => row, (row) => row * 3 - 50, (row) => `text ${row % 7}`, (row) => (row / 8).toFixed(3), (row) => `2024-01-${String((row % 28) + 1).padStart(2, '0')} 10:00:00`];
  const names = Array.from({length: columns}, (_, column) => `c${column}`);
  const rows = Array.from({length: 100}, (_, row) => names.map((_, column) => cell[column % cell.length](row + column)).join(','));
  return [names.join(','), ...rows].join('\n');
}
