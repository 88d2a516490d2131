/** `npm start`: from a fresh clone to a running server. Installs, builds and serves; arguments are those of `millrace serve`. */
import {ensureBuilt} from './lib/build.mjs';
import {ensureInstalled} from './lib/install.mjs';
import {orExit} from './lib/project.mjs';

await orExit(ensureInstalled().then(ensureBuilt));
process.argv.splice(2, 0, 'serve');
await import('../bin/millrace.mjs');
