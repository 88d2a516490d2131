import type {LoadedConfig} from '../core/config.ts';
import type {App, AppMode, Compose} from './app.ts';
import type {Context} from './command.ts';
import {usage} from './failure.ts';
import {flagsOf} from './global-options.ts';
import type {GlobalOptions} from './global-options.ts';
import type {GraphClient} from './graph-client.ts';
import type {Io, Output} from './output.ts';

/** Makes what commands work with. Everything is loaded when it is first asked for. */
export class CommandContext implements Context {
  private loaded: Promise<LoadedConfig> | undefined;
  private client: Promise<GraphClient> | undefined;

  constructor(
    readonly io: Io,
    readonly out: Output,
    private readonly options: GlobalOptions,
    private readonly composer: Compose,
  ) {}

  // Commands take what they need out of their context, so these are functions of their own rather than methods.
  readonly config = (): Promise<LoadedConfig> => (this.loaded ??= this.load());

  readonly graph = (): Promise<GraphClient> => (this.client ??= this.connect());

  readonly compose = async (mode: AppMode): Promise<App> => {
    const loaded = await this.config();
    if (mode !== 'embedded') this.out.warn(loaded.warnings);
    return this.composer(mode === 'embedded' ? forCommands(loaded) : loaded, {mode});
  };

  /** Closes what was opened. */
  async close(): Promise<void> {
    const client = await this.client?.catch(() => undefined);
    await client?.close();
  }

  private async load(): Promise<LoadedConfig> {
    const {loadConfig} = await import('../core/config.ts');
    // MILLRACE_URL is for commands alone: it is no setting of a server.
    const env = {...this.io.env, MILLRACE_URL: undefined};
    return loadConfig({projectFolder: this.io.cwd, env, flags: flagsOf(this.options)});
  }

  readonly server = async (): Promise<GraphClient | null> => {
    const given = this.options.url ?? (this.io.env.MILLRACE_URL || undefined);
    if (given !== undefined && !/^https?:$/.test(URL.parse(given)?.protocol ?? '')) throw usage(`'${given}' is no URL beginning with http:// or https://.`);
    const {config} = await this.config();
    const {HttpGraphClient} = await import('./http-client.ts');
    const secret = this.options.secret ?? config.api.adminSecret;
    if (given !== undefined) return new HttpGraphClient(given, secret);

    const {readServerFile} = await import('./server-file.ts');
    const found = await readServerFile(config.data.folder);
    if (!found) return null;
    const client = new HttpGraphClient(found.url, secret);
    // A server that was killed leaves its file behind; the folder's lock, not the file, tells who owns it.
    return (await client.lives()) ? client : null;
  };

  private async connect(): Promise<GraphClient> {
    const server = await this.server();
    if (server) return server;
    const {EmbeddedGraphClient} = await import('./embedded-client.ts');
    const app = await this.compose('embedded');
    await app.lifecycle.start();
    return new EmbeddedGraphClient(app);
  }
}

/**
 * The configuration of an application that lives for one command: it logs only what went wrong, unless the user asked for more, and
 * runs steps itself where nobody else can.
 */
function forCommands(loaded: LoadedConfig): LoadedConfig {
  const {config, origins} = loaded;
  const asked = !/^default$|^config\/(?!local\.json)/.test(origins['log.level'] ?? 'default');
  const level = asked ? config.log.level : 'warn';
  const workers = config.catalog.url === null ? Math.max(1, config.pipelines.workers) : config.pipelines.workers;
  return {...loaded, config: {...config, log: {...config.log, level}, pipelines: {...config.pipelines, workers}}};
}
