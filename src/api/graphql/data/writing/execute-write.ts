import {MillraceError} from '../../../../core/errors.ts';
import {quarantineOf} from '../../../../schemas/contract.ts';
import type {WriteAnswer} from '../../../../writes/writes.ts';
import type {DataSchema} from '../data-schema.ts';
import type {Variables} from '../given.ts';
import type {DataContext} from '../graph-model.ts';
import type {ResponsePart, WritePlan} from './compile-write.ts';
import {ReturnedRows} from './returned-rows.ts';
import type {ReturnPlan} from './returned-rows.ts';

const returned = new ReturnedRows();

/** Writes, and answers with JSON text. @throws what `Writes.write` throws; ROW_QUARANTINED, when the one row of the answer was kept aside */
export async function executeWrite(plan: WritePlan, graph: DataSchema, variables: Variables, context: DataContext): Promise<string> {
  const {dataset, write, answer} = plan;
  const returns = answer.kind === 'row' || answer.parts.some(part => part.kind === 'returning');
  const {rows: most, bytes} = context.viewer.limits;
  const made = await context.write({dataset, write, ...(plan.idempotency ? {idempotency: plan.idempotency} : {}), ...(returns ? {mostReturned: most} : {}), signal: context.signal});
  const snapshot = write.kind === 'delete' ? made.parentId : made.snapshotId;
  const rowsOf = async (rows: ReturnPlan): Promise<readonly string[]> => (made.rowIds.length === 0 ? [] : returned.texts({plan: rows, graph, variables, snapshot, rowIds: made.rowIds}, context));
  if (answer.kind === 'row') {
    const [aside] = made.quarantined;
    if (aside) throw new MillraceError('ROW_QUARANTINED', {quarantine: quarantineOf(dataset), reasons: aside.reasons.join('; ')});
    return (await rowsOf(answer.rows))[0] ?? 'null';
  }
  const texts = await Promise.all(answer.parts.map(async part => `${JSON.stringify(part.key)}:${part.kind === 'returning' ? `[${(await rowsOf(part.rows)).join(',')}]` : partText(part, made)}`));
  const text = `{${texts.join(',')}}`;
  if (Buffer.byteLength(text) > bytes) throw new MillraceError('RESULT_TOO_LARGE', {limit: bytes, unit: 'bytes'});
  return text;
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
