import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {type Client, createClient} from 'graphql-ws';
import {WebSocket} from 'ws';
import {readReceipt} from '../../../../src/api/graphql/receipt.ts';
import {type App, compose} from '../../../../src/compose.ts';
import {loadConfig} from '../../../../src/core/config.ts';

let app: App;
let folder: string;
const clients: Client[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-endpoint-'));
  await writeFile(join(folder, 'birds.csv'), 'id,name,weight\n1,sparrow,0.03\n2,albatross,8.5\n3,kiwi,2.1\n');
  app = compose(loadConfig({projectFolder: folder, flags: {port: 0, set: ['log.level=error', 'engine.threads=2']}}), {mode: 'serve'});
  await app.lifecycle.start();
}, 60_000);

afterAll(async () => {
  for (const client of clients) await client.dispose();
  await app.lifecycle.stop();
  await rm(folder, {recursive: true, force: true});
});

interface Answer {
  readonly status: number;
  readonly data: Record<string, any>;
  readonly errors?: readonly {readonly message: string; readonly extensions: {readonly code: string; readonly hint: string}}[];
  readonly extensions?: {readonly receipt?: {readonly token: string; readonly snapshots: string[]; readonly sha256: string}};
}

async function post(query: string, variables?: object, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(`${app.http.url}/graphql`, {method: 'POST', headers: {'content-type': 'application/json', ...headers}, body: JSON.stringify({query, variables})});
  return {status: response.status, ...((await response.json()) as Omit<Answer, 'status'>)};
}

function connect(): Client {
  const client = createClient({url: `${app.http.url.replace('http', 'ws')}/graphql`, webSocketImpl: WebSocket, retryAttempts: 0});
  clients.push(client);
  return client;
}

async function eventsOf(runId: string, after = '0'): Promise<{seq: string; __typename: string}[]> {
  const events = [];
  for await (const {data} of connect().iterate({query: 'subscription ($id: ID!, $after: BigInt!) { runEvents(runId: $id, after: $after) { __typename seq at ... on StepFinished { step { name status } } ... on SnapshotCommitted { dataset { name } snapshot { rowCount } } ... on RunFinished { run { status } error { code message } } } }', variables: {id: runId, after}})) {
    events.push((data as any).runEvents);
  }
  return events;
}

const ingest = (input: object) => post(`mutation ($input: IngestInput!) { ingest(input: $input) { __typename ... on RunStarted { deduplicated run { id status pipeline } } ... on Failure { code message hint } } }`, {input});

