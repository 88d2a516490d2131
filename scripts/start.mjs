/** `npm start`: from a fresh clone to a running server. Installs, builds and serves the sample project; arguments are those of
 * `millrace serve`. */
import {ensureBuilt} from './lib/build.mjs';
import {ensureInstalled} from './lib/install.mjs';
import {orExit} from './lib/project.mjs';

// npm passes a signal on to the shell it started this by, and the shell dies of it without a word to this process.
const parent = process.ppid;
setInterval(() => { if (process.ppid !== parent) process.kill(process.pid, 'SIGTERM'); }, 250).unref();

await orExit(ensureInstalled().then(ensureBuilt));
process.argv.splice(2, 0, 'serve', '--sample');
await import('../bin/millrace.mjs');
