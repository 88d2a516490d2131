import {existsSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {Command} from 'commander';
import {enginesCommand} from '../../src/cli/commands/engines.ts';
import {environmentVariable, settings} from '../../src/core/config-schema.ts';
import {engineServers} from '../../src/engines/kinds.ts';
import {compose, copies, imageEnvironment, instruction, root} from './deployment.ts';

const ours = Object.entries(compose.services).filter(([, {image}]) => image === 'millrace');
const known = new Set([...settings.keys()].map(environmentVariable));

test('the compose file has PostgreSQL, a server and two workers, and engines for those who ask for them', () => {
  expect(Object.entries(compose.services).map(([name, {profiles}]) => [name, ...(profiles ?? [])])).toEqual([['postgres'], ['server'], ['worker'], ['spark', 'spark'], ['hive', 'hive']]);
  expect(compose.services.worker?.deploy?.replicas).toBe(2);
  expect(ours.map(([name]) => name)).toEqual(['server', 'worker']);
});

test('every variable is a setting', () => {
  const given = [imageEnvironment, ...ours.map(([, {environment}]) => environment ?? {})].flatMap(Object.keys);
  expect(given.filter((name) => name !== 'NODE_ENV' && name !== 'MILLRACE_ENV' && !known.has(name))).toEqual([]);
});

test('server and workers share the catalog and the data, and wait for PostgreSQL', () => {
  const of = <T>(key: (service: (typeof ours)[number][1]) => T) => new Set(ours.map(([, service]) => JSON.stringify(key(service))));
  expect(of((service) => service.environment?.MILLRACE_CATALOG_URL).size).toBe(1);
  expect([...of((service) => service.volumes)]).toEqual([JSON.stringify([`data:${imageEnvironment.MILLRACE_DATA_FOLDER}`])]);
  expect([...of((service) => service.depends_on?.postgres)]).toEqual([JSON.stringify({condition: 'service_healthy'})]);
  expect(Object.keys(compose.volumes).toSorted()).toEqual(['data', 'postgres']);
});

test("the catalog's URL names the database that the postgres service makes", () => {
  const {hostname, port, pathname, username} = new URL(compose.services.server!.environment!.MILLRACE_CATALOG_URL!.replace(/\$\{.*?\}/, 'x'));
  const {POSTGRES_DB, POSTGRES_USER} = compose.services.postgres!.environment!;
  expect({hostname, port, pathname, username}).toEqual({hostname: 'postgres', port: '5432', pathname: `/${POSTGRES_DB}`, username: POSTGRES_USER});
  expect(compose.services.postgres!.healthcheck!.test).toEqual(['CMD-SHELL', `pg_isready --username=${POSTGRES_USER} --dbname=${POSTGRES_DB}`]);
});

test('engines are started by the command that there is, over the same files, and are set alike for server and workers', () => {
  const engines = Object.entries(compose.services).filter(([, {image}]) => image === 'millrace-engines');
  const own = readFileSync(join(root, 'Dockerfile.engines'), 'utf8');
  expect(own).toMatch(/^FROM millrace$/m);
  expect(own).toContain('ENTRYPOINT ["node", "/app/bin/millrace.mjs", "engines", "start"]');
  const start = enginesCommand.commands!.find(({name}) => name === 'start')!;
  for (const [name, {command, volumes, build}] of engines) {
    expect(volumes).toEqual(compose.services.server!.volumes);
    expect(build).toEqual({context: '.', dockerfile: 'Dockerfile.engines', additional_contexts: {millrace: 'service:server'}});
    expect(command![0]).toBe(name);
    const parser = new Command().exitOverride();
    start.options!(parser);
    expect(parser.parse(command!.slice(1), {from: 'user'}).opts()).toMatchObject({bind: '0.0.0.0'});
    const variable = `MILLRACE_${name.toUpperCase()}_URL`;
    for (const [, {environment}] of ours) expect(environment![variable]).toBe(`\${${variable}:-}`);
  }
  expect(engines.map(([name]) => name)).toEqual(engineServers.map(({name}) => name));
});

test('one port everywhere, published to this machine only', () => {
  const port = imageEnvironment.MILLRACE_API_PORT;
  expect(instruction('EXPOSE')).toBe(port);
  expect(compose.services.server?.ports).toEqual([`127.0.0.1:${port}:${port}`]);
  const check = ['node', '/app/bin/health.mjs', `http://127.0.0.1:${port}/health/ready`];
  expect(JSON.parse(instruction('HEALTHCHECK').replace(/^.*CMD /, ''))).toEqual(check);
  for (const [, {healthcheck}] of ours) expect(healthcheck?.test).toEqual(['CMD', ...check]);
});

test('the image has every file that is needed to run, and those exist', () => {
  const copied = copies.map(({from}) => from);
  expect(copied).toEqual(expect.arrayContaining(['bin', 'config', 'dist', 'jobs', 'node_modules', 'package.json', 'prisma/migrations', 'scripts/lib/node.mjs']));
  expect(copied.filter((path) => path !== 'dist' && !existsSync(join(root, path)))).toEqual([]);
});

test('a container is given more time to stop than the server takes', () => {
  const seconds = settings.get('api.shutdownSeconds')!.initial({project: '', data: ''}) as number;
  for (const [, {stop_grace_period: grace}] of ours) expect(Number.parseInt(grace!, 10)).toBeGreaterThan(seconds);
});
