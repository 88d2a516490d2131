/** The entry: gives the command line the process and the application, and ends with its exit code. */
import {mkdir} from 'node:fs/promises';
import {join} from 'node:path';
import type {Catalog} from './catalog/catalog.ts';
import type {Compose, Maintenance} from './cli/app.ts';
import {runCli} from './cli/cli.ts';
import type {Config} from './core/config.ts';
import type {Places} from './maintenance/maintenance.ts';

// The engine's queries occupy threads of libuv's pool, whose size is read when the pool is first used: nothing has yet.
process.env.UV_THREADPOOL_SIZE ??= '16';

// Whoever read the output has seen enough (`millrace runs | head`).
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

/** Loads the application only for commands that need it: it is most of Millrace, and `millrace help` must not wait for it. */
const composeLate: Compose = async (loaded, options) => {
  await import('reflect-metadata');
  const {compose} = await import('./compose.ts');
  const app = compose(loaded, options);
  const {engineServers} = await import('./engines/kinds.ts');
  return Object.assign(app, {
    maintenance: maintenanceOf(loaded.config, app.services.catalog),
    engineServers: engineServers.map((servers) => ({servers, folder: join(loaded.config.data.folder, 'engines', servers.name)})),
  });
};

/** Looks after what an application keeps, with only its catalog started. */
function maintenanceOf(config: Config, catalog: Catalog): Maintenance {
  const places: Places = {catalog, warehouse: config.warehouse.folder, models: config.models.folder, uploads: config.uploads.folder};
  const withCatalog = async <T>(work: () => Promise<T>): Promise<T> => {
    await Promise.all([config.data.folder, config.warehouse.folder].map((folder) => mkdir(folder, {recursive: true})));
    await catalog.start();
    try {
      return await work();
    } finally {
      await catalog.stop();
    }
  };
  return {
    doctor: (options) => withCatalog(async () => (await import('./maintenance/doctor.ts')).doctor(places, options)),
    rebuild: () => withCatalog(async () => (await import('./maintenance/rebuild.ts')).rebuild(places)),
    backup: (folder, report) => withCatalog(async () => (await import('./maintenance/backup.ts')).backup(places, folder, report)),
    restore: (folder, report) => withCatalog(async () => (await import('./maintenance/restore.ts')).restore(places, folder, report)),
  };
}

process.exitCode = await runCli(process.argv.slice(2), {
  stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, env: process.env, cwd: process.cwd(), signals: process,
}, composeLate);

// Everything that was acquired is released by now. Should something keep the process, the user does not wait for it.
setTimeout(() => process.exit(), 3000).unref();
