import {mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {settings, settingsDocument} from '../../src/core/config-schema.ts';
import {describeConfig, loadConfig, secretsOf} from '../../src/core/config.ts';
import type {MillraceError} from '../../src/core/errors.ts';

let project: string;
beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), 'millrace-config-'));
});
afterEach(() => rmSync(project, {recursive: true}));

function write(file: string, content: unknown): void {
  const path = join(project, file);
  mkdirSync(dirname(path), {recursive: true});
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
}

function failure(load: () => unknown): MillraceError {
  try {
    load();
  } catch (error) {
    return error as MillraceError;
  }
  throw new Error('it was accepted');
}

test('without anything given, defaults are safe and folders absolute', () => {
  const {config, origins, environment, warnings} = loadConfig({projectFolder: project});
  expect(environment).toBe('development');
  expect(warnings).toEqual([]);
  expect(config).toMatchObject({
    project: {folder: project},
    data: {folder: join(project, '.millrace')},
    catalog: {url: null},
    warehouse: {folder: join(project, '.millrace/warehouse')},
    sources: {roots: [project]},
    jobs: {folder: join(project, 'jobs')},
    api: {host: '127.0.0.1', port: 4000, adminSecret: null, origins: []},
  });
  expect(config.engine.memoryLimit).toBeGreaterThan(2 ** 20);
  expect(origins['api.port']).toBe('default');
  expect(Object.isFrozen(config) && Object.isFrozen(config.api)).toBe(true);
});

test('later layers win, key by key, and each value says where it came from', () => {
  write('config/development.json', {api: {port: 1, host: 'localhost'}, limits: {rows: 1, depth: 1}, log: {level: 'debug'}});
  write('config/local.json', {api: {port: 2}, limits: {rows: 2, depth: 2}});
  const {config, origins} = loadConfig({
    projectFolder: project,
    env: {MILLRACE_LIMITS_ROWS: '3', MILLRACE_LIMITS_DEPTH: '3', PATH: '/bin'},
    flags: {set: ['limits.depth=4'], workers: 5},
  });
  expect([config.api.host, config.api.port, config.limits.rows, config.limits.depth, config.pipelines.workers, config.log.level])
    .toEqual(['localhost', 2, 3, 4, 5, 'debug']);
  expect([origins['api.host'], origins['api.port'], origins['limits.rows'], origins['limits.depth'], origins['pipelines.workers'], origins['limits.cost']])
    .toEqual(['config/development.json', 'config/local.json', 'MILLRACE_LIMITS_ROWS', '--set', '--workers', 'default']);
});

test('the environment chooses the file; the installed one lies below that of the project', () => {
  write('installed/production.json', {limits: {rows: 1, depth: 1}});
  write('config/production.json', {limits: {rows: 2}});
  write('config/development.json', {limits: {rows: 9}});
  const {config, environment} = loadConfig({projectFolder: project, env: {MILLRACE_ENV: 'production'}, installedFolder: join(project, 'installed')});
  expect(environment).toBe('production');
  expect([config.limits.rows, config.limits.depth]).toEqual([2, 1]);
  expect(failure(() => loadConfig({projectFolder: project, env: {MILLRACE_ENV: 'prodution'}})).message).toContain('there is no config/prodution.json');
  expect(failure(() => loadConfig({projectFolder: project, env: {MILLRACE_ENV: '../x'}})).code).toBe('CONFIG_INVALID');
});

test('the shipped files are valid', () => {
  for (const environment of ['development', 'production']) expect(loadConfig({projectFolder: project, env: {MILLRACE_ENV: environment}}).environment).toBe(environment);
});

test('--project and MILLRACE_PROJECT_FOLDER move every folder', () => {
  write('elsewhere/config/local.json', {data: {folder: 'state'}, published: {folder: '/srv/out'}});
  const {config} = loadConfig({projectFolder: project, env: {MILLRACE_PROJECT_FOLDER: 'nowhere'}, flags: {project: 'elsewhere'}});
  expect([config.project.folder, config.data.folder, config.models.folder, config.published.folder])
    .toEqual([join(project, 'elsewhere'), join(project, 'elsewhere/state'), join(project, 'elsewhere/state/models'), '/srv/out']);
});

