/** `npm run setup`: installs all that Millrace and its tests need from the package registry. */
import {ensureInstalled} from './lib/install.mjs';
import {orExit} from './lib/project.mjs';

await orExit(ensureInstalled());
