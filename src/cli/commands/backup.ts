import {resolve} from 'node:path';
import type {CliCommand} from '../command.ts';
import {copyProgress} from '../copy-progress.ts';
import {bytes, count} from '../units.ts';

export const backupCommand: CliCommand = {
  name: 'backup',
  args: '<folder>',
  summary: 'copy everything into an empty folder, also while runs commit',
  async run({io, out, compose}, [folder]) {
    const {maintenance} = await compose('embedded');
    const progress = copyProgress(out);
    const summary = await maintenance.backup(resolve(io.cwd, folder!), progress.report).finally(progress.end);
    if (out.json) out.document(summary);
    else out.write(`Backup in ${summary.folder}: ${count(summary.datasets)} datasets, ${count(summary.snapshots)} snapshots, ${count(summary.files)} files, ${bytes(summary.bytes)}\n`);
  },
};
