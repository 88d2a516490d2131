import {readFileSync} from 'node:fs';

/** Of the package, from the sources as from a build. */
export const version: string = (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {version: string}).version;
