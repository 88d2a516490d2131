import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';

/** What `golden/<name>` holds. UPDATE_GOLDEN=1 makes it what is there now. */
export function golden(name: string, text: string): string {
  const path = join(import.meta.dirname, 'golden', name);
  if (process.env.UPDATE_GOLDEN === '1') {
    mkdirSync(dirname(path), {recursive: true});
    writeFileSync(path, text);
  }
  return readFileSync(path, 'utf8');
}
