import {MillraceError} from '../../../core/errors.ts';
import type {Piece, Table} from '../../../engines/engine.ts';
import type {DataSchema} from '../data/data-schema.ts';
import {callersFault, FieldRun} from '../data/execute.ts';
import type {Variables} from '../data/given.ts';
import type {DataContext} from '../data/graph-model.ts';
import type {FieldPlan} from '../data/plan.ts';
import {scoredBatches} from '../data/scoring.ts';
import type {StreamFormat} from './stream-format.ts';

/** What a streamed answer is made of. */
export interface StreamInput {
  readonly plan: FieldPlan;
  readonly graph: DataSchema;
  readonly variables: Variables;
  readonly context: DataContext;
}

/** The rows of a field as lines of JSON, some at a time. @throws RESULT_TOO_LARGE and every code a data field can fail with */
export async function* jsonLines({plan, graph, variables, context}: StreamInput): AsyncGenerator<Uint8Array> {
  if (plan.answer.kind !== 'scored') throw new MillraceError('INTERNAL', {reason: `${plan.key} was not compiled to be streamed`});
  const {rows} = plan.answer;
  const run = new FieldRun(plan, graph, variables, context);
  // Sorting needs all rows before the first.
  const sorted = rows.unsorted === null || !inOrder(await context.table(await run.snapshot(plan.dataset)));
  const query = await run.query(sorted ? rows.statement : rows.unsorted);
  const scoredLines = async function* (): AsyncGenerator<Piece> {
    for await (const texts of scoredBatches(rows, query, variables, run.asOf?.time, context, true)) yield {rowCount: texts.length, bytes: Buffer.from(`${texts.join('\n')}\n`)};
  };
  const limit = context.viewer.limits.streamRows;
  let count = 0;
  try {
    for await (const {rowCount, bytes} of rows.predictions.length > 0 ? scoredLines() : context.engine.lines(query, {signal: context.signal})) {
      count += rowCount;
      if (count > limit) throw new MillraceError('RESULT_TOO_LARGE', {limit, unit: 'rows'});
      yield bytes;
    }
  } catch (error) {
    throw callersFault(error, query);
  }
}

/** How each format is made. */
export const pieces: Readonly<Record<StreamFormat, (input: StreamInput) => AsyncGenerator<Uint8Array>>> = {ndjson: jsonLines};

/** Whether the files hold their rows in the order of the ids. */
const inOrder = ({files}: Table): boolean => files.every((file, index) => file.rowIds === 'positional' && (index === 0 || file.firstRowId >= files[index - 1]!.firstRowId));
