import {chmodSync, mkdtempSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

/** One folder for all that the workers of one jest run share; `postgres.ts` starts its server there when a test first asks. */
export default function setup() {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-test-'));
  // PostgreSQL's processes run as another user when the tests run as root, and must get through.
  chmodSync(folder, 0o711);
  process.env.MILLRACE_TEST_FOLDER = folder;
  process.env.MILLRACE_TEST_OWNER = String(process.pid);
}
