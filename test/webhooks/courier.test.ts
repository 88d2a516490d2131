/** How deliveries are sent, retried and given up, on either database, to a real receiver. */
import {Writable} from 'node:stream';
import {setTimeout as sleep} from 'node:timers/promises';
import type {Catalog} from '../../src/catalog/catalog.ts';
import {createCatalog} from '../../src/catalog/create-catalog.ts';
import {createLogger} from '../../src/core/logging.ts';
import {Metrics} from '../../src/core/metrics.ts';
import type {RunRecord} from '../../src/pipelines/pipeline.ts';
import {Courier} from '../../src/webhooks/courier.ts';
import type {CourierOptions} from '../../src/webhooks/courier.ts';
import {newSecret} from '../../src/webhooks/signature.ts';
import type {DeliveryRecord, NewWebhook, WebhookEvent} from '../../src/webhooks/webhook.ts';
import {databases} from '../support/catalog-places.ts';
import type {CatalogPlace} from '../support/catalog-places.ts';
import {isSigned, startReceiver} from '../support/webhook-receiver.ts';
import type {Receiver} from '../support/webhook-receiver.ts';

const run: RunRecord = {
  id: '0191a8f0-0000-7000-8000-000000000001', pipeline: 'flights_daily', definitionId: '', definition: {name: 'flights_daily', steps: [{kind: 'sql', name: 'flights', into: 'flights', sql: 'SELECT 1'}]},
  branch: 'main', engine: null, params: {day: '2001-06-30'}, status: 'failed', waitingFor: null, requestedBy: 'local', idempotencyKey: null, retryOfId: null, cancelRequested: false,
  error: {code: 'RUN_FAILED', message: "Step 'flights' failed: no", hint: 'Mend the cause.'}, lastSeq: 3n, createdAt: new Date(0), startedAt: new Date(1), finishedAt: new Date(2),
};
const failed: WebhookEvent = {kind: 'run_failed', run};

