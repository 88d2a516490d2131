import {chmodSync, mkdirSync, mkdtempSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

/**
 * One folder for all that the workers of one jest run share: `postgres.ts` starts its server there when a test first asks, and
 * the tests' temporary files lie in it, so that the end of the run sees what was left behind. Its name is short, because Unix
 * sockets have short paths.
 */
export default function setup() {
  const folder = mkdtempSync(join(tmpdir(), 'mr-'));
  const temporary = join(folder, 't');
  mkdirSync(temporary);
  // PostgreSQL's processes run as another user when the tests run as root, and must get through.
  for (const path of [folder, temporary]) chmodSync(path, 0o711);
  process.env.MILLRACE_TEST_FOLDER = folder;
  process.env.MILLRACE_TEST_OWNER = String(process.pid);
  process.env.TMPDIR = temporary;
  // As bin/millrace.mjs does.
  process.env.ORT_DISABLE_TELEMETRY = '1';
}
