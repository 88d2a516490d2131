/** Webhooks over a whole server: what is told when, and to whom secrets are shown. */
import {readFileSync, readdirSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import type {App} from '../../src/compose.ts';
import {instantOf, lookAtFreshness} from '../../src/webhooks/freshness.ts';
import {createProject, data, runToEnd, startApp} from '../support/project.ts';
import type {Project} from '../support/project.ts';
import {isSigned, startReceiver} from '../support/webhook-receiver.ts';
import type {Receiver} from '../support/webhook-receiver.ts';

let project: Project;
let app: App;
let receiver: Receiver;

beforeAll(async () => {
  project = createProject();
  receiver = await startReceiver();
  app = await startApp(project, {set: ['webhooks.privateHosts=127.0.0.1']});
});
afterAll(async () => {
  await app.lifecycle.stop();
  await receiver.close();
  project.remove();
});

const answer = async (mutation: string, variables: Record<string, unknown> = {}) => {
  const {answer: given} = await data(app.http.url, mutation, variables);
  return given;
};
const createWebhook = (input: object) => answer(
  'mutation($input: CreateWebhookInput!) { answer: createWebhook(input: $input) { ... on WebhookCreated { webhook { id url on pipelines datasets } secret } ... on Failure { code message hint } } }', {input});
const put = (name: string, steps: object[]) => app.services.pipelines.put(app.services.system, {name, steps}, 'graph');
const bodies = async (path: string, count: number) => {
  const of = () => receiver.received.filter(received => received.path === path);
  while (of().length < count) await sleep(20);
  return of().map(({body}) => JSON.parse(body));
};

test('a run that fails is told of, with its error; the secret is shown once', async () => {
  const {webhook, secret} = await createWebhook({url: `${receiver.url}/failed`, on: ['RUN_FAILED'], pipelines: ['broken']});
  expect(webhook).toMatchObject({on: ['RUN_FAILED'], pipelines: ['broken'], datasets: []});
  await put('broken', [{kind: 'sql', name: 'broken', into: 'broken', sql: "SELECT CAST('x' AS INTEGER) AS n FROM range(3)"}]);
  await put('whole', [{kind: 'sql', name: 'whole', into: 'whole', sql: 'SELECT 1 AS one'}]);
  await runToEnd(app.http.url, 'whole');
  const {id} = await runToEnd(app.http.url, 'broken');
  const [body] = await bodies('/failed', 1);
  expect(body).toMatchObject({type: 'run.failed', data: {run: {id, pipeline: 'broken', requestedBy: 'local'}, error: {code: 'RUN_FAILED', message: expect.stringContaining("'broken' failed")}}});
  expect(isSigned(receiver.received.find(({path}) => path === '/failed')!, secret)).toBe(true);
  const {webhooks} = await data(app.http.url, '{ webhooks { id url on deliveries { id type state attempts status error nextAttemptAt deliveredAt body } } }');
  expect(webhooks[0].deliveries).toMatchObject([{type: 'run.failed', state: 'DELIVERED', attempts: 1, status: 204, error: null, nextAttemptAt: null, body}]);
  expect(JSON.stringify(webhooks)).not.toContain('whsec');
  // It can be sent again, with the same id.
  const delivery = webhooks[0].deliveries[0].id;
  const resend = 'mutation($id: ID!) { answer: resendDelivery(id: $id) { ... on DeliveryQueued { delivery { state } } ... on Failure { code } } }';
  expect(await answer(resend, {id: delivery})).toEqual({delivery: {state: 'PENDING'}});
  await bodies('/failed', 2);
  expect(await answer(resend, {id: webhook.id})).toEqual({code: 'DELIVERY_NOT_FOUND'});
});

test('a secret is changed for another, which is shown once', async () => {
  const {webhook, secret} = await createWebhook({url: `${receiver.url}/rotated`, on: ['RUN_FAILED']});
  const rotate = 'mutation($id: ID!, $hours: Float, $secret: String) { answer: rotateWebhookSecret(id: $id, formerHours: $hours, secret: $secret) { ... on WebhookSecretRotated { webhook { id } secret } ... on Failure { code } } }';
  const rotated = await answer(rotate, {id: webhook.id});
  expect(rotated).toEqual({webhook: {id: webhook.id}, secret: expect.stringMatching(/^whsec_/)});
  expect(rotated.secret).not.toBe(secret);
  expect(await answer(rotate, {id: webhook.id, secret: 'whsec_short'})).toEqual({code: 'WEBHOOK_INVALID'});
  expect(await answer(rotate, {id: webhook.id, hours: 1e9})).toEqual({code: 'WEBHOOK_INVALID'});
  expect(await answer(rotate, {id: 'nobody'})).toEqual({code: 'WEBHOOK_NOT_FOUND'});
});

test('rows that were put aside are told of with the commit', async () => {
  await createWebhook({url: `${receiver.url}/aside`, on: ['QUARANTINE'], datasets: ['delays']});
  project.write('delays.csv', 'id,delay\n1,5\n2,-1116\n3,-953\n4,9\n');
  const contract = {checks: [{range: {column: 'delay', min: -120}}], onBadRow: 'quarantine'};
  await put('delays_in', [{kind: 'ingest', name: 'delays', into: 'delays', source: {path: 'delays.csv'}, contract}]);
  const {id} = await runToEnd(app.http.url, 'delays_in');
  expect(await bodies('/aside', 1)).toMatchObject([{type: 'dataset.quarantined', data: {dataset: 'delays', rows: 2, run: {id, pipeline: 'delays_in'}, step: 'delays'}}]);
});

test('a dataset that is too old is told of once, until it is fresh again', async () => {
  await createWebhook({url: `${receiver.url}/stale`, on: ['FRESHNESS']});
  const contract = {checks: [{freshness: {column: 'at', hours: 24}, severity: 'warn'}]};
  await put('weather_in', [{kind: 'ingest', name: 'weather', into: 'weather', source: {path: 'weather.csv'}, contract}]);
  const ingest = async (newest: string) => {
    project.write('weather.csv', `id,at\n1,2026-01-01 00:00:00\n2,${newest}\n`);
    return runToEnd(app.http.url, 'weather_in');
  };
  const {id} = await ingest('2026-03-01 12:00:00');
  const look = (at: string) => lookAtFreshness(app.services.catalog, app.services.logger, () => new Date(at));
  await look('2026-03-02T12:00:00Z');
  await Promise.all([look('2026-03-02T12:00:01Z'), look('2026-03-02T12:00:01Z')]);
  await look('2026-03-05T00:00:00Z');
  await sleep(200);
  expect(await bodies('/stale', 1)).toMatchObject([{type: 'dataset.stale', data: {dataset: 'weather', column: 'at', hours: 24, newest: '2026-03-01T12:00:00.000Z', run: {id, pipeline: 'weather_in'}}}]);
  await ingest('2026-03-05 00:00:00');
  await look('2026-03-05T01:00:00Z');
  await look('2026-03-07T00:00:00Z');
  expect((await bodies('/stale', 2)).map(({data: {newest}}) => newest)).toEqual(['2026-03-01T12:00:00.000Z', '2026-03-05T00:00:00.000Z']);
});

test.each([
  ['2026-03-01', '2026-03-01T00:00:00.000Z'], ['2026-03-01 12:30:00', '2026-03-01T12:30:00.000Z'], ['2026-03-01 12:30:00.123456', '2026-03-01T12:30:00.123Z'],
  ['2026-03-01 12:30:00+00', '2026-03-01T12:30:00.000Z'], ['2026-03-01T12:30:00.5+02:00', '2026-03-01T10:30:00.500Z'],
])('%s is the instant %s', (text, instant) => {
  expect(instantOf(text)?.toISOString()).toBe(instant);
});

test.each(['', 'yesterday', '2026-13-01', '12:30'])("'%s' is no instant", text => {
  expect(instantOf(text)).toBeNull();
});

test.each([
  [{url: 'ftp://example.org', on: ['RUN_FAILED']}, 'WEBHOOK_INVALID'], [{url: 'http://localhost/', on: ['RUN_FAILED']}, 'WEBHOOK_INVALID'], [{url: 'http://10.0.0.8/', on: ['RUN_FAILED']}, 'WEBHOOK_INVALID'],
  [{url: 'https://example.org', on: []}, 'WEBHOOK_INVALID'], [{url: 'https://example.org', on: ['FRESHNESS'], secret: 'hush'}, 'WEBHOOK_INVALID'],
])('%j is refused', async (input, code) => {
  expect(await createWebhook(input)).toMatchObject({code, hint: expect.stringContaining('webhooks.privateHosts')});
});

test('a webhook that is deleted is sent nothing more; a backup carries the secrets of the others', async () => {
  const gone = await createWebhook({url: `${receiver.url}/gone`, on: ['RUN_FAILED']});
  const kept = await createWebhook({url: `${receiver.url}/kept`, on: ['RUN_FAILED']});
  const remove = (id: string) => answer('mutation($id: ID!) { answer: deleteWebhook(id: $id) { ... on WebhookDeleted { id } ... on Failure { code } } }', {id});
  expect(await remove(gone.webhook.id)).toEqual({id: gone.webhook.id});
  expect(await remove(gone.webhook.id)).toEqual({code: 'WEBHOOK_NOT_FOUND'});
  await runToEnd(app.http.url, 'broken');
  await bodies('/kept', 1);
  expect(await bodies('/gone', 0)).toEqual([]);
  const folder = join(project.folder, 'backup');
  await app.services.maintenance.backup(folder);
  const files = readdirSync(folder, {recursive: true, encoding: 'utf8'}).map(file => join(folder, file)).filter(file => statSync(file).isFile());
  const texts = files.map(file => readFileSync(file, 'utf8')).join('\n');
  expect(texts).toContain(kept.secret);
});

test('who is no administrator sees and changes nothing', async () => {
  const viewer = {...app.services.system, roles: ['viewer'] as const};
  const {webhooks} = app.services;
  await expect(webhooks.list(viewer)).rejects.toMatchObject({code: 'UNAUTHENTICATED'});
  await expect(webhooks.create(viewer, {url: 'https://example.org', on: ['run_failed']})).rejects.toMatchObject({code: 'UNAUTHENTICATED'});
  await expect(webhooks.remove(viewer, 'x')).rejects.toMatchObject({code: 'UNAUTHENTICATED'});
  await expect(webhooks.deliveries(viewer, 'x', {limit: 1})).rejects.toMatchObject({code: 'UNAUTHENTICATED'});
  await expect(webhooks.resend(viewer, 'x')).rejects.toMatchObject({code: 'UNAUTHENTICATED'});
});
