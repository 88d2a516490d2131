import {mkdir, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {newId} from '../core/ids.ts';
import type {EngineName, Query, StagedFile, Table} from '../engines/engine.ts';
import {identifier} from '../engines/sql-text.ts';
import type {Field, Schema} from '../schemas/schema.ts';
import {bindParams} from './bind-params.ts';
import {remoteEngine} from './engine-choice.ts';
import type {SqlStep, StepVerification, VerifiedEngine} from './pipeline.ts';
import {newest} from './prepare-step.ts';
import type {StepWorld} from './prepare-step.ts';
import type {PlannedRun} from './plan-run.ts';
import {nativeQuery} from './steps/sql.ts';
import {inputIds} from './steps/step-kind.ts';
import type {StepInput} from './steps/step-kind.ts';
import {stageRemotely} from './steps/remote-sql.ts';

/** Rows of each side that are shown. */
const shown = 10;

const silent = {progress: () => undefined, log: () => undefined};

/**
 * Runs a step's SQL on two engines over the same snapshots, and compares the results as multisets of rows. Nothing is committed.
 *
 * @param tolerance how much two floats may differ, relative to the larger of them and 1; those inside of lists and structs are compared exactly
 */
export async function verifyStep(
  world: StepWorld, run: PlannedRun, step: SqlStep, reads: readonly string[], engines: readonly [EngineName, EngineName], tolerance: number, signal: AbortSignal,
): Promise<StepVerification> {
  const {services: {engine}, warehouse} = world;
  const inputs: Record<string, StepInput> = {};
  for (const name of reads) {
    const snapshot = await newest(warehouse, step, name, run.branch);
    inputs[name] = {snapshot, table: await warehouse.table(snapshot)};
  }
  const {sql, params} = bindParams(step.sql, run.definition.params ?? {}, run.params);
  const query: Query = {sql, relations: Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, input.table])), params};
  const described = await engine.describe(query);
  // Files of two engines are alike only if their columns have ids.
  const schema: Schema = {fields: described.fields.map((field, index) => ({...field, id: index + 1}))};
  const scratch = join(world.scratchFolder, newId());
  try {
    const results: {engine: VerifiedEngine; table: Table}[] = [];
    for (const [index, name] of engines.entries()) {
      const folder = join(scratch, String(index));
      await mkdir(folder, {recursive: true});
      const began = performance.now();
      const {files, version} = name === 'duckdb'
        ? {files: await engine.materialize(query, {folder, schema}, {signal}), version: engine.fingerprint}
        : await remotely(name, folder);
      const rowCount = files.reduce((sum, file) => sum + file.rowCount, 0);
      results.push({engine: {name, version, rowCount: BigInt(rowCount), seconds: (performance.now() - began) / 1_000}, table: tableOf(schema, files)});
    }
    const [left, right] = results as [typeof results[0], typeof results[0]];
    return {step: step.name, inputs: inputIds(inputs), engines: [left.engine, right.engine], tolerance, ...(await differences(left.table, right.table))};
  } finally {
    await rm(scratch, {recursive: true, force: true});
  }

  async function remotely(name: Exclude<EngineName, 'duckdb'>, folder: string): Promise<{files: readonly StagedFile[]; version: string}> {
    const remote = remoteEngine(world.services.remotes, name);
    const native = await nativeQuery(step, {services: world.services, params: run.params, definition: run.definition, inputs}, query, described, name);
    const {files} = await stageRemotely({remote, engine, query: native, label: `verify ${step.name}`, signal}, folder, schema, silent);
    return {files, version: await remote.fingerprint()};
  }

  async function differences(left: Table, right: Table): Promise<Pick<StepVerification, 'equal' | 'differing' | 'examples'>> {
    const compared = differencesSql(schema.fields, tolerance);
    const relations = {left_rows: left, right_rows: right};
    const [count] = await engine.rows({sql: `SELECT count(*) AS n FROM (${compared})`, relations}, {signal});
    const differing = BigInt(count!.n as bigint);
    const examples = differing === 0n ? [] : await engine.rows({sql: `SELECT l, r FROM (${compared}) LIMIT ${shown}`, relations}, {signal});
    return {equal: differing === 0n, differing, examples: examples.map(({l, r}) => ({left: l as string | null, right: r as string | null}))};
  }
}

const tableOf = (schema: Schema, files: readonly StagedFile[]): Table => ({
  kind: 'table', schema, uniform: true, files: files.map(file => ({...file, firstRowId: 0, rowIds: 'positional'})),
});

/**
 * Rows of one side without an equal one on the other, each side as JSON. Rows that are there equally often on both sides are told by
 * their hashes, which is quick; of the others, those with the same exact columns are paired in the order of their floats, so that a
 * difference in the last digit does not hide a row's partner.
 */
function differencesSql(fields: readonly Field[], tolerance: number): string {
  const names = fields.map(field => identifier(field.name));
  const floats = fields.filter(field => field.type.kind === 'float').map(field => identifier(field.name));
  const exact = names.filter(name => !floats.includes(name));
  // Two, so that what is unequal and has one in common still differs.
  const hashes = `hash(${names.join(', ')}) AS "_h", hash(${names.toReversed().join(', ')}, 1) AS "_g"`;
  const unequal = `SELECT "_h", "_g" FROM (SELECT 1 AS "_n", ${hashes} FROM left_rows UNION ALL SELECT -1, ${hashes} FROM right_rows) GROUP BY ALL HAVING sum("_n") <> 0`;
  const partition = exact.length === 0 ? '' : `PARTITION BY ${exact.join(', ')} `;
  const order = floats.length === 0 ? '' : `ORDER BY ${floats.join(', ')}`;
  const side = (relation: string): string =>
    `SELECT ${names.join(', ')}, row_number() OVER (${partition}${order}) AS "_place", to_json(struct_pack(${names.map(name => `${name} := ${name}`).join(', ')}))::VARCHAR AS "_row"
     FROM (SELECT *, ${hashes} FROM ${relation}) SEMI JOIN unequal USING ("_h", "_g")`;
  const same = ['l."_place" = r."_place"', ...exact.map(name => `l.${name} IS NOT DISTINCT FROM r.${name}`)].join(' AND ');
  const near = floats.map(name => `(l.${name} IS NOT DISTINCT FROM r.${name} OR coalesce(abs(l.${name} - r.${name}) <= ${tolerance} * greatest(1, abs(l.${name}), abs(r.${name})) AND isfinite(l.${name}) AND isfinite(r.${name}), false))`);
  const apart = ['l."_row" IS NULL', 'r."_row" IS NULL', ...near.map(condition => `NOT ${condition}`)].join(' OR ');
  return `WITH unequal AS MATERIALIZED (${unequal}) SELECT l."_row" AS l, r."_row" AS r FROM (${side('left_rows')}) AS l FULL JOIN (${side('right_rows')}) AS r ON ${same} WHERE ${apart}`;
}
