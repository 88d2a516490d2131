import {resolve} from 'node:path';
import {MillraceError} from '../../core/errors.ts';
import type {CliCommand} from '../command.ts';
import {bytes, count} from '../units.ts';

export const restoreCommand: CliCommand = {
  name: 'restore',
  args: '<folder>',
  summary: 'fill an empty installation from a backup',
  async run({io, out, compose}, [folder]) {
    const app = await compose('embedded');
    if (!app.restore) throw new MillraceError('USAGE', {reason: 'This version cannot restore backups yet.'});
    const summary = await app.restore(resolve(io.cwd, folder!), () => {});
    if (out.json) out.document(summary);
    else out.write(`Restored ${count(summary.datasets)} datasets, ${count(summary.snapshots)} snapshots, ${count(summary.files)} files, ${bytes(summary.bytes)}\n`);
  },
};
