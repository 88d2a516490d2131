/** Expiry and erasure through the graph: a server that is killed at each of their boundaries, and the receipts of what is gone. */
import {existsSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import type {App} from '../../src/compose.ts';
import {ask, createProject, data, startApp} from '../support/project.ts';
import type {Project} from '../support/project.ts';
import {runner} from '../support/runs.ts';
import {killServers, startServer} from '../support/server-process.ts';

afterAll(killServers);

const erase = `mutation($input: EraseRowsInput!) { eraseRows(input: $input) {
  ... on RowsErased { dataset { rowCount erasures { id reason } } erasure { id rows snapshots selectedBy columns hashes affected { datasets { name snapshots } rawFiles runs } } }
  ... on Failure { code message hint }
} }`;
const collect = 'mutation { collectGarbage { ... on Garbage { datasets { dataset expires { id } } removed { files } } ... on Failure { code message } } }';
const contract = {key: ['id'], retention: {snapshots: 1}, onBadRow: 'quarantine', checks: [{range: {column: 'age', max: 120}}]};
const steps = [
  {kind: 'ingest', name: 'people', into: 'people', source: {path: 'people.csv'}, contract},
  {kind: 'sql', name: 'ages', into: 'ages', sql: 'SELECT age, count(*) AS people FROM people GROUP BY age ORDER BY age'},
];
const writePeople = (project: Project, last: number): void =>
  project.write('people.csv', `id,age\n${Array.from({length: last}, (_, index) => `${index + 1},${index === 5 ? 999 : 20 + (index % 3)}`).join('\n')}\n`);

describe('kill -9 at each boundary', () => {
  let project: Project;
  beforeAll(() => {
    project = createProject();
    project.write('jobs/people.ts', `import {pipeline} from 'millrace/jobs';\nexport default pipeline('people', {steps: ${JSON.stringify(steps)}});`);
  });
  afterAll(() => project.remove());

  const set = ['warehouse.graceHours=0'];
  const killed = {code: null, signal: 'SIGKILL'};
  const until = (boundary: string) => startServer(project.folder, {set, env: {MILLRACE_DIE_AT: boundary}});
  const run = async (url: string) => {
    const {startRun} = await data(url, 'mutation { startRun(input: {pipeline: "people"}) { ... on RunStarted { run { id } } ... on Failure { code message } } }');
    for (;;) {
      const {run: {status}} = await data(url, 'query($id: ID!) { run(id: $id) { status } }', {id: startRun.run.id});
      if (status === 'SUCCEEDED') return;
      if (status === 'FAILED') throw new Error('the run failed');
    }
  };
  const past = async (url: string) => (await data(url, '{ dataset(name: "people") { snapshots { id rowCount expiredAt files { path } } erasures { id } } }')).dataset;
  const unsound = async (url: string) => (await data(url, '{ doctor(deep: true) { check status detail } }')).doctor.filter(({status, check}: any) => status !== 'OK' && check !== 'disk');
  const partsOf = (id: string) => readdirSync(join(project.folder, '.millrace/warehouse/data/people', id)).filter(name => name.endsWith('.parquet'));
  const wanted = {input: {dataset: 'people', keys: [{id: 3}], reason: 'was asked to'}};
  let old: string;

  test("'snapshots expired': the next server removes their files", async () => {
    const server = await until('snapshots expired');
    for (const last of [8, 9]) {
      writePeople(project, last);
      await run(server.url);
    }
    old = (await past(server.url)).snapshots[1].id;
    expect(partsOf(old)).toHaveLength(1);
    await expect(ask(server.url, collect)).rejects.toThrow();
    expect(await server.ended).toEqual(killed);
    expect(partsOf(old)).toHaveLength(1);
  });

  test("'files rewritten': nothing was erased", async () => {
    const server = await until('files rewritten');
    expect(partsOf(old)).toEqual([]);
    expect((await past(server.url)).snapshots).toMatchObject([{rowCount: '8', expiredAt: null}, {id: old, expiredAt: expect.any(String), files: []}]);
    expect(await unsound(server.url)).toEqual([]);
    await expect(ask(server.url, erase, wanted)).rejects.toThrow();
    expect(await server.ended).toEqual(killed);
  });

  test("'rows erased': the catalog has it, the disk has not", async () => {
    const server = await until('rows erased');
    expect(await past(server.url)).toMatchObject({snapshots: [{rowCount: '8'}, {}], erasures: []});
    expect(await unsound(server.url)).toEqual([]);
    await expect(ask(server.url, erase, wanted)).rejects.toThrow();
    expect(await server.ended).toEqual(killed);
  });

  test("'leftovers removed': the next server dies over it, the one after goes on", async () => {
    await expect(until('leftovers removed')).rejects.toThrow('SIGKILL');
    const server = await startServer(project.folder, {set});
    const {snapshots: [head], erasures} = await past(server.url);
    expect(head).toMatchObject({rowCount: '7', files: [{}]});
    expect(erasures).toHaveLength(1);
    expect((await data(server.url, '{ people(order_by: [{id: asc}]) { id } }')).people.map((row: any) => row.id)).toEqual([1, 2, 4, 5, 7, 8, 9]);
    expect(await unsound(server.url)).toEqual([]);
    // The draft of the erasure that died stays for a day, without the rows; the old file is gone.
    expect(partsOf(head.id)).toHaveLength(2);
    expect(existsSync(join(project.folder, '.millrace/warehouse/data/people', head.id, 'part-00000.parquet'))).toBe(false);
    expect(await server.end('SIGTERM')).toEqual({code: 0, signal: null});
  });
});

describe('what was answered from it', () => {
  let project: Project;
  let app: App;
  const {put, run, rows} = runner(() => app);
  beforeAll(async () => {
    project = createProject();
    app = await startApp(project, {set: ['warehouse.graceHours=0']});
    await put('people', steps);
  });
  afterAll(async () => {
    await app?.lifecycle.stop();
    project.remove();
  });
  const url = () => app.http.url;
  const receiptOf = async (query: string): Promise<string> => (await ask(url(), query)).extensions!.receipt.token;
  const verify = async (receipt: string) =>
    (await data(url(), 'query($receipt: String!) { verifyReceipt(receipt: $receipt) { ... on ReceiptVerified { bytes } ... on Failure { code message } } }', {receipt})).verifyReceipt;

  test('an expired snapshot: as_of and its receipts say so, a collection by the graph told it', async () => {
    writePeople(project, 8);
    await run('people');
    const {id} = await app.services.warehouse.resolve('people');
    const receipt = await receiptOf('{ people { id age } }');
    writePeople(project, 9);
    await run('people');
    expect(await verify(receipt)).toMatchObject({bytes: expect.any(Number)});
    const {garbage} = await data(url(), '{ garbage { datasets { dataset snapshots expires { id } keeps { by } } removed { files } } }');
    expect(garbage.datasets).toEqual([
      {dataset: 'people', snapshots: 1, expires: [{id}], keeps: [{by: 'NEWEST'}]}, expect.objectContaining({dataset: 'people_quarantine'}),
    ]);
    expect((await data(url(), collect)).collectGarbage).toMatchObject({removed: {files: garbage.removed.files}});
    expect(await verify(receipt)).toMatchObject({code: 'RECEIPT_EXPIRED', message: expect.stringContaining(id)});
    const answer = await ask(url(), `{ people(as_of: {snapshot: "${id}"}) { id } }`);
    expect(answer.errors![0]).toMatchObject({extensions: {code: 'SNAPSHOT_EXPIRED', hint: expect.stringContaining('the newest snapshot')}});
  });

  test('erased rows: the graph forgets them at once, in the quarantine too; receipts, steps and the record know', async () => {
    const [all, others, counted] = [await receiptOf('{ people { id } }'), await receiptOf('{ people(where: {id: {_gt: 3}}) { id } }'), await receiptOf('{ ages { people } }')];
    expect((await run('people')).steps.ages!.reused).toBe(true);
    const {eraseRows: {dataset, erasure}} = await data(url(), erase, {input: {dataset: 'people', keys: {id: 3}, reason: 'was asked to'}});
    expect(dataset).toMatchObject({rowCount: '7', erasures: [{id: erasure.id, reason: 'was asked to'}]});
    expect(erasure).toMatchObject({rows: '1', selectedBy: 'KEY', columns: ['id'], affected: {datasets: [{name: 'ages', snapshots: 1}], rawFiles: ['people.csv'], runs: expect.arrayContaining([expect.any(String)])}});
    expect((await data(url(), '{ people { id } }')).people).toHaveLength(7);
    expect(await verify(all)).toMatchObject({code: 'RECEIPT_ERASED', message: expect.stringMatching(/^Rows were erased from what the receipt was given for: one row by /)});
    // What did not have the row is the same answer still; what was computed from it stands until it is computed again.
    expect(await verify(others)).toMatchObject({bytes: expect.any(Number)});
    expect(await verify(counted)).toMatchObject({bytes: expect.any(Number)});
    const {steps: {people, ages}} = await run('people');
    expect([people!.reused, ages!.reused, ages!.reason]).toEqual([true, false, 'rows were erased from its inputs since']);
    expect((await rows('ages')).map(row => Number(row.people)).reduce((a, b) => a + b)).toBe(7);
    expect((await run('people')).steps.ages!.reused).toBe(true);

    expect(await rows('people_quarantine')).toHaveLength(1);
    expect((await data(url(), erase, {input: {dataset: 'people', keys: [{id: 6}], reason: 'too'}})).eraseRows.erasure).toMatchObject({rows: '1'});
    expect(await rows('people_quarantine')).toEqual([]);
    expect(await verify(await receiptOf('{ people { id } }'))).toMatchObject({bytes: expect.any(Number)});
  });

  test('what cannot be erased is an answer', async () => {
    const refused = async (input: object) => (await data(url(), erase, {input: {dataset: 'people', reason: 'r', ...input}})).eraseRows;
    expect(await refused({dataset: 'peoples', where: 'true'})).toMatchObject({code: 'DATASET_NOT_FOUND', hint: expect.stringContaining("'people'")});
    expect(await refused({keys: [3]})).toMatchObject({code: 'ARGUMENT_INVALID'});
    expect(await refused({where: 'id = 1', reason: ' '})).toMatchObject({code: 'ARGUMENT_INVALID'});
    expect(await refused({})).toMatchObject({code: 'ARGUMENT_INVALID'});
  });
});