describe.each(databases)('deliveries on %s', (_kind, create) => {
  let place: CatalogPlace;
  let catalog: Catalog;
  let logged = '';
  const logger = createLogger({format: 'json', output: new Writable({write: (piece, _encoding, done) => {
    logged += String(piece);
    done();
  }})});

  const metrics = new Metrics({version: 'test'});

  beforeAll(async () => {
    place = await create();
    catalog = createCatalog(place.options);
    await catalog.start();
  });
  afterAll(async () => {
    metrics.stop();
    await catalog.stop();
    await place.remove();
  });

  const open: {receivers: Receiver[]; couriers: Courier[]} = {receivers: [], couriers: []};
  afterEach(async () => {
    await Promise.all(open.couriers.splice(0).map(courier => courier.stop()));
    await Promise.all(open.receivers.splice(0).map(receiver => receiver.close()));
    await catalog.transaction(async stores => {
      for (const {id} of await stores.webhooks.list()) await stores.webhooks.remove(id);
    });
  });
  const receive = async (...given: Parameters<typeof startReceiver>) => {
    const receiver = await startReceiver(...given);
    open.receivers.push(receiver);
    return receiver;
  };
  const startCourier = (options: Partial<CourierOptions> = {}) => {
    const courier = new Courier(catalog, {privateHosts: ['127.0.0.1'], timeoutSeconds: 5, userAgent: 'Millrace/test', waits: [0.05, 0.05], ...options}, logger, metrics);
    open.couriers.push(courier);
    courier.start();
    return courier;
  };
  const secret = newSecret();
  const webhook = (url: string, options: Partial<NewWebhook> = {}) =>
    catalog.transaction(stores => stores.webhooks.create({url, secret, on: ['run_failed', 'freshness', 'quarantine'], pipelines: [], datasets: [], createdBy: 'me', ...options}));
  const tell = (event: WebhookEvent = failed) => catalog.transaction(stores => stores.webhooks.enqueue(event));
  const deliveries = (id: string) => catalog.read(stores => stores.webhooks.deliveries(id, {limit: 100}));
  const until = async (id: string, is: (delivery: DeliveryRecord) => boolean): Promise<DeliveryRecord> => {
    for (;;) {
      const found = (await deliveries(id)).find(is);
      if (found) return found;
      await sleep(20);
    }
  };

  test('are signed, and sent once to who accepts them', async () => {
    const receiver = await receive();
    const {id} = await webhook(`${receiver.url}/hook?x=1`);
    startCourier();
    startCourier();
    await tell();
    const delivery = await until(id, ({state}) => state === 'delivered');
    await sleep(200);
    expect(receiver.received).toHaveLength(1);
    const [message] = receiver.received;
    expect(message).toMatchObject({path: '/hook?x=1', headers: {'content-type': 'application/json', 'user-agent': 'Millrace/test', 'webhook-id': delivery.id}});
    expect(isSigned(message!, secret)).toBe(true);
    expect(isSigned(message!, newSecret())).toBe(false);
    expect(JSON.parse(message!.body)).toEqual({
      type: 'run.failed', timestamp: delivery.createdAt.toISOString(),
      data: {
        run: {id: run.id, pipeline: 'flights_daily', requestedBy: 'local', params: {day: '2001-06-30'}, createdAt: run.createdAt.toISOString(), startedAt: run.startedAt!.toISOString(), finishedAt: run.finishedAt!.toISOString()},
        error: {code: 'RUN_FAILED', message: "Step 'flights' failed: no", hint: 'Mend the cause.'},
      },
    });
    expect(delivery).toMatchObject({attempts: 1, status: 204, error: null, deliveredAt: expect.any(Date)});
  });

  test('are signed by the secret before as well, as long as that is said', async () => {
    const receiver = await receive();
    const {id} = await webhook(receiver.url);
    const second = newSecret();
    expect(await catalog.transaction(stores => stores.webhooks.changeSecret(id, second, 1))).toMatchObject({id, url: receiver.url});
    startCourier();
    await tell();
    const [first] = await receiver.count(1);
    expect([isSigned(first!, secret), isSigned(first!, second), isSigned(first!, newSecret())]).toEqual([true, true, false]);
    const third = newSecret();
    await catalog.transaction(stores => stores.webhooks.changeSecret(id, third, 0));
    await tell();
    const [, next] = await receiver.count(2);
    expect([isSigned(next!, secret), isSigned(next!, second), isSigned(next!, third)]).toEqual([false, false, true]);
    expect(await catalog.transaction(stores => stores.webhooks.changeSecret('0191a8f0-0000-7000-8000-000000000009', third, 0))).toBeNull();
  });

  test('are tried again with the same id, then dead, and can be sent again', async () => {
    let answers = 0;
    const receiver = await receive((_, response) => response.writeHead(++answers <= 3 ? 503 : 200).end());
    const {id} = await webhook(receiver.url);
    startCourier();
    await tell();
    const dead = await until(id, ({state}) => state === 'dead');
    expect(dead).toMatchObject({attempts: 3, status: 503, error: 'it answered 503'});
    expect(new Set(receiver.received.map(({headers}) => headers['webhook-id']))).toEqual(new Set([dead.id]));
    await catalog.transaction(stores => stores.webhooks.resend(dead.id));
    expect(await until(id, ({state}) => state === 'delivered')).toMatchObject({id: dead.id, attempts: 1, status: 200});
    expect(await catalog.transaction(stores => stores.webhooks.resend(id))).toBe(false);
    expect(logged).toContain('a webhook was given up');
    expect(await metrics.text()).toContain('millrace_webhook_tries_total{outcome="dead"} 1');
    expect(logged).not.toContain(secret.slice(6));
  });

  test('are not sent on to where a receiver redirects', async () => {
    const target = await receive();
    const receiver = await receive((_, response) => response.writeHead(307, {location: target.url}).end());
    const {id} = await webhook(receiver.url);
    startCourier({waits: []});
    await tell();
    expect(await until(id, ({state}) => state === 'dead')).toMatchObject({status: 307, error: 'it answered 307; redirects are not followed'});
    expect(target.received).toEqual([]);
  });

  test('are given up at once when the receiver says that it is gone', async () => {
    const receiver = await receive((_, response) => response.writeHead(410).end());
    const {id} = await webhook(receiver.url);
    startCourier();
    await tell();
    expect(await until(id, ({state}) => state === 'dead')).toMatchObject({attempts: 1, status: 410});
  });

  test('to who is slow, or sends a byte now and then, end in time and hold up no other', async () => {
    const slow = await receive((_, response) => {
      response.socket!.write('HTTP/1.1 200 OK\r\nx-drip: ');
      const drip = setInterval(() => response.socket?.write('x'), 50);
      response.socket!.on('close', () => clearInterval(drip));
    });
    const quick = await receive();
    const slowHook = await webhook(slow.url);
    startCourier({timeoutSeconds: 1, waits: []});
    for (let index = 0; index < 20; index++) await tell();
    await slow.count(1);
    const quickHook = await webhook(quick.url);
    await tell();
    await until(quickHook.id, ({state}) => state === 'delivered');
    expect((await deliveries(slowHook.id)).filter(({state}) => state === 'pending').length).toBeGreaterThan(10);
    expect(await until(slowHook.id, ({state}) => state === 'dead')).toMatchObject({status: null, error: 'it did not answer within 1 s'});
  });

  test('go to no private address, whatever the address was when the webhook was made', async () => {
    const receiver = await receive();
    const byAddress = await webhook(receiver.url);
    const byName = await webhook(receiver.url.replace('127.0.0.1', 'localhost'));
    const nowhere = await webhook('http://127.0.0.1:1/');
    startCourier({privateHosts: [], waits: []});
    await tell();
    expect(await until(byAddress.id, ({state}) => state === 'dead')).toMatchObject({status: null, error: '127.0.0.1 is no public address'});
    expect(await until(byName.id, ({state}) => state === 'dead')).toMatchObject({status: null, error: expect.stringContaining('no public address')});
    await until(nowhere.id, ({state}) => state === 'dead');
    expect(receiver.received).toEqual([]);
  });

  test('to a port where nobody listens fail and are kept', async () => {
    const {id} = await webhook('http://127.0.0.1:1/');
    startCourier({waits: []});
    await tell();
    expect(await until(id, ({state}) => state === 'dead')).toMatchObject({error: expect.stringContaining('ECONNREFUSED')});
  });

  test('whose sender fell silent are sent by another when its lease is over, and only the last try counts', async () => {
    const receiver = await receive();
    const {id} = await webhook(receiver.url);
    await tell();
    const claimed = (await catalog.read(stores => stores.webhooks.claim(0.2, [])))!;
    expect(await catalog.read(stores => stores.webhooks.claim(1, []))).toBeNull();
    startCourier();
    expect(await until(id, ({state}) => state === 'delivered')).toMatchObject({id: claimed.id, attempts: 2});
    await catalog.read(stores => stores.webhooks.ended(claimed, {status: null, error: 'late', waitSeconds: null}));
    expect((await deliveries(id))[0]).toMatchObject({state: 'delivered', error: null});
  });

  test('that are asked for again while they are sent are ended by the later try alone', async () => {
    await webhook('http://127.0.0.1:1/');
    await tell();
    const claim = async () => (await catalog.read(stores => stores.webhooks.claim(60, [])))!;
    const first = await claim();
    await catalog.read(stores => stores.webhooks.resend(first.id));
    const second = await claim();
    expect([second.id, first.attempts, second.attempts]).toEqual([first.id, 1, 1]);
    const state = async () => (await catalog.read(stores => stores.webhooks.delivery(first.id)))!.state;
    await catalog.read(stores => stores.webhooks.ended(first, {status: null, error: 'late', waitSeconds: null}));
    expect(await state()).toBe('pending');
    await catalog.read(stores => stores.webhooks.ended(second, {status: 200, error: null, waitSeconds: null}));
    expect(await state()).toBe('delivered');
  });

  test('are written for who asked for them alone, in the unit of work of their event', async () => {
    const quarantine: WebhookEvent = {kind: 'quarantine', run, step: 'flights', dataset: 'flights', rows: 3n};
    const stale: WebhookEvent = {kind: 'freshness', dataset: 'weather', snapshotId: run.id, run: null, column: 'at', hours: 24, newest: null};
    const hooks = await Promise.all([
      webhook('https://a.example', {on: ['run_failed']}), webhook('https://b.example', {pipelines: ['flights_daily']}), webhook('https://c.example', {datasets: ['flights']}),
      webhook('https://d.example', {datasets: ['weather']}), webhook('https://e.example', {pipelines: ['other']}), webhook('https://f.example', {pipelines: ['flights_daily'], datasets: ['weather']}),
    ]);
    for (const event of [failed, quarantine, stale]) await tell(event);
    await expect(catalog.transaction(async stores => {
      await stores.webhooks.enqueue(failed);
      throw new Error('the step did not end after all');
    })).rejects.toThrow();
    const types = await Promise.all(hooks.map(async ({id}) => (await deliveries(id)).map(({type}) => type).sort()));
    expect(types).toEqual([['run.failed'], ['dataset.quarantined', 'run.failed'], ['dataset.quarantined', 'run.failed'], ['dataset.stale'], [], []]);
    const {body} = (await deliveries(hooks[3]!.id))[0]!;
    expect(JSON.parse(body).data).toEqual({dataset: 'weather', column: 'at', hours: 24, newest: null, snapshot: {id: run.id}, run: null});
  });

  test('that are over expire, others do not', async () => {
    const receiver = await receive();
    const {id} = await webhook(receiver.url);
    const other = await webhook('https://never.example');
    const courier = startCourier();
    await tell();
    await until(id, ({state}) => state === 'delivered');
    await courier.stop();
    await tell();
    await catalog.transaction(stores => stores.webhooks.expire(0));
    expect((await deliveries(id)).map(({state}) => state)).toEqual(['pending']);
    expect((await deliveries(other.id)).length).toBe(2);
  });
});
