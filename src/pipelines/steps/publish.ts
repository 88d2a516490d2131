import {mkdir, rename, rm} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import type {PublishStep} from '../pipeline.ts';
import type {StepKind} from './step-kind.ts';
import {inputIds, inputSize} from './step-kind.ts';

/** Writes a dataset to a file outside; a reader sees the old file or the whole new one. */
export const publishKind: StepKind<PublishStep> = {
  kind: 'publish',

  async reads(step) {
    return [step.input];
  },

  async prepare(step, {services, inputs, signal}) {
    const path = join(services.publishedFolder, step.file);
    return {
      // A published file is outside the warehouse and may be changed or gone: it is written again each time.
      identity: null,
      ...inputSize(inputs),
      described: null,
      lineage: {inputs: inputIds(inputs)},
      async perform(report) {
        await mkdir(dirname(path), {recursive: true});
        const draft = `${path}.${process.pid}.tmp`;
        try {
          const query = {sql: 'SELECT * FROM input', relations: {input: inputs[step.input]!.table}};
          const {rowCount, bytes} = await services.engine.publish(query, {path: draft, format: step.format}, {signal, onProgress: fraction => report.progress(fraction)});
          await rename(draft, path);
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
