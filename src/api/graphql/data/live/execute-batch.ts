import {MillraceError} from '../../../../core/errors.ts';
import type {Table} from '../../../../engines/engine.ts';
import type {SnapshotRecord} from '../../../../warehouse/warehouse.ts';
import type {DataSchema} from '../data-schema.ts';
import {callersFault, FieldRun} from '../execute.ts';
import type {Variables} from '../given.ts';
import type {DataContext} from '../graph-model.ts';
import {scoredTexts} from '../scoring.ts';
import {boundsAsVariables, idKey} from './compile-row-stream.ts';
import type {BatchBounds, BatchRows, RowStreamPlan} from './compile-row-stream.ts';

/** Rows of a batch as JSON texts, for each of the plan's lists. */
export interface Batch {
  readonly lists: readonly string[];
  readonly count: number;
  /** `_row_id` of the last one; where there are fewer than asked for, the end of what was looked at. */
  readonly last: bigint;
}

/** @throws RESULT_TOO_LARGE and every code a data field can fail with */
export async function executeBatch(plan: RowStreamPlan, graph: DataSchema, variables: Variables, bounds: BatchBounds, context: DataContext): Promise<Batch> {
  const lists: string[] = [];
  let [count, last] = [0, bounds.through];
  for (const [index, list] of plan.lists.entries()) {
    const texts = await textsOf(list, graph, {...variables, ...boundsAsVariables({...bounds, through: last})}, bounds, context);
    const rows = texts.map(withoutId);
    if (index === 0) {
      count = rows.length;
      if (count === bounds.count) last = BigInt(rows.at(-1)!.id);
    }
    lists.push(`[${rows.map(({text}) => text).join(',')}]`);
  }
  const {bytes} = context.viewer.limits;
  if (lists.reduce((sum, text) => sum + Buffer.byteLength(text), 0) > bytes) throw new MillraceError('RESULT_TOO_LARGE', {limit: bytes, unit: 'bytes'});
  return {lists, count, last};
}

async function textsOf({plan, rows, readsOnce}: BatchRows, graph: DataSchema, variables: Variables, bounds: BatchBounds, context: DataContext): Promise<string[]> {
  const run = new FieldRun(plan, graph, variables, readsOnce ? onlyAfter(plan.dataset, bounds, context) : context);
  const query = await run.query(rows.statement);
  return scoredTexts(rows, query, variables, undefined, context).catch((error: unknown) => {
    throw callersFault(error, query);
  });
}

/** Each text begins with the row's id, as `{"~id":"5"`. */
export function withoutId(text: string): {id: string; text: string} {
  const start = `{"${idKey}":"`.length;
  const end = text.indexOf('"', start);
  return {id: text.slice(start, end), text: `{${text.slice(end + (text[end + 1] === ',' ? 2 : 1))}`};
}

/** Leaves out of the dataset the files that only have rows up to an id: a commit's rows are found without looking at those before it. */
function onlyAfter(dataset: string, {after, settled}: BatchBounds, context: DataContext): DataContext {
  const tables = new Map<string, Table>();
  const prune = async (snapshot: SnapshotRecord): Promise<SnapshotRecord> => {
    const table = await context.table(snapshot);
    const files = table.files.filter(({rowIds, firstRowId, rowCount}) => (rowIds === 'stored' ? settled : BigInt(firstRowId + rowCount)) > after + 1n);
    tables.set(snapshot.id, {...table, files});
    return {...snapshot, rowCount: BigInt(files.reduce((sum, file) => sum + file.rowCount, 0))};
  };
  return {
    viewer: context.viewer, engine: context.engine, signal: context.signal, now: () => context.now(),
    heads: {resolve: async (name, asOf) => {
      const snapshot = await context.heads.resolve(name, asOf);
      return name === dataset ? prune(snapshot) : snapshot;
    }},
    table: async snapshot => tables.get(snapshot.id) ?? context.table(snapshot),
    score: (...given) => context.score(...given),
    version: (...given) => context.version(...given),
    scoreFiles: context.scoreFiles,
    write: (...given) => context.write(...given),
  };
}
