import {resolve} from 'node:path';
import type {BackupSummary} from '../../maintenance/maintenance.ts';
import type {CliCommand, Context} from '../command.ts';
import {copyProgress} from '../copy-progress.ts';
import {ask, failureFields} from '../graph-client.ts';
import {bytes, count} from '../units.ts';

export const document = `mutation Backup($folder: String!) {
  backup(folder: $folder) { ${failureFields} ... on BackupMade { folder files bytes datasets snapshots } }
}`;

export const backupCommand: CliCommand = {
  name: 'backup',
  args: '<folder>',
  summary: 'copy everything into an empty folder, also while runs commit',
  async run(context, [folder]) {
    const {io, out} = context;
    const summary = await made(context, resolve(io.cwd, folder!));
    if (out.json) out.document(summary);
    else out.write(`Backup in ${summary.folder}: ${count(summary.datasets)} datasets, ${count(summary.snapshots)} snapshots, ${count(summary.files)} files, ${bytes(summary.bytes)}\n`);
  },
};

/** By the server where one runs, because it alone may read the embedded catalog; else here. */
async function made({out, server, compose}: Context, folder: string): Promise<BackupSummary> {
  const client = await server();
  if (!client) {
    const progress = copyProgress(out);
    return (await compose('embedded')).maintenance.backup(folder, progress.report).finally(progress.end);
  }
  try {
    const {backup} = await ask<{backup: Omit<BackupSummary, 'bytes'> & {bytes: string}}>(client, document, {folder});
    return {...backup, bytes: Number(backup.bytes)};
  } finally {
    await client.close();
  }
}
