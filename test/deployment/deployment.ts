import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {basename, join, normalize, relative} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {parse} from 'yaml';
import {createDatabase} from '../support/postgres.ts';
import {freePort} from '../support/postgres-server.ts';

/** The project's folder. */
export const root = join(import.meta.dirname, '../..');

export interface Service {
  readonly image?: string;
  readonly profiles?: readonly string[];
  readonly build?: unknown;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly healthcheck?: {readonly test: readonly string[]; readonly interval?: string; readonly timeout?: string; readonly start_period?: string};
  readonly deploy?: {readonly replicas?: number};
  readonly depends_on?: Readonly<Record<string, {readonly condition: string}>>;
  readonly stop_grace_period?: string;
}

/** docker-compose.yml, with `<<` merged. */
export const compose = parse(readFileSync(join(root, 'docker-compose.yml'), 'utf8'), {merge: true}) as {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
};

/** The last stage of the Dockerfile: its instructions in order, continued lines joined, comments gone. */
export const dockerfile: readonly {readonly instruction: string; readonly text: string}[] = (() => {
  const lines = readFileSync(join(root, 'Dockerfile'), 'utf8')
    .split('\n').filter((line) => !/^\s*#/.test(line)).join('\n').replace(/\\\n\s*/g, ' ').split('\n').filter((line) => line.trim() !== '')
    .map((line) => ({instruction: line.split(' ', 1)[0]!, text: line.slice(line.indexOf(' ') + 1).trim()}));
  return lines.slice(lines.findLastIndex(({instruction}) => instruction === 'FROM'));
})();

/** The one instruction of that name. @throws when there is none or more than one. */
export function instruction(name: string): string {
  const found = dockerfile.filter((line) => line.instruction === name);
  if (found.length !== 1) throw new Error(`The Dockerfile has ${found.length} × ${name}.`);
  return found[0]!.text;
}

/** The image's COPY: each path of the project, and where in /app it goes. */
export const copies: readonly {readonly from: string; readonly to: string}[] = dockerfile
  .filter((line) => line.instruction === 'COPY')
  .map(({text}) => {
    const [stage, source, target] = text.split(/\s+/) as [string, string, string];
    const from = relative('/app', source);
    if (stage !== '--from=build' || from.startsWith('..')) throw new Error(`Not understood: COPY ${text}`);
    return {from, to: target.endsWith('/') ? join(target, basename(from)) : normalize(target)};
  });

/** Makes the image's /app: what is not copied is not found. Packages are linked, being large. */
function makeImage(folder: string): void {
  mkdirSync(folder);
  for (const {from, to} of copies) {
    if (from === 'node_modules') symlinkSync(join(root, from), join(folder, to));
    else cpSync(join(root, from), join(folder, to), {recursive: true});
  }
}

/** The image's ENV. */
export const imageEnvironment: Readonly<Record<string, string>> = Object.fromEntries(
  instruction('ENV').split(/\s+/).map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
);

/** One process of the deployment: what one container would run. */
export interface Running {
  readonly service: string;
  readonly process: ChildProcess;
  /** Where its API or its health answers. */
  readonly url: string;
  /** All it wrote. */
  output(): string;
  /** Runs the health check that compose gives the service, once. */
  isHealthy(): Promise<boolean>;
  /** Waits for the health check to pass. @throws when the process ends or 60 s pass before. */
  healthy(): Promise<void>;
  /** Sends a signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<{code: number | null; signal: NodeJS.Signals | null}>;
}

export interface Deployment {
  /** What the user would have put into .env. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Starts one more process of a service. */
  start(service: string): Promise<Running>;
  /** Ends what still runs and removes the data. */
  close(): Promise<void>;
}

/** A PostgreSQL database and a data folder on which processes of the compose file's services are started, without containers. */
export async function createDeployment(): Promise<Deployment> {
  const database = await createDatabase();
  const folder = mkdtempSync(join(tmpdir(), 'deployment-'));
  const [image, data] = [join(folder, 'app'), join(folder, 'data')];
  mkdirSync(data);
  makeImage(image);
  const secrets = {POSTGRES_PASSWORD: 'postgres-password', MILLRACE_API_ADMIN_SECRET: 'an-admin-secret'};
  const running: Running[] = [];

  async function start(service: string): Promise<Running> {
    const definition = compose.services[service];
    if (definition === undefined) throw new Error(`docker-compose.yml has no service ${service}.`);
    const port = await freePort();
    const inHere = (text: string) =>
      text
        .replace(/\$\{(\w+):\?[^}]*\}/g, (_whole, name: keyof typeof secrets) => secrets[name])
        .replace(/\$\{\w+:-([^}]*)\}/g, '$1')
        .replace(/^postgresql:\/\/.*@postgres:5432\/millrace$/, database.url)
        .replace(/^\/app(?=\/|$)/, image)
        .replace(/^\/data(?=\/|$)/, data)
        .replace(/:4000(?=\/|$)/, `:${port}`);
    const settings = {...imageEnvironment, ...definition.environment, MILLRACE_API_PORT: String(port)};
    const env = {PATH: process.env.PATH, HOME: data, ...Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, inHere(value)]))};
    const argv = (words: readonly string[]) => words.map((word) => (word === 'node' ? process.execPath : inHere(word)));
    const [program, ...args] = argv([...(JSON.parse(instruction('ENTRYPOINT')) as string[]), ...(definition.command ?? [])]);
    const child = spawn(program!, args, {env, cwd: inHere(instruction('WORKDIR')), stdio: ['ignore', 'pipe', 'pipe']});
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => { output += chunk.toString(); });
    const ended = () => child.exitCode !== null || child.signalCode !== null;

    const one: Running = {
      service,
      process: child,
      url: `http://127.0.0.1:${port}`,
      output: () => output,
      isHealthy: async () => {
        const [kind, ...words] = definition.healthcheck!.test;
        if (kind !== 'CMD') throw new Error('Only health checks of the kind CMD can be run here.');
        const [checker, ...rest] = argv(words);
        const [code] = (await once(spawn(checker!, rest, {env, stdio: 'ignore'}), 'exit')) as [number];
        return code === 0;
      },
      healthy: async () => {
        for (const until = Date.now() + 60_000; Date.now() < until; await sleep(100)) {
          if (ended()) throw new Error(`${service} ended with ${child.exitCode ?? child.signalCode}:\n${output}`);
          // Whoever else answers on its port is not it.
          if (await one.isHealthy() && !ended()) return;
        }
        throw new Error(`${service} is not healthy after 60 s:\n${output}`);
      },
      end: async (signal) => {
        const exit = ended() ? undefined : once(child, 'exit');
        child.kill(signal);
        await exit;
        return {code: child.exitCode, signal: child.signalCode};
      },
    };
    running.push(one);
    return one;
  }

  return {
    secrets,
    start,
    close: async () => {
      await Promise.all(running.map((one) => one.end('SIGTERM')));
      rmSync(folder, {recursive: true, force: true});
      await database.drop();
    },
  };
}
