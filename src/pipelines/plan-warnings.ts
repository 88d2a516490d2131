/** What a plan warns of, from statistics alone: each warning says whether it is proven or likely. */
import type {ColumnFacts, Engine, RelationFacts} from '../engines/engine.ts';
import {identifier} from '../engines/sql-text.ts';
import type {ModelVersionRecord, Models} from '../models/models.ts';
import {familyOf, isApart, boundOf, compareBounds, possibleValues} from '../schemas/bounds.ts';
import {changeSays, schemaChanges} from '../schemas/compatibility.ts';
import type {Contract} from '../schemas/contract.ts';
import type {Schema} from '../schemas/schema.ts';
import type {SnapshotRecord} from '../warehouse/warehouse.ts';
import {factsOfSnapshot} from './dataset-facts.ts';
import type {PlanWarning} from './pipeline.ts';
import {futureTable} from './prepare-step.ts';

type Warning = Omit<PlanWarning, 'step'>;

/** Estimates of distinct values are off by less than this factor. */
const estimateError = 2;

/**
 * Columns of an output that will hold nothing although they held, or should hold, something.
 * @param missing columns of the dataset that the rows to append do not have
 */
export function emptyColumns(facts: RelationFacts, head: SnapshotRecord | null, missing: readonly string[]): Warning[] {
  if (facts.most === 0) return [];
  const emptyBefore = new Set((head?.profile ?? []).filter(({nulls}) => head!.rowCount > 0n && BigInt(nulls) === head!.rowCount).map(({name}) => name));
  const warn = (column: string, detail: string): Warning => ({code: 'column_all_null', certainty: 'proven', column, detail});
  return [
    ...facts.columns.filter(({name, nulls, why}) => nulls === 'all' && why !== undefined && !emptyBefore.has(name)).map(({name, why}) => warn(name, `'${name}' will be null in every row: ${why}`)),
    ...missing.filter(name => !emptyBefore.has(name)).map(name => warn(name, `the rows to append have no '${name}': it will be null in all of them`)),
  ];
}

/** Whether the key of a contract can hold. */
export function keyWarnings(facts: RelationFacts, {key = []}: Contract): Warning[] {
  const columns = key.map(name => facts.columns.find(column => column.name === name)).filter(column => column !== undefined);
  if (key.length === 0 || columns.length < key.length) return [];
  const empty = columns.find(({nulls}) => nulls === 'all' || nulls === 'some');
  if (empty && facts.least > 0) {
    return [{code: 'key_null', certainty: 'proven', column: empty.name, detail: `the key column '${empty.name}' is null in ${empty.nulls === 'all' ? 'every row' : 'some rows'}`}];
  }
  if (facts.keys.some(known => known.every(name => key.includes(name)))) return [];
  const named = key.length === 1 ? `the key '${key[0]}'` : `the key (${key.join(', ')})`;
  const column = key.length === 1 ? key[0]! : null;
  const possible = productOf(columns.map(possibleValues));
  if (possible !== null && possible < facts.least) {
    return [{code: 'key_not_unique', certainty: 'proven', column, detail: `${named} cannot be unique: ${facts.least} rows, and at most ${possible} values between its bounds`}];
  }
  const repeated = facts.repeats.find(({columns: names}) => key.every(name => names.includes(name)));
  if (repeated) return [{code: 'key_not_unique', certainty: 'likely', column, detail: `${named} will probably not be unique: a join repeats its rows (${repeated.why})`}];
  const distinct = productOf(columns.map(known => known.distinct));
  if (distinct === null || distinct * estimateError >= facts.least) return [];
  return [{code: 'key_not_unique', certainty: 'likely', column, detail: `${named} will probably not be unique: ${facts.least} rows, and about ${distinct} values`}];
}

const productOf = (counts: readonly (number | null)[]): number | null => counts.reduce<number | null>((product, count) => (product === null || count === null ? null : product * count), 1);

export interface ModelInputs {
  readonly version: ModelVersionRecord;
  /** The dataset that its inputs are columns or expressions of. */
  readonly dataset: string;
  /** Model input → expression, where it is not the column of the same name. */
  readonly features: Readonly<Record<string, string>>;
  /** What the dataset's columns will be, and were; null where they are not known. */
  readonly schema: Schema;
  readonly before: Schema | null;
  readonly facts: RelationFacts | null;
  readonly trainedOn: readonly SnapshotRecord[];
}

/** A model whose inputs will be missing, of another type, or outside of what it was trained on. */
export async function modelWarnings({engine, models}: {readonly engine: Engine; readonly models: Pick<Models, 'unfit'>}, inputs: ModelInputs): Promise<Warning[]> {
  const {version, dataset, features, schema, before, facts, trainedOn} = inputs;
  const model = `${version.modelName}@${version.number}`;
  const unfit = await models.unfit(version, dataset, schema, features);
  if (unfit !== null) {
    const already = before !== null && (await models.unfit(version, dataset, before, features)) !== null;
    return already ? [] : [{code: 'model_input_unfit', certainty: 'proven', column: null, detail: `${model} could not score '${dataset}' any more: ${unfit}`}];
  }
  const names = version.signature.inputs.map(({name}) => name);
  const select = (from: string): string => `SELECT ${names.map(name => `(\n${features[name] ?? identifier(name)}\n) AS ${identifier(name)}`).join(', ')} FROM ${identifier(from)}`;
  const described = async (columns: Schema): Promise<Schema | null> => engine.describe({sql: select(dataset), relations: {[dataset]: futureTable(columns)}}).catch(() => null);

  const [was, is] = [before && (await described(before)), await described(schema)];
  const retyped = was && is ? schemaChanges(was, is).filter(({kind}) => ['widened', 'narrowed', 'retyped'].includes(kind)) : [];
  const warnings: Warning[] = retyped.map(change => ({code: 'model_input_retyped', certainty: 'proven', column: change.column, detail: `the input of ${model} changes its type: ${changeSays(change)}`}));
  if (!facts || trainedOn.length === 0) return warnings;

  const now = (await engine.foresee({sql: select(dataset), relations: {}}, {[dataset]: facts})).result;
  const relations = trainedOn.map((snapshot, index) => [`trained_${index}`, factsOfSnapshot(snapshot, {})] as const);
  const then = (await engine.foresee({sql: relations.map(([name]) => select(name)).join(' UNION ALL '), relations: {}}, Object.fromEntries(relations))).result;
  if (!now || !then || now.most === 0) return warnings;
  return [...warnings, ...names.flatMap((name, index) => outOfRange(model, name, now.columns[index]!, then.columns[index]!))];
}

function outOfRange(model: string, input: string, now: ColumnFacts, then: ColumnFacts): Warning[] {
  const family = familyOf(now.type);
  // The order of texts says nothing about a model.
  if ((family !== 'number' && family !== 'time' && family !== 'instant') || family !== familyOf(then.type)) return [];
  const [low, high, from, to] = [boundOf(now.type, now.min), boundOf(now.type, now.max), boundOf(then.type, then.min), boundOf(then.type, then.max)];
  if (low === null || high === null || from === null || to === null || (compareBounds(low, from) >= 0 && compareBounds(high, to) <= 0)) return [];
  const whole = isApart(now, then);
  const detail = `${model} was trained on ${input} from ${then.min} to ${then.max}; it ${now.attained || whole ? 'will be' : 'may be'} from ${now.min} to ${now.max}${whole ? ', every row outside' : ''}`;
  return [{code: 'model_input_out_of_range', certainty: whole || now.attained ? 'proven' : 'likely', column: input, detail}];
}
