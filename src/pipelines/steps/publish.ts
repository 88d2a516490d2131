import {mkdir, rename, rm} from 'node:fs/promises';
import {basename, dirname, join} from 'node:path';
import {syncPath} from '../../core/files.ts';
import type {PublishStep} from '../pipeline.ts';
import type {StepKind} from './step-kind.ts';
import {preparePublishTable} from './publish-table.ts';
import {inputIds, inputSize} from './step-kind.ts';

/** Below the published folder: files that are not whole yet. */
export const draftsFolder = '.drafts';

/** Puts a dataset where others read it; a reader sees the old rows or all new ones. */
export const publishKind: StepKind<PublishStep> = {
  kind: 'publish',

  async reads(step) {
    return [step.input];
  },

  async prepare(step, context) {
    if ('to' in step) return preparePublishTable(step, context);
    const {services, inputs, scratch, signal} = context;
    const path = join(services.publishedFolder, step.file);
    return {
      // A published file is outside the warehouse and may be changed or gone: it is written again each time.
      identity: null,
      ...inputSize(inputs),
      described: null,
      lineage: {inputs: inputIds(inputs)},
      async perform(report, prove) {
        // On the same disk, so that renaming is one step; what a dead worker leaves there is swept.
        const drafts = join(services.publishedFolder, draftsFolder);
        await Promise.all([dirname(path), drafts].map(folder => mkdir(folder, {recursive: true})));
        const draft = join(drafts, basename(scratch));
        try {
          const query = {sql: 'SELECT * FROM input', relations: {input: inputs[step.input]!.table}};
          const {rowCount, bytes} = await services.engine.publish(query, {path: draft, format: step.format}, {signal, onProgress: fraction => report.progress(fraction)});
          signal.throwIfAborted();
          await prove();
          await rename(draft, path);
          await syncPath(dirname(path));
          return {rowCount, events: [{kind: 'file_published', step: step.name, path: step.file, rowCount: String(rowCount), bytes: String(bytes)}]};
        } catch (error) {
          await rm(draft, {force: true});
          throw error;
        }
      },
      close: async () => undefined,
    };
  },
};
