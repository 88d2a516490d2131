/**
 * Configuration: what an installation may decide, where each value came from, and every mistake at once.
 *
 * Layers, the later winning: defaults in code, `config/<environment>.json` of the installation, the same file of the project,
 * `config/local.json` of the project (ignored by git), environment variables (`MILLRACE_SECTION_KEY`), the command line.
 */
import {readFileSync} from 'node:fs';
import {resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import {type Config, type Setting, environmentVariable, settings} from './config-schema.ts';
import {MillraceError, didYouMean} from './errors.ts';
import {isLoopback} from './loopback.ts';

export type {Config} from './config-schema.ts';

/** What the command line may say. `set` holds `section.key=value` entries; the others are short names of single keys. */
export interface ConfigFlags {
  readonly set?: readonly string[];
  readonly project?: string;
  readonly data?: string;
  readonly catalog?: string;
  readonly host?: string;
  readonly port?: string | number;
  readonly workers?: string | number;
  readonly logLevel?: string;
  readonly logFormat?: string;
}

const flagKeys: Readonly<Record<Exclude<keyof ConfigFlags, 'set'>, readonly [flag: string, key: string]>> = {
  project: ['--project', 'project.folder'],
  data: ['--data', 'data.folder'],
  catalog: ['--catalog', 'catalog.url'],
  host: ['--host', 'api.host'],
  port: ['--port', 'api.port'],
  workers: ['--workers', 'pipelines.workers'],
  logLevel: ['--log-level', 'log.level'],
  logFormat: ['--log-format', 'log.format'],
};

export interface LoadedConfig {
  /** Frozen; folders are absolute. */
  readonly config: Config;
  /** `default`, a file's path as the user would write it, an environment variable's name or a flag, for each key. */
  readonly origins: Readonly<Record<string, string>>;
  /** MILLRACE_ENV, `development` unless set. */
  readonly environment: string;
  /** Environment variables that look like settings and are none. Only told, because orchestrators set such names by themselves. */
  readonly warnings: readonly string[];
}

interface Given {
  readonly value: unknown;
  readonly source: string;
}

/**
 * Reads and validates the configuration.
 *
 * @param options.projectFolder where the user works; `--project` and MILLRACE_PROJECT_FOLDER go before it.
 * @param options.env environment variables, usually `process.env`.
 * @param options.installedFolder holds the files shipped with Millrace; tests give their own.
 * @throws CONFIG_INVALID with every problem, its key and its source.
 */
export function loadConfig(options: {
  projectFolder: string;
  env?: Readonly<Record<string, string | undefined>>;
  flags?: ConfigFlags;
  installedFolder?: string;
}): LoadedConfig {
  const {env = {}, flags = {}} = options;
  const installed = options.installedFolder ?? fileURLToPath(new URL('../../config', import.meta.url));
  const issues: string[] = [];
  const given = new Map<string, Given>();
  const give = (key: string, value: unknown, source: string) => {
    if (value === undefined) return;
    if (settings.has(key)) given.set(key, {value, source});
    else issues.push(`${key} (${source}): no such setting. ${didYouMean(key, settings.keys())}`.trim());
  };

  const project = resolve(options.projectFolder, flags.project ?? env[environmentVariable('project.folder')] ?? '.');
  const environment = env.MILLRACE_ENV || 'development';
  if (/^[\w-]+$/.test(environment)) {
    const name = `${environment}.json`;
    const files = new Set([resolve(installed, name), resolve(project, 'config', name)]);
    const found = [...files].map((path) => giveFile(path, `config/${name}`, give, issues));
    if (!found.includes(true) && env.MILLRACE_ENV) issues.push(`MILLRACE_ENV: there is no config/${name}.`);
  } else {
    issues.push('MILLRACE_ENV: must be letters, digits, _ and - only.');
  }
  giveFile(resolve(project, 'config/local.json'), 'config/local.json', give, issues);
  if (given.delete('project.folder')) issues.push('project.folder: cannot be set by a file of the project itself.');

  const warnings = giveEnvironment(env, give);
  giveFlags(flags, give, issues);

  const origins: Record<string, string> = {};
  const values = new Map<string, unknown>();
  for (const [key, setting] of settings) {
    const {value, source} = given.get(key) ?? {value: undefined, source: 'default'};
    origins[key] = source;
    if (value === undefined || (value === null && setting.nullable) || (value === '' && setting.nullable)) {
      values.set(key, value === undefined ? undefined : null);
      continue;
    }
    const checked = setting.type.safeParse(value);
    if (checked.success) values.set(key, checked.data);
    else issues.push(`${key} (${source}): ${checked.error.issues.map((issue) => issue.message).join('; ')}${shown(setting, value)}.`);
  }

  const config = assemble(values, project);
  if (!isLoopback(config.api.host) && config.api.adminSecret === null) {
    issues.push(
      `api.adminSecret (${origins['api.adminSecret']}): is needed because api.host (${origins['api.host']}) is '${config.api.host}', which others can reach.`,
    );
  }
  if (issues.length > 0) throw new MillraceError('CONFIG_INVALID', {issues: issues.join(' ')});
  return {config, origins, environment, warnings};
}

export interface DescribedSetting {
  readonly key: string;
  /** Secrets are masked. */
  readonly value: unknown;
  readonly source: string;
  readonly variable: string;
  readonly about: string;
}

/** Each setting with its value and where that came from; what `millrace config` shows. */
export function describeConfig(loaded: LoadedConfig): DescribedSetting[] {
  return [...settings].map(([key, setting]) => {
    const [section, name] = key.split('.') as [keyof Config, string];
    const value = (loaded.config[section] as Record<string, unknown>)[name];
    return {
      key,
      value: typeof value === 'string' && setting.mask ? setting.mask(value) : value,
      source: loaded.origins[key] ?? 'default',
      variable: environmentVariable(key),
      about: setting.about,
    };
  });
}

/** The values that must appear in no log and no answer. */
export function secretsOf(config: Config): string[] {
  const secrets = [config.api.adminSecret];
  if (config.catalog.url !== null) {
    const {password} = new URL(config.catalog.url);
    secrets.push(password, decoded(password));
  }
  for (const [, value] of config.spark.url?.matchAll(/;(?!use_ssl|user_id)[^;=]+=([^;]*)/gi) ?? []) secrets.push(value!, decoded(value!));
  const password = /^hive2:\/\/[^:@/]*:([^@/]*)@/.exec(config.hive.url ?? '')?.[1];
  if (password) secrets.push(password, decoded(password));
  return [...new Set(secrets)].filter((secret) => secret !== null && secret !== '') as string[];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function giveFile(path: string, source: string, give: (key: string, value: unknown, source: string) => void, issues: string[]): boolean {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    issues.push(`${source}: cannot be read: ${(error as Error).message}.`);
    return true;
  }
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    issues.push(`${source}: is not JSON: ${(error as Error).message}.`);
    return true;
  }
  if (!isObject(content)) {
    issues.push(`${source}: must hold one JSON object of sections.`);
    return true;
  }
  for (const [section, values] of Object.entries(content)) {
    if (section === '$schema') continue;
    if (isObject(values)) for (const [key, value] of Object.entries(values)) give(`${section}.${key}`, value, source);
    else issues.push(`${section} (${source}): must be an object of settings.`);
  }
  return true;
}