test('a file becomes rows, watched while it happens, and its answer verifies', async () => {
  const started = await ingest({source: {path: 'birds.csv'}, into: 'birds', key: ['id']});
  expect(started).toMatchObject({status: 200, data: {ingest: {__typename: 'RunStarted'}}});
  const runId = started.data.ingest.run.id as string;

  const events = await eventsOf(runId);
  expect(events.map(({seq}) => seq)).toEqual(events.map((_, index) => String(index + 1)));
  expect(events[0]!.__typename).toBe('RunBegan');
  expect(events).toContainEqual(expect.objectContaining({__typename: 'SnapshotCommitted', dataset: {name: 'birds'}, snapshot: {rowCount: '3'}}));
  expect(events.at(-1)).toMatchObject({__typename: 'RunFinished', run: {status: 'SUCCEEDED'}, error: null});
  expect(await eventsOf(runId, '2')).toEqual(events.slice(2));

  await app.services.graphModel.refresh();
  const rows = await post('{ birds(order_by: [{weight: desc}], limit: 2) { id name } }');
  expect(rows.data.birds.map((row: {name: string}) => row.name)).toEqual(['albatross', 'kiwi']);

  const {receipt} = rows.extensions!;
  const verify = '($r: String!) { verifyReceipt(receipt: $r) { __typename ... on ReceiptVerified { snapshots sha256 } ... on Failure { code message } } }';
  expect((await post(`query ${verify}`, {r: receipt!.token})).data.verifyReceipt).toEqual({__typename: 'ReceiptVerified', snapshots: receipt!.snapshots, sha256: receipt!.sha256});

  // It stays true after the dataset has changed.
  await writeFile(join(folder, 'birds.csv'), 'id,name,weight\n1,sparrow,0.03\n2,emu,36\n');
  const again = await ingest({source: {path: 'birds.csv'}, into: 'birds', key: ['id']});
  await eventsOf(again.data.ingest.run.id);
  expect((await post('{ birds(order_by: [{weight: desc}], limit: 1) { name } }')).data.birds).toEqual([{name: 'emu'}]);
  expect((await post(`query ${verify}`, {r: receipt!.token})).data.verifyReceipt.__typename).toBe('ReceiptVerified');
  expect((await post(`query ${verify}`, {r: `${receipt!.token.slice(0, -6)}AAAAAA`})).data.verifyReceipt).toMatchObject({__typename: 'Refused', code: 'RECEIPT_INVALID'});

  expect((await post('{ birds { id } }', {}, {'millrace-receipt': 'false'})).extensions).toBeUndefined();

  // The time of a request that asked for it is asked again.
  await writeFile(join(folder, 'visits.csv'), `id,at\n1,${new Date().toISOString().slice(0, 19)}\n2,2001-01-01T00:00:00\n`);
  const visits = await ingest({source: {path: 'visits.csv'}, into: 'visits'});
  await eventsOf(visits.data.ingest.run.id);
  const recent = await post('{ visits(where: {at: {_within: {last: "PT1H"}}}) { id } }');
  expect(recent.data.visits).toEqual([{id: 1}]);
  expect(readReceipt(recent.extensions!.receipt!.token).now).toMatch(/^\d{4}-/);
  expect(readReceipt(receipt!.token).now).toBeUndefined();
  expect((await post(`query ${verify}`, {r: recent.extensions!.receipt!.token})).data.verifyReceipt.__typename).toBe('ReceiptVerified');

  const {data} = await post(`{ datasets(search: "bir") { totalCount nodes { name rowCount key schema { fields { name type nullable profile { distinct min max } } } head { id operation rawFiles { path } files { path rowCount sha256 } run { id rowsWritten steps { name status rowsWritten output { id } } } parent { rowCount } } snapshots(first: 5) { sequence } models { state } } } runs(first: 1) { nodes { id } endCursor } }`);
  expect(data.datasets).toMatchObject({totalCount: 1, nodes: [{name: 'birds', rowCount: '2', key: ['id'], models: [], head: {operation: 'OVERWRITE', rawFiles: [{path: 'birds.csv'}], run: {rowsWritten: '2'}, parent: {rowCount: '3'}}}]});
  expect(data.datasets.nodes[0].snapshots).toHaveLength(2);
  expect(data.runs.endCursor).not.toBeNull();
});

test('what a caller can act on is an answer, with near names', async () => {
  const {data} = await post('mutation { compact(dataset: "brids") { __typename ... on Failure { code hint } ... on NotFound { didYouMean } } }');
  expect(data.compact).toMatchObject({__typename: 'NotFound', code: 'DATASET_NOT_FOUND', didYouMean: ['birds']});
  expect((await ingest({source: {path: 'birds.csv'}, into: 'datasets'})).data.ingest).toMatchObject({__typename: 'NameTaken', code: 'NAME_RESERVED'});
  expect((await ingest({source: {path: 'birds.csv'}, into: 'x'.repeat(64)})).data.ingest).toMatchObject({__typename: 'Refused', code: 'ARGUMENT_INVALID', message: expect.not.stringContaining('xxxx')});
  expect((await post('{ dataset(name: "none") { name } run(id: "none") { id } model(name: "none") { name } }')).data).toEqual({dataset: null, run: null, model: null});
});

const badDocuments: readonly (readonly [query: string, status: number, code: string])[] = [
  ['{', 400, 'GRAPHQL_INVALID'],
  ['{ nope }', 400, 'GRAPHQL_INVALID'],
  ['query ($n: Int!) { datasets(first: $n) { totalCount } }', 400, 'GRAPHQL_INVALID'],
  ['{ datasets(first: 0) { totalCount } }', 200, 'ARGUMENT_INVALID'],
  [`{ datasets { ${'a: totalCount '.repeat(1500)} } }`, 400, 'QUERY_TOO_MANY_ALIASES'],
  [`{ datasets { ${'totalCount '.repeat(12_000)} } }`, 400, 'GRAPHQL_INVALID'],
  [`{ datasets { nodes { head ${'{ parent '.repeat(20)} { id } ${'}'.repeat(20)} } } }`, 400, 'QUERY_TOO_DEEP'],
  ['{ datasets { nodes { ...F } } } fragment F on Dataset { head { dataset { ...F } } }', 400, 'GRAPHQL_INVALID'],
  ['mutation { ingest(input: {source: {path: "a", upload: "b"}, into: "x"}) { __typename } }', 400, 'GRAPHQL_INVALID'],
];

