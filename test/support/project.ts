import {mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {createClient} from 'graphql-ws';
import type {FormattedExecutionResult} from 'graphql';
import {WebSocket} from 'ws';
import {compose} from '../../src/compose.ts';
import type {App, Mode} from '../../src/compose.ts';
import {loadConfig} from '../../src/core/config.ts';

export interface Project {
  readonly folder: string;
  /** Writes a file of the project. */
  write(path: string, content: string | Uint8Array): void;
  remove(): void;
}

/** A user's project folder, empty. */
export function createProject(): Project {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-project-')));
  return {
    folder,
    write(path, content) {
      mkdirSync(dirname(join(folder, path)), {recursive: true});
      writeFileSync(join(folder, path), content);
    },
    remove: () => rmSync(folder, {recursive: true, force: true}),
  };
}

/** The application over a project, in this process; any free port. */
export async function startApp(project: Project, options: {mode?: Mode; set?: readonly string[]} = {}): Promise<App> {
  const loaded = loadConfig({
    projectFolder: project.folder, env: {}, flags: {logLevel: 'error', set: ['api.port=0', 'engine.memoryLimit=2GiB', ...(options.set ?? [])]},
  });
  const app = compose(loaded, {mode: options.mode ?? 'serve'});
  await app.lifecycle.start();
  return app;
}

/** An application over a project of its own, for all tests of the file or block that calls this. @param take is told of it before they run */
export function useApp(take: (started: {project: Project; app: App; url: string}) => unknown): void {
  let project: Project;
  let app: App | undefined;
  beforeAll(async () => {
    project = createProject();
    app = await startApp(project);
    await take({project, app, url: app.http.url});
  }, 120_000);
  afterAll(async () => {
    await app?.lifecycle.stop();
    project.remove();
  });
}

export interface Answer {
  readonly data: Record<string, any>;
  readonly errors?: readonly {message: string; path?: readonly (string | number)[]; extensions: Record<string, any>}[];
  readonly extensions?: Record<string, any>;
}

/** Asks over HTTP. */
export async function ask(url: string, query: string, variables: Record<string, unknown> = {}): Promise<Answer> {
  const response = await fetch(`${url}/graphql`, {method: 'POST', headers: {'content-type': 'application/json'}, body: JSON.stringify({query, variables})});
  return (await response.json()) as Answer;
}

/** Asks over HTTP and answers the data. @throws when there are errors */
export async function data(url: string, query: string, variables: Record<string, unknown> = {}): Promise<Record<string, any>> {
  const answer = await ask(url, query, variables);
  if (answer.errors) throw new Error(JSON.stringify(answer.errors));
  return answer.data;
}

/** Subscribes over a WebSocket and collects what comes until the subscription ends. */
export async function collect(url: string, query: string, variables: Record<string, unknown> = {}): Promise<Record<string, any>[]> {
  const client = createClient({url: `${url.replace('http', 'ws')}/graphql`, webSocketImpl: WebSocket, retryAttempts: 0});
  const results: Record<string, any>[] = [];
  try {
    for await (const result of client.iterate({query, variables})) {
      const {data, errors} = result as FormattedExecutionResult<Record<string, any>>;
      if (errors) throw new Error(JSON.stringify(errors));
      results.push(data!);
    }
  } finally {
    await client.dispose();
  }
  return results;
}

/** Stores a pipeline of these steps. @throws when it is refused */
export async function putPipeline(url: string, name: string, steps: readonly object[]): Promise<void> {
  const {createPipeline} = await data(url, `mutation($definition: JSON!) { createPipeline(definition: $definition) { __typename ... on Failure { code message } } }`, {definition: {name, steps}});
  if (createPipeline.__typename !== 'PipelineCreated') throw new Error(JSON.stringify(createPipeline));
}

/** Starts a run and waits for its end; answers its events. */
export async function runToEnd(url: string, pipeline: string, params: Record<string, unknown> = {}, more: {engine?: string} = {}): Promise<{id: string; events: Record<string, any>[]}> {
  const {startRun} = await data(url, `mutation($input: StartRunInput!) { startRun(input: $input) { ... on RunStarted { run { id } } ... on Failure { code message hint } } }`, {
    input: {pipeline, params, ...more},
  });
  if (!startRun.run) throw new Error(JSON.stringify(startRun));
  const results = await collect(url, runEvents, {id: startRun.run.id, after: '0'});
  return {id: startRun.run.id, events: results.map(result => result.runEvents)};
}

export const runEvents = `subscription($id: ID!, $after: BigInt!) {
  runEvents(runId: $id, after: $after) {
    __typename seq at
    ... on StepStarted { step { name reason } }
    ... on SnapshotCommitted { snapshot { id rowCount } dataset { name } reused }
    ... on StepFinished { step { name status } error { code message } }
    ... on RunFinished { run { status error { code message } } }
  }
}`;
