import {MillraceError} from '../../core/errors.ts';
import {stopOnSignals} from '../../core/lifecycle.ts';
import type {CliCommand} from '../command.ts';

export const workCommand: CliCommand = {
  name: 'work',
  summary: 'run steps of runs that others start; needs a PostgreSQL catalog',
  options(command) {
    command
      .option('--workers <number>', 'steps at once')
      .option('--host <address>', 'where health and metrics are answered')
      .option('--port <port>', 'where health and metrics are answered');
  },
  async run({io, out, config, compose}) {
    if ((await config()).config.catalog.url === null) throw new MillraceError('NEEDS_POSTGRES', {what: '`millrace work`'});
    const app = await compose('work');
    const {promise: stopped, resolve: stop} = Promise.withResolvers<number>();
    const forget = stopOnSignals(app.lifecycle, {logger: app.logger, signals: io.signals, exit: stop});
    try {
      await app.lifecycle.start();
      out.note(`Working. Health is answered at ${app.http?.url ?? ''}/health/ready`);
      return await stopped;
    } finally {
      forget();
    }
  },
};
