import type {Query, Relation} from '../../engines/engine.ts';
import type {NativeQuery, RemoteName} from '../../engines/remote-engine.ts';
import type {Schema} from '../../schemas/schema.ts';
import {bindParams, withLiterals} from '../bind-params.ts';
import {chosenEngine, remoteEngine} from '../engine-choice.ts';
import type {SqlStep} from '../pipeline.ts';
import {stageRemotely} from './remote-sql.ts';
import type {PreparedStep, StepContext, StepKind} from './step-kind.ts';
import {inputIds, inputSize} from './step-kind.ts';

/** Runs one SELECT over datasets, on the engine that is chosen for it. */
export const sqlKind: StepKind<SqlStep> = {
  kind: 'sql',

  async reads(step, {engine}, specs) {
    return (await engine.analyze(bindParams(step.sql, specs, {}).sql)).relations;
  },

  async prepare(step, context) {
    const {services: {engine, remotes}, params, definition, inputs, signal} = context;
    const {sql, params: values, used} = bindParams(step.sql, definition.params ?? {}, params);
    const {volatile} = await engine.analyze(sql);
    const relations: Record<string, Relation> = Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, input.table]));
    const query = {sql, relations, params: values};
    const described = await engine.describe(query);
    // Tracing takes longer than many a statement, and must not make the step wait, nor fail.
    const lineage = engine.lineage(query).catch(() => ({})).then(columns => ({inputs: inputIds(inputs), columns, sql: step.sql}));
    const size = inputSize(inputs);
    const chosen = chosenEngine({run: context.engine, step, definition}, size.bytesIn, remotes);
    const prepared: PreparedStep = {
      identity: {sql, params: Object.fromEntries(used.map(name => [name, params[name]])), engine: engine.fingerprint},
      ...size,
      engine: chosen,
      described,
      lineage,
      foresee: facts => engine.foresee(query, facts),
      stage: async (folder, schema, report) => ({files: await engine.materialize(query, {folder, schema}, {signal, onProgress: fraction => report.progress(fraction)}), schema}),
      close: async () => undefined,
    };
    const placed = chosen.name === 'spark' || chosen.name === 'hive' ? await onRemote(prepared, step, context, query, described, chosen.name) : prepared;
    return volatile.length > 0 ? {...placed, identity: null} : placed;
  },
};

/** The step as it is done by a remote engine. */
async function onRemote(prepared: PreparedStep, step: SqlStep, context: StepContext, query: Query, described: Schema, name: RemoteName): Promise<PreparedStep> {
  const {services: {engine, remotes}, signal} = context;
  const remote = remoteEngine(remotes, name);
  const native = await nativeQuery(step, context, query, described, name);
  return {
    ...prepared,
    identity: {...(prepared.identity as object), engine: await remote.fingerprint(), ...(step.variants?.[name] === undefined ? {} : {variant: native.sql})},
    check: () => remote.check(native),
    stage: (folder, schema, report) => stageRemotely({remote, engine, query: native, label: step.name, signal}, folder, schema, report),
  };
}

/** What a step's own text for an engine says, or its SQL in that engine's words. @throws SQL_NOT_PORTABLE */
export async function nativeQuery(step: Pick<SqlStep, 'variants'>, {services: {engine, remotes}, params, definition, inputs}: Pick<StepContext, 'services' | 'params' | 'definition' | 'inputs'>, query: Query, described: Schema, name: RemoteName): Promise<NativeQuery> {
  const variant = step.variants?.[name];
  if (variant === undefined) return remotes.translate(await engine.syntax(query.sql), query, described, name);
  return {sql: withLiterals(variant, definition.params ?? {}, params), relations: Object.fromEntries(Object.entries(inputs).map(([relation, input]) => [relation, input.table]))};
}
