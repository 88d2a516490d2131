/** Servers are killed between an event, its delivery and the note that it was accepted. */
import {setTimeout as sleep} from 'node:timers/promises';
import {createProject, data} from '../support/project.ts';
import {killServers, runServer, startServer} from '../support/server-process.ts';
import {isSigned, startReceiver} from '../support/webhook-receiver.ts';

afterAll(killServers);

const set = ['webhooks.privateHosts=127.0.0.1', 'webhooks.timeoutSeconds=1'];

test('kill -9 between the event, its delivery and the note that it was accepted: the failure is told of', async () => {
  const project = createProject();
  const receiver = await startReceiver();
  project.write('jobs/broken.ts', `import {pipeline, sql} from 'millrace/jobs';
    export default pipeline('broken', {steps: [sql('broken', "SELECT CAST('x' AS INTEGER) AS n FROM range(3)")]});`);
  const dying = (boundary: string) => ({set, env: {MILLRACE_DIE_AT: boundary}});
  const killed = {code: null, signal: 'SIGKILL'};

  const failing = await startServer(project.folder, dying('step failed'));
  const {createWebhook: {secret}} = await data(failing.url, `mutation { createWebhook(input: {url: "${receiver.url}/", on: [RUN_FAILED]}) { ... on WebhookCreated { secret } } }`);
  await data(failing.url, 'mutation { startRun(input: {pipeline: "broken"}) { __typename } }').catch(() => undefined);
  expect(await failing.ended).toEqual(killed);
  const claiming = await runServer(project.folder, dying('delivery claimed'));
  expect(claiming).toMatchObject(killed);
  expect(receiver.received).toEqual([]);
  const sending = await runServer(project.folder, dying('delivery sent'));
  expect(sending).toMatchObject(killed);
  expect(receiver.received).toHaveLength(1);

  const last = await startServer(project.folder, {set});
  const deliveries = async () => (await data(last.url, '{ webhooks { deliveries { id state attempts } } }')).webhooks[0].deliveries;
  while ((await deliveries())[0].state !== 'DELIVERED') await sleep(50);
  const [delivery, ...others] = await deliveries();
  expect({delivery, others}).toMatchObject({delivery: {attempts: 3}, others: []});
  // That it was sent once is not known, so it is sent again, with the id by which the receiver tells.
  expect(receiver.received.map(message => [message.headers['webhook-id'], isSigned(message, secret)])).toEqual([[delivery.id, true], [delivery.id, true]]);
  for (const output of [failing.output(), claiming.output, sending.output, last.output()]) expect(output).not.toContain(secret.slice(6));
  expect((await last.end('SIGTERM')).code).toBe(0);
  await receiver.close();
  project.remove();
}, 180_000);
