import {readFileSync, readdirSync} from 'node:fs';
import {join} from 'node:path';

/** The project's folder. */
export const root = join(import.meta.dirname, '../..');

/** What is printed by tools rather than written by people, and the console's browser program, which has rules of its own. */
const apart = ['src/catalog/prisma/', 'src/api/console/app/'];

/** The TypeScript files of src that people write, relative to the project, with `/`. */
export const sourceFiles: readonly string[] = readdirSync(join(root, 'src'), {recursive: true, encoding: 'utf8'})
  .map((path) => `src/${path.replaceAll('\\', '/')}`)
  .filter((path) => path.endsWith('.ts') && !apart.some((folder) => path.startsWith(folder)))
  .toSorted();

/** The text of a file of the project. */
export const textOf = (path: string): string => readFileSync(join(root, path), 'utf8');
