import {existsSync} from 'node:fs';
import {delimiter, join} from 'node:path';

/** The browser for tests. @throws with the command that installs it when there is none. */
export function chromiumPath(): string {
  const folders = (process.env.PATH ?? '').split(delimiter);
  for (const name of ['chromium', 'chromium-browser', 'google-chrome']) {
    const path = folders.map((folder) => join(folder, name)).find((candidate) => existsSync(candidate));
    if (path !== undefined) return path;
  }
  throw new Error('Chromium is not installed. Install it with: apt-get install chromium (as root, `npm run setup` does)');
}

/** The Python with the packages of jobs/models/late_arrival/requirements.txt. @throws with the command that installs it when there is none. */
export function pythonPath(): string {
  const path = join(import.meta.dirname, '../../.venv/bin/python');
  if (!existsSync(path) || !existsSync(join(import.meta.dirname, '../../.venv/.millrace'))) {
    throw new Error('The Python packages of the sample model are not installed. Install them with: npm run setup (needs uv, or Python 3 with venv)');
  }
  return path;
}
