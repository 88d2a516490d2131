import {join} from 'node:path';
import {stopOnSignals} from '../../core/lifecycle.ts';
import type {CliCommand, Context} from '../command.ts';
import {failureOf} from '../failure.ts';
import {HttpGraphClient} from '../http-client.ts';
import {serverFilePart} from '../server-file.ts';

interface ServeOptions {
  readonly sample?: boolean;
}

export const serveCommand: CliCommand<ServeOptions> = {
  name: 'serve',
  summary: 'start the server: the graph, the console and a worker',
  options(command) {
    command
      .option('--port <port>', 'the port to listen on (default: 4000; 0: any free one)')
      .option('--host <address>', 'the address to listen on (default: 127.0.0.1)')
      .option('--workers <number>', 'steps at once; 0: none')
      .option('--sample', 'prepare the sample project first: its model, its datasets, its predictions');
  },
  examples: ['millrace serve', 'millrace serve --port 4001 --log-level debug'],
  async run(context, _args, {sample = false}) {
    const {io, out, config, compose} = context;
    const {data, api} = (await config()).config;
    const app = await compose('serve');
    const url = () => app.http?.url ?? '';
    app.lifecycle.add(serverFilePart(data.folder, url));

    const {promise: stopped, resolve: stop} = Promise.withResolvers<number>();
    const ending = new AbortController();
    const onSignal = () => ending.abort();
    io.signals.on('SIGINT', onSignal);
    io.signals.on('SIGTERM', onSignal);
    const forget = stopOnSignals(app.lifecycle, {logger: app.logger, signals: io.signals, exit: stop});
    try {
      await app.lifecycle.start();
      if (out.json) out.document({url: url(), pid: process.pid});
      else out.write(`Millrace serves ${out.paint('bold', url())}\n`);
      if (sample) await prepare(context, url(), api.adminSecret, ending.signal);
      if (!out.json && !ending.signal.aborted) out.write(nextSteps(url(), sample, out.paint));
      return await stopped;
    } catch (error) {
      if (ending.signal.aborted && failureOf(error).code === 'SHUTTING_DOWN') return await stopped;
      throw error;
    } finally {
      forget();
      io.signals.off('SIGINT', onSignal);
      io.signals.off('SIGTERM', onSignal);
    }
  },
};

/** Prepares the sample by asking the server as anyone would. A server without its sample still serves. */
async function prepare(context: Context, url: string, secret: string | null, signal: AbortSignal): Promise<void> {
  const {out, config} = context;
  const {prepareSample} = await import('../sample.ts');
  const graph = new HttpGraphClient(url, secret);
  try {
    await prepareSample(context, graph, {modelFolder: join((await config()).config.jobs.folder, 'models/late_arrival'), signal});
  } catch (error) {
    if (signal.aborted) return;
    out.failure(failureOf(error));
    out.note('The sample is not complete; start again to go on with it. The server goes on.');
  } finally {
    await graph.close();
  }
}

function nextSteps(url: string, sample: boolean, paint: Context['out']['paint']): string {
  const steps: readonly (readonly [string, string])[] = sample
    ? [
        ['Look around', `${url} has ready queries: datasets, predictions, a live run, lineage`],
        ['Ask', `millrace query -q '{ flights(limit: 3, order_by: [{date: desc}]) { date origin delay late_arrival { probability } } }'`],
        ['Bring a file', 'millrace ingest FILE.csv, then ask for its rows'],
      ]
    : [
        ['Look around', url],
        ['Bring a file', 'millrace ingest FILE.csv, then: millrace datasets'],
        ['Run a pipeline', 'put a jobs file into the jobs folder, then: millrace run NAME'],
      ];
  return `\n${steps.map(([title, text]) => `  ${paint('bold', title.padEnd(14))}  ${text}\n`).join('')}\nCtrl-C stops it.\n`;
}