function giveEnvironment(env: Readonly<Record<string, string | undefined>>, give: (key: string, value: unknown, source: string) => void): string[] {
  const keys = new Map([...settings.keys()].map((key) => [environmentVariable(key), key]));
  const warnings: string[] = [];
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith('MILLRACE_') || name === 'MILLRACE_ENV' || value === undefined) continue;
    const key = keys.get(name);
    if (key) give(key, value, name);
    else warnings.push(`${name}: no such setting. ${didYouMean(name, keys.keys())}`.trim());
  }
  return warnings;
}

function giveFlags(flags: ConfigFlags, give: (key: string, value: unknown, source: string) => void, issues: string[]): void {
  for (const [name, [flag, key]] of Object.entries(flagKeys)) give(key, flags[name as keyof typeof flagKeys], flag);
  for (const entry of flags.set ?? []) {
    const equals = entry.indexOf('=');
    if (equals > 0) give(entry.slice(0, equals).trim(), entry.slice(equals + 1), '--set');
    else issues.push(`--set ${entry}: must have the form section.key=value.`);
  }
}

/** What was given, then the defaults; folders made absolute. A value that failed its check takes the default: loading fails anyway. */
function assemble(values: ReadonlyMap<string, unknown>, project: string): Config {
  const data = resolve(project, (values.get('data.folder') as string | undefined) ?? '.millrace');
  const config: Record<string, Record<string, unknown>> = {};
  for (const [key, setting] of settings) {
    const [section, name] = key.split('.') as [string, string];
    let value = values.get(key);
    if (value === undefined) value = setting.initial({project, data});
    else if (setting.folder && value !== null) value = Array.isArray(value) ? value.map((path: string) => resolve(project, path)) : resolve(project, value as string);
    (config[section] ??= {})[name] = value;
  }
  config.project!.folder = project;
  for (const section of Object.values(config)) Object.freeze(section);
  return Object.freeze(config) as unknown as Config;
}

function shown(setting: Setting, value: unknown): string {
  return setting.mask ? '' : `, not ${JSON.stringify(value)}`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
