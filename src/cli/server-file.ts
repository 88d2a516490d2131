/** `<data folder>/server.json`: how commands find the server of a project. */
import {readFile, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {writeDurably} from '../core/files.ts';
import type {Part} from '../core/lifecycle.ts';

export interface ServerFile {
  readonly url: string;
  readonly pid: number;
}

const pathIn = (dataFolder: string) => join(dataFolder, 'server.json');

/** What the file says; null where there is none that can be read. It may be left from a server that was killed. */
export async function readServerFile(dataFolder: string): Promise<ServerFile | null> {
  try {
    const {url, pid} = JSON.parse(await readFile(pathIn(dataFolder), 'utf8')) as Partial<ServerFile>;
    return typeof url === 'string' && URL.canParse(url) && typeof pid === 'number' ? {url, pid} : null;
  } catch {
    return null;
  }
}

/** The part that writes the file once the server listens, and removes it first when the server stops. */
export function serverFilePart(dataFolder: string, url: () => string): Part {
  return {
    name: 'server file',
    start: () => writeDurably(pathIn(dataFolder), `${JSON.stringify({url: url(), pid: process.pid} satisfies ServerFile)}\n`),
    async stop() {
      // Another server of the same folder may have come later.
      const found = await readServerFile(dataFolder);
      if (found?.pid === process.pid && found.url === url()) await rm(pathIn(dataFolder), {force: true});
    },
  };
}
