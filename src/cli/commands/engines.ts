import {MillraceError, didYouMean} from '../../core/errors.ts';
import {wholeNumber} from '../command.ts';
import type {CliCommand, Context} from '../command.ts';

interface StartOptions {
  readonly port?: number;
  readonly token?: string;
  readonly master?: string;
  readonly memory?: string;
}

export const enginesCommand: CliCommand = {
  name: 'engines',
  summary: 'install and start engines past this process',
  examples: ['millrace engines install spark', 'millrace engines start spark --master local[4]'],
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
          .option('--port <port>', "where it answers (default: the engine's usual port)", wholeNumber)
          .option('--token <token>', 'whoever asks must have it (spark)')
          .option('--master <master>', 'where the work is done: local[N], local-cluster[N,CORES,MB], spark://HOST:PORT (spark)')
          .option('--memory <size>', 'of the server, such as 2g');
      },
      async run(context, [name], options: StartOptions) {
        const {io, out} = context;
        const {servers, folder} = await named(context, name!);
        const ending = new AbortController();
        const onSignal = (): void => ending.abort();
        io.signals.on('SIGINT', onSignal);
        io.signals.on('SIGTERM', onSignal);
        try {
          await install(context, servers, folder, ending.signal);
          const {settings, version, process, log} = await servers.start(folder, {...options, env: io.env}, ending.signal);
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
