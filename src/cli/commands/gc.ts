import type {CliCommand, Context} from '../command.ts';
import {ask, failureFields} from '../graph-client.ts';
import {bytes, count, time} from '../units.ts';

interface Amount {
  readonly files: number;
  readonly bytes: string;
}

interface Past {
  readonly id: string;
  readonly sequence: number;
  readonly rowCount: string;
  readonly committedAt: string;
}

interface Garbage {
  readonly datasets: readonly {
    readonly dataset: string; readonly snapshots: number | null; readonly days: number | null; readonly freed: Amount; readonly expires: readonly Past[];
    readonly keeps: readonly {readonly snapshot: Past; readonly by: string; readonly detail: string | null}[];
  }[];
  readonly removed: Amount;
  readonly waiting: Amount;
  readonly folders: number;
  readonly uploads: Amount;
  readonly events: number;
}

const garbageFields = `
  datasets {
    dataset snapshots days freed { files bytes }
    expires { id sequence rowCount committedAt }
    keeps { snapshot { id sequence rowCount committedAt } by detail }
  }
  removed { files bytes } waiting { files bytes } folders uploads { files bytes } events`;

export const planDocument = `query Garbage { garbage { ${garbageFields} } }`;
export const document = `mutation CollectGarbage { collectGarbage { ${failureFields} ... on Garbage { ${garbageFields} } } }`;

export const gcCommand: CliCommand<{readonly plan?: boolean}> = {
  name: 'gc',
  summary: "expire what the datasets' retention lets go of, and remove the files that are due",
  examples: ['millrace gc --plan'],
  options(command) {
    command.option('--plan', 'only say what would expire, and what keeps the rest');
  },
  async run({out, graph}, _args, {plan = false}) {
    const client = await graph();
    const garbage = plan ? (await ask<{garbage: Garbage}>(client, planDocument, {})).garbage : (await ask<{collectGarbage: Garbage}>(client, document, {})).collectGarbage;
    if (out.json) out.document({planned: plan, ...garbage});
    else show(out, garbage, plan);
  },
};

function show(out: Context['out'], {datasets, removed, waiting, folders, uploads, events}: Garbage, plan: boolean): void {
  if (datasets.length === 0) out.write('No dataset has a retention: every snapshot is kept.\n');
  for (const {dataset, snapshots, days, expires, freed, keeps} of datasets) {
    const rule = [snapshots === null ? '' : `${snapshots} snapshots`, days === null ? '' : `${days} days`].filter(Boolean).join(', ');
    const freeing = expires.length === 0 ? 'nothing expires' : `${of(expires.length, 'snapshot')} ${plan ? 'would expire' : 'expired'}, ${of(freed.files, 'file')}, ${bytes(freed.bytes)}`;
    out.write(`${out.paint('bold', dataset)} (keeps ${rule}): ${freeing}\n`);
    for (const past of expires) out.write(`  ${out.paint('yellow', '−')} ${named(past)}\n`);
    // What the rule keeps is what a reader expects; the others are the ones to explain.
    const byRule = keeps.filter(({by}) => by === 'RULE').length;
    for (const {snapshot, by, detail} of keeps.filter(kept => kept.by !== 'RULE')) out.write(`  ${out.paint('green', '✓')} ${named(snapshot)}: ${reasons[by] ?? by}${detail === null ? '' : ` ${detail}`}\n`);
    if (byRule > 0) out.write(`  ${out.paint('green', '✓')} ${of(byRule, 'more snapshot')} by its rule\n`);
  }
  const files = ({files, bytes: size}: Amount): string => `${of(files, 'file')} (${bytes(size)})`;
  out.write(`${plan ? 'Would remove' : 'Removed'} ${files(removed)}${waiting.files > 0 ? `; ${files(waiting)} ${waiting.files === 1 ? 'stays' : 'stay'} for those who read ${waiting.files === 1 ? 'it' : 'them'} until \`warehouse.graceHours\` are over` : ''}\n`);
  if (folders > 0) out.write(`Removed ${of(folders, 'left-over folder')}\n`);
  if (uploads.files > 0) out.write(`${plan ? 'Would remove' : 'Removed'} ${of(uploads.files, 'old upload')} (${bytes(uploads.bytes)})\n`);
  if (events > 0) out.write(`${plan ? 'Would remove' : 'Removed'} ${of(events, 'old run event')}\n`);
}

const reasons: Readonly<Record<string, string>> = {NEWEST: 'the newest', PIN: 'pinned by', MODEL: 'trained', RUN: 'in use by run'};

const of = (amount: number, what: string): string => `${count(amount)} ${what}${amount === 1 ? '' : 's'}`;

const named = ({id, sequence, rowCount, committedAt}: Past): string => `${sequence} of ${time(committedAt)}, ${of(Number(rowCount), 'row')} (${id})`;
