import {resolve} from 'node:path';
import type {CliCommand} from '../command.ts';
import {copyProgress} from '../copy-progress.ts';
import {bytes, count} from '../units.ts';

export const restoreCommand: CliCommand = {
  name: 'restore',
  args: '<folder>',
  summary: 'fill an empty installation from a backup',
  examples: ['millrace restore /backups/monday --data /srv/millrace', 'millrace restore /backups/monday --catalog postgres://millrace@localhost/millrace'],
  async run({io, out, compose}, [folder]) {
    const {maintenance} = await compose('embedded');
    const progress = copyProgress(out);
    const summary = await maintenance.restore(resolve(io.cwd, folder!), progress.report).finally(progress.end);
    if (out.json) out.document(summary);
    else out.write(`Restored ${count(summary.datasets)} datasets, ${count(summary.snapshots)} snapshots, ${count(summary.files)} files, ${bytes(summary.bytes)}\n`);
  },
};
