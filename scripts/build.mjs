/** `npm run build`: builds what is older than its sources. */
import {ensureBuilt} from './lib/build.mjs';
import {ensureInstalled} from './lib/install.mjs';
import {orExit} from './lib/project.mjs';

await orExit(ensureInstalled().then(ensureBuilt));
