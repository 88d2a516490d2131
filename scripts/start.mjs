/**
 * `npm start`: from a fresh clone to a running server. Installs, builds and serves the sample project; arguments are those of
 * `millrace serve`. A project of the user's own (`--project`, MILLRACE_PROJECT_FOLDER) is served without the sample.
 */
import {ensureBuilt} from './lib/build.mjs';
import {ensureInstalled} from './lib/install.mjs';
import {orExit} from './lib/project.mjs';

// npm passes a signal on to the shell it started this by, and the shell dies of it without a word to this process.
const parent = process.ppid;
setInterval(() => { if (process.ppid !== parent) process.kill(process.pid, 'SIGTERM'); }, 250).unref();

await orExit(ensureInstalled().then(ensureBuilt));
const own = Boolean(process.env.MILLRACE_PROJECT_FOLDER) || process.argv.some((argument) => /^--project(=|$)/.test(argument));
process.argv.splice(2, 0, 'serve', ...(own ? [] : ['--sample']));
await import('../bin/millrace.mjs');
