/** The entry: gives the command line the process and the application, and ends with its exit code. */
import type {Compose} from './cli/app.ts';
import {runCli} from './cli/cli.ts';

// The engine's queries occupy threads of libuv's pool, whose size is read when the pool is first used: nothing has yet.
process.env.UV_THREADPOOL_SIZE ??= '16';

/** Loads the application only for commands that need it: it is most of Millrace, and `millrace help` must not wait for it. */
const composeLate: Compose = async (loaded, options) => {
  await import('reflect-metadata');
  const {compose} = await import('./compose.ts');
  return compose(loaded, options);
};

process.exitCode = await runCli(process.argv.slice(2), {
  stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, env: process.env, cwd: process.cwd(), signals: process,
}, composeLate);

// Everything that was acquired is released by now. Should something keep the process, the user does not wait for it.
setTimeout(() => process.exit(), 3000).unref();
