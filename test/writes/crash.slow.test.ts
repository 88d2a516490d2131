/** A server is killed in the middle of writes; clients send again what they were not answered. Nothing is lost, and nothing is there twice. */
import {readdirSync} from 'node:fs';
import {join} from 'node:path';
import type {Boundary} from '../../src/core/boundaries.ts';
import {ask, createProject, data, putPipeline, runToEnd} from '../support/project.ts';
import type {Project} from '../support/project.ts';
import {killServers, startServer} from '../support/server-process.ts';

afterAll(killServers);

const clients = 6;
const deaths: readonly Boundary[] = ['batch taken', 'batch prepared', 'batch committed', 'batch published'];

describe('kill -9 at each boundary of a batch, on the embedded database', () => {
  let project: Project;
  beforeAll(async () => {
    project = createProject();
    project.write('accounts.csv', `id,balance\n${Array.from({length: clients}, (_, index) => `${index},0`).join('\n')}\n`);
    const server = await startServer(project.folder);
    await putPipeline(server.url, 'load', [{
      kind: 'ingest', name: 'accounts', into: 'accounts', source: {path: 'accounts.csv'},
      contract: {key: ['id'], writes: ['insert', 'update'], checks: [{range: {column: 'balance', min: 0}, onBadRow: 'quarantine'}]},
    }]);
    await runToEnd(server.url, 'load');
    await server.end('SIGTERM');
  }, 120_000);
  afterAll(() => project.remove());

  /** What each client was answered, by its request's key. */
  const answers = new Map<string, unknown>();
  let rounds = 0;

  /** Each client adds to its account, opens another one and tries one that is kept aside; an answer that comes twice is the same. */
  async function round(url: string): Promise<void> {
    await Promise.all(Array.from({length: clients}, async (_, client) => {
      const id = 100 * rounds + client + 10;
      const requests = [
        `update_accounts(idempotency_key: "add ${client} ${rounds}", where: {id: {_eq: ${client}}}, _inc: {balance: 1}) { affected_rows returning { id balance } }`,
        `insert_accounts(idempotency_key: "open ${client} ${rounds}", objects: [{id: ${id}, balance: 5}, {id: ${id + 50}, balance: -5}]) { affected_rows returning { id } quarantined { index } }`,
      ];
      for (const request of requests) {
        const {data: answer, errors} = await ask(url, `mutation { answer: ${request} }`);
        expect(errors).toBeUndefined();
        const known = answers.get(request);
        expect(answer.answer).toEqual(known ?? answer.answer);
        answers.set(request, answer.answer);
      }
    }));
  }

  test.each(deaths)("'%s'", async name => {
    const dying = await startServer(project.folder, {env: {MILLRACE_DIE_AT: `${name}#3`}});
    await round(dying.url).catch(() => undefined);
    expect(await dying.ended).toEqual({code: null, signal: 'SIGKILL'});
    const server = await startServer(project.folder);
    await round(server.url);
    rounds++;
    const {accounts, accounts_quarantine: aside} = await data(server.url, '{ accounts(order_by: {id: asc}) { id balance } accounts_quarantine(order_by: {id: asc}) { id } }');
    const opened = Array.from({length: rounds}, (_, round) => Array.from({length: clients}, (_unused, client) => 100 * round + client + 10)).flat();
    expect(accounts).toEqual([...Array.from({length: clients}, (_, id) => ({id, balance: rounds})), ...opened.map(id => ({id, balance: 5}))]);
    expect(aside).toEqual(opened.map(id => ({id: id + 50})));
    const warehouse = join(project.folder, '.millrace/warehouse');
    expect(readdirSync(join(warehouse, 'staging'))).toEqual([]);
    const {dataset} = await data(server.url, '{ dataset(name: "accounts") { ... on Dataset { snapshots { id } } } }');
    expect(readdirSync(join(warehouse, 'data/accounts')).sort()).toEqual(dataset.snapshots.map(({id}: {id: string}) => id).sort());
    await server.end('SIGTERM');
  }, 120_000);
});
