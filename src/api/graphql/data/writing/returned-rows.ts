import {setImmediate as nextTurn} from 'node:timers/promises';
import type {DataSchema} from '../data-schema.ts';
import {callersFault, FieldRun} from '../execute.ts';
import type {Variables} from '../given.ts';
import type {DataContext} from '../graph-model.ts';
import {withoutId} from '../live/execute-batch.ts';
import type {FieldPlan, ScoredRows} from '../plan.ts';
import {scoredTexts} from '../scoring.ts';
import {writtenRows, writtenSnapshot} from './compile-write.ts';

/** What a mutation answers of rows, compiled: each row's text begins with its id. */
export interface ReturnPlan extends FieldPlan {
  readonly answer: {readonly kind: 'scored'; readonly rows: ScoredRows; readonly single: boolean};
}

export interface Asked {
  readonly plan: ReturnPlan;
  readonly graph: DataSchema;
  readonly variables: Variables;
  readonly snapshot: string;
  readonly rowIds: readonly number[];
}

interface Reading {
  readonly ids: Set<number>;
  readonly texts: Promise<ReadonlyMap<string, string>>;
}

/**
 * Rows that mutations answer with. Requests of one batch end in the same turn of the event loop, and mostly ask for the same: so their rows are read by
 * one statement, as the rows were written by one commit.
 */
export class ReturnedRows {
  private readonly readings = new WeakMap<ReturnPlan, Map<string, Reading>>();

  /** JSON texts of the rows, in the order of their ids given; those that are not there are left out. */
  async texts(asked: Asked, context: DataContext): Promise<string[]> {
    const texts = await this.together(asked, context).catch((error: unknown) => {
      // Whoever asked first may have left, or may be the only one whose fault it is.
      if (context.signal?.aborted) throw error;
      return read(asked, asked.rowIds, context);
    });
    return asked.rowIds.flatMap(id => texts.get(String(id)) ?? []);
  }

  private together(asked: Asked, context: DataContext): Promise<ReadonlyMap<string, string>> {
    const {plan, snapshot, rowIds} = asked;
    const readings = this.readings.get(plan) ?? new Map<string, Reading>();
    this.readings.set(plan, readings);
    const key = `${snapshot} ${context.viewer.name}`;
    let reading = readings.get(key);
    // Rows that one request may have, however many ask together.
    if (!reading || reading.ids.size + rowIds.length > context.viewer.limits.rows) {
      const ids = new Set<number>();
      const texts = nextTurn().then(() => {
        if (readings.get(key)?.ids === ids) readings.delete(key);
        return read(asked, [...ids], context);
      });
      readings.set(key, (reading = {ids, texts}));
    }
    for (const id of rowIds) reading.ids.add(id);
    return reading.texts;
  }
}

async function read({plan, graph, variables, snapshot}: Asked, ids: readonly number[], context: DataContext): Promise<ReadonlyMap<string, string>> {
  const bound = {...variables, [writtenRows]: JSON.stringify(ids), [writtenSnapshot]: snapshot};
  const {rows} = plan.answer;
  const query = await new FieldRun(plan, graph, bound, context).query(rows.statement);
  const texts = await scoredTexts(rows, query, bound, undefined, context).catch((error: unknown) => {
    throw callersFault(error, query);
  });
  return new Map(texts.map(text => {
    const {id, text: row} = withoutId(text);
    return [id, row];
  }));
}
