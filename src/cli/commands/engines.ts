import {MillraceError, didYouMean} from '../../core/errors.ts';
import {wholeNumber} from '../command.ts';
import type {CliCommand, Context} from '../command.ts';
import {ask} from '../graph-client.ts';

interface StartOptions {
  readonly bind?: string;
  readonly port?: number;
  readonly token?: string;
  readonly master?: string;
  readonly memory?: string;
}

interface Engine {
  readonly name: string;
  readonly health: string;
  readonly version: string | null;
  readonly address: string | null;
  readonly detail: string | null;
  readonly capabilities: {readonly embedded: boolean};
  readonly sessions: number;
  readonly running: readonly {readonly label: string; readonly progress: {readonly tasks: number; readonly tasksDone: number} | null}[];
}

export const document = 'query Engines { engines { name health version address detail capabilities { embedded distributed progress fieldIds } sessions running { id label startedAt progress { tasks tasksDone } } } }';

export const enginesCommand: CliCommand = {
  name: 'engines',
  summary: 'list the engines and how they are; install and start them',
  examples: ['millrace engines', 'millrace engines install spark', 'millrace engines start spark --master local[4]'],
  async run({out, graph}) {
    const {engines} = await ask<{engines: readonly Engine[]}>(await graph(), document);
    out.rows(engines, [
      {title: 'ENGINE', value: ({name}) => name.toLowerCase()},
      {title: 'HEALTH', value: ({health}) => health.toLowerCase()},
      {title: 'VERSION', value: ({version}) => version},
      {title: 'ADDRESS', value: ({address, capabilities: {embedded}}) => address ?? (embedded ? 'embedded' : '')},
      {title: 'SESSIONS', value: ({sessions, capabilities: {embedded}}) => (embedded ? '' : sessions), align: 'right'},
      {title: 'RUNS', value: ({running}) => running.map(({label, progress}) => (progress ? `${label} (${progress.tasksDone} of ${progress.tasks} tasks)` : label)).join(', ')},
    ], '');
    for (const {name, health, detail} of engines) if (detail !== null && health !== 'UNSET' && !out.json) out.note(`${name.toLowerCase()}: ${detail}`);
  },
  commands: [
    {
      name: 'install',
      args: '<engine>',
      summary: 'install its servers into the data folder, unless they are there',
      async run(context, [name]) {
        const {servers, folder} = await named(context, name!);
        const done = await install(context, servers, folder);
        if (context.out.json) context.out.document({engine: servers.name, version: servers.version, folder, installed: done});
        else context.out.write(`${done ? 'Installed' : 'There is already'} ${servers.name} ${servers.version} in ${folder}\nStart it with: millrace engines start ${servers.name}\n`);
      },
    },
    {
      name: 'start',
      args: '<engine>',
      summary: 'start its servers on this machine, in the foreground; installs what is missing',
      options(command) {
        command
          .option('--bind <address>', 'the address to listen on (default: 127.0.0.1); Hive asks for no password: another one is for private networks')
          .option('--port <port>', "where it answers (default: the engine's usual port)", wholeNumber)
          .option('--token <token>', 'whoever asks must have it (spark)')
          .option('--master <master>', 'where the work is done: local[N], local-cluster[N,CORES,MB], spark://HOST:PORT (spark)')
          .option('--memory <size>', 'of the server, such as 2g');
      },
      async run(context, [name], {bind, ...options}: StartOptions) {
        const {io, out} = context;
        const {servers, folder} = await named(context, name!);
        const ending = new AbortController();
        const onSignal = (): void => ending.abort();
        io.signals.on('SIGINT', onSignal);
        io.signals.on('SIGTERM', onSignal);
        try {
          await install(context, servers, folder, ending.signal);
          const {settings, version, process, log} = await servers.start(folder, {...options, host: bind, env: io.env}, ending.signal);
          try {
            if (out.json) out.document({engine: servers.name, version, settings, pid: process.pid, log});
            else out.write(`${out.paint('bold', `${servers.name} ${version}`)} answers. Let Millrace use it:\n${Object.entries(settings).map(([key, value]) => `  --set '${key}=${value}'\n`).join('')}Its log is ${log}\nCtrl-C stops it.\n`);
            const ended = await Promise.race([process.ended, aborted(ending.signal)]);
            if (ending.signal.aborted) return 0;
            throw new MillraceError('ENGINE_START_FAILED', {engine: servers.name, reason: `it ended by itself with ${ended === null ? 'a signal' : `code ${ended}`}`, log, tail: ''});
          } finally {
            await process.stop();
          }
        } catch (error) {
          if (ending.signal.aborted) return 0;
          throw error;
        } finally {
          io.signals.off('SIGINT', onSignal);
          io.signals.off('SIGTERM', onSignal);
        }
      },
    } satisfies CliCommand<StartOptions>,
  ],
};

type Servers = Awaited<ReturnType<Context['compose']>>['engineServers'][number];

async function named({compose}: Context, name: string): Promise<Servers> {
  const {engineServers} = await compose('embedded');
  const found = engineServers.find(({servers}) => servers.name === name);
  if (found) return found;
  const names = engineServers.map(({servers}) => servers.name);
  throw new MillraceError('USAGE', {reason: `'${name}' is no engine that can be installed; these can: ${names.join(', ')}. ${didYouMean(name, names)}`.trim()});
}

async function install({io, out}: Context, servers: Servers['servers'], folder: string, signal?: AbortSignal): Promise<boolean> {
  if (!out.json) out.note(`Looking for ${servers.name} ${servers.version} in ${folder}; ${servers.size} are downloaded where it is not there …`);
  return servers.install(folder, {env: io.env, signal});
}

const aborted = (signal: AbortSignal): Promise<void> => new Promise(resolve => {
  if (signal.aborted) resolve();
  else signal.addEventListener('abort', () => resolve(), {once: true});
});