test('texts become numbers, sizes, lists and nothing', () => {
  const {config} = loadConfig({
    projectFolder: project,
    env: {MILLRACE_UPLOADS_MAX_BYTES: '1.5GiB', MILLRACE_API_ORIGINS: 'https://a.example, http://b.example:81', MILLRACE_CATALOG_URL: '', MILLRACE_SOURCES_ROOTS: 'in,/data'},
  });
  expect(config.uploads.maxBytes).toBe(1.5 * 2 ** 30);
  expect(config.api.origins).toEqual(['https://a.example', 'http://b.example:81']);
  expect(config.catalog.url).toBeNull();
  expect(config.sources.roots).toEqual([join(project, 'in'), '/data']);
});

test('every problem is told at once, by key and source, without echoing a secret', () => {
  write('config/local.json', {api: {prot: 1, port: 'high'}, log: 'loud', project: {folder: '/x'}});
  const error = failure(() => loadConfig({
    projectFolder: project,
    env: {MILLRACE_API_ADMIN_SECRET: 'tiny!', MILLRACE_CATALOG_URL: 'mysql://root:hush@db/x', MILLRACE_LIMITS_ROWS: '-1'},
    flags: {set: ['log.level=loud', 'nonsense', 'a.b=1'], host: '0.0.0.0'},
  }));
  expect(error.code).toBe('CONFIG_INVALID');
  for (const part of [
    "api.prot (config/local.json): no such setting. Did you mean 'api.port'?",
    'api.port (config/local.json): must be a whole number from 0 to 65535, not "high"',
    'log (config/local.json): must be an object',
    'project.folder: cannot be set by a file',
    'api.adminSecret (MILLRACE_API_ADMIN_SECRET): must have 12 characters at least.',
    'catalog.url (MILLRACE_CATALOG_URL): must be a URL beginning with postgres://.',
    'limits.rows (MILLRACE_LIMITS_ROWS)',
    'log.level (--set): must be one of trace, ',
    '--set nonsense: must have the form',
    'a.b (--set): no such setting',
  ]) expect(error.message).toContain(part);
  expect(error.message).not.toMatch(/tiny!|hush/);
});

test('a file that is no JSON object is told', () => {
  write('config/local.json', '{"api":');
  write('config/development.json', '[]');
  const {message} = failure(() => loadConfig({projectFolder: project}));
  expect(message).toContain('config/local.json: is not JSON');
  expect(message).toContain('config/development.json: must hold one JSON object');
});

test.each(['0.0.0.0', '::', '10.1.2.3', 'example.org'])('%s is refused without an admin secret', (host) => {
  expect(failure(() => loadConfig({projectFolder: project, flags: {host}})).message).toContain(`is '${host}', which others can reach`);
  expect(loadConfig({projectFolder: project, flags: {host}, env: {MILLRACE_API_ADMIN_SECRET: 'long enough to be one'}}).config.api.host).toBe(host);
});

test.each(['127.0.0.1', '127.9.9.9', 'localhost', '::1', '0:0:0:0:0:0:0:1'])('%s needs no admin secret', (host) => {
  expect(loadConfig({projectFolder: project, flags: {host}}).config.api.host).toBe(host);
});

test('an unknown MILLRACE_ variable is a warning, because orchestrators set such names', () => {
  const {warnings} = loadConfig({projectFolder: project, env: {MILLRACE_API_PROT: '1', MILLRACE_PORT: 'tcp://10.0.0.1:4000'}});
  expect(warnings).toHaveLength(2);
  expect(warnings[0]).toContain("Did you mean 'MILLRACE_API_PORT'?");
});

test('described values have sources, and secrets are masked', () => {
  const loaded = loadConfig({
    projectFolder: project, env: {MILLRACE_CATALOG_URL: 'postgres://me:p%40ss@db:5432/millrace', MILLRACE_API_ADMIN_SECRET: 'a secret of some length'},
  });
  const described = describeConfig(loaded);
  expect(described).toHaveLength(settings.size);
  expect(JSON.stringify(described)).not.toMatch(/p%40ss|p@ss|a secret of/);
  expect(described.find(({key}) => key === 'catalog.url')).toMatchObject({value: 'postgres://me:********@db:5432/millrace', source: 'MILLRACE_CATALOG_URL', variable: 'MILLRACE_CATALOG_URL'});
  expect(secretsOf(loaded.config)).toEqual(['a secret of some length', 'p%40ss', 'p@ss']);
});

test('config/environment-variables.md is current (UPDATE_GOLDEN=1 writes it)', () => {
  const file = new URL('../../config/environment-variables.md', import.meta.url);
  if (process.env.UPDATE_GOLDEN) writeFileSync(file, settingsDocument());
  expect(readFileSync(file, 'utf8')).toBe(settingsDocument());
});
