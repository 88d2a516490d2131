import type {CliCommand} from '../command.ts';
import {ask, failureFields} from '../graph-client.ts';
import {count} from '../units.ts';

export const document = `mutation Compact($dataset: String!) {
  compact(dataset: $dataset) { ${failureFields} ... on Compacted { snapshot { id sequence rowCount files { path } } } }
}`;

export const compactCommand: CliCommand = {
  name: 'compact',
  args: '<dataset>',
  summary: 'rewrite the small files of a dataset as few; the same rows with the same ids',
  async run({out, graph}, [dataset]) {
    const {compact: {snapshot}} = await ask<{compact: {snapshot: {id: string; sequence: number; rowCount: string; files: readonly unknown[]} | null}}>(await graph(), document, {dataset});
    if (out.json) out.document({dataset, snapshot});
    else if (snapshot === null) out.write(`There was nothing to do for ${dataset}.\n`);
    else out.write(`Snapshot ${snapshot.id}: ${count(snapshot.rowCount)} rows in ${snapshot.files.length === 1 ? 'one file' : `${snapshot.files.length} files`}\n`);
  },
};
