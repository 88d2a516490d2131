/** `npm run setup`: installs all that Millrace and its tests need. */
import {ensureInstalled} from './lib/install.mjs';
import {orExit} from './lib/project.mjs';
import {ensureTools} from './lib/tools.mjs';

await orExit(ensureInstalled().then(ensureTools));