test.each(badDocuments.map(([query, status, code]) => ({query, status, code, shown: query.slice(0, 50)})))('$shown → $status $code', async ({query, status, code}) => {
  const answer = await post(query);
  expect([answer.status, answer.errors![0]!.extensions.code]).toEqual([status, code]);
  expect(answer.errors![0]!.extensions.hint).not.toBe('');
});

test('a page of another site is refused, by HTTP and by socket; so is a simple request', async () => {
  expect((await post('{ system { version } }', {}, {origin: 'https://evil.example'})).status).toBe(403);
  const simple = await fetch(`${app.http.url}/graphql?query={system{version}}`);
  expect(simple.status).toBe(400);
  const socket = new WebSocket(`${app.http.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', {origin: 'https://evil.example'});
  const refused = await new Promise<number>(resolve => {
    socket.on('unexpected-response', (_request, response) => resolve(response.statusCode!));
    socket.on('error', () => {});
  });
  expect(refused).toBe(403);
});

test('the number of statements does not grow with the number of datasets', async () => {
  const {datasets, pipelines, models} = app.services;
  const count = async (query: string): Promise<number> => {
    let calls = 0;
    const undo = [datasets, pipelines, models].flatMap(service => methodsOf(service).map(name => {
      const target = service as unknown as Record<string, any>;
      const own = Object.getOwnPropertyDescriptor(target, name);
      const method = target[name];
      target[name] = (...args: unknown[]) => {
        calls++;
        return method.apply(service, args);
      };
      return () => (own ? Object.defineProperty(target, name, own) : delete target[name]);
    }));
    const answer = await post(query);
    for (const restore of undo) restore();
    expect(answer.errors).toBeUndefined();
    return calls;
  };
  const question = '{ datasets { nodes { name snapshots(first: 2) { run { id steps { output { id } inputs { id } } } parent { id } files { path } } models { state } } } }';
  const few = await count(question);
  for (const name of ['finches', 'gulls', 'herons']) await eventsOf((await ingest({source: {path: 'birds.csv'}, into: name})).data.ingest.run.id);
  expect(await count(question)).toBe(few);
  expect(few).toBeLessThanOrEqual(9);
});

/** Names of what a service offers, own or inherited. */
function methodsOf(service: object): string[] {
  const names = new Set([...Object.keys(service), ...Object.getOwnPropertyNames(Object.getPrototypeOf(service))]);
  return [...names].filter(name => ['list', 'get', 'snapshotsOf', 'snapshotsById', 'snapshotsOfRuns', 'files', 'filesOf', 'run', 'runs', 'runsById', 'stepsOf', 'bindings', 'bindingsOf', 'versionsOf', 'aliasesOf', 'aliasesOfModels'].includes(name));
}

test('what an answer took is told where it is asked for, by an extension or a header', async () => {
  const query = '{ birds(where: {id: {_gt: 1}}) { name } system { version } }';
  const response = await fetch(`${app.http.url}/graphql`, {method: 'POST', headers: {'content-type': 'application/json'}, body: JSON.stringify({query, extensions: {explain: true}})});
  const {extensions} = (await response.json()) as {extensions: {explain: object}};
  expect(extensions.explain).toMatchObject({
    plan: {cached: false, milliseconds: expect.any(Number)},
    fields: {birds: {statements: [{sql: expect.stringContaining('SELECT'), datasets: [{dataset: 'birds', files: {read: 1, pruned: 0}}], estimated: {rows: 2}, real: {rows: 1}}], time: {engine: expect.any(Number)}}},
  });
  const again = (await post(query, undefined, {'millrace-explain': 'true'})).extensions as unknown as {explain: object};
  expect(again.explain).toMatchObject({plan: {cached: true}});
  expect((await post(query)).extensions).not.toHaveProperty('explain');
});

test('a viewer has so many operations at a time', async () => {
  const limits = app.services.viewers(undefined).limits as {queries: number};
  const before = limits.queries;
  limits.queries = 3;
  try {
    const answers = await Promise.all(Array.from({length: 20}, () => post('{ birds_aggregate { aggregate { count } } }')));
    const refused = answers.filter(({errors}) => errors?.[0]?.extensions.code === 'TOO_MANY_QUERIES');
    expect(refused.length).toBeGreaterThan(0);
    expect(answers.filter(({data}) => data?.birds_aggregate).length).toBe(20 - refused.length);
    expect(new Set(refused.map(({status}) => status))).toEqual(new Set([429]));
  } finally {
    limits.queries = before;
  }
  expect((await post('{ birds_aggregate { aggregate { count } } }')).errors).toBeUndefined();
});
