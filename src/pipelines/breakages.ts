import type {Catalog} from '../catalog/catalog.ts';
import {MillraceError} from '../core/errors.ts';
import type {Engine} from '../engines/engine.ts';
import type {Models} from '../models/models.ts';
import {changeSays, schemaChanges} from '../schemas/compatibility.ts';
import type {Contract} from '../schemas/contract.ts';
import type {Schema} from '../schemas/schema.ts';
import {typeName} from '../schemas/schema.ts';
import type {Relationship} from '../warehouse/relationship.ts';
import type {Breakage} from '../warehouse/warehouse.ts';
import {bindParams} from './bind-params.ts';
import type {PipelineDefinition, PredictStep, SqlStep} from './pipeline.ts';
import {futureTable} from './prepare-step.ts';

export interface Readers {
  readonly catalog: Catalog;
  readonly engine: Pick<Engine, 'analyze' | 'describe'>;
  readonly models: Pick<Models, 'deployments' | 'resolve' | 'unfit'>;
}

/**
 * What would break if a dataset had other columns: SQL of current pipelines that could not be run or would give other columns,
 * predict steps and deployed models without their inputs, foreign keys without their columns. No data is read. What does not work
 * with the columns as they are is left out, since the change is not its cause.
 */
export async function findBreakages(readers: Readers, dataset: string, before: Schema, after: Schema): Promise<Breakage[]> {
  const {pipelines, datasets, relationships} = await readers.catalog.read(async stores => ({
    pipelines: await stores.runs.pipelines(),
    datasets: await stores.datasets.schemas('main', []),
    relationships: await stores.relationships.list(),
  }));
  const schemas = new Map(datasets.map(({name, schema}) => [name, schema!]));
  const breakages: Breakage[] = [];
  for (const {definition} of pipelines) {
    for (const step of definition.steps) {
      const detail = step.kind === 'sql' ? await sqlBreaks(readers, definition, step, dataset, schemas, before, after)
        : step.kind === 'predict' && step.input === dataset ? await predictBreaks(readers, step, before, after) : null;
      if (detail !== null) breakages.push({kind: 'pipeline', name: `${definition.name}.${step.name}`, detail});
    }
  }
  for (const deployment of await readers.models.deployments()) {
    if (deployment.datasetName !== dataset || !deployment.enabled) continue;
    const version = await readers.models.resolve(deployment.modelName, {alias: deployment.alias}).catch(unknownVersion);
    const detail = version && (await newly(schema => readers.models.unfit(version, dataset, schema, deployment.features), before, after));
    if (detail) breakages.push({kind: 'model', name: deployment.modelName, detail});
  }
  return [...breakages, ...relationshipsBroken(dataset, new Map(datasets.map(({name, contract}) => [name, contract])), relationships, before, after)];
}

async function sqlBreaks(
  {engine}: Readers, definition: PipelineDefinition, step: SqlStep, dataset: string, schemas: ReadonlyMap<string, Schema>, before: Schema, after: Schema,
): Promise<string | null> {
  try {
    const {sql} = bindParams(step.sql, definition.params ?? {}, {});
    const {relations} = await engine.analyze(sql);
    if (!relations.includes(dataset) || relations.some(name => !schemas.has(name))) return null;
    const described = (schema: Schema): Promise<Schema> =>
      engine.describe({sql, relations: Object.fromEntries(relations.map(name => [name, futureTable(name === dataset ? schema : schemas.get(name)!)]))});
    const output = await described(before);
    const next = await described(after).catch(reasonOf);
    if (typeof next === 'string') return next;
    const changes = schemaChanges(output, next).filter(({kind}) => ['removed', 'retyped', 'widened', 'narrowed'].includes(kind));
    return changes.length === 0 ? null : `the columns of '${step.into}' change: ${changes.map(changeSays).join(', ')}`;
  } catch (error) {
    // It cannot be read as things are.
    reasonOf(error);
    return null;
  }
}

async function predictBreaks({models}: Readers, {input, model, alias, version, features = {}, keep}: PredictStep, before: Schema, after: Schema): Promise<string | null> {
  const found = await models.resolve(model, {version, alias}).catch(unknownVersion);
  if (!found) return null;
  const has = (schema: Schema): Set<string> => new Set(schema.fields.map(field => field.name));
  const lost = (keep ?? []).filter(column => has(before).has(column) && !has(after).has(column));
  if (lost.length > 0) return `it keeps ${lost.join(', ')}`;
  return newly(schema => models.unfit(found, input, schema, features), before, after);
}

/** What is wrong after a change and was not before. */
async function newly(wrong: (schema: Schema) => Promise<string | null>, before: Schema, after: Schema): Promise<string | null> {
  const now = await wrong(after);
  return now !== null && (await wrong(before)) === null ? now : null;
}

function relationshipsBroken(dataset: string, contracts: ReadonlyMap<string, Contract>, relationships: readonly Relationship[], before: Schema, after: Schema): Breakage[] {
  const typeIn = (schema: Schema, column: string): string | null => {
    const type = schema.fields.find(field => field.name === column)?.type;
    // Integers of any size compare.
    return type ? (type.kind === 'int' ? 'int' : typeName(type)) : null;
  };
  const lost = (column: string): string | null => {
    const [was, is] = [typeIn(before, column), typeIn(after, column)];
    return was === null || was === is ? null : is === null ? `'${dataset}' would have no column '${column}'` : `'${dataset}.${column}' would be ${is}`;
  };
  const [key, ...more] = contracts.get(dataset)?.key ?? [];
  const declared = relationships.flatMap(({dataset: from, name, to, on}): Breakage[] => {
    const detail = on.map(({column, toColumn}) => (from === dataset ? lost(column) : null) ?? (to === dataset ? lost(toColumn) : null)).find(found => found !== null);
    return detail ? [{kind: 'relationship', name: `${from}.${name} → ${to}`, detail}] : [];
  });
  const ofKeys = [...contracts].flatMap(([name, contract]) => (contract.foreignKeys ?? []).flatMap(({column, references}): Breakage[] => {
    const own = name === dataset ? lost(column) : null;
    const its = references === dataset && key !== undefined && more.length === 0 ? lost(key) : null;
    const detail = own ?? its;
    return detail === null ? [] : [{kind: 'relationship', name: `${name}.${column} → ${references}`, detail}];
  }));
  return [...declared, ...ofKeys];
}

function reasonOf(error: unknown): string {
  if (error instanceof MillraceError && error.code !== 'INTERNAL') return String(error.details.reason ?? error.message);
  throw error;
}

/** Null for a version, or an alias, that is gone. */
export function unknownVersion(error: unknown): null {
  if (error instanceof MillraceError && (error.code === 'MODEL_NOT_FOUND' || error.code === 'MODEL_VERSION_NOT_FOUND')) return null;
  throw error;
}
