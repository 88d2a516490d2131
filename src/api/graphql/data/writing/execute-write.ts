import {MillraceError} from '../../../../core/errors.ts';
import {quarantineOf} from '../../../../schemas/contract.ts';
import type {WriteAnswer} from '../../../../writes/writes.ts';
import type {DataSchema} from '../data-schema.ts';
import {executeField} from '../execute.ts';
import type {Variables} from '../given.ts';
import type {DataContext} from '../graph-model.ts';
import type {FieldPlan} from '../plan.ts';
import {writtenRows, writtenSnapshot} from './compile-write.ts';
import type {ResponsePart, WritePlan} from './compile-write.ts';

/** Writes, and answers with JSON text. @throws what `Writes.write` throws; ROW_QUARANTINED, when the one row of the answer was kept aside */
export async function executeWrite(plan: WritePlan, graph: DataSchema, variables: Variables, context: DataContext): Promise<string> {
  const {dataset, write, answer} = plan;
  const returns = answer.kind === 'row' || answer.parts.some(part => part.kind === 'returning');
  const {rows: most} = context.viewer.limits;
  const made = await context.write({dataset, write, ...(plan.idempotency ? {idempotency: plan.idempotency} : {}), ...(returns ? {mostReturned: most} : {}), signal: context.signal});
  const ids = JSON.stringify(made.rowIds);
  const snapshot = write.kind === 'delete' ? made.parentId : made.snapshotId;
  const rowsOf = (rows: FieldPlan): Promise<string> => executeField(rows, graph, {...variables, [writtenRows]: ids, [writtenSnapshot]: snapshot}, context);
  if (answer.kind === 'row') {
    const [aside] = made.quarantined;
    if (aside) throw new MillraceError('ROW_QUARANTINED', {quarantine: quarantineOf(dataset), reasons: aside.reasons.join('; ')});
    return rowsOf(answer.rows);
  }
  const texts = await Promise.all(answer.parts.map(async part => `${JSON.stringify(part.key)}:${part.kind === 'returning' ? await (made.rowIds.length === 0 ? '[]' : rowsOf(part.rows)) : partText(part, made)}`));
  return `{${texts.join(',')}}`;
}

function partText(part: Exclude<ResponsePart, {kind: 'returning'}>, {affected, quarantined}: WriteAnswer): string {
  switch (part.kind) {
    case 'affected':
      return String(affected);
    case 'constant':
      return part.json;
    case 'quarantined':
      return JSON.stringify(quarantined.map(row => Object.fromEntries(part.parts.map(({key, of}) => [key, of === '__typename' ? 'quarantined_row' : row[of]]))));
  }
}
