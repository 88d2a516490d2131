import type {BackupProgress} from '../maintenance/maintenance.ts';
import type {Output} from './output.ts';
import {bytes, count} from './units.ts';

/** Shows how far the copying of a backup's files is: one line that is written over on a terminal, a line in five seconds elsewhere. */
export function copyProgress({io: {stderr}}: Output): {readonly report: (done: BackupProgress) => void; readonly end: () => void} {
  let last = Date.now();
  let shown = false;
  return {
    report({files, ofFiles, bytes: size}) {
      const now = Date.now();
      if (now - last < (stderr.isTTY ? 100 : 5000)) return;
      last = now;
      shown = true;
      const text = `${count(files)} of ${count(ofFiles)} files, ${bytes(size)}`;
      stderr.write(stderr.isTTY ? `\r\u001b[2K${text}` : `${text}\n`);
    },
    end() {
      if (shown && stderr.isTTY) stderr.write('\r\u001b[2K');
    },
  };
}
