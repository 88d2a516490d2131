import {MillraceError} from '../../../core/errors.ts';
import type {Piece, Query, Table} from '../../../engines/engine.ts';
import type {DataSchema} from '../data/data-schema.ts';
import {callersFault, FieldRun} from '../data/execute.ts';
import type {Variables} from '../data/given.ts';
import type {DataContext} from '../data/graph-model.ts';
import type {FieldPlan, Rows} from '../data/plan.ts';
import {scoredBatches} from '../data/scoring.ts';

/** What a streamed answer is made of. */
export interface StreamInput {
  readonly plan: FieldPlan;
  readonly graph: DataSchema;
  readonly variables: Variables;
  readonly context: DataContext;
}

/**
 * The rows of a field, some at a time: lines of JSON, or an Arrow stream, as it was compiled.
 * @throws RESULT_TOO_LARGE and every code a data field can fail with
 */
export async function* streamRows(input: StreamInput): AsyncGenerator<Uint8Array> {
  const {plan, graph, variables, context} = input;
  const {answer} = plan;
  const run = new FieldRun(plan, graph, variables, context);
  if (answer.kind === 'columns') {
    const query = await inOrder(answer, run, input);
    yield* limited(context.engine.arrow(query, {names: answer.names, signal: context.signal}), query, context);
  } else if (answer.kind === 'scored') {
    const {rows} = answer;
    const query = await inOrder(rows, run, input);
    const scoredLines = async function* (): AsyncGenerator<Piece> {
      for await (const texts of scoredBatches(rows, query, variables, run.asOf?.time, context, true)) yield {rowCount: texts.length, bytes: Buffer.from(`${texts.join('\n')}\n`)};
    };
    yield* limited(rows.predictions.length + rows.statement.inline.plans.length > 0 ? scoredLines() : context.engine.lines(query, {signal: context.signal}), query, context);
  } else throw new MillraceError('INTERNAL', {reason: `${plan.key} was not compiled to be streamed`});
}

/** The query of the rows in order. A sort needs all rows before the first, so it is left out where the files have the order already. */
async function inOrder({statement, unsorted}: Rows, run: FieldRun, {plan, context}: StreamInput): Promise<Query> {
  const sorted = unsorted === null || !liesInOrder(await context.table(await run.snapshot(plan.dataset)));
  return run.query(sorted ? statement : unsorted);
}

/** Whether the files hold their rows in the order of the ids. */
const liesInOrder = ({files}: Table): boolean => files.every((file, index) => file.rowIds === 'positional' && (index === 0 || file.firstRowId >= files[index - 1]!.firstRowId));

async function* limited(pieces: AsyncIterable<Piece>, query: Query, {viewer}: DataContext): AsyncGenerator<Uint8Array> {
  const limit = viewer.limits.streamRows;
  let count = 0;
  try {
    for await (const {rowCount, bytes} of pieces) {
      count += rowCount;
      if (count > limit) throw new MillraceError('RESULT_TOO_LARGE', {limit, unit: 'rows'});
      yield bytes;
    }
  } catch (error) {
    throw callersFault(error, query);
  }
}
