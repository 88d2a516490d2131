import type {CliCommand} from '../command.ts';
import {cancelRun, runOf} from '../watch-run.ts';

export const cancelCommand: CliCommand = {
  name: 'cancel',
  args: '<run>',
  summary: 'end a run: what runs is interrupted, what waits is skipped',
  async run({out, graph}, [id]) {
    const client = await graph();
    await cancelRun(client, id!);
    if (out.json) out.document(await runOf(client, id!));
    else out.write(`Run ${id} is being cancelled.\n`);
  },
};
