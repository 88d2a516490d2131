import {resolve} from 'node:path';
import {MillraceError} from '../../core/errors.ts';
import type {CliCommand} from '../command.ts';
import {bytes, count} from '../units.ts';

export const backupCommand: CliCommand = {
  name: 'backup',
  args: '<folder>',
  summary: 'copy everything into an empty folder, also while runs commit',
  async run({io, out, compose}, [folder]) {
    const app = await compose('embedded');
    if (!app.backup) throw new MillraceError('USAGE', {reason: 'This version cannot make backups yet.'});
    await app.lifecycle.start();
    try {
      const summary = await app.backup(resolve(io.cwd, folder!), () => {});
      if (out.json) out.document(summary);
      else out.write(`Backup in ${summary.folder}: ${count(summary.datasets)} datasets, ${count(summary.snapshots)} snapshots, ${count(summary.files)} files, ${bytes(summary.bytes)}\n`);
    } finally {
      await app.lifecycle.stop();
    }
  },
};
