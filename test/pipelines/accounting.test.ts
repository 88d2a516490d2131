/**
 * Whatever comes in under whatever contract, each line that was read is in the dataset, in its quarantine, or counted as superseded,
 * deleted or dropped: told by tags that no two lines share. More cases: MILLRACE_ACCOUNTING_CASES=500.
 */
import type {Contract, Fate} from '../../src/schemas/contract.ts';
import {collect, data, putPipeline, runEvents, runToEnd, useApp} from '../support/project.ts';
import type {Project} from '../support/project.ts';
import {createRandom} from '../support/random.ts';

const cases = Number(process.env.MILLRACE_ACCOUNTING_CASES ?? 12);

let project: Project;
let url: string;
useApp(started => ({project, url} = started));

const counted = 'rowsRead rowsWritten rowsSuperseded rowsDeleted rowsQuarantined rowsDropped';
async function countsOf(runId: string): Promise<Record<string, number>> {
  const {run} = await data(url, `{ run(id: "${runId}") { status ${counted} } }`);
  const {status, ...rows} = run as Record<string, string>;
  return {...Object.fromEntries(Object.entries(rows).map(([name, value]) => [name, Number(value)])), failed: status === 'FAILED' ? 1 : 0};
}

interface Content {
  readonly kept: readonly string[];
  readonly aside: readonly string[];
}

/** Tags of the rows that are there; of a line that could not be taken apart, from its text. */
async function contentOf(dataset: string): Promise<Content> {
  const {there} = await data(url, `{ there: datasets(search: "${dataset}") { nodes { name head { id } } } }`);
  const has = (name: string): boolean => there.nodes.some((node: {name: string; head: unknown}) => node.name === name && node.head);
  const answer = await data(url, `{ __typename ${has(dataset) ? `kept: ${dataset} { tag }` : ''} ${has(`${dataset}_quarantine`) ? `aside: ${dataset}_quarantine { tag quarantine_raw quarantine_reasons }` : ''} }`);
  const tagOf = (row: {tag: string | null; quarantine_raw?: {line?: string} | null}): string => row.tag ?? /t\d+_\d+_\d+/.exec(row.quarantine_raw?.line ?? '')![0];
  return {kept: (answer.kept ?? []).map(tagOf), aside: (answer.aside ?? []).map(tagOf)};
}

const same = (told: string, actual: unknown, expected: unknown): void => expect([told, actual]).toEqual([told, expected]);

