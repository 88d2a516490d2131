import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {createViewers} from '../../../src/api/http/access.ts';
import {type HttpHost, type HttpHostOptions, createHttpHost} from '../../../src/api/http/http-host.ts';
import type {UploadRecord} from '../../../src/catalog/catalog.ts';
import {loadConfig} from '../../../src/core/config.ts';
import {createLogger} from '../../../src/core/logging.ts';
import {Metrics} from '../../../src/core/metrics.ts';

export interface RunningHost {
  readonly host: HttpHost;
  readonly port: number;
  readonly folder: string;
  readonly uploads: UploadRecord[];
  readonly log: string[];
}

const closers: (() => Promise<void>)[] = [];

/** Call as `afterEach(closeHosts)`. */
export async function closeHosts(): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close();
}

/** A host on a free port, with real files and sockets. */
export async function startHost(settings: readonly string[] = [], more: Partial<HttpHostOptions> = {}): Promise<RunningHost> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-http-'));
  const {config} = loadConfig({projectFolder: folder, flags: {port: 0, set: settings}});
  const metrics = new Metrics({version: '0.0.0'});
  const uploads: UploadRecord[] = [];
  const log: string[] = [];
  const host = createHttpHost({
    config, metrics, logger: createLogger({format: 'json', level: 'debug', output: {write: (line) => void log.push(line)}}), viewers: createViewers(config),
    health: {state: () => 'ready', checks: {}}, addUpload: async (upload) => void uploads.push(upload), mounts: [], ...more,
  });
  closers.push(async () => {
    await host.stop();
    metrics.stop();
    await rm(folder, {recursive: true, force: true});
  });
  await host.start();
  return {host, port: Number(new URL(host.url).port), folder, uploads, log};
}
