import {compose, createDeployment} from './deployment.ts';
import type {Deployment, Running} from './deployment.ts';

let deployment: Deployment;
let servers: Running[];
let workers: Running[];

beforeAll(async () => {
  deployment = await createDeployment();
  servers = [await deployment.start('server'), await deployment.start('server')];
  workers = [];
  for (let made = 0; made < compose.services.worker!.deploy!.replicas!; made++) workers.push(await deployment.start('worker'));
  for (const one of [...servers, ...workers]) await one.healthy();
}, 180_000);

afterAll(async () => { await deployment?.close(); });

const ask = (server: Running, secret: string | undefined) =>
  fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: {'content-type': 'application/json', ...(secret === undefined ? {} : {authorization: `Bearer ${secret}`})},
    body: JSON.stringify({query: '{ __typename }'}),
  });

test('both servers answer who has the secret, and nobody else', async () => {
  for (const server of servers) {
    const answer = await ask(server, deployment.secrets.MILLRACE_API_ADMIN_SECRET);
    expect(await answer.json()).toEqual(expect.objectContaining({data: {__typename: 'Query'}}));
    expect((await ask(server, undefined)).status).toBe(401);
    expect((await ask(server, 'another-secret')).status).toBe(401);
  }
});

test('any of them is killed, and the others go on', async () => {
  await workers[0]!.end('SIGKILL');
  await servers[0]!.end('SIGKILL');
  for (const one of [servers[1]!, workers[1]!]) await one.healthy();
  expect(await servers[0]!.isHealthy()).toBe(false);
  expect((await ask(servers[1]!, deployment.secrets.MILLRACE_API_ADMIN_SECRET)).status).toBe(200);
});

test('asked to stop, they stop well', async () => {
  for (const one of [servers[1]!, workers[1]!]) expect(await one.end('SIGTERM')).toEqual({code: 0, signal: null});
});
