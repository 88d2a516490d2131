import type {Relation} from '../../engines/engine.ts';
import {bindParams} from '../bind-params.ts';
import type {SqlStep} from '../pipeline.ts';
import type {StepKind} from './step-kind.ts';
import {inputIds, inputSize} from './step-kind.ts';

/** Runs one SELECT over datasets. */
export const sqlKind: StepKind<SqlStep> = {
  kind: 'sql',

  async reads(step, {engine}, specs) {
    return (await engine.analyze(bindParams(step.sql, specs, {}).sql)).relations;
  },

  async prepare(step, {services, params, paramSpecs, inputs, signal}) {
    const {engine} = services;
    const {sql, params: values, used} = bindParams(step.sql, paramSpecs, params);
    const {volatile} = await engine.analyze(sql);
    const relations: Record<string, Relation> = Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, input.table]));
    const query = {sql, relations, params: values};
    const described = await engine.describe(query);
    // Tracing takes longer than many a statement, and must not make the step wait, nor fail.
    const lineage = engine.lineage(query).catch(() => ({})).then(columns => ({inputs: inputIds(inputs), columns, sql: step.sql}));
    return {
      identity: volatile.length > 0 ? null : {sql, params: Object.fromEntries(used.map(name => [name, params[name]])), engine: engine.fingerprint},
      ...inputSize(inputs),
      described,
      lineage,
      foresee: facts => engine.foresee(query, facts),
      stage: async (folder, schema, report) => ({files: await engine.materialize(query, {folder, schema}, {signal, onProgress: fraction => report.progress(fraction)}), schema}),
      close: async () => undefined,
    };
  },
};
