import type {PublishTableStep} from '../pipeline.ts';
import type {PreparedStep, StepContext} from './step-kind.ts';
import {inputIds, inputSize} from './step-kind.ts';

/** A snapshot becomes a table of Hive over its own files, and a view shows it from one moment on. */
export async function preparePublishTable(step: PublishTableStep, {services: {publications}, inputs, signal}: StepContext): Promise<PreparedStep> {
  const input = inputs[step.input]!;
  const {hive: target} = step.to;
  const notices = await publications.look(input);
  return {
    // What stands in Hive may have been changed or dropped there: it is looked at each time.
    identity: null,
    ...inputSize(inputs),
    described: null,
    lineage: {inputs: inputIds(inputs)},
    notices: notices.map(message => ({level: 'info', message})),
    check: () => publications.check(target, step.input, input.table.schema),
    async perform(_report, prove) {
      const {rowCount, bytes} = await publications.publish(target, input.snapshot!, signal, prove);
      return {rowCount, events: [{kind: 'file_published', step: step.name, path: `hive:${target.table}`, rowCount: String(rowCount), bytes: String(bytes)}]};
    },
    close: async () => undefined,
  };
}