test('every line that was read is accounted for', async () => {
  const {chance, pick, integer} = createRandom(20_261_123);
  const fates: readonly Fate[] = ['fail', 'quarantine', 'quarantine', 'drop', 'null_value'];
  const seen = {quarantined: 0, dropped: 0, superseded: 0, failed: 0, replayed: 0};
  for (let one = 0; one < cases; one++) {
    const dataset = `accounts_${one}`;
    const mode = pick(['overwrite', 'append', 'merge'] as const);
    const onBadRow = pick(fates);
    const contract: Contract = {
      onBadRow, ...(mode === 'merge' || chance(0.5) ? {key: ['id']} : {}),
      columns: {id: {type: 'int32'}, amount: {type: 'int32'}, word: {type: 'utf8'}, tag: {type: 'utf8'}},
      checks: [
        {range: {column: 'amount', min: 0, max: 90}, ...(chance(0.3) ? {onBadRow: pick(['quarantine', 'drop', 'null_value'] as const)} : {})},
        ...(chance(0.5) ? [{set: {column: 'word', values: ['a', 'b', 'c']}, onBadRow: pick(['quarantine', 'drop'] as const)}] : []),
        ...(chance(0.3) ? [{sql: 'amount <> 7', severity: 'warn' as const}] : []),
        ...(chance(0.3) && mode !== 'merge' ? [{unique: ['word', 'amount'], onBadRow: pick(['quarantine', 'drop'] as const)}] : []),
      ],
    };
    let before: Content = {kept: [], aside: []};
    for (let round = 0; round < 2; round++) {
      const isDirty = onBadRow !== 'fail' || chance(0.3);
      const lines = Array.from({length: integer(1, 30)}, (_, place) => {
        const tag = `t${one}_${round}_${place}`;
        if (isDirty && chance(0.05)) return `${place},5,${tag}`;
        const id = isDirty && chance(0.1) ? '' : isDirty && chance(0.1) ? integer(0, 3) : place + (mode === 'merge' ? 0 : round * 100);
        return `${id},${isDirty && chance(0.1) ? pick(['x', '1.5', '-3', '99', '']) : integer(0, 90)},${isDirty && chance(0.1) ? 'z' : pick(['a', 'b', 'c'])},${tag}`;
      });
      project.write(`${dataset}.csv`, ['id,amount,word,tag', ...lines].join('\n'));
      await putPipeline(url, 'account', [{kind: 'ingest', name: 'load', source: {path: `${dataset}.csv`, options: {header: true, delimiter: ','}}, into: dataset, mode, contract}]);
      const counts = await countsOf((await runToEnd(url, 'account')).id);
      const after = await contentOf(dataset);
      const told = `case ${one}, round ${round}, ${mode}: ${JSON.stringify({contract, lines, counts})}`;
      if (counts.failed) {
        seen.failed++;
        // Nothing was committed, so nothing changed.
        same(told, [after], [before]);
        continue;
      }
      const {rowsRead, rowsWritten, rowsSuperseded, rowsDeleted, rowsQuarantined, rowsDropped} = counts as Record<string, number>;
      same(told, [rowsRead], [lines.length]);
      same(told, [rowsWritten! + rowsSuperseded! + rowsDeleted! + rowsQuarantined! + rowsDropped!], [rowsRead]);
      const came = (tags: readonly string[]): string[] => tags.filter(tag => tag.startsWith(`t${one}_${round}_`)).sort();
      same(told, [came(after.kept).length, came(after.aside).length], [rowsWritten, rowsQuarantined]);
      same(told, [new Set([...came(after.kept), ...came(after.aside)]).size], [rowsWritten! + rowsQuarantined!]);
      if (mode === 'append') same(told, [after.kept.length], [before.kept.length + rowsWritten!]);
      if (mode !== 'overwrite') same(told, [after.aside.length], [before.aside.length + rowsQuarantined!]);
      else same(told, [after.kept.length, after.aside.length], [rowsWritten, rowsQuarantined]);
      seen.quarantined += rowsQuarantined!;
      seen.dropped += rowsDropped!;
      seen.superseded += rowsSuperseded!;
      before = after;
    }
    if (before.aside.length === 0) continue;
    // A replay moves rows from one to the other, and loses none.
    const tag = "coalesce(tag, regexp_extract(quarantine_raw ->> 'line', 't[0-9]+_[0-9]+_[0-9]+'))";
    const part = (n: number): string => `split_part(${tag}, '_', ${n})::INTEGER`;
    const {replayQuarantine} = await data(url, 'mutation($input: ReplayQuarantineInput!) { replayQuarantine(input: $input) { ... on RunStarted { run { id } } ... on Failure { code message } } }', {
      input: {dataset, where: chance(0.5) ? 'quarantine_line IS NULL' : null, setSql: {tag, id: `1000 + 100 * ${part(2)} + ${part(3)}`, amount: chance(0.5) ? '50' : `${part(3)} * 5`, word: chance(0.5) ? "'a'" : "coalesce(word, 'b')"}},
    });
    await collect(url, runEvents, {id: replayQuarantine.run.id, after: '0'});
    const counts = await countsOf(replayQuarantine.run.id);
    const after = await contentOf(dataset);
    const told = `case ${one}, replay: ${JSON.stringify({contract, counts})}`;
    if (counts.failed) same(told, [after], [before]);
    else {
      const {rowsRead, rowsWritten, rowsQuarantined, rowsDropped} = counts as {[count: string]: number};
      same(told, [rowsWritten! + rowsQuarantined! + rowsDropped!], [rowsRead]);
      same(told, [after.kept.length, after.aside.length], [before.kept.length + rowsWritten!, before.aside.length - rowsWritten! - rowsDropped!]);
      const all = ({kept, aside}: Content): Set<string> => new Set([...kept, ...aside]);
      same(told, [all(after).size], [after.kept.length + after.aside.length]);
      same(told, [[...all(after)].filter(one => !all(before).has(one))], [[]]);
      seen.replayed += rowsWritten!;
    }
  }
  // What never happens proves nothing.
  expect(Object.entries(seen).filter(([, n]) => n === 0)).toEqual([]);
}, 600_000);
