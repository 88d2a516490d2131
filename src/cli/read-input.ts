import {readFile} from 'node:fs/promises';
import {resolve} from 'node:path';
import {usage} from './failure.ts';
import type {Io} from './output.ts';

/** The text of a file; `-` is standard input. @throws USAGE */
export async function readInput({stdin, cwd}: Io, path: string): Promise<string> {
  if (path !== '-') {
    return readFile(resolve(cwd, path), 'utf8').catch((error: Error) => {
      throw usage(`'${path}' cannot be read: ${error.message}.`);
    });
  }
  const chunks: Buffer[] = [];
  for await (const chunk of stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

/** JSON given on the command line, or `@FILE`. @throws USAGE */
export async function readJson(io: Io, given: string, option: string): Promise<unknown> {
  const text = given.startsWith('@') ? await readInput(io, given.slice(1)) : given;
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw usage(`${option} is not JSON: ${(error as Error).message}.`);
  }
}

/** The JSON of a file; `-` is standard input. @throws USAGE */
export async function readJsonFile(io: Io, path: string, option: string): Promise<unknown> {
  return readJson(io, `@${path}`, option);
}
